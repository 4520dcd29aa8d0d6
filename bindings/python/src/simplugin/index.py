# SPDX-License-Identifier: Apache-2.0
"""An index, and its views and scans."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, Union

import numpy.typing as npt

from . import _wire
from ._call import Handle, Options, ask, call
from ._typing import Self, Unpack
from ._wire import Handled
from .columns import Column
from .results import Added, Duplicates, FieldsSet, Hits, Neighbors, Points, Removed, Row

# Rows of float32, float64 or float16: a numpy array, anything with the buffer protocol or DLPack, lists of numbers.
Vectors = Any
IdsLike = Union[Sequence[str], npt.NDArray[Any]]
FieldsLike = Mapping[str, Union[Column, Sequence[Any], npt.NDArray[Any]]]
Embed = Callable[[list[str]], Vectors]
FieldNames = Union[Sequence[str], bool]


class View(Handle):
    """A set of ids that restricts searches: ``index.search(..., view=view)``."""

    __slots__ = ("known",)

    def __init__(self, reply: Mapping[str, Any], index: Index) -> None:
        super().__init__(reply["view"], index)
        self.known: int = reply["known"]
        """How many of its ids are in the index."""


class Scan(Handle):
    """An iterator over an index in constant memory: over pages, or with ``rows`` over points.

    It closes at its end. A loop that is left before may be gone on with by another, as over a file; who does not want
    that closes it, with ``close`` or a ``with`` block, or forgets it.

    >>> import simplugin
    >>> with simplugin.create_index(metric="cosine") as index:
    ...     _ = index.add(["a", "b", "c"], [[1, 0], [0, 1], [1, 1]])
    ...     print([row.id for row in index.scan().rows()], [len(page) for page in index.scan(max_rows=2)])
    ...     _ = index.cleanup()
    ['a', 'b', 'c'] [2, 1]
    """

    __slots__ = ("done", "options")

    def __init__(self, reply: Mapping[str, Any], index: Index, options: Options) -> None:
        super().__init__(reply["scan"], index)
        self.options = options
        """Those of each page of a loop."""
        self.done = False
        """Whether the last page has come."""

    def next(self, **options: Unpack[Options]) -> Points:
        """The next page, with options of its own."""
        reply = call(self.handle, "scan.next", None, options)
        self.done = bool(reply.get("done"))
        return Points(reply)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Points:
        if self.done:
            self.close()
            raise StopIteration
        return self.next(**self.options)

    def rows(self) -> Iterator[Row]:
        """The points one by one."""
        for page in self:
            yield from page


class Index(Handle):
    """One collection of a backend under a metric; made by ``create_index``, ``open_index`` and ``runs.load``.

    Vectors are rows of float32, float64 or float16: a numpy array, an object that lends its memory (``array.array``,
    ``memoryview``) or has ``__dlpack__``, or lists of numbers. An array whose rows have no gaps inside is read where
    it lies, whatever the distance between its rows; others are copied first. Ids are any sequence of ``str``.
    Arguments that are not given are left to the library.
    """

    __slots__ = (
        "backend",
        "brain_key",
        "collection_name",
        "dataset",
        "dimension",
        "embed",
        "existing",
        "metric",
        "model",
        "patches",
        "patches_field",
        "supports_prompts",
    )

    def __init__(self, reply: Mapping[str, Any], owner: Handle | None = None, embed: Embed | None = None) -> None:
        super().__init__(reply["index"], owner)
        self.backend: str = reply.get("backend", "")
        self.collection_name: str = reply.get("collection_name", "")
        self.metric: str | None = reply.get("metric")
        self.dimension: int | None = reply.get("dimension")
        """As it was when the index was opened: None if no vector had said it."""
        self.brain_key: str | None = reply.get("brain_key")
        self.dataset: str | None = reply.get("dataset")
        self.existing: bool = bool(reply.get("existing"))
        """Whether the collection was there already."""
        self.patches_field: str | None = reply.get("patches_field")
        self.patches: bool = bool(reply.get("patches"))
        """Whether its points have sample ids."""
        self.model: str | None = reply.get("model")
        self.supports_prompts: bool = bool(reply.get("supports_prompts"))
        self.embed = embed
        """Makes vectors of texts, for ``search(text=...)``."""

    def __repr__(self) -> str:
        return f"<simplugin.Index {self.collection_name!r} of {self.backend}>"

    # ---- points ----

    def add(
        self,
        ids: IdsLike,
        vectors: Vectors,
        *,
        sample_ids: IdsLike | None = None,
        fields: FieldsLike | None = None,
        overwrite: bool | None = None,
        allow_existing: bool | None = None,
        warn_existing: bool | None = None,
        duplicates: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Added:
        """Adds points, in place of those of the same ids.

        Args:
            ids: as many different ids as there are rows
            vectors: rows of numbers
            sample_ids (None): the sample of each point; for an index of patches, which wants them
            fields (None): a list, an array or a ``Column`` for each name; ``None`` and masked entries are missing
            overwrite (True): False skips points that are there
            allow_existing (True): with ``overwrite=False``; False: ``AlreadyExists`` if one is there, and none is added
            warn_existing (False): logs how many were skipped
            duplicates ("fail"): what a second row of an id means: ``fail``, or the ``first`` or ``last`` of them wins
            parameters (None): the backend's own
        """
        body = {
            "ids": _wire.ids(ids),
            "vectors": _wire.matrix(vectors),
            "sample_ids": _wire.ids(sample_ids, "sample_ids"),
            "fields": _wire.fields(fields),
            "overwrite": overwrite,
            "allow_existing": allow_existing,
            "warn_existing": warn_existing,
            "duplicates": duplicates,
            "parameters": parameters,
        }
        return ask(self.handle, "index.add", body, options)  # type: ignore[return-value]  # pyright: ignore

    def set_fields(self, ids: IdsLike, fields: FieldsLike, **options: Unpack[Options]) -> FieldsSet:
        """Sets fields of points that are there, and leaves their others.

        Args:
            ids: of the points
            fields: as for ``add``; a value None takes the field away
        """
        body = {"ids": _wire.ids(ids), "fields": _wire.fields(fields)}
        return ask(self.handle, "index.set_fields", body, options)  # type: ignore[return-value]  # pyright: ignore

    def remove(
        self,
        ids: IdsLike | None = None,
        *,
        sample_ids: IdsLike | None = None,
        filter: str | None = None,
        all: bool | None = None,
        allow_missing: bool | None = None,
        warn_missing: bool | None = None,
        **options: Unpack[Options],
    ) -> Removed:
        """Removes points.

        Args:
            ids (None): of the points
            sample_ids (None): or of their samples, in an index of patches
            filter (None): or what they match, such as ``'page >= 3'``
            all (False): or all of them
            allow_missing (True): False: ``NotFound`` if an id is not there, and none is removed
            warn_missing (False): logs how many were not there
        """
        body = {
            "ids": _wire.ids(ids),
            "sample_ids": _wire.ids(sample_ids, "sample_ids"),
            "filter": filter,
            "all": all,
            "allow_missing": allow_missing,
            "warn_missing": warn_missing,
        }
        return ask(self.handle, "index.remove", body, options)  # type: ignore[return-value]  # pyright: ignore

    def get(
        self,
        ids: IdsLike | None = None,
        *,
        sample_ids: IdsLike | None = None,
        vectors: bool | None = None,
        fields: FieldNames | None = None,
        allow_missing: bool | None = None,
        warn_missing: bool | None = None,
        **options: Unpack[Options],
    ) -> Points:
        """Points by ids, in their order, or by the ids of their samples, or all of them.

        Args:
            ids (None): of the points
            sample_ids (None): or of their samples, in an index of patches
            vectors (True): whether they come with their vectors
            fields (None): names of fields, or True for all
            allow_missing (True): False: ``NotFound`` if an id is not there
            warn_missing (False): logs how many were not there
        """
        body = {
            "ids": _wire.ids(ids),
            "sample_ids": _wire.ids(sample_ids, "sample_ids"),
            "vectors": vectors,
            "fields": fields,
            "allow_missing": allow_missing,
            "warn_missing": warn_missing,
        }
        return Points(ask(self.handle, "index.get", body, options))

    def size(self, filter: str | None = None, **options: Unpack[Options]) -> int:
        """The exact number of points, or of those that the filter accepts."""
        size: int = ask(self.handle, "index.size", {"filter": filter}, options)["size"]
        return size

    # ---- searching ----

    def _query(self, vectors: Vectors, text: str | Sequence[str] | None) -> tuple[object, object]:
        if text is None or self.embed is None:
            return _wire.matrix(vectors), text
        return _wire.matrix(self.embed([text] if isinstance(text, str) else list(text))), None

    def search(
        self,
        vectors: Vectors = None,
        *,
        ids: IdsLike | None = None,
        text: str | Sequence[str] | None = None,
        k: int | None = None,
        reverse: bool | None = None,
        aggregation: str | None = None,
        view: Handled | None = None,
        filter: str | None = None,
        exclude_self: bool | None = None,
        max_distance: float | None = None,
        min_score: float | None = None,
        mmr: Mapping[str, Any] | None = None,
        fields: FieldNames | None = None,
        with_vectors: bool | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Hits:
        """The nearest points of each query: rows of vectors, the vectors of ids, or texts.

        Args:
            vectors (None): a query for each row
            ids (None): or for each id, with the vector of that point
            text (None): or for each text: they are embedded by the index's ``embed``, without which this is
                ``PromptUnsupported``
            k (10): how many points of each query, at least 1
            reverse (False): the least similar first
            aggregation (None): makes one query of all: ``mean`` of the vectors; ``post-mean``, ``post-min`` or
                ``post-max`` of a point's distances to them
            view (None): a view of this index; other points are left out
            filter (None): what points match, such as ``'page >= 3'``
            exclude_self (False): leaves out the ids that are asked by
            max_distance (None): how far they are at most
            min_score (None): cos or q.x at least; where scores are distances, at most
            mmr (None): maximal marginal relevance: ``lambda`` (0.5, between 0 and 1), ``fetch_k`` (4 k)
            fields (None): names of fields that come with the points, or True for all
            with_vectors (False): whether their vectors come
            parameters (None): of the search; the backend's own
        """
        queries, words = self._query(vectors, text)
        body = {
            "vectors": queries,
            "ids": _wire.ids(ids),
            "text": words,
            "k": k,
            "reverse": reverse,
            "aggregation": aggregation,
            "view": view,
            "filter": filter,
            "exclude_self": exclude_self,
            "max_distance": max_distance,
            "min_score": min_score,
            "mmr": mmr,
            "fields": fields,
            "with_vectors": with_vectors,
            "parameters": parameters,
        }
        return Hits(ask(self.handle, "index.search", body, options))

    def radius(
        self,
        vectors: Vectors = None,
        *,
        radius: float,
        ids: IdsLike | None = None,
        limit: int | None = None,
        view: Handled | None = None,
        filter: str | None = None,
        exclude_self: bool | None = None,
        fields: FieldNames | None = None,
        with_vectors: bool | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Hits:
        """All points within a distance of each query, nearest first.

        Args:
            vectors (None): a query for each row
            radius: the distance
            ids (None): or a query for each id, with the vector of that point
            limit (None): how many points of each query at most
            view (None): a view of this index; other points are left out
            filter (None): what points match
            exclude_self (False): leaves out the ids that are asked by
            fields (None): names of fields that come with the points, or True for all
            with_vectors (False): whether their vectors come
            parameters (None): of the search; the backend's own
        """
        body = {
            "vectors": _wire.matrix(vectors),
            "ids": _wire.ids(ids),
            "radius": radius,
            "limit": limit,
            "view": view,
            "filter": filter,
            "exclude_self": exclude_self,
            "fields": fields,
            "with_vectors": with_vectors,
            "parameters": parameters,
        }
        return Hits(ask(self.handle, "index.radius", body, options))

    def neighbors(
        self,
        *,
        k: int | None = None,
        radius: float | None = None,
        view: Handled | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Neighbors:
        """For every point of the index or view its nearest others.

        Args:
            k (None): how many
            radius (None): or all within that distance
            view (None): a view of this index; other points are left out
            parameters (None): of the search; the backend's own
        """
        body = {"k": k, "radius": radius, "view": view, "parameters": parameters}
        return Neighbors(ask(self.handle, "index.neighbors", body, options))

    def duplicates(
        self,
        *,
        threshold: float | None = None,
        fraction: float | None = None,
        view: Handled | None = None,
        **options: Unpack[Options],
    ) -> Duplicates:
        """Walks the points in the order of their ids and drops each that lies near one that was kept before.

        Args:
            threshold (None): the distance that is near
            fraction (None): or finds that at which this fraction of the points is dropped, between 0 and 1
            view (None): a view of this index; other points are left out
        """
        body = {"threshold": threshold, "fraction": fraction, "view": view}
        return Duplicates(ask(self.handle, "index.duplicates", body, options))

    def unique(self, count: int, *, view: Handled | None = None, **options: Unpack[Options]) -> Duplicates:
        """The same with the threshold at which so many points are kept.

        Args:
            count: how many
            view (None): a view of this index; other points are left out
        """
        return Duplicates(ask(self.handle, "index.unique", {"count": count, "view": view}, options))

    # ---- views and scans ----

    def view(
        self,
        ids: IdsLike | None = None,
        *,
        sample_ids: IdsLike | None = None,
        filter: str | None = None,
        **options: Unpack[Options],
    ) -> View:
        """A set of ids that restricts searches; ids that are not in the index are harmless.

        Args:
            ids (None): of the points
            sample_ids (None): or of their samples, in an index of patches
            filter (None): or what they match now
        """
        body = {"ids": _wire.ids(ids), "sample_ids": _wire.ids(sample_ids, "sample_ids"), "filter": filter}
        return View(ask(self.handle, "view.create", body, options), self)

    def scan(
        self,
        *,
        vectors: bool | None = None,
        fields: FieldNames | None = None,
        filter: str | None = None,
        view: Handled | None = None,
        max_rows: int | None = None,
        **options: Unpack[Options],
    ) -> Scan:
        """All points, page by page. The options are those of each page as well.

        Args:
            vectors (True): whether they come with their vectors
            fields (None): names of fields, or True for all
            filter (None): what points match
            view (None): a view of this index; other points are left out
            max_rows (None): how many at most in a page; None is left to the backend
        """
        body = {"vectors": vectors, "fields": fields, "filter": filter, "view": view, "max_rows": max_rows}
        return Scan(ask(self.handle, "scan.open", body, options), self, options)

    # ---- the index itself ----

    def info(self, **options: Unpack[Options]) -> dict[str, Any]:
        """What the index is, its size, the fields of its collection, and the parameters it was made with."""
        return call(self.handle, "index.info", None, options)

    def capabilities(self, **options: Unpack[Options]) -> dict[str, Any]:
        """What its backend is and can do: the ``describe`` of docs/protocol.md."""
        return ask(
            0 if self._owner is None else self._owner.handle, "backends.describe", {"backend": self.backend}, options
        )

    def cleanup(self, **options: Unpack[Options]) -> bool:
        """Drops the collection; the record of a run stays. Whether there was one."""
        return bool(call(self.handle, "index.cleanup", None, options).get("dropped"))

    def check(self, **options: Unpack[Options]) -> dict[str, Any]:
        """Reads everything that is stored, while in use; ``Corrupt`` if it is damaged."""
        return call(self.handle, "index.check", None, options)

    def compact(self, **options: Unpack[Options]) -> dict[str, Any]:
        """Gives back the room of what was removed."""
        return call(self.handle, "index.compact", None, options)

    def backup(self, path: str | os.PathLike[str], **options: Unpack[Options]) -> None:
        """Writes a copy to an absolute path that is not there yet."""
        ask(self.handle, "index.backup", {"path": os.fspath(path)}, options)

    def health(self, **options: Unpack[Options]) -> dict[str, Any]:
        """Asks the backend, which answers with its version."""
        return call(self.handle, "health", None, options)

    def backend_call(
        self, method: str, body: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> dict[str, Any]:
        """Calls a method of the backend itself: those of docs/protocol.md's backend protocol, and ``native.*``.

        Args:
            method: its name
            body (None): of the request; may hold numpy arrays, ``Column`` and ``Ids``
        """
        return ask(self.handle, "backend.call", {"method": method, "body": body}, options)

    def __enter__(self) -> Self:
        return self
