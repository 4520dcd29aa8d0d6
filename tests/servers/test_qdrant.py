# SPDX-License-Identifier: Apache-2.0
"""qdrant.py answers as a Qdrant server does. Where SIMPLUGIN_TEST_QDRANT_URL names a server, that is asked."""

import json
import os
import threading
import urllib.parse
import uuid

import pytest
from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from qdrant_rig import PREFIX, Server, serving

UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if PREFIX + "URL" in os.environ:
        yield Server({k.removeprefix(PREFIX): v for k, v in os.environ.items() if k.startswith(PREFIX)})
        return
    with serving(tmp_path_factory.mktemp("qdrant")) as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return server.client()


@pytest.fixture
def name(client):
    result = "test-" + uuid.uuid4().hex
    yield result
    client.delete_collection(result)


VECTORS = [[1.0, 0.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [-1.0, 0.0, 0.0, 0.0]]


@pytest.fixture
def filled(client, name):
    """Four points in euclidean space."""
    client.create_collection(name, models.VectorParams(size=4, distance="Euclid"))
    points = [
        models.PointStruct(
            id=i, vector=vector, payload={"n": i, "tags": ["t%d" % i, "all"], "even": i % 2 == 0}
        )
        for i, vector in enumerate(VECTORS)
    ]
    client.upsert(name, points, wait=True)
    return name


def test_service(server, client):
    info = client.info()
    assert info.title == "qdrant - vector search engine" and info.version.count(".") == 2
    for path, text in (
        ("/healthz", b"healthz check passed"),
        ("/livez", b"healthz check passed"),
        ("/readyz", b"all shards are ready"),
    ):
        assert server.ask("GET", path) == (200, text)
    status, page = server.ask("GET", "/metrics")
    assert status == 200 and b"\ncollections_total " in page
    assert server.ask("GET", "/telemetry")[1]["result"]["app"]["version"] == info.version
    assert server.ask("GET", "/cluster")[1]["result"]["status"] in ("disabled", "enabled")


def test_unknown_paths(server):
    for method, path in (
        ("GET", "/nothing"),
        ("POST", "/collections"),
        ("PUT", "/"),
        ("GET", "/collections/x/points/1/2"),
    ):
        assert server.ask(method, path) == (404, b"")


def test_collections(server, client, name):
    assert not client.collection_exists(name)
    path = "/collections/" + name
    missing = "Not found: Collection `%s` doesn't exist!" % name
    assert server.refused("GET", path) == (404, missing)
    assert server.refused("POST", path + "/points/count", {}) == (404, missing)
    body = {"vectors": {"size": 4, "distance": "Dot"}}
    status, answer = server.ask("PUT", path, body)
    assert status == 200 and answer["result"] is True and answer["status"] == "ok" and answer["time"] >= 0
    assert server.refused("PUT", path, body) == (409, "Wrong input: Collection `%s` already exists!" % name)
    assert client.collection_exists(name) and name in [
        one.name for one in client.get_collections().collections
    ]
    assert server.ask("DELETE", path)[1]["result"] is True
    assert server.ask("DELETE", path)[1]["result"] is False


def test_configuration(server, client, name):
    path = "/collections/" + name
    body = {
        "vectors": {
            "a": {"size": 3, "distance": "Cosine", "on_disk": True},
            "b": {"size": 2, "distance": "Manhattan"},
        },
        "sparse_vectors": {"s": {}},
        "hnsw_config": {"m": 8, "ef_construct": None},
        "optimizers_config": {"indexing_threshold": 123},
        "replication_factor": 2,
        "shard_number": 1,
        "unheard_of": {"is": "ignored"},
    }
    assert server.ask("PUT", path, body)[0] == 200
    info = server.ask("GET", path)[1]["result"]
    assert info["status"] == "green" and info["points_count"] == 0 and info["payload_schema"] == {}
    config = info["config"]
    assert config["params"]["vectors"] == body["vectors"] and config["params"]["replication_factor"] == 2
    assert (
        config["params"]["sparse_vectors"] == {"s": {}} and config["params"]["write_consistency_factor"] == 1
    )
    assert config["hnsw_config"]["m"] == 8 and config["hnsw_config"]["ef_construct"] == 100
    assert config["optimizer_config"]["indexing_threshold"] == 123
    assert config["wal_config"]["wal_capacity_mb"] == 32 and config["quantization_config"] is None
    client.upsert(name, [models.PointStruct(id=1, vector={"a": [1, 2, 3]})], wait=True)
    assert (
        server.ask("PATCH", path, {"hnsw_config": {"ef_construct": 50}, "params": {"replication_factor": 1}})[
            0
        ]
        == 200
    )
    config = client.get_collection(name).config
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct, config.params.replication_factor) == (
        8,
        50,
        1,
    )
    assert client.count(name).count == 1


@pytest.mark.parametrize("bad", ["a/b", "a:b", 'a"b', "a?b", "a*b", "a\\b", "a|b", "a<b", "a>b", "a\0b"])
def test_bad_names(server, bad):
    character = next(one for one in bad if one not in "ab")
    status, error = server.refused(
        "PUT", "/collections/" + urllib.parse.quote(bad, safe=""), {"vectors": {"size": 4, "distance": "Dot"}}
    )
    assert status == 422
    assert (
        error
        == 'Validation error in path parameters: [name: collection name cannot contain "%s" char]' % character
    )


def test_long_names(server):
    path = "/collections/" + "x" * 256
    for method, body in (("PUT", {"vectors": {"size": 4, "distance": "Dot"}}), ("GET", None)):
        status, error = server.refused(method, path, body)
        assert status == 422 and error.startswith("Validation error in path parameters: [name: ")


@pytest.mark.parametrize("good", ["größe 東京", "a%2Fb", "a+b", "a.b;c=d&e", "é" * 127, "#"])
def test_odd_names(server, good):
    path = "/collections/" + urllib.parse.quote(good, safe="")
    server.ask("DELETE", path)
    assert server.ask("PUT", path, {"vectors": {"size": 4, "distance": "Dot"}})[0] == 200
    assert good in [one["name"] for one in server.ask("GET", "/collections")[1]["result"]["collections"]]
    assert server.ask("GET", path)[1]["result"]["points_count"] == 0
    assert server.ask("DELETE", path)[1]["result"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"vectors": {"size": "4", "distance": "Dot"}},
        {"vectors": {"size": 4, "distance": "dot"}},
        {"vectors": {"size": 4}},
        {"vectors": [4]},
        {"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"m": "many"}},
        {"vectors": {"size": 4, "distance": "Dot"}, "on_disk_payload": 1},
    ],
)
def test_bad_configurations(server, name, body):
    status, error = server.refused("PUT", "/collections/" + name, body)
    assert status == 400 and error.startswith("Format error in JSON body: ")


def test_configurations_out_of_bounds(server, name):
    path = "/collections/" + name
    body = {"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"ef_construct": 0}}
    status, error = server.refused("PUT", path, body)
    assert status == 422 and error.startswith(
        "Validation error in JSON body: [hnsw_config.ef_construct: value 0 invalid, must be 4"
    )
    status, error = server.refused("PUT", path + "?timeout=0", {"vectors": {"size": 4, "distance": "Dot"}})
    assert status == 422 and "timeout: value 0 invalid" in error


def test_malformed_bodies(server, filled):
    path = "/collections/%s/points" % filled
    for body in (
        b"",
        b"{",
        b'{"ids": [1]',
        b"\xff",
        b"nonsense",
        b'{"ids": [NaN]}',
        b'{"ids": "1"}',
        b"{}",
        b"[]",
    ):
        status, error = server.refused("POST", path, body)
        assert status == 400 and error.startswith("Format error in JSON body: "), body
    assert server.refused("POST", path, b"{}")[1].startswith("Format error in JSON body: missing field `ids`")
    status, error = server.refused("POST", path, b'{"ids": [1]}', headers={"content-type": "text/plain"})
    assert status == 400 and "Content type error" in error


def test_large_bodies(server, filled):
    size = (32 << 20) + 1
    headers = {"expect": "100-continue", "content-length": str(size), "content-type": "application/json"}
    if "API_KEY" in server.variables:
        headers["api-key"] = server.variables["API_KEY"]
    peer = server.connection()
    peer.request("PUT", "/collections/%s/points" % filled, headers=headers)  # and nothing of the body
    answer = peer.getresponse()
    error = json.loads(answer.read())["status"]["error"]
    peer.close()
    assert answer.status in (400, 413)
    assert (
        error
        == "Payload error: JSON payload (%d bytes) is larger than allowed (limit: 33554432 bytes)." % size
    )


@pytest.mark.parametrize(
    "given", [UUID, UUID.upper(), UUID.replace("-", ""), "urn:uuid:" + UUID, 0, 2**63, 2**64 - 1]
)
def test_point_ids(server, filled, given):
    path = "/collections/%s/points" % filled
    status, answer = server.ask(
        "PUT", path + "?wait=true", {"points": [{"id": given, "vector": [1, 2, 3, 4]}]}
    )
    assert status == 200 and answer["result"]["status"] == "completed"
    shown = given if isinstance(given, int) else UUID
    assert server.ask("POST", path, {"ids": [given]})[1]["result"] == [{"id": shown, "payload": {}}]
    found = server.ask("GET", "%s/%s" % (path, urllib.parse.quote(str(given))))[1]["result"]
    assert found["id"] == shown and found["vector"] == [1, 2, 3, 4] and found["payload"] == {}
    hit = server.ask("POST", path + "/scroll", {"filter": {"must": [{"has_id": [given]}]}})[1]["result"]
    assert [one["id"] for one in hit["points"]] == [shown] and hit["next_page_offset"] is None


@pytest.mark.parametrize(
    "bad", ["x", "", "1", UUID + "0", UUID[:-1], UUID.replace("-", "_"), -1, 2**64, 1.5, None, True, []]
)
def test_bad_point_ids(server, filled, bad):
    path = "/collections/%s/points" % filled
    for method, end, body in (
        ("PUT", "?wait=true", {"points": [{"id": bad, "vector": [1, 2, 3, 4]}]}),
        ("PUT", "?wait=true", {"batch": {"ids": [bad], "vectors": [[1, 2, 3, 4]]}}),
        ("POST", "", {"ids": [bad]}),
        ("POST", "/delete", {"points": [bad]}),
        ("POST", "/scroll", {"filter": {"must": [{"has_id": [bad]}]}}),
    ):
        status, error = server.refused(method, path + end, body)
        assert status == 400 and error.startswith("Format error in JSON body: ")
        if isinstance(bad, str) and end != "/scroll":
            assert (
                "value %s is not a valid point ID, valid values are either an unsigned integer or a UUID"
                % bad
                in error
            )


def test_missing_points(server, filled):
    path = "/collections/%s/points" % filled
    assert server.refused("GET", path + "/99") == (404, "Not found: Point with id 99 does not exists!")
    assert server.refused("GET", path + "/x") == (400, 'Wrong input: Can not recognize "x" as point id')
    assert server.ask("POST", path, {"ids": [99, 1], "with_payload": False})[1]["result"] == [{"id": 1}]
    assert server.refused("POST", path + "/query", {"query": 99}) == (
        404,
        "Not found: No point with id 99 found",
    )
    assert server.ask("POST", path + "/delete?wait=true", {"points": [99]})[0] == 200


def test_dimensions(server, filled):
    path = "/collections/%s/points" % filled
    expected = "Wrong input: Vector dimension error: expected dim: 4, got 2"
    points = [{"id": 50, "vector": [1, 2, 3, 4]}, {"id": 51, "vector": [1, 2]}]
    assert server.refused("PUT", path + "?wait=true", {"points": points}) == (400, expected)
    assert server.refused("POST", path + "/query", {"query": [1, 2]}) == (400, expected)
    assert server.refused("POST", path + "/search", {"vector": [1, 2], "limit": 1}) == (400, expected)
    status, answer = server.ask("PUT", path, {"points": points[1:]})  # nobody waits for it
    assert status == 200 and answer["result"]["status"] == "acknowledged"
    assert server.ask("POST", path, {"ids": [51]})[1]["result"] == []


def test_names_of_vectors(server, client, name):
    client.create_collection(
        name,
        {
            "a": models.VectorParams(size=2, distance="Dot"),
            "b": models.VectorParams(size=3, distance="Cosine"),
        },
        sparse_vectors_config={"s": models.SparseVectorParams()},
    )
    sparse = models.SparseVector(indices=[7, 2], values=[0.5, 2.0])
    client.upsert(
        name,
        [
            models.PointStruct(id=1, vector={"a": [1, 2], "b": [0, 3, 4], "s": sparse}),
            models.PointStruct(id=2, vector={"a": [5, 5]}),
            models.PointStruct(id=3, vector={}),
        ],
        wait=True,
    )
    found = client.retrieve(name, [1, 2, 3], with_vectors=True)
    first = found[0].vector
    assert first["a"] == [1, 2] and first["b"] == pytest.approx([0, 0.6, 0.8])
    assert dict(zip(first["s"].indices, first["s"].values)) == {2: 2.0, 7: 0.5}
    assert found[1].vector == {"a": [5, 5]} and found[2].vector == {}
    assert client.retrieve(name, [1], with_vectors=["a"])[0].vector == {"a": [1, 2]}
    assert [one.id for one in client.query_points(name, [1.0, 1.0], using="a").points] == [2, 1]
    hits = client.query_points(name, models.SparseVector(indices=[2], values=[3.0]), using="s").points
    assert [(one.id, one.score) for one in hits] == [(1, 6.0)]
    hits = client.scroll(name, models.Filter(must=[models.HasVectorCondition(has_vector="b")]))[0]
    assert [one.id for one in hits] == [1]
    path = "/collections/%s/points" % name
    wrong = "Wrong input: Not existing vector name error: c"
    assert server.refused("POST", path + "/query", {"query": [1, 2], "using": "c"}) == (400, wrong)
    assert server.refused("PUT", path + "?wait=true", {"points": [{"id": 1, "vector": {"c": [1]}}]}) == (
        400,
        wrong,
    )
    client.delete_vectors(name, ["a"], [1], wait=True)
    client.update_vectors(name, [models.PointVectors(id=2, vector={"b": [1, 0, 0]})], wait=True)
    assert "a" not in client.retrieve(name, [1], with_vectors=True)[0].vector
    assert client.retrieve(name, [2], with_vectors=True)[0].vector == {"a": [5, 5], "b": [1, 0, 0]}


def test_without_vectors(client, name):
    client.create_collection(name, {})
    client.upsert(name, [models.PointStruct(id=1, vector={}, payload={"a": 1})], wait=True)
    assert client.scroll(name)[0] == [models.Record(id=1, payload={"a": 1})]


@pytest.mark.parametrize(
    "distance, scores",
    [
        ("Euclid", [(0, 0.0), (3, 2.0), (2, 5**0.5), (1, 20**0.5)]),
        ("Manhattan", [(0, 0.0), (3, 2.0), (2, 3.0), (1, 6.0)]),
        ("Dot", [(1, 3.0), (0, 1.0), (2, 0.0), (3, -1.0)]),
        ("Cosine", [(0, 1.0), (1, 0.6), (2, 0.0), (3, -1.0)]),
    ],
)
def test_distances(client, name, distance, scores):
    client.create_collection(name, models.VectorParams(size=4, distance=distance))
    client.upsert(name, models.Batch(ids=[0, 1, 2, 3], vectors=VECTORS), wait=True)
    for exact in (False, True):
        found = client.query_points(
            name, [1.0, 0, 0, 0], search_params=models.SearchParams(exact=exact)
        ).points
        assert [one.id for one in found] == [one for one, _ in scores]
        assert [one.score for one in found] == pytest.approx([score for _, score in scores], abs=1e-6)
    limit = scores[1][1]
    found = client.query_points(
        name, [1.0, 0, 0, 0], score_threshold=limit + (0.1 if distance in ("Euclid", "Manhattan") else -0.1)
    ).points
    assert [one.id for one in found] == [one for one, _ in scores[:2]]
    stored = client.retrieve(name, [1], with_vectors=True)[0].vector
    assert stored == pytest.approx([0.6, 0.8, 0, 0] if distance == "Cosine" else [3, 4, 0, 0])


def test_numbers_are_float32(server, client, name):
    client.create_collection(name, models.VectorParams(size=2, distance="Dot"))
    path = "/collections/%s/points" % name
    server.ask("PUT", path + "?wait=true", b'{"points":[{"id":1,"vector":[0.1,3.4028235e38]}]}')
    connection = server.connection()
    connection.request("GET", path + "/1", headers={"api-key": server.variables.get("API_KEY", "")})
    body = connection.getresponse().read()
    connection.close()
    assert b"[0.1,3.4028235e" in body


def test_search_and_query_agree(server, filled):
    path = "/collections/%s/points" % filled
    more = {
        "limit": 2,
        "offset": 1,
        "with_payload": ["n"],
        "with_vector": True,
        "filter": {"must_not": [{"key": "n", "match": {"value": 3}}]},
    }
    status, searched = server.ask("POST", path + "/search", {"vector": [1, 0, 0, 0], **more})
    assert status == 200 and [one["id"] for one in searched["result"]] == [2, 1]
    assert searched["result"][0]["payload"] == {"n": 2} and searched["result"][0]["vector"] == VECTORS[2]
    assert isinstance(searched["result"][0]["version"], int)
    assert (
        server.ask("POST", path + "/query", {"query": [1, 0, 0, 0], **more})[1]["result"]["points"]
        == searched["result"]
    )
    assert (
        server.ask("POST", path + "/query", {"query": {"nearest": [1, 0, 0, 0]}, **more})[1]["result"][
            "points"
        ]
        == searched["result"]
    )
    batch = server.ask(
        "POST",
        path + "/query/batch",
        {"searches": [{"query": [1, 0, 0, 0], **more}, {"query": 0, "limit": 1}]},
    )[1]["result"]
    assert batch[0]["points"] == searched["result"] and [one["id"] for one in batch[1]["points"]] == [3]
    batch = server.ask("POST", path + "/search/batch", {"searches": [{"vector": [1, 0, 0, 0], **more}]})[1][
        "result"
    ]
    assert batch == [searched["result"]]
    plain = server.ask("POST", path + "/query", {"query": [1, 0, 0, 0], "limit": 1})[1]["result"]["points"][0]
    assert "payload" not in plain and "vector" not in plain
    status, error = server.refused("POST", path + "/search", {"vector": [1, 0, 0, 0], "limit": 0})
    assert status == 422 and "limit: value 0 invalid, must be 1 or larger" in error


def test_other_queries(client, filled):
    def ids(**more):
        return [one.id for one in client.query_points(filled, **more).points]

    assert ids(query=models.RecommendQuery(recommend=models.RecommendInput(positive=[0, 1])))
    best = models.RecommendInput(positive=[0], negative=[3], strategy="best_score")
    assert sorted(ids(query=models.RecommendQuery(recommend=best))) == [1, 2]
    assert ids(
        query=models.DiscoverQuery(
            discover=models.DiscoverInput(target=0, context=[models.ContextPair(positive=1, negative=3)])
        )
    )
    assert sorted(ids(query=models.SampleQuery(sample="random"))) == [0, 1, 2, 3]
    fused = ids(
        prefetch=[
            models.Prefetch(query=[1.0, 0, 0, 0], limit=2),
            models.Prefetch(query=[3.0, 4, 0, 0], limit=2),
        ],
        query=models.FusionQuery(fusion="rrf"),
    )
    assert set(fused) <= {0, 1, 2, 3} and len(fused) >= 2
    formula = models.FormulaQuery(formula=models.MultExpression(mult=["n", 2.0]), defaults={"n": 0})
    found = client.query_points(filled, prefetch=models.Prefetch(query=[1.0, 0, 0, 0]), query=formula).points
    assert [(one.id, one.score) for one in found] == [(3, 6.0), (2, 4.0), (1, 2.0), (0, 0.0)]
    groups = client.query_points_groups(
        filled, group_by="even", query=[1.0, 0, 0, 0], limit=5, group_size=1
    ).groups
    assert groups == [] or len(groups) == 2  # by booleans: the versions differ
    groups = client.query_points_groups(
        filled, group_by="tags", query=[1.0, 0, 0, 0], limit=5, group_size=2
    ).groups
    assert {one.id: [hit.id for hit in one.hits] for one in groups}["all"] == [0, 3]


FILTERS = [
    ({"must": [{"key": "n", "match": {"value": 2}}]}, [2]),
    ({"must": {"key": "n", "match": {"value": 2}}}, [2]),
    ({"must": [{"key": "tags", "match": {"any": ["t1", "t3"]}}]}, [1, 3]),
    ({"must": [{"key": "n", "match": {"except": [0, 1]}}]}, [2, 3]),
    ({"must": [{"key": "n", "range": {"gte": 1, "lt": 3}}]}, [1, 2]),
    ({"must": [{"key": "even", "match": {"value": True}}]}, [0, 2]),
    ({"should": [{"key": "n", "match": {"value": 0}}, {"key": "n", "match": {"value": 3}}]}, [0, 3]),
    ({"must_not": [{"has_id": [0, 1]}]}, [2, 3]),
    ({"must": [{"is_empty": {"key": "tags"}}]}, []),
    ({"must": [{"is_null": {"key": "n"}}]}, []),
    ({"must": [{"key": "tags", "values_count": {"gt": 1}}]}, [0, 1, 2, 3]),
    ({"must": [{"should": [{"has_id": [1]}, {"must": [{"key": "n", "range": {"gt": 2}}]}]}]}, [1, 3]),
    (
        {
            "min_should": {
                "conditions": [{"has_id": [1, 2]}, {"key": "n", "match": {"value": 1}}],
                "min_count": 2,
            }
        },
        [1],
    ),
    ({}, [0, 1, 2, 3]),
    (None, [0, 1, 2, 3]),
]


@pytest.mark.parametrize("given, expected", FILTERS)
def test_filters(server, filled, given, expected):
    path = "/collections/%s/points" % filled
    found = server.ask("POST", path + "/scroll", {"filter": given})[1]["result"]["points"]
    assert [one["id"] for one in found] == expected
    assert server.ask("POST", path + "/count", {"filter": given, "exact": True})[1]["result"] == {
        "count": len(expected)
    }
    found = server.ask("POST", path + "/query", {"query": [0, 0, 0, 0], "filter": given})[1]["result"][
        "points"
    ]
    assert sorted(one["id"] for one in found) == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"must": [{"key": "n"}]},
        {"must": [{"key": "n", "match": {"value": 1.5}}]},
        {"must": [{"key": "n", "match": {"val": 1}}]},
        {"must": [{"nonsense": 1}]},
        {"must": [1]},
        {"musty": []},
        {"must": [{"key": "n", "range": {"gt": "x"}}]},
    ],
)
def test_bad_filters(server, filled, bad):
    status, error = server.refused("POST", "/collections/%s/points/scroll" % filled, {"filter": bad})
    assert status == 400 and error.startswith("Format error in JSON body: ")


def test_scroll(server, client, filled):
    client.upsert(filled, [models.PointStruct(id=UUID, vector=VECTORS[0], payload={"n": 10})], wait=True)
    path = "/collections/%s/points/scroll" % filled
    pages, offset = [], None
    while True:
        page = server.ask("POST", path, {"limit": 2, "offset": offset, "with_payload": False})[1]["result"]
        pages.append([one["id"] for one in page["points"]])
        offset = page["next_page_offset"]
        if offset is None:
            break
    assert pages == [[0, 1], [2, 3], [UUID]]
    order = {"order_by": {"key": "n", "direction": "desc", "start_from": 2}}
    status, error = server.refused("POST", path, order)
    assert status == 400 and "No range index for `order_by` key: `n`" in error
    client.create_payload_index(filled, "n", "integer", wait=True)
    found = server.ask("POST", path, order)[1]["result"]
    assert [(one["id"], one["order_value"]) for one in found["points"]] == [(2, 2), (1, 1), (0, 0)]
    assert found["next_page_offset"] is None


def test_payloads(client, filled):
    payload = {
        "text": 'größe \U0001f600 \0 "',
        "big": 2**63 - 1,
        "real": 1.5e300,
        "null": None,
        "list": [1, "a", {"b": []}],
        "": 1,
        "a b": 2,
    }
    client.overwrite_payload(filled, payload, [1], wait=True)
    assert client.retrieve(filled, [1])[0].payload == payload
    client.set_payload(filled, {"n": 5}, [1, 2], wait=True)
    client.set_payload(
        filled, {"deep": True}, models.Filter(must=[models.HasIdCondition(has_id=[3])]), key="a.b", wait=True
    )
    client.delete_payload(filled, ["text", "list"], [1], wait=True)
    client.clear_payload(filled, [0], wait=True)
    found = {one.id: one.payload for one in client.scroll(filled)[0]}
    assert found[0] == {} and found[2]["n"] == 5 and found[3]["a"] == {"b": {"deep": True}}
    assert set(found[1]) == set(payload) - {"text", "list"} | {"n"}
    assert client.retrieve(filled, [3], with_payload=models.PayloadSelectorExclude(exclude=["tags", "a"]))[
        0
    ].payload == {"n": 3, "even": False}
    assert client.retrieve(filled, [3], with_payload=["a.b.deep"])[0].payload == {"a": {"b": {"deep": True}}}
    with pytest.raises(UnexpectedResponse) as error:
        client.set_payload(filled, {"n": 5}, [99], wait=True)
    assert error.value.status_code == 404


def test_payload_indexes(server, client, filled):
    client.create_payload_index(filled, "n", "integer", wait=True)
    client.create_payload_index(
        filled, "tags", models.KeywordIndexParams(type="keyword", is_tenant=True), wait=True
    )
    schema = client.get_collection(filled).payload_schema
    assert schema["n"].data_type == "integer" and schema["n"].points == 4
    assert schema["tags"].params.is_tenant is True
    hits = client.facet(filled, "tags", limit=2, exact=True).hits
    assert (hits[0].value, hits[0].count) == ("all", 4) and hits[1].count == 1
    client.delete_payload_index(filled, "n", wait=True)
    assert set(client.get_collection(filled).payload_schema) == {"tags"}
    status, error = server.refused("POST", "/collections/%s/facet" % filled, {"key": "n"})
    assert status == 400 and "No appropriate index for faceting: `n`" in error


def test_columns(server, filled):
    path = "/collections/%s/points?wait=true" % filled
    batch = {"ids": [10, UUID], "vectors": [[1, 1, 1, 1], [2, 2, 2, 2]], "payloads": [{"a": 1}, None]}
    assert server.ask("PUT", path, {"batch": batch})[0] == 200
    found = server.ask("POST", "/collections/%s/points" % filled, {"ids": [10, UUID], "with_vector": True})[
        1
    ]["result"]
    assert {one["id"]: (one["vector"], one["payload"]) for one in found} == {
        10: ([1, 1, 1, 1], {"a": 1}),
        UUID: ([2, 2, 2, 2], {}),
    }
    status, error = server.refused("PUT", path, {"batch": {**batch, "vectors": []}})
    assert (status, error) == (
        422,
        "Validation error in JSON body: [batch.batch: number of ids and vectors must be equal (2 != 0)]",
    )
    assert server.refused("PUT", path, {"points": []}) == (400, "Bad request: Empty update request")
    status, error = server.refused("PUT", path, {"points": [{"id": 1}]})
    assert status == 400 and "missing field `vector`" in error
    for bad in ([1, 2, 3, "4"], [1, 2, 3, None], ["1"], "1", [[1, 2], 3], [True, False, True, True]):
        status, error = server.refused("PUT", path, {"points": [{"id": 1, "vector": bad}]})
        assert status in (400, 422), bad


def test_batch_of_writes(client, filled):
    client.batch_update_points(
        filled,
        [
            models.UpsertOperation(
                upsert=models.PointsList(points=[models.PointStruct(id=7, vector=VECTORS[0])])
            ),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"k": 1}, points=[7])),
            models.DeleteOperation(delete=models.PointIdsList(points=[0])),
            models.UpdateVectorsOperation(
                update_vectors=models.UpdateVectors(points=[models.PointVectors(id=1, vector=VECTORS[3])])
            ),
        ],
        wait=True,
    )
    found = {one.id: one for one in client.scroll(filled, with_vectors=True)[0]}
    assert set(found) == {1, 2, 3, 7} and found[7].payload == {"k": 1} and found[1].vector == VECTORS[3]


def test_deletes_by_filter(client, filled):
    client.delete(
        filled, models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gte=2))]), wait=True
    )
    assert [one.id for one in client.scroll(filled)[0]] == [0, 1]


def test_order_without_waiting(client, filled):
    for i in range(50):
        client.upsert(filled, [models.PointStruct(id=5, vector=VECTORS[0], payload={"i": i})], wait=False)
    client.upsert(filled, [models.PointStruct(id=6, vector=VECTORS[0])], wait=True)
    assert client.retrieve(filled, [5])[0].payload == {"i": 49}


def test_parameters(server, filled):
    path = "/collections/%s/points" % filled
    for end in ("?wait=true&ordering=strong", "?ordering=weak&wait=false", "?timeout=5", "?unknown=1"):
        assert server.ask("PUT", path + end, {"points": [{"id": 1, "vector": VECTORS[1]}]})[0] == 200
    for end in ("?wait=yes", "?ordering=odd", "?wait=1"):
        assert server.ask("PUT", path + end, {"points": [{"id": 1, "vector": VECTORS[1]}]})[0] == 400
    for end in ("?consistency=majority", "?consistency=1", "?timeout=5"):
        assert server.ask("POST", path + "/count" + end, {})[0] == 200
    assert server.ask("POST", path + "/count?timeout=x", {})[0] == 400
    assert server.ask("POST", path + "/count?timeout=0", {})[0] == 422


def test_aliases(server, client, filled):
    alias, other = "alias-" + uuid.uuid4().hex, "alias-" + uuid.uuid4().hex
    create = models.CreateAliasOperation(
        create_alias=models.CreateAlias(collection_name=filled, alias_name=alias)
    )
    client.update_collection_aliases([create])
    assert client.count(alias).count == 4 and client.collection_exists(alias)
    assert [one.alias_name for one in client.get_collection_aliases(filled).aliases] == [alias]
    assert models.AliasDescription(alias_name=alias, collection_name=filled) in client.get_aliases().aliases
    assert alias not in [one.name for one in client.get_collections().collections]
    body = {"vectors": {"size": 4, "distance": "Dot"}}
    status, error = server.refused("PUT", "/collections/" + alias, body)
    assert status == 400 and "Alias with the same name already exists" in error
    assert server.ask("DELETE", "/collections/" + alias)[1]["result"] is False
    client.update_collection_aliases(
        [
            models.RenameAliasOperation(
                rename_alias=models.RenameAlias(old_alias_name=alias, new_alias_name=other)
            )
        ]
    )
    assert client.count(other).count == 4
    with pytest.raises(UnexpectedResponse, match="404"):
        client.count(alias)
    delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=other))
    client.update_collection_aliases([delete])
    client.update_collection_aliases([delete])
    create = {"actions": [{"create_alias": {"collection_name": alias, "alias_name": other}}]}
    assert server.refused("POST", "/collections/aliases", create) == (
        404,
        "Not found: Collection `%s` doesn't exist!" % alias,
    )


def test_cluster(server, filled):
    info = server.ask("GET", "/collections/%s/cluster" % filled)[1]["result"]
    assert info["shard_count"] == 1 and sum(one["points_count"] for one in info["local_shards"]) == 4


def test_snapshots(client, filled):
    made = client.create_snapshot(filled)
    assert made.name.startswith(filled + "-") and made.name.endswith(".snapshot") and made.size > 0
    assert [one.name for one in client.list_snapshots(filled)] == [made.name]
    assert client.delete_snapshot(filled, made.name)
    assert client.list_snapshots(filled) == []


def test_compression(server, filled):
    path = "/collections/%s" % filled
    assert server.ask("GET", path, headers={"accept-encoding": "gzip"})[1]["result"]["points_count"] == 4


def test_in_parallel(client, server, filled):
    failures = []

    def work(number):
        own = server.client()
        try:
            for i in range(20):
                one = 1000 + number * 100 + i
                own.upsert(
                    filled, [models.PointStruct(id=one, vector=[float(number), float(i), 0, 1])], wait=True
                )
                found = own.query_points(filled, [float(number), float(i), 0, 1], limit=1).points
                assert found[0].id == one, (found, one)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert client.count(filled).count == 4 + 160
