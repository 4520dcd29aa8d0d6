# SPDX-License-Identifier: Apache-2.0
"""Eight threads on one index."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

import simplugin

THREADS = 8


def together(work: Callable[[int], None]) -> None:
    """Runs it on eight threads that begin at once, under a short switch interval."""
    failed: list[BaseException] = []
    begin = threading.Barrier(THREADS)

    def one(number: int) -> None:
        try:
            begin.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=one, args=(i,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failed == []


def test_everything_at_once(session: simplugin.Session) -> None:
    """Each adds, reads, searches, scans and removes its own points, with options of its own."""
    with session.create_index(metric="euclidean", dimension=4) as index:

        def work(number: int) -> None:
            ids = [f"{number}-{i}" for i in range(20)]
            rows = np.full((20, 4), number, np.float32)
            rows[:, 0] += np.arange(20)
            for turn in range(10):
                cancel = simplugin.Cancel()
                index.add(ids, rows, fields={"owner": [number] * 20}, cancel=cancel, timeout=60)
                points = index.get(ids, fields=["owner"])
                assert points.ids == ids
                assert points.fields["owner"] == [number] * 20
                assert points.vectors is not None
                assert (points.vectors == rows).all()
                hits = index.search(rows, k=1, filter=f"owner == {number}", trace_id=f"{number}.{turn}")
                assert hits.ids == ids
                with index.view(ids) as view:
                    assert {row.id for row in index.scan(view=view, max_rows=7).rows()} == set(ids)
                assert index.remove(ids)["removed"] == 20

        together(work)
        assert index.size() == 0


def test_answers_are_not_mixed_up(session: simplugin.Session) -> None:
    """Small replies share memory that is used again."""
    with session.create_index(metric="euclidean") as index:
        index.add([f"p{i}" for i in range(THREADS)], [[float(i)] for i in range(THREADS)], fields={"n": list(range(8))})

        def work(number: int) -> None:
            for _ in range(500):
                assert index.size(f"n < {number}") == number
                try:
                    index.get([f"x{number}"], allow_missing=False)
                except simplugin.NotFound as error:
                    assert error.detail("id") == f"x{number}"  # noqa: PT017

        together(work)


def test_the_interpreter_goes_on(session: simplugin.Session, hanging_connection: simplugin.Connection) -> None:
    """Calls hold no lock of the interpreter's: Python runs while eight hang."""
    cancel = simplugin.Cancel()

    def hang() -> None:
        with contextlib.suppress(simplugin.Cancelled):
            hanging_connection.health(cancel=cancel)

    threads = [threading.Thread(target=hang) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    total = sum(range(1_000_000))
    assert session.backends()["default"] == "sklearn"
    assert time.monotonic() - begin < 5
    assert total == 499999500000
    assert all(thread.is_alive() for thread in threads)
    cancel.fire()
    for thread in threads:
        thread.join()
