# SPDX-License-Identifier: Apache-2.0
"""The one way into the library: every call of every class goes through call()."""

from __future__ import annotations

import inspect
import math
import signal
import threading
from _signal import getsignal as _getsignal  # signal.getsignal without its enums, which cost more than a call
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from numbers import Real
from os import register_at_fork
from signal import default_int_handler
from threading import get_ident
from types import TracebackType
from typing import Any, Callable, TypedDict

from . import _threads, _wire, errors, log
from ._native import ffi, lib
from ._typing import Self, Unpack
from .cancel import Cancel, Token, token_of
from .cancel import check as check_cancel

Progress = Callable[[int, int], object]


class Options(TypedDict, total=False):
    """What every function takes beside its own arguments."""

    timeout: float | None
    """Seconds; None: the backend's ``timeout_ms``, 60 seconds where it has none; ``math.inf``: none."""
    cancel: Cancel | None
    """Ends the call when it is fired."""
    progress: Progress | None
    """Called during long calls with how much is done, and of how much (0: not known). What it raises ends the call.

    On the thread that makes the call, in the caller's context: the caller's own thread, but for the main thread's calls
    while Python handles signals for them, and for ``simplugin.aio``.
    """
    trace_id: str | None
    """Passed on to logs and servers."""


_CODE = 0xFFFF
_MESSAGES = 0x10000
_INTERRUPTED = 0x20000
_TENSORS = 0x40000
_UNSETTLED = _CODE | _MESSAGES | _INTERRUPTED

_NO_TIMEOUT = -1
_LONGEST = 2**53  # seconds

_NULL = ffi.NULL
_EMPTY = _wire.EMPTY
_py_call = lib.py_call
_py_call_plain = lib.py_call_plain

# Their handlers run while the main thread waits in a call.
_SIGINT, _SIGTERM, _SIGALRM, _SIGHUP, _SIGUSR1, _SIGUSR2 = _SIGNALS = tuple(
    map(int, (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2))
)

_KEPT = 64
_answers: list[Any] = []  # used ones, without arrays over their memory


_main = threading.main_thread().ident


def _forked() -> None:
    global _main  # noqa: PLW0603
    _main = get_ident()


register_at_fork(after_in_child=_forked)
if callable(signal.getsignal(signal.SIGINT)):
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


# ---- options ----


def check_timeout(timeout: Any) -> float | None:
    """A ``timeout=`` that is a time."""
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout: {timeout!r} is no number of seconds")
    if not timeout >= 0:  # type: ignore[operator]
        raise errors.InvalidArgument(
            f"timeout: {timeout!r} is no time: seconds from 0 on, math.inf for none",
            code=1,
            name="INVALID_ARGUMENT",
            domain="call",
            details=(("argument", "timeout"),),
        )
    return math.inf if timeout == math.inf else float(min(timeout, _LONGEST))  # type: ignore[arg-type]


def _milliseconds(timeout: Any) -> int:
    seconds = check_timeout(timeout)
    if seconds is None:
        return 0
    return _NO_TIMEOUT if seconds == math.inf else max(math.ceil(seconds * 1000), 1)


def _caller() -> str:
    """The function of the package that the user called."""
    name, frame = "call", inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") in (__name__, "simplugin.index", "simplugin.session"):
        name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
        frame = frame.f_back
    return name


class _Listener:
    """Who hears how far a call is."""

    __slots__ = ("_progress", "_token", "error")

    def __init__(self, progress: Progress, token: Token) -> None:
        self._progress = progress
        self._token = token
        self.error: BaseException | None = None

    def tell(self, done: int, total: int) -> None:
        if self.error is None:
            try:
                self._progress(done, total)
            except BaseException as error:  # noqa: BLE001
                self.error = error
                self._token.fire()


# What a signal handler raised before a listener could note it.
_stray: deque[BaseException] = deque(maxlen=1)


@ffi.def_extern(name="py_progress", onerror=lambda kind, error, traceback: _stray.append(error))
def _progress(listener: Any, done: int, total: int) -> None:
    ffi.from_handle(listener).tell(done, total)


class _Extra:
    """The options of one call that has any."""

    __slots__ = ("_keep", "_trace", "has_messages", "is_aside", "listener", "timeout_ms", "token")

    def __init__(self, options: Mapping[str, Any]) -> None:
        unknown = options.keys() - Options.__annotations__.keys()
        if unknown:
            raise TypeError(f"{_caller()}() got an unexpected keyword argument {min(unknown)!r}")
        cancel = check_cancel(options.get("cancel"))
        progress, trace_id = options.get("progress"), options.get("trace_id")
        if progress is not None and not callable(progress):
            raise TypeError(f"progress: {progress!r} cannot be called")
        if trace_id is not None and not isinstance(trace_id, str):
            raise TypeError(f"trace_id: {trace_id!r} is no str")
        self.timeout_ms = _milliseconds(options.get("timeout"))
        self._trace = (trace_id or "").encode("utf-8", "surrogatepass")
        self.is_aside = self.has_messages = False
        self.token = None if cancel is None and progress is None else token_of(cancel)
        self.listener = None if progress is None or self.token is None else _Listener(progress, self.token)

    def prepared(self) -> Any:
        """The struct for C, alive as long as this is."""
        trace = ffi.new("char[]", self._trace)
        listener = _NULL if self.listener is None else ffi.new_handle(self.listener)
        token = 0 if self.token is None else self.token.number
        struct = ffi.new("py_extra *", [token, listener, trace, len(self._trace)])
        self._keep = (struct, trace, listener)
        return struct


# ---- calls ----


def _settle(result: int, answer: Any, extra: _Extra | None) -> None:
    """Whatever is not simply a reply."""
    if result & _MESSAGES:
        if extra is not None and extra.is_aside:
            extra.has_messages = True
        else:
            log.deliver()
    if extra is not None and extra.listener is not None:
        error, extra.listener.error = extra.listener.error, None
        if error is None and _stray:
            error = _stray.pop()
        if error is not None:
            try:
                raise error
            finally:
                del error  # it has this frame
    if result & _INTERRUPTED:
        signal.pthread_sigmask(signal.SIG_BLOCK, ())  # runs Python's signal handlers, which raise it
        raise KeyboardInterrupt
    if result & _CODE:
        raise errors.from_library(result & _CODE, answer.error)


def _own(handle: int) -> Any:
    """Closes the handle when nobody has this: in C, as KeyboardInterrupt would be lost in a finalizer of Python's."""
    return ffi.gc(ffi.new("uint64_t *", handle), lib.py_close)


def _own_all(method: str, reply: dict[str, Any]) -> dict[str, Any]:
    for key in _OPENED[method]:
        if reply.get(key):
            reply[key] = _own(reply[key])
    return reply


def _fresh() -> Any:
    return ffi.gc(ffi.new("py_answer *"), lib.py_answer_clear)


def _run(target: int, method: str, request: _wire.Request, extra: _Extra | None, interruptible: int) -> dict[str, Any]:
    """The call, on this thread. What it opened is closed unless somebody keeps the handles of the reply."""
    is_opening = method in _OPENED
    try:
        answer = _fresh() if is_opening else _answers.pop()  # an earlier reply's handles are somebody's
    except IndexError:
        answer = _fresh()
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
        if result & _UNSETTLED or (extra is not None and extra.listener is not None):
            _settle(result, answer, extra)
        if result & _TENSORS:
            return _wire.with_tensors(answer)
        reply = _wire.body_only(answer)
        if is_opening:
            _own_all(method, reply)
    except BaseException:
        if is_opening and answer.body_size:
            _own_all(method, _wire.body_only(answer))
        raise
    if not is_opening and len(_answers) < _KEPT:
        _answers.append(answer)
    return reply


def _run_aside(target: int, method: str, request: _wire.Request, extra: _Extra | None) -> dict[str, Any]:
    """The main thread's call, on another thread, while the main thread runs the user's signal handlers."""
    if extra is None:
        extra = _Extra({})
    extra.is_aside = True
    extra.token = token = extra.token or token_of(None)
    work = partial(_run, target, method, request, extra, 0)
    future: Future[dict[str, Any]] = Future()
    raised: BaseException | None = None
    while not future.done():
        try:
            if raised is None:
                if not _threads.for_main.submit(future, work):
                    break
                future.exception()
            else:
                token.fire()
                if not future.cancel():
                    future.exception()
        except BaseException as error:  # noqa: BLE001
            raised = error
    try:
        if raised is not None:
            raise raised
        if future.cancelled():  # the interpreter ends, or there can be no more threads
            extra.is_aside = False
            return work()
        if extra.has_messages:
            log.deliver()
        return future.result()
    finally:
        del future, raised  # an error has this frame


def _is_handled() -> bool:
    """Whether there is a signal handler of the user's."""
    for number in _SIGNALS:
        handler = _getsignal(number)
        if callable(handler) and not (number == _SIGINT and handler is default_int_handler):
            return True
    return False


def call(target: int, method: str, body: Mapping[str, object] | None, options: Options) -> dict[str, Any]:
    """Calls a method of docs/protocol.md."""
    request = _wire.Request(body) if body else _EMPTY
    extra = _Extra(options) if options else None
    if get_ident() != _main:
        return _run(target, method, request, extra, 0)
    interruptible = _getsignal(_SIGINT) is default_int_handler
    if (
        not interruptible
        or _getsignal(_SIGTERM)
        or _getsignal(_SIGALRM)
        or _getsignal(_SIGHUP)
        or _getsignal(_SIGUSR1)
        or _getsignal(_SIGUSR2)
    ) and _is_handled():
        return _run_aside(target, method, request, extra)
    return _run(target, method, request, extra, interruptible)


def ask(target: int, method: str, body: Mapping[str, object], options: Options) -> dict[str, Any]:
    """The same without the keys of the body that are None: what was not given."""
    return call(target, method, {key: value for key, value in body.items() if value is not None}, options)


# ---- handles ----


def close(handle: int) -> None:
    """Closes a handle, or raises StaleHandle."""
    error = errors.slot()
    code = lib.simplugin_close(handle, error)
    if code:
        raise errors.from_library(code, error[0])


class Handle(_wire.Handled):
    """Something of the library's that is open until ``close``, the end of a ``with`` block, or until nobody has it.

    Closing twice is harmless. Using what is closed raises ``StaleHandle``.
    """

    __slots__ = ("__weakref__", "_open", "_owner", "handle")

    handle: int
    """The library's number for it."""

    def __init__(self, handle: Any, owner: Handle | None = None) -> None:
        """handle: of a reply; owner: what must stay open as long as this is."""
        if isinstance(handle, int):
            handle = _own(handle)
        self.handle = handle[0]
        self._owner: Handle | None = owner
        self._open = [handle]

    def close(self) -> None:
        """Closes it, at once: later calls are refused. Those in it go on to their end; then what it holds is freed."""
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
        """Calls any method of the library's docs/protocol.md on it. Handles that it opens are the caller's to close.

        Args:
            method: its name, such as ``index.search``
            body (None): of the request; may hold numpy arrays, ``Column`` and ``Ids``, as the reply does
        """
        reply = call(self.handle, method, body, options)
        for key in _OPENED.get(method, ()):
            if reply.get(key):
                handle, reply[key] = reply[key], reply[key][0]
                ffi.gc(handle, None)
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
