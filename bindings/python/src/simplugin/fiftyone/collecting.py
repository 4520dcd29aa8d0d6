# SPDX-License-Identifier: Apache-2.0
"""Local stores that nobody needs any more."""

from __future__ import annotations

from fiftyone.core.odm.database import get_db_conn

from . import cache


def gc(drop: bool = False) -> list[str]:
    """Finds local stores of runs that the database has no more, as when a dataset was deleted.

    Stores of a run in another database, and of an index without a run that a process has open now, are found as well:
    both are made again when they are wanted, but what was not saved is lost.

    Args:
        drop (False): whether to delete them

    Returns:
        their names
    """
    local = cache.local()
    runs = get_db_conn()["runs"].find({"config.collection_name": {"$in": local}}, {"config.collection_name": 1})
    named = {run["config"]["collection_name"] for run in runs}
    orphans = [name for name in local if name not in named]
    for name in orphans if drop else ():
        cache.drop(name)
    return orphans
