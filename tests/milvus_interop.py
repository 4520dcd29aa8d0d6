# SPDX-License-Identifier: Apache-2.0
"""What the milvus backend writes is read by pymilvus, and the other way round; a collection
laid out as FiftyOne's own milvus backend does it opens here, and one of ours serves there.

Run by ./check milvus, with the server of tests/servers/milvus.py in the environment.
"""
import json
import os
import subprocess
import uuid

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

URI = os.environ["SIMPLUGIN_TEST_MILVUS_URI"]
BUILD = os.environ["SIMPLUGIN_BUILDDIR"]
DIMENSION = 8


@pytest.fixture(scope="module")
def simplugin(tmp_path_factory):
    """Runs the program; its answer."""
    home = tmp_path_factory.mktemp("home")
    plugins = home / "plugins"
    plugins.mkdir()
    (plugins / "simplugin_milvus.so").symlink_to(os.path.join(BUILD, ".libs", "simplugin_milvus.so"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SIMPLUGIN_PATH": str(plugins),
                   "SIMPLUGIN_DATA": str(home / "data"), "FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI": URI,
                   "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": "milvus"}

    def call(*arguments):
        done = subprocess.run([os.path.join(BUILD, "simplugin"), "--json", *map(str, arguments)], env=environment,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def method(name, body):
        return call("call", "backend.call", json.dumps({"method": name, "body": body}), "--connection")

    call.method = method
    return call


@pytest.fixture(scope="module")
def client():
    return MilvusClient(URI)


@pytest.fixture
def name(client):
    made = "interop_" + uuid.uuid4().hex[:12]
    yield made
    if client.has_collection(made):
        client.drop_collection(made)


def key(hit):
    """Where a server tells the name of the key, a hit has it by that name."""
    return hit["pk"] if "pk" in hit else hit["id"]


def vectors(count, seed=1):
    return np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)


def fiftyone_collection(client, name):
    """As fiftyone.brain.internal.core.milvus lays them out: no dynamic fields, HNSW."""
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("pk", DataType.VARCHAR, is_primary=True, max_length=64000)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIMENSION)
    schema.add_field("sample_id", DataType.VARCHAR, max_length=64000)
    client.create_collection(name, schema=schema, consistency_level="Session")
    index = client.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="IP", params={"M": 8, "efConstruction": 64})
    client.create_index(name, index)
    client.load_collection(name)


def test_ours_is_read_by_pymilvus(simplugin, client, name, tmp_path):
    """R280 R281: keys, vectors and fields."""
    rows = vectors(20)
    simplugin("index", "create", "--collection", name, "--dimension", DIMENSION, "--param", "index_type=FLAT",
              "--param", "metric=cosine")
    body = {"collection": name, "ids": ["id%d" % i for i in range(20)], "vectors": rows.tolist(),
            "fields": {"page": list(range(19)) + [None], "title": ["t\u00fc\"%d" % i for i in range(20)],
                       "weight": [i / 2 for i in range(20)], "tags": [["a", "b"]] * 20}}
    assert simplugin.method("points.upsert", body)["upserted"] == 20
    found = client.query(name, filter="page >= 5 and page < 7", output_fields=["*", "vector"], consistency_level="Strong")
    found.sort(key=lambda row: row["pk"])
    assert [row["pk"] for row in found] == ["id5", "id6"]
    assert [row["sample_id"] for row in found] == ["id5", "id6"]
    assert [row["title"] for row in found] == ["t\u00fc\"5", "t\u00fc\"6"]
    assert [row["weight"] for row in found] == [2.5, 3.0]
    assert isinstance(found[1]["weight"], float)
    assert np.array_equal(np.array([row["vector"] for row in found], np.float32), rows[5:7])
    hits = client.search(name, [rows[3]], limit=3, consistency_level="Strong", search_params={"metric_type": "COSINE"})
    assert key(hits[0][0]) == "id3"


def test_pymilvus_is_read_here(simplugin, client, name):
    """R280 R281: what pymilvus wrote comes back, dynamic fields included."""
    rows = vectors(10, 2)
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=DIMENSION)
    schema.add_field("text", DataType.VARCHAR, max_length=200)
    client.create_collection(name, schema=schema)
    index = client.prepare_index_params()
    index.add_index("embedding", index_type="FLAT", metric_type="L2")
    client.create_index(name, index)
    client.load_collection(name)
    client.insert(name, [{"id": i, "embedding": rows[i], "text": "text %d" % i, "page": i, "ok": i % 2 == 0} for i in range(10)])
    described = simplugin.method("collection.describe", {"collection": name})
    assert (described["dimension"], described["metric"], described["count"]) == (DIMENSION, "euclidean", 10)
    got = simplugin.method("points.get", {"collection": name, "ids": ["7", "70", "2"], "fields": True})
    assert got["ids"] == ["7", "2"] and got["positions"] == [0, 2]
    assert got["fields"]["text"] == ["text 7", "text 2"] and got["fields"]["page"] == [7, 2]
    assert got["fields"]["ok"] == [False, True]
    assert np.array_equal(np.array(got["vectors"], np.float32), rows[[7, 2]])
    hits = simplugin.method("search", {"collection": name, "vectors": [rows[4].tolist()], "k": 2, "filter": "page != 5"})
    truth = sorted((float(np.linalg.norm(rows[i] - rows[4])), str(i)) for i in range(10) if i != 5)[:2]
    assert hits["ids"] == [i for _, i in truth]
    assert np.allclose(hits["distances"], [d for d, _ in truth], atol=1e-4)


def test_a_collection_of_fiftyones(simplugin, client, name, tmp_path):
    """R280: it opens here; adding, getting, searching and removing work."""
    rows = vectors(30, 3)
    ids = ["%024x" % i for i in range(30)]
    fiftyone_collection(client, name)
    client.insert(name, [{"pk": i, "vector": v, "sample_id": i} for i, v in zip(ids, rows)])
    np.save(tmp_path / "more.npy", vectors(2, 4))
    (tmp_path / "ids.txt").write_text("%024x\n%024x\n" % (100, 101))
    simplugin("index", "create", "--collection", name)
    assert simplugin("index", "size", "--collection", name)["size"] == 30
    simplugin("index", "add", "--collection", name, tmp_path / "more.npy", "--ids", tmp_path / "ids.txt")
    assert simplugin("index", "size", "--collection", name)["size"] == 32
    found = simplugin.method("search", {"collection": name, "vectors": [rows[5].tolist()], "k": 3})
    truth = np.argsort(-(rows @ rows[5]))
    assert found["ids"][0] in (ids[truth[0]], "%024x" % 100, "%024x" % 101)
    got = client.query(name, filter='pk == "%024x"' % 100, output_fields=["sample_id", "vector"], consistency_level="Strong")
    assert got[0]["sample_id"] == "%024x" % 100
    assert np.allclose(got[0]["vector"], vectors(2, 4)[0])
    simplugin.method("points.delete", {"collection": name, "ids": [ids[0], "%024x" % 101]})
    assert simplugin("index", "size", "--collection", name)["size"] == 30


def test_fiftyones_calls_on_a_collection_of_ours(simplugin, client, name):
    """R280: its schema has what FiftyOne's backend asks for."""
    rows = vectors(12, 5)
    ids = ["%024x" % i for i in range(12)]
    simplugin("index", "create", "--collection", name, "--dimension", DIMENSION, "--param", "metric=dotproduct")
    simplugin.method("points.upsert", {"collection": name, "ids": ids, "vectors": rows.tolist()})
    fields = {field["name"]: field for field in client.describe_collection(name)["fields"]}
    assert fields["pk"]["is_primary"] and fields["pk"]["type"] == DataType.VARCHAR
    assert fields["vector"]["params"]["dim"] == DIMENSION
    assert fields["sample_id"]["type"] == DataType.VARCHAR and fields["sample_id"]["params"]["max_length"] == 64000
    found = client.query(name, filter="pk in %s" % json.dumps(ids[:3]), output_fields=["pk", "sample_id", "vector"],
                         consistency_level="Strong")
    assert {row["pk"]: row["sample_id"] for row in found} == {i: i for i in ids[:3]}
    hits = client.search(name, [rows[1]], limit=4, anns_field="vector", output_fields=["pk"], consistency_level="Strong",
                         search_params={"metric_type": "IP", "params": {"ef": 10}})
    assert [key(hit) for hit in hits[0]] == [ids[i] for i in np.argsort(-(rows @ rows[1]))[:4]]
    client.delete(name, ids=ids[:2])
    assert simplugin("index", "size", "--collection", name)["size"] == 10


def test_a_key_of_no_bytes(simplugin, client, name):
    """R264: an iteration goes on behind a key that is "", which only others write."""
    fiftyone_collection(client, name)
    keys = ["", "a", "b"]
    client.insert(name, [{"pk": k, "vector": v, "sample_id": "s"} for k, v in zip(keys, vectors(3))])
    reply, seen, cursors = {"cursor": None}, [], 0
    while "cursor" in reply:
        body = {"collection": name, "max_rows": 1, "vectors": False}
        if reply["cursor"] is not None:
            body["cursor"] = reply["cursor"]
            cursors += 1
        reply = simplugin.method("points.scan", body)
        seen += reply["ids"]
    assert seen == keys and cursors >= 2
