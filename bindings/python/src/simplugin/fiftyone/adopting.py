# SPDX-License-Identifier: Apache-2.0
"""Runs of FiftyOne's own backends made simplugin's, and back; their vectors stay where they are."""

from __future__ import annotations

from typing import Any

import eta.core.utils as etau
import fiftyone.core.brain as focb
import numpy as np
from bson import json_util

from .blob import Blob, new_token, pack, unpack
from .enabling import OURS, class_of

THEIRS = {
    "sklearn": "fiftyone.brain.internal.core.sklearn.SklearnSimilarityConfig",
    "milvus": "fiftyone.brain.internal.core.milvus.MilvusSimilarityConfig",
    "qdrant": "fiftyone.brain.internal.core.qdrant.QdrantSimilarityConfig",
}
# what FiftyOne's own classes know beside their base's parameters
PARAMETERS = {
    "sklearn": {"metric"},
    "milvus": {"collection_name", "metric", "consistency_level"},
    "qdrant": {
        "collection_name",
        "metric",
        "replication_factor",
        "shard_number",
        "write_consistency_factor",
        "hnsw_config",
        "optimizers_config",
        "wal_config",
    },
}
BASE = {"cls", "type", "method", "embeddings_field", "model", "model_kwargs", "patches_field", "roi_field"}
BASE |= {"supports_prompts"}


def _run(samples: Any, brain_key: str, classes: dict[str, str]) -> tuple[Any, str, dict[str, Any]]:
    """The document of a run, its backend, and its results."""
    document = focb.BrainMethod._get_run_doc(samples, brain_key)
    backend = document.config.get("method")
    if classes.get(backend) != document.config.get("cls"):
        raise ValueError(f"the run {brain_key!r} is of {document.config.get('cls')}, not of {sorted(classes.values())}")
    results = {}
    if document.results:
        document.results.seek(0)
        results = json_util.loads(document.results.read().decode())
    return document, backend, results


def _index_class(config_class: str) -> str:
    return config_class[: -len("Config")] + "Index"


def _save(samples: Any, brain_key: str, document: Any, config: dict[str, Any], results: dict[str, Any]) -> None:
    """The results first: a run whose results are of the other kind says so when it is loaded, and can be mended."""
    if document.results:
        document.results.delete()
    document.results.put(json_util.dumps(results).encode(), content_type="application/json")
    document.config = config
    document.save()
    samples._root_dataset._brain_cache.pop(brain_key, None)


def adopt(samples: Any, brain_key: str) -> None:
    """Makes a run that FiftyOne's own sklearn, milvus or qdrant backend made one of simplugin's.

    Args:
        samples: a dataset
        brain_key: the key of the run

    Raises:
        ValueError: there is no such run, or it is none of these
    """
    document, backend, results = _run(samples, brain_key, THEIRS)
    config = {**document.config, "cls": class_of(backend)}
    adopted: dict[str, Any] = {"cls": _index_class(class_of(backend))}
    if backend == "sklearn" and results.get("embeddings") is not None:
        blob = Blob(np.asarray(results["embeddings"], np.float32), results["sample_ids"], results.get("label_ids"))
        adopted.update(pack(new_token(), blob))
    _save(samples, brain_key, document, config, adopted)


def release(samples: Any, brain_key: str) -> None:
    """Gives a run back to FiftyOne's own sklearn, milvus or qdrant backend.

    Args:
        samples: a dataset
        brain_key: the key of the run

    Raises:
        ValueError: there is no such run, or it is none of simplugin's that FiftyOne has a backend for, or its metric is
            one that FiftyOne's backend does not know
    """
    document, backend, results = _run(samples, brain_key, OURS)
    known = BASE | PARAMETERS[backend]
    config = {name: value for name, value in document.config.items() if name in known}
    config["cls"] = THEIRS[backend]
    released: dict[str, Any] = {"cls": _index_class(THEIRS[backend])}
    if backend == "sklearn" and config.get("embeddings_field") is None:
        blob = unpack(results)
        released["embeddings"] = blob.embeddings.tolist()
        released["sample_ids"] = blob.sample_ids
        released["label_ids"] = blob.label_ids
    # which refuses what it does not know
    etau.get_class(THEIRS[backend])(**{name: config[name] for name in config.keys() - {"cls", "type", "method"}})
    _save(samples, brain_key, document, config, released)
