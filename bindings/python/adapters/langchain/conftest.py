# SPDX-License-Identifier: Apache-2.0
"""What all tests have: an environment that decides nothing, the backends there are, and stores on them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Callable

import pytest

# before simplugin is imported: what the user's environment says is not what is tested
SERVERS = {"milvus": ("uri", "SIMPLUGIN_TEST_MILVUS_URI"), "qdrant": ("url", "SIMPLUGIN_TEST_QDRANT_URL")}
BACKENDS: dict[str, dict[str, Any]] = {"sklearn": {}}
for _name, (_parameter, _variable) in SERVERS.items():
    if _variable in os.environ:
        BACKENDS[_name] = {_parameter: os.environ[_variable]}
    elif os.environ.get("CI"):
        raise pytest.UsageError(f"{_variable} names no server")
for _name in list(os.environ):
    if _name.startswith(("FIFTYONE_", "SIMPLUGIN_")) and not _name.startswith(("SIMPLUGIN_PATH", "SIMPLUGIN_TEST_")):
        del os.environ[_name]
_home = tempfile.TemporaryDirectory(prefix="simplugin-langchain-")
os.environ["HOME"] = os.environ["XDG_DATA_HOME"] = _home.name
os.environ["SIMPLUGIN_DATA"] = _home.name + "/data"

from embedding import MiniLMEmbeddings, Places  # noqa: E402

import simplugin  # noqa: E402
from simplugin.langchain import SimpluginVectorStore  # noqa: E402

Make = Callable[..., SimpluginVectorStore]


@pytest.fixture(params=list(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend that there is."""
    name: str = request.param
    return name


@pytest.fixture
def parameters(backend: str) -> dict[str, Any]:
    """Where its server is."""
    return dict(BACKENDS[backend])


@pytest.fixture
def make(backend: str, parameters: dict[str, Any]) -> Iterator[Make]:
    """Makes empty stores on the backend, and drops them at the end."""
    made: list[SimpluginVectorStore] = []

    def store(embedding: Any = None, **settings: Any) -> SimpluginVectorStore:
        settings = {"backend": backend, "parameters": parameters, "metric": "cosine", **settings}
        made.append(SimpluginVectorStore(embedding or Places(), **settings))
        return made[-1]

    yield store
    for one in made:
        with suppress(simplugin.StaleHandle):  # closed by the test, which has seen to it
            one.delete_collection()
        one.close()


@pytest.fixture
def store(make: Make) -> SimpluginVectorStore:
    """An empty store."""
    return make()


@pytest.fixture(scope="session")
def minilm() -> MiniLMEmbeddings:
    """The model, loaded once."""
    return MiniLMEmbeddings()
