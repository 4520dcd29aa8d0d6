# SPDX-License-Identifier: Apache-2.0
"""docs/milvus.md and docs/milvus/ against the plugin, and against a server where there is one.

    SIMPLUGIN_BUILDDIR=build/core python -m pytest tests/milvus_docs.py
    python tests/milvus_docs.py URL...      the metrics of these pages, as in tests/cases

The calls of the page run as they stand if SIMPLUGIN_TEST_MILVUS_URI names a server
(tests/servers/milvus.py); everything else needs none.
"""
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
FILES = SOURCE / "docs" / "milvus"
METRICS = SOURCE / "tests" / "cases" / "milvus_metrics.txt"
SERVER = "SIMPLUGIN_TEST_MILVUS_"

# ---- metrics ------------------------------------------------------------------------------


def metrics_of(pages):
    """Name -> [type, labels] of what pages in Prometheus' text format show."""
    found = {}
    for line in "\n".join(pages).splitlines():
        about = re.match(r"# TYPE (\S+) (\S+)", line)
        sample = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$", line)
        if about:
            found.setdefault(about[1], [about[2], set()])
        elif sample:
            name = sample[1] if sample[1] in found else re.sub("_(bucket|sum|count)$", "", sample[1])
            labels = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', sample[2] or "")
            found[name][1].update(label for label in labels if label not in ("le", "quantile"))
    return found


def page_of(url):
    with urllib.request.urlopen(url, timeout=20) as page:
        return page.read().decode()


if __name__ == "__main__":
    for name, (kind, labels) in sorted(metrics_of([page_of(url) for url in sys.argv[1:]]).items()):
        print(name, kind, ",".join(sorted(labels)) or "-")
    sys.exit()

import pytest  # noqa: E402
import yaml  # noqa: E402

from docs_page import BUILD, PROTOCOL, Keys, Page, application_keys, check_examples, check_parameters  # noqa: E402
from docs_page import code, declared, numbers, simplugin  # noqa: E402

PAGE = Page(SOURCE / "docs" / "milvus.md")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    return simplugin(tmp_path_factory.mktemp("describe"), "call", "backends.describe", '{"backend": "milvus"}')


@pytest.fixture(scope="module")
def known_keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"), "milvus", "uri=http://127.0.0.1:1")


# ---- files for deployment -----------------------------------------------------------------


def test_compose_file():
    """R180-R186, R257: what the guide has, the server's command, health checks, the order of starting."""
    compose = yaml.safe_load((FILES / "docker-compose.yml").read_text())
    etcd, minio, milvus = (compose["services"][name] for name in ("etcd", "minio", "milvus"))
    assert set(compose["services"]) == {"etcd", "minio", "milvus"}
    assert set(compose["volumes"]) == {"etcd_data", "minio_data", "milvus_data"}

    # R180-R182
    assert etcd["image"] == "quay.io/coreos/etcd:v3.5.5"
    assert etcd["container_name"] == "milvus-etcd"
    assert etcd["volumes"] == ["etcd_data:/etcd"]
    assert dict(line.split("=") for line in etcd["environment"]) == {
        "ETCD_AUTO_COMPACTION_MODE": "revision",
        "ETCD_AUTO_COMPACTION_RETENTION": "1000",
        "ETCD_QUOTA_BACKEND_BYTES": "4294967296",
        "ETCD_SNAPSHOT_COUNT": "50000",
    }
    assert etcd["command"].split() == (
        "etcd -advertise-client-urls=http://127.0.0.1:2379 -listen-client-urls http://0.0.0.0:2379 --data-dir /etcd"
    ).split()

    # R183, R184
    assert minio["image"].startswith("minio/minio:RELEASE.")
    assert minio["container_name"] == "milvus-minio"
    assert minio["environment"] == {"MINIO_ACCESS_KEY": "minioadmin", "MINIO_SECRET_KEY": "minioadmin"}
    assert minio["command"].split() == ["minio", "server", "/minio_data"]
    assert minio["volumes"] == ["minio_data:/minio_data"]
    assert minio["healthcheck"] == {
        "test": ["CMD", "curl", "-f", "http://localhost:9000/minio/health/live"],
        "interval": "30s",
        "timeout": "20s",
        "retries": 3,
    }

    # R185, R186
    assert milvus["image"].startswith("milvusdb/milvus:v2.3.")
    assert milvus["container_name"] == "milvus-standalone"
    assert milvus["environment"] == {"ETCD_ENDPOINTS": "etcd:2379", "MINIO_ADDRESS": "minio:9000"}
    assert milvus["volumes"] == ["milvus_data:/var/lib/milvus"]
    assert milvus["ports"] == ["19530:19530", "9091:9091"]

    # R257
    assert milvus["command"] == ["milvus", "run", "standalone"]
    assert milvus["depends_on"] == {
        "etcd": {"condition": "service_healthy"},
        "minio": {"condition": "service_healthy"},
    }
    for service in (etcd, minio, milvus):
        assert service["healthcheck"]["test"][0] == "CMD"
        assert not service["image"].endswith(":latest")
    assert etcd["healthcheck"]["test"][1] == "etcdctl"
    assert milvus["healthcheck"]["test"][-1] == "http://localhost:9091/healthz"


def test_operator_file():
    """R237: the custom resource; R236: how the page applies it."""
    resource = yaml.safe_load((FILES / "operator.yaml").read_text())
    assert resource["apiVersion"] == "milvus.io/v1beta1"
    assert resource["kind"] == "Milvus"
    assert resource["metadata"]["name"] == "milvus-cluster"
    assert resource["spec"]["mode"] == "cluster"
    assert resource["spec"]["dependencies"]["storage"]["external"] is False
    assert "kubectl apply -f docs/milvus/operator.yaml" in PAGE.text()
    assert re.search(r"kubectl apply -f https://\S+/milvus-operator/main/deploy/manifests/deployment.yaml", PAGE.text())


def test_prometheus_file():
    """R231: the port that the Compose file opens is the one that is read, with no other path."""
    jobs = yaml.safe_load((FILES / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets["milvus"] == ["milvus:9091"]
    assert "simplugin" in targets
    assert all("metrics_path" not in job for job in jobs)
    assert "http://localhost:9091/metrics" in PAGE.text()


# ---- the dashboard ------------------------------------------------------------------------


def own_metrics(tmp_path):
    """What this library shows after some calls, one of which failed."""
    steps = [
        {"call": "index.create", "body": {"dimension": 2}, "bind": {"index": "ix"}},
        {"call": "index.add", "target": "$ix", "body": {"ids": ["a"], "vectors": [[1, 0]]}},
        {"call": "backend.call", "target": "$ix", "body": {"method": "collection.drop", "body": {"collection": "none"}},
         "error": {"code": "NOT_FOUND"}},
        {"call": "metrics.render", "body": {}},
    ]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "metrics.json").write_text(json.dumps({"cases": [{"name": "metrics", "steps": steps}]}))
    done = subprocess.run(
        [BUILD / "simplugin-conformance", BUILD / ".libs/simplugin_sklearn_flat.so", "--corpus", tmp_path / "corpus",
         "--form", "plain", "--replies", tmp_path / "replies"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return metrics_of([json.loads((tmp_path / "replies").read_text())[-1]["text"]])


def server_metrics():
    lines = [line.split() for line in METRICS.read_text().splitlines() if not line.startswith("#")]
    return {name: [kind, set(labels.split(",")) - {"-"}] for name, kind, labels in lines}


def used(expression):
    """The names of metrics and of labels in an expression."""
    labels = set(re.findall(r'(\w+)\s*(?:=|!=|=~|!~)\s*"', expression))
    rest = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", expression)
    for group in re.findall(r"\b(?:by|without|on|ignoring) \(([^)]*)\)", rest):
        labels.update(re.findall(r"\w+", group))
    rest = re.sub(r"\b(?:by|without|on|ignoring) \([^)]*\)", "", rest)
    words = re.findall(r"[a-zA-Z_]\w*(?!\w*\s*\()", rest)
    return {word for word in words if word not in ("and", "or", "unless")}, labels


def dashboard_rows():
    """The titles of rows, each with its panels."""
    rows = {}
    for panel in json.loads((FILES / "grafana-dashboard.json").read_text())["panels"]:
        if panel["type"] == "row":
            rows[panel["title"]] = []
        else:
            list(rows.values())[-1].append(panel)
    return rows


def test_dashboard(tmp_path):
    """R232-R235, R279: every metric of every panel is one that a server, or this library, shows."""
    rows = dashboard_rows()
    assert set(rows) == {"Query performance", "Memory", "Index status", "Segment statistics", "Programs with simplugin"}
    theirs, own = server_metrics(), own_metrics(tmp_path)
    assert set(own) == {"simplugin_calls_total", "simplugin_errors_total", "simplugin_call_duration_seconds",
                        "simplugin_bytes_sent_total", "simplugin_bytes_received_total"}
    identifiers = set()
    for row, panels in rows.items():
        assert len(panels) >= 4, row
        shown = own if row == "Programs with simplugin" else theirs
        for panel in panels:
            identifiers.add(panel["id"])
            assert panel["targets"] and panel["datasource"]["uid"] == "${datasource}", panel["title"]
            for target in panel["targets"]:
                names, labels = used(target["expr"])
                assert names, target
                for name in names:
                    plain = re.sub("_(bucket|sum|count)$", "", name)
                    part = name if name in shown else plain
                    assert part in shown, name
                    assert (part == name) == (shown[part][0] != "histogram"), name
                    assert labels - {"le", "job", "instance"} <= shown[part][1], (name, labels)
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    assert label in labels or label == "instance", (target, label)
                if "rate(" in target["expr"]:
                    assert "[$__rate_interval]" in target["expr"]
    assert len(identifiers) == sum(len(panels) for panels in rows.values())


def test_dashboard_does_not_overlap():
    panels = json.loads((FILES / "grafana-dashboard.json").read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken and x < 24, panel["title"]
                taken.add((x, y))


# ---- parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["connection", "creation", "search"])
def test_parameters(described, which):
    """Every parameter that the plugin declares is on the page as it is declared, and no other."""
    check_parameters(PAGE.table(which), declared(described, which))


@pytest.mark.parametrize("way", ["argument", "environment", "file"])
def test_examples_of_parameters(way, tmp_path):
    """Each example can be given in each of the three ways, and has the parameter's type."""
    check_examples(tmp_path, "milvus", PAGE.table("connection") + PAGE.table("creation"), way)


def test_index_types_are_those_of_the_plugin(described):
    (parameter,) = [p for p in described["parameters"] if p["name"] == "index_type"]
    rows = PAGE.table("indexes")
    names = [code(row["`index_type`"])[0] for row in rows]
    assert names == re.findall("[A-Z_0-9]{4,}", parameter["doc"])
    known = {p["name"] for p in described["parameters"]} | {p["name"] for p in described["search_parameters"]}
    for row in rows:
        assert set(code(row["takes"]) + code(row["searches take"])) <= known
    for level in described["consistency_levels"]:
        assert "`%s`" % level in PAGE.text()
    for metric in described["metrics"]:
        assert "`%s`" % metric in PAGE.text()


# ---- calls --------------------------------------------------------------------------------


def test_native_methods(described, known_keys):
    """Every native method that the plugin declares is in the table with its keys, and no other."""
    rows = PAGE.table("native")
    assert [code(row["method"])[0] for row in rows] == [m for m in described["methods"] if m.startswith("native.")]
    for row in rows:
        (method,) = code(row["method"])
        assert set(row["keys of the request"].split()) == known_keys(method), method


def test_every_old_call_has_a_row():
    """R254: each of R145-R174 and R180-R230 is mapped, in order."""
    for name, first, last in (("client", 145, 174), ("guide", 180, 230)):
        seen = [number for row in PAGE.table(name) for number in sorted(numbers(row["R"]))]
        assert seen == list(range(first, last + 1))
        assert all(row["there"] and row["here"] for row in PAGE.table(name))
    old = " ".join(row["there"] for row in PAGE.table("client"))
    for word in ("Milvus(", "tcp://", "Status", "create_collection", "index_file_size", "drop_collection",
                 "create_partition", "partition_tag", "list_partitions", "drop_partition", "create_index", "drop_index",
                 "insert(", "get_entity_by_id", "get_vector_by_id", "delete_entity_by_id", "flush", "compact", "search(",
                 "partition_tags", "close()"):
        assert word in old, word


@pytest.mark.parametrize("name", ["client", "guide"])
def test_calls_of_the_tables(name, described, known_keys):
    """R254: every method in the tables is one of the plugin's or the core's, with keys that it has."""
    names = {which: {p["name"] for p in declared(described, which)} for which in ("connection", "creation", "search")}
    assert PAGE.calls(name)
    for call in PAGE.calls(name):
        body = call.body()
        assert set(body) <= (application_keys(call.method) if call.target else known_keys(call.method)), call.method
        takes = {
            "connection.open": names["connection"],
            "index.create": names["creation"],
            "points.upsert": {"partition"},
        }.get(call.method, names["search"])
        assert set(body.get("parameters", {})) <= takes, call.method
        for field in body.get("fields", []) if call.method == "native.collection.create" else []:
            assert {"name", "type"} <= set(field) <= {"name", "type", "primary", "auto_id", "dimension", "max_length",
                                                      "element_type", "max_capacity", "nullable"}


def test_methods_in_the_text(described, known_keys):
    """What else looks like a method is one."""
    application = {code(row["method"])[0] for row in PROTOCOL.table("application")}
    families = {method.split(".")[0] for method in application | set(described["methods"])} | {"points"}
    for word in set(code(PAGE.text())):
        method = re.fullmatch(r"([a-z]+)(?:\.[a-z]+)+", word)
        if method and method[1] in families and word not in application:
            known_keys(word)
        family = re.fullmatch(r"(native\.\w+)\.\*", word)
        if family:
            assert [m for m in described["methods"] if m.startswith(family[1] + ".")], word


# ---- the rest of the page -----------------------------------------------------------------


def test_servers():
    """R177: which servers, by their version; the oldest is the plugin's."""
    source = (SOURCE / "plugins" / "milvus" / "instance.c").read_text()
    oldest = "%s.%s.0" % tuple(re.search("define VERSION_MIN_%s (\\d+)" % part, source)[1] for part in ("MAJOR", "MINOR"))
    rows = {row["server"]: row["works"] for row in PAGE.table("servers")}
    assert rows["Milvus 2.3"] == "yes, from %s on" % oldest
    assert rows["Milvus 2.0 to 2.2"] == "no"
    assert rows["Milvus Lite 3.2"] == "yes"
    assert "0.10.5" in PAGE.text() and "VERSION_TOO_OLD" in PAGE.text()


def test_instructions():
    """R34-R36, R179, R187, R238, R245: how a server is set up, what for, what else to read."""
    page = PAGE.text()
    assert re.findall(r"wget +(?!https)", page) == []
    (url,) = re.findall(r"wget (https://\S+)", page)
    tag = yaml.safe_load((FILES / "docker-compose.yml").read_text())["services"]["milvus"]["image"].split(":")[1]
    assert url == "https://github.com/milvus-io/milvus/releases/download/%s/milvus-standalone-docker-compose.yml" % tag
    for words in ("docker compose up -d", "docker-compose up -d", "docker compose version", "docker compose ps", "sudo",
                  "billions of vectors", "GPUs", "many tenants", "Kubernetes", "stream in", "ChromaDB", "Qdrant",
                  "no `pip install pymilvus`", "https://milvus.io/docs/authenticate.md", "https://milvus.io/docs/rbac.md",
                  "https://milvus.io/docs/consistency.md", "https://milvus.io/docs/overview.md"):
        assert words in page, words


def test_links():
    PAGE.check_links()


def test_lite_table():
    """Keys are short words, each once; nothing is empty and the two servers do differ."""
    rows = PAGE.table("lite")
    keys = [row["key"] for row in rows]
    assert len(set(keys)) == len(keys) and all(re.fullmatch("[a-z-]+", key) for key in keys)
    for row in rows:
        assert row["what"] and row["Milvus 2.3"] and row["Milvus Lite 3.2"]
        assert row["Milvus 2.3"] != row["Milvus Lite 3.2"]


# ---- with a server ------------------------------------------------------------------------


class Live:
    """Makes calls of the page on a server, with collections of its own."""

    COLLECTIONS = ("test01", "test03", "documents", "langchain_docs")
    PARAMETERS = {"URI": "URI", "USER": "USER", "PASSWORD": "PASSWORD", "CA": "TLS_CA", "CERT": "TLS_CERT",
                  "KEY": "TLS_KEY", "SERVER_NAME": "TLS_SERVER_NAME"}

    def __init__(self, folder):
        self.folder = folder
        self.mark = "d%d_" % os.getpid()
        self.is_lite = os.environ[SERVER + "KIND"] == "lite"
        self.environment = {
            "FIFTYONE_BRAIN_SIMILARITY_MILVUS_" + parameter: os.environ[SERVER + variable]
            for variable, parameter in self.PARAMETERS.items()
            if SERVER + variable in os.environ
        }
        self.ids = [str(i) for i in range(20)]
        self.compaction = 0
        chance = random.Random(1)

        def rows(count, dimension):
            return [[chance.random() for _ in range(dimension)] for _ in range(count)]

        self.values = {
            "VECTORS": lambda: rows(20, 128),
            "QUERIES": lambda: rows(5, 128),
            "QUERY": lambda: rows(1, 768),
            "EMBEDDINGS": lambda: rows(20, 768),
            "TEXTS": lambda: ["text %d" % i for i in range(20)],
            "SOURCES": lambda: ["manual.pdf", "web"] * 10,
            "IDS": lambda: self.ids,
            "NUMBER": lambda: self.compaction,
        }

    def own(self, body):
        """The body with names of collections that no other test has."""
        return {key: self.mark + value if isinstance(value, str) and value in self.COLLECTIONS else value
                for key, value in body.items()}

    def make(self, call):
        body = self.own(call.body(self.values))
        environment = dict(self.environment)
        if call.method == "connection.open":  # where the page's server is not this one
            body["parameters"] = {}
        if call.target == "session":
            return simplugin(self.folder, "call", call.method, "-", stdin=json.dumps(body), **environment)
        if call.target == "index":
            return simplugin(self.folder, "call", call.method, "-", "--backend", "milvus", "--collection",
                             self.mark + "langchain_docs", stdin=json.dumps(body), **environment)
        body = json.dumps({"method": call.method, "body": body})
        reply = simplugin(self.folder, "call", "backend.call", "-", "--connection", "--backend", "milvus", stdin=body,
                          **environment)
        if call.method == "native.insert":
            self.ids = reply["ids"]
        if call.method == "native.compact.start":
            self.compaction = reply["compaction"]
        return reply

    def load(self):
        """A collection with a point, loaded: the calls of the page have dropped theirs."""
        for method, body in (("collection.create", {"dimension": 2}),
                             ("points.upsert", {"ids": ["a"], "vectors": [[1, 0]]}), ("points.count", {})):
            body = json.dumps({"method": method, "body": {"collection": self.mark + self.COLLECTIONS[0], **body}})
            reply = simplugin(self.folder, "call", "backend.call", body, "--connection", "--backend", "milvus",
                              **self.environment)
            assert "error" not in reply, reply

    def drop(self, collection):
        body = json.dumps({"method": "collection.drop", "body": {"collection": self.mark + collection}})
        return simplugin(self.folder, "call", "backend.call", body, "--connection", "--backend", "milvus",
                         **self.environment)


def expected_hits(call, reply):
    body = call.body(LENGTHS)
    if call.method in ("search", "index.search"):
        assert len(reply["offsets"]) == body["vectors"] + 1, call.written
        assert len(reply["ids"]) == len(reply["distances"]) == reply["offsets"][-1] <= body["vectors"] * body["k"]
        assert set(reply.get("fields", {})) <= set(body.get("fields", [])), call.written


LENGTHS = {"VECTORS": lambda: 20, "QUERIES": lambda: 5, "QUERY": lambda: 1, "EMBEDDINGS": lambda: 20,
           "TEXTS": lambda: 20, "SOURCES": lambda: 20, "IDS": lambda: 20, "NUMBER": lambda: 0}


@pytest.mark.skipif(SERVER + "URI" not in os.environ, reason="no server: tests/servers/milvus.py starts one")
def test_calls_run(tmp_path):
    """R254, R231: the calls of both tables, in their order but for what drops or closes something."""
    live = Live(tmp_path)
    replies = {row["method"].strip("`"): set(row["keys of the reply"].split()) for row in PAGE.table("native")}
    try:
        for name in ("client", "guide"):
            listed = [call for call in PAGE.calls(name) if call.target != "connection"]
            last = ["partition.drop", "index.drop", "collection.drop"]
            first = [call for call in listed if call.method not in last]
            for call in first + sorted((c for c in listed if c.method in last), key=lambda c: last.index(c.method)):
                reply = live.make(call)
                if live.is_lite and call.method == "collection.load" and "partitions" in call.written:
                    assert reply["error"]["code"] == "UNIMPLEMENTED", reply
                    continue
                assert "error" not in reply, (call.method, call.written, reply)
                if call.method in replies:
                    assert set(reply) <= replies[call.method], (call.method, reply)
                if call.method == "points.get":
                    assert len(reply["ids"]) == 20, reply
                expected_hits(call, reply)
        if SERVER + "METRICS" in os.environ:
            live.load()  # some are shown for as long as something is loaded
            check_metrics(lambda: metrics_of([page_of(os.environ[SERVER + "METRICS"])]))
    finally:
        for collection in Live.COLLECTIONS:
            live.drop(collection)


def check_metrics(read):
    """R231, R232: the server shows what the dashboard's first row asks for, as the list says."""
    asked = {name for panel in dashboard_rows()["Query performance"] for target in panel["targets"]
             for name in used(target["expr"])[0]}
    listed, shown, end = server_metrics(), read(), time.monotonic() + 30
    while not all(name in shown or re.sub("_(bucket|sum|count)$", "", name) in shown for name in asked):
        assert time.monotonic() < end, asked - set(shown)
        time.sleep(0.5)
        shown = read()
    for name, (kind, labels) in shown.items():
        if name in listed:
            assert kind == listed[name][0], name
            assert labels <= listed[name][1], (name, labels)
