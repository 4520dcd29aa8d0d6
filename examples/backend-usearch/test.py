# SPDX-License-Identifier: Apache-2.0
"""The backend as the configured one: the program simplugin, each call a process of its own.

20,000 vectors are added, searched and compared with scikit-learn, a quarter of them is removed,
two processes write at once, and one is killed while it writes. In the environment: PATH with
simplugin, SIMPLUGIN_PATH with the plugin, and a TMPDIR."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

COUNT, K, RECALL = 20000, 10, 0.95
BATCH = 250
DEADLINE = 120


def simplugin(*arguments, text=None):
    """What it prints, as JSON."""
    done = subprocess.run(
        ["simplugin", *arguments, "--json"], input=text, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    if done.returncode:
        sys.exit(f"simplugin {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def call(method, /, **body):
    return simplugin("call", method, json.dumps(body), "--key", "digits")


def size():
    return call("index.size")["size"]


def graph():
    collection = call("index.info")["collection_name"]
    body = {"collection": collection, "follow": True}
    return call("backend.call", method="native.graph", body=body)


def digits(seed, count):
    """Scans of digits, each with noise of its own."""
    random = np.random.default_rng(seed)
    images = load_digits().data
    noise = random.normal(scale=3, size=(count, images.shape[1]))
    return (images[random.integers(len(images), size=count)] + noise).astype(np.float32)


class Truth:
    """The points as they should be, by their ids."""

    def __init__(self):
        self.ids, self.vectors = np.empty(0, dtype=object), np.empty((0, 64), dtype=np.float32)

    def put(self, ids, vectors):
        self.remove(ids)
        self.ids = np.append(self.ids, np.asarray(ids, dtype=object))
        self.vectors = np.vstack([self.vectors, vectors])

    def remove(self, ids):
        keep = ~np.isin(self.ids, np.asarray(ids, dtype=object))
        self.ids, self.vectors = self.ids[keep], self.vectors[keep]

    def check(self, what, queries):
        """As many points, k hits for each query at their true distances, and most of the true ones."""
        assert size() == len(self.ids), f"{what}: {size()} points, not {len(self.ids)}"
        begun = time.monotonic()
        reply = simplugin("index", "search", "digits", "--input", queries, "-k", str(K))
        took = time.monotonic() - begun
        vectors = np.load(queries)
        lists = hits(reply)
        exact = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute").fit(self.vectors)
        distances, _ = exact.kneighbors(vectors)
        where = {identifier: row for row, identifier in enumerate(self.ids)}
        right = 0
        for query, found, true in zip(vectors, lists, distances, strict=True):
            assert len(found) == K and len({hit for hit, _ in found}) == K, f"{what}: {len(found)} hits"
            rows = self.vectors[[where[hit] for hit, _ in found]].astype(np.float64)
            measured = 1 - rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
            np.testing.assert_allclose([distance for _, distance in found], measured, atol=1e-5)
            right += int(np.sum(measured <= true[-1] + 1e-6))
        recall = right / (K * len(vectors))
        assert recall >= RECALL, f"{what}: recall {recall}"
        print(f"{what}: {len(self.ids)} points, recall {recall:.3f}, {len(vectors)} searches in {took:.1f} s")


def hits(reply):
    return [[(hit["id"], hit["distance"]) for hit in query["hits"]] for query in reply["queries"]]


def file_of(directory, name, array):
    path = os.path.join(directory, name)
    np.save(path, array)
    return path


def killed(directory, truth):
    """Adds until it is killed. What was acknowledged is there, whole batches of it, and no more."""
    before, vectors = size(), digits(3, COUNT)
    path = file_of(directory, "killed.npy", vectors)
    command = ["simplugin", "index", "add", "digits", path, "--first-id", "30000", "--batch", str(BATCH), "--quiet"]
    with subprocess.Popen(command) as adding:
        end = time.monotonic() + DEADLINE
        while size() < before + 4 * BATCH:
            assert adding.poll() is None, "it ended before it was killed"
            assert time.monotonic() < end, "it gets nowhere"
        adding.send_signal(signal.SIGKILL)
        assert adding.wait(DEADLINE) == -signal.SIGKILL
    added = size() - before
    assert added % BATCH == 0 and 4 * BATCH <= added < COUNT, f"{added} points"
    ids = [str(30000 + i) for i in range(added)]
    last = ids[-BATCH:]
    kept = np.asarray(call("index.get", ids=last)["vectors"], dtype=np.float32)
    np.testing.assert_array_equal(kept, vectors[added - BATCH : added])
    truth.put(ids, vectors[:added])


def main():
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SIMPLUGIN_DATA"] = os.path.join(directory, "runs")
        os.environ["FIFTYONE_BRAIN_CONFIG_PATH"] = os.path.join(directory, "none.json")
        os.environ["FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND"] = "usearch"
        os.environ["FIFTYONE_BRAIN_SIMILARITY_USEARCH_DIRECTORY"] = os.path.join(directory, "points")
        queries = file_of(directory, "queries.npy", digits(1, 100))
        truth = Truth()

        explained = simplugin("explain")
        sources = {value["name"]: value["source"] for value in explained["values"]}
        assert (explained["backend"], explained["backend_source"]) == ("usearch", "environment"), explained
        assert sources["directory"] == "environment", explained

        vectors = digits(2, COUNT)
        begun = time.monotonic()
        simplugin("index", "create", "digits")
        simplugin("index", "add", "digits", file_of(directory, "all.npy", vectors))
        print(f"added in {time.monotonic() - begun:.1f} s")
        truth.put([str(i) for i in range(COUNT)], vectors)
        truth.check("added", queries)
        known = graph()
        assert known["from_file"] and known["points"] == COUNT, known

        gone = [str(i) for i in range(0, COUNT, 4)]
        removed = simplugin("index", "remove", "digits", "--ids", "-", text="\n".join(gone))
        assert removed["removed"] == len(gone), removed
        truth.remove(gone)
        truth.check("removed", queries)

        # two at once, some of them over points that are there
        parts = [(4, 1), (5, 100000)]
        adding = []
        for seed, first in parts:
            part = digits(seed, 1000)
            path = file_of(directory, f"{seed}.npy", part)
            command = ["simplugin", "index", "add", "digits", path, "--first-id", str(first), "--batch", "100", "--quiet"]
            adding.append(subprocess.Popen(command))
            truth.put([str(first + i) for i in range(1000)], part)
        assert [process.wait(DEADLINE) for process in adding] == [0, 0]
        truth.check("two at once", queries)

        killed(directory, truth)
        truth.check("killed", queries)
        assert graph()["points"] == len(truth.ids)

        assert simplugin("index", "cleanup", "digits")["dropped"]
        left = [name for name in os.listdir(os.path.join(directory, "points")) if not name.startswith("points.sqlite")]
        assert not left, left


main()
