# SPDX-License-Identifier: Apache-2.0
"""Which backend is used, and with which parameters."""

import json
import os
import subprocess
import sys

import fiftyone.brain as fob
import numpy as np
import pytest
from fiftyone.brain.config import locate_brain_config

import simplugin.fiftyone as sf

OURS = {
    "sklearn": "simplugin.fiftyone.SklearnSimilarityConfig",
    "milvus": "simplugin.fiftyone.MilvusSimilarityConfig",
    "qdrant": "simplugin.fiftyone.QdrantSimilarityConfig",
}
SHOW = """
import fiftyone.brain as fob
print(fob.brain_config.similarity_backends["milvus"]["config_cls"], fob.brain_config.default_similarity_backend)
"""


@pytest.fixture
def path():
    """The brain configuration file, which is not there."""
    path = locate_brain_config()
    if os.path.exists(path):
        os.unlink(path)
    yield path
    sf.disable()
    if os.path.exists(path):
        os.unlink(path)


def content(path):
    """What is in it."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def process(script, **environment):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, **environment}, check=True
    )
    return done.stdout.split()


def test_enable(path):
    """R8 enable() makes the file where there is none; a new process has our classes; disable() takes them back."""
    sf.enable()
    assert content(path) == {"similarity_backends": {name: {"config_cls": cls} for name, cls in OURS.items()}}
    assert os.stat(path).st_mode & 0o077 == 0
    assert process(SHOW) == [OURS["milvus"], "sklearn"]
    sf.enable()
    sf.disable()
    assert content(path) == {}
    assert process(SHOW)[0].startswith("fiftyone.brain.internal")
    sf.disable()


def test_enable_keeps(path):
    """R6 R7 R9 R16 R17 R24 What else is in the file stays as it is."""
    before = {
        "default_similarity_backend": "milvus",
        "similarity_backends": {"milvus": {"uri": "http://localhost:19530", "password": "0042"}, "other": {"a": 1}},
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(before, file)
    os.chmod(path, 0o640)
    sf.enable("milvus")
    after = content(path)
    assert after["similarity_backends"]["milvus"].pop("config_cls") == OURS["milvus"]
    assert after == before and os.stat(path).st_mode & 0o777 == 0o640
    assert process(SHOW) == [OURS["milvus"], "milvus"]
    sf.disable("milvus")
    assert content(path) == before


def test_broken_file(path):
    """R244 A file that is no JSON is named with line and column, and left alone."""
    with open(path, "w", encoding="utf-8") as file:
        file.write('{\n  "a": 1,\n}\n')
    with pytest.raises(ValueError, match=r"brain_config\.json:3:1"):
        sf.enable()
    with open(path, encoding="utf-8") as file:
        assert file.read() == '{\n  "a": 1,\n}\n'
    os.unlink(path)


@pytest.mark.parametrize("backend", ["milvus", "qdrant"], indirect=True)
def test_environment(quickstart, backend, monkeypatch):
    """R4 R5 R10 R11 R12 R13 R14 R15 The backend and where it is by the environment alone, here and elsewhere."""
    ((parameter, value),) = backend.connection.items()
    name = f"FIFTYONE_BRAIN_SIMILARITY_{backend.name.upper()}_{parameter.upper()}"
    rows = np.stack(quickstart.values("stored"))
    monkeypatch.setenv(name, value)  # after FiftyOne has read its own
    index = fob.compute_similarity(quickstart, brain_key="here", embeddings=rows, backend=backend.name)
    assert index.total_index_size == 200
    script = f"""
import fiftyone as fo, fiftyone.brain as fob, numpy as np
dataset = fo.load_dataset({quickstart.name!r})
index = fob.compute_similarity(dataset, brain_key="there", embeddings=np.random.rand(200, 512))
print(index.config.method, index.total_index_size)
"""
    default = {"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": backend.name}
    assert process(script, **default) == [backend.name, "200"]
    quickstart.reload()
    assert quickstart.load_brain_results("there").total_index_size == 200


@pytest.mark.parametrize("backend", ["milvus", "qdrant"], indirect=True)
def test_nothing_secret_is_stored(quickstart, backend):
    """R18 R19 R20 R21 R278 Credentials are in no run, and have to be given again."""
    secret = {"password": "0042", "user": "root"} if backend.name == "milvus" else {"api_key": "0042"}
    rows = np.stack(quickstart.values("stored"))
    fob.compute_similarity(quickstart, brain_key="k", embeddings=rows, **secret, **backend.arguments)
    document = str(fob.Similarity._get_run_doc(quickstart, "k").to_mongo())
    assert "0042" not in document and "127.0.0.1" not in document
    quickstart._brain_cache.clear()
    index = quickstart.load_brain_results("k", **secret, **backend.connection)
    assert index.total_index_size == 200 and "0042" not in str(index.config)


@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_any_other_backend(quickstart, backend, path):
    """A backend of somebody else is used by its name; its parameters are those that it declares."""
    sf.enable("sklearn_flat")
    rows = np.stack(quickstart.values("stored"))
    index = fob.compute_similarity(
        quickstart, brain_key="k", embeddings=rows, backend="sklearn_flat", metric="manhattan"
    )
    assert type(index.config).__module__ == "simplugin.fiftyone.backends"
    assert index.config.method == "sklearn_flat" and index.config.metric == "manhattan"
    script = f"""
import fiftyone as fo
dataset = fo.load_dataset({quickstart.name!r})
print(dataset.load_brain_results("k").total_index_size, len(dataset.sort_by_similarity(dataset.first().id, k=4)))
"""
    assert process(script) == ["200", "4"]
    with pytest.raises(ValueError, match="unheard"):
        fob.compute_similarity(quickstart, embeddings=rows, backend="unheard")
    index.cleanup()


@pytest.mark.parametrize("backend", ["milvus"], indirect=True)
def test_milvus_client(quickstart, backend):
    """R73 R74 R75 R241 pymilvus's collection, and its SDK initialised, as the document shows."""
    rows = np.stack(quickstart.values("stored"))
    milvus_index = fob.compute_similarity(quickstart, embeddings=rows, **backend.arguments)
    print(milvus_index.get_collection(), milvus_index.index)
    from pymilvus import utility

    assert milvus_index.config.collection_name in utility.list_collections()
    assert milvus_index.collection.name == milvus_index.config.collection_name
    milvus_index.cleanup()
    assert milvus_index.get_collection() is None


@pytest.mark.parametrize("backend", ["qdrant"], indirect=True)
def test_qdrant_client(quickstart, backend):
    """R76 R77 qdrant-client's client, as the document shows."""
    rows = np.stack(quickstart.values("stored"))
    qdrant_index = fob.compute_similarity(quickstart, embeddings=rows, **backend.arguments)
    qdrant_client = qdrant_index.client
    print(qdrant_client)
    names = [collection.name for collection in qdrant_client.get_collections().collections]
    assert qdrant_index.config.collection_name in names


@pytest.mark.parametrize("backend", ["milvus", "qdrant"], indirect=True)
def test_without_an_sdk(quickstart, backend, monkeypatch):
    """R27 R28 No SDK is needed; what stands in for its client shows the same."""
    for name in ("pymilvus", "qdrant_client"):
        monkeypatch.setitem(sys.modules, name, None)
    rows = np.stack(quickstart.values("stored"))
    index = fob.compute_similarity(quickstart, embeddings=rows, **backend.arguments)
    name = index.config.collection_name
    if backend.name == "milvus":
        assert name in str(index.get_collection()) and index.collection.num_entities == 200
    else:
        assert name in index.client.get_collections()
        assert index.client.get_collection(name)["dimension"] == 512 and "qdrant" in str(index.client)
