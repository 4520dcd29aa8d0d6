# SPDX-License-Identifier: Apache-2.0
"""The library's messages.

They reach Python after the call that they belong to, on its thread, before it returns or raises; what comes during a
long call, or from a thread of a backend's, on a thread of this module.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from typing import Callable, Union

from ._native import ffi, lib

Hook = Callable[[int, str], object]
Target = Union[Hook, logging.Logger, None]

_LEVELS = {"off": 0, "error": 1, "warning": 2, "info": 3, "debug": 4}
_LOGGING = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_PATIENCE = 0.1  # seconds for which a call leaves its messages to itself, or waits for who tells them


class _State:
    lock = threading.Lock()  # of the three below
    is_on = False
    hook: Hook | None = None
    thread: threading.Thread | None = None
    telling = threading.RLock()  # one at a time, in their order


def set_log(target: Target, level: str = "warning") -> None:
    """Sends the library's messages to a ``logging.Logger``, or to a function of level and text.

    level: ``error``, ``warning``, ``info`` or ``debug``; levels are given to the target as those of ``logging``.
    None restores the library's default: warnings and errors to stderr, or what ``SIMPLUGIN_LOG`` says. The target may
    be set and removed while calls run, and may itself use this package; what was said before it is removed is told.
    What it raises ends no call, and goes to ``sys.excepthook``.

    >>> import logging, simplugin
    >>> simplugin.set_log(logging.getLogger("simplugin"), "debug")
    >>> simplugin.set_log(None)
    """
    number = _LEVELS.get(level)
    if number is None:
        raise ValueError(f"no level {level!r}: one of {', '.join(_LEVELS)}")
    with _State.lock:
        _State.is_on = target is not None
        if target is None:
            lib.py_log_off()
        else:
            _State.hook = target.log if isinstance(target, logging.Logger) else target
            lib.py_log_on(number)
            _start_thread_locked()
    if target is None:
        deliver()
        with _State.lock:
            _forget_locked()


def deliver() -> None:
    """Tells all messages that wait; called after calls that left some."""
    if not _State.telling.acquire(timeout=_PATIENCE):
        return  # whoever is at it tells these as well
    try:
        message = lib.py_log_take()
        while message != ffi.NULL:
            try:
                level, text = message.level, ffi.unpack(message.text, message.size).decode("utf-8", "replace")
            finally:
                lib.py_log_free(message)
            _tell(level, text)
            message = lib.py_log_take()
    finally:
        _State.telling.release()
    if _State.is_on and _State.thread is None:  # in a child
        with _State.lock:
            _start_thread_locked()


def _tell(level: int, text: str) -> None:
    hook = _State.hook
    if hook is None:
        return
    try:
        hook(_LOGGING.get(level, logging.ERROR), text)
    except Exception as error:  # noqa: BLE001
        sys.excepthook(type(error), error, error.__traceback__)


def _start_thread_locked() -> None:
    if _State.is_on and _State.thread is None:
        _State.thread = threading.Thread(target=_follow, name="simplugin-log", daemon=True)
        _State.thread.start()


def _forget_locked() -> None:
    """The hook is the thread's as long as that has messages to tell."""
    if not _State.is_on and _State.thread is None:
        _State.hook = None


def _follow() -> None:
    while True:
        if lib.py_log_wait():
            time.sleep(_PATIENCE)
            deliver()
            continue
        with _State.lock:
            if not _State.is_on:
                _State.thread = None
                _forget_locked()
                return


def _forked() -> None:
    _State.lock = threading.Lock()
    _State.telling = threading.RLock()
    _State.thread = None


def _end() -> None:
    """Before the interpreter goes: what is left is told, and later messages go to stderr."""
    with _State.lock:
        was_on, _State.is_on = _State.is_on, False
        thread = _State.thread
    if was_on:
        lib.py_log_off()
        deliver()
    if thread is not None and thread is not threading.current_thread():
        thread.join(1)


os.register_at_fork(after_in_child=_forked)
atexit.register(_end)
