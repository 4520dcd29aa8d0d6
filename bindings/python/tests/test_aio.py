# SPDX-License-Identifier: Apache-2.0
"""asyncio: the loop is never blocked, and cancelling a task ends its call."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

import simplugin
from simplugin import _threads, aio

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """With a time limit."""

    async def limited() -> T:
        return await asyncio.wait_for(main, 30)

    return asyncio.run(limited())


def test_everything(tmp_path: Path) -> None:
    """All that the blocking interface has."""

    async def main() -> None:
        async with await aio.open_session(data_dir=tmp_path, environment={}) as session:
            async with await session.create_index(metric="euclidean", brain_key="key") as index:
                assert (await index.add(["a", "b", "c"], np.eye(3, dtype=np.float32)))["added"] == 3
                await index.set_fields(["a"], {"page": [1]})
                assert (await index.search(ids=["a"], k=1)).ids == ["a"]
                assert (await index.get(["a"], fields=True)).fields["page"] == [1]
                assert len(await index.radius(ids=["a"], radius=2)) == 1
                assert len(await index.neighbors(k=1)) == 3
                assert (await index.unique(1)).unique_ids == ["a"]
                assert (await index.duplicates(threshold=0)).duplicate_ids == []
                assert [row.id async for row in (await index.scan(max_rows=2)).rows()] == ["a", "b", "c"]
                assert [len(page) async for page in await index.scan(max_rows=2)] == [2, 1]
                async with await index.view(["b"]) as view:
                    assert view.known == 1
                    assert (await index.search(ids=["a"], view=view)).ids == ["b"]
                    assert (await index.call("index.search", {"ids": ["a"], "view": view}))["ids"] == ["b"]
                assert view.closed
                copied = await session.copy(index, {"brain_key": "copy"})
                assert copied.state["differences"] == 0
                assert await copied.index.size() == 3
                copy = await session.open_copy(index, {"brain_key": "again"})
                assert [state["phase"] async for state in copy][-1] == "done"
                assert await copy.index.size() == 3
                assert copy.closed
                assert (copy.total, copy.done) == (3, True)
                assert [run["brain_key"] for run in await session.runs.list()] == ["again", "copy", "key"]
                assert (await index.remove(["c"]))["removed"] == 1
                assert await index.size() == 2
                assert (await index.call("index.size"))["size"] == 2
                assert (await index.info())["metric"] == index.metric == "euclidean"
                assert (index.backend, index.dimension, index.existing) == ("sklearn", None, False)
                with pytest.raises(AttributeError):
                    index.metrik  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
                assert (await index.health())["version"]
                assert await index.cleanup()
            async with await session.connect() as connection:
                assert (await connection.health())["version"]
                assert "collections" in await connection.backend_call("collection.list")
            with pytest.raises(simplugin.NotFound):
                await session.open_index("nothing")
            assert "# TYPE" in await session.metrics()
        assert (await aio.backends())["default"] == "sklearn"

    run(main())


def test_the_loop_goes_on(hanging_connection: simplugin.Connection) -> None:
    """While calls hang."""

    async def main() -> float:
        tasks = [asyncio.create_task(aio.run(hanging_connection.health, timeout=20)) for _ in range(8)]
        begin = time.monotonic()
        for _ in range(20):
            await asyncio.sleep(0.005)
        waited = time.monotonic() - begin
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        return waited

    assert run(main()) < 5


def test_more_than_there_are_threads(
    index: simplugin.Index, hanging_connection: simplugin.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for one is cancelled at once, and ends with its timeout; closing waits for none."""
    monkeypatch.setattr(_threads, "_WORKERS", 8)
    monkeypatch.setattr(_threads, "for_asyncio", _threads.Pool())

    async def main() -> None:
        tasks = [asyncio.create_task(aio.run(hanging_connection.health, timeout=20)) for _ in range(10)]
        await asyncio.sleep(0.2)
        begin = time.monotonic()
        with pytest.raises(simplugin.DeadlineExceeded, match="thread") as caught:
            await aio.Index(index).size(timeout=0.1)
        assert (caught.value.code, caught.value.name) == (5, "DEADLINE_EXCEEDED")
        await aio.Index(index).close()
        assert time.monotonic() - begin < 5
        tasks[-1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(tasks[-1], 5)
        assert not any(task.done() for task in tasks[:-1])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(main())


def test_timeouts(hanging_connection: simplugin.Connection) -> None:
    """The call's own, and asyncio's."""

    async def main() -> None:
        connection = aio.Connection(hanging_connection)
        begin = time.monotonic()
        with pytest.raises(simplugin.DeadlineExceeded):
            await connection.health(timeout=0.1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.health(), 0.1)
        assert time.monotonic() - begin < 5

    run(main())


def test_many_that_hang(index: simplugin.Index, hanging_connection: simplugin.Connection) -> None:
    """Keep nobody waiting; each ends with its timeout."""

    async def main() -> None:
        async def hang() -> float:
            begin = time.monotonic()
            with pytest.raises(simplugin.DeadlineExceeded):
                await aio.run(hanging_connection.health, timeout=4)
            return time.monotonic() - begin

        tasks = [asyncio.create_task(hang()) for _ in range(100)]
        await asyncio.sleep(0.1)
        begin = time.monotonic()
        assert await aio.Index(index).size() == 3
        assert time.monotonic() - begin < 3
        assert max(await asyncio.gather(*tasks)) < 8  # 32 at a time would need 16

    run(main())


def test_the_time_of_a_late_thread(hanging_connection: simplugin.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it waited for one is not added to the call's timeout."""
    monkeypatch.setattr(_threads, "_WORKERS", 1)
    monkeypatch.setattr(_threads, "for_asyncio", _threads.Pool())

    async def main() -> float:
        begin = time.monotonic()
        outcomes = await asyncio.gather(
            aio.run(hanging_connection.health, timeout=2),
            aio.run(hanging_connection.health, timeout=3),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {simplugin.DeadlineExceeded}
        return time.monotonic() - begin

    assert run(main()) < 4.5


def test_timeouts_of_pages(index: simplugin.Index) -> None:
    """Are those that were given, not what was left of them."""

    async def main() -> None:
        cancel = simplugin.Cancel()
        async with await aio.Index(index).scan(timeout=5, cancel=cancel) as scan:
            assert scan.options == {"timeout": 5, "cancel": cancel}

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_embed(session: simplugin.Session, is_async: bool) -> None:
    """A function, which is run on a thread, or a coroutine function, which is awaited."""
    threads: list[int] = []

    def embed(texts: list[str]) -> list[list[float]]:
        threads.append(threading.get_ident())
        return [[len(text), 0] for text in texts]

    async def embed_async(texts: list[str]) -> list[list[float]]:
        await asyncio.sleep(0)
        return embed(texts)

    async def main() -> None:
        async with aio.Index(session.create_index(metric="euclidean")) as index:
            assert index.embed is None
            index.embed = embed_async if is_async else embed
            await index.add(["a", "b"], [[1, 0], [5, 0]])
            assert (await index.search(text="x", k=1)).ids == ["a"]
            assert (await index.search(text=["x", "xxxx"], k=1)).ids == ["a", "b"]
            assert (await index.search([[1, 0]], k=1)).ids == ["a"]
            index.embed = None
            with pytest.raises(simplugin.PromptUnsupported):
                await index.search(text="x")

    run(main())
    assert (set(threads) == {threading.get_ident()}) == is_async


def test_signatures(index: simplugin.Index) -> None:
    """Those of the functions that are awaited."""
    ours, theirs = inspect.signature(aio.Index.search), inspect.signature(simplugin.Index.search)
    assert ours == theirs
    assert inspect.signature(aio.create_index) == inspect.signature(simplugin.create_index)
    assert inspect.signature(aio.open_session) == inspect.signature(simplugin.Session)
    assert aio.create_index.__name__ == "create_index"
    assert aio.Index.search.__doc__ == simplugin.Index.search.__doc__
    assert inspect.iscoroutinefunction(aio.Index.search)
    assert inspect.iscoroutinefunction(aio.create_index)
    for name in dir(simplugin.Index):
        assert name.startswith("_") or hasattr(aio.Index, name) or hasattr(aio.Index(index), name), name


def test_cancelled_twice(hanging_connection: simplugin.Connection) -> None:
    """Is cancelled once, after the call has ended."""

    async def main() -> None:
        task = asyncio.create_task(aio.run(hanging_connection.health))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_token_of_the_users(hanging_connection: simplugin.Connection) -> None:
    """Ends the call as well, and is not fired by the task's end."""

    async def main() -> None:
        cancel = simplugin.Cancel()
        task = asyncio.create_task(aio.run(hanging_connection.health, cancel=cancel))
        await asyncio.sleep(0.05)
        cancel.fire()
        with pytest.raises(simplugin.Cancelled):
            await task
        other = simplugin.Cancel()
        task = asyncio.create_task(aio.run(hanging_connection.health, cancel=other))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not other.fired

    run(main())


def test_what_was_opened_is_closed(session: simplugin.Session) -> None:
    """By a call that ended well while its task was cancelled."""
    opened: list[simplugin.Index] = []
    entered, go = threading.Event(), threading.Event()

    def open_slowly(cancel: simplugin.Cancel | None = None) -> simplugin.Index:
        entered.set()
        go.wait(10)
        opened.append(session.create_index(metric="euclidean"))
        return opened[0]

    async def main() -> None:
        task = asyncio.create_task(aio.run(open_slowly))
        while not entered.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert opened[0].closed


def test_context_variables(session: simplugin.Session) -> None:
    """Callbacks see the task's."""
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    seen: list[str] = []

    async def main() -> None:
        name.set("task")
        async with aio.Index(session.create_index(metric="euclidean")) as index:
            await index.add([f"p{i}" for i in range(500)], np.ones((500, 2), np.float32))
            await index.neighbors(k=1, progress=lambda done, total: seen.append(name.get()))

    run(main())
    assert set(seen) == {"task"}
