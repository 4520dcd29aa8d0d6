# SPDX-License-Identifier: Apache-2.0
"""Arrays that were given to a call are free after it, also where it failed and nobody collects garbage."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import simplugin
from simplugin import aio

IDS = [f"p{i}" for i in range(20000)]


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Array(np.ndarray[Any, Any]):
    """One that can be referred to weakly."""


def is_released(add: Callable[[Any], object], error: type[Exception]) -> bool:
    """Whether the array is free after the call has failed."""
    rows: Any = np.ones((len(IDS), 4), np.float32).view(Array)
    gone = weakref.ref(rows)
    with contextlib.suppress(error):
        add(rows)
        pytest.fail("did not fail")
    del rows
    return gone() is None


def fail(done: int, total: int) -> None:
    """A progress callback."""
    raise ZeroDivisionError


@pytest.mark.parametrize("is_own", [False, True], ids=["default", "own handler"])
def test_calls(session: simplugin.Session, is_own: bool, request: pytest.FixtureRequest) -> None:
    """By the library, and by progress."""
    if is_own:
        request.getfixturevalue("own_handler")
    with session.create_index(metric="euclidean") as index:
        assert is_released(lambda rows: index.add(IDS[1:], rows), simplugin.InvalidArgument)
        assert is_released(lambda rows: index.add(IDS, rows, progress=fail), ZeroDivisionError)
        assert is_released(lambda rows: index.add(IDS, rows, timeout="soon"), TypeError)  # type: ignore[arg-type]  # pyright: ignore


def test_aio(session: simplugin.Session) -> None:
    """Awaited ones."""

    async def main() -> None:
        async with aio.Index(session.create_index(metric="euclidean")) as index:

            async def check(error: type[Exception] | None, ids: list[str], **options: Any) -> None:
                rows: Any = np.ones((len(IDS), 4), np.float32).view(Array)
                gone = weakref.ref(rows)
                with contextlib.suppress(*([error] if error else [])):
                    await index.add(ids, rows, **options)
                    assert error is None
                del rows
                # the thread that called lets go of them after it has told the loop
                for _ in range(1000):
                    if gone() is None:
                        break
                    await asyncio.sleep(0.01)
                assert gone() is None

            await check(simplugin.InvalidArgument, IDS[1:])
            await check(ZeroDivisionError, IDS, progress=fail)
            await check(None, IDS)

    asyncio.run(main())
