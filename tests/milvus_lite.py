# SPDX-License-Identifier: Apache-2.0
"""The table "lite" of docs/milvus.md: each row, asserted against whichever server there is.

Run by ./check milvus, once with each kind of server in the environment. A function here is
called as the key of its row, with underscores, and there is one for every row.
"""
import concurrent.futures
import json
import os
import subprocess
import time

import pytest

from docs_page import SOURCE, Page, simplugin

SERVER = "SIMPLUGIN_TEST_MILVUS_"
PAGE = Page(SOURCE / "docs" / "milvus.md")
LITE = os.environ[SERVER + "KIND"] == "lite"
ROWS = {}


def row(function):
    ROWS[function.__name__.replace("_", "-")] = function
    return function


class Server:
    """Calls on the server, with a collection of the test's own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, "lite_%d_%s" % (os.getpid(), name)
        self.environment = {"FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI": os.environ[SERVER + "URI"]}

    def try_(self, method, own=True, options=(), **body):
        if own:
            body.setdefault("collection", self.name)
        return simplugin(self.folder, "call", "backend.call", "-", "--connection", "--backend", "milvus", *options,
                         stdin=json.dumps({"method": method, "body": body}), **self.environment)

    def __call__(self, method, own=True, options=(), **body):
        reply = self.try_(method, own, options, **body)
        assert "error" not in reply, (method, body, reply)
        return reply

    def fails(self, method, own=True, options=(), **body):
        reply = self.try_(method, own, options, **body)
        assert "error" in reply, (method, body, reply)
        return reply["error"]["code"]

    def native(self, *fields, key=None, indexed=True, dimension=2):
        key = key or {"name": "id", "type": "INT64", "primary": True}
        self("native.collection.create",
             fields=[key, {"name": "v", "type": "FLOAT_VECTOR", "dimension": dimension}, *fields])
        if indexed:
            self("index.create", parameters={"index_type": "FLAT", "metric": "euclidean"})

    def made(self, **body):
        self("collection.create", dimension=2, metric=body.pop("metric", "euclidean"),
             parameters={"index_type": "FLAT", **body.pop("parameters", {})}, **body)

    def query(self, expr, **body):
        return self("native.query", expr=expr, **body)["ids"]

    def insert(self, ids, **body):
        return self("native.insert", ids=ids, vectors=[[1, i] for i in range(len(ids))], **body)

    def upsert(self, ids, **body):
        return self("points.upsert", ids=ids, vectors=[[1, i] for i in range(len(ids))], **body)


def run(key, folder):
    at = Server(folder, key.replace("-", "_"))
    try:
        ROWS[key](at)
    finally:
        at.try_("collection.drop")


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Rows beside each other, as Milvus takes seconds to load a collection; but the restart."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield {key: pool.submit(run, key, tmp_path_factory.mktemp("row")) for key in ROWS if key != "restart"}


def state(at):
    return at("native.load.state")["state"]


# ---- the rows -----------------------------------------------------------------------------


@row
def version(at):
    told = at("health", own=False)["version"]
    assert told.startswith("milvus_lite-3.2" if LITE else "v2.3.")


@row
def users(at):
    if LITE:
        assert at.fails("native.user.list", own=False) == "UNIMPLEMENTED"
        assert at.fails("native.role.create", own=False, role="reader") == "UNIMPLEMENTED"
    else:
        assert "root" in at("native.user.list", own=False)["users"]
        at("native.role.create", own=False, role=at.name)
        at("native.role.drop", own=False, role=at.name)


@row
def load_partitions(at):
    at.made()
    at("partition.create", partition="p")
    at("collection.release")
    for method in "collection.load", "collection.release":
        if LITE:
            assert at.fails(method, partitions=["p"]) == "UNIMPLEMENTED"
        else:
            at(method, partitions=["p"])


@row
def missing_partition(at):
    at.made()
    at.upsert(["a"])
    body = {"vectors": [[1, 0]], "k": 1, "parameters": {"partitions": ["nowhere"]}}
    if LITE:
        assert at("search", **body)["ids"] == []
    else:
        at.fails("search", **body)


@row
def new_collection(at):
    at.native(indexed=False)
    assert state(at) == ("loaded" if LITE else "released")


@row
def no_index(at):
    at.native(indexed=False)
    at.insert(["1"])
    if LITE:
        assert at.query("id > 0") == ["1"]
    else:
        assert at.fails("native.query", expr="id > 0") == "NOT_FOUND"


@row
def restart(at):
    at.made()
    at.upsert(["a"])
    done = subprocess.run(os.environ[SERVER + "RESTART"], shell=True, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=True)
    assert int(done.stdout.split()[-1])
    end = time.monotonic() + 60
    if not LITE:
        while state(at) != "loaded" and time.monotonic() < end:
            time.sleep(0.5)
    assert state(at) == ("released" if LITE else "loaded")
    assert at("search", vectors=[[1, 0]], k=1)["ids"] == ["a"]
    assert state(at) == "loaded"


@row
def index_rows(at):
    at.made()
    at.upsert(["a", "b"])
    assert at("index.describe")["parameters"]["indexed_rows"] == (2 if LITE else 0)


@row
def compaction(at):
    at.made()
    at.upsert(["a"])
    number = at("native.compact.start")["compaction"]
    assert (number == 0) == LITE


@row
def level(at):
    at.made(parameters={"consistency_level": "Bounded"})
    told = at("collection.describe")["attributes"]["consistency_level"]
    assert told == ("Strong" if LITE else "Bounded")


@row
def auto_ids(at):
    at.native(key={"name": "id", "type": "INT64", "primary": True, "auto_id": True})
    ids = at("native.insert", vectors=[[1, 0], [0, 1], [1, 1]])["ids"]
    assert ids == ["1", "2", "3"] if LITE else all(len(i) == 18 for i in ids)


@row
def text_auto_ids(at):
    def make():
        at.native(key={"name": "id", "type": "VARCHAR", "primary": True, "auto_id": True, "max_length": 64})
        assert len(at("native.insert", vectors=[[1, 0]])["ids"]) == 1

    if LITE:
        with pytest.raises(AssertionError):
            make()
    else:
        make()


@row
def insert_twice(at):
    at.native()
    at.insert(["1"])
    at.insert(["1"])
    assert at("points.count")["count"] == (1 if LITE else 2)


@row
def upsert_merge(at):
    at.made()
    at.upsert(["a"], fields={"x": ["old"]})
    at.upsert(["a"], fields={"y": ["new"]})
    fields = at("points.get", ids=["a"], fields=True)["fields"]
    assert fields.get("x", [None]) == [None] and fields["y"] == ["new"]


@row
def moved_partition(at):
    at.made()
    at("partition.create", partition="p")
    at.upsert(["a"])
    at.upsert(["a"], parameters={"partition": "p"})
    assert at("points.count")["count"] == (1 if LITE else 2)


@row
def zero_mark(at):
    at.made(metric="cosine")
    at("points.upsert", ids=["z", "a"], vectors=[[0, 0], [1, 0]])
    assert at.query("__zero == true") == ([] if LITE else ["z"])
    assert at("search", vectors=[[1, 0]], k=2)["ids"] == ["a", "z"]


@row
def query_order(at):
    at.native()
    at.insert(["1", "2"])
    assert at.query("id in [2, 1, 1]") == (["2", "1", "1"] if LITE else ["1", "2"])


@row
def json_bytes(at):
    at.made()
    body = {"ids": ["a"], "vectors": [[1, 0]], "fields": {"t": ["x" * 66_000]}}
    if LITE:
        at("points.upsert", **body)
    else:
        assert at.fails("points.upsert", **body) == "INVALID_ARGUMENT"


@row
def text_length(at):
    at.native({"name": "s", "type": "VARCHAR", "max_length": 3})
    body = {"ids": ["1"], "vectors": [[1, 0]], "fields": {"s": ["äöü"]}}
    if LITE:
        at("native.insert", **body)
    else:
        at.fails("native.insert", **body)


def expressed(at, expr, standalone, lite):
    """What a query finds among rows 1 to 3; None: an error."""
    at.native()
    at.insert(["1", "2", "3"], fields={"x": [1, 2, None], "s": ["abc", "b", None], "t": [True, False, None]})
    expected = lite if LITE else standalone
    if expected is None:
        at.fails("native.query", expr=expr)
    else:
        assert sorted(at.query(expr)) == expected


@row
def null_expr(at):
    expressed(at, "x is null", None, ["3"])


@row
def like_expr(at):
    expressed(at, 's like "%b%"', None, ["1", "2"])


@row
def missing_expr(at):
    expressed(at, "x != 1", ["2", "3"], ["2"])


@row
def true_expr(at):
    expressed(at, "t == 1", [], ["1"])


@row
def meta_expr(at):
    expressed(at, '$meta["x"] in [1]', ["1"], None)


@row
def binary_vectors(at):
    body = {"fields": [{"name": "id", "type": "INT64", "primary": True},
                       {"name": "b", "type": "BINARY_VECTOR", "dimension": 16}]}
    if LITE:
        at.fails("native.collection.create", **body)
    else:
        at("native.collection.create", **body)


@row
def two_vectors(at):
    body = {"fields": [{"name": "id", "type": "INT64", "primary": True},
                       {"name": "v", "type": "FLOAT_VECTOR", "dimension": 2},
                       {"name": "w", "type": "FLOAT_VECTOR", "dimension": 2}]}
    if LITE:
        at("native.collection.create", **body)
    else:
        at.fails("native.collection.create", **body)


@row
def nullable(at):
    at.native({"name": "s", "type": "VARCHAR", "max_length": 9, "nullable": True})
    body = {"ids": ["1"], "vectors": [[1, 0]]}
    if LITE:
        at("native.insert", **body)
    else:
        at.fails("native.insert", **body)


@row
def dimension(at):
    body = {"fields": [{"name": "id", "type": "INT64", "primary": True},
                       {"name": "v", "type": "FLOAT_VECTOR", "dimension": 32_769}]}
    if LITE:
        at("native.collection.create", **body)
    else:
        at.fails("native.collection.create", **body)


@row
def make_twice(at):
    at.native(indexed=False)
    if LITE:
        assert at.fails("native.collection.create", fields=[
            {"name": "id", "type": "INT64", "primary": True},
            {"name": "v", "type": "FLOAT_VECTOR", "dimension": 2}]) == "ALREADY_EXISTS"
    else:
        at.native(indexed=False)


@row
def alias_twice(at):
    at.made()
    alias = at.name + "_alias"
    at("native.alias.create", alias=alias)
    if LITE:
        assert at.fails("native.alias.create", alias=alias) == "ALREADY_EXISTS"
    else:
        at("native.alias.create", alias=alias)
    at("native.alias.drop", own=False, alias=alias)


@row
def database_drop(at):
    if LITE:
        assert at.fails("native.database.drop", own=False, database="nowhere") == "INVALID_ARGUMENT"
    else:
        at("native.database.drop", own=False, database="nowhere")


@row
def database_missing(at):
    where = ("--param", "db_name=nowhere")
    if LITE:
        assert at.fails("collection.exists", options=where) == "NOT_FOUND"
    else:
        assert at("collection.exists", options=where)["exists"] is False


# ---- all of them --------------------------------------------------------------------------


def test_every_row_has_its_function():
    assert [entry["key"] for entry in PAGE.table("lite")] == list(ROWS)


@pytest.mark.parametrize("key", [entry["key"] for entry in PAGE.table("lite")])
def test_row(key, started, tmp_path):
    if key == "restart":
        concurrent.futures.wait(started.values())
        run(key, tmp_path)
    else:
        started[key].result()
