# SPDX-License-Identifier: Apache-2.0
"""Runs of FiftyOne's own backends made simplugin's, and back; their vectors stay where they are."""

from __future__ import annotations

from typing import Any

import eta.core.utils as etau
import numpy as np

from . import cache, runs
from .blob import Blob, pack
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


# of FiftyOne's sklearn backend, beside what scikit-learn itself knows
METRICS = {"cosine", "euclidean", "manhattan", "chebyshev", "sqeuclidean", "correlation", "canberra", "braycurtis"}


def _run(samples: Any, brain_key: str, classes: dict[str, str]) -> tuple[Any, str]:
    """The document of a run of one of these classes, and its backend."""
    document = runs.document_of(samples, brain_key)
    backend = document.config.get("method")
    if classes.get(backend) != document.config.get("cls"):
        raise ValueError(f"the run {brain_key!r} is of {document.config.get('cls')}, not of {sorted(classes.values())}")
    return document, backend


def _index_class(config_class: str) -> str:
    return config_class[: -len("Config")] + "Index"


def _save(samples: Any, brain_key: str, document: Any, config: dict[str, Any], results: dict[str, Any]) -> None:
    """Results and configuration, in one change of the document."""
    document.config = config
    runs.write_results(document, results)
    samples._root_dataset._brain_cache.pop(brain_key, None)


def adopt(samples: Any, brain_key: str) -> None:
    """Makes a run that FiftyOne's own sklearn, milvus or qdrant backend made one of simplugin's.

    Args:
        samples: a dataset
        brain_key: the key of the run

    Raises:
        ValueError: there is no such run, or it is none of these
    """
    document, backend = _run(samples, brain_key, THEIRS)
    adopted: dict[str, Any] = {"cls": _index_class(class_of(backend))}
    if backend == "sklearn":
        results = runs.results_of(document)
        if results.get("embeddings") is not None:
            rows = np.asarray(results["embeddings"], np.float32)
            adopted.update(pack(Blob(rows, results["sample_ids"], results.get("label_ids"))))
    _save(samples, brain_key, document, {**document.config, "cls": class_of(backend)}, adopted)


def release(samples: Any, brain_key: str) -> None:
    """Gives a run back to FiftyOne's own sklearn, milvus or qdrant backend, as it is on this machine.

    Args:
        samples: a dataset
        brain_key: the key of the run

    Raises:
        ValueError: there is no such run, or it is none of simplugin's that FiftyOne has a backend for, or its metric is
            one that FiftyOne's backend does not know
    """
    document, backend = _run(samples, brain_key, OURS)
    known = BASE | PARAMETERS[backend]
    config = {name: value for name, value in document.config.items() if name in known}
    config["cls"] = THEIRS[backend]
    # which refuses what it does not know
    etau.get_class(THEIRS[backend])(**{name: config[name] for name in config.keys() - {"cls", "type", "method"}})
    released: dict[str, Any] = {"cls": _index_class(THEIRS[backend])}
    if backend == "sklearn":
        if config["metric"] not in METRICS:
            raise ValueError(f"FiftyOne's sklearn backend has no metric {config['metric']!r}")
        if config.get("embeddings_field") is None:
            embeddings, sample_ids, label_ids = samples.load_brain_results(brain_key).get_embeddings()
            released["embeddings"] = embeddings.tolist()
            released["sample_ids"] = sample_ids.tolist()
            released["label_ids"] = None if label_ids is None else label_ids.tolist()
    _save(samples, brain_key, document, config, released)
    if backend == "sklearn":
        cache.drop(str(document.id))
