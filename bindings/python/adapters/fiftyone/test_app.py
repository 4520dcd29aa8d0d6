# SPDX-License-Identifier: Apache-2.0
"""The App on FiftyOne's own sklearn backend: the grid has what the search in Python has."""

import os

import fiftyone.brain as fob
import pytest
from app import AppError

CLIP = "clip-vit-base32-torch"


def expected(dataset, brain_key, query, k):
    """By an index that is loaded anew, as the App's server does: this backend's change with each query."""
    index = dataset.load_brain_results(brain_key, cache=False)
    return index.sort_by_similarity(query, k=k).values("id")


def test_search(app, quickstart, tmp_path):
    """By the panel: an index that is not the first, and as many as were asked for."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="clip")
    fob.compute_similarity(quickstart, embeddings="stored", brain_key="stored")
    app.open(quickstart)
    assert app.ids() == quickstart.values("id")
    query = app.ids(4)[3]
    app.select(query)
    assert app.search("stored", 12, dist_field="distance") == expected(quickstart, "stored", query, 12)
    quickstart.reload()
    assert quickstart.count("distance") == 12
    path = os.fspath(tmp_path / "app.png")
    app.screenshot(path)
    assert os.path.getsize(path) > 50_000
    app.open(quickstart)
    assert app.search("clip", 40, prompt="a bold five") == expected(quickstart, "clip", "a bold five", 40)


def test_search_at_once(app, quickstart):
    """By the button: 25, from the only index there is."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="clip")
    app.open(quickstart)
    query = app.ids(6)[5]
    app.select(query)
    assert app.search_at_once() == expected(quickstart, "clip", query, 25)
    app.open(quickstart)
    assert app.search_at_once("seven") == expected(quickstart, "clip", "seven", 25)


def test_patches(app, quickstart):
    """A patch is selected in the view of patches."""
    fob.compute_similarity(quickstart, patches_field="ground_truth", embeddings="stored", brain_key="patches")
    app.open(quickstart)
    app.patches("ground_truth")
    view = quickstart.to_patches("ground_truth")
    assert app.ids(8) == view.limit(8).values("id")
    query = app.ids(8)[7]
    app.select(query)
    found = app.search("patches", 10, reverse=True)
    assert found == view.sort_by_similarity(query, k=10, reverse=True, brain_key="patches").values("id")


def test_failure(app, quickstart):
    """A search that fails is told of, though the page says nothing."""
    index = fob.compute_similarity(quickstart, embeddings=quickstart.values("stored"), brain_key="given")
    index.remove_from_index(sample_ids=quickstart.values("id")[:1])
    index.save()
    app.open(quickstart)
    app.select(app.ids(1)[0])
    with pytest.raises(AppError, match=r"the search fails: Query IDs .* do not exist in this index"):
        app.search("given", 5)
