# SPDX-License-Identifier: Apache-2.0
"""Which index a store is on, and what becomes of it: opening, closing, pickling, and servers that refuse."""

from __future__ import annotations

import copy
import gc
import http.server
import pickle
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import BACKENDS, Make
from embedding import Places
from langchain_core.vectorstores import VectorStoreRetriever

import simplugin
from simplugin._call import call
from simplugin.langchain import Milvus, SimpluginVectorStore

KEY = "0042-a-secret"


def unique(prefix: str) -> str:
    """A name that nobody has."""
    return f"{prefix}_{uuid.uuid4().hex[:8]}"


def is_open(handle: int) -> bool:
    """Asked by number, as no object of the package's would."""
    try:
        call(handle, "index.info", None, {})
    except simplugin.StaleHandle:
        return False
    return True


def test_by_collection_name(make: Make) -> None:
    """A collection is made, and found again."""
    name = unique("named")
    one = make(collection_name=name, metric="euclidean")
    assert not one.index.existing
    one.add_texts(["a"], ids=["x"])
    two = make(collection_name=name, metric=None)
    assert two.index.existing
    assert two.index.metric == "euclidean"
    assert two.ids() == ["x"]
    with pytest.raises(simplugin.InvalidArgument, match="metric"):
        make(collection_name=name, metric="cosine")


def test_by_brain_key(make: Make, backend: str, parameters: dict[str, Any]) -> None:
    """A run is recorded, opened by its key alone, and gone with its collection."""
    key = unique("key")
    one = make(brain_key=key, dataset="books", metric="euclidean")
    one.add_texts(["a"], ids=["x"])
    with SimpluginVectorStore(Places(), brain_key=key, dataset="books", parameters=parameters) as two:
        assert two.index.backend == backend
        assert two.index.metric == "euclidean"
        assert two.ids() == ["x"]
    with pytest.raises(ValueError, match="has the metric euclidean, not cosine"):
        make(brain_key=key, dataset="books", metric="cosine")
    other = next((name for name in BACKENDS if name != backend), None)
    if other:
        with pytest.raises(ValueError, match=f"is on {backend}, not on {other}"):
            make(brain_key=key, dataset="books", backend=other, metric=None)
    one.index.cleanup()
    with pytest.raises(simplugin.NotFound):  # the record is there, and says of what
        make(brain_key=key, dataset="books", metric=None)
    one.delete_collection()
    assert key not in [run["brain_key"] for run in simplugin.runs.list("books")]


def test_metric_by_another_name() -> None:
    """What the backend takes for a metric is compared as such."""
    key = unique("key")
    with SimpluginVectorStore(Places(), brain_key=key, backend="sklearn", metric="l2") as one:
        with SimpluginVectorStore(Places(), brain_key=key, backend="sklearn_flat", metric="euclidean") as two:
            assert one.index.metric == two.index.metric == "euclidean"
        one.delete_collection()


def test_deleted_and_used_again(make: Make) -> None:
    """delete_collection leaves nothing, and the store begins anew, with other dimensions and types too."""
    name = unique("again")
    store = make(collection_name=name)
    store.add_texts(["a"], [{"v": 1}])
    store.delete_collection()
    assert store.ids() == []
    store.add_texts(["b"], [{"v": "text"}], embeddings=[[1.0, 2.0]])
    assert store.ids('v == "text"') == store.ids()


def test_dropped_by_somebody(make: Make) -> None:
    """Searching says so; adding makes it anew."""
    name = unique("dropped")
    one, two = make(collection_name=name), make(collection_name=name)
    one.add_texts(["a"], [{"v": 1}], ids=["a"])
    assert two.ids({"v": 1}) == ["a"]
    one.delete_collection()
    with pytest.raises(simplugin.NotFound):
        two.similarity_search("a", filter={"v": 1})
    two.add_texts(["b"], [{"v": "text"}], ids=["b"])
    assert two.ids({"v": "text"}) == ["b"]


def test_own_session(tmp_path: Path) -> None:
    """A session of one's own decides where data is; it stays open, and its store is not pickled."""
    with simplugin.Session(data_dir=tmp_path / "data", environment={}) as session:
        with SimpluginVectorStore(Places(), session=session, brain_key="mine") as store:
            store.add_texts(["a"])
            with pytest.raises(TypeError, match="session of its own"):
                pickle.dumps(store)
        assert [run["brain_key"] for run in session.runs.list()] == ["mine"]
    assert "mine" not in [run["brain_key"] for run in simplugin.runs.list()]


def test_closed(make: Make) -> None:
    """Closing ends it, twice is harmless, and what is closed says so."""
    store = make()
    store.add_texts(["a"])
    name = store.index.collection_name
    with store:
        pass
    store.close()
    with pytest.raises(simplugin.StaleHandle):
        store.similarity_search("a")
    make(collection_name=name).delete_collection()
    unopened = make(open=False)
    unopened.close()


def test_no_handles_are_left(backend: str, parameters: dict[str, Any]) -> None:
    """Stores that are closed, dropped, or forgotten leave no handle open, nor do failures."""
    handles = list[int]()
    descriptors = list[int]()
    name = unique("handles")
    for round in range(12):
        store = SimpluginVectorStore.from_texts(
            ["a"], Places(), [{"v": round}], backend=backend, parameters=parameters, collection_name=name
        )
        handles.append(store.index.handle)
        assert store.similarity_search("a", filter={"v": round})
        if round % 3 == 0:
            store.close()
        elif round % 3 == 1:
            store.delete_collection()
        del store
        with pytest.raises(ZeroDivisionError):
            SimpluginVectorStore.from_texts(
                (str(1 // 0) for _ in "a"), Places(), backend=backend, parameters=parameters, collection_name=name
            )
        gc.collect()
        descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
    assert not any(map(is_open, handles))
    assert max(descriptors[4:]) <= max(descriptors[:4]) + 2
    with SimpluginVectorStore(backend=backend, parameters=parameters, collection_name=name) as store:
        store.delete_collection()


# ---- pickling ----

PROGRAM = """
import pickle, sys
store = pickle.load(sys.stdin.buffer)
print(store.similarity_search("1 0 0", k=1, filter={"n": 1})[0].metadata, store.index.metric)
"""


def test_in_another_process(make: Make) -> None:
    """A process that has nothing but the pickle opens the store."""
    store = make(metric="euclidean", fields={"n": "int64"})
    store.add_texts(["1 0 0", "0 1 0"], [{"n": 1}, {"n": 2}])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=pickle.dumps(store), capture_output=True, check=False, env=environment()
    )
    assert done.stdout.decode() == "{'n': 1} euclidean\n", done.stderr.decode()


@pytest.mark.parametrize("named", ["collection_name", "brain_key", "neither"])
def test_pickled(make: Make, backend: str, named: str) -> None:
    """What is unpickled opens the same index, with the same embedding, fields and names."""
    settings = {} if named == "neither" else {named: unique("pickled")}
    store = make(metric="euclidean", text_field="words", fields={"n": "int64"}, **settings)
    store.add_texts(["1 0 0", "0 1 0"], [{"n": 1}, {"n": 2}])
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(store))))
    assert again.index.backend == backend
    assert again.index.collection_name == store.index.collection_name
    assert sorted(again.ids()) == sorted(store.ids())
    with copy.copy(store) as copied:
        assert copied.index.handle != store.index.handle
        assert sorted(copied.ids()) == sorted(store.ids())
    retriever = pickle.loads(pickle.dumps(store.as_retriever(search_kwargs={"k": 1})))
    assert isinstance(retriever, VectorStoreRetriever)
    assert retriever.invoke("0 1 0")[0].metadata == {"n": 2}
    again.close()


def environment() -> dict[str, str]:
    """In which a process finds what is beside this file."""
    import os

    here = Path(__file__).resolve().parent
    return {**os.environ, "PYTHONPATH": f"{here}:{here.parent}"}


class Guard(http.server.BaseHTTPRequestHandler):
    """Before a Qdrant server: lets nobody in without the key."""

    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("api-key") != KEY:
            return self._answer(401, b"Must provide an API key")
        request = urllib.request.Request(BACKENDS["qdrant"]["url"] + self.path, body or None, method=self.command)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return self._answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a server that wants a key."""
    if "qdrant" not in BACKENDS:
        pytest.skip("no Qdrant server")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_secrets_are_not_pickled(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R20, R21: a key that was an argument is not pickled; it comes from the environment, or is given again."""
    name = unique("guarded")
    settings: Any = {"backend": "qdrant", "collection_name": name}
    with pytest.raises(simplugin.Unauthenticated):
        SimpluginVectorStore(Places(), parameters={"url": guarded, "api_key": "another"}, **settings)
    with pytest.raises(simplugin.Unauthenticated):
        SimpluginVectorStore(Places(), parameters={"url": guarded}, **settings)
    store = SimpluginVectorStore.from_texts(["a"], Places(), parameters={"url": guarded, "api_key": KEY}, **settings)
    pickled = pickle.dumps(store)
    assert KEY.encode() not in pickled
    assert KEY not in repr(store)
    without = pickle.loads(pickled)
    assert without.parameters == {"url": guarded}
    with pytest.raises(simplugin.Unauthenticated):
        without.similarity_search("a")
    without.parameters["api_key"] = KEY
    assert len(without.similarity_search("a")) == 1
    assert KEY.encode() not in pickle.dumps(without)
    monkeypatch.setenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY", KEY)
    with pickle.loads(pickled) as there:
        assert len(there.similarity_search("a")) == 1
    store.delete_collection()
    store.close()
    without.close()


# ---- servers that are not there ----


@pytest.mark.parametrize(
    ("backend", "parameter"), [(name, p) for name, p in (("milvus", "uri"), ("qdrant", "url")) if name in BACKENDS]
)
async def test_no_server(backend: str, parameter: str) -> None:
    """The error is Python's ConnectionError, names the address, and leaves nothing open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings: Any = {"backend": backend, "parameters": {parameter: address, "retry_ms": 0}}
        with pytest.raises(ConnectionError, match=address.split("//")[1]):
            SimpluginVectorStore(Places(), **settings)
        with pytest.raises(ConnectionError):
            await SimpluginVectorStore.afrom_texts(["a"], Places(), **settings)
        store = SimpluginVectorStore(Places(), open=False, **settings)
        with pytest.raises(ConnectionError):
            await store.asimilarity_search("a")
        await store.aclose()


def test_wrong_settings() -> None:
    """What a backend does not have is said."""
    with pytest.raises(simplugin.BackendUnknown, match="nonsense"):
        SimpluginVectorStore(Places(), backend="nonsense")
    with pytest.raises(simplugin.UnknownParameter, match="pasword"):
        SimpluginVectorStore(Places(), backend="milvus", parameters={"pasword": "x"})
    with pytest.raises(simplugin.InvalidArgument, match="metric"):
        SimpluginVectorStore(Places(), backend="sklearn", metric="nearness")


def test_milvus_arguments() -> None:
    """R37: connection_args are the backend's parameters, port as text."""
    store = Milvus(Places(), connection_args={"host": "localhost", "port": "19530"}, open=False)
    assert repr(store) == "Milvus('LangChainCollection')"
    assert store.parameters == {"host": "localhost", "port": "19530"}
    again = pickle.loads(pickle.dumps(store))
    assert isinstance(again, Milvus)
    assert again.parameters == store.parameters
