# SPDX-License-Identifier: Apache-2.0
"""Documents that are to be written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .codec import encode


@dataclass(frozen=True)
class Rows:
    """Some documents, each at the same place of every list."""

    ids: Sequence[str]
    texts: Sequence[str]
    metadatas: Sequence[Mapping[Any, Any]]
    encoded: Sequence[str]
    """The metadatas as JSON."""
    vectors: Any = None
    """Those that were given."""

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> Rows:
        """Those from begin to end."""
        at = slice(begin, end)
        vectors = None if self.vectors is None else self.vectors[at]
        return Rows(self.ids[at], self.texts[at], self.metadatas[at], self.encoded[at], vectors)

    def batches(self, size: int) -> Iterator[Rows]:
        """So many at a time."""
        if size < 1:
            raise ValueError(f"batch_size: {size} is not at least 1")
        return (self.part(begin, begin + size) for begin in range(0, len(self), size))


def rows(
    texts: Iterable[str],
    metadatas: Sequence[Mapping[Any, Any]] | None = None,
    ids: Sequence[str | None] | None = None,
    vectors: Any = None,
) -> Rows:
    """Looks at all of them before any is embedded or written; ids that are not given are made."""
    texts = list(texts)
    for name, given in (("metadatas", metadatas), ("ids", ids), ("embeddings", vectors)):
        if given is not None and len(given) != len(texts):
            raise ValueError(f"{name}: there are {len(given)}, and {len(texts)} texts")
    made = [str(uuid.uuid4()) if id is None else id for id in ids or [None] * len(texts)]
    none: Mapping[Any, Any] = {}
    metadatas = [metadata or none for metadata in metadatas or [none] * len(texts)]
    return Rows(made, texts, metadatas, [encode(metadata) for metadata in metadatas], vectors)
