# SPDX-License-Identifier: Apache-2.0
"""The exception tree."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
from pathlib import Path

import pytest

import simplugin
from simplugin import aio, errors

SOURCE = Path(__file__).resolve().parents[3] / "include" / "simplugin" / "plugin.h"


def test_what_an_error_carries(index: simplugin.Index) -> None:
    """R277: code, name, message, domain, the backend's own, retryable, details."""
    with pytest.raises(simplugin.NotFound) as caught:
        index.get(["nobody"], allow_missing=False)
    error = caught.value
    assert (error.code, error.name) == (2, "NOT_FOUND")
    assert str(error) == error.message
    assert "nobody" in error.message
    assert error.domain
    assert error.retryable is False
    assert error.detail("id") == "nobody"
    assert ("id", "nobody") in error.details
    assert error.detail("nothing") is None
    assert isinstance(error, LookupError)


def test_backends_own_words(session: simplugin.Session) -> None:
    """R277: what cannot be reached may be tried again."""
    with session.connect("qdrant", {"url": "http://127.0.0.1:1", "timeout_ms": 2000}) as connection:
        with pytest.raises(simplugin.ConnectionError_) as refused:
            connection.health()
        assert refused.value.domain == "qdrant"
        assert refused.value.retryable
        assert isinstance(refused.value, ConnectionError)


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_errors_travel(index: simplugin.Index, again: object) -> None:
    """Between processes, and in a list."""
    with pytest.raises(simplugin.NotFound) as caught:
        index.get(["nobody"], allow_missing=False)
    other = again(caught.value)  # type: ignore[operator]  # pyright: ignore
    assert type(other) is simplugin.NotFound
    assert other.__dict__ == caught.value.__dict__
    assert str(other) == str(caught.value)


def test_every_code_has_its_class() -> None:
    """The header's codes, all of them."""
    names = {
        line.split()[1].removeprefix("SIMPLUGIN_")
        for line in SOURCE.read_text().split("/* ---- tensors")[0].splitlines()
        if re.match(r"#define SIMPLUGIN_\w+ \d+\b", line)
    }
    assert names - {"OK"} == set(errors._CLASSES)
    assert len(names) == 39


def test_the_tree() -> None:
    """Classes that Python's users expect."""
    for ours, theirs in (
        (simplugin.DeadlineExceeded, TimeoutError),
        (simplugin.ConnectionError_, ConnectionError),
        (simplugin.InvalidArgument, ValueError),
        (simplugin.DimensionMismatch, ValueError),
        (simplugin.NotFound, LookupError),
        (simplugin.OutOfMemory, MemoryError),
        (simplugin.IOError_, OSError),
        (simplugin.PermissionDenied, PermissionError),
        (simplugin.Unimplemented, NotImplementedError),
        (simplugin.BackendUnknown, simplugin.LoaderError),
    ):
        assert issubclass(ours, theirs)
        assert issubclass(ours, simplugin.SimpluginError)
        assert str(ours("words", code=1)) == "words"


def test_an_option_that_does_not_exist(index: simplugin.Index) -> None:
    """A TypeError that names function and argument, as for any function."""
    for name, call in (
        ("size", lambda: index.size(timout=1)),  # type: ignore[call-arg]  # pyright: ignore
        ("copy", lambda: simplugin.copy(index, {}, timout=1)),  # type: ignore[call-arg]  # pyright: ignore
        ("search", lambda: asyncio.run(aio.Index(index).search([[1, 0]], timout=1))),  # type: ignore[call-arg]  # pyright: ignore
        ("call", lambda: simplugin.call("backends.list", timout=1)),  # type: ignore[call-arg]  # pyright: ignore
    ):
        with pytest.raises(TypeError, match=rf"\b{name}\(\) got an unexpected keyword argument 'timout'"):
            call()


def test_numbers_that_cannot_be_sent(index: simplugin.Index) -> None:
    """The argument is named."""
    for k in (2**70, -(2**70)):
        with pytest.raises(ValueError, match=rf"^k: {k} is beyond 64 bits"):
            index.search([[1, 0]], k=k)
    with pytest.raises(TypeError, match=r"^parameters: a complex"):
        index.search([[1, 0]], parameters={"x": 1j})


def test_paths(tmp_path: Path) -> None:
    """One or several, as text, bytes or what has __fspath__."""
    for path in (tmp_path, str(tmp_path), bytes(tmp_path), [tmp_path], (str(tmp_path),)):
        with simplugin.Session(plugin_path=path, data_dir=bytes(tmp_path), environment={}) as session:  # type: ignore[arg-type]  # pyright: ignore
            assert session.explain()["searched"][0].startswith(str(tmp_path))
