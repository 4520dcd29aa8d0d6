# SPDX-License-Identifier: Apache-2.0
"""Vectors: what goes in without a copy, and what comes out owns the library's reply."""

from __future__ import annotations

import array
import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import simplugin
from simplugin import _wire

ROWS = np.array([[1, 0], [0, 1], [3, 4]], np.float32)


def sent(value: object) -> Any:
    """The array whose memory the library would read, if it is not a list."""
    request = _wire.Request({"vectors": _wire.matrix(value)})
    return request._keep[0] if request.count else None


class Exporter:
    """Something that has DLPack only."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize(
    "view",
    [
        lambda rows: rows,
        lambda rows: rows[::2],
        lambda rows: np.hstack([rows, rows])[:, :2],
        lambda rows: np.hstack([rows, rows])[1:, 2:],
        memoryview,
        Exporter,
    ],
    ids=["rows", "every other row", "left columns", "right columns", "memoryview", "dlpack"],
)
def test_no_copy(dtype: Any, view: Callable[[Any], Any]) -> None:
    """R281: rows without gaps inside are read where they lie, whatever is between them."""
    lent = view(ROWS.astype(dtype))
    rows = lent._array if isinstance(lent, Exporter) else np.asarray(lent)
    assert np.shares_memory(sent(lent), rows)
    assert sent(lent).dtype == dtype


def test_no_copy_of_array() -> None:
    """An array.array is one row."""
    row = array.array("f", [1, 2, 3])
    assert np.shares_memory(sent(row), np.asarray(row))
    assert sent(row).shape == (1, 3)


@pytest.mark.parametrize(
    "rows",
    [
        np.asfortranarray(ROWS),
        ROWS[::-1],
        ROWS[:, ::-1],
        np.broadcast_to(ROWS[0], (3, 2)),
        np.lib.stride_tricks.sliding_window_view(np.arange(4, dtype=np.float32), 2),
        ROWS.astype(">f4"),
        np.frombuffer(b"\0" + ROWS.tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 2),
    ],
    ids=["Fortran", "backwards", "mirrored", "broadcast", "overlapping", "big-endian", "misaligned"],
)
def test_copied(session: simplugin.Session, rows: npt.NDArray[Any]) -> None:
    """What the library cannot read where it lies arrives as it is all the same."""
    assert not np.shares_memory(sent(rows), rows)
    with session.create_index(metric="euclidean") as index:
        index.add(["a", "b", "c"], rows)
        got = index.get(["a", "b", "c"]).vectors
        assert got is not None
        np.testing.assert_array_equal(got, rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_round_trip(session: simplugin.Session, dtype: Any) -> None:
    """R263: what was added comes back, whatever it was added as."""
    wide = np.zeros((3, 5), dtype)
    wide[:, :2] = ROWS
    with session.create_index(metric="euclidean") as index:
        index.add(np.array(["a", "b", "c"]), wide[:, :2])
        got = index.get(["c", "a"]).vectors
        assert got is not None
        assert got.dtype == np.float32
        assert got.tolist() == [[3, 4], [1, 0]]


@pytest.mark.parametrize(
    "queries",
    [
        [[1, 0]],
        [1, 0],
        np.array([1, 0], np.float32),
        [np.array([1, 0], np.float32)],
        ((1, 0),),
        array.array("d", [1, 0]),
    ],
    ids=["lists", "one list", "one row", "rows in a list", "tuples", "array.array"],
)
def test_one_query(index: simplugin.Index, queries: Any) -> None:
    """One vector is one query."""
    hits = index.search(queries, k=1)
    assert len(hits) == 1
    assert hits.ids == ["a"]


@pytest.mark.parametrize(
    "rows",
    [
        np.array([[1, 0], [3, 4]]),
        np.array([[1, 0], [3, 4]], np.uint8),
        [np.array([1, 0]), np.array([3, 4])],
        [[1, 0], np.array([3.0, 4.0])],
        [np.array([1.0, 0.0]), [3, 4]],
        [(1, 0), np.array([3, 4], np.uint16)],
        [np.array([1, 0], np.float32), np.array([3, 4], np.float64)],
        [Exporter(np.array([1, 0], np.float32)), array.array("f", [3, 4])],
        memoryview(array.array("i", [1, 0, 3, 4])).cast("B").cast("i", [2, 2]),
        np.ma.MaskedArray([[1.0, 0.0], [3.0, 4.0]], False),
    ],
)
def test_integers_and_mixtures(session: simplugin.Session, rows: Any) -> None:
    """Are vectors in an array as they are in a list, in any order."""
    with session.create_index(metric="euclidean") as index:
        index.add(["a", "b"], rows)
        got = index.get(["a", "b"]).vectors
        assert got is not None
        assert got.tolist() == [[1, 0], [3, 4]]


def test_large_integers() -> None:
    """Go as the narrowest floats that have them."""
    assert sent(np.array([[2**24]])).dtype == np.float32
    assert sent(np.array([[-(2**24) - 1]])).dtype == np.float64
    assert sent(np.array([[2**63]], np.uint64)).dtype == np.float64
    assert sent(np.empty((0, 3), np.int64)).dtype == np.float32
    assert sent([np.array([2**53]), [0]]).tolist() == [[2**53], [0]]


def test_masked_vectors(index: simplugin.Index) -> None:
    """Have numbers that nobody gave."""
    masked = np.ma.MaskedArray([[1.0, 0.0]], [[False, True]])
    for queries in (masked, [masked[0]], masked[0]):
        with pytest.raises(ValueError, match=r"^vectors: .* masked"):
            index.search(queries)


@pytest.mark.parametrize("queries", [np.array(1.0), (row for row in [[1, 0]]), {(1, 0)}, np.zeros((1, 2, 2)), 5])
def test_what_is_no_matrix(index: simplugin.Index, queries: Any) -> None:
    """R277: refused by name."""
    with pytest.raises(ValueError, match=r"^vectors: an array of [03] dimensions"):
        index.search(queries)
    with pytest.raises(ValueError, match=r"^vectors: rows of different lengths"):
        index.search([np.zeros(2), np.zeros(3)])


def test_refused_by_the_library(index: simplugin.Index) -> None:
    """R277: what is a matrix."""
    with pytest.raises(simplugin.InvalidArgument) as caught:
        index.search(np.array([[True, False]]))
    assert caught.value.detail("argument") == "vectors"
    with pytest.raises(simplugin.DimensionMismatch):
        index.search(np.zeros((1, 3), np.float32))
    with pytest.raises(TypeError, match="complex64"):
        index.search(np.zeros((1, 2), np.complex64))
    with pytest.raises(ValueError, match="3 dimensions"):
        index.search(np.zeros((1, 2, 2), np.float32))


def test_results_own_the_reply(index: simplugin.Index) -> None:
    """The memory lives as long as an array over it, and no longer."""
    hits = index.search(np.array([[1, 0]], np.float32), k=3, with_vectors=True)
    vectors, ids = hits.vectors, hits.ids
    assert vectors is not None
    base: Any = vectors
    while isinstance(base, np.ndarray):
        base = base.base
    freed = weakref.ref(base.obj if isinstance(base, memoryview) else base)
    del hits, base
    gc.collect()
    for _ in range(100):
        index.search([[0, 1]], k=3, with_vectors=True)
    assert ids == ["a", "c", "b"]
    assert vectors.tolist() == [[1, 0], [1, 1], [0, 1]]
    assert freed() is not None
    del vectors, ids
    gc.collect()
    assert freed() is None


def test_the_add_takes_no_memory_of_python(session: simplugin.Session) -> None:
    """R281: an add of 64 MiB allocates nothing of that size in Python."""
    import tracemalloc  # noqa: PLC0415

    rows = np.ones((16384, 1024), np.float32)
    rows[:, 0] = np.arange(len(rows))
    ids = simplugin.Ids(f"p{i}" for i in range(len(rows)))
    with session.create_index(metric="euclidean", dimension=1024) as index:
        tracemalloc.start()
        try:
            index.add(ids, rows)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1 << 20
        index.cleanup()
