# SPDX-License-Identifier: Apache-2.0
"""Duplicates of more points than one view of the backend is made for, beside a walk of our own."""

from __future__ import annotations

import numpy as np
import pytest

import simplugin

ROWS, DIMENSION = 5_000, 8


def walk(rows: np.ndarray, threshold: float) -> dict[int, int]:
    """Which point drops each that is dropped."""
    dropped: dict[int, int] = {}
    for i, row in enumerate(rows):
        if i in dropped:
            continue
        near = np.flatnonzero(np.linalg.norm(rows - row, axis=1) <= threshold)
        for other in near[near > i].tolist():
            dropped.setdefault(other, i)
    return dropped


@pytest.mark.parametrize("restricted", [False, True])
def test_many(restricted: bool) -> None:
    """R271 However little is left to search, and in whatever order the points were added."""
    rng = np.random.default_rng(271)
    rows = rng.integers(-3, 4, (ROWS, DIMENSION)).astype(np.float32)
    ids = [f"{i:06d}" for i in range(ROWS)]
    order = rng.permutation(ROWS)
    chosen = np.sort(order[: ROWS // 2]) if restricted else np.arange(ROWS)
    with simplugin.create_index(backend="sklearn", metric="euclidean") as index:
        index.add([ids[i] for i in order], rows[order])
        view = index.view([ids[i] for i in chosen]) if restricted else None
        for threshold in (1.5, 2.5, 4.5):
            expected = {ids[chosen[i]]: ids[chosen[by]] for i, by in walk(rows[chosen], threshold).items()}
            found = index.duplicates(threshold=threshold, view=view)
            assert found.neighbor_ids is not None
            assert dict(zip(found.duplicate_ids, found.neighbor_ids)) == expected
            assert len(found.unique_ids) == len(chosen) - len(expected)
        kept = index.unique(len(found.unique_ids), view=view)
        assert len(kept.unique_ids) == len(found.unique_ids)
        index.cleanup()
