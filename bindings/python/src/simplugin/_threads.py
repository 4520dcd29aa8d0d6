# SPDX-License-Identifier: Apache-2.0
"""Threads that wait in calls for others: for asyncio, and for the main thread under a SIGINT handler of the user's."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

_WORKERS = 32


class _State:
    lock = threading.Lock()
    executor: ThreadPoolExecutor | None = None


def executor() -> ThreadPoolExecutor:
    """The pool, made when it is first needed."""
    with _State.lock:
        if _State.executor is None:
            _State.executor = ThreadPoolExecutor(_WORKERS, "simplugin")
        return _State.executor


def _forked() -> None:
    """The parent's threads are not here."""
    _State.lock = threading.Lock()
    _State.executor = None


os.register_at_fork(after_in_child=_forked)
