# SPDX-License-Identifier: Apache-2.0
"""Ending calls: timeouts, tokens, and what callbacks raise."""

from __future__ import annotations

import contextvars
import gc
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from interrupting import at_every_line
from programs import prints

import simplugin
from simplugin._native import ffi, lib

SOON = 5.0
TOKENS = 65536  # that the library has


@contextmanager
def soon() -> Iterator[None]:
    """It ends long before the default timeout of 60 s."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < SOON


def all_tokens() -> list[Any]:
    """The library's tokens that nobody has; they are free again with the list."""
    tokens: list[Any] = []
    while True:
        token = ffi.gc(ffi.new("uint64_t *"), lib.py_cancel_free)
        if lib.simplugin_cancel_new(token, ffi.NULL):
            return tokens
        tokens.append(token)


def open_tokens() -> int:
    """How many of the library's tokens somebody has."""
    return TOKENS - len(all_tokens())


def test_timeout(hanging_connection: simplugin.Connection) -> None:
    """R274: seconds, as a float."""
    with soon(), pytest.raises(simplugin.DeadlineExceeded) as caught:
        hanging_connection.health(timeout=0.1)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 1e306, 10**400, 5, np.float32(5), np.int8(5)])
def test_timeouts_that_are_long_enough(index: simplugin.Index, timeout: float | None) -> None:
    """None is the default."""
    assert index.size(timeout=timeout) == 3


def test_less_than_a_millisecond(hanging_connection: simplugin.Connection) -> None:
    """Is one, not none."""
    for timeout in (0, 1e-9):
        with soon(), pytest.raises(simplugin.DeadlineExceeded):
            hanging_connection.health(timeout=timeout)


@pytest.mark.parametrize("timeout", [-1, -0.0001, -math.inf, math.nan])
def test_timeouts_that_are_none(index: simplugin.Index, timeout: float) -> None:
    """R277: refused."""
    with pytest.raises(simplugin.InvalidArgument, match=r"timeout: .* is no time"):
        index.size(timeout=timeout)


@pytest.mark.parametrize("value", [True, "5", b"5", [1], 1j])
@pytest.mark.parametrize("name", ["timeout", "cancel", "progress", "trace_id"])
def test_options_that_are_none(index: simplugin.Index, name: str, value: Any) -> None:
    """Of the wrong type: the error names the option, and no token is left."""
    if (name, value) == ("trace_id", "5"):
        return
    before = open_tokens()
    for _ in range(10):
        with pytest.raises(TypeError, match=f"^{name}: "):
            index.size(**{name: value})
    assert open_tokens() == before
    with pytest.raises(TypeError, match=r"^cancel: "):
        simplugin.Cancel(5)  # type: ignore[arg-type]  # pyright: ignore


def test_from_another_thread(hanging_connection: simplugin.Connection) -> None:
    """R274: ends the call that has the token, and every later one."""
    cancel = simplugin.Cancel()
    threading.Timer(0.1, cancel.fire).start()
    with soon(), pytest.raises(simplugin.Cancelled):
        hanging_connection.health(cancel=cancel)
    assert cancel.fired
    with soon(), pytest.raises(simplugin.Cancelled):
        hanging_connection.health(cancel=cancel)
    cancel.fire()


def test_one_token_for_many(hanging_connection: simplugin.Connection) -> None:
    """R274: calls of several threads."""
    cancel = simplugin.Cancel()
    ended: list[str] = []

    def hang() -> None:
        try:
            hanging_connection.health(cancel=cancel)
        except simplugin.Cancelled as error:
            ended.append(error.name)

    threads = [threading.Thread(target=hang) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    with soon():
        cancel.fire()
        for thread in threads:
            thread.join()
    assert ended == ["CANCELLED"] * 8


def test_no_token_is_left(index: simplugin.Index) -> None:
    """The library's token is the call's alone, and freed with it, however it ends."""
    before = open_tokens()
    cancel = simplugin.Cancel()
    for _ in range(1000):
        index.size(cancel=cancel)
        with pytest.raises(simplugin.NotFound):
            index.get(["nobody"], allow_missing=False, cancel=cancel)
    assert len(cancel._tokens) < 50
    cancel.fire()
    with pytest.raises(simplugin.Cancelled):
        index.size(cancel=cancel)
    del cancel
    gc.collect()
    assert open_tokens() == before


@pytest.mark.parametrize("is_own", [False, True], ids=["default", "own handler"])
def test_no_token_is_left_by_interrupts(index: simplugin.Index, is_own: bool, request: pytest.FixtureRequest) -> None:
    """Wherever they come in between."""
    if is_own:
        request.getfixturevalue("own_handler")
    before = open_tokens()
    cancel = simplugin.Cancel()
    count = at_every_line(lambda: index.size(cancel=cancel, progress=print))
    gc.collect()
    assert count > 50
    assert open_tokens() == before
    assert len(cancel._tokens) < 50


def test_outer(hanging_connection: simplugin.Connection) -> None:
    """One that ends the same calls, and is not ended by them."""
    outer = simplugin.Cancel()
    inner = simplugin.Cancel(outer)
    threading.Timer(0.1, outer.fire).start()
    with soon(), pytest.raises(simplugin.Cancelled):
        hanging_connection.health(cancel=inner)
    assert inner.fired
    other = simplugin.Cancel(simplugin.Cancel())
    other.fire()
    assert other.fired
    assert not other._outer.fired  # type: ignore[union-attr]  # pyright: ignore


def test_no_token_left_to_have(index: simplugin.Index) -> None:
    """R277: the library says so; calls that need none go on."""
    taken = all_tokens()
    with pytest.raises(simplugin.ResourceExhausted, match="tokens"):
        index.size(cancel=simplugin.Cancel())
    assert index.size() == 3
    del taken


def test_no_token_for_ctrl_c() -> None:
    """A call that Ctrl-C could not end is not begun."""
    out = prints(
        """
from simplugin._native import ffi, lib
in_a_while(interrupt)
try:
    connection.health()
except KeyboardInterrupt:  # and the token that was lent is gone
    pass
taken = []
while not lib.simplugin_cancel_new(taken.append(ffi.new("uint64_t *")) or taken[-1], ffi.NULL):
    pass
try:
    connection.health()
except simplugin.ResourceExhausted as error:
    print(error)
lib.py_cancel_free(taken[0])
in_a_while(interrupt)
try:
    connection.health()
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    assert out == "65536 cancel tokens are open: free those no longer needed\ninterrupted\n"


def test_progress(session: simplugin.Session) -> None:
    """Called on the calling thread."""
    seen: list[tuple[int, int, int]] = []
    with session.create_index(metric="euclidean") as index:
        index.add([f"p{i}" for i in range(2000)], np.random.default_rng(1).random((2000, 8), np.float32))
        index.neighbors(k=1, progress=lambda done, total: seen.append((done, total, threading.get_ident())))
    assert seen
    assert {total for _, total, _ in seen} == {2000}
    assert {ident for _, _, ident in seen} == {threading.get_ident()}


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_progress_that_raises(session: simplugin.Session, error: type[BaseException]) -> None:
    """It ends the call with that exception."""
    calls: list[int] = []

    def fail(done: int, total: int) -> None:
        calls.append(done)
        raise error("mine")

    with session.create_index(metric="euclidean") as index:
        index.add([f"p{i}" for i in range(5000)], np.random.default_rng(1).random((5000, 8), np.float32))
        with pytest.raises(error, match="mine"):
            index.neighbors(k=1, progress=fail)
        assert len(calls) == 1
        assert index.size() == 5000


def test_progress_in_the_context_of_the_call(session: simplugin.Session, own_handler: None) -> None:
    """Also when the call is made aside; the log is told on the calling thread, of what takes long on another."""
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    token = name.set("mine")
    seen: set[str] = set()
    told: set[tuple[str, str]] = set()
    simplugin.set_log(lambda level, text: told.add((name.get(), threading.current_thread().name)), "debug")
    try:
        with session.create_index(metric="euclidean") as index:
            index.add([f"p{i}" for i in range(2000)], np.ones((2000, 8), np.float32))
            index.neighbors(k=1, progress=lambda done, total: seen.add(name.get()))
    finally:
        simplugin.set_log(None)
        name.reset(token)
    assert seen == {"mine"}
    own = ("mine", threading.current_thread().name)
    assert own in told
    assert told <= {own, ("nobody", "simplugin-log")}


def test_what_comes_before_progress(session: simplugin.Session) -> None:
    """An exception of a signal handler's that is raised on the way to the callback is not lost."""
    hit: list[str] = []

    def trace(frame: Any, event: str, argument: object) -> Any:
        if frame.f_code.co_name == "_progress" and not hit:
            hit.append(event)
            raise ZeroDivisionError
        return None

    with session.create_index(metric="euclidean") as index:
        index.add([f"p{i}" for i in range(2000)], np.ones((2000, 8), np.float32))
        sys.settrace(trace)
        try:
            with pytest.raises(ZeroDivisionError):
                index.neighbors(k=1, progress=lambda done, total: None)
        finally:
            sys.settrace(None)
    assert hit == ["call"]


def test_progress_may_call(session: simplugin.Session) -> None:
    """The library, also on the same index, and with progress of its own."""
    sizes: list[int] = []
    with session.create_index(metric="euclidean") as index:
        index.add([f"p{i}" for i in range(2000)], np.random.default_rng(1).random((2000, 8), np.float32))
        index.neighbors(k=1, progress=lambda done, total: sizes.append(index.size(progress=lambda d, t: None)))
    assert set(sizes) == {2000}


def test_trace_id(index: simplugin.Index) -> None:
    """Is in the messages of the call."""
    messages: list[str] = []
    simplugin.set_log(lambda level, text: messages.append(text), "debug")
    try:
        index.search([[1, 0]], trace_id="trace-Ω")
    finally:
        simplugin.set_log(None)
    assert any("trace-Ω" in text for text in messages)


def test_timeout_of_the_backend(session: simplugin.Session, hanging: str) -> None:
    """R274 The backend's own timeout counts for opening too; one that is given wins."""
    parameters = {"url": hanging, "timeout_ms": 300}
    for open_ in (session.create_index, session.open_index):
        begin = time.monotonic()
        with pytest.raises(simplugin.DeadlineExceeded):
            open_(backend="qdrant", collection_name="c", parameters=parameters)
        assert time.monotonic() - begin < 10
        begin = time.monotonic()
        with pytest.raises(simplugin.DeadlineExceeded):
            open_(backend="qdrant", collection_name="c", parameters=parameters, timeout=1.5)
        assert time.monotonic() - begin > 1
