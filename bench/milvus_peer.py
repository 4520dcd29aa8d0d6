# SPDX-License-Identifier: Apache-2.0
"""The same work by pymilvus, in a process of its own: milvus_peer.py URI MODE ARGUMENT..."""
import os
import resource
import sys
import threading
import time

import numpy as np
from pymilvus import DataType, MilvusClient

K, THREADS, SINGLE_RUNS, THREAD_RUNS = 10, 8, 300, 60


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def collection_make(client, name, dimension, index):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("pk", DataType.VARCHAR, max_length=64000, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("sample_id", DataType.VARCHAR, max_length=64000)
    client.create_collection(name, schema=schema, consistency_level="Session")
    params = client.prepare_index_params()
    params.add_index("vector", metric_type="COSINE", **index)
    client.create_index(name, params)
    client.load_collection(name)


def write(client, method, path, count, dimension, name, batch):
    rows = np.fromfile(path, dtype=np.float32).reshape(count, dimension)
    collection_make(client, name, dimension, {"index_type": "FLAT"})
    send = getattr(client, method)
    start, busy = time.perf_counter(), cpu()
    for first in range(0, count, batch):
        ids = ["r%08u" % i for i in range(first, min(first + batch, count))]
        send(name, [{"pk": i, "vector": v, "sample_id": i} for i, v in zip(ids, rows[first:first + batch])])
    print("wall", time.perf_counter() - start)
    print("cpu", cpu() - busy)


def search(client, path, count, dimension, name):
    queries = np.fromfile(path, dtype=np.float32).reshape(count, dimension)

    def one(i, using=client):
        hits = using.search(name, [queries[i % count]], limit=K, search_params={"params": {"ef": 256}},
                            consistency_level="Session")
        assert len(hits[0]) == K

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
    expression = "pk in [%s]" % ",".join('"%s"' % i for i in ids)
    nap = float(os.environ.get("BENCH_NAP", 0))
    times = []
    with open(out_path, "w", encoding="ascii") as out:
        for i in range(count):
            time.sleep(nap)
            start = time.perf_counter()
            hits = client.search(name, [queries[i]], limit=K, filter=expression, search_params={"params": {"ef": 256}},
                                 consistency_level="Session")
            times.append(time.perf_counter() - start)
            out.write(" ".join(hit["pk"] if "pk" in hit else hit["id"] for hit in hits[0]) + "\n")
    print("p50", sorted(times)[count // 2])


def main():
    uri, mode, path, count, dimension, name, *rest = sys.argv[1:]
    client = MilvusClient(uri)
    if mode in ("upsert", "insert"):
        write(client, mode, path, int(count), int(dimension), name, int(rest[0]))
    elif mode == "search":
        search(client, path, int(count), int(dimension), name)
    else:
        view(client, path, int(count), int(dimension), name, *rest)


main()
