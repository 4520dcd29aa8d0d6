# SPDX-License-Identifier: Apache-2.0
"""The standard tests of langchain-tests, all of them, on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from embedding import MiniLMEmbeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStoreRetriever
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)

from simplugin.langchain import SimpluginVectorStore


class TestVectorStore(VectorStoreIntegrationTests):
    """The vector store, under each metric."""

    @pytest.fixture(params=["cosine", "euclidean", "dotproduct"])
    def metric(self, request: pytest.FixtureRequest) -> str:
        """A metric."""
        name: str = request.param
        return name

    @pytest.fixture
    def vectorstore(self, backend: str, metric: str, parameters: dict[str, Any]) -> Iterator[SimpluginVectorStore]:
        """An empty store."""
        embedding = self.get_embeddings()
        with SimpluginVectorStore(embedding, backend=backend, parameters=parameters, metric=metric) as store:
            yield store
            store.delete_collection()


class Retriever(VectorStoreRetriever):
    """The retriever of a store, with the number of documents as an argument of its own."""

    def __init__(self, *, k: int = 4, **settings: Any) -> None:
        super().__init__(search_kwargs={"k": k}, **settings)


class TestRetriever(RetrieversIntegrationTests):
    """What ``as_retriever`` gives."""

    @pytest.fixture(autouse=True, params=["similarity", "mmr"])
    def filled(self, store: SimpluginVectorStore, request: pytest.FixtureRequest) -> None:
        """Five documents."""
        store.add_texts([f"{i} 1 0" for i in range(5)])
        self._params = {"vectorstore": store, "search_type": request.param}

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        """The class."""
        return Retriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        """Its arguments."""
        return self._params

    @property
    def retriever_query_example(self) -> str:
        """A query."""
        return "0 1 0"


class TestEmbeddings(EmbeddingsIntegrationTests):
    """The embeddings of the other tests."""

    @property
    def embeddings_class(self) -> type[MiniLMEmbeddings]:
        """The class."""
        return MiniLMEmbeddings
