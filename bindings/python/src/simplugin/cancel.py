# SPDX-License-Identifier: Apache-2.0
"""Ending calls from elsewhere."""

from __future__ import annotations

import threading
from typing import Any
from weakref import ref

from . import errors
from ._native import ffi, lib


class Token:
    """The library's token of one call, which is freed with this."""

    __slots__ = ("__weakref__", "_memory")

    def __init__(self) -> None:
        self._memory: Any = ffi.gc(ffi.new("uint64_t *"), lib.py_cancel_free)
        error = errors.slot()
        code = lib.simplugin_cancel_new(self._memory, error)
        if code:
            raise errors.from_library(code, error[0])

    @property
    def number(self) -> int:
        """The library's number for it."""
        number: int = self._memory[0]
        return number

    def fire(self) -> None:
        """Ends the call."""
        lib.simplugin_cancel_fire(self.number)


_FEW = 16


class Cancel:
    """Ends the calls it is given to, and every later one, with ``Cancelled``.

    >>> import simplugin
    >>> cancel = simplugin.Cancel()
    >>> cancel.fire()
    >>> try:
    ...     simplugin.runs.list(cancel=cancel)
    ... except simplugin.Cancelled as error:
    ...     print(error.name)
    CANCELLED

    ``fire`` may be called from any thread, from a signal handler of Python's, and again.
    """

    __slots__ = ("_fired", "_lock", "_many", "_outer", "_tokens")

    def __init__(self, outer: Cancel | None = None) -> None:
        """outer: one that ends the same calls."""
        self._lock = threading.RLock()  # a signal handler may come in between
        self._fired = False
        # No WeakSet, whose callbacks are Python code, in which KeyboardInterrupt would be raised and lost.
        self._tokens: list[ref[Token]] = []
        self._many = _FEW
        self._outer = check(outer)

    @property
    def fired(self) -> bool:
        """Whether it was fired, or its outer one."""
        return self._fired or (self._outer is not None and self._outer.fired)

    def fire(self) -> None:
        """Ends all calls that have it."""
        with self._lock:
            self._fired = True
            for one in self._tokens:
                token = one()
                if token is not None:
                    token.fire()

    def _attach(self, token: Token) -> None:
        with self._lock:
            if len(self._tokens) >= self._many:
                self._tokens = [one for one in self._tokens if one() is not None]
                self._many = 2 * len(self._tokens) + _FEW
            self._tokens.append(ref(token))
            if self._fired:
                token.fire()
        if self._outer is not None:
            self._outer._attach(token)  # noqa: SLF001


def check(cancel: Any) -> Cancel | None:
    """A ``cancel=`` that can be one."""
    if cancel is None or isinstance(cancel, Cancel):
        return cancel
    raise TypeError(f"cancel: {cancel!r} is no simplugin.Cancel")


def token_of(cancel: Cancel | None) -> Token:
    """A token for a call that has it."""
    token = Token()
    if cancel is not None:
        cancel._attach(token)  # noqa: SLF001  # pyright: ignore
    return token
