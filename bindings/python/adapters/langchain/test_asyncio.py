# SPDX-License-Identifier: Apache-2.0
"""asyncio: many calls at a time, the loop never blocked, and cancelling ends a call."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Make
from embedding import Places

from simplugin.langchain import SimpluginVectorStore


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_many_at_a_time(make: Make) -> None:
    """Additions, searches and deletions of one store together: nothing is lost, and each gets its own answer."""
    store = make(open=False)
    texts = [f"text {n}" for n in range(320)]
    added = await asyncio.gather(
        *(
            store.aadd_texts(texts[n : n + 20], [{"n": i} for i in range(n, n + 20)], ids=texts[n : n + 20])
            for n in range(0, 320, 20)
        )
    )
    assert [id for ids in added for id in ids] == texts
    assert len(await store.aids()) == 320

    async def one(n: int) -> None:
        found = await store.asimilarity_search(texts[n], k=1, filter={"n": {"$gte": 0}})
        assert found[0].metadata == {"n": n}
        assert [document.id for document in await store.aget_by_ids([texts[n]])] == [texts[n]]
        if n % 2:
            await store.adelete([texts[n]])

    await asyncio.gather(*(one(n) for n in range(60)))
    assert len(await store.aids()) == 290


async def test_opened_once(make: Make) -> None:
    """The first uses of a store that is not open wait for one opening."""
    store = make(open=False)
    assert await asyncio.gather(*(store.asimilarity_search("x") for _ in range(8))) == [[]] * 8
    handle = store.index.handle
    await store.aadd_texts(["x"])
    assert store.index.handle == handle


@pytest.mark.parametrize("what", ["open", "find"])
async def test_the_loop_goes_on(hanging: str, what: str) -> None:
    """While calls hang the loop does other things; a task that is cancelled ends its call at once."""
    settings: Any = {"backend": "qdrant", "parameters": {"url": hanging, "timeout_ms": 20_000, "retry_ms": 0}}
    store = SimpluginVectorStore(Places(), open=False, **settings)
    work = {
        "open": lambda: SimpluginVectorStore.afrom_texts(["a"], Places(), **settings),
        "find": lambda: store.asimilarity_search("a"),
    }[what]
    tasks = [asyncio.create_task(work()) for _ in range(4)]  # type: ignore[no-untyped-call]
    begin = time.monotonic()
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert time.monotonic() - begin < 2
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await store.aclose()


async def test_timeout(hanging: str) -> None:
    """A timeout holds for all that a call does, opening included."""
    store = SimpluginVectorStore(Places(), backend="qdrant", parameters={"url": hanging, "retry_ms": 0}, open=False)
    with pytest.raises(TimeoutError):
        await store.asimilarity_search("a", timeout=0.2)
    with pytest.raises(TimeoutError):
        store.add_texts(["a"], timeout=0.2)
