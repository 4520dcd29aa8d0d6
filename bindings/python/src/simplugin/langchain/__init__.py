# SPDX-License-Identifier: Apache-2.0
"""A vector store of LangChain on any backend.

    from simplugin.langchain import SimpluginVectorStore

    store = SimpluginVectorStore.from_texts(["a pear", "a plum"], embedding, collection_name="fruit")
    store.similarity_search("pear", k=1)

``SimpluginVectorStore`` has the methods of LangChain's ``VectorStore``, each for asyncio as well.
"""

from __future__ import annotations

try:
    import langchain_core as _langchain_core  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as _error:
    raise ImportError(
        f"simplugin.langchain needs LangChain: pip install simplugin[langchain] ({_error})", name=_error.name
    ) from _error

from .milvus import Milvus
from .vectorstore import SimpluginVectorStore

__all__ = ["Milvus", "SimpluginVectorStore"]
