# SPDX-License-Identifier: Apache-2.0
"""Documents in an index, by their vectors: what the store does once texts are embedded.

Its functions take ``cancel`` among their options, and so can be run by ``aio.run``.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Callable, Union

import numpy as np

from .. import aio
from ..errors import InvalidArgument, NotFound
from ..session import default_session
from .documents import documents
from .filters import Conditions
from .layout import FIELDS_MAX, Layout
from .opening import Opening
from .relevance import Relevance, for_metric
from .rows import Rows

if TYPE_CHECKING:
    from langchain_core.documents import Document

    from ..index import Index
    from ..results import Hits, Points
    from ..session import Session

Filter = Union[str, Mapping[str, Any]]
"""Text of the filter language, or a dict of conditions on metadata."""

_TRIES = 3


class Collection:
    """An index that is opened when it is first needed, and the documents in it."""

    def __init__(self, opening: Opening, layout: Layout, parameters: dict[str, Any], session: Session) -> None:
        self.opening = opening
        self.layout = layout
        self.parameters = parameters
        self.session = session
        self._conditions = Conditions(layout)
        self._shown = [layout.text_field, layout.metadata_field]
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._types: dict[str, str] | None = None

    def index(self, **options: Any) -> Index:
        """The open index."""
        if self._index is None:
            with self._lock:
                if self._index is None:
                    self._index = self.opening.index(self.session, self.parameters, **_common(options))
        return self._index

    def open(self, **options: Any) -> None:
        """Opens it, if it is not."""
        self.index(**options)

    def close(self) -> None:
        """Closes it, if it was opened."""
        if self._index is not None:
            self._index.close()

    async def aclose(self) -> None:
        """The same for asyncio."""
        if self._index is not None:
            await aio.Index(self._index).close()

    def state(self) -> dict[str, Any]:
        """What another process opens it with: all but secrets."""
        if self.session is not default_session:
            raise TypeError("a store with a session of its own cannot be pickled: make it where it is used")
        opening, index = self.opening, self._index
        if opening.backend is None or not (opening.brain_key or opening.collection_name):
            index = self.index()
        if index is not None:
            opening = replace(opening, backend=index.backend, metric=index.metric)
            if opening.brain_key is None:
                opening = replace(opening, collection_name=index.collection_name)
        declared = self.session.describe(opening.backend or "")["parameters"]
        secrets = {name for one in declared if one.get("secret") for name in (one["name"], *one.get("aliases", ()))}
        parameters = {name: value for name, value in self.parameters.items() if name not in secrets}
        return {"opening": opening, "layout": self.layout, "parameters": parameters}

    def drop(self, **options: Any) -> None:
        """Drops the index with its record; it is made anew when it is needed again."""
        index = self.index(**options)
        index.cleanup(**options)
        if index.brain_key is not None:
            with suppress(NotFound):
                self.session.runs.delete(index.brain_key, dataset=index.dataset, **options)
        with self._lock:
            self._index = self._types = None
        index.close()

    # ---- writing ----

    def _known(self, options: Mapping[str, Any], *, again: bool = False) -> dict[str, str]:
        """The types that fields have, as far as the backend and this object have seen them."""
        if self._types is None or again:
            try:
                self._types = dict(self.index(**options).info(**_common(options))["fields"])
            except NotFound:  # dropped by somebody: adding makes it anew
                self._types = {}
        return self._types

    def write(self, rows: Rows, vectors: Any, **options: Any) -> None:
        """Adds documents, in place of those of the same ids."""
        if not len(rows):
            return
        matrix = np.asarray(vectors, np.float32)
        for left in reversed(range(_TRIES)):
            known = self._known(options)
            fields = self.layout.fields(rows.texts, rows.encoded, rows.metadatas, known)
            if len(fields) > FIELDS_MAX and len(rows) > 1:
                half = len(rows) // 2
                self.write(rows.part(0, half), matrix[:half], **options)
                self.write(rows.part(half, len(rows)), matrix[half:], **options)
                return
            fields = dict(islice(fields.items(), FIELDS_MAX))
            try:
                self.index(**options).add(rows.ids, matrix, fields=fields, duplicates="last", **options)
            except InvalidArgument as error:
                # a field has got another type meanwhile
                if error.detail("argument") != "fields" or not left or self._known(options, again=True) == known:
                    raise
            else:
                known.update((name, column.type) for name, column in fields.items())
                return

    # ---- searching ----

    def _condition(self, filter: Filter | None) -> str | None:
        """A filter as the index takes it."""
        if filter is None or isinstance(filter, str):
            return filter or None
        return self._conditions.text(filter) if filter else None

    def find(
        self,
        vector: Sequence[float],
        *,
        k: int,
        filter: Filter | None = None,
        score_threshold: float | None = None,
        relevance: Callable[[float], float] | None = None,
        **search: Any,
    ) -> list[tuple[Document, float]]:
        """The nearest documents with their distances, of that relevance at least."""
        index = self.index(**search)
        score: Callable[[float], float] = relevance or for_metric(index.metric)
        if score_threshold is not None and isinstance(score, Relevance):
            limit, given = score.limit(score_threshold), search.get("max_distance")
            if limit < math.inf:
                search["max_distance"] = limit if given is None else min(limit, given)
        hits = index.search(
            np.asarray(vector, np.float32),
            k=k,
            filter=self._condition(filter),
            fields=self._shown,
            **search,
        )
        found = zip(self._documents(index, hits, search), hits.distances.tolist())
        return [pair for pair in found if score_threshold is None or score(pair[1]) >= score_threshold]

    def _documents(self, index: Index, found: Hits | Points, options: Mapping[str, Any]) -> list[Document]:
        return documents(index, self.layout, found.ids, found.fields, **_common(options))

    # ---- by ids ----

    def get(self, ids: Sequence[str], **options: Any) -> list[Document]:
        """Documents in the order of the ids, without those that are not there."""
        index = self.index(**options)
        return self._documents(index, index.get(ids, vectors=False, fields=self._shown, **options), options)

    def remove(self, ids: Sequence[str] | None, filter: Filter | None, **options: Any) -> None:
        """Removes documents by ids, by a filter, or all."""
        if ids is not None and filter is not None:
            raise ValueError("delete: either ids or a filter")
        index = self.index(**options)
        if ids is not None:
            index.remove(list(dict.fromkeys(ids)), **options)
        elif filter is None:
            index.remove(all=True, **options)
        else:
            condition = self._condition(filter)
            if condition is None:
                raise ValueError("delete: a filter that says nothing; without one all documents are deleted")
            index.remove(filter=condition, **options)

    def ids(self, filter: Filter | None = None, **options: Any) -> list[str]:
        """The ids of all documents, or of those that the filter accepts."""
        found: list[str] = []
        index = self.index(**options)
        for page in index.scan(vectors=False, filter=self._condition(filter), **options):
            found += page.ids.tolist()
        return found


def _common(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a call's options that hold for what it needs beside."""
    return {name: options[name] for name in ("timeout", "cancel", "trace_id") if name in options}
