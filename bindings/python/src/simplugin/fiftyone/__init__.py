# SPDX-License-Identifier: Apache-2.0
"""simplugin inside FiftyOne: its similarity workflow, on any backend.

    import simplugin.fiftyone

    simplugin.fiftyone.enable()

From then on ``fiftyone.brain.compute_similarity`` and everything that follows from it uses simplugin for the backends
``"sklearn"`` (the default), ``"milvus"`` and ``"qdrant"``.
"""

from __future__ import annotations

try:
    import fiftyone.brain  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as _error:
    raise ImportError(f"FiftyOne cannot be loaded: {_error}; pip install simplugin[fiftyone] gets it") from _error

from .adopting import adopt, release
from .backends import (
    MilvusSimilarity,
    MilvusSimilarityConfig,
    MilvusSimilarityIndex,
    QdrantSimilarity,
    QdrantSimilarityConfig,
    QdrantSimilarityIndex,
)
from .collecting import gc
from .config import BackendSimilarityConfig
from .enabling import disable, enable
from .factory import BackendSimilarity
from .index import BackendSimilarityIndex
from .sklearn import SklearnSimilarity, SklearnSimilarityConfig, SklearnSimilarityIndex

__all__ = [
    "BackendSimilarity",
    "BackendSimilarityConfig",
    "BackendSimilarityIndex",
    "MilvusSimilarity",
    "MilvusSimilarityConfig",
    "MilvusSimilarityIndex",
    "QdrantSimilarity",
    "QdrantSimilarityConfig",
    "QdrantSimilarityIndex",
    "SklearnSimilarity",
    "SklearnSimilarityConfig",
    "SklearnSimilarityIndex",
    "adopt",
    "disable",
    "enable",
    "gc",
    "release",
]

# stored runs name these so
for _name in __all__:
    if _name.startswith(("Milvus", "Qdrant", "Sklearn")):
        globals()[_name].__module__ = __name__
