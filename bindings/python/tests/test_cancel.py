# SPDX-License-Identifier: Apache-2.0
"""Ending calls: timeouts, tokens, and what callbacks raise."""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

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


def open_tokens() -> int:
    """How many of the library's tokens somebody has."""
    token = ffi.new("uint64_t *")
    free: list[int] = []
    while lib.simplugin_cancel_new(token, ffi.NULL) == 0:
        free.append(token[0])
    for one in free:
        lib.simplugin_cancel_free(one)
    return TOKENS - len(free)


def test_timeout(hanging_connection: simplugin.Connection) -> None:
    """R274: seconds, as a float."""
    with soon(), pytest.raises(simplugin.DeadlineExceeded) as caught:
        hanging_connection.health(timeout=0.1)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 5])
def test_timeouts_that_are_long_enough(index: simplugin.Index, timeout: float | None) -> None:
    """None is the default."""
    assert index.size(timeout=timeout) == 3


def test_less_than_a_millisecond(hanging_connection: simplugin.Connection) -> None:
    """Is one, not none."""
    for timeout in (0, 1e-9):
        with soon(), pytest.raises(simplugin.DeadlineExceeded):
            hanging_connection.health(timeout=timeout)


@pytest.mark.parametrize("timeout", [-1, -0.0001, -math.inf])
def test_timeouts_that_are_none(index: simplugin.Index, timeout: float) -> None:
    """R277: refused by the library."""
    with pytest.raises(simplugin.InvalidArgument):
        index.size(timeout=timeout)


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
    cancel.fire()
    with pytest.raises(simplugin.Cancelled):
        index.size(cancel=cancel)
    del cancel
    gc.collect()
    assert open_tokens() == before


def test_no_token_left_to_have(index: simplugin.Index) -> None:
    """R277: the library says so; calls that need none go on."""
    token = ffi.new("uint64_t *")
    taken: list[int] = []
    try:
        while lib.simplugin_cancel_new(token, ffi.NULL) == 0:
            taken.append(token[0])
        with pytest.raises(simplugin.ResourceExhausted, match="tokens"):
            index.size(cancel=simplugin.Cancel())
        assert index.size() == 3
    finally:
        for one in taken:
            lib.simplugin_cancel_free(one)


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
