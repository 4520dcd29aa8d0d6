# SPDX-License-Identifier: Apache-2.0
"""What calls answer with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, overload

from .columns import Array, Column, Ids

NO_IDS = Ids(())


class Hit(NamedTuple):
    """One point that a query found."""

    id: str
    distance: float
    """Smaller is nearer: 1 - cos, -q.x, the L2 distance."""
    score: float
    """The backend's own figure."""


class Matches(Sequence[Hit]):
    """What one query found, nearest first: parts of the arrays of ``Hits``, and a sequence of ``Hit`` tuples."""

    __slots__ = ("distances", "fields", "ids", "sample_ids", "scores", "vectors")

    def __init__(self, hits: Hits | Matches, part: slice) -> None:
        self.ids: Ids = hits.ids[part]
        self.distances: Array = hits.distances[part]
        self.scores: Array = hits.scores[part]
        self.sample_ids: Ids | None = None if hits.sample_ids is None else hits.sample_ids[part]
        self.fields: dict[str, Column] = {name: column[part] for name, column in hits.fields.items()}
        self.vectors: Array | None = None if hits.vectors is None else hits.vectors[part]

    def __len__(self) -> int:
        return len(self.distances)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Matches: ...
    def __getitem__(self, index: int | slice) -> Hit | Matches:
        if isinstance(index, slice):
            return Matches(self, index)
        return Hit(self.ids[index], self.distances[index].item(), self.scores[index].item())

    def __iter__(self) -> Iterator[Hit]:
        return map(Hit, self.ids.tolist(), self.distances.tolist(), self.scores.tolist())

    def __repr__(self) -> str:
        return f"Matches({list(self)!r})"


class Hits(Sequence[Matches]):
    """What all queries of a call found: arrays with one entry for each hit.

    Those of query i are the entries ``offsets[i]`` to ``offsets[i + 1] - 1``, nearest first; ``hits[i]`` is that part.
    The arrays lie in the library's reply, which is freed when none of them is referred to any more.
    """

    __slots__ = ("distances", "fields", "ids", "offsets", "sample_ids", "scores", "vectors")

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.offsets: Array = reply["offsets"]
        self.ids: Ids = reply["ids"]
        self.distances: Array = reply["distances"]
        self.scores: Array = reply["scores"]
        self.sample_ids: Ids | None = reply.get("sample_ids")
        """In an index of patches: the sample of each."""
        self.fields: dict[str, Column] = reply.get("fields") or {}
        """Those that were asked for, by name."""
        self.vectors: Array | None = reply.get("vectors")
        """With ``with_vectors``."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Matches: ...
    @overload
    def __getitem__(self, index: slice) -> list[Matches]: ...
    def __getitem__(self, index: int | slice) -> Matches | list[Matches]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return Matches(self, slice(int(self.offsets[at]), int(self.offsets[at + 1])))

    def __repr__(self) -> str:
        return f"<Hits: {len(self.distances)} of {len(self)} queries>"


class Row(NamedTuple):
    """One point."""

    id: str
    vector: Array | None
    fields: dict[str, Any]
    sample_id: str | None


class Points:
    """Points: columns with one entry for each. Iterating makes ``Row`` tuples."""

    __slots__ = ("fields", "ids", "missing", "sample_ids", "vectors")

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.ids: Ids = reply.get("ids", NO_IDS)
        self.sample_ids: Ids | None = reply.get("sample_ids")
        """In an index of patches: the sample of each."""
        self.vectors: Array | None = reply.get("vectors")
        """As they were added, one row for each; unless ``vectors`` was False."""
        self.fields: dict[str, Column] = reply.get("fields") or {}
        """Those that were asked for, by name."""
        self.missing: Ids = reply.get("missing", NO_IDS)
        """Of ``get``: the ids that are not in the index."""

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Row]:
        names = list(self.fields)
        columns = [column.tolist() for column in self.fields.values()]
        samples = None if self.sample_ids is None else self.sample_ids.tolist()
        for i, id in enumerate(self.ids.tolist()):
            yield Row(
                id,
                None if self.vectors is None else self.vectors[i],
                {name: column[i] for name, column in zip(names, columns)},
                None if samples is None else samples[i],
            )

    def __repr__(self) -> str:
        return f"<Points: {len(self)}>"


class Neighbors(Sequence[Matches]):
    """For each point of ``ids`` its nearest others: those of point i are entries offsets[i] to offsets[i + 1] - 1."""

    __slots__ = ("_hits", "ids")

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.ids: Ids = reply["ids"]
        self._hits = Hits({**reply, "ids": reply["neighbors"]})

    @property
    def offsets(self) -> Array:
        """Where those of each point begin."""
        return self._hits.offsets

    @property
    def neighbors(self) -> Ids:
        """All of them."""
        return self._hits.ids

    @property
    def distances(self) -> Array:
        """Their distances."""
        return self._hits.distances

    @property
    def scores(self) -> Array:
        """The backend's own figures."""
        return self._hits.scores

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Matches: ...
    @overload
    def __getitem__(self, index: slice) -> list[Matches]: ...
    def __getitem__(self, index: int | slice) -> Matches | list[Matches]:
        return self._hits[index]

    def __repr__(self) -> str:
        return f"<Neighbors of {len(self)} points>"


class Duplicates:
    """Which points are kept, and which lie within the threshold of one that is."""

    __slots__ = ("distances", "duplicate_ids", "neighbor_ids", "threshold", "unique_ids")

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.unique_ids: Ids = reply["unique_ids"]
        self.duplicate_ids: Ids = reply["duplicate_ids"]
        self.threshold: float = reply["threshold"]
        self.neighbor_ids: Ids | None = reply.get("neighbor_ids")
        """For each duplicate the point that is kept; not of ``unique``."""
        self.distances: Array | None = reply.get("distances")
        """And its distance."""

    def __repr__(self) -> str:
        return f"<Duplicates: {len(self.duplicate_ids)} within {self.threshold}>"


class Added(TypedDict):
    """Reply of ``add``."""

    added: int
    updated: int | None
    skipped: int
    existing: Ids


class FieldsSet(TypedDict):
    """Reply of ``set_fields``."""

    updated: int
    missing: Ids


class Removed(TypedDict):
    """Reply of ``remove``."""

    removed: int
    missing: Ids


class Run(TypedDict):
    """A record of ``runs.info``."""

    dataset: str
    brain_key: str
    config: dict[str, Any]
    created: Any
    updated: Any
    version: Any


class _CopyState(TypedDict):
    phase: str
    copied: int
    total: int
    bytes: int
    verified: int
    differences: int
    different: list[str]


class CopyState(_CopyState, total=False):
    """How far a copy is: the reply of ``copy.next``."""

    rows_per_second: float
    seconds_left: float
    compared: str
    difference: str
