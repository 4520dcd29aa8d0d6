# SPDX-License-Identifier: Apache-2.0
"""The similarity backends of FiftyOne that simplugin stands behind.

``simplugin.fiftyone.backends`` also has the three classes of any other backend that is installed, made when they are
asked for: ``NAMESimilarityConfig``, ``NAMESimilarity`` and ``NAMESimilarityIndex``, where NAME is the backend's.
"""

from __future__ import annotations

import logging
import re
from functools import cached_property
from typing import Any

from .clients import connect_pymilvus, milvus_collection, qdrant_client
from .config import BackendSimilarityConfig
from .factory import BackendSimilarity
from .index import BackendSimilarityIndex

logger = logging.getLogger(__name__)


class MilvusSimilarityConfig(BackendSimilarityConfig):
    """Configuration of a similarity run on Milvus.

    Args:
        collection_name (None), or index_name: the collection to use or create; hyphens become underscores
        metric (None): ``"dotproduct"`` (the default of a new collection), ``"cosine"`` or ``"euclidean"``
        consistency_level (None): ``"Session"`` (the default), ``"Strong"``, ``"Bounded"`` or ``"Eventually"``
        **parameters: FiftyOne's own, and the rest of what ``simplugin describe milvus`` lists: ``uri``, ``user``,
            ``password``, ``token``, ``secure``, ``db_name``, ``ca_pem_path``, ... of the connection, ``index_type``,
            ``M``, ``efConstruction``, ``nlist``, ... of a new collection
    """

    backend = "milvus"

    @staticmethod
    def server_name(name: str) -> str:
        """Milvus has no hyphens in names."""
        return name.replace("-", "_")


class MilvusSimilarityIndex(BackendSimilarityIndex):
    """A similarity index on Milvus."""

    @property
    def collection(self) -> Any:
        """pymilvus's ``Collection``, connected as ``"default"``; a plainer one where pymilvus is not installed."""
        return milvus_collection(self)

    @property
    def index(self) -> Any:
        """The :class:`simplugin.Index` behind this one; pymilvus is connected as ``"default"`` if installed."""
        try:
            connect_pymilvus(self)
        except Exception as error:  # noqa: BLE001  # of an SDK that is not needed for anything here
            logger.warning("pymilvus does not connect: %s", error)
        return self._index

    def get_collection(self) -> Any:
        """The same as ``collection``."""
        return self.collection


class MilvusSimilarity(BackendSimilarity):
    """Similarity factory of Milvus."""

    index_cls = MilvusSimilarityIndex


class QdrantSimilarityConfig(BackendSimilarityConfig):
    """Configuration of a similarity run on Qdrant.

    Args:
        collection_name (None): the collection to use or create
        metric (None): ``"cosine"`` (the default of a new collection), ``"dotproduct"`` or ``"euclidean"``
        replication_factor, shard_number, write_consistency_factor (None): of a new collection
        hnsw_config, optimizers_config, wal_config (None): dicts with any of their parameters, of a new collection
        **parameters: FiftyOne's own, and the rest of what ``simplugin describe qdrant`` lists: ``url``,
            ``api_key``, ...
    """

    backend = "qdrant"

    def __init__(self, *args: Any, **parameters: Any) -> None:
        for name in ("grpc_port", "prefer_grpc"):
            parameters.pop(name, None)  # of FiftyOne's own backend; there is no gRPC here
        super().__init__(*args, **parameters)

    def load_credentials(self, grpc_port: Any = None, prefer_grpc: Any = None, **connection: Any) -> None:
        """Takes the settings of the connection; there is no gRPC here."""
        super().load_credentials(**connection)


class QdrantSimilarityIndex(BackendSimilarityIndex):
    """A similarity index on Qdrant."""

    @cached_property
    def client(self) -> Any:
        """qdrant-client's ``QdrantClient``; a plainer one where that is not installed."""
        return qdrant_client(self)


class QdrantSimilarity(BackendSimilarity):
    """Similarity factory of Qdrant."""

    index_cls = QdrantSimilarityIndex


def _classes_of(backend: str) -> dict[str, type]:
    """The three classes of a backend."""
    stem = backend + "Similarity"
    here = {"__module__": __name__}
    index = type(stem + "Index", (BackendSimilarityIndex,), here)
    return {
        stem + "Config": type(stem + "Config", (BackendSimilarityConfig,), {**here, "backend": backend}),
        stem + "Index": index,
        stem: type(stem, (BackendSimilarity,), {**here, "index_cls": index}),
    }


def __getattr__(name: str) -> Any:
    found = re.fullmatch(r"([a-z0-9_]+)Similarity(Config|Index)?", name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update(_classes_of(found[1]))
    return globals()[name]
