# SPDX-License-Identifier: Apache-2.0
"""Ending calls from elsewhere."""

from __future__ import annotations

import threading

from ._native import lib


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

    __slots__ = ("_fired", "_lock", "_outer", "_tokens")

    def __init__(self, outer: Cancel | None = None) -> None:
        """outer: one that ends the same calls."""
        self._lock = threading.RLock()  # a signal handler may come in between
        self._fired = False
        self._tokens: set[int] = set()
        self._outer = outer

    @property
    def fired(self) -> bool:
        """Whether it was fired."""
        return self._fired

    def fire(self) -> None:
        """Ends all calls that have it."""
        with self._lock:
            self._fired = True
            for token in tuple(self._tokens):
                lib.simplugin_cancel_fire(token)

    def attach(self, token: int) -> None:
        """Adds the library's token of one call."""
        with self._lock:
            self._tokens.add(token)
            if self._fired:
                lib.simplugin_cancel_fire(token)
        if self._outer is not None:
            self._outer.attach(token)

    def detach(self, token: int) -> None:
        """Takes it back; when this returns nobody fires it."""
        if self._outer is not None:
            self._outer.detach(token)
        with self._lock:
            self._tokens.discard(token)
