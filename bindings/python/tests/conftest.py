# SPDX-License-Identifier: Apache-2.0
"""What all tests have: an environment that decides nothing, a session of their own, a server that hangs."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# before simplugin is imported: what the user's environment says is not what is tested
SERVERS = {
    name: os.environ[name] for name in ("SIMPLUGIN_TEST_MILVUS_URI", "SIMPLUGIN_TEST_QDRANT_URL") if name in os.environ
}
for _name in list(os.environ):
    if _name.startswith(("FIFTYONE_", "SIMPLUGIN_")) and not _name.startswith(("SIMPLUGIN_PATH", "SIMPLUGIN_TEST_")):
        del os.environ[_name]
_home = tempfile.TemporaryDirectory(prefix="simplugin-python-")
os.environ["HOME"] = os.environ["XDG_DATA_HOME"] = _home.name
os.environ["SIMPLUGIN_DATA"] = _home.name + "/data"

import simplugin  # noqa: E402


@pytest.fixture
def session(tmp_path: Path) -> Iterator[simplugin.Session]:
    """A session that follows nothing of the environment."""
    with simplugin.Session(data_dir=tmp_path / "data", environment={}) as session:
        yield session


@pytest.fixture
def index(session: simplugin.Session) -> Iterator[simplugin.Index]:
    """Three points: a at (1, 0), b at (0, 1), c at (1, 1)."""
    with session.create_index(metric="euclidean") as index:
        index.add(["a", "b", "c"], [[1, 0], [0, 1], [1, 1]], fields={"page": [1, 2, None]})
        yield index


@pytest.fixture
def own_handler() -> Iterator[None]:
    """A SIGINT handler of the user's, so that the main thread's calls are made aside."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def hanging_connection(session: simplugin.Session, hanging: str) -> Iterator[simplugin.Connection]:
    """A connection whose calls do not end by themselves."""
    with session.connect("qdrant", {"url": hanging}) as connection:
        yield connection
