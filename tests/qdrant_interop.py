# SPDX-License-Identifier: Apache-2.0
"""What the qdrant backend writes is read by qdrant-client, and the other way round; collections
laid out as FiftyOne's own qdrant backend does it, and as other people do, open here.

    PYTHON tests/servers/qdrant.py --work DIR -- \\
        env SIMPLUGIN_BUILDDIR=build/core CLIENT -m pytest -W ignore tests/qdrant_interop.py

PYTHON has the packages of tests/servers/requirements-qdrant.txt, and CLIENT those as well, or those of
requirements-qdrant-fiftyone.txt: the newest client and an older one.
"""
import json
import os
import subprocess
import time
import uuid

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

URL = os.environ["SIMPLUGIN_TEST_QDRANT_URL"]
API_KEY = os.environ.get("SIMPLUGIN_TEST_QDRANT_API_KEY")
BUILD = os.path.abspath(os.environ["SIMPLUGIN_BUILDDIR"])
DIMENSION = 8


@pytest.fixture(scope="module")
def simplugin(tmp_path_factory):
    """Runs the program; its answer."""
    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SIMPLUGIN_PATH": os.path.join(BUILD, ".libs"),
                   "SIMPLUGIN_DATA": str(home / "data"), "FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL": URL,
                   "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": "qdrant"}
    if API_KEY:
        environment["FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY"] = API_KEY

    def call(*arguments, fails=False):
        done = subprocess.run([os.path.join(BUILD, "simplugin"), "--json", *map(str, arguments)], env=environment,
                              capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, (arguments, done)
        said = done.stderr if fails else done.stdout
        return json.loads(said.strip().splitlines()[-1]) if said.strip() else None

    def method(name, body, fails=False):
        return call("call", "backend.call", json.dumps({"method": name, "body": body}), "--connection", fails=fails)

    def on_index(name, what, body, fails=False):
        return call("call", what, json.dumps(body), "--collection", name, fails=fails)

    call.method, call.on_index = method, on_index
    return call


@pytest.fixture(scope="module")
def client():
    return QdrantClient(url=URL, api_key=API_KEY, timeout=30)


@pytest.fixture
def name(client):
    made = "interop_" + uuid.uuid4().hex[:12]
    yield made
    client.delete_collection(made)


def vectors(count, seed=1):
    return np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)


def object_ids(count, first=0):
    return ["%024x" % (0x65A0 << 80 | first + i) for i in range(count)]


def key_of(object_id):
    """A key as servers show it, of an id as FiftyOne has them."""
    return str(uuid.UUID(object_id + "00000000"))


def truth(metric, rows, query):
    """The rows from the nearest on, and their distances."""
    rows, query = rows.astype(np.float64), query.astype(np.float64)
    if metric == "dotproduct":
        distances = -(rows @ query)
    elif metric == "cosine":
        distances = 1 - rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    else:
        distances = np.linalg.norm(rows - query, axis=1)
    order = np.argsort(distances)
    return order, distances[order]


DISTANCES = {"cosine": models.Distance.COSINE, "dotproduct": models.Distance.DOT, "euclidean": models.Distance.EUCLID}


def make(client, name, metric="cosine", vector=None):
    params = models.VectorParams(size=DIMENSION, distance=DISTANCES[metric])
    client.create_collection(name, vectors_config={vector: params} if vector else params)


def put(client, name, keys, rows, payloads=None, vector=None):
    """As FiftyOne's class does it: keys of 32 digits without hyphens are UUIDs too."""
    rows = rows.tolist()
    client.upsert(name, points=models.Batch(ids=keys, vectors={vector: rows} if vector else rows, payloads=payloads))


# ---- ours, read by the client ---------------------------------------------------------------------


@pytest.mark.parametrize("metric", DISTANCES)
def test_ours_is_read_by_the_client(simplugin, client, name, metric):
    """R119 R120 R280 R281: keys, vectors, fields, the configuration; searched and filtered there."""
    rows, ids = vectors(20), object_ids(19) + ["t\u00fc\" 20"]
    simplugin("index", "create", "--collection", name, "--dimension", DIMENSION, "--param", "metric=" + metric)
    body = {"collection": name, "ids": ids, "vectors": rows.tolist(),
            "fields": {"page": list(range(19)) + [None], "title": ["t\u00fc\"%d" % i for i in range(20)],
                       "weight": [i / 2 for i in range(20)], "tags": [["a", "b"]] * 20, "ok": [True, False] * 10}}
    assert simplugin.method("points.upsert", body)["upserted"] == 20

    config = client.get_collection(name).config.params.vectors
    assert (config.size, config.distance) == (DIMENSION, DISTANCES[metric])
    assert client.count(name, exact=True).count == 20
    point, = client.retrieve(name, [key_of(ids[6])], with_vectors=True)
    norm = np.linalg.norm(rows[6]) if metric == "cosine" else 1
    payload = {"page": 6, "title": "t\u00fc\"6", "weight": 3.0, "tags": ["a", "b"], "ok": True}
    if metric == "cosine":
        payload["__norm"] = pytest.approx(norm, rel=1e-6)
    assert point.payload == payload
    assert isinstance(point.payload["weight"], float) and isinstance(point.payload["page"], int)
    assert np.allclose(np.array(point.vector), rows[6] / norm, atol=1e-6)
    if metric != "cosine":
        assert np.array_equal(np.array(point.vector, np.float32), rows[6])

    chosen = models.Filter(must=[models.FieldCondition(key="page", range=models.Range(gte=5, lt=7))])
    found, _ = client.scroll(name, scroll_filter=chosen, limit=10)
    assert sorted(point.id for point in found) == [key_of(i) for i in ids[5:7]]
    other = str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "urn:simplugin:ids"), ids[19]))
    point, = client.retrieve(name, [other])
    assert point.payload["__id"] == ids[19] and "page" not in point.payload
    query = vectors(1, 9)[0]
    keys = [key_of(i) for i in ids[:19]] + [other]
    hits = client.query_points(name, query=query.tolist(), limit=5).points
    assert [hit.id for hit in hits] == [keys[i] for i in truth(metric, rows, query)[0][:5]]


def test_what_the_client_changes_is_seen(simplugin, client, name):
    """R280: it deletes, sets payloads and writes over points of ours."""
    rows, ids = vectors(6, 2), object_ids(6)
    simplugin("index", "create", "--collection", name, "--dimension", DIMENSION, "--param", "metric=dotproduct")
    simplugin.method("points.upsert", {"collection": name, "ids": ids, "vectors": rows.tolist(),
                                       "fields": {"page": list(range(6))}})
    client.delete(name, points_selector=models.PointIdsList(points=[key_of(ids[0])]))
    client.set_payload(name, payload={"page": 100}, points=[key_of(ids[1])])
    put(client, name, [ids[2] + "00000000"], rows[2:3] * 2, [{"page": 200}])
    got = simplugin.method("points.get", {"collection": name, "ids": ids, "fields": True})
    assert got["ids"] == ids[1:] and got["fields"]["page"] == [100, 200, 3, 4, 5]
    assert np.array_equal(np.array(got["vectors"][1], np.float32), rows[2] * 2)
    assert simplugin.method("points.count", {"collection": name})["count"] == 5


def test_our_patches_are_read_by_the_client(simplugin, client, name):
    """R53 R94 R280: labels with their samples in the payload, found by it."""
    rows, labels = vectors(6, 3), object_ids(6, 1000)
    samples = [object_ids(2)[i // 3] for i in range(6)]
    create = {"collection_name": name, "patches_field": "ground_truth", "brain_key": "qdrant_patches", "dimension": DIMENSION}
    assert not simplugin("call", "index.create", json.dumps(create))["existing"]
    add = {"ids": labels, "sample_ids": samples, "vectors": rows.tolist()}
    simplugin("call", "index.add", json.dumps(add), "--key", "qdrant_patches")
    chosen = models.Filter(must=[models.FieldCondition(key="sample_id", match=models.MatchValue(value=samples[3]))])
    found, _ = client.scroll(name, scroll_filter=chosen)
    assert sorted(point.id for point in found) == [key_of(i) for i in labels[3:]]
    assert client.get_collection(name).payload_schema["sample_id"].data_type == models.PayloadSchemaType.KEYWORD
    simplugin("runs", "delete", "qdrant_patches")


# ---- the client's, read here ------------------------------------------------------------------------


@pytest.mark.parametrize("metric", DISTANCES)
def test_a_collection_of_fiftyones(simplugin, client, name, metric):
    """R55 R56 R280: as its class lays one out; it opens here, and get, search, add and remove work."""
    rows, ids = vectors(30, 4), object_ids(30)
    make(client, name, metric)
    put(client, name, [i + "00000000" for i in ids], rows, [{"sample_id": i} for i in ids])
    made = simplugin("call", "index.create", json.dumps({"collection_name": name, "model": "clip-vit-base32-torch"}))
    assert made["existing"] and made["metric"] == metric and not made["patches"]
    info = simplugin.on_index(name, "index.info", {})
    assert (info["dimension"], info["size"]) == (DIMENSION, 30)
    assert simplugin.method("collection.describe", {"collection": name})["id_mode"] == "mapped"

    got = simplugin.on_index(name, "index.get", {"ids": ids[::-1] + ["nobody"], "fields": True})
    assert got["ids"] == ids[::-1] and got["missing"] == ["nobody"]
    norms = np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else 1
    assert np.allclose(np.array(got["vectors"]), (rows / norms)[::-1], atol=1e-6)
    assert "sample_id" not in got["fields"]

    query = vectors(1, 5)[0]
    found = simplugin.on_index(name, "index.search", {"vectors": [query.tolist()], "k": 7})
    order, distances = truth(metric, rows, query)
    assert found["ids"] == [ids[i] for i in order[:7]]
    assert np.allclose(found["distances"], distances[:7], atol=1e-4)

    more, new = vectors(2, 6), object_ids(2, 100)
    simplugin.on_index(name, "index.add", {"ids": new, "vectors": more.tolist()})
    simplugin.on_index(name, "index.remove", {"ids": [ids[0], new[1]]})
    assert simplugin.on_index(name, "index.size", {})["size"] == 30
    got = simplugin.on_index(name, "index.get", {"ids": new[:1]})
    assert np.allclose(got["vectors"], more[:1], rtol=1e-6)
    keys = {point.id for point in client.scroll(name, limit=100)[0]}
    assert keys == {key_of(i) for i in ids[1:] + new[:1]}


def test_patches_of_fiftyones(simplugin, client, name):
    """R56 R94 R280: labels of samples, opened by the collection's name alone."""
    rows, labels = vectors(12, 7), object_ids(12, 1000)
    samples = [object_ids(4)[i // 3] for i in range(12)]
    make(client, name)
    put(client, name, [i + "00000000" for i in labels], rows, [{"sample_id": i} for i in samples])
    assert simplugin.on_index(name, "index.info", {})["patches"]
    query = vectors(1, 8)[0]
    found = simplugin.on_index(name, "index.search", {"vectors": [query.tolist()], "k": 5})
    order = truth("cosine", rows, query)[0][:5]
    assert found["ids"] == [labels[i] for i in order] and found["sample_ids"] == [samples[i] for i in order]
    got = simplugin.on_index(name, "index.get", {"sample_ids": samples[3:4]})
    assert sorted(got["ids"]) == labels[3:6] and set(got["sample_ids"]) == {samples[3]}
    add = {"ids": object_ids(1, 2000), "sample_ids": samples[:1], "vectors": rows[:1].tolist()}
    simplugin.on_index(name, "index.add", add)
    assert simplugin.on_index(name, "index.remove", {"sample_ids": samples[:1]})["removed"] == 4
    assert client.count(name, exact=True).count == 9


@pytest.mark.parametrize("vector", [None, "image"])
def test_integers_as_keys(simplugin, client, name, vector):
    """R280 R281: of somebody else, with a name for the vector or without; payloads of every kind."""
    rows = vectors(10, 9)
    make(client, name, "euclidean", vector)
    numbers = [0, 7, 42, 2**53 + 1, 2**63, 2**64 - 1] + list(range(100, 104))
    payloads = [{"text": "text %d" % i, "page": i, "ok": i % 2 == 0, "at": {"x": 1}, "mixed": "a" if i else 1,
                 "list": [1.5, 2], "nothing": None, "big": 2**63 + 5, 'odd"': i} for i in range(10)]
    put(client, name, numbers, rows, payloads, vector)
    described = simplugin.method("collection.describe", {"collection": name})
    assert (described["dimension"], described["metric"], described["count"], described["id_mode"]) == (
        DIMENSION, "euclidean", 10, "native")
    ids = [str(number) for number in numbers]
    got = simplugin.method("points.get", {"collection": name, "ids": ["7", "70", ids[5], ids[3], "x", "007"], "fields": True})
    assert got["ids"] == ["7", ids[5], ids[3]] and got["positions"] == [0, 2, 3]
    fields = got["fields"]
    assert fields["text"] == ["text 1", "text 5", "text 3"] and fields["page"] == [1, 5, 3]
    assert fields["ok"] == [False, False, False] and fields["list"] == [[1.5, 2]] * 3
    assert fields["big"] == [2.0**63] * 3 and fields['odd"'] == [1, 5, 3]
    assert fields["mixed"] == ["a"] * 3 and json.loads(fields["at"][0]) == {"x": 1}
    assert np.array_equal(np.array(got["vectors"], np.float32), rows[[1, 5, 3]])

    hits = simplugin.method("search", {"collection": name, "vectors": [rows[4].tolist()], "k": 3, "filter": "page != 5"})
    order, distances = truth("euclidean", rows, rows[4])
    kept = [(ids[i], d) for i, d in zip(order, distances) if i != 5][:3]
    assert hits["ids"] == [i for i, _ in kept] and np.allclose(hits["distances"], [d for _, d in kept], atol=1e-4)

    new = {"collection": name, "ids": ["104"], "vectors": rows[:1].tolist(), "fields": {"page": [50]}}
    assert simplugin.method("points.upsert", new)["upserted"] == 1
    point, = client.retrieve(name, [104], with_vectors=True)
    assert point.payload == {"page": 50}
    stored = point.vector[vector] if vector else point.vector
    assert np.array_equal(np.array(stored, np.float32), rows[0])
    refused = simplugin.method("points.upsert", {**new, "ids": ["name"]}, fails=True)["error"]
    assert refused["code"] == "INVALID_ARGUMENT" and "name" in refused["message"], refused
    simplugin.method("points.delete", {"collection": name, "ids": [ids[5], "104", "nobody"]})
    assert client.count(name, exact=True).count == 9
    seen = simplugin.on_index(name, "index.get", {"vectors": False})["ids"]
    assert sorted(seen, key=int) == sorted((i for i in ids if i != ids[5]), key=int)


def test_random_uuids_as_keys(simplugin, client, name):
    """R280: shown as they are, added to and searched by them."""
    rows = vectors(40, 10)
    keys = [str(uuid.UUID(int=uuid.uuid4().int | 1)) for _ in range(40)]
    make(client, name, "dotproduct")
    put(client, name, keys, rows)
    assert simplugin.method("collection.describe", {"collection": name})["id_mode"] == "native"
    found = simplugin.on_index(name, "index.search", {"ids": keys[3:4], "k": 4})
    assert found["ids"] == [keys[i] for i in truth("dotproduct", rows, rows[3])[0][:4]]
    new = str(uuid.uuid4())
    simplugin.on_index(name, "index.add", {"ids": [new], "vectors": rows[:1].tolist()})
    assert [point.id for point in client.retrieve(name, [new])] == [new]
    everything = simplugin.on_index(name, "index.get", {"vectors": False})
    assert sorted(everything["ids"]) == sorted(keys + [new])


def test_several_vectors(simplugin, client, name):
    """An index needs one: two are refused with their number; a sparse one beside it is left alone."""
    params = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
    client.create_collection(name, vectors_config={"image": params, "text": params})
    error = simplugin.method("points.count", {"collection": name}, fails=True)["error"]
    assert error["code"] == "UNIMPLEMENTED" and "2 vectors" in error["message"], error
    client.delete_collection(name)
    client.create_collection(name, vectors_config={"image": params},
                             sparse_vectors_config={"words": models.SparseVectorParams()})
    rows = vectors(3, 11)
    sparse = models.SparseVector(indices=[1, 5], values=[1.0, 2.0])
    client.upsert(name, points=[models.PointStruct(id=i, vector={"image": rows[i].tolist(), "words": sparse}, payload={})
                                for i in range(3)])
    found = simplugin.method("search", {"collection": name, "vectors": [rows[1].tolist()], "k": 1, "with_vectors": True})
    assert found["ids"] == ["1"]
    assert np.allclose(found["vectors"][0], rows[1] / np.linalg.norm(rows[1]), atol=1e-6)


def test_an_alias_of_the_clients(simplugin, client, name):
    """R76 R77: it stands for its collection; what the client lists is what is listed here."""
    make(client, name)
    alias = name + "_alias"
    client.update_collection_aliases([models.CreateAliasOperation(
        create_alias=models.CreateAlias(collection_name=name, alias_name=alias))])
    assert simplugin.method("native.alias.list", {})["aliases"][alias] == name
    assert simplugin.method("points.count", {"collection": alias})["count"] == 0
    listed = {collection.name for collection in client.get_collections().collections}
    assert set(simplugin.method("collection.list", {})["collections"]) == listed and name in listed
    raw = simplugin.method("native.request", {"path": "/collections"})["result"]["collections"]
    assert {one["name"] for one in raw} == listed
    simplugin.method("native.alias.drop", {"alias": alias})
    assert not client.get_collection_aliases(name).aliases


def test_rows_of_any_size(simplugin, client, name):
    """R264: max_bytes bounds a reply, and what is larger than max_receive_bytes is read in parts."""
    client.create_collection(name, models.VectorParams(size=DIMENSION, distance=models.Distance.EUCLID))
    count = 500
    rows, ids = vectors(count), object_ids(count)
    for first in range(0, count, 100):
        payloads = [{"n": i, "sample_id": ids[i], **({"t": "x" * 60_000} if first >= 300 else {})}
                    for i in range(first, first + 100)]
        client.upsert(name, models.Batch(ids=[key_of(i) for i in ids[first:first + 100]], payloads=payloads,
                                         vectors=rows[first:first + 100].tolist()), wait=True)
    for options in [], ["--param", "max_receive_bytes=4194304"]:
        def call(method, body):
            body = json.dumps({"method": method, "body": {"collection": name, "vectors": False, **body}})
            return simplugin("call", "backend.call", body, "--connection", *options)

        seen, cursor, pages = [], {}, 0
        while cursor is not None:
            page = call("points.scan", {"fields": True, "max_bytes": 1 << 20, **cursor})
            assert len(page["ids"]) == 1 or len(json.dumps(page["fields"])) < 1 << 20
            seen += page["ids"]
            cursor = {"cursor": page["cursor"]} if "cursor" in page else None
            pages += 1
        assert sorted(seen) == ids and pages > 10
        page = call("points.get", {"ids": ids + ids[:3], "fields": ["n"]})
        assert page["ids"] == ids + ids[:3] and page["fields"]["n"] == [*range(count), 0, 1, 2]


def test_lists_that_the_graph_leaves_short(simplugin, client, name):
    """R88, R90: a graph that a filter takes apart finds k all the same."""
    count, wide = 10_000, 32
    client.create_collection(name, models.VectorParams(size=wide, distance=models.Distance.EUCLID),
                             hnsw_config=models.HnswConfigDiff(m=4, ef_construct=8, full_scan_threshold=10),
                             optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100, default_segment_number=1))
    rows = np.random.default_rng(5).standard_normal((count, wide)).astype(np.float32)
    ids = object_ids(count)
    for first in range(0, count, 2_500):
        client.upsert(name, models.Batch(ids=[key_of(i) for i in ids[first:first + 2_500]],
                                         vectors=rows[first:first + 2_500].tolist(),
                                         payloads=[{"n": i, "sample_id": ids[i]} for i in range(first, first + 2_500)]),
                      wait=True)
    end = time.monotonic() + 60
    while (client.get_collection(name).indexed_vectors_count or 0) < count * 0.9 and time.monotonic() < end:
        time.sleep(0.2)

    def nearest(among, k):
        return [ids[i] for i in sorted(among, key=lambda i: float(np.linalg.norm(rows[i])))[:k]]

    def search(**body):
        return simplugin.on_index(name, "index.search", {"vectors": [[0.0] * wide], **body})["ids"]

    few = range(100)
    found = search(k=10, filter="n < 100", parameters={"hnsw_ef": 1})
    # A list of full length may be the graph's own, which is approximate at so small an ef.
    assert len(found) == len(set(found)) == 10
    assert found == [i for i in nearest(few, 100) if i in set(found)]
    # A list that is short is asked for again exactly.
    assert search(k=300, filter="n < 100", parameters={"hnsw_ef": 1}) == nearest(few, 300)
    assert search(k=10, filter="n < 0") == []
    assert len(search(k=3_000)) == 3_000
