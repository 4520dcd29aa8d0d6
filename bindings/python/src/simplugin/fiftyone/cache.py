# SPDX-License-Identifier: Apache-2.0
"""Local stores that are caches of something else, each with a stamp that says of which state of it."""

from __future__ import annotations

import uuid
from typing import Any

import simplugin

BACKEND = "sklearn"
PREFIX = "fiftyone-cache-"
STAMPS = "fiftyone-stamps"


def new_name(dataset_id: str) -> str:
    """A name for the cache of a run on a dataset; what has no run is named as a temporary one."""
    return f"{PREFIX}{dataset_id}-{uuid.uuid4().hex[:12]}"


class Stamps:
    """What each cache was made of, in a small collection beside them: a point for each, whose field is the state."""

    def __init__(self) -> None:
        self._index = simplugin.create_index(backend=BACKEND, collection_name=STAMPS, dimension=1, metric="euclidean")

    def get(self, name: str) -> str | None:
        """The state that the cache of this name has."""
        found = self._index.get([name], vectors=False, fields=["state"])
        state: str | None = found.fields["state"].tolist()[0] if len(found) and "state" in found.fields else None
        return state

    def set(self, name: str, state: str) -> None:
        """Says that the cache has this state now."""
        self._index.add([name], [[0.0]], fields={"state": [state]})

    def forget(self, name: str) -> None:
        """The cache has no known state any more."""
        self._index.remove([name])

    def names(self) -> list[str]:
        """All caches that have one."""
        return self._index.get(vectors=False).ids.tolist()


def identity(index: simplugin.Index) -> str:
    """What tells a store from a later one of the same name; nothing where there is none yet."""
    try:
        described: dict[str, Any] = index.backend_call("collection.describe", {"collection": index.collection_name})
    except simplugin.NotFound:
        return ""
    return str(described["attributes"].get("id", ""))


def drop(name: str) -> bool:
    """Deletes a cache and its stamp; what it was made of is elsewhere."""
    Stamps().forget(name)
    try:
        with simplugin.connect(BACKEND) as connection:
            connection.backend_call("collection.drop", {"collection": name})
    except simplugin.NotFound:
        return False
    return True


def local() -> list[str]:
    """The names of all caches of this data directory."""
    with simplugin.connect(BACKEND) as connection:
        names: list[str] = connection.backend_call("collection.list")["collections"]
    return [name for name in names if name.startswith(PREFIX)]
