# SPDX-License-Identifier: Apache-2.0
"""The backends that the tests run on, and where their servers are."""

import os
from typing import Any

NAMES = ("sklearn", "milvus", "qdrant")
SERVERS = {"milvus": ("uri", "SIMPLUGIN_TEST_MILVUS_URI"), "qdrant": ("url", "SIMPLUGIN_TEST_QDRANT_URL")}


class Backend:
    """One of them. Use it as `fob.compute_similarity(dataset, **backend.arguments)`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.connection: dict[str, Any] = {}
        if name in SERVERS:
            parameter, variable = SERVERS[name]
            if not os.environ.get(variable):
                raise RuntimeError(f"{variable} names no server")
            self.connection[parameter] = os.environ[variable]
        self.arguments = {"backend": name, **self.connection}
        self._before = set(self.collections())

    def collections(self) -> list[str]:
        """The names of all collections on it."""
        import simplugin

        with simplugin.connect(self.name, self.connection) as connection:
            names: list[str] = connection.backend_call("collection.list")["collections"]
        return names

    def drop_new(self) -> None:
        """Drops what a test has left."""
        import simplugin

        with simplugin.connect(self.name, self.connection) as connection:
            for name in set(self.collections()) - self._before:
                connection.backend_call("collection.drop", {"collection": name})
