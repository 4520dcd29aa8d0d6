# SPDX-License-Identifier: Apache-2.0
"""What a similarity run is configured by: FiftyOne's own parameters and those that the backend declares."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import fiftyone.brain as fb
from fiftyone.brain.similarity import SimilarityConfig

import simplugin

AGGREGATIONS = ("mean", "post-mean", "post-min", "post-max")

# of collections, and given to the library by name
NAMED = ("collection_name", "metric")


@functools.cache
def declared(backend: str) -> dict[str, Mapping[str, Any]]:
    """The parameters that a backend declares, by each of their names. Connects nowhere.

    Raises ``BackendUnknown`` or ``LoaderError``, which say what to install.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for parameter in simplugin.describe(backend)["parameters"]:
        for name in (parameter["name"], *parameter.get("aliases", ())):
            found[name] = parameter
    return found


class BackendSimilarityConfig(SimilarityConfig):  # type: ignore[misc]
    """Configuration of a similarity run on a backend of simplugin.

    Args:
        collection_name (None): the collection to use or create. If none is provided, a new one gets a unique name
        metric (None): how distances are measured; that of an existing collection, or the backend's default. The name
            in effect is recorded
        **parameters: FiftyOne's own (``embeddings_field``, ``model``, ``patches_field``, ...) and whatever the backend
            declares (``simplugin describe BACKEND``). What it declares as a matter of the connection, such as addresses
            and credentials, is not stored with the run
    """

    backend: ClassVar[str]
    """The name of the backend."""

    _OWN: ClassVar[tuple[str, ...]] = (
        "embeddings_field",
        "model",
        "model_kwargs",
        "patches_field",
        "roi_field",
        "supports_prompts",
    )

    def __init__(self, collection_name: str | None = None, metric: str | None = None, **parameters: Any) -> None:
        super().__init__(**{name: parameters.pop(name) for name in self._OWN if name in parameters})
        self.collection_name = None if collection_name is None else self.server_name(collection_name)
        self.metric = metric
        # not serialized, as its name is private
        self._connection: dict[str, Any] = {}
        try:
            known = declared(self.backend)
        except simplugin.SimpluginError:
            known = {}  # told when the backend is used; a stored run can be looked at without it
        for name, value in parameters.items():
            parameter = known.get(name)
            if parameter is not None and parameter["name"] in NAMED:
                if getattr(self, parameter["name"]) is None and value is not None:
                    named = parameter["name"] == "collection_name"
                    setattr(self, parameter["name"], self.server_name(value) if named else value)
            elif parameter is None or parameter["connection"] or parameter["secret"]:
                self._connection[name] = value
            else:
                setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        connection = self.__dict__.get("_connection", {})
        if name in connection:
            return connection[name]
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    @property
    def method(self) -> str:
        """The name of the backend."""
        return self.backend

    @property
    def max_k(self) -> int | None:
        """None: as many as there are."""
        return None

    @property
    def supports_least_similarity(self) -> bool:
        """On every backend."""
        return True

    @property
    def supported_aggregations(self) -> tuple[str, ...]:
        """On every backend."""
        return AGGREGATIONS

    @staticmethod
    def server_name(name: str) -> str:
        """What a collection of this name is called on the server."""
        return name

    def load_credentials(self, **connection: Any) -> None:
        """Takes addresses, credentials and other settings of the connection, which are not stored with the run."""
        self._connection.update((name, value) for name, value in connection.items() if value is not None)

    def parameters(self) -> dict[str, Any]:
        """The backend's parameters, for the library.

        Those that FiftyOne took from the environment or the brain configuration file are left out: the library reads
        both itself, each time it connects, and knows which values are text.
        """
        names = ("type", "cls", "method", *NAMED, *self._OWN)
        stored = {name: value for name, value in vars(self).items() if not name.startswith("_") and name not in names}
        given = {name: value for name, value in {**stored, **self._connection}.items() if value is not None}
        configured = fb.brain_config.similarity_backends.get(self.backend, {})
        same = [name for name, value in given.items() if name in configured and configured[name] == value]
        if same:
            explained = simplugin.explain(self.backend)["values"]
            sources = {value["name"]: value["source"] for value in explained}
            known = declared(self.backend)
            for name in same:
                if name in known and sources.get(known[name]["name"]) in ("environment", "file"):
                    del given[name]
        return given
