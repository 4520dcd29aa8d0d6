# SPDX-License-Identifier: Apache-2.0
"""FiftyOne's similarity index over one of simplugin's."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone.core.utils as fou
import numpy as np
from fiftyone.brain.similarity import DuplicatesMixin, SimilarityIndex

import simplugin

fbu = fou.lazy_import("fiftyone.brain.internal.core.utils")

logger = logging.getLogger(__name__)

BLOCK_BYTES = 32 << 20  # of vectors that go to the library at a time

Ids = Any  # a list or an array of ids


def id_list(ids: Ids) -> list[str]:
    """Ids as FiftyOne's users give them: one, or an iterable of them."""
    if isinstance(ids, str):
        return [ids]
    return ids.tolist() if isinstance(ids, np.ndarray) else [str(id) for id in ids]


def id_array(ids: Sequence[str]) -> Any:
    """Ids as FiftyOne keeps them: an array of text of one width."""
    return np.array(list(ids), dtype=str)


def blocks(rows: Any) -> Iterator[slice]:
    """Slices of a sequence of vectors, of about BLOCK_BYTES each."""
    width = max(1, np.asarray(rows[0]).nbytes)
    step = max(1, BLOCK_BYTES // width)
    for begin in range(0, len(rows), step):
        yield slice(begin, min(begin + step, len(rows)))


def check_missing(missing: Sequence[str], allow_missing: bool, warn_missing: bool) -> None:
    """Does with ids that are not in the index what FiftyOne's arguments say."""
    if not len(missing):
        return
    if not allow_missing:
        raise ValueError(f"Found {len(missing)} IDs (eg '{missing[0]}') that are not present in the index")
    if warn_missing:
        logger.warning("Ignoring %d IDs (eg '%s') that are not present in the index", len(missing), missing[0])


class BackendSimilarityIndex(SimilarityIndex, DuplicatesMixin):  # type: ignore[misc]
    """A similarity index on a backend of simplugin.

    Args:
        samples: the :class:`fiftyone.core.collections.SampleCollection` used
        config: the :class:`BackendSimilarityConfig` used
        brain_key: the brain key, or None
        backend (None): a :class:`BackendSimilarity` instance
    """

    def __init__(self, samples: Any, config: Any, brain_key: str | None, backend: Any = None) -> None:
        self._restriction: simplugin.View | None = None
        self.unfinished = False
        """Whether the run is being made, and has no results yet."""
        SimilarityIndex.__init__(self, samples, config, brain_key, backend=backend)
        DuplicatesMixin.__init__(self)
        self._index = self._open()

    def _open(self) -> simplugin.Index:
        config = self.config
        before = config.collection_name, config.metric
        if config.collection_name is None:
            config.collection_name = self._new_name()
        index = simplugin.create_index(
            backend=config.backend,
            collection_name=config.collection_name,
            metric=config.metric,
            patches_field=config.patches_field,
            parameters=config.parameters(),
        )
        config.collection_name, config.metric = index.collection_name, index.metric
        if before != (config.collection_name, config.metric):
            self.save_config()
        return index

    def _new_name(self) -> str:
        """A name that no collection has, for the dataset's."""
        with simplugin.connect(self.config.backend, self.config.parameters()) as connection:
            there = set(connection.backend_call("collection.list")["collections"])
        slug = fou.to_slug(self.samples._root_dataset.name)
        name: str = fbu.get_unique_name(self.config.server_name("fiftyone-" + slug), there)
        return str(self.config.server_name(name))

    @property
    def index(self) -> Any:
        """The :class:`simplugin.Index` behind this one."""
        return self._index

    @property
    def patches(self) -> bool:
        """Whether the points are labels, each with its sample's ID."""
        return self.config.patches_field is not None

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self.key!r}: {self.total_index_size} points of {self._samples.name!r}>"

    __repr__ = __str__

    # ---- sizes and ids ----

    @property
    def total_index_size(self) -> int:
        """The exact number of points in the index, now."""
        return self._index.size()

    @property
    def index_size(self) -> int:
        """The exact number of points of the current view that are in the index."""
        view = self._view()
        return self.total_index_size if view is None else view.known

    @property
    def missing_size(self) -> int | None:
        """How many of the current view are not in the index; None for the full one, or if none is missing."""
        view = self._view()
        return None if view is None else (self._restricted - view.known) or None

    def use_view(self, *args: Any, **kwargs: Any) -> BackendSimilarityIndex:
        """See :meth:`fiftyone.brain.similarity.SimilarityIndex.use_view`."""
        self._restriction = None
        super().use_view(*args, **kwargs)
        return self

    def _ids_of(self, samples: Any) -> list[str]:
        """The ids of a collection's points, each once, in its order: of its labels, or of its samples."""
        found, labels, _, _ = fbu.filter_ids(samples, None, None, patches_field=self.config.patches_field)
        return list(dict.fromkeys(id for id in (labels if self.patches else found).tolist() if id is not None))

    def _ids_in(self, points: simplugin.Points) -> tuple[Any, Any]:
        """Sample ids and label ids of points, as FiftyOne has them."""
        ids = id_array(points.ids)
        if not self.patches:
            return ids, None
        return (ids if points.sample_ids is None else id_array(points.sample_ids)), ids

    def _view(self) -> simplugin.View | None:
        """The current view in the library, where there is one; its ids are told once."""
        if not self.has_view:
            return None
        view = self._restriction
        if view is None:
            ids = self._ids_of(self._curr_view)
            view = self._index.view(ids)
            if view.known < len(ids) and not (self._curr_view_allow_missing and not self._curr_view_warn_missing):
                self._missing_in_view(self._index.get(ids, vectors=False))
            self._restricted = len(ids)
            self._restriction = view
        return view

    def _missing_in_view(self, points: simplugin.Points) -> None:
        check_missing(points.missing, self._curr_view_allow_missing, self._curr_view_warn_missing)

    def _apply_view(self) -> None:
        """The ids of the current view that are in the index, in the order of the view; of the index without one."""
        if self.has_view:
            points = self._index.get(self._ids_of(self._curr_view), vectors=False)
            self._missing_in_view(points)
        else:
            points = self._index.get(vectors=False)
        self._curr_keep_inds = None
        self._curr_missing_size = len(points.missing) or None
        self._curr_sample_ids, self._curr_label_ids = self._ids_in(points)

    # ---- points ----

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
        """Adds embeddings to the index, in blocks, with FiftyOne's progress bar where there is more than one.

        Args:
            embeddings: a ``num_embeddings x num_dims`` array of any float type, or a list of vectors
            sample_ids: a ``num_embeddings`` array of sample IDs
            label_ids (None): a ``num_embeddings`` array of label IDs, if applicable
            overwrite (True): whether to replace (True) or ignore (False) existing embeddings with the same IDs
            allow_existing (True): whether to ignore (True) or raise an error (False) when ``overwrite`` is False and an
                ID already exists in the index; nothing is added then
            warn_existing (False): whether to log how many embeddings were not added for that reason
            reload (True): whether to refresh the current view
            progress (None): whether to render a progress bar, FiftyOne's default (None), or a callback
        """
        count = len(sample_ids)
        if len(embeddings) != count or (label_ids is not None and len(label_ids) != count):
            raise ValueError(f"Found {len(embeddings)} embeddings for {count} IDs")
        if self.patches != (label_ids is not None):
            raise ValueError("This index wants label IDs" if self.patches else "This index does not support label IDs")
        if count == 0:
            return
        self._follow()
        if not overwrite and not allow_existing:
            found = self._index.get(sample_ids if label_ids is None else label_ids, vectors=False).ids
            if len(found):
                raise ValueError(f"Found {len(found)} IDs (eg '{found[0]}') that are already present in the index")
        try:
            self._add(embeddings, sample_ids, label_ids, overwrite, warn_existing, progress)
        except BaseException:
            self._begun_in_vain()
            raise
        if reload:
            self.reload()

    def _follow(self) -> None:
        """Takes in what others have changed elsewhere, before a change of ours."""

    def _add(
        self,
        embeddings: Any,
        sample_ids: Ids,
        label_ids: Ids | None,
        overwrite: bool,
        warn_existing: bool,
        progress: Any,
    ) -> None:
        self._write(self._index, embeddings, sample_ids, label_ids, overwrite, warn_existing, progress)

    def _write(
        self,
        index: simplugin.Index,
        embeddings: Any,
        sample_ids: Ids,
        label_ids: Ids | None,
        overwrite: bool = True,
        warn_existing: bool = False,
        progress: Any = None,
    ) -> None:
        skipped = 0
        parts = list(blocks(embeddings))
        shown = progress if len(parts) > 1 else False
        with fou.ProgressBar(total=len(sample_ids), progress=shown, iters_str="vectors") as bar:
            for part in parts:
                added = index.add(
                    sample_ids[part] if label_ids is None else label_ids[part],
                    embeddings[part],
                    sample_ids=None if label_ids is None else sample_ids[part],
                    overwrite=overwrite,
                    duplicates="last" if overwrite else "first",
                )
                skipped += added["skipped"]
                bar.update(part.stop - part.start)
        if skipped and warn_existing:
            logger.warning("Ignoring %d IDs that are already present in the index", skipped)

    def _begun_in_vain(self) -> None:
        """Takes back the run of an index whose first points could not be added; keeps it where some were."""
        if not self.unfinished or self.key is None:
            return
        try:
            some = self._index.size() > 0
        except simplugin.SimpluginError:
            some = False
        if some:
            self._backend.save_run_results(self._samples, self.key, self, cache=False)
            logger.warning("The run %r has a part of its points: load it to go on", self.key)
        else:
            self._backend.delete_run(self._samples, self.key)

    def saved(self, results: Any) -> None:
        """Takes note of the results that the run has in its database now."""
        self.unfinished = False

    def remove_from_index(
        self,
        sample_ids: Ids | None = None,
        label_ids: Ids | None = None,
        allow_missing: bool = True,
        warn_missing: bool = False,
        reload: bool = True,
    ) -> None:
        """Removes embeddings by sample IDs (of a patch index: all of their labels) or by label IDs.

        Args:
            sample_ids (None): a sample ID or an array of them
            label_ids (None): a label ID or an array of them, if applicable
            allow_missing (True): whether to allow (True) IDs that are not in the index or to raise an error (False);
                nothing is removed then
            warn_missing (False): whether to log how many IDs are not in the index
            reload (True): whether to refresh the current view
        """
        if label_ids is not None and not self.patches:
            raise ValueError("This index does not support label IDs")
        if sample_ids is None and label_ids is None:
            raise ValueError("Either sample or label IDs must be provided")
        samples = None if sample_ids is None else id_list(sample_ids)
        labels = None if label_ids is None else id_list(label_ids)
        chosen = [(labels, None), (None, samples)] if self.patches else [(samples, None)]
        self._follow()
        if not allow_missing:
            for ids, of_samples in chosen:
                if ids or of_samples:
                    check_missing(self._index.get(ids, sample_ids=of_samples, vectors=False).missing, False, False)
        for ids, of_samples in chosen:
            check_missing(self._remove(ids, of_samples), True, warn_missing)
        if reload:
            self.reload()

    def _remove(self, ids: list[str] | None = None, sample_ids: list[str] | None = None) -> Sequence[str]:
        """Removes points, and answers with the ids that were not there."""
        if not (ids or sample_ids):
            return []
        return self._index.remove(ids, sample_ids=sample_ids)["missing"]

    def get_embeddings(
        self,
        sample_ids: Ids | None = None,
        label_ids: Ids | None = None,
        allow_missing: bool = True,
        warn_missing: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Embeddings by sample IDs or label IDs, in their order, or all of the index.

        Args:
            sample_ids (None): a sample ID or a list of them
            label_ids (None): a label ID or a list of them, if applicable; sample IDs are ignored then
            allow_missing (True): whether to leave IDs out that are not in the index (True) or to raise an error (False)
            warn_missing (False): whether to log how many IDs are not in the index

        Returns:
            a tuple of a ``num_embeddings x num_dims`` float32 array, an array of sample IDs, and an array of label IDs
            or None
        """
        if label_ids is not None:
            if not self.patches:
                raise ValueError("This index does not support label IDs")
            if sample_ids is not None:
                logger.warning("Ignoring sample IDs when label IDs are provided")
            points = self._index.get(id_list(label_ids))
        elif sample_ids is not None:
            ids = id_list(sample_ids)
            points = self._index.get(sample_ids=ids) if self.patches else self._index.get(ids)
        else:
            points = self._index.get()
        check_missing(points.missing, allow_missing, warn_missing)
        vectors = points.vectors
        if vectors is None:
            vectors = np.empty((0, self._index.dimension or 0), np.float32)
        return (np.array(vectors), *self._ids_in(points))

    def compute_embeddings(
        self, samples: Any, *args: Any, skip_existing: bool = False, warn_existing: bool = False, **kwargs: Any
    ) -> tuple[Any, Any, Any]:
        """See :meth:`fiftyone.brain.similarity.SimilarityIndex.compute_embeddings`."""
        if skip_existing:
            there = id_array(self._index.get(self._ids_of(samples), vectors=False).ids)
            samples = fbu.skip_ids(samples, there, patches_field=self.config.patches_field, warn_existing=warn_existing)
        answer: tuple[Any, Any, Any] = super().compute_embeddings(samples, *args, **kwargs)
        return answer

    def cleanup(self) -> None:
        """Deletes the collection from the backend; the run's record stays."""
        self._restriction = None
        self._index.cleanup()

    # ---- queries ----

    def _query(self, query: Any) -> tuple[dict[str, Any], bool]:
        """The arguments of a search, and whether it is one query."""
        if isinstance(query, str):
            return {"ids": [query]}, True
        array = np.asarray(query)
        if np.issubdtype(array.dtype, np.number):
            return {"vectors": np.atleast_2d(array)}, array.ndim == 1
        return {"ids": [str(id) for id in array]}, False

    def _kneighbors(
        self,
        query: Any = None,
        k: int | None = None,
        reverse: bool = False,
        aggregation: str | None = None,
        return_dists: bool = False,
    ) -> Any:
        if query is None:
            if reverse or aggregation is not None:
                raise ValueError("Neighbors of the full index are neither reversed nor aggregated")
            found = self._index.neighbors(k=k or max(1, self.index_size - 1), view=self._view(), timeout=math.inf)
            return self._as_indices(found, return_dists)
        asked, single = self._query(query)
        return self._found(
            self._index.search,
            asked,
            single or aggregation is not None,
            return_dists,
            k=max(1, self.index_size) if k is None else k,
            reverse=reverse,
            aggregation=aggregation,
        )

    def _radius_neighbors(self, query: Any = None, thresh: float | None = None, return_dists: bool = False) -> Any:
        if thresh is None:
            raise ValueError("A distance threshold must be provided")
        if query is None:
            found = self._index.neighbors(radius=thresh, view=self._view(), timeout=math.inf)
            return self._as_indices(found, return_dists)
        asked, single = self._query(query)
        return self._found(self._index.radius, asked, single, return_dists, radius=thresh)

    def _found(self, search: Any, asked: dict[str, Any], flat: bool, return_dists: bool, **arguments: Any) -> Any:
        try:
            hits = search(**asked, view=self._view(), **arguments)
        except simplugin.NotFound as error:
            if "ids" not in asked or not any(name == "id" for name, _ in error.details):
                raise
            missing = [id for name, id in error.details if name == "id"]
            raise ValueError(f"Query IDs {missing} do not exist in this index") from error
        ids, samples = hits.ids.tolist(), None if hits.sample_ids is None else hits.sample_ids.tolist()
        columns: list[Any] = [samples or [], ids] if self.patches else [ids, None]
        if return_dists:
            columns.append(hits.distances.tolist())
        if not flat:
            ends = hits.offsets.tolist()
            spans = list(zip(ends, ends[1:]))
            columns = [column and [column[begin:end] for begin, end in spans] for column in columns]
            columns = [[[] for _ in spans] if column == [] else column for column in columns]
        return tuple(columns)

    def _as_indices(self, found: simplugin.Neighbors, return_dists: bool) -> Any:
        """Neighbors as positions among the current ids, as FiftyOne wants those of a full index."""
        current = self.current_label_ids if self.patches else self.current_sample_ids
        position = {id: i for i, id in enumerate(current.tolist())}
        where = np.fromiter((position[id] for id in found.neighbors), np.int64, len(found.neighbors))
        rows = {id: i for i, id in enumerate(found.ids)}
        spans = [(int(found.offsets[rows[id]]), int(found.offsets[rows[id] + 1])) for id in position]
        inds = [where[begin:end] for begin, end in spans]
        if return_dists:
            return inds, [np.asarray(found.distances[begin:end]) for begin, end in spans]
        return inds

    # ---- duplicates ----

    def find_duplicates(self, thresh: float | None = None, fraction: float | None = None) -> None:
        """Finds near duplicates in the current view.

        Points are walked in the order of their IDs; one is a duplicate if it lies within the threshold of one that was
        kept before. See :meth:`fiftyone.brain.similarity.DuplicatesMixin.find_duplicates` for what is done with them.

        Args:
            thresh (None): the distance within which points are duplicates
            fraction (None): the fraction of points, in ``[0, 1]``, that are to be duplicates; the threshold is found
        """
        if thresh is None and fraction is None:
            raise ValueError("Either a distance threshold or a fraction must be provided")
        found = self._index.duplicates(
            threshold=thresh if fraction is None else None, fraction=fraction, view=self._view(), timeout=math.inf
        )
        kept: dict[str, list[tuple[str, float]]] = defaultdict(list)
        if found.neighbor_ids is not None and found.distances is not None:
            for id, neighbor, distance in zip(found.duplicate_ids, found.neighbor_ids, found.distances.tolist()):
                kept[neighbor].append((id, distance))
        self._keep(found, {id: sorted(near, key=lambda pair: pair[1]) for id, near in kept.items()})

    def find_unique(self, count: int) -> None:
        """Finds the points of the current view, so many of them, that are farthest from each other.

        Args:
            count: how many
        """
        self._keep(self._index.unique(count, view=self._view(), timeout=math.inf), None)

    def _keep(self, found: simplugin.Duplicates, neighbors: dict[str, list[tuple[str, float]]] | None) -> None:
        self._thresh = found.threshold
        self._unique_ids = found.unique_ids.tolist()
        self._duplicate_ids = found.duplicate_ids.tolist()
        self._neighbors_map = neighbors

    @classmethod
    def _from_dict(cls, d: dict[str, Any], samples: Any, config: Any, brain_key: str) -> BackendSimilarityIndex:
        return cls(samples, config, brain_key)
