# SPDX-License-Identifier: Apache-2.0
"""The store under the name and with the arguments that programs for Milvus use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .vectorstore import SimpluginVectorStore

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


class Milvus(SimpluginVectorStore):
    """Documents in a collection of a Milvus server, for programs written for ``langchain_community``'s ``Milvus``.

    connection_args: parameters of the backend, such as ``host`` and ``port``, or ``uri`` and ``token``. The further
    keywords are those of ``SimpluginVectorStore``.
    """

    def __init__(
        self,
        embedding_function: Embeddings | None = None,
        collection_name: str = "LangChainCollection",
        *,
        connection_args: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            embedding_function,
            backend="milvus",
            collection_name=collection_name,
            parameters={**(connection_args or {}), **(parameters or {})},
            **kwargs,
        )
