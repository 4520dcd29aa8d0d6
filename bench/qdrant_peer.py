# SPDX-License-Identifier: Apache-2.0
"""The same work by qdrant-client over REST, in a process of its own: qdrant_peer.py URL MODE ARGUMENT..."""
import resource
import os
import sys
import threading
import time
import uuid

import numpy as np
from qdrant_client import QdrantClient, models

K, THREADS, SINGLE_RUNS, THREAD_RUNS = 10, 8, 300, 60
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:simplugin:ids")  # so that both know the points by the same ids


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def key(name):
    return str(uuid.uuid5(NAMESPACE, name))


def upsert(client, path, count, dimension, name, batch):
    rows = np.fromfile(path, dtype=np.float32).reshape(count, dimension)
    keys = [key("r%08u" % i) for i in range(count)]
    client.create_collection(name, vectors_config=models.VectorParams(size=dimension, distance=models.Distance.COSINE))
    start, busy = time.perf_counter(), cpu()
    for first in range(0, count, batch):
        client.upsert(name, models.Batch(ids=keys[first:first + batch], vectors=rows[first:first + batch].tolist()), wait=True)
    print("wall", time.perf_counter() - start)
    print("cpu", cpu() - busy)


def search(client, path, count, dimension, name):
    queries = np.fromfile(path, dtype=np.float32).reshape(count, dimension)

    def one(i):
        hits = client.query_points(name, query=queries[i % count].tolist(), limit=K, with_payload=False).points
        assert len(hits) == K

    for i in range(20):
        one(i)
    times, busy = [], cpu()
    for i in range(SINGLE_RUNS):
        start = time.perf_counter()
        one(i)
        times.append(time.perf_counter() - start)
    print("cpu", (cpu() - busy) / SINGLE_RUNS)
    print("p50", sorted(times)[SINGLE_RUNS // 2])
    threads = [threading.Thread(target=lambda t=t: [one(t * 37 + i) for i in range(THREAD_RUNS)]) for t in range(THREADS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("rate", THREADS * THREAD_RUNS / (time.perf_counter() - start))


def view(client, path, count, dimension, name, ids_path, out_path):
    queries = np.fromfile(path, dtype=np.float32).reshape(-1, dimension)
    with open(ids_path, encoding="ascii") as file:
        ids = file.read().split()
    names = {key(i): i for i in ids}
    restriction = models.Filter(must=[models.HasIdCondition(has_id=list(names))])
    nap = float(os.environ.get("BENCH_NAP", 0))
    times = []
    with open(out_path, "w", encoding="ascii") as out:
        for i in range(count):
            time.sleep(nap)
            start = time.perf_counter()
            hits = client.query_points(name, query=queries[i].tolist(), limit=K, query_filter=restriction,
                                       with_payload=False).points
            times.append(time.perf_counter() - start)
            out.write(" ".join(names[hit.id] for hit in hits) + "\n")
    print("p50", sorted(times)[count // 2])


def main():
    url, mode, path, count, dimension, name, *rest = sys.argv[1:]
    client = QdrantClient(url=url, timeout=600)
    if mode == "upsert":
        upsert(client, path, int(count), int(dimension), name, int(rest[0]))
    elif mode == "search":
        search(client, path, int(count), int(dimension), name)
    else:
        view(client, path, int(count), int(dimension), name, *rest)


main()
