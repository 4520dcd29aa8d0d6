# SPDX-License-Identifier: Apache-2.0
"""The App on indexes of ours: what it shows is what the search in Python finds."""

import os

import fiftyone.brain as fob
import pytest
from app import AppError

CLIP = "clip-vit-base32-torch"


@pytest.fixture
def page(backend, monkeypatch, request):
    """The App, whose server finds the backend's by its environment."""
    for parameter, value in backend.connection.items():
        monkeypatch.setenv(f"FIFTYONE_BRAIN_SIMILARITY_{backend.name.upper()}_{parameter.upper()}", value)
    return request.getfixturevalue("app")


# the App asks the same of an index whatever is behind it
@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_search(page, quickstart, backend):
    """R31 R89 Sorted by similarity to a selected sample, and by a text, through the interface."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="images", **backend.arguments)
    page.open(quickstart)
    query = page.ids(4)[3]
    page.select(query)
    found = page.search("images", 12, dist_field="distance")
    assert found == quickstart.sort_by_similarity(query, k=12, brain_key="images").values("id")
    assert found[0] == query
    quickstart.reload()
    assert quickstart.count("distance") == 12
    shown = os.environ.get("SIMPLUGIN_TEST_SCREENSHOT")
    if shown:
        page.screenshot(shown)
    page.open(quickstart)
    by_text = page.search("images", 10, prompt="a bold five")
    assert by_text == quickstart.sort_by_similarity("a bold five", k=10, brain_key="images").values("id")


@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_other_ways(page, quickstart, backend):
    """R31 R89 R93 By the button alone, from a patch, and a search that fails, of which the page says nothing."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="images", **backend.arguments)
    fob.compute_similarity(
        quickstart, patches_field="ground_truth", embeddings="stored", brain_key="patches", **backend.arguments
    )
    index = fob.compute_similarity(quickstart, model=CLIP, brain_key="unfinished", **backend.arguments)
    index.remove_from_index(quickstart.values("id")[:1])
    index.save()
    page.open(quickstart)
    by_text = quickstart.sort_by_similarity("seven", k=25, brain_key="images")
    assert page.search_at_once("seven") == by_text.values("id")
    page.open(quickstart)
    page.select(page.ids(1)[0])
    with pytest.raises(AppError, match="the search fails"):
        page.search("unfinished", 5)
    page.open(quickstart)
    page.patches("ground_truth")
    query = page.ids(8)[7]
    page.select(query)
    view = quickstart.to_patches("ground_truth").sort_by_similarity(query, k=10, reverse=True, brain_key="patches")
    assert page.search("patches", 10, reverse=True) == view.values("id")
