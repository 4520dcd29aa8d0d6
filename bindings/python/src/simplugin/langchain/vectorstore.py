# SPDX-License-Identifier: Apache-2.0
"""The vector store: what LangChain calls, with texts embedded, over a ``Collection``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable

from langchain_core.vectorstores import VectorStore

from .. import aio
from ..session import default_session
from .collection import Collection, Filter
from .layout import Layout
from .opening import Opening
from .relevance import for_metric
from .rows import rows

if TYPE_CHECKING:
    from types import TracebackType

    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from typing_extensions import Self

    from ..index import Index
    from ..session import Session

_BATCH = 1000


class SimpluginVectorStore(VectorStore):
    """Documents in an index of any backend.

    It opens the run of ``brain_key``, or the collection of ``collection_name``, and makes it where it is not there;
    without either it makes a new one. A backend that is not named is the configured one, ``sklearn`` if nothing is.

    embedding: turns texts into vectors; only searches by vector do without. parameters: those of the backend, such as
    credentials, which are never recorded. metric: the backend's first, unless the collection has one. fields: column
    types of metadata keys, such as ``{"page": "int64"}``, whose values then have these types only; Qdrant makes an
    index of each. text_field, metadata_field: where text and metadata lie. relevance_score_fn: relevance of a distance,
    instead of ``relevance_score``. session: a ``simplugin.Session`` instead of the default one. open: False leaves
    opening to the first use, which in asyncio then waits.

    Methods that search take ``k``, ``filter``, ``score_threshold`` (relevance, 0..1) and all that ``Index.search``
    takes, such as ``parameters`` and ``timeout``; the others take what the index's own method does. A filter is text of
    the filter language or a dict of conditions on metadata: ``{"source": "a.pdf", "page": {"$gte": 10}}``.

    Scores are distances: smaller is nearer.

    A store that is pickled keeps how it is opened, and is opened at its first use. Secrets among the parameters
    (passwords, tokens, keys) are left out: they come from the environment or the configuration file there, or are put
    into ``store.parameters`` before the first use.
    """

    def __init__(
        self,
        embedding: Embeddings | None = None,
        *,
        backend: str | None = None,
        brain_key: str | None = None,
        dataset: str | None = None,
        collection_name: str | None = None,
        metric: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
        text_field: str = "text",
        metadata_field: str = "metadata",
        relevance_score_fn: Callable[[float], float] | None = None,
        session: Session | None = None,
        open: bool = True,
    ) -> None:
        layout = Layout(text_field, metadata_field, dict(fields or {}))
        opening = Opening(backend, brain_key, dataset, collection_name, metric, layout.declared_fields())
        self._embedding = embedding
        self._relevance = relevance_score_fn
        self._collection = Collection(opening, layout, dict(parameters or {}), session or default_session)
        if open:
            self._collection.open()

    @property
    def index(self) -> Index:
        """The ``simplugin.Index``, for everything else."""
        return self._collection.index()

    @property
    def parameters(self) -> dict[str, Any]:
        """Those it is opened with; changes count until it is."""
        return self._collection.parameters

    @property
    def embeddings(self) -> Embeddings | None:
        """What makes vectors of texts."""
        return self._embedding

    def _needed(self) -> Embeddings:
        if self._embedding is None:
            raise ValueError("the store has no embedding: give one, or vectors")
        return self._embedding

    # ---- adding ----

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[Any, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        embeddings: Any = None,
        batch_size: int = _BATCH,
        **kwargs: Any,
    ) -> list[str]:
        """Adds texts, in place of those of the same ids; of ids that come twice the last counts.

        ids: those that are None, or all of them, are made. embeddings: vectors that are there already. Texts are
        embedded and written ``batch_size`` at a time; what was written before an error stays, and the same call
        may be repeated.
        """
        new = rows(texts, metadatas, ids, embeddings)
        for batch in new.batches(batch_size):
            vectors = batch.vectors
            if vectors is None:
                vectors = self._needed().embed_documents(list(batch.texts))
            self._collection.write(batch, vectors, **kwargs)
        return list(new.ids)

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[Any, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        embeddings: Any = None,
        batch_size: int = _BATCH,
        **kwargs: Any,
    ) -> list[str]:
        """``add_texts`` for asyncio."""
        new = rows(texts, metadatas, ids, embeddings)
        for batch in new.batches(batch_size):
            vectors = batch.vectors
            if vectors is None:
                vectors = await self._needed().aembed_documents(list(batch.texts))
            await aio.run(self._collection.write, batch, vectors, **kwargs)
        return list(new.ids)

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[Any, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        embeddings: Any = None,
        batch_size: int = _BATCH,
        **kwargs: Any,
    ) -> Self:
        """A store with these texts added; the further keywords are the constructor's."""
        store = cls(embedding, **kwargs)
        try:
            store.add_texts(texts, metadatas, ids=ids, embeddings=embeddings, batch_size=batch_size)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[Any, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        embeddings: Any = None,
        batch_size: int = _BATCH,
        **kwargs: Any,
    ) -> Self:
        """``from_texts`` for asyncio."""
        kwargs["open"] = False
        store = cls(embedding, **kwargs)
        try:
            await aio.run(store._collection.open)
            await store.aadd_texts(texts, metadatas, ids=ids, embeddings=embeddings, batch_size=batch_size)
        except BaseException:
            await store.aclose()
            raise
        return store

    # ---- searching ----

    def similarity_search(self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any) -> list[Document]:
        """The documents nearest to a text."""
        return self.similarity_search_by_vector(self._needed().embed_query(query), k, filter, **kwargs)

    async def asimilarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """``similarity_search`` for asyncio."""
        return await self.asimilarity_search_by_vector(await self._needed().aembed_query(query), k, filter, **kwargs)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """The documents nearest to a vector."""
        return [found for found, _ in self.similarity_search_with_score_by_vector(embedding, k, filter, **kwargs)]

    async def asimilarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """``similarity_search_by_vector`` for asyncio."""
        pairs = await self.asimilarity_search_with_score_by_vector(embedding, k, filter, **kwargs)
        return [found for found, _ in pairs]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The documents nearest to a text, with their distances: smaller is nearer."""
        return self.similarity_search_with_score_by_vector(self._needed().embed_query(query), k, filter, **kwargs)

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """``similarity_search_with_score`` for asyncio."""
        embedding = await self._needed().aembed_query(query)
        return await self.asimilarity_search_with_score_by_vector(embedding, k, filter, **kwargs)

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The documents nearest to a vector, with their distances."""
        return self._collection.find(embedding, k=k, filter=filter, relevance=self._relevance, **kwargs)

    async def asimilarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """``similarity_search_with_score_by_vector`` for asyncio."""
        find = self._collection.find
        return await aio.run(find, embedding, k=k, filter=filter, relevance=self._relevance, **kwargs)

    def similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The documents nearest to a text, with their relevance: 0, the opposite, to 1, the same."""
        pairs = self.similarity_search_with_score(query, k, filter, **kwargs)
        relevance = self._select_relevance_score_fn()
        return [(found, relevance(distance)) for found, distance in pairs]

    async def asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """``similarity_search_with_relevance_scores`` for asyncio."""
        pairs = await self.asimilarity_search_with_score(query, k, filter, **kwargs)
        relevance = self._select_relevance_score_fn()
        return [(found, relevance(distance)) for found, distance in pairs]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return for_metric(self.index.metric) if self._relevance is None else self._relevance

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Documents near to a text, and different from each other.

        Of the ``fetch_k`` nearest (at least k) one after the other with the largest lambda_mult * cos(query) -
        (1 - lambda_mult) * (largest cos with one chosen before): 1 looks at the query alone, 0 at the others.
        """
        embedding = self._needed().embed_query(query)
        return self.max_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, filter, **kwargs)

    async def amax_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """``max_marginal_relevance_search`` for asyncio."""
        embedding = await self._needed().aembed_query(query)
        search = self.amax_marginal_relevance_search_by_vector
        return await search(embedding, k, fetch_k, lambda_mult, filter, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """The same by a vector."""
        mmr = {"lambda": lambda_mult, "fetch_k": fetch_k}
        return self.similarity_search_by_vector(embedding, k, filter, mmr=mmr, **kwargs)

    async def amax_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """``max_marginal_relevance_search_by_vector`` for asyncio."""
        mmr = {"lambda": lambda_mult, "fetch_k": fetch_k}
        return await self.asimilarity_search_by_vector(embedding, k, filter, mmr=mmr, **kwargs)

    # ---- by ids ----

    def get_by_ids(self, ids: Sequence[str], /, **kwargs: Any) -> list[Document]:
        """Documents in the order of the ids; those that are not there are left out."""
        return self._collection.get(ids, **kwargs)

    async def aget_by_ids(self, ids: Sequence[str], /, **kwargs: Any) -> list[Document]:
        """``get_by_ids`` for asyncio."""
        return await aio.run(self._collection.get, ids, **kwargs)

    def delete(self, ids: Sequence[str] | None = None, *, filter: Filter | None = None, **kwargs: Any) -> bool:
        """Deletes documents by ids, by a filter, or, given neither, all. Ids that are not there are no error."""
        self._collection.remove(ids, filter, **kwargs)
        return True

    async def adelete(self, ids: Sequence[str] | None = None, *, filter: Filter | None = None, **kwargs: Any) -> bool:
        """``delete`` for asyncio."""
        await aio.run(self._collection.remove, ids, filter, **kwargs)
        return True

    def ids(self, filter: Filter | None = None, **kwargs: Any) -> list[str]:
        """The ids of all documents, or of those that a filter accepts."""
        return self._collection.ids(filter, **kwargs)

    async def aids(self, filter: Filter | None = None, **kwargs: Any) -> list[str]:
        """``ids`` for asyncio."""
        return await aio.run(self._collection.ids, filter, **kwargs)

    # ---- the collection ----

    def delete_collection(self, **kwargs: Any) -> None:
        """Drops the collection and the record of its run; the store makes it anew when it is used again."""
        self._collection.drop(**kwargs)

    async def adelete_collection(self, **kwargs: Any) -> None:
        """``delete_collection`` for asyncio."""
        await aio.run(self._collection.drop, **kwargs)

    def close(self) -> None:
        """Closes the index; calls that are in it end first. The session stays open."""
        self._collection.close()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        await self._collection.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        opening = self._collection.opening
        return f"{type(self).__name__}({opening.brain_key or opening.collection_name or 'a new collection'!r})"

    # ---- pickling ----

    def __getstate__(self) -> dict[str, Any]:
        return {"embedding": self._embedding, "relevance": self._relevance, "collection": self._collection.state()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self._embedding = state["embedding"]
        self._relevance = state["relevance"]
        self._collection = Collection(**state["collection"], session=default_session)
