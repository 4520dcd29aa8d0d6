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
import contextvars
from collections.abc import AsyncIterator, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Generic, TypeVar

from . import _threads
from . import index as sync_index
from . import session as sync_session
from ._call import Handle
from .cancel import Cancel

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Concatenate, ParamSpec, Self

    from .results import CopyState, Points, Row

    P = ParamSpec("P")
else:
    P = TypeVar("P")

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
H = TypeVar("H", bound=Handle)


async def run(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs any function of this package that takes ``cancel=`` on a thread.

    When the task is cancelled the call is ended, and what it opened nevertheless is closed.
    """
    cancel = Cancel(kwargs.get("cancel"))  # type: ignore[arg-type]  # pyright: ignore
    kwargs["cancel"] = cancel
    work = partial(function, *args, **kwargs)
    context = contextvars.copy_context()
    thread = _threads.for_asyncio.submit(lambda: context.run(work))
    future = asyncio.wrap_future(thread)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if thread.cancel():  # it waited for a thread
            raise
        cancel.fire()
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        _drop(future)
        raise


def _drop(future: asyncio.Future[Any]) -> None:
    if future.exception() is None:
        result = future.result()
        if isinstance(result, (sync_session.Copied, sync_session.Copy)):
            result.index.close()
        if isinstance(result, Handle):
            result.close()


class _Method(Generic[P, R]):
    """A method of the wrapped object, to be awaited."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: _Wrapper[Any], owner: object = None) -> Callable[P, Coroutine[Any, Any, R]]:
        async def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return await run(self._function, instance.sync, *args, **kwargs)

        bound.__doc__ = self.__doc__
        return bound


class _Opens(Generic[P, R, S]):
    """The same of a method whose result is wrapped in turn."""

    def __init__(self, function: Callable[Concatenate[Any, P], R], wrap: Callable[[R], S]) -> None:
        self._function = function
        self._wrap = wrap
        self.__doc__ = function.__doc__

    def __get__(self, instance: _Wrapper[Any], owner: object = None) -> Callable[P, Coroutine[Any, Any, S]]:
        async def bound(*args: P.args, **kwargs: P.kwargs) -> S:
            return self._wrap(await run(self._function, instance.sync, *args, **kwargs))

        bound.__doc__ = self.__doc__
        return bound


class _Wrapper(Generic[T]):
    """Something whose methods are awaited."""

    __slots__ = ("sync",)

    def __init__(self, sync: T) -> None:
        self.sync = sync
        """The object of the package itself, with its attributes."""

    def __repr__(self) -> str:
        return f"<asyncio {self.sync!r}>"


class _Handle(_Wrapper[H]):
    """One that is closed."""

    __slots__ = ()

    call = _Method(Handle.call)

    async def close(self) -> None:
        """Closes it; calls that are in it end first."""
        await asyncio.shield(asyncio.wrap_future(_threads.for_asyncio.submit(self.sync.close)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()


class Scan(_Handle[sync_index.Scan]):
    """An iteration over an index: ``async for page in await index.scan()``, or ``async for row in (...).rows()``."""

    __slots__ = ()

    next = _Method(sync_index.Scan.next)

    async def __aiter__(self) -> AsyncIterator[Points]:
        async with self:
            while not self.sync.done:
                yield await self.next(**self.sync.options)

    async def rows(self) -> AsyncIterator[Row]:
        """The points one by one."""
        async for page in self:
            for row in page:
                yield row


class Index(_Handle[sync_index.Index]):
    """One collection of a backend under a metric; its attributes are those of ``index.sync``."""

    __slots__ = ()

    add = _Method(sync_index.Index.add)
    set_fields = _Method(sync_index.Index.set_fields)
    remove = _Method(sync_index.Index.remove)
    get = _Method(sync_index.Index.get)
    size = _Method(sync_index.Index.size)
    search = _Method(sync_index.Index.search)
    radius = _Method(sync_index.Index.radius)
    neighbors = _Method(sync_index.Index.neighbors)
    duplicates = _Method(sync_index.Index.duplicates)
    unique = _Method(sync_index.Index.unique)
    view = _Method(sync_index.Index.view)
    scan = _Opens(sync_index.Index.scan, Scan)
    info = _Method(sync_index.Index.info)
    capabilities = _Method(sync_index.Index.capabilities)
    cleanup = _Method(sync_index.Index.cleanup)
    check = _Method(sync_index.Index.check)
    compact = _Method(sync_index.Index.compact)
    backup = _Method(sync_index.Index.backup)
    health = _Method(sync_index.Index.health)
    backend_call = _Method(sync_index.Index.backend_call)


class Connection(_Handle[sync_session.Connection]):
    """One backend, without an index."""

    __slots__ = ()

    health = _Method(sync_session.Connection.health)
    backend_call = _Method(sync_session.Connection.backend_call)


class Copy(_Handle[sync_session.Copy]):
    """A copy under way: ``async for state in await open_copy(...)``."""

    __slots__ = ()

    next = _Method(sync_session.Copy.next)

    async def __aiter__(self) -> AsyncIterator[CopyState]:
        async with self:
            while not self.sync.done:
                yield await self.next(**self.sync.options)


class Runs(_Wrapper[sync_session.Runs]):
    """The records of brain runs."""

    __slots__ = ()

    list = _Method(sync_session.Runs.list)
    info = _Method(sync_session.Runs.info)
    load = _Opens(sync_session.Runs.load, Index)
    rename = _Method(sync_session.Runs.rename)
    delete = _Method(sync_session.Runs.delete)


class Session(_Handle[sync_session.Session]):
    """A configuration of its own; made by ``open_session``. Indexes are given to copies as ``index.sync``."""

    __slots__ = ("runs",)

    def __init__(self, sync: sync_session.Session) -> None:
        super().__init__(sync)
        self.runs = Runs(sync.runs)

    create_index = _Opens(sync_session.Session.create_index, Index)
    open_index = _Opens(sync_session.Session.open_index, Index)
    connect = _Opens(sync_session.Session.connect, Connection)
    copy = _Method(sync_session.Session.copy)
    open_copy = _Opens(sync_session.Session.open_copy, Copy)
    copy_dry_run = _Method(sync_session.Session.copy_dry_run)
    resolve = _Method(sync_session.Session.resolve)
    explain = _Method(sync_session.Session.explain)
    backends = _Method(sync_session.Session.backends)
    describe = _Method(sync_session.Session.describe)
    metrics = _Method(sync_session.Session.metrics)


async def open_session(**settings: Any) -> Session:
    """``simplugin.Session`` with its keywords."""
    return Session(await run(sync_session.Session, **settings))


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
