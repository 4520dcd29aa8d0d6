# SPDX-License-Identifier: Apache-2.0
"""FiftyOne on a database and folders of its own, and datasets of digits.

Run under tests/servers/mongodb.py, with a Python that has requirements-fiftyone.txt. Nothing here imports
FiftyOne before pytest_configure has arranged its environment.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import backends
import ground
import pytest

if TYPE_CHECKING:
    import app
    import datasets
    import fiftyone as fo

FOLDER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """The environment, before a test module imports FiftyOne."""
    folder = tempfile.mkdtemp(prefix="simplugin-fiftyone-")
    config.stash[FOLDER] = folder
    try:
        ground.enter(folder)
    except ground.NoDatabaseError as error:
        raise pytest.UsageError(str(error)) from None
    # FiftyOne and what it stands on warn of much; of ours nothing may
    config.addinivalue_line("filterwarnings", "ignore")
    config.addinivalue_line("filterwarnings", "error:::simplugin")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing is left behind."""
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> str:
    """Where FiftyOne's files are in this session."""
    return pytestconfig.stash[FOLDER]


@pytest.fixture(scope="session")
def source(folder: str) -> "Iterator[datasets.Source]":
    """The digits as files, to make datasets of; when the session ends, so does its database."""
    import datasets
    import digits
    from fiftyone.core.odm.database import drop_database

    written = digits.write(os.path.join(folder, "images"), os.environ[ground.CAPTIONS])
    source = datasets.Source(written)
    source.fill_zoo()
    yield source
    drop_database()


@pytest.fixture
def dataset(source: "datasets.Source") -> "Iterator[Callable[..., fo.Dataset]]":
    """Makes datasets: `dataset()`, or with count=, name=, stored=; see Source.create."""
    made = []

    def make(*arguments: "int | str | bool", **more: "int | str | bool") -> "fo.Dataset":
        made.append(source.create(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        if not one.deleted:
            one.delete()


@pytest.fixture(autouse=True)
def connections() -> "Iterator[None]":
    """Closes what FiftyOne's own backend for Milvus leaves open.

    pymilvus pings through each every ten seconds, until Milvus Lite's gRPC ends the connection that they share
    ("too_many_pings") and with it whatever a later test asks through it.
    """
    yield
    if pymilvus := sys.modules.get("pymilvus"):
        for alias, _ in pymilvus.connections.list_connections():
            pymilvus.connections.remove_connection(alias)


@pytest.fixture(params=backends.NAMES)
def backend(request: pytest.FixtureRequest) -> "Iterator[backends.Backend]":
    """Each backend in turn, simplugin's behind its name and not FiftyOne's own."""
    import simplugin.fiftyone

    simplugin.fiftyone.enable()
    one = backends.Backend(request.param)
    yield one
    one.drop_new()
    simplugin.fiftyone.disable()


@pytest.fixture
def quickstart(source: "datasets.Source") -> "Iterator[fo.Dataset]":
    """A new quickstart of 200 samples, as the documents load it."""
    import fiftyone.zoo as foz

    dataset = foz.load_zoo_dataset("quickstart", drop_existing_dataset=True)
    dataset.persistent = True
    yield dataset
    if not dataset.deleted:
        dataset.delete()


@pytest.fixture(scope="session")
def browser(folder: str) -> "Iterator[app.Browser]":
    """Chromium, for all tests."""
    import app

    if lacking := app.missing_programs():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no " + " and no ".join(lacking))
    with app.Browser(folder) as browser:
        yield browser


@pytest.fixture
def app(folder: str, browser: "app.Browser") -> "Iterator[app.App]":
    """The App, with a server that knows the brain config of now."""
    from app import App, Server

    with Server(folder) as server:
        yield App(server, browser)
