# SPDX-License-Identifier: Apache-2.0
"""FiftyOne's own backends, to compare with: the same index, made by them.

Their config classes are given to compute_similarity themselves, so that it does not matter whose are behind
the names in the brain config.
"""

import contextlib
import os
import uuid
from typing import Any

import fiftyone as fo
import fiftyone.brain as fob
from fiftyone.brain.internal.core.milvus import MilvusSimilarityConfig
from fiftyone.brain.internal.core.qdrant import QdrantSimilarityConfig
from fiftyone.brain.internal.core.sklearn import SklearnSimilarityConfig

NAMES = ("sklearn", "milvus", "qdrant")
CONFIGS = {"sklearn": SklearnSimilarityConfig, "milvus": MilvusSimilarityConfig, "qdrant": QdrantSimilarityConfig}


def connection(name: str) -> dict[str, Any]:
    """What its server is reached by, as FiftyOne's documents call it."""
    if name == "milvus":
        return {"uri": os.environ["SIMPLUGIN_TEST_MILVUS_URI"]}
    if name == "qdrant":
        return {"url": os.environ["SIMPLUGIN_TEST_QDRANT_URL"]}
    return {}


class Peer:
    """One of them; close() drops the collections that were made through it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.connection = connection(name)
        # a server's default level may answer before it knows what was added
        strong = {"consistency_level": "Strong"} if name == "milvus" else {}
        self.arguments = {"backend": CONFIGS[name], **self.connection, **strong}
        self.kind = os.environ.get("SIMPLUGIN_TEST_MILVUS_KIND", "standalone") if name == "milvus" else None
        self._collections: list[str] = []

    def compute(self, dataset: fo.Dataset, brain_key: str | None = None, **more: Any) -> Any:
        """As compute_similarity does, with this backend and a collection of our own."""
        arguments = {**self.arguments, **more}
        if self.name != "sklearn" and "collection_name" not in arguments:
            arguments["collection_name"] = "peer_" + uuid.uuid4().hex
        self._collections.append(arguments.get("collection_name", ""))
        return fob.compute_similarity(dataset, brain_key=brain_key, **arguments)

    def load(self, dataset: fo.Dataset, brain_key: str) -> Any:
        """The index of a run, read anew."""
        return dataset.load_brain_results(brain_key, cache=False, **self.connection)

    def count(self, index: Any) -> int:
        """How many points the index really has, by a question that the server answers exactly."""
        if self.name == "milvus":
            return index.collection.query("", output_fields=["count(*)"])[0]["count(*)"]
        if self.name == "qdrant":
            return index.client.count(index.config.collection_name, exact=True).count
        return len(index.embeddings)

    def close(self) -> None:
        """Drops its collections."""
        with contextlib.suppress(Exception):  # of a server that a test has taken away
            for name in filter(None, self._collections):
                self._drop(name)

    def _drop(self, name: str) -> None:
        if self.name == "milvus":
            import pymilvus

            alias = uuid.uuid4().hex
            pymilvus.connections.connect(alias=alias, **self.connection)
            pymilvus.utility.drop_collection(name, using=alias)
            pymilvus.connections.disconnect(alias)
        else:
            import qdrant_client

            qdrant_client.QdrantClient(**self.connection).delete_collection(name)
