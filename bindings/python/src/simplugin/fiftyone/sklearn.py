# SPDX-License-Identifier: Apache-2.0
"""The default backend: exact, in files of this machine, which are a cache of what the dataset's database holds.

The truth is the embeddings field of the dataset, or where there is none the results of the run.
"""

from __future__ import annotations

import logging
import uuid
import weakref
from collections.abc import Mapping
from typing import Any

import eta.core.utils as etau
import fiftyone.core.media as fom
import fiftyone.core.utils as fou
import numpy as np

import simplugin

from . import cache, runs
from .blob import Blob, pack, unpack
from .config import BackendSimilarityConfig
from .factory import BackendSimilarity
from .index import BackendSimilarityIndex, Ids

fbu = fou.lazy_import("fiftyone.brain.internal.core.utils")

logger = logging.getLogger(__name__)

FIELD_ROWS = 5000  # samples whose embeddings are read at a time
NO_STATE = "nothing yet"


class SklearnSimilarityConfig(BackendSimilarityConfig):
    """Configuration of a similarity run on the default backend.

    Args:
        metric (None): ``"cosine"`` (the default), ``"euclidean"``, ``"dotproduct"``, ``"manhattan"``, ...
        collection_name (None): a local collection whose points a new index begins with; it stays as it is
        **parameters: FiftyOne's own
    """

    backend = "sklearn"


class SklearnSimilarityIndex(BackendSimilarityIndex):
    """A similarity index of the default backend.

    Changes to an index without an embeddings field are kept on this machine at once, and in the dataset's database,
    where others find them, by :meth:`save`.
    """

    def __init__(
        self,
        samples: Any,
        config: Any,
        brain_key: str | None,
        backend: Any = None,
        stored: Mapping[str, Any] | None = None,
    ) -> None:
        self._dataset = samples._dataset
        self._stored = stored
        if config.embeddings_field is not None and config.collection_name is not None:
            raise ValueError("The points come from an embeddings field or from collection_name: give one of them")
        if "data_dir" in config.parameters():
            raise ValueError("The stores of all runs are in $SIMPLUGIN_DATA: data_dir cannot be another directory")
        if brain_key is None:
            self._owner = uuid.uuid4().hex
            weakref.finalize(self, cache.drop, self._owner)
        else:
            self._owner = str(runs.document_of(samples, brain_key).id)
        super().__init__(samples, config, brain_key, backend=backend)

    @property
    def is_external(self) -> bool:
        """Whether the index has its embeddings from elsewhere than a field of the dataset."""
        return self.config.embeddings_field is None

    # ---- the cache ----

    def _open(self) -> simplugin.Index:
        """The current store, if it is of the state that the truth has; else a new one."""
        self._stamps = cache.Stamps()
        index = self._current(self._state()) or self._rebuild()
        if self.config.metric != index.metric:
            self.config.metric = index.metric
            self.save_config()
        self._stored = None
        return index

    def _state(self) -> str:
        """Which state of the truth there is now."""
        if self.is_external:
            if self._stored is None and self.key is not None:
                self._stored = runs.results_of(runs.document_of(self.samples, self.key))
            return str((self._stored or {}).get("token", NO_STATE))
        # any change of a sample changes the sum, whatever the clock of its machine says
        pipeline = [
            {"$sort": {"last_modified_at": 1}},
            {"$group": {"_id": None, "n": {"$sum": 1}, "sum": {"$sum": {"$toLong": "$last_modified_at"}}}},
        ]
        found = next(iter(self._dataset._sample_collection.aggregate(pipeline)), {"n": 0, "sum": 0})
        return f"{self.config.embeddings_field} {found['n']} {found['sum']}"

    def _current(self, state: str) -> simplugin.Index | None:
        stamp = self._stamps.get(self._owner)
        if stamp is None or stamp.state != state:
            return None
        try:
            return simplugin.open_index(backend=self.config.backend, collection_name=stamp.store)
        except simplugin.NotFound:
            return None

    def _rebuild(self) -> simplugin.Index:
        """Makes a store of the truth, and then the current one; that before it stays for who still reads it."""
        state, before, config = self._state(), self._stamps.get(self._owner), self.config
        begins_with = self._first_points(state)
        index = simplugin.create_index(
            backend=config.backend,
            collection_name=cache.new_name(self._owner),
            metric=config.metric or (begins_with.metric if begins_with else None),
            patches_field=config.patches_field,
            parameters=config.parameters(),
        )
        if state == NO_STATE:
            for page in begins_with.scan() if begins_with else ():
                index.add(page.ids, page.vectors, sample_ids=page.sample_ids if self.patches else None)
        elif self.is_external:
            blob = unpack(self._stored or {})
            if blob.sample_ids:
                self._write(index, blob.embeddings, blob.sample_ids, blob.label_ids, progress=False)
        else:
            self._read_field(index)
        self._stamps.set(self._owner, cache.Stamp(index.collection_name, state))
        cache.drop(self._owner, keep=(index.collection_name, before.store if before else ""))
        return index

    def _first_points(self, state: str) -> simplugin.Index | None:
        """The collection that the user named for a new index."""
        name = self.config.collection_name
        if name is None or state != NO_STATE:
            return None
        try:
            return simplugin.open_index(backend=self.config.backend, collection_name=name)
        except simplugin.NotFound:
            return None

    def _read_field(self, index: simplugin.Index) -> None:
        """Adds what the embeddings field has, some thousand samples at a time."""
        samples = self._all_samples()
        ids = samples.values("id")
        for begin in range(0, len(ids), FIELD_ROWS):
            part = samples.select(ids[begin : begin + FIELD_ROWS]) if len(ids) > FIELD_ROWS else samples
            embeddings, sample_ids, label_ids = fbu.get_embeddings(
                part, patches_field=self.config.patches_field, embeddings_field=self.config.embeddings_field
            )
            if len(sample_ids):
                self._write(index, embeddings, sample_ids, label_ids, progress=False)

    def _all_samples(self) -> Any:
        if self._dataset.media_type == fom.GROUP:
            return self._dataset.select_group_slices(_allow_mixed=True)
        return self._dataset

    # ---- changes ----

    def _follow(self) -> None:
        """Follows the embeddings field where the dataset has changed."""
        if self.is_external:
            return
        stamp = self._stamps.get(self._owner)
        if stamp is None or stamp.state != self._state():
            self._index = self._rebuild()
        elif stamp.store != self._index.collection_name:
            self._index = self._open()

    def _add(
        self,
        embeddings: Any,
        sample_ids: Ids,
        label_ids: Ids | None,
        overwrite: bool,
        warn_existing: bool,
        progress: Any,
    ) -> None:
        """Adds to the store, and to the embeddings field where there is one."""
        if self.is_external:
            super()._add(embeddings, sample_ids, label_ids, overwrite, warn_existing, progress)
            return
        ids = sample_ids if label_ids is None else label_ids
        keep: Any = slice(None)
        if not overwrite:
            there = set(self._index.get(ids, vectors=False).ids.tolist())
            keep = np.flatnonzero([id not in there for id in ids])
        # what the store refuses does not reach the field; what ends in between is made again of it
        self._stamps.forget(self._owner)
        super()._add(embeddings, sample_ids, label_ids, overwrite, warn_existing, progress)
        fbu.add_embeddings(
            self._dataset,
            np.asarray(embeddings)[keep],
            np.asarray(sample_ids)[keep],
            None if label_ids is None else np.asarray(label_ids)[keep],
            self.config.embeddings_field,
            patches_field=self.config.patches_field,
        )
        self._stamp()

    def _remove(self, ids: list[str] | None = None, sample_ids: list[str] | None = None) -> Any:
        if self.is_external or not (ids or sample_ids):
            return super()._remove(ids, sample_ids)
        there = self._index.get(ids, sample_ids=sample_ids, vectors=False).ids.tolist()
        self._stamps.forget(self._owner)
        fbu.remove_embeddings(
            self._dataset,
            self.config.embeddings_field,
            sample_ids=None if self.patches else there,
            label_ids=there if self.patches else None,
            patches_field=self.config.patches_field,
        )
        missing = super()._remove(ids, sample_ids)
        self._stamp()
        return missing

    def _stamp(self) -> None:
        """The store is of the state that the truth has now."""
        self._stamps.set(self._owner, cache.Stamp(self._index.collection_name, self._state()))

    def reload(self) -> None:
        """Reads the embeddings field again where the dataset has changed, and refreshes the current view."""
        self._follow()
        super().reload()

    def cleanup(self) -> None:
        """Deletes the local stores; what was not saved is lost, and the rest is there again at once."""
        self._restriction = None
        cache.drop(self._owner)
        self._index = self._open()

    # ---- results ----

    @property
    def embeddings(self) -> Any:
        """All embeddings, as a float32 array."""
        return self.get_embeddings()[0]

    @property
    def sample_ids(self) -> Any:
        """The sample IDs of the whole index."""
        return self._ids_in(self._index.get(vectors=False))[0]

    @property
    def label_ids(self) -> Any:
        """The label IDs of the whole index, or None if it is not one of patches."""
        return self._ids_in(self._index.get(vectors=False))[1]

    def serialize(self, reflective: bool = False) -> dict[str, Any]:
        """The results of the run: the whole index, unless a field of the dataset has it."""
        answer: dict[str, Any] = {"cls": etau.get_class_name(self)}
        if self.is_external:
            embeddings, sample_ids, label_ids = self.get_embeddings()
            labels = None if label_ids is None else label_ids.tolist()
            answer.update(pack(Blob(embeddings, sample_ids.tolist(), labels)))
        return answer

    def saved(self, results: Mapping[str, Any]) -> None:
        """Takes note of what the database holds now."""
        super().saved(results)
        if self.is_external:
            self._stamps.set(self._owner, cache.Stamp(self._index.collection_name, results["token"]))

    @classmethod
    def _from_dict(cls, d: dict[str, Any], samples: Any, config: Any, brain_key: str) -> SklearnSimilarityIndex:
        return cls(samples, config, brain_key, stored=d)


class SklearnSimilarity(BackendSimilarity):
    """Similarity factory of the default backend."""

    index_cls = SklearnSimilarityIndex

    def cleanup(self, samples: Any, key: str) -> None:
        """Deletes the local stores of a run that is being deleted."""
        cache.drop(str(runs.document_of(samples, key).id))
