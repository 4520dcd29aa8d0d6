# SPDX-License-Identifier: Apache-2.0
"""What makes an index of a configuration, and is told of a run's end."""

from __future__ import annotations

from typing import Any, ClassVar

from fiftyone.brain.similarity import Similarity

import simplugin

from . import runs
from .config import BackendSimilarityConfig
from .index import BackendSimilarityIndex


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
            index = self.index_cls(samples, self.config, brain_key, backend=self)
        except BaseException:
            if brain_key is not None:
                self.delete_run(samples, brain_key)
            raise
        index.unfinished = True
        return index

    @classmethod
    def save_run_results(
        cls, samples: Any, key: str | None, run_results: Any, overwrite: bool = True, cache: bool = True
    ) -> None:
        """Saves the results of a run; those that it had are there until the new ones are.

        Args:
            samples: a :class:`fiftyone.core.collections.SampleCollection`
            key: a brain key, or None
            run_results: a :class:`BackendSimilarityIndex`, or None
            overwrite (True): whether to replace results that are there (True) or to raise an error (False)
            cache (True): whether to keep the index with the dataset
        """
        if key is None or run_results is None:
            super().save_run_results(samples, key, run_results, overwrite=overwrite, cache=cache)
            return
        document = runs.document_of(samples, key)
        if document.results and not overwrite:
            raise ValueError(f"the run {key!r} has results already")
        results = run_results.serialize()
        runs.write_results(document, results)
        run_results.saved(results)
        if cache:
            samples._root_dataset._brain_cache[key] = run_results
