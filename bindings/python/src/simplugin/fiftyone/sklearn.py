# SPDX-License-Identifier: Apache-2.0
"""The default backend: exact, in files of this machine, which are a cache of what the dataset's database holds.

The truth is the embeddings field of the dataset, or where there is none the results of the run.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import Any

import eta.core.utils as etau
import fiftyone.core.media as fom
import fiftyone.core.utils as fou
import numpy as np

import simplugin

from . import cache
from .blob import Blob, new_token, pack, unpack
from .config import BackendSimilarityConfig
from .factory import BackendSimilarity
from .index import BackendSimilarityIndex, Ids

fbu = fou.lazy_import("fiftyone.brain.internal.core.utils")

logger = logging.getLogger(__name__)

FIELD_ROWS = 5000  # samples whose embeddings are read at a time


class SklearnSimilarityConfig(BackendSimilarityConfig):
    """Configuration of a similarity run on the default backend.

    Args:
        metric (None): ``"cosine"`` (the default), ``"euclidean"``, ``"dotproduct"``, ``"manhattan"``, ...
        collection_name (None): the local store, which is a cache; FiftyOne's users have no need to name it
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
        self._token = stored["token"] if stored else None
        super().__init__(samples, config, brain_key, backend=backend)

    @property
    def is_external(self) -> bool:
        """Whether the index has its embeddings from elsewhere than a field of the dataset."""
        return self.config.embeddings_field is None

    # ---- the cache ----

    def _new_name(self) -> str:
        name = cache.new_name(str(self._dataset._doc.id))
        if self.key is None:
            weakref.finalize(self, cache.drop, name)
        return name

    def _open(self) -> simplugin.Index:
        self._stamps = cache.Stamps()
        self._index = super()._open()
        self._refresh()
        self._stored = None
        return self._index

    def _state(self) -> str | None:
        """Which state of the truth there is now; None: none yet."""
        if self.is_external:
            return self._token
        collection = self._dataset._sample_collection
        last = collection.find_one({}, {"last_modified_at": 1}, sort=[("last_modified_at", -1)])
        deleted = getattr(self._dataset._doc, "last_deletion_at", None)
        return f"{collection.estimated_document_count()} {last and last.get('last_modified_at')} {deleted}"

    def _current(self) -> str | None:
        """What the stamp of a cache that is up to date says."""
        state = self._state()
        return None if state is None else f"{cache.identity(self._index)} {state}"

    def _stamp(self) -> None:
        current = self._current()
        if current is not None:
            self._stamps.set(self._index.collection_name, current)

    def _refresh(self) -> None:
        """Makes the cache anew where it is not of the state that the truth has."""
        current = self._current()
        if current is None or self._stamps.get(self._index.collection_name) == current:
            return
        if self._index.existing or self._index.size():
            self._index.cleanup()
        if self._stored is not None:
            blob = unpack(self._stored)
            if blob.sample_ids:
                self._write(blob.embeddings, blob.sample_ids, blob.label_ids, True, False, False)
        elif not self.is_external:
            self._read_field()
        self._stamp()

    def _read_field(self) -> None:
        """Adds what the embeddings field has, some thousand samples at a time."""
        samples = self._all_samples()
        ids = samples.values("id")
        for begin in range(0, len(ids), FIELD_ROWS):
            part = samples.select(ids[begin : begin + FIELD_ROWS]) if len(ids) > FIELD_ROWS else samples
            embeddings, sample_ids, label_ids = fbu.get_embeddings(
                part, patches_field=self.config.patches_field, embeddings_field=self.config.embeddings_field
            )
            if len(sample_ids):
                self._write(embeddings, sample_ids, label_ids, True, False, False)

    def _all_samples(self) -> Any:
        if self._dataset.media_type == fom.GROUP:
            return self._dataset.select_group_slices(_allow_mixed=True)
        return self._dataset

    # ---- changes go to the truth first ----

    def add_to_index(
        self,
        embeddings: Any,
        sample_ids: Ids,
        label_ids: Ids | None = None,
        overwrite: bool = True,
        allow_existing: bool = True,
        warn_existing: bool = False,
        reload: bool = True,
        progress: Any = None,
    ) -> None:
        """See :meth:`BackendSimilarityIndex.add_to_index`; an embeddings field is written as well."""
        if not self.is_external and len(sample_ids):
            ids = sample_ids if label_ids is None else label_ids
            keep: Any = slice(None)
            if not overwrite:
                if not allow_existing:
                    self._refuse_existing(ids)
                there = set(self._index.get(ids, vectors=False).ids.tolist())
                keep = np.flatnonzero([id not in there for id in ids])
            fbu.add_embeddings(
                self._dataset,
                np.asarray(embeddings)[keep],
                np.asarray(sample_ids)[keep],
                None if label_ids is None else np.asarray(label_ids)[keep],
                self.config.embeddings_field,
                patches_field=self.config.patches_field,
            )
        super().add_to_index(
            embeddings, sample_ids, label_ids, overwrite, allow_existing, warn_existing, False, progress
        )
        if not self.is_external:
            self._stamp()
        if reload:
            self.reload()

    def _remove(self, ids: list[str] | None = None, sample_ids: list[str] | None = None) -> Any:
        if not self.is_external and (ids or sample_ids):
            points = self._index.get(ids, sample_ids=sample_ids, vectors=False)
            there = points.ids.tolist()
            fbu.remove_embeddings(
                self._dataset,
                self.config.embeddings_field,
                sample_ids=None if self.patches else there,
                label_ids=there if self.patches else None,
                patches_field=self.config.patches_field,
            )
        missing = super()._remove(ids, sample_ids)
        if not self.is_external:
            self._stamp()
        return missing

    def reload(self) -> None:
        """Reads the embeddings field again where the dataset has changed, and refreshes the current view."""
        if not self.is_external:
            self._refresh()
        super().reload()

    def cleanup(self) -> None:
        """Deletes the local store; it is made again when the run is loaded."""
        self._restriction = None
        self._stamps.forget(self._index.collection_name)
        self._index.cleanup()

    # ---- results ----

    @property
    def embeddings(self) -> Any:
        """All embeddings, as a float32 array."""
        return self.get_embeddings()[0]

    @property
    def sample_ids(self) -> Any:
        """The sample IDs of the whole index."""
        return self._all_ids()[0]

    @property
    def label_ids(self) -> Any:
        """The label IDs of the whole index, or None if it is not one of patches."""
        return self._all_ids()[1]

    def _all_ids(self) -> tuple[Any, Any]:
        points = self._index.get(vectors=False)
        ids = points.ids.to_numpy()
        if not self.patches:
            return ids, None
        return (ids if points.sample_ids is None else points.sample_ids.to_numpy()), ids

    def serialize(self, reflective: bool = False) -> dict[str, Any]:
        """The results of the run: the whole index, unless a field of the dataset has it."""
        answer: dict[str, Any] = {"cls": etau.get_class_name(self)}
        if self.is_external:
            self._token = new_token()
            embeddings, sample_ids, label_ids = self.get_embeddings()
            labels = None if label_ids is None else label_ids.tolist()
            answer.update(pack(self._token, Blob(embeddings, sample_ids.tolist(), labels)))
            self._stamp()
        return answer

    @classmethod
    def _from_dict(cls, d: dict[str, Any], samples: Any, config: Any, brain_key: str) -> SklearnSimilarityIndex:
        return cls(samples, config, brain_key, stored=d if "token" in d else None)


class SklearnSimilarity(BackendSimilarity):
    """Similarity factory of the default backend."""

    index_cls = SklearnSimilarityIndex

    def cleanup(self, samples: Any, key: str) -> None:
        """Deletes the local store of a run that is being deleted."""
        if self.config.collection_name is not None:
            cache.drop(self.config.collection_name)
