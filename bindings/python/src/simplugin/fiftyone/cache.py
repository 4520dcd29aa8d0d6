# SPDX-License-Identifier: Apache-2.0
"""Local stores that are caches of what a run's database holds.

A run has one current store, and a stamp that names it and says of which state of the truth it is. A store of another
state is made beside it and becomes the current one when it is whole; the one before stays for who still reads it.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

import simplugin

BACKEND = "sklearn"
PREFIX = "fiftyone-cache-"
STAMPS = "fiftyone-stamps"


class Stamp(NamedTuple):
    """What is known of a run's current store."""

    store: str
    state: str


def new_name(owner: str) -> str:
    """A name for a store of that run."""
    return f"{PREFIX}{owner}-{uuid.uuid4().hex[:12]}"


def owner_of(name: str) -> str:
    """Whose store it is."""
    return name[len(PREFIX) :].rsplit("-", 1)[0]


class Stamps:
    """The stamps of all runs, in a small collection beside the stores: a point for each."""

    def __init__(self) -> None:
        self._index = simplugin.create_index(backend=BACKEND, collection_name=STAMPS, dimension=1, metric="euclidean")

    def get(self, owner: str) -> Stamp | None:
        """That of a run."""
        found = self._index.get([owner], vectors=False, fields=["store", "state"])
        if not len(found) or "store" not in found.fields:
            return None
        return Stamp(found.fields["store"].tolist()[0], found.fields["state"].tolist()[0])

    def set(self, owner: str, stamp: Stamp) -> None:
        """Makes a store the current one."""
        self._index.add([owner], [[0.0]], fields={"store": [stamp.store], "state": [stamp.state]})

    def forget(self, owner: str) -> None:
        """There is no current store any more."""
        self._index.remove([owner])


def local() -> list[str]:
    """The names of all stores of this data directory."""
    with simplugin.connect(BACKEND) as connection:
        names: list[str] = connection.backend_call("collection.list")["collections"]
    return [name for name in names if name.startswith(PREFIX)]


def drop_store(name: str) -> None:
    """Deletes a store, if it is there."""
    try:
        with simplugin.connect(BACKEND) as connection:
            connection.backend_call("collection.drop", {"collection": name})
    except simplugin.NotFound:
        pass


def drop(owner: str, keep: tuple[str, ...] = ()) -> None:
    """Deletes the stores of a run but some, and its stamp if none is kept."""
    if not keep:
        Stamps().forget(owner)
    for name in local():
        if owner_of(name) == owner and name not in keep:
            drop_store(name)
