# SPDX-License-Identifier: Apache-2.0
"""The one way into the library: every call of every class goes through call()."""

from __future__ import annotations

import math
import signal
import threading
from _signal import getsignal as _getsignal  # signal.getsignal without its enums, which cost more than a call
from collections.abc import Mapping
from concurrent.futures import wait
from functools import partial
from os import register_at_fork
from signal import SIGINT, default_int_handler
from threading import get_ident
from typing import TYPE_CHECKING, Any, Callable, TypedDict

from . import _threads, _wire, errors, log
from ._native import ffi, lib
from .cancel import Cancel

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

Progress = Callable[[int, int], object]


class Options(TypedDict, total=False):
    """What every function takes beside its own arguments."""

    timeout: float | None
    """Seconds; None: the backend's ``timeout_ms``, 60 seconds where it has none; ``math.inf``: none."""
    cancel: Cancel | None
    """Ends the call when it is fired."""
    progress: Progress | None
    """Called during long calls with how much is done, and of how much (0: not known). What it raises ends the call."""
    trace_id: str | None
    """Passed on to logs and servers."""


_CODE = 0xFFFF
_MESSAGES = 0x10000
_INTERRUPTED = 0x20000
_TENSORS = 0x40000
_UNSETTLED = _CODE | _MESSAGES | _INTERRUPTED
_INT64_MAX = 2**63 - 1

_NO_TIMEOUT = -1
_REFUSED = -2

_NULL = ffi.NULL
_EMPTY = _wire.EMPTY
_py_call = lib.py_call
_py_call_plain = lib.py_call_plain
_SIGINT = int(SIGINT)

_KEPT = 64
_answers: list[Any] = []  # used ones, without arrays over their memory


_main = threading.main_thread().ident


def _forked() -> None:
    global _main  # noqa: PLW0603
    _main = get_ident()


register_at_fork(after_in_child=_forked)
if callable(signal.getsignal(SIGINT)):
    lib.py_interrupt_learn()

# The handles that a reply may hold, by method.
_OPENED: dict[str, tuple[str, ...]] = {
    "session.open": ("session",),
    "connection.open": ("connection",),
    "index.create": ("index",),
    "index.open": ("index",),
    "runs.load": ("index",),
    "view.create": ("view",),
    "scan.open": ("scan",),
    "copy.open": ("copy", "index"),
}


def _milliseconds(timeout: float | None) -> int:
    if timeout is None:
        return 0
    if timeout == math.inf:
        return _NO_TIMEOUT
    if timeout < 0:
        return _REFUSED
    return min(max(math.ceil(timeout * 1000), 1), _INT64_MAX)


class _Extra:
    """The options of one call that has any: its token, and who listens to its progress."""

    __slots__ = ("_cancel", "_keep", "_number", "_trace", "error", "progress", "timeout_ms", "token")

    _listening: dict[int, _Extra] = {}  # noqa: RUF012

    def __init__(
        self,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        trace_id: str | None = None,
    ) -> None:
        self.timeout_ms = _milliseconds(timeout)
        self._cancel = cancel
        self.progress = progress
        self._trace = b"" if trace_id is None else trace_id.encode("utf-8", "surrogatepass")
        self.error: BaseException | None = None
        self.token = 0
        self._number = 0

    def need_token(self) -> None:
        if not self.token:
            token, error = ffi.new("uint64_t *"), ffi.new("simplugin_error **")
            code = lib.simplugin_cancel_new(token, error)
            if code:
                raise _take_error(code, error)
            self.token = token[0]

    def __enter__(self) -> Self:
        if self._cancel is not None or self.progress is not None:
            self.need_token()
        if self._cancel is not None:
            self._cancel.attach(self.token)
        if self.progress is not None:
            self._number = id(self)
            self._listening[self._number] = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listening.pop(self._number, None)
        if self._cancel is not None:
            self._cancel.detach(self.token)
        token, self.token = self.token, 0
        if token:
            lib.simplugin_cancel_free(token)

    def prepared(self) -> Any:
        """The struct for C, alive as long as this is."""
        trace = ffi.new("char[]", self._trace)
        struct = ffi.new("py_extra *", [self.token, self._number, trace, len(self._trace)])
        self._keep = (struct, trace)
        return struct

    def fail(self, error: BaseException) -> None:
        """Ends the call with that exception, the first of them."""
        if self.error is None:
            self.error = error
        lib.simplugin_cancel_fire(self.token)

    @classmethod
    def tell(cls, number: int, done: int, total: int) -> None:
        """Called by the library, on the call's thread."""
        extra = cls._listening.get(number)
        if extra is not None and extra.progress is not None and extra.error is None:
            extra.progress(done, total)

    @classmethod
    def failed(cls, kind: object, error: Any, tb: Any) -> None:
        """The same, when that raised something."""
        extra = cls._listening.get(tb.tb_frame.f_locals.get("number", 0)) if tb is not None else None
        if extra is not None:
            extra.fail(error)


@ffi.def_extern(name="py_progress", onerror=_Extra.failed)
def _progress(number: int, done: int, total: int) -> None:
    _Extra.tell(number, done, total)


def _take_error(code: int, error: Any) -> errors.SimpluginError:
    try:
        return errors.from_library(code, error[0])
    finally:
        lib.simplugin_error_free(error)


def _settle(result: int, answer: Any, extra: _Extra | None) -> None:
    """Whatever is not simply a reply."""
    if result & _MESSAGES:
        log.deliver()
    if extra is not None and extra.error is not None:
        raise extra.error
    if result & _INTERRUPTED:
        signal.pthread_sigmask(signal.SIG_BLOCK, ())  # runs Python's signal handlers, which raise it
        raise KeyboardInterrupt
    if result & _CODE:
        raise errors.from_library(result & _CODE, answer.error)


def _drop(method: str, reply: dict[str, Any]) -> None:
    """Closes what a reply that nobody gets has opened."""
    for key in _OPENED.get(method, ()):
        if reply.get(key):
            lib.simplugin_close(reply[key], ffi.NULL)


def _run(target: int, method: str, request: _wire.Request, extra: _Extra | None, interruptible: int) -> dict[str, Any]:
    """The call, on this thread."""
    try:
        answer = _answers.pop()
    except IndexError:
        answer = ffi.gc(ffi.new("py_answer *"), lib.py_answer_clear)
    name = method.encode()
    try:
        # KeyboardInterrupt may be raised as soon as one of these returns
        if request is _EMPTY and extra is None:
            result = _py_call_plain(answer, target, name, len(name), interruptible)
        else:
            result = _py_call(
                answer,
                target,
                name,
                len(name),
                request.body,
                len(request.body),
                request.tensors,
                request.count,
                0 if extra is None else extra.timeout_ms,
                _NULL if extra is None else extra.prepared(),
                interruptible,
            )
        if result & _UNSETTLED or (extra is not None and extra.error is not None):
            _settle(result, answer, extra)
    except BaseException:
        if method in _OPENED and answer.body_size:
            _drop(method, _wire.body_only(answer))
        raise
    if result & _TENSORS:
        return _wire.with_tensors(answer)
    reply = _wire.body_only(answer)
    if len(_answers) < _KEPT:
        _answers.append(answer)
    return reply


def _run_aside(
    target: int, method: str, request: _wire.Request, extra: _Extra | None, interruptible: int
) -> dict[str, Any]:
    """The main thread's call, on another thread, while the main thread runs the user's signal handlers."""
    if extra is None:
        with _Extra() as own:
            return _run_aside(target, method, request, own, interruptible)
    extra.need_token()
    work = partial(_run, target, method, request, extra, 0)
    try:
        future = _threads.for_main.submit(work)
    except RuntimeError:  # the interpreter ends, or there can be no more threads
        return work()
    try:
        return future.result()
    except BaseException as raised:
        if future.done() and future.exception() is raised:
            raise
        error = raised
    lib.simplugin_cancel_fire(extra.token)
    while not future.done():
        try:
            wait([future])
        except BaseException as raised:  # noqa: BLE001
            error = raised
    if future.exception() is None:
        _drop(method, future.result())
    raise error


def call(target: int, method: str, body: Mapping[str, object] | None, options: Options) -> dict[str, Any]:
    """Calls a method of docs/protocol.md."""
    request = _wire.Request(body) if body else _EMPTY
    run, interruptible = _run, 0
    if get_ident() == _main:
        handler = _getsignal(_SIGINT)
        if handler is default_int_handler:
            interruptible = 1
        elif callable(handler):
            run = _run_aside
    if options:
        with _Extra(**options) as extra:
            return run(target, method, request, extra, interruptible)
    return run(target, method, request, None, interruptible)


def ask(target: int, method: str, body: Mapping[str, object], options: Options) -> dict[str, Any]:
    """The same without the keys of the body that are None: what was not given."""
    return call(target, method, {key: value for key, value in body.items() if value is not None}, options)


# ---- handles ----


def close(handle: int) -> None:
    """Closes a handle, or raises StaleHandle."""
    error = ffi.new("simplugin_error **")
    code = lib.simplugin_close(handle, error)
    if code:
        raise _take_error(code, error)


class Handle(_wire.Handled):
    """Something of the library's that is open until ``close``, the end of a ``with`` block, or until nobody has it.

    Closing twice is harmless. Using what is closed raises ``StaleHandle``.
    """

    __slots__ = ("_open", "_owner", "handle")

    handle: int
    """The library's number for it."""

    def __init__(self, handle: int, owner: Handle | None = None) -> None:
        """owner: what must stay open as long as this is."""
        self.handle = handle
        self._owner: Handle | None = owner
        # closed by C: KeyboardInterrupt would be lost in a finalizer of Python's, and the handle with it
        self._open = [ffi.gc(ffi.new("uint64_t *", handle), lib.py_close)]

    def close(self) -> None:
        """Closes it; calls that are in it end first."""
        try:
            handle = self._open.pop()  # by one thread only
        except IndexError:
            return
        ffi.release(handle)

    @property
    def closed(self) -> bool:
        """Whether it was closed by ``close``."""
        return not self._open

    def call(self, method: str, body: Mapping[str, object] | None = None, **options: Unpack[Options]) -> dict[str, Any]:
        """Calls any method of docs/protocol.md on it.

        The body may hold numpy arrays, ``Column`` and ``Ids``; the reply holds them in turn.
        """
        return call(self.handle, method, body, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
