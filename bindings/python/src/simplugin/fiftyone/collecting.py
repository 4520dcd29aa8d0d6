# SPDX-License-Identifier: Apache-2.0
"""Local stores that nobody needs any more."""

from __future__ import annotations

from bson import ObjectId
from fiftyone.core.odm.database import get_db_conn

from . import cache


def gc(drop: bool = False) -> list[str]:
    """Finds local stores of runs that the database has no more, as when a dataset was deleted.

    Stores of a run in another database, and of an index without a run that a process has open now, are found as well:
    those of runs are made again when they are wanted, but what was not saved is lost.

    Args:
        drop (False): whether to delete them

    Returns:
        their names
    """
    local = cache.local()
    ids = [ObjectId(owner) for owner in map(cache.owner_of, local) if ObjectId.is_valid(owner)]
    known = {str(run["_id"]) for run in get_db_conn()["runs"].find({"_id": {"$in": ids}}, {"_id": 1})}
    orphans = [name for name in local if cache.owner_of(name) not in known]
    if drop:
        for owner in {cache.owner_of(name) for name in orphans}:
            cache.drop(owner)
    return orphans
