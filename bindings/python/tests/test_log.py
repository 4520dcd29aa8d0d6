# SPDX-License-Identifier: Apache-2.0
"""The library's messages reach Python's logging."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from programs import HANGING, run

import simplugin


@pytest.fixture(autouse=True)
def _default() -> Iterator[None]:
    yield
    simplugin.set_log(None)


def test_to_logging(index: simplugin.Index, caplog: pytest.LogCaptureFixture) -> None:
    """With its levels, before the call returns, on the call's thread."""
    simplugin.set_log(logging.getLogger("vectors"), "debug")
    caplog.set_level(logging.DEBUG, "vectors")
    index.add(["a"], [[5, 5]], overwrite=False, warn_existing=True)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "skipped 1 ids" in warnings[0].getMessage()
    assert warnings[0].name == "vectors"
    assert warnings[0].thread == threading.get_ident()
    assert {record.levelno for record in caplog.records} == {logging.WARNING, logging.DEBUG}


def test_levels(index: simplugin.Index) -> None:
    """Only those that were asked for."""
    seen: list[tuple[int, str]] = []
    simplugin.set_log(lambda level, text: seen.append((level, text)))
    index.search([[1, 0]])
    assert seen == []
    index.get(["nobody"], warn_missing=True)
    assert [level for level, _ in seen] == [logging.WARNING]
    simplugin.set_log(None)
    with pytest.raises(ValueError, match="loud"):
        simplugin.set_log(print, "loud")


def test_during_a_call_that_hangs(hanging_connection: simplugin.Connection) -> None:
    """What others log is told meanwhile, by a thread."""
    seen = threading.Event()
    names: list[str] = []

    def hook(level: int, text: str) -> None:
        names.append(threading.current_thread().name)
        seen.set()

    simplugin.set_log(hook, "debug")
    cancel = simplugin.Cancel()

    def hang() -> None:
        with pytest.raises(simplugin.Cancelled):
            hanging_connection.health(cancel=cancel)

    thread = threading.Thread(target=hang)
    thread.start()
    # the library itself says nothing while it waits: a message of its hook stands for one of a backend's
    from simplugin._native import lib  # noqa: PLC0415

    assert thread.is_alive()
    lib.py_log_say(2, b"from a thread of a backend's")
    assert seen.wait(5)
    assert names == ["simplugin-log"]
    cancel.fire()
    thread.join()


def test_a_hook_that_raises(index: simplugin.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Breaks no call; sys.excepthook is told."""
    caught: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: caught.append(kind))

    def fail(level: int, text: str) -> None:
        raise ZeroDivisionError(text)

    simplugin.set_log(fail, "debug")
    assert index.search([[1, 0]], k=1).ids == ["a"]
    assert set(caught) == {ZeroDivisionError}


def test_a_hook_that_calls(index: simplugin.Index) -> None:
    """The library, and sets another hook."""
    sizes: list[int] = []

    def hook(level: int, text: str) -> None:
        simplugin.set_log(lambda level, text: None, "debug")
        sizes.append(index.size())

    simplugin.set_log(hook, "debug")
    index.search([[1, 0]])
    assert sizes[0] == 3


def test_set_and_removed_while_calls_run(index: simplugin.Index) -> None:
    """From several threads."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def search() -> None:
        try:
            while not stop.is_set():
                index.search([[1, 0]])
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    count = 0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        simplugin.set_log(lambda level, text: None, "debug")
        simplugin.set_log(None)
        count += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert count > 10


def test_too_fast() -> None:
    """More than can wait are counted."""
    from simplugin._native import lib  # noqa: PLC0415

    told: list[str] = []
    entered, go = threading.Event(), threading.Event()

    def hook(level: int, text: str) -> None:
        told.append(text)
        entered.set()
        go.wait(10)

    simplugin.set_log(hook, "debug")
    lib.py_log_say(3, b"first")
    assert entered.wait(5)
    for _ in range(10_100):
        lib.py_log_say(3, b"more")
    go.set()
    simplugin.set_log(None)
    end = time.monotonic() + 10
    while len(told) < 10_002 and time.monotonic() < end:
        time.sleep(0.01)
    assert told[0] == "first"
    assert told[-1] == "100 messages are lost: they came too fast"


def test_at_exit() -> None:
    """While threads call, with a hook set: no crash, and what was logged is told."""
    done = run(
        """
seen = []
simplugin.set_log(lambda level, text: seen.append(text), "debug")
index = simplugin.create_index(metric="euclidean")
index.add(["a"], [[1]])
def search():
    while True:
        index.search([[1]])
for _ in range(4):
    threading.Thread(target=search, daemon=True).start()
time.sleep(0.2)
print(len(seen) > 0)
"""
    )
    assert (done.returncode, done.stdout) == (0, "True\n")
    # a message that is under way when the hook is removed goes where the library's go without one
    assert all(line.startswith("simplugin: debug: sklearn: search") for line in done.stderr.splitlines())


def test_default() -> None:
    """Without a hook: stderr, as SIMPLUGIN_LOG says."""
    program = """
with simplugin.create_index(metric="euclidean") as index:
    index.add(["a"], [[1]])
    index.get(["b"], warn_missing=True)
    index.cleanup()
"""
    assert "simplugin: warning: index.get" in run(program, HANGING).stderr
    assert run(program, HANGING, SIMPLUGIN_LOG="off").stderr == ""
