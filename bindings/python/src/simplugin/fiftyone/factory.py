# SPDX-License-Identifier: Apache-2.0
"""What makes an index of a configuration, and is told of a run's end."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from fiftyone.brain.similarity import Similarity

import simplugin

from .config import BackendSimilarityConfig
from .index import BackendSimilarityIndex

logger = logging.getLogger(__name__)


class BackendSimilarity(Similarity):  # type: ignore[misc]
    """Similarity factory of a backend of simplugin.

    Args:
        config: a :class:`BackendSimilarityConfig`
    """

    index_cls: ClassVar[type[BackendSimilarityIndex]] = BackendSimilarityIndex

    def ensure_requirements(self) -> None:
        """Connects once, before FiftyOne registers a run: one that cannot be made leaves nothing behind."""
        config: BackendSimilarityConfig = self.config
        with simplugin.connect(config.backend, config.parameters()) as connection:
            connection.health()

    def initialize(self, samples: Any, brain_key: str | None) -> BackendSimilarityIndex:
        """Opens or makes the collection of a run that is being made.

        Args:
            samples: a :class:`fiftyone.core.collections.SampleCollection`
            brain_key: the brain key, or None

        Returns:
            a :class:`BackendSimilarityIndex`
        """
        try:
            return self.index_cls(samples, self.config, brain_key, backend=self)
        except BaseException:
            if brain_key is not None:
                self.delete_run(samples, brain_key, cleanup=False)
            raise
