# SPDX-License-Identifier: Apache-2.0
"""Handles close by themselves; twice is harmless; what is closed is the library's error."""

from __future__ import annotations

import gc
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interrupting import at_every_line
from programs import prints

import simplugin
from simplugin import _wire
from simplugin._native import ffi, lib


def resident_kib() -> int:
    """Memory of this process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found.group(1))


def is_open(session: simplugin.Session, handle: int, method: str) -> bool:
    """Asked by number, as no object of the package's would."""
    from simplugin._call import call  # noqa: PLC0415

    try:
        call(handle, method, None, {})
    except simplugin.StaleHandle:
        return False
    return True


def test_twice(session: simplugin.Session) -> None:
    """R277: of every kind."""
    index = session.create_index(metric="euclidean")
    index.add(["a"], [[1]])
    view, scan, connection = index.view(["a"]), index.scan(), session.connect()
    copy = session.open_copy(index, {"backend": "sklearn", "collection_name": "other"})
    other = simplugin.Session(environment={}, data_dir=str(Path.home() / "other"))
    for handle in (view, scan, copy.index, copy, connection, index, other):
        assert not handle.closed
        handle.close()
        assert handle.closed
        handle.close()
        with handle:
            pass
    for use in (
        index.size,
        scan.next,
        copy.next,
        connection.health,
        other.backends,
        lambda: index.search([[1]], view=view),
        copy.index.info,
    ):
        with pytest.raises(simplugin.StaleHandle):
            use()


def test_with(session: simplugin.Session) -> None:
    """A block closes at its end, also by an exception."""
    with pytest.raises(ZeroDivisionError), session.create_index(metric="euclidean") as index:
        raise ZeroDivisionError
    assert index.closed
    with pytest.raises(simplugin.StaleHandle):
        index.size()


def test_when_nobody_has_it(session: simplugin.Session) -> None:
    """It closes with the last reference."""
    index = session.create_index(metric="euclidean")
    handle = index.handle
    assert is_open(session, handle, "index.size")
    del index
    gc.collect()
    assert not is_open(session, handle, "index.size")


@pytest.mark.parametrize("is_own", [False, True], ids=["default", "own handler"])
def test_interrupted_at_every_line(
    index: simplugin.Index, monkeypatch: pytest.MonkeyPatch, is_own: bool, request: pytest.FixtureRequest
) -> None:
    """What an interrupted call opened is closed, wherever the interrupt came."""
    if is_own:
        request.getfixturevalue("own_handler")
    unpack = _wire._unpackb
    opened: list[int] = []

    def spy(packed: Any) -> Any:
        reply = unpack(packed)
        opened.append(reply["view"])
        return reply

    def all_are_closed() -> None:
        gc.collect()
        assert all(lib.simplugin_close(handle, ffi.NULL) for handle in opened)

    monkeypatch.setattr(_wire, "_unpackb", spy)
    count = at_every_line(lambda: index.view(["a"]), all_are_closed)
    assert count > 30
    assert len(opened) > 10


def test_interrupts_close_nothing_else(index: simplugin.Index) -> None:
    """What earlier calls opened stays open, though later ones use the memory of their replies."""
    kept = [index.view(["a"])]
    at_every_line(lambda: index.view(["a"]), lambda: kept.append(index.view(["a"])))
    for view in kept:
        assert index.search([[1, 0]], view=view).ids == ["a"]


def test_generic_calls_give_numbers(session: simplugin.Session) -> None:
    """Which are the caller's to close, or an object's."""
    reply = session.call("index.create", {"metric": "euclidean"})
    number = reply["index"]
    assert isinstance(number, int)
    gc.collect()
    assert is_open(session, number, "index.size")
    index = simplugin.Index(reply)
    assert (index.handle, index.metric) == (number, "euclidean")
    index.close()
    assert not is_open(session, number, "index.size")


def test_a_session_goes_at_once(tmp_path: Path) -> None:
    """It is in no cycle of references."""
    gc.disable()
    try:
        session = simplugin.Session(data_dir=tmp_path, environment={})
        assert session.runs.list() == []
        gone = weakref.ref(session)
        del session
        assert gone() is None
    finally:
        gc.enable()


def test_what_it_needs_stays_open(session: simplugin.Session, tmp_path: Path) -> None:
    """A view keeps its index, an index its session."""

    def view() -> simplugin.View:
        own = simplugin.Session(data_dir=tmp_path / "own", environment={})
        index = own.create_index(metric="euclidean")
        index.add(["a"], [[1]])
        return index.view(["a"])

    kept = view()
    gc.collect()
    index = kept._owner
    assert isinstance(index, simplugin.Index)
    assert index.search([[1]], view=kept).ids == ["a"]


def test_closes_with_its_session(tmp_path: Path) -> None:
    """R277: and says so."""
    with simplugin.Session(data_dir=tmp_path, environment={}) as session:
        index = session.create_index(metric="euclidean")
    with pytest.raises(simplugin.StaleHandle):
        index.size()
    index.close()


def test_the_default_session_stays_open() -> None:
    """Closing it does nothing."""
    with simplugin.default_session as session:
        session.close()
    assert not simplugin.default_session.closed
    assert simplugin.backends()["default"] == "sklearn"


def test_closing_beside_calls(session: simplugin.Session) -> None:
    """R277: a call that is in it ends first; later ones are refused."""
    index = session.create_index(metric="euclidean")
    index.add([f"p{i}" for i in range(3000)], np.random.default_rng(1).random((3000, 16), np.float32))
    outcomes: list[str] = []
    started = threading.Barrier(5)

    def search() -> None:
        started.wait()
        while True:
            try:
                hits = index.search(np.ones((8, 16), np.float32), k=5)
                assert len(hits.ids) == 40
            except simplugin.StaleHandle:
                outcomes.append("stale")
                return

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    index.close()
    for thread in threads:
        thread.join()
    assert outcomes == ["stale"] * 4


def test_at_the_end_of_the_process() -> None:
    """What is open then is left to the process's end, whoever is in a call."""
    out = prints(
        """
index = simplugin.create_index(metric="euclidean")
index.add(["a"], [[1]])
index.cleanup()
kept = [index.view(["a"]) for _ in range(3)]
for _ in range(3):
    threading.Thread(target=connection.health, daemon=True).start()
time.sleep(0.1)
print("end")
"""
    )
    assert out == "end\n"


def cycle(session: simplugin.Session, query: Any) -> None:
    """Opens, searches, closes."""
    with session.open_index(backend="sklearn", collection_name="leak") as index:
        index.search(query, k=2)


def leave(session: simplugin.Session, query: Any) -> None:
    """The same, and closes nothing."""
    index = session.open_index("leak")
    index.search(query, k=2, view=index.view(["a"]))
    next(iter(index.scan()))


def fail(session: simplugin.Session, query: Any) -> None:
    """Errors, options, callbacks."""
    with pytest.raises(simplugin.NotFound):
        session.open_index("nothing")
    session.backends(cancel=simplugin.Cancel(), progress=lambda done, total: None, trace_id="t", timeout=5)


@pytest.mark.parametrize(("one", "count"), [(cycle, 10_000), (leave, 500), (fail, 1_000)], ids=["with", "left", "fail"])
def test_no_leak(session: simplugin.Session, one: Callable[[simplugin.Session, Any], None], count: int) -> None:
    """Memory is flat over 10,000 cycles."""
    query = np.array([[1, 0]], np.float32)
    with session.create_index(metric="euclidean", brain_key="leak", collection_name="leak") as index:
        index.add(["a", "b", "c"], [[1, 0], [0, 1], [1, 1]])
    for _ in range(count // 10):
        one(session, query)
    gc.collect()
    before = resident_kib()
    for _ in range(count):
        one(session, query)
    gc.collect()
    assert resident_kib() - before < 2048
