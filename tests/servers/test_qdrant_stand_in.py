# SPDX-License-Identifier: Apache-2.0
"""qdrant.py keeps what it acknowledged, and fails on demand."""

import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from qdrant_client import models

from qdrant_rig import PREFIX, PROGRAM, control, serving

pytestmark = pytest.mark.skipif(PREFIX + "URL" in os.environ, reason="about the stand-in")


def filled(client, name):
    """More than its threshold lets be without an index."""
    optimizers = models.OptimizersConfigDiff(indexing_threshold=100)
    size = models.VectorParams(size=16, distance="Euclid")
    client.create_collection(name, size, optimizers_config=optimizers)
    rows = [[(i * 31 % 97) / 97 + j * i % 7 for j in range(16)] for i in range(4000)]
    client.upsert(name, models.Batch(ids=list(range(4000)), vectors=rows), wait=True)
    assert client.get_collection(name).status == "yellow"


def folders(work):
    return [entry for entry in os.scandir(os.path.join(str(work), "data", "storage")) if entry.is_dir()]


def eventually(condition, deadline=60):
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_indexes(tmp_path):
    """Built when enough is there; what is written meanwhile is there afterwards, and after a kill."""
    with serving(tmp_path) as server:
        client = server.client()
        filled(client, "c")
        count = 4000
        while client.get_collection("c").status == "yellow":
            client.upsert("c", [models.PointStruct(id=count, vector=[count] * 16)], wait=True)
            assert client.query_points("c", [count] * 16, limit=1).points[0].id == count
            count += 1
            time.sleep(0.6)  # building begins when it is quiet
        eventually(lambda: client.get_collection("c").status == "green")
        info = client.get_collection("c")
        assert info.indexed_vectors_count >= 3000 and info.points_count == count == client.count("c").count
        eventually(lambda: len(folders(tmp_path)) == 1)
        server.restart()
        assert client.count("c").count == count
        assert client.query_points("c", [count - 1] * 16, limit=1).points[0].id == count - 1
        assert client.get_collection("c").indexed_vectors_count >= 3000


def test_changes_while_indexes_are_built(tmp_path):
    with serving(tmp_path) as server:
        client = server.client()
        for name in ("patched", "dropped", "killed"):
            filled(client, name)
            eventually(lambda: len(folders(tmp_path)) == 2)  # the copy
            if name == "patched":
                client.update_collection(name, hnsw_config=models.HnswConfigDiff(m=8))
            if name == "killed":
                server.restart()
            else:
                client.delete_collection(name)
                assert folders(tmp_path) == []
        eventually(lambda: client.get_collection("killed").status == "green")
        info = client.get_collection("killed")
        assert info.points_count == 4000 and info.indexed_vectors_count >= 3000


def write_until_killed(server, acknowledged):
    """Batches of 200 points; the number after each that was acknowledged is noted."""
    with contextlib.suppress(Exception):
        client = server.client()
        while True:
            low = acknowledged[-1]
            ids = list(range(low, low + 200))
            client.upsert("c", models.Batch(ids=ids, vectors=[[float(i)] * 64 for i in ids]), wait=True)
            acknowledged.append(low + 200)


def test_kills(tmp_path):
    """Acknowledged writes are there after a kill, and of the one in flight whole points or none."""
    with serving(tmp_path) as server:
        client = server.client()
        client.create_collection("c", models.VectorParams(size=64, distance="Dot"))
        alias = models.CreateAlias(collection_name="c", alias_name="d")
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
        pid, known = int(server.variables["PID"]), 0
        for _ in range(4):
            acknowledged = [known]
            thread = threading.Thread(target=write_until_killed, args=(server, acknowledged))
            thread.start()
            while len(acknowledged) < 4:
                time.sleep(0.01)
            os.kill(pid, signal.SIGKILL)
            thread.join()
            pid = server.restart()
            known = acknowledged[-1]
            found = client.count("d").count
            assert known <= found <= known + 200
            points = client.retrieve("c", list(range(found)), with_payload=False, with_vectors=True)
            assert len(points) == found and all(one.vector == [float(one.id)] * 64 for one in points)
            known = found


def test_restart_while_running(tmp_path):
    with serving(tmp_path) as server:
        client = server.client()
        client.create_collection("c", models.VectorParams(size=2, distance="Dot"))
        client.upsert("c", [models.PointStruct(id=1, vector=[1, 2])], wait=True)
        client.create_payload_index(
            "c", "k", models.KeywordIndexParams(type="keyword", is_tenant=True), wait=True
        )
        client.delete_collection("gone")
        pid = server.restart()
        assert pid != int(server.variables["PID"])
        assert (
            client.count("c").count == 1 and client.get_collection("c").payload_schema["k"].params.is_tenant
        )


def test_stopped(tmp_path):
    """The server is one process that can be stopped, and goes with the program."""
    with serving(tmp_path) as server:
        pid = int(server.variables["PID"])
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            peer = http.client.HTTPConnection(server.url.netloc, timeout=0.3)
            peer.request("GET", "/")
            peer.getresponse()
        os.kill(pid, signal.SIGCONT)
        assert server.ask("GET", "/")[0] == 200
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_keys(tmp_path):
    with serving(tmp_path, "--api-key", "secret", "--read-only-api-key", "reader") as server:
        body = {"vectors": {"size": 2, "distance": "Dot"}}
        assert server.ask("PUT", "/collections/c", body)[0] == 200
        for path in ("/", "/healthz", "/readyz", "/livez"):
            assert server.ask("GET", path, headers={"api-key": "wrong"})[0] == 200
        assert server.ask("GET", "/collections", headers={"api-key": "wrong"}) == (
            401,
            b"Invalid API key or JWT",
        )
        assert server.ask("GET", "/nothing", headers={"api-key": "wrong"})[0] == 401
        reader = {"api-key": "reader"}
        assert server.ask("GET", "/collections/c", headers=reader)[0] == 200
        assert server.ask("POST", "/collections/c/points/query", {"query": [1, 2]}, headers=reader)[0] == 200
        assert server.refused("PUT", "/collections/d", body, headers=reader) == (
            403,
            "Forbidden: Global manage access is required",
        )
        assert (
            server.refused("POST", "/collections/c/points/delete", {"points": [1]}, headers=reader)[0] == 403
        )
        peer = server.connection()
        peer.request("GET", "/collections")
        answer = peer.getresponse()
        assert (answer.status, answer.read()) == (
            401,
            b"Must provide an API key or an Authorization bearer token",
        )
        peer.request("GET", "/collections", headers={"authorization": "Bearer secret"})
        assert peer.getresponse().status == 200
        peer.close()


def test_old_versions(tmp_path):
    with serving(tmp_path, "--version", "1.9.7") as server:
        client = server.client()
        assert client.info().version == "1.9.7"
        client.create_collection("c", models.VectorParams(size=2, distance="Dot"))
        client.upsert("c", [models.PointStruct(id=1, vector=[1, 2])], wait=True)
        assert server.ask("POST", "/collections/c/points/query", {"query": [1, 2]}) == (404, b"")
        assert server.ask("POST", "/collections/c/points/query/batch", {"searches": []}) == (404, b"")
        assert server.ask("POST", "/collections/c/facet", {"key": "k"}) == (404, b"")
        assert (
            server.ask("POST", "/collections/c/points/search", {"vector": [1, 2], "limit": 1})[1]["result"][
                0
            ]["score"]
            == 5
        )


def tls_of(server, **more):
    context = ssl.create_default_context(cafile=server.variables["CA"])
    if "CERT" in server.variables and more.get("certificate", True):
        context.load_cert_chain(server.variables["CERT"], server.variables["KEY"])
    return context


@pytest.mark.parametrize("mode", ["one", "two"])
def test_tls(tmp_path, mode):
    with serving(tmp_path, "--tls", mode) as server:
        assert server.ask("GET", "/", tls=tls_of(server))[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            server.ask("GET", "/", tls=ssl.create_default_context(cafile=server.variables["OTHER_CA"]))
        if mode == "two":
            with pytest.raises((ssl.SSLError, OSError)):
                server.ask("GET", "/", tls=tls_of(server, certificate=False))


def test_expired(tmp_path):
    with serving(tmp_path, "--tls", "expired") as server:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            server.ask("GET", "/", tls=tls_of(server))


def test_http2(tmp_path):
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("h2")
    with serving(tmp_path, "--tls", "one", "--http2") as server:
        with httpx.Client(
            http2=True, verify=tls_of(server), base_url=server.variables["URL"], timeout=30
        ) as client:
            answer = client.put("/collections/c", json={"vectors": {"size": 200, "distance": "Dot"}})
            assert answer.http_version == "HTTP/2" and answer.json()["result"] is True
            points = [{"id": i, "vector": [i] * 200} for i in range(2000)]
            assert (
                client.put("/collections/c/points?wait=true", json={"points": points}).json()["status"]
                == "ok"
            )
            found = client.post(
                "/collections/c/points/scroll", json={"limit": 2000, "with_vector": True}
            ).json()
            assert len(found["result"]["points"]) == 2000
            server.fault(
                {"path": "/collections/c", "action": {"cut_after_bytes": 10}},
                {"path": "/", "action": {"close": True}},
            )
            for path in ("/collections/c", "/"):
                with pytest.raises(httpx.HTTPError):
                    client.get(path)
            assert client.get("/collections/c").status_code == 200
        assert server.ask("GET", "/", tls=tls_of(server))[0] == 200


def test_faults(tmp_path):
    with serving(tmp_path) as server:
        client = server.client()
        client.create_collection("c", models.VectorParams(size=2, distance="Dot"))
        target = server.variables["FAULTS"] + "/elsewhere"
        server.fault(
            {
                "method": "GET",
                "path": "/collections/c",
                "skip": 1,
                "times": 2,
                "action": {
                    "status": 503,
                    "headers": {"retry-after": "1"},
                    "body": {"status": {"error": "busy"}},
                },
            },
            {"path": "/collections/c/exists", "action": {"body_raw": '{"result": NaN'}},
            {"path": "/aliases", "action": {"status": 307, "headers": {"location": target}}},
            {"path": "/collections", "action": {"cut_after_bytes": 20}},
            {"method": "PUT", "path": ".*/points", "action": {"apply_then_close": True}},
            {"path": "/healthz", "times": None, "action": {"close": True}},
            {"path": "/livez", "action": {"delay_ms": 300}},
        )
        statuses = [server.ask("GET", "/collections/c")[0] for _ in range(4)]
        assert statuses == [200, 503, 503, 200]
        with pytest.raises(json.JSONDecodeError):
            server.ask("GET", "/collections/c/exists")
        with pytest.raises(http.client.IncompleteRead):
            server.ask("GET", "/collections")
        for _ in range(3):
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                server.ask("GET", "/healthz")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            server.ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [1, 2]}]})
        assert client.count("c").count == 1
        began = time.monotonic()
        assert server.ask("GET", "/livez")[0] == 200 and time.monotonic() - began >= 0.3
        peer = server.connection()
        peer.request("GET", "/aliases", headers={"api-key": "secret"})
        answer = peer.getresponse()
        assert answer.status == 307 and answer.getheader("location") == target
        peer.close()
        other = http.client.HTTPConnection(urllib.parse.urlsplit(target).netloc)
        other.request("GET", "/elsewhere", headers={"api-key": "secret"})
        assert other.getresponse().status == 200
        other.close()
        seen = server.seen()
        assert {"method": "GET", "path": "/collections/c", "count": 4} in seen["requests"]
        last = seen["log"][-1]
        assert (
            last["port"] == "control"
            and last["path"] == "/elsewhere"
            and last["headers"]["api-key"] == "secret"
        )
        control(server.variables["FAULTS"], "DELETE")
        assert server.seen() == {"requests": [], "log": [], "rules": []}
        assert server.ask("GET", "/healthz")[0] == 200


def test_command(tmp_path):
    """The command's exit code, and its environment; a real server is left to itself."""
    script = (
        "import os, sys; sys.exit(7 if os.environ['%sURL'].startswith('http://127.0.0.1:') else 1)" % PREFIX
    )
    line = [sys.executable, PROGRAM, "--work", str(tmp_path), "--", sys.executable, "-c", script]
    assert subprocess.run(line, check=False).returncode == 7
    script = "import os, sys; sys.exit(8 if '%sPID' not in os.environ else 1)" % PREFIX
    line[-1] = script
    environment = {**os.environ, PREFIX + "URL": "http://there.test:6333"}
    assert subprocess.run(line, check=False, env=environment).returncode == 8
