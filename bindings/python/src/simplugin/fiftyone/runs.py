# SPDX-License-Identifier: Apache-2.0
"""The documents of runs in the dataset's database."""

from __future__ import annotations

from typing import Any

import fiftyone.core.brain as focb
from bson import json_util


def document_of(samples: Any, brain_key: str) -> Any:
    """The document of a run; raises ValueError where there is none."""
    return focb.BrainMethod._get_run_doc(samples, brain_key)


def results_of(document: Any) -> dict[str, Any]:
    """A run's results; nothing where it has none."""
    if not document.results:
        return {}
    document.results.seek(0)
    results: dict[str, Any] = json_util.loads(document.results.read().decode())
    return results


def write_results(document: Any, results: dict[str, Any]) -> None:
    """Puts new results in the place of the old ones, which are there until the new ones are."""
    content = json_util.dumps(results).encode()
    proxy = document.results
    old, proxy.grid_id = proxy.grid_id, None
    try:
        proxy.put(content, content_type="application/json")
    except BaseException:
        proxy.grid_id = old
        raise
    document.save()
    if old is not None:
        proxy.fs.delete(old)
