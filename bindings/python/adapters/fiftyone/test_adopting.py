# SPDX-License-Identifier: Apache-2.0
"""R280 Runs of FiftyOne's own backends become simplugin's and go back, their vectors untouched."""

import fiftyone.brain as fob
import numpy as np
import pytest
from fiftyone.brain.internal.core.sklearn import SklearnSimilarityConfig
from test_better import vectors
from test_workflow import FIELD, nearest

import simplugin.fiftyone as sf

STOCK = {
    "sklearn": "fiftyone.brain.internal.core.sklearn.SklearnSimilarityConfig",
    "milvus": "fiftyone.brain.internal.core.milvus.MilvusSimilarityConfig",
    "qdrant": "fiftyone.brain.internal.core.qdrant.QdrantSimilarityConfig",
}


def stock_index(dataset, backend, key, **arguments):
    """An index by FiftyOne's own backend."""
    return fob.compute_similarity(
        dataset, brain_key=key, config_cls=STOCK[backend.name], **arguments, **backend.arguments
    )


def load(dataset, key, backend):
    """The results as another session would load them."""
    dataset.reload()
    dataset._brain_cache.clear()
    return dataset.load_brain_results(key, **backend.connection)


def test_there_and_back(quickstart, backend):
    """R280 The same vectors, ids and answers before, in between and after."""
    rows = np.stack(quickstart.values("stored"))
    before = stock_index(quickstart, backend, "k", embeddings=rows, metric="cosine")
    assert type(before).__module__.startswith("fiftyone.brain.internal")
    sf.adopt(quickstart, "k")
    adopted = load(quickstart, "k", backend)
    assert isinstance(adopted, sf.BackendSimilarityIndex) and adopted.total_index_size == 200
    ids = quickstart.values("id")
    tolerance = 1e-5
    found = adopted.get_embeddings(ids)[0]
    if backend.name == "qdrant":  # which keeps directions only
        found, rows = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (found, rows))
    np.testing.assert_allclose(found, rows, atol=tolerance)
    query = quickstart.first().id
    assert quickstart.sort_by_similarity(query, k=5, brain_key="k").values("id") == nearest(quickstart, rows[0], 5)[0]
    adopted.remove_from_index(ids[100:])  # which is released as it is here
    sf.release(quickstart, "k")
    after = load(quickstart, "k", backend)
    assert type(after) is type(before)
    assert after.get_embeddings(ids[:5])[0].shape == (5, 512)
    if backend.name != "milvus":  # whose own class counts what was deleted
        assert after.total_index_size == 100


def test_patches(quickstart, backend):
    """R280 Indexes of patches as well."""
    stock_index(quickstart, backend, "p", patches_field=FIELD, embeddings=vectors(quickstart), metric="cosine")
    sf.adopt(quickstart, "p")
    adopted = load(quickstart, "p", backend)
    assert adopted.total_index_size == quickstart.count(f"{FIELD}.detections")
    some = quickstart.take(3, seed=9)
    _, samples, labels = adopted.get_embeddings(sample_ids=some.values("id"))
    assert set(labels) == set(some.values(f"{FIELD}.detections.id", unwind=True))
    assert set(samples) == set(some.values("id"))
    sf.release(quickstart, "p")
    assert not isinstance(load(quickstart, "p", backend), sf.BackendSimilarityIndex)


@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_a_field(quickstart, backend):
    """R280 An index over a field of the dataset: only the run's names change."""
    fob.compute_similarity(quickstart, brain_key="f", embeddings="stored", backend=SklearnSimilarityConfig)
    sf.adopt(quickstart, "f")
    adopted = load(quickstart, "f", backend)
    assert adopted.total_index_size == 200 and not adopted.is_external
    sf.release(quickstart, "f")
    assert load(quickstart, "f", backend).total_index_size == 200


@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_refused(quickstart, backend):
    """What is not of the kind is refused, and stays as it is."""
    rows = np.stack(quickstart.values("stored"))
    fob.compute_similarity(quickstart, brain_key="ours", embeddings=rows, **backend.arguments)
    with pytest.raises(ValueError, match="ours"):
        sf.adopt(quickstart, "ours")
    with pytest.raises(ValueError, match="nothing"):
        sf.adopt(quickstart, "nothing")
    stock_index(quickstart, backend, "theirs", embeddings=rows)
    with pytest.raises(ValueError, match="theirs"):
        sf.release(quickstart, "theirs")
    fob.compute_similarity(quickstart, brain_key="product", embeddings=rows, metric="dotproduct", **backend.arguments)
    with pytest.raises(ValueError, match="dotproduct"):
        sf.release(quickstart, "product")
    assert load(quickstart, "product", backend).total_index_size == 200
    assert load(quickstart, "ours", backend).total_index_size == 200
