# SPDX-License-Identifier: Apache-2.0
"""docs/qdrant.md against the plugin, and against a server.

    PYTHON tests/servers/qdrant.py --work DIR -- \\
        env SIMPLUGIN_BUILDDIR=build/core PYTHON -m pytest tests/qdrant_docs.py

PYTHON has the packages of tests/servers/requirements-qdrant.txt. Without a server - where
SIMPLUGIN_TEST_QDRANT_URL names none - the calls of the page are left out; ./check qdrant leaves out
nothing.
"""
import http.server
import json
import os
import random
import re
import threading
import urllib.parse
import urllib.request
import uuid

import pytest

from docs_page import PROTOCOL, SOURCE, Keys, Page, application_keys, check_examples, check_parameters
from docs_page import code, declared, numbers, simplugin

PAGE = Page(SOURCE / "docs" / "qdrant.md")
PLUGIN = SOURCE / "plugins" / "qdrant"
SERVER = "SIMPLUGIN_TEST_QDRANT_"

# The reference's values, each with the requirement that asks for it.
REFERENCE = {
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000,  # R127 R128 R129
                    "max_indexing_threads": None, "on_disk": None, "payload_m": None},  # R130 R131 R132
    "optimizers_config": {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000,  # R133 R134
                          "default_segment_number": 0, "max_segment_size": None,  # R135 R136
                          "memmap_threshold": None, "indexing_threshold": 20000,  # R137 R138
                          "flush_interval_sec": 5, "max_optimization_threads": 1},  # R139 R140
    "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},  # R141 R142
}


def source(name, pattern):
    """What a file of the plugin says: the pattern's first group."""
    return re.search(pattern, (PLUGIN / name).read_text(encoding="utf-8"))[1]


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    return simplugin(tmp_path_factory.mktemp("describe"), "call", "backends.describe", '{"backend": "qdrant"}')


@pytest.fixture(scope="module")
def known_keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"), "qdrant", "url=http://127.0.0.1:1")


# ---- a server that notes what it is sent --------------------------------------------------------


class Listener(http.server.BaseHTTPRequestHandler):
    """As much of Qdrant as the making of a collection asks for."""

    def answer(self, result, status=200):
        body = {"result": result, "status": "ok", "time": 0.0}
        if status != 200:
            body["status"] = {"error": "Not found: Collection"}
        if self.path == "/":
            body = {"title": "qdrant - vector search engine", "version": "1.14.1"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        path = urllib.parse.urlsplit(self.path).path
        self.server.seen.append((self.command, path, body))
        if self.command == "PUT" and path.count("/") == 2:
            self.server.vectors = body["vectors"]
            self.answer(True)
        elif self.command == "GET" and path.count("/") == 2:
            config = {"params": {"vectors": self.server.vectors}}
            self.answer({"config": config, "payload_schema": {}}, 200 if self.server.vectors else 404)
        elif path.endswith("/scroll"):
            self.answer({"points": [], "next_page_offset": None})
        elif path.endswith("/count"):
            self.answer({"count": 0})
        else:
            self.answer(True)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    server.seen, server.vectors = [], None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def created(listener, folder, parameters):
    """What the plugin sends to make a collection with these parameters, but for its vectors; or its error."""
    listener.seen.clear()
    listener.vectors = None
    body = {"method": "collection.create", "body": {"collection": "c", "dimension": 2, "parameters": parameters}}
    reply = simplugin(folder, "call", "backend.call", json.dumps(body), "--connection", "--backend", "qdrant",
                      "--param", "url=http://127.0.0.1:%d" % listener.server_port)
    if "error" in reply:
        return reply["error"]
    (sent,) = [sent for method, _, sent in listener.seen if method == "PUT"]
    assert sent.pop("vectors") == {"size": 2, "distance": "Cosine"}
    return sent


# ---- parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["connection", "creation", "search"])
def test_parameters(described, which):
    """R117-R126 R144 R259: every parameter that the plugin declares is on the page as it is declared, and no other."""
    check_parameters(PAGE.table(which), declared(described, which))


@pytest.mark.parametrize("left_out", ["url", "host port https"])
@pytest.mark.parametrize("way", ["argument", "environment", "file"])
def test_examples_of_parameters(way, left_out, tmp_path):
    """R13 R14 R17 R19 R22: each example can be given in each of the three ways, and has the parameter's type."""
    rows = PAGE.table("connection") + PAGE.table("creation")
    rows = [row for row in rows if code(row["name"])[0] not in left_out.split()]
    check_examples(tmp_path, "qdrant", rows, way, left_out.split())


def test_what_excludes_what(described):
    (url,) = [p for p in described["parameters"] if p["name"] == "url"]
    rows = {code(row["name"])[0]: row["meaning"] for row in PAGE.table("connection")}
    assert set(url["excludes"]) == {"host", "port", "https"}
    assert "instead of `url`" in rows["host"]


def test_values_that_the_plugin_takes(described):
    """R118-R120: metrics and levels are named, the first metric as the default."""
    (metric,) = [row for row in PAGE.table("creation") if row["name"] == "`metric`"]
    assert code(metric["meaning"])[:4] == described["metrics"] == ["cosine", "dotproduct", "euclidean", "manhattan"]
    assert code(metric["meaning"])[4:] == re.findall('"(\\w+)"', source("metric.c", r"theirs_names\[\] = \{([^}]*)\}"))
    (levels,) = [row for row in PAGE.table("connection") if row["name"] == "`consistency`"]
    assert code(levels["meaning"]) == described["consistency_levels"]


def test_members_are_those_of_the_plugin(described):
    """R127-R143: each member of each map, with the value that the reference shows, and no other."""
    docs = {p["name"]: p["doc"] for p in described["parameters"]}
    rows = PAGE.table("members")
    for parameter in ("hnsw_config", "wal_config", "optimizers_config", "quantization_config"):
        names = [code(row["member"])[0] for row in rows if row["parameter"] == "`%s`" % parameter]
        assert names == docs[parameter].removeprefix("one of ").split(", "), parameter
        for row in rows:
            name = code(row["member"])[0]
            if row["parameter"] != "`%s`" % parameter:
                continue
            if name in REFERENCE.get(parameter, {}):
                assert row["in the reference"] == "`%s`" % json.dumps(REFERENCE[parameter][name]), name
            else:
                assert row["in the reference"] == "not there", name


def member_examples():
    for row in PAGE.table("members"):
        text = code(row["example"])[0]
        yield code(row["parameter"])[0], code(row["member"])[0], row["type"], text if row["type"] == "text" else json.loads(text)


def test_members_are_sent(listener, tmp_path):
    """R127-R143: each alone, as part of its map, goes to the server as it is given, and nothing beside it."""
    for parameter, member, _, value in member_examples():
        assert created(listener, tmp_path, {parameter: {member: value}}) == {parameter: {member: value}}, member


def test_members_have_types(listener, tmp_path):
    """R127-R143: another type, or another name, is an error that names the member and reaches no server."""
    for parameter, member, kind, _ in member_examples():
        wrong = {"int": "x", "float": "x", "bool": 1, "text": "x", "any": "x", "map": 1}[kind]
        error = created(listener, tmp_path, {parameter: {member: wrong}})
        assert error.get("code") == "INVALID_ARGUMENT" and parameter + "." + member in error["message"], error
        assert not [method for method, _, _ in listener.seen if method == "PUT"]
    error = created(listener, tmp_path, {"hnsw_config": {"M": 3}})
    assert error["code"] == "INVALID_ARGUMENT" and "ef_construct" in error["message"], error
    error = created(listener, tmp_path, {"quantization_config": {"binary": {}, "scalar": {"type": "int8"}}})
    assert error["code"] == "INVALID_ARGUMENT", error


def test_words_of_quantization(listener, tmp_path):
    """The words that the page lists for members of quantization are taken, others not."""
    rows = {code(row["member"])[0]: row for row in PAGE.table("members") if "quantization" in row["parameter"]}
    binary = re.findall(r"`(\w+)` \(([^)]*)\)", rows["binary"]["meaning"])
    assert [name for name, _ in binary] == ["encoding", "query_encoding"]
    for name, words in binary:
        for word in code(words):
            sent = created(listener, tmp_path, {"quantization_config": {"binary": {name: word}}})
            assert sent == {"quantization_config": {"binary": {name: word}}}, sent
    for kind, member in (("product", "compression"), ("turbo", "bits")):
        for word in [word for word in code(rows[kind]["meaning"]) if re.search(r"\d", word)]:
            sent = created(listener, tmp_path, {"quantization_config": {kind: {member: word}}})
            assert sent == {"quantization_config": {kind: {member: word}}}, sent


def example_text():
    return re.search(r"<!-- example: brain_config -->\n```json\n(.*?)```", PAGE.text(), re.S)[1]


def test_example_of_the_reference():
    """R25 R127-R142: it is the reference's, key by key."""
    assert json.loads(example_text()) == {"similarity_backends": {"qdrant": {
        "metric": "cosine", "replication_factor": None, "shard_number": None, "write_consistency_factor": None,
        **REFERENCE}}}


def test_example_is_taken(listener, tmp_path):
    """R25 R143 R249 R251: from the file as it stands; null is the server's default, and is not sent."""
    config = tmp_path / "brain_config.json"
    config.write_text(example_text())
    said = simplugin(tmp_path, "explain", "qdrant", "--config", str(config))
    assert "error" not in said, said
    found = {entry["name"]: entry for entry in said["values"]}
    for name in ("metric", "hnsw_config", "optimizers_config", "wal_config"):
        assert found[name]["source"] == "file", found[name]
    for name in ("replication_factor", "shard_number", "write_consistency_factor"):
        assert found[name]["value"] is None, found[name]

    made = simplugin(tmp_path, "index", "create", "run", "-b", "qdrant", "--dimension", "2", "--config", str(config),
                     FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL="127.0.0.1:%d" % listener.server_port)
    assert "error" not in made, made
    (sent,) = [sent for method, _, sent in listener.seen if method == "PUT"]
    del sent["vectors"]
    assert sent == {parameter: {name: value for name, value in members.items() if value is not None}
                    for parameter, members in REFERENCE.items()}


def test_all_null_is_nothing(listener, tmp_path):
    """R124-R126 R251: every parameter null, and every member: the request says nothing but the vectors."""
    nothing = {parameter: dict.fromkeys(members) for parameter, members in REFERENCE.items()}
    nothing.update(replication_factor=None, shard_number=None, write_consistency_factor=None, on_disk_payload=None)
    assert created(listener, tmp_path, nothing) == {}
    assert created(listener, tmp_path, {"hnsw_config": {}}) == {}


def test_replicas_and_shards_are_sent(listener, tmp_path):
    """R124-R126 R144 R250: as they are given."""
    given = {"replication_factor": 2, "shard_number": 2, "write_consistency_factor": 1}
    assert created(listener, tmp_path, given) == given


def test_unknown_parameters(tmp_path):
    """The page names parameters of FiftyOne's class that are an error here."""
    assert "`grpc_port` and `prefer_grpc`" in PAGE.text()
    for name in ("grpc_port", "prefer_grpc"):
        said = simplugin(tmp_path, "explain", "qdrant", "--param", name + "=1")
        assert said["error"]["code"] == "UNKNOWN_PARAMETER", said


# ---- methods ----------------------------------------------------------------------------------


def test_native_methods(described, known_keys):
    """R77: every native method that the plugin has is in the table with its keys, and no other."""
    rows = PAGE.table("native")
    assert [code(row["method"])[0] for row in rows] == [m for m in described["methods"] if m.startswith("native.")]
    for row, call in zip(rows, PAGE.calls("native", "example")):
        (method,) = code(row["method"])
        assert set(row["keys of the request"].split()) == known_keys(method), method
        assert call.method == method and set(call.body()) <= known_keys(method)


ASKED_FOR = {3, 5, 7, 13, 14, 17, 19, 21, 25, 30, 33, 38, 41, 43, 53, 55, 59, 76, 77}


def test_fiftyones_calls(described, known_keys):
    """R3 R5 R7 R13 R14 R17 R19 R21 R25 R30 R33 R38 R41 R43 R53 R55 R59 R76 R77: each has a row, in order,
    and every method and key in the rows is one of the plugin's or the core's."""
    rows = PAGE.table("fiftyone")
    seen = [number for row in rows for number in sorted(numbers(row["R"]))]
    # R41 is said with R3, R53 with R51
    assert [number for number in seen if number != 41] == sorted(set(seen) - {41})
    assert ASKED_FOR <= set(seen)
    assert all(row["there"] and row["here"] for row in rows)
    names = {which: {p["name"] for p in declared(described, which)} for which in ("connection", "creation", "search")}
    for call in PAGE.calls("fiftyone"):
        body = call.body()
        assert set(body) <= (application_keys(call.method) if call.target else known_keys(call.method)), call.method
        takes = names["search"] if call.method == "index.search" else names["connection"] | names["creation"]
        assert set(body.get("parameters", {})) <= takes, call.method


def test_methods_in_the_text(described, known_keys):
    """What else looks like a method is one."""
    application = {code(row["method"])[0] for row in PROTOCOL.table("application")}
    families = {method.split(".")[0] for method in application | set(described["methods"])} | {"points", "collection"}
    for word in set(code(PAGE.text())):
        method = re.fullmatch(r"([a-z]+)(?:\.[a-z_]+)+", word)
        if method and method[1] in families and word not in application:
            known_keys(word)
        family = re.fullmatch(r"(native\.\w+)\.\*", word)
        if family:
            assert [m for m in described["methods"] if m.startswith(family[1] + ".")], word


def test_filters(described):
    """The page's table of nodes says of each what describe says."""
    nodes = {}
    for row in PAGE.table("filters"):
        for name in code(row["node"]):
            nodes[name] = row["Qdrant"]
            if "`not` of them" in row["node"] or "`not` of" in row["node"]:
                nodes["not " + name] = row["Qdrant"]
    nodes = {name: what for name, what in nodes.items() if not name.endswith("not")}
    said = {}
    for name in described["filters"]:
        said.setdefault(name.split(":")[0], set()).update(name.split(":")[1:])
    assert {name for name, what in nodes.items() if what} == set(said)
    for name, kinds in said.items():
        assert (nodes[name] == "numbers") == (kinds == {"int64", "float64"}), name


# ---- the rest of the page -----------------------------------------------------------------


def test_servers():
    """R260: which versions, as the plugin has them; what tested them is said as it is."""
    version = {name: source("instance.h", r"VERSION_%s QDRANT_VERSION_OF\((\d+, \d+)\)" % name).replace(", ", ".")
               for name in ("MIN", "QUERY")}
    metadata = source("collections.c", r"VERSION_METADATA QDRANT_VERSION_OF\((\d+, \d+)\)").replace(", ", ".")
    rows = PAGE.table("servers")
    assert [row["server"] for row in rows[:4]] == [
        "Qdrant before %s" % version["MIN"], "Qdrant %s to 1.9" % version["MIN"],
        "Qdrant %s to 1.15" % version["QUERY"], "Qdrant %s and later" % metadata]
    assert "VERSION_TOO_OLD" in rows[0]["how it is known"]
    assert version["MIN"] + ".0" in (PLUGIN / "health.c").read_text()
    page = PAGE.text()
    # the versions that the stand-in claims in ./check, or by itself
    run = (SOURCE / "check").read_text() + (SOURCE / "tests" / "servers" / "qdrant.py").read_text()
    for row in rows[1:4]:
        (minor,) = re.findall(r"tested with a stand-in of (1\.\d+)", row["how it is known"])
        assert re.search(r'--version"?,? (default=")?%s\.' % re.escape(minor), run), row
    assert "SIMPLUGIN_TEST_QDRANT_URL" in page and "](../tests/servers/qdrant.py)" in page


def test_instructions():
    """R28 R38 R43: how a server is started, and that no port but REST's is needed."""
    page = PAGE.text()
    for words in ("    docker pull qdrant/qdrant\n", "    docker run -p 6333:6333 qdrant/qdrant\n",
                  "no `pip install qdrant-client`", "QDRANT__SERVICE__API_KEY"):
        assert words in page, words
    for line in re.findall(r"docker run.*", page):
        assert "6333:6333" in line and "6334" not in line, line


def test_numbers_of_the_plugin(described):
    """R269 R270 R273 R274: what the page says in numbers is in the sources."""
    page = PAGE.text()

    def says(number, words):
        assert "{:,} {}".format(number, words) in page, (number, words)

    assert described["max_k"] == 1 << 20
    for row in PAGE.table("limits"):
        what, most = row["what"], row["at most"]
        if "hits" in what:
            assert most == "{:,}".format(described["max_k"])
        elif "dimensions" in what:
            assert most == "{:,}".format(described["max_dimension"])
        elif "request" in what:
            assert most.endswith("`batch_bytes` %s MiB" % source("settings.h", r"BATCH_MAX \(INT64_C\((\d+)\) << 20\)"))
    says(int(source("restrict.c", r"KEYS_PER_SEARCH UINT64_C\((\d+)\)")), "ids are named")
    assert "more than {:,},".format(int(source("restrict.c", r"FETCH_MAX UINT64_C\((\d+)\)"))) in page
    first, last = (source("transport.c", r"PAUSE_%s \((\d+) \* MS\)" % name) for name in ("FIRST", "LAST"))
    assert "pauses of %s ms to %d s" % (first, int(last) // 1000) in page


def test_keys_of_payloads():
    """R263 R281: the keys that the backend keeps for itself are those of the sources."""
    own = re.findall(r'#define QDRANT_\w+ "(__\w+)"', (PLUGIN / "ids.h").read_text())
    sample = source("schema.h", 'SAMPLE_ID "(\\w+)"')
    member = source("member.h", 'QDRANT_MEMBER "(\\w+:)"')
    keys = [code(row["key of the payload"]) for row in PAGE.table("payload")]
    assert [key for (key,) in keys[:-1]] == [sample] + own + [member]
    assert '`simplugin`: `{"fields"' in PAGE.text() and source("schema.h", 'METADATA "(\\w+)"') == "simplugin"


def key_of(an_id):
    """A point's key at Qdrant, as the page has it."""
    if re.fullmatch("[0-9a-f]{24}", an_id):
        return str(uuid.UUID(an_id + "00000000"))
    return str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "urn:simplugin:ids"), an_id))


def test_ids():
    for row in PAGE.table("ids"):
        (an_id,), (key,) = code(row["id"]), code(row["key at Qdrant"])
        assert key == key_of(an_id)


def test_links():
    PAGE.check_links()


# ---- with a server ------------------------------------------------------------------------------

live = pytest.mark.skipif(SERVER + "URL" not in os.environ, reason="no server: tests/servers/qdrant.py starts one")


class Live:
    """Makes calls of the page on a server, with collections of its own."""

    COLLECTIONS = ("digits", "your-collection", "custom-quickstart-index")
    PARAMETERS = {"URL": "URL", "API_KEY": "API_KEY", "CA": "TLS_CA", "CERT": "TLS_CERT", "KEY": "TLS_KEY"}

    def __init__(self, folder):
        self.folder = folder
        self.mark = "d%s_" % uuid.uuid4().hex[:8]
        self.environment = {"FIFTYONE_BRAIN_SIMILARITY_QDRANT_" + parameter: os.environ[SERVER + variable]
                            for variable, parameter in self.PARAMETERS.items() if SERVER + variable in os.environ}
        self.ids = ["%024x" % (0x65A0 << 80 | i) for i in range(20)]
        self.snapshot = "none"
        chance = random.Random(1)

        def rows(count):
            return [[chance.uniform(-1, 1) for _ in range(512)] for _ in range(count)]

        self.values = {
            "IDS": lambda: self.ids,
            "OLD": lambda: self.ids[:3],
            "SOME": lambda: self.ids[:2:-4],
            "ONE": lambda: self.ids[5:6],
            "EMBEDDINGS": lambda: rows(20),
            "QUERY": lambda: rows(1),
            "SNAPSHOT": lambda: self.snapshot,
        }

    def own(self, value):
        """The same with names of collections that no other test has."""
        if isinstance(value, dict):
            return {key: self.own(one) for key, one in value.items()}
        for name in self.COLLECTIONS:
            if value == name or (isinstance(value, str) and "/%s/" % name in value):
                return value.replace(name, self.mark + name)
        return value

    def program(self, *arguments, stdin=None):
        return simplugin(self.folder, *arguments, stdin=stdin, **self.environment)

    def method(self, method, body):
        return self.program("call", "backend.call", "-", "--connection", "--backend", "qdrant",
                            stdin=json.dumps({"method": method, "body": body}))

    def make(self, call):
        body = self.own(call.body(self.values))
        if "url" in body.get("parameters", {}):  # where the page's server is not this one
            parameters = body["parameters"]
            parameters["url"] = os.environ[SERVER + "URL"]
            parameters["api_key"] = os.environ.get(SERVER + "API_KEY", parameters["api_key"])
        if not call.target:
            return self.method(call.method, body)
        where = ["--key", "qdrant_index"] if call.target == "index" else []
        return self.program("call", call.method, "-", *where, stdin=json.dumps(body))

    def drop_all(self):
        for run in self.program("call", "runs.list", "{}").get("runs", []):
            collection = run["config"].get("collection_name")
            if collection:
                self.method("collection.drop", {"collection": collection})
        for name in self.COLLECTIONS:
            self.method("collection.drop", {"collection": self.mark + name})


@pytest.fixture
def server(tmp_path):
    made = Live(tmp_path)
    yield made
    made.drop_all()


def good(reply):
    assert "error" not in reply, reply
    return reply


@live
def test_calls_run(server):
    """R3 R19 R21 R30 R33 R41 R53 R55 R59 R76 R77 R250: FiftyOne's calls, each as the page has it."""
    good(server.method("collection.create", {"collection": server.mark + "your-collection", "dimension": 512}))
    calls = PAGE.calls("fiftyone")
    calls.sort(key=lambda call: call.method == "index.cleanup")
    replies = {}
    for call in calls:
        reply = replies[call.written] = good(server.make(call))
        if call.target:
            (row,) = [row for row in PROTOCOL.table("application") if row["method"] == "`%s`" % call.method]
            keys = set(row["keys of the reply"].split())
            assert "as" in keys or set(reply) <= keys, (call.method, reply)
        if call.method == "index.size":
            assert reply["size"] == 17
        if call.method == "index.get":
            assert reply["ids"] == server.values["SOME"]() and not reply["missing"]
        if call.method == "index.search":
            assert len(reply["ids"]) == 10 and reply["offsets"] == [0, 10]
            assert not set(reply["ids"]) & set(server.values["OLD"]())
        if call.method == "index.create":
            assert reply["existing"] == ("your-collection" in call.written), reply
            assert reply["backend"] == "qdrant" and reply["metric"] == (
                "dotproduct" if "dotproduct" in call.written else "cosine")
    records = json.dumps(good(server.program("call", "runs.list", "{}")))
    assert "XXXXXXXX" not in records and os.environ[SERVER + "URL"] not in records
    custom = good(server.method("index.describe", {"collection": server.mark + "custom-quickstart-index"}))
    assert custom["parameters"]["params"]["shard_number"] == custom["parameters"]["params"]["replication_factor"] == 2


@live
@pytest.mark.parametrize("way", ["environment", "file", "argument"])
def test_ways_to_a_server(tmp_path, way):
    """R3 R5 R7 R13 R14 R17 R19 R21 R30 R122 R123 R248: the backend, its url and its key, each way; given with a
    call they hold for that call only, and are given again when the run is loaded."""
    url, key = os.environ[SERVER + "URL"], os.environ.get(SERVER + "API_KEY", "XXXXXXXX")
    secure = {"FIFTYONE_BRAIN_SIMILARITY_QDRANT_" + parameter: os.environ[SERVER + variable]
              for variable, parameter in Live.PARAMETERS.items() if parameter.startswith("TLS") and SERVER + variable in os.environ}
    config = tmp_path / ".fiftyone" / "brain_config.json"
    create, load, environment = {"brain_key": "qdrant_index", "dimension": 2}, {"brain_key": "qdrant_index"}, {}
    if way == "environment":
        environment = {"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": "qdrant",
                       "FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL": url.removeprefix("http://"),
                       "FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY": key}
    elif way == "file":
        config.parent.mkdir()
        config.write_text(json.dumps({"default_similarity_backend": "qdrant",
                                      "similarity_backends": {"qdrant": {"url": url, "api_key": key}}}))
    else:
        given = {"url": url, "api_key": key}
        create.update(backend="qdrant", parameters=given)
        load.update(parameters=given)
    environment.update(secure)
    made = good(simplugin(tmp_path, "call", "index.create", json.dumps(create), **environment))
    assert made["backend"] == "qdrant"
    good(simplugin(tmp_path, "call", "runs.load", json.dumps(load), **environment))
    recorded = json.dumps(good(simplugin(tmp_path, "call", "runs.info", '{"brain_key": "qdrant_index"}', **environment)))
    assert key not in recorded and url.rpartition("/")[2] not in recorded
    if way == "argument":
        elsewhere = {**secure, "FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL": url.split("://")[0] + "://127.0.0.1:1"}
        error = simplugin(tmp_path, "call", "runs.load", '{"brain_key": "qdrant_index"}', **elsewhere)["error"]
        assert error["code"] == "UNAVAILABLE", error
        assert good(simplugin(tmp_path, "call", "config.explain", '{"load": false}'))["backend"] == "sklearn"
    cleanup = simplugin(tmp_path, "call", "runs.load", json.dumps(load), **environment)
    drop = json.dumps({"method": "collection.drop", "body": {"collection": cleanup["collection_name"]}})
    more = [word for name, value in load.get("parameters", {}).items() for word in ("--param", "%s=%s" % (name, value))]
    good(simplugin(tmp_path, "call", "backend.call", drop, "--connection", "--backend", "qdrant", *more, **environment))


@live
def test_native_calls_run(server):
    """R76 R77: the examples of native methods, and the keys of their replies."""
    good(server.method("collection.create", {"collection": server.mark + "digits", "dimension": 4}))
    for row, call in zip(PAGE.table("native"), PAGE.calls("native", "example")):
        call.written = call.written.replace('"newest"', '"%snewest"' % server.mark)
        reply = good(server.make(call))
        keys = row["keys of the reply"]
        assert set(reply) == (set(keys.split()) if "server's" not in keys else {"result", "status", "time"}), reply
        if call.method == "native.snapshot.create":
            server.snapshot = reply["snapshot"]["name"]
        if call.method == "native.request":
            assert reply["result"] == {"count": 0}


@live
def test_example_makes_a_collection(server):
    """R25 R127-R142: the reference's configuration, as it stands, on the server."""
    config = server.folder / "brain_config.json"
    config.write_text(example_text())
    made = good(server.program("index", "create", "example", "-b", "qdrant", "--dimension", "4", "--config", str(config)))
    parameters = good(server.method("index.describe", {"collection": made["collection_name"]}))["parameters"]
    for name, shown in (("hnsw_config", "hnsw_config"), ("optimizers_config", "optimizer_config"), ("wal_config", "wal_config")):
        for member, value in REFERENCE[name].items():
            if value is not None:
                assert parameters[shown][member] == value, (member, parameters)
    assert parameters["params"]["vectors"] == {"size": 4, "distance": "Cosine"}


@live
def test_examples_of_creation_and_search(server):
    """R118-R126 R144 R269: a collection with the example of every parameter, and a search with the example of each."""
    parameters = {}
    for row in PAGE.table("creation"):
        text = code(row["example"])[0]
        parameters[code(row["name"])[0]] = text if row["type"] == "text" else json.loads(text)
    name = server.mark + "digits"
    del parameters["collection_name"]
    metric = parameters.pop("metric")
    body = {"backend": "qdrant", "brain_key": "qdrant_index", "collection_name": name, "dimension": 4, "metric": metric,
            "parameters": parameters}
    good(server.program("call", "index.create", json.dumps(body)))
    rows = [[i + 1, 1, 0, 0] for i in range(5)]
    good(server.program("call", "index.add", json.dumps({"ids": server.ids[:5], "vectors": rows}), "--key", "qdrant_index"))
    for row in PAGE.table("search"):
        text = code(row["example"])[0]
        value = text if row["type"] == "any" else json.loads(text)
        if row["name"] == "`indexed_only`":
            value = False
        search = {"vectors": [[1, 0, 0, 0]], "k": 2, "parameters": {code(row["name"])[0]: value}}
        found = good(server.program("call", "index.search", json.dumps(search), "--key", "qdrant_index"))
        assert found["ids"] == server.ids[4:2:-1], (row["name"], found)
    given = good(server.method("index.describe", {"collection": name}))["parameters"]
    assert given["params"]["shard_number"] == 2 and given["hnsw_config"]["m"] == 32
    assert given["quantization_config"]["scalar"]["always_ram"] is True
    # what can be changed later
    change = {"hnsw_config": {"ef_construct": 150}, "replication_factor": 1, "on_disk_payload": False}
    good(server.method("index.create", {"collection": name, "parameters": change}))
    given = good(server.method("index.describe", {"collection": name}))["parameters"]
    assert given["hnsw_config"]["ef_construct"] == 150 and given["hnsw_config"]["m"] == 32
    assert given["params"]["replication_factor"] == 1 and given["params"]["on_disk_payload"] is False
    refused = server.method("index.create", {"collection": name, "parameters": {"shard_number": 3}})
    assert refused["error"]["code"] == "INVALID_ARGUMENT" and "shard_number" in refused["error"]["message"], refused


@live
def test_what_is_stored(server):
    """R263 R281: keys and payloads at the server are as the tables say."""
    name = server.mark + "digits"
    ids = [code(row["id"])[0] for row in PAGE.table("ids")]
    good(server.method("collection.create", {"collection": name, "dimension": 2, "metric": "cosine"}))
    good(server.method("points.upsert", {"collection": name, "ids": ids, "vectors": [[1, 0], [0, 5]],
                                         "fields": {"page": [7, None], "tags": [["a"], []], 'a"b': [None, 1]}}))
    reply = good(server.method("native.request", {"method": "POST", "path": "/collections/%s/points/scroll" % name,
                                                  "body": {"with_vector": True}}))
    points = {point["id"]: point for point in reply["result"]["points"]}
    assert set(points) == {key_of(an_id) for an_id in ids}
    first, second = (points[key_of(an_id)] for an_id in ids)
    assert first["payload"] == {"page": 7, "tags": ["a"]} and first["vector"] == [1, 0]
    assert second["vector"] == [0, 1]
    payload = second["payload"]
    assert payload.pop("tags", []) == []
    assert payload == {"__id": ids[1], "__norm": 5, "__empty": ["tags"], "__f:a%22b": 1}
    got = good(server.method("points.get", {"collection": name, "ids": ids, "fields": True}))
    assert got["ids"] == ids and got["vectors"] == [[1, 0], [0, 5]]
    assert got["fields"] == {"page": [7, None], "tags": [["a"], []], 'a"b': [None, 1]}
