# SPDX-License-Identifier: Apache-2.0
"""Indexes of FiftyOne's own qdrant backend, whose code is run, open here, and ours open there.

The class is that of the package fiftyone-brain; its host, which wants a database, is played:
what the class asks of it are a few lines. Run like qdrant_interop.py, with a Python that has the
packages of tests/servers/requirements-qdrant-fiftyone.txt: newer clients lack calls it makes.
"""

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import types
import uuid

import numpy as np
import pytest

URL = os.environ["SIMPLUGIN_TEST_QDRANT_URL"]
API_KEY = os.environ.get("SIMPLUGIN_TEST_QDRANT_API_KEY")
BUILD = os.path.abspath(os.environ["SIMPLUGIN_BUILDDIR"])
DIMENSION = 8
METRICS = ("cosine", "dotproduct", "euclidean")


# ---- FiftyOne's side -----------------------------------------------------------------------


class SimilarityConfig:
    """What the real one keeps of its keyword arguments."""

    def __init__(self, patches_field=None, supports_prompts=None, model=None):
        self.patches_field = patches_field
        self.supports_prompts = supports_prompts
        self.model = model


class Similarity:
    def __init__(self, config):
        self.config = config


class SimilarityIndex:
    """An index on a whole dataset, or with `view` on some of its ids."""

    def __init__(self, samples, config, brain_key, backend=None):
        self.samples, self.config, self.brain_key, self.backend = samples, config, brain_key, backend
        self.view = None

    has_view = property(lambda self: self.view is not None)
    current_sample_ids = current_label_ids = property(lambda self: self.view)

    def reload(self):
        pass

    def save_config(self):
        pass


def batches(values, size):
    for first in range(0, len(values), size):
        yield values[first : first + size]


def played(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(members)
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


def load_backend():
    """fiftyone.brain.internal.core.qdrant, as it is shipped."""
    played("eta")
    played("eta.core")
    played("eta.core.utils", is_str=lambda value: isinstance(value, str))
    played("fiftyone")
    played("fiftyone.core")
    played(
        "fiftyone.core.utils",
        lazy_import=importlib.import_module,
        ensure_package=importlib.import_module,
        iter_batches=batches,
        to_slug=lambda name: re.sub("[^a-z0-9]+", "-", name.lower()),
    )
    played("fiftyone.brain")
    played(
        "fiftyone.brain.similarity",
        SimilarityConfig=SimilarityConfig,
        Similarity=Similarity,
        SimilarityIndex=SimilarityIndex,
    )
    played("fiftyone.brain.internal")
    played("fiftyone.brain.internal.core")
    played("fiftyone.brain.internal.core.utils", get_unique_name=lambda name, taken: name)
    path = os.path.join(sysconfig.get_paths()["purelib"], "fiftyone/brain/internal/core/qdrant.py")
    spec = importlib.util.spec_from_file_location("fiftyone.brain.internal.core.qdrant", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


backend = load_backend()


@pytest.fixture
def name():
    made = "fiftyone_%s" % uuid.uuid4().hex[:12]
    yield made
    backend.qdrant.QdrantClient(url=URL, api_key=API_KEY).delete_collection(made)


def theirs(name, metric=None, **kwargs):
    """Their index on the collection of that name, which need not be there."""
    config = backend.QdrantSimilarityConfig(collection_name=name, metric=metric, url=URL, api_key=API_KEY, **kwargs)
    return backend.QdrantSimilarity(config).initialize(None, "key")


# ---- our side ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Calls a method of docs/protocol.md on the index of a collection."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SIMPLUGIN_PATH": os.path.join(BUILD, ".libs"),
        "SIMPLUGIN_DATA": str(home / "data"),
        "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": "qdrant",
        "FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL": URL,
    }
    if API_KEY:
        environment["FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY"] = API_KEY

    def run(*arguments):
        done = subprocess.run(
            [os.path.join(BUILD, "simplugin"), "--json", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def on_index(name, method, body):
        return run("call", method, json.dumps(body), "--collection", name)

    on_index.run = run
    return on_index


def vectors(count, seed=1):
    return np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)


def object_ids(count, first=0):
    return ["%024x" % (0x65A0 << 80 | first + i) for i in range(count)]


def distance_of(metric, score):
    """Ours from what Qdrant, and so FiftyOne, gives."""
    return {"cosine": 1 - score, "dotproduct": -score, "euclidean": score}[metric]


def stored(metric, rows):
    """Vectors as Qdrant gives them back."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows


# ---- samples ------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_theirs_opens_here(call, name, metric):
    """R55 R118 R119 R120 R280: searched, read, added to and removed from, with the same answers."""
    rows, ids = vectors(40), object_ids(40)
    index = theirs(name, metric)
    index.add_to_index(rows, ids)
    info = call(name, "index.info", {})
    assert (info["dimension"], info["metric"], info["size"]) == (DIMENSION, metric, 40)

    query = vectors(1, 2)[0]
    found = call(name, "index.search", {"vectors": [query.tolist()], "k": 7})
    samples, labels, scores = index._kneighbors(query, k=7, return_dists=True)
    assert found["ids"] == samples and labels is None
    assert np.allclose(found["distances"], [distance_of(metric, s) for s in scores], atol=1e-4)

    got = call(name, "index.get", {"ids": ids[::-1] + ["nobody"]})
    assert got["ids"] == ids[::-1] and got["missing"] == ["nobody"]
    assert np.allclose(got["vectors"], stored(metric, rows)[::-1], atol=1e-6)

    more, new = vectors(5, 3), object_ids(5, 100)
    call(name, "index.add", {"ids": new, "vectors": more.tolist()})
    call(name, "index.remove", {"ids": ids[:10]})
    assert call(name, "index.size", {})["size"] == index.total_index_size == 35
    embeddings, samples, labels = index.get_embeddings(sample_ids=new)
    assert sorted(samples) == sorted(new) and labels is None
    order = [new.index(sample) for sample in samples]
    assert np.allclose(embeddings, stored(metric, more)[order], atol=1e-6)
    with pytest.raises(ValueError):
        index.get_embeddings(sample_ids=ids[:10], allow_missing=False)


def test_their_configuration(call, name, monkeypatch):
    """R25 R59 R127-R142 R280: the collection that they make of the reference's parameters is what we make of them."""
    # their class takes models that the client's own, since pydantic 2, no longer accept
    for model in ("HnswConfig", "OptimizersConfig", "WalConfig"):
        monkeypatch.setattr(backend.qmodels, model, getattr(backend.qmodels, model + "Diff"))
    settings = {
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 2},
        "optimizers_config": {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0,
                              "indexing_threshold": 20000, "flush_interval_sec": 5, "max_optimization_threads": 1},
        "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        "replication_factor": 2,
        "shard_number": 2,
    }
    index = theirs(name, "dotproduct", **settings)
    index.add_to_index(vectors(2), object_ids(2))
    body = {"method": "index.describe", "body": {"collection": name}}
    made_there = call.run("call", "backend.call", json.dumps(body), "--connection")
    index.cleanup()
    create = {"collection_name": name, "dimension": DIMENSION, "metric": "dotproduct", "parameters": settings}
    call.run("call", "index.create", json.dumps(create))
    made_here = call.run("call", "backend.call", json.dumps(body), "--connection")
    for made in (made_there, made_here):
        made["parameters"].pop("metadata", None)
    assert made_here == made_there


def test_ours_opens_there(call, name):
    """R76 R77 R280: their class searches, in a view too, adds, removes and drops a collection of ours."""
    rows, ids = vectors(40, 4), object_ids(40)
    create = {"collection_name": name, "dimension": DIMENSION, "metric": "cosine"}
    call.run("call", "index.create", json.dumps(create))
    call(name, "index.add", {"ids": ids, "vectors": rows.tolist()})
    index = theirs(name, "cosine")
    assert index.total_index_size == 40 and sorted(index._get_index_ids()) == ids
    embeddings, samples, _ = index.get_embeddings(sample_ids=ids[:4])
    assert np.allclose(embeddings[np.argsort(samples)], stored("cosine", rows)[:4], atol=1e-6)

    query = vectors(1, 5)[0]
    found = call(name, "index.search", {"vectors": [query.tolist()], "k": 40})
    assert index._kneighbors(query, k=9)[0] == found["ids"][:9]
    index.view = ids[20:]
    inside = [i for i in found["ids"] if i in ids[20:]]
    assert index._kneighbors(query, k=9)[0] == inside[:9]
    index.view = None
    assert index._kneighbors(ids[3], k=1)[0] == [ids[3]]

    index.add_to_index(vectors(3, 6), object_ids(3, 100))
    index.remove_from_index(sample_ids=ids[:5])
    assert call(name, "index.size", {})["size"] == 38
    got = call(name, "index.get", {"ids": object_ids(3, 100) + ids[5:6]})
    assert np.allclose(got["vectors"][:3], stored("cosine", vectors(3, 6)), atol=1e-6)
    assert np.allclose(got["vectors"][3], rows[5], rtol=1e-5)  # with its norm, as ours was added
    assert name in {collection.name for collection in index.client.get_collections().collections}
    index.cleanup()
    exists = {"method": "collection.exists", "body": {"collection": name}}
    assert not call.run("call", "backend.call", json.dumps(exists), "--connection")["exists"]


def test_what_is_added_twice(call, name):
    """R262 R280: by both; each point is once, with the last one's vector."""
    rows, ids = vectors(12, 7), object_ids(12)
    index = theirs(name, "euclidean")
    index.add_to_index(rows, ids)
    call(name, "index.add", {"ids": ids, "vectors": (rows + 1).tolist()})
    assert np.allclose(index.get_embeddings(sample_ids=ids[:1])[0], rows[:1] + 1)
    index.add_to_index(rows + 2, ids)
    assert call(name, "index.size", {})["size"] == 12
    assert np.allclose(call(name, "index.get", {"ids": ids})["vectors"], rows + 2)


def test_norms_are_those_of_the_last_writer(call, name):
    """R263 R280: a point of ours that they write over has no norm of ours any more."""
    rows, ids = vectors(2, 8) * 3, object_ids(2)
    call.run("call", "index.create", json.dumps({"collection_name": name, "dimension": DIMENSION}))
    call(name, "index.add", {"ids": ids, "vectors": rows.tolist()})
    theirs(name, "cosine").add_to_index(rows[:1], ids[:1])
    got = np.array(call(name, "index.get", {"ids": ids})["vectors"])
    assert np.allclose(got[0], stored("cosine", rows)[0], atol=1e-6) and np.allclose(got[1], rows[1], rtol=1e-5)


# ---- patches ----------------------------------------------------------------------------------------


def cut(sample_ids):
    """Their searches of patches take eight digits off the sample ids as well."""
    return [sample_id[:-8] for sample_id in sample_ids]


def test_their_patches_open_here(call, name):
    """R53 R93 R94 R280: labels of samples."""
    rows, labels = vectors(30, 8), object_ids(30, 1000)
    samples = [object_ids(10)[i // 3] for i in range(30)]
    index = theirs(name, patches_field="ground_truth")
    index.add_to_index(rows, samples, label_ids=labels)
    create = {"collection_name": name, "patches_field": "ground_truth", "brain_key": "qdrant_patches"}
    assert call.run("call", "index.create", json.dumps(create))["existing"]

    query = vectors(1, 9)[0]
    asked = json.dumps({"vectors": [query.tolist()], "k": 6})
    sample_ids, label_ids = index._kneighbors(query, k=6)
    # by its record, and by its name alone: its points tell that they are labels
    for opened in (("--key", "qdrant_patches"), ("--collection", name)):
        found = call.run("call", "index.search", asked, *opened)
        assert found["ids"] == label_ids and cut(found["sample_ids"]) == sample_ids
    got = call.run("call", "index.get", json.dumps({"sample_ids": samples[:1]}), "--key", "qdrant_patches")
    assert sorted(got["ids"]) == labels[:3] and got["sample_ids"] == samples[:3]
    call.run("runs", "delete", "qdrant_patches")


def test_our_patches_open_there(call, name):
    """R53 R93 R94 R280."""
    rows, labels = vectors(30, 10), object_ids(30, 1000)
    samples = [object_ids(10)[i // 3] for i in range(30)]
    create = {"collection_name": name, "patches_field": "ground_truth", "brain_key": "ours", "metric": "euclidean"}
    call.run("call", "index.create", json.dumps(create))
    add = {"ids": labels, "sample_ids": samples, "vectors": rows.tolist()}
    call.run("call", "index.add", json.dumps(add), "--key", "ours")
    index = theirs(name, "euclidean", patches_field="ground_truth")
    embeddings, sample_ids, label_ids = index.get_embeddings(label_ids=labels[:5])
    order = np.argsort(label_ids)
    assert list(label_ids[order]) == labels[:5] and list(sample_ids[order]) == samples[:5]
    assert np.allclose(embeddings[order], rows[:5])
    assert set(index.get_embeddings(sample_ids=samples[:1])[1]) == {samples[0]}
    query = vectors(1, 11)[0]
    truth = np.argsort(np.linalg.norm(rows - query, axis=1))[:6]
    sample_ids, label_ids = index._kneighbors(query, k=6)
    assert label_ids == [labels[i] for i in truth]
    assert sample_ids == cut([samples[i] for i in truth])
