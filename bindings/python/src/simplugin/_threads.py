# SPDX-License-Identifier: Apache-2.0
"""Threads that wait in calls for others, in pools, so that none keeps the others waiting."""

from __future__ import annotations

import os
import queue
import threading
from concurrent.futures import Future
from contextvars import Context, copy_context
from typing import Any, Callable, TypeVar

from ._native import lib

R = TypeVar("R")
Work = tuple["Future[Any]", Context, int, Callable[[], Any]]

_WORKERS = 256


class Pool:
    """Threads, each made when none is idle. Queues need no lock that a signal handler might wait for."""

    def __init__(self) -> None:
        self.forget()

    def submit(self, future: Future[R], work: Callable[[], R]) -> bool:
        """Runs it on one of them, in a copy of the context; False: there can be none, and the future is cancelled.

        What the caller has a future of, made before, it can wait for whenever it is interrupted.
        """
        self._queue.put((future, copy_context(), lib.py_log_muted()[0], work))
        try:
            self._idle.get_nowait()
        except queue.Empty:
            if self._count < _WORKERS:
                return self._start() or not future.cancel()
        return True

    def _start(self) -> bool:
        thread = threading.Thread(target=_serve, args=(self._queue, self._idle), name="simplugin", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if thread.is_alive():  # it is a signal handler's
                raise
            return False
        self._count += 1
        return True

    def forget(self) -> None:
        """In a child, which has none of its parent's threads."""
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._idle: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._count = 0


def _serve(work: queue.SimpleQueue[Work], idle: queue.SimpleQueue[None]) -> None:
    while True:
        _do(idle, *work.get())


def _do(
    idle: queue.SimpleQueue[None], future: Future[Any], context: Context, muted: int, work: Callable[[], Any]
) -> None:
    if not future.set_running_or_notify_cancel():
        idle.put(None)
        return
    lib.py_log_muted()[0] = muted
    try:
        result = context.run(work)
    except BaseException as error:  # noqa: BLE001
        idle.put(None)
        future.set_exception(error)
    else:
        idle.put(None)
        future.set_result(result)
    del future, work  # the error has this frame


for_asyncio = Pool()
for_closing = Pool()
for_main = Pool()
"""The main thread's calls, while it waits for signal handlers of the user's."""


def _forked() -> None:
    for_asyncio.forget()
    for_closing.forget()
    for_main.forget()


os.register_at_fork(after_in_child=_forked)
