# SPDX-License-Identifier: Apache-2.0
"""The library's messages reach Python's logging."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from programs import HANGING, run

import simplugin
from simplugin import log
from simplugin._native import ffi, lib


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


def say(index: simplugin.Index) -> None:
    """A message that no call of the package's tells, as those of backends' threads."""
    answer = ffi.gc(ffi.new("py_answer *"), lib.py_answer_clear)
    assert lib.py_call_plain(answer, index.handle, b"health", 6, 0) & 0xFFFF == 0


def wait_until(condition: Callable[[], bool]) -> None:
    """Within some seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_during_a_call_that_hangs(index: simplugin.Index, hanging_connection: simplugin.Connection) -> None:
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
    assert thread.is_alive()
    say(index)
    assert seen.wait(5)
    assert names == ["simplugin-log"]
    cancel.fire()
    thread.join()


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_a_hook_that_raises_on_the_thread(
    index: simplugin.Index, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """It goes on."""
    caught: list[type[BaseException]] = []
    told: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: caught.append(kind))

    def fail(level: int, text: str) -> None:
        told.append(threading.current_thread().name)
        raise error

    simplugin.set_log(fail, "debug")
    for count in (1, 2):
        say(index)
        wait_until(lambda count=count: len(caught) == count)  # type: ignore[misc]
    assert caught == [error] * 2
    assert told == ["simplugin-log"] * 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_dead(index: simplugin.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even sys.excepthook may fail: the next call begins another."""
    told: list[str] = []

    def fail(level: int, text: str) -> None:
        raise SystemExit

    def fail_as_well(kind: object, error: object, traceback: object) -> None:
        raise SystemExit

    monkeypatch.setattr(sys, "excepthook", fail_as_well)
    simplugin.set_log(fail, "debug")
    thread = log._State.thread
    assert thread is not None
    say(index)
    thread.join(10)
    assert not thread.is_alive()
    simplugin.set_log(lambda level, text: told.append(threading.current_thread().name), "debug")
    say(index)
    wait_until(lambda: told == ["simplugin-log"])


@pytest.mark.parametrize("is_own", [False, True], ids=["default", "own handler"])
def test_a_hook_that_calls_again_and_again(
    index: simplugin.Index, is_own: bool, request: pytest.FixtureRequest
) -> None:
    """The messages of its own calls are dropped."""
    if is_own:
        request.getfixturevalue("own_handler")
    told: list[str] = []

    def hook(level: int, text: str) -> None:
        told.append(text)
        index.search([[1, 0]])

    simplugin.set_log(hook, "debug")
    index.health()
    index.health()
    simplugin.set_log(None)
    assert [text.split(":")[1] for text in told] == [" health"] * 2


def test_targets(index: simplugin.Index, caplog: pytest.LogCaptureFixture) -> None:
    """What has a method log is a logger; what can be called is a function; nothing else is a target."""
    simplugin.set_log(logging.LoggerAdapter(logging.getLogger("vectors"), {}), "debug")
    caplog.set_level(logging.DEBUG, "vectors")
    index.health()
    assert [record.name for record in caplog.records] == ["vectors"]
    with pytest.raises(TypeError, match="target: 'vectors'"):
        simplugin.set_log("vectors", "debug")  # type: ignore[arg-type]  # pyright: ignore
    for level in ("off", 20, ["debug"]):
        with pytest.raises(ValueError, match="level: "):
            simplugin.set_log(print, level)  # type: ignore[arg-type]  # pyright: ignore
    index.health()
    assert len(caplog.records) == 2


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
    begin = time.monotonic()
    while time.monotonic() < begin + 1 or (count <= 10 and time.monotonic() < begin + 60):
        simplugin.set_log(lambda level, text: None, "debug")
        simplugin.set_log(None)
        count += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert count > 10


def test_too_fast(index: simplugin.Index) -> None:
    """More than can wait are counted."""
    told: list[str] = []
    entered, go = threading.Event(), threading.Event()

    def hook(level: int, text: str) -> None:
        told.append(text)
        entered.set()
        go.wait(10)

    simplugin.set_log(hook, "debug")
    say(index)
    assert entered.wait(5)
    for _ in range(10_100):
        say(index)
    go.set()
    simplugin.set_log(None)
    wait_until(lambda: len(told) == 10_002)
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
