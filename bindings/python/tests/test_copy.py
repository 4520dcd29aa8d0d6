# SPDX-License-Identifier: Apache-2.0
"""R276: copies, with progress and with stopping."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import simplugin
from simplugin import CopyState

COUNT = 20_000


@pytest.fixture
def source(session: simplugin.Session) -> Iterator[simplugin.Index]:
    """Points with fields."""
    with session.create_index(metric="euclidean", brain_key="source") as index:
        rows = np.random.default_rng(1).random((COUNT, 16), np.float32)
        index.add([f"p{i:05}" for i in range(COUNT)], rows, fields={"n": np.arange(COUNT)})
        yield index


TARGET = {"brain_key": "target", "collection_name": "target"}
SMALL = 2048  # bytes of a page: more than a step of work


def test_to_the_end(session: simplugin.Session, source: simplugin.Index) -> None:
    """The callback gets each state."""
    states: list[CopyState] = []
    copied = session.copy(source, TARGET, each=states.append, verify="all")
    assert copied.state["phase"] == "done"
    assert copied.state["verified"] == COUNT
    assert copied.state["differences"] == 0
    assert states[-1] == copied.state
    assert copied.index.size() == COUNT
    assert copied.index.get(["p00007"], fields=["n"]).fields["n"] == [7]
    assert [run["brain_key"] for run in session.runs.list()] == ["source", "target"]
    with pytest.raises(simplugin.AlreadyExists):
        session.copy(source, TARGET)
    copied.index.cleanup()


def test_dry_run(session: simplugin.Session, source: simplugin.Index) -> None:
    """Makes nothing."""
    told = session.copy_dry_run(source, {**TARGET, "metric": "cosine"})
    assert told["total"] == COUNT
    assert any(loss["what"] == "metric" for loss in told["losses"]) or told["losses"] == []
    assert "copy" not in told
    with pytest.raises(simplugin.NotFound):
        session.open_index("target")


def test_stopped_and_gone_on_with(session: simplugin.Session, source: simplugin.Index) -> None:
    """What the callback raises ends the copy; the same call goes on."""
    seen: list[int] = []

    def stop(state: CopyState) -> None:
        seen.append(state["copied"])
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        session.copy(source, TARGET, each=stop, batch_bytes=SMALL)
    assert len(seen) == 1
    assert 0 < seen[0] < COUNT
    copied = session.copy(source, TARGET)
    assert copied.state["copied"] == COUNT
    assert copied.index.size() == COUNT
    copied.index.cleanup()


def test_cancelled(session: simplugin.Session, source: simplugin.Index) -> None:
    """From the callback, as from any other thread."""
    cancel = simplugin.Cancel()
    with pytest.raises(simplugin.Cancelled):
        session.copy(source, TARGET, each=lambda state: cancel.fire(), batch_bytes=SMALL, cancel=cancel)
    session.copy(source, TARGET).index.cleanup()


def test_stepped(session: simplugin.Session, source: simplugin.Index) -> None:
    """By the caller."""
    with session.open_copy(source, TARGET) as copy:
        assert (copy.total, copy.resumed, copy.losses) == (COUNT, 0, [])
        with pytest.raises(simplugin.Busy):
            session.open_copy(source, TARGET)
        phases = [state["phase"] for state in copy]
        assert phases[-1] == "done"
        assert copy.done
        assert copy.closed
        assert copy.index.size() == COUNT
        copy.index.cleanup()
