# SPDX-License-Identifier: Apache-2.0
"""Threads that wait in calls for others, in two pools, so that neither keeps the other waiting."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, TypeVar

R = TypeVar("R")

_WORKERS = 32


class Pool:
    """Threads, made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[], R]) -> Future[R]:
        """Runs it on one of them."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_WORKERS, "simplugin")
            return self._executor.submit(work)

    def forget(self) -> None:
        """In a child, which has none of its parent's threads."""
        self._lock = threading.Lock()
        self._executor = None


for_asyncio = Pool()
for_main = Pool()
"""The main thread's calls, while it waits for a SIGINT handler of the user's."""


def _forked() -> None:
    for_asyncio.forget()
    for_main.forget()


os.register_at_fork(after_in_child=_forked)
