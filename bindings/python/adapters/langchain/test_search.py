# SPDX-License-Identifier: Apache-2.0
"""Distances, relevance, thresholds, and maximal marginal relevance against LangChain's own."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import Make
from langchain_core.vectorstores.utils import maximal_marginal_relevance

import simplugin
from simplugin.langchain import SimpluginVectorStore
from simplugin.langchain.relevance import for_metric

METRICS = ["cosine", "euclidean", "dotproduct"]


def unit(rng: np.random.Generator, count: int, dimension: int) -> Any:
    """Random directions."""
    vectors = rng.normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(make: Make, vectors: Any, **settings: Any) -> SimpluginVectorStore:
    """A store of texts "0", "1", ... with these vectors."""
    store = make(**settings)
    names = [str(n) for n in range(len(vectors))]
    store.add_texts(names, [{"n": n} for n in range(len(names))], ids=names, embeddings=vectors)
    return store


def ids_of(documents: Any) -> list[int]:
    """Their numbers."""
    return [int(document.id) for document in documents]


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_distances(make: Make, metric: str) -> None:
    """Smaller is nearer, whatever the metric."""
    vectors = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    store = filled(make, vectors, metric=metric)
    query = vectors[7] + 0.1
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    distances = {
        "cosine": 1 - vectors @ query / norms,
        "euclidean": np.linalg.norm(vectors - query, axis=1),
        "dotproduct": -vectors @ query,
    }[metric]
    found = store.similarity_search_with_score_by_vector(query.tolist(), k=10)
    assert ids_of(document for document, _ in found) == np.argsort(distances)[:10].tolist()
    assert [score for _, score in found] == pytest.approx(np.sort(distances)[:10], abs=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_relevance(make: Make, metric: str) -> None:
    """Of vectors of length 1 it is (1 + cos) / 2 under every metric: 1 of the same, 0 of the opposite."""
    store = make(metric=metric)
    store.add_texts(["1 0 0", "0.6 0.8 0", "0 1 0", "-1 0 0"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = store.similarity_search_with_relevance_scores("1 0 0", k=4)
    assert [document.page_content for document, _ in found] == ["1 0 0", "0.6 0.8 0", "0 1 0", "-1 0 0"]
    assert [relevance for _, relevance in found] == pytest.approx([1, 0.8, 0.5, 0], abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_relevance_of_any_vector(make: Make, metric: str) -> None:
    """It is between 0 and 1, and falls along the list, also of vectors of other lengths and of zeros."""
    vectors = np.random.default_rng(2).normal(size=(40, 5)).astype(np.float32) * 30
    vectors[0] = 0
    store = filled(make, vectors, metric=metric)
    distances = store.similarity_search_with_score_by_vector(vectors[3].tolist(), k=40)
    assert len(distances) == 40
    scores = [store._select_relevance_score_fn()(distance) for _, distance in distances]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("metric", METRICS)
def test_threshold(make: Make, metric: str) -> None:
    """score_threshold takes just those of at least that relevance, also at the edge."""
    rng = np.random.default_rng(3)
    store = filled(make, unit(rng, 200, 4), metric=metric)
    query = unit(rng, 1, 4)[0].tolist()
    score = store._select_relevance_score_fn()
    every = [
        (document.id, score(distance))
        for document, distance in store.similarity_search_with_score_by_vector(query, k=200)
    ]
    edges = [relevance for _, relevance in every[::40]]
    for threshold in (-1.0, 0.0, 0.3, 0.5, 0.9, 1.0, 1.5, *edges):
        found = store.similarity_search_with_score_by_vector(query, k=200, score_threshold=threshold)
        assert [document.id for document, _ in found] == [id for id, own in every if own >= threshold]
    few = store.similarity_search_by_vector(query, k=3, score_threshold=0.5)
    assert [document.id for document in few] == [id for id, _ in every[:3]]
    near = store.similarity_search_by_vector(query, k=200, score_threshold=0.1, max_distance=0.0)
    assert all(score(0.0) <= dict(every)[document.id] for document in near)


def test_threshold_goes_to_the_library(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too far is not fetched; a relevance of one's own is applied to what was found."""
    store = filled(make, unit(np.random.default_rng(4), 30, 3))
    search, asked = simplugin.Index.search, list[Any]()

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        hits = search(self, *args, **kwargs)
        asked.append((kwargs.get("max_distance"), len(hits.ids)))
        return hits

    monkeypatch.setattr(simplugin.Index, "search", watched)
    found = store.similarity_search("x", k=30, score_threshold=0.8)
    assert asked[0][0] == pytest.approx(0.4, abs=1e-5)
    assert len(found) == asked[0][1] < 30
    own = make(collection_name=store.index.collection_name, relevance_score_fn=lambda distance: math.exp(-distance))
    pairs = own.similarity_search_with_relevance_scores("x", k=30, score_threshold=math.exp(-0.4))
    assert asked[1] == (None, 30)
    assert [document.id for document, _ in pairs] == [document.id for document in found]
    assert all(math.exp(-0.4) <= relevance <= 1 for _, relevance in pairs)


@pytest.mark.parametrize("metric", [*METRICS, "manhattan", "chebyshev", "sqeuclidean", "correlation", "braycurtis"])
def test_relevance_and_limit(metric: str) -> None:
    """Nothing of a relevance lies beyond its limit, and little more than that lies within."""
    relevance = for_metric(metric)
    for r in (1e-9, 0.01, 0.3, 0.5, 0.99, 1.0):
        limit = relevance.limit(r)
        assert relevance(limit) == pytest.approx(r, abs=1e-3)
        assert relevance(limit + 1e-3 * max(1, abs(limit))) < r
    assert relevance.limit(0) == relevance.limit(-1) == math.inf


@pytest.mark.parametrize("lambda_mult", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_mmr(make: Make, lambda_mult: float) -> None:
    """As LangChain's own function chooses among the nearest."""
    rng = np.random.default_rng(5)
    vectors = unit(rng, 80, 6)
    store = filled(make, vectors)
    for fetch_k, k in ((20, 4), (30, 10), (5, 5), (80, 12)):
        query = unit(rng, 1, 6)[0]
        near = ids_of(store.similarity_search_by_vector(query.tolist(), k=fetch_k))
        chosen = maximal_marginal_relevance(query, [vectors[n] for n in near], lambda_mult, k)
        found = store.max_marginal_relevance_search_by_vector(query.tolist(), k, fetch_k, lambda_mult)
        assert ids_of(found) == [near[n] for n in chosen]


def test_mmr_arguments(make: Make) -> None:
    """By text, with a filter; fetch_k below k is k; what is out of range is an error."""
    store = make()
    store.add_texts(["1 0 0", "1 0.01 0", "0.9 0.4 0", "0 1 0"], [{"n": n} for n in range(4)])
    found = store.max_marginal_relevance_search("1 0 0", k=2, lambda_mult=0.3)
    assert [document.metadata["n"] for document in found] == [0, 3]
    found = store.max_marginal_relevance_search("1 0 0", k=2, lambda_mult=0.3, filter={"n": {"$lt": 3}})
    assert [document.metadata["n"] for document in found] == [0, 2]
    found = store.max_marginal_relevance_search("1 0 0", k=3, fetch_k=1)
    assert len(found) == 3
    assert store.search("1 0 0", "mmr", k=1)[0].metadata["n"] == 0
    with pytest.raises(ValueError, match="lambda"):
        store.max_marginal_relevance_search("1 0 0", lambda_mult=1.5)


def test_what_the_index_takes(store: SimpluginVectorStore) -> None:
    """Further keywords are those of Index.search."""
    store.add_texts(["1 0 0", "0 1 0", "-1 0 0"], ids=["a", "b", "c"])
    assert store.similarity_search("1 0 0", k=1, reverse=True)[0].id == "c"
    with store.index.view(["b", "c"]) as view:
        assert store.similarity_search("1 0 0", k=1, view=view, timeout=10)[0].id == "b"
    options = {"sklearn": {"scan": "float32"}, "milvus": {"ef": 64}, "qdrant": {"exact": True}}
    found = store.similarity_search("1 0 0", k=1, parameters=options[store.index.backend])
    assert found[0].id == "a"
    cancel = simplugin.Cancel()
    cancel.fire()
    with pytest.raises(simplugin.Cancelled):
        store.similarity_search("1 0 0", cancel=cancel)
