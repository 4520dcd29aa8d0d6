# SPDX-License-Identifier: Apache-2.0
"""The clients of a backend's own SDK, where that is installed, and what stands in for them elsewhere."""

from __future__ import annotations

import os
import warnings
from typing import Any

import fiftyone.brain as fb

import simplugin

from .config import BackendSimilarityConfig, declared
from .index import BackendSimilarityIndex

# parameters that pymilvus calls the same
PYMILVUS = (
    *("uri", "user", "password", "token", "secure", "db_name", "server_name"),
    *("client_key_path", "client_pem_path", "ca_pem_path", "server_pem_path"),
)


def settings(config: BackendSimilarityConfig) -> dict[str, Any]:
    """The connection's parameters, with what environment and file say now, for another client."""
    found = dict(fb.brain_config.similarity_backends.get(config.backend, {}))
    prefix = f"FIFTYONE_BRAIN_SIMILARITY_{config.backend.upper()}_"
    found.update((name[len(prefix) :].lower(), value) for name, value in os.environ.items() if name.startswith(prefix))
    found.update(config.parameters())
    known = declared(config.backend)
    given = {name: value for name, value in found.items() if name in known and value is not None}
    return {name: str(value) if known[name]["type"] == "text" else value for name, value in given.items()}


class Collection:
    """A collection as its backend describes it."""

    def __init__(self, index: simplugin.Index) -> None:
        self._index = index
        self.name = index.collection_name

    @property
    def num_entities(self) -> int:
        """How many points there are, exactly."""
        return self._index.size()

    def describe(self) -> dict[str, Any]:
        """Dimension, metric, fields and what else is worth knowing."""
        return self._index.backend_call("collection.describe", {"collection": self.name})

    def __repr__(self) -> str:
        return f"<Collection {self.name!r}: {self.describe() if self.num_entities else 'empty'}>"


class Client:
    """What a backend has, through the library: no SDK is installed."""

    def __init__(self, index: simplugin.Index) -> None:
        self._index = index

    def get_collections(self) -> list[str]:
        """The names of all collections."""
        names: list[str] = self._index.backend_call("collection.list")["collections"]
        return names

    def get_collection(self, name: str) -> dict[str, Any]:
        """What a collection is."""
        return self._index.backend_call("collection.describe", {"collection": name})

    def __repr__(self) -> str:
        return f"<Client of {self._index.backend}: {self._index.health()}>"


def connect_pymilvus(index: BackendSimilarityIndex) -> str | None:
    """Makes a connection of pymilvus's for this index, and "default" where there is none.

    Returns:
        the connection's alias, or None if pymilvus is not installed
    """
    try:
        from pymilvus import connections
    except ImportError:
        return None
    given = settings(index.config)
    arguments = {name: given[name] for name in PYMILVUS if name in given}
    if "uri" not in arguments:
        arguments["uri"] = f"http://{given.get('host', 'localhost')}:{given.get('port', 19530)}"
    own = f"simplugin-{id(index)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymilvus warns of what the documented example calls
        for alias in ("default", own):
            if not connections.has_connection(alias):
                connections.connect(alias, **arguments)
    return own


def milvus_collection(index: BackendSimilarityIndex) -> Any:
    """The collection as pymilvus has it; None if there is none yet."""
    alias = connect_pymilvus(index)
    if alias is None:
        return Collection(index._index)
    from pymilvus import Collection as Theirs
    from pymilvus import utility

    name = index.config.collection_name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Theirs(name, using=alias) if utility.has_collection(name, using=alias) else None


def qdrant_client(index: BackendSimilarityIndex) -> Any:
    """qdrant-client's client of the server."""
    try:
        from qdrant_client import QdrantClient
    except ImportError:
        return Client(index._index)
    given = settings(index.config)
    url = given.get("url") or f"http://{given.get('host', 'localhost')}:{given.get('port', 6333)}"
    return QdrantClient(url=url, api_key=given.get("api_key"))
