# SPDX-License-Identifier: Apache-2.0
"""The same for asyncio: calls run on threads, and cancelling a task ends its call.

>>> import asyncio
>>> from simplugin import aio
>>> async def main() -> None:
...     async with await aio.create_index(metric="cosine") as index:
...         await index.add(["apple", "pear", "plum"], [[1, 0], [0.9, 0.1], [0, 1]])
...         hits = await index.search([[0.8, 0.2]], k=1)
...         print(hits.ids.tolist())
...         await index.cleanup()
>>> asyncio.run(main())
['pear']

A cancelled await returns when its call has ended, so that arrays that were given to it are free again.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import math
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Generic, TypeVar

from . import _threads, _wire, errors
from . import index as sync_index
from . import session as sync_session
from ._call import Handle, Options, check_timeout
from ._typing import Concatenate, ParamSpec, Self
from .cancel import Cancel
from .index import Embed
from .results import CopyState, Points, Row

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
H = TypeVar("H", bound=Handle)


async def run(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs any function of this package that takes ``cancel=`` on a thread.

    When the task is cancelled the call is ended, and what it opened nevertheless is closed. Waiting for a thread is
    part of the timeout.
    """
    cancel = Cancel(kwargs.get("cancel"))  # type: ignore[arg-type]  # pyright: ignore
    timeout = check_timeout(kwargs.get("timeout"))
    limit = None if timeout == math.inf else timeout
    begin = time.monotonic()

    def work() -> R:
        options: dict[str, Any] = {"cancel": cancel}
        if limit is not None:
            options["timeout"] = begin + limit - time.monotonic()
            if options["timeout"] <= 0:
                raise _late()
        result = function(*args, **{**kwargs, **options})  # pyright: ignore
        if isinstance(result, (sync_index.Scan, sync_session.Copy)):
            given: Any = {name: value for name, value in kwargs.items() if name in Options.__annotations__}
            result.options = given
        return result

    thread = _submitted(work)
    future = asyncio.wrap_future(thread)
    try:
        await asyncio.wait((future,), timeout=limit)
        if not future.done():
            if thread.cancel():  # it waited for a thread
                raise _late()
            await asyncio.wait((future,))
        return future.result()
    except asyncio.CancelledError:
        cancel.fire()
        if not thread.cancel():
            while not future.done():
                try:
                    await asyncio.wait((future,))
                except asyncio.CancelledError:
                    continue
            _drop(future)
        raise
    finally:
        del future, thread  # an error has this frame


def _submitted(work: Callable[[], R]) -> Future[R]:
    thread: Future[R] = Future()
    if not _threads.for_asyncio.submit(thread, work):
        raise RuntimeError("there can be no more threads")
    return thread


def _late() -> errors.DeadlineExceeded:
    words = "timeout: ran out while the call waited for a thread"
    return errors.DeadlineExceeded(words, code=5, name="DEADLINE_EXCEEDED", domain="call", retryable=True)


def _drop(future: asyncio.Future[Any]) -> None:
    if future.exception() is None:
        result = future.result()
        if isinstance(result, (sync_session.Copied, sync_session.Copy)):
            result.index.close()
        if isinstance(result, Handle):
            result.close()


def _same(result: R) -> R:
    return result


def _method(
    function: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """A method of the wrapped object, to be awaited."""
    return _opens(function, _same)


def _opens(
    function: Callable[Concatenate[Any, P], R], wrap: Callable[[R], S]
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, S]]:
    """The same of a method whose result is wrapped in turn."""

    @functools.wraps(function)
    async def method(self: _Wrapper[Any], /, *args: P.args, **kwargs: P.kwargs) -> S:
        return wrap(await run(function, self.sync, *args, **kwargs))

    return method


def _embeds(
    function: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """The same of a search, whose texts are embedded on a thread, or by what is awaited."""

    @functools.wraps(function)
    async def method(self: _Wrapper[Any], /, *args: P.args, **kwargs: P.kwargs) -> R:
        text: Any = kwargs.get("text")
        embed = self.sync.embed
        if text is None or embed is None:
            return await run(function, self.sync, *args, **kwargs)
        texts = [text] if isinstance(text, str) else list(text)
        vectors = await asyncio.wrap_future(_submitted(lambda: embed(texts)))
        if inspect.isawaitable(vectors):
            vectors = await vectors
        search: Any = partial(function, self.sync, **{**kwargs, "vectors": vectors, "text": None})  # pyright: ignore
        return await run(search)

    return method


class _Wrapper(Generic[T]):
    """Something whose methods are awaited, with the attributes of what it wraps."""

    __slots__ = ("sync",)

    def __init__(self, sync: T) -> None:
        self.sync = sync
        """The object of the package itself."""

    def __repr__(self) -> str:
        return f"<asyncio {self.sync!r}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("_") or name == "sync":
                raise AttributeError(name)
            return getattr(self.sync, name)


class _Handle(_Wrapper[H], _wire.Handled):
    """One that is closed."""

    __slots__ = ()

    closed: bool

    call = _method(Handle.call)

    @property
    def handle(self) -> int:  # type: ignore[override]
        """The library's number for it."""
        return self.sync.handle

    async def close(self) -> None:
        """Closes it, at once: later calls are refused. Those in it go on to their end; then what it holds is freed."""
        thread: Future[None] = Future()
        if _threads.for_closing.submit(thread, self.sync.close):
            await asyncio.shield(asyncio.wrap_future(thread))
        else:
            self.sync.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()


class View(_Handle[sync_index.View]):
    """A set of ids that restricts searches."""

    __slots__ = ()

    known: int


class Scan(_Handle[sync_index.Scan]):
    """An iteration over an index: ``async for page in await index.scan()``, or ``async for row in (...).rows()``."""

    __slots__ = ()

    done: bool
    options: Options

    next = _method(sync_index.Scan.next)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Points:
        if self.sync.done:
            await self.close()
            raise StopAsyncIteration
        return await self.next(**self.sync.options)

    async def rows(self) -> AsyncIterator[Row]:
        """The points one by one."""
        async for page in self:
            for row in page:
                yield row


class Index(_Handle[sync_index.Index]):
    """One collection of a backend under a metric. Its ``embed`` may be a coroutine function."""

    __slots__ = ()

    backend: str
    collection_name: str
    metric: str | None
    dimension: int | None
    brain_key: str | None
    dataset: str | None
    existing: bool
    patches_field: str | None
    patches: bool
    model: str | None
    supports_prompts: bool

    @property
    def embed(self) -> Embed | None:
        """Makes vectors of texts, for ``search(text=...)``."""
        return self.sync.embed

    @embed.setter
    def embed(self, embed: Embed | None) -> None:
        self.sync.embed = embed

    add = _method(sync_index.Index.add)
    set_fields = _method(sync_index.Index.set_fields)
    remove = _method(sync_index.Index.remove)
    get = _method(sync_index.Index.get)
    size = _method(sync_index.Index.size)
    search = _embeds(sync_index.Index.search)
    radius = _method(sync_index.Index.radius)
    neighbors = _method(sync_index.Index.neighbors)
    duplicates = _method(sync_index.Index.duplicates)
    unique = _method(sync_index.Index.unique)
    view = _opens(sync_index.Index.view, View)
    scan = _opens(sync_index.Index.scan, Scan)
    info = _method(sync_index.Index.info)
    capabilities = _method(sync_index.Index.capabilities)
    cleanup = _method(sync_index.Index.cleanup)
    check = _method(sync_index.Index.check)
    compact = _method(sync_index.Index.compact)
    backup = _method(sync_index.Index.backup)
    health = _method(sync_index.Index.health)
    backend_call = _method(sync_index.Index.backend_call)


class Connection(_Handle[sync_session.Connection]):
    """One backend, without an index."""

    __slots__ = ()

    backend: str

    health = _method(sync_session.Connection.health)
    backend_call = _method(sync_session.Connection.backend_call)


class Copy(_Handle[sync_session.Copy]):
    """A copy under way: ``async for state in await open_copy(...)``."""

    __slots__ = ()

    done: bool
    losses: list[dict[str, Any]]
    options: Options
    resumed: int
    state: CopyState | None
    total: int

    next = _method(sync_session.Copy.next)

    @property
    def index(self) -> Index:
        """The target; it stays open when the copy is closed."""
        return Index(self.sync.index)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CopyState:
        if self.sync.done:
            await self.close()
            raise StopAsyncIteration
        return await self.next(**self.sync.options)


@dataclass(frozen=True)
class Copied:
    """What ``copy`` returns."""

    index: Index
    """The target."""
    state: CopyState
    """What the last step answered; its ``differences`` is 0 if both sides are the same."""


def _copied(copied: sync_session.Copied) -> Copied:
    return Copied(Index(copied.index), copied.state)


class Runs(_Wrapper[sync_session.Runs]):
    """The records of brain runs."""

    __slots__ = ()

    list = _method(sync_session.Runs.list)
    info = _method(sync_session.Runs.info)
    load = _opens(sync_session.Runs.load, Index)
    rename = _method(sync_session.Runs.rename)
    delete = _method(sync_session.Runs.delete)


class Session(_Handle[sync_session.Session]):
    """A configuration of its own; made by ``open_session``."""

    __slots__ = ()

    @property
    def runs(self) -> Runs:
        """The records of brain runs."""
        return Runs(self.sync.runs)

    create_index = _opens(sync_session.Session.create_index, Index)
    open_index = _opens(sync_session.Session.open_index, Index)
    connect = _opens(sync_session.Session.connect, Connection)
    copy = _opens(sync_session.Session.copy, _copied)
    open_copy = _opens(sync_session.Session.open_copy, Copy)
    copy_dry_run = _method(sync_session.Session.copy_dry_run)
    resolve = _method(sync_session.Session.resolve)
    explain = _method(sync_session.Session.explain)
    backends = _method(sync_session.Session.backends)
    describe = _method(sync_session.Session.describe)
    metrics = _method(sync_session.Session.metrics)


def _opener(session: Callable[P, sync_session.Session]) -> Callable[P, Coroutine[Any, Any, Session]]:
    async def open_session(*args: P.args, **kwargs: P.kwargs) -> Session:
        return Session(await run(session, *args, **kwargs))

    functools.update_wrapper(open_session, sync_session.Session.__init__, ("__annotations__", "__doc__"), ())
    open_session.__signature__ = inspect.signature(session)  # type: ignore[attr-defined]  # pyright: ignore
    return open_session


open_session = _opener(sync_session.Session)

default_session = Session(sync_session.default_session)
"""The session of the functions below."""

create_index = default_session.create_index
open_index = default_session.open_index
connect = default_session.connect
copy = default_session.copy
open_copy = default_session.open_copy
copy_dry_run = default_session.copy_dry_run
resolve = default_session.resolve
explain = default_session.explain
backends = default_session.backends
describe = default_session.describe
metrics = default_session.metrics
call = default_session.call
runs = default_session.runs
