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
from contextlib import suppress
from typing import Any, Callable, Protocol, Union

from ._native import ffi, lib

Hook = Callable[[int, str], object]


class Logger(Protocol):
    """A logger of ``logging``, or what is like one."""

    def log(self, level: int, msg: object, /) -> object:
        """Is told a message."""


Target = Union[Hook, Logger, None]

_LEVELS = {"error": 1, "warning": 2, "info": 3, "debug": 4}
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

    The target may be set and removed while calls run; what was said before it is removed is told. It may itself use
    this package: messages of the calls it makes are dropped. Exceptions that it raises end no call, and go to
    ``sys.excepthook``; ``KeyboardInterrupt`` and ``SystemExit`` on the thread of a call go on from there.

    Args:
        target: an object with a method ``log``, as loggers and their adapters have, or a function; None restores the
            library's default: warnings and errors to stderr, or what ``SIMPLUGIN_LOG`` says
        level ("warning"): the least that is told: ``error``, ``warning``, ``info`` or ``debug``; the target is given
            the numbers of ``logging``

    >>> import logging, simplugin
    >>> simplugin.set_log(logging.getLogger("simplugin"), "debug")
    >>> simplugin.set_log(None)
    """
    if level not in tuple(_LEVELS):
        raise ValueError(f"level: {level!r} is none of {', '.join(_LEVELS)}")
    hook: Any = getattr(target, "log", target)
    if hook is not None and not callable(hook):
        raise TypeError(f"target: {target!r} is neither a logger nor a function")
    with _State.lock:
        _State.is_on = target is not None
        if target is None:
            lib.py_log_off()
        else:
            _State.hook = hook
            lib.py_log_on(_LEVELS[level])
            _start_thread_locked()
    if target is None:
        deliver()
        with _State.lock:
            _forget_locked()


def deliver() -> None:
    """Tells all messages that wait; called after calls that left some."""
    muted = lib.py_log_muted()
    if muted[0]:
        return
    try:
        if not _State.telling.acquire(timeout=_PATIENCE):
            return  # whoever is at it tells these as well
        muted[0] = 1
        message = lib.py_log_take()
        while message != ffi.NULL:
            try:
                level, text = message.level, ffi.unpack(message.text, message.size).decode("utf-8", "replace")
            finally:
                lib.py_log_free(message)
            _tell(level, text)
            message = lib.py_log_take()
    finally:
        muted[0] = 0
        with suppress(RuntimeError):  # it was not acquired, or KeyboardInterrupt came before this was known
            _State.telling.release()
    if _State.is_on and not _is_followed():  # in a child
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


def _is_followed() -> bool:
    return _State.thread is not None and _State.thread.is_alive()


def _start_thread_locked() -> None:
    if _State.is_on and not _is_followed():
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
            try:
                deliver()
            except BaseException as error:  # noqa: BLE001
                sys.excepthook(type(error), error, error.__traceback__)
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
