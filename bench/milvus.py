#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the milvus backend costs beside pymilvus, as ratios of one run.

    milvus.py BUILD-DIRECTORY [upsert] [insert] [search] [views [keep]] [memory]

(all parts where none is named; keep: the collection of a run before is searched) against the server that SIMPLUGIN_TEST_MILVUS_URI names (tests/servers/milvus.py starts
one; `make bench-milvus` does it all). Run it with a Python that has pymilvus and numpy.
Exits with 1 if a ratio misses its limit.
"""
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from pymilvus import MilvusClient

ROWS, DIMENSION, K = 100_000, 512, 10
VIEW_ROWS, VIEW_DIMENSION, VIEW_QUERIES = 200_000, 128, 20
BATCHES = (1_000, 5_000, 10_000)
MEMORY_ROWS, MEMORY_DIMENSION = 1_000_000, 128
COLD_QUERIES, COLD_NAP = 5, 2.2  # so far apart that no copy of a view is kept
IN_FLIGHT = 4 * 8 << 20  # batches_in_flight times batch_bytes, as they are by default


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    here = pathlib.Path(__file__).parent
    uri = os.environ["SIMPLUGIN_TEST_MILVUS_URI"]
    only = set(sys.argv[2:])
    work = build / "bench-milvus"
    plugins = work / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "simplugin_milvus.so"
    link.unlink(missing_ok=True)
    link.symlink_to(build / ".libs" / "simplugin_milvus.so")
    environment = dict(os.environ, SIMPLUGIN_PATH=str(plugins), SIMPLUGIN_DATA=str(work / "data"),
                       FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI=uri,
                       BENCH_PARAMETERS='{"index_type": "FLAT"}')
    program = str(build / "bench" / "milvus")
    client = MilvusClient(uri)

    def run(command):
        out = subprocess.run([str(c) for c in command], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}

    def ours(*arguments):
        return run([program, *arguments])

    def theirs(*arguments):
        return run([sys.executable, here / "milvus_peer.py", uri, *arguments])

    def fresh(name):
        if client.has_collection(name):
            client.drop_collection(name)
        return name

    def settled(name, count):
        """Waits until the server searches its index, and nothing else goes on."""
        client.flush(name)
        while client.describe_index(name, "vector")["indexed_rows"] < count:
            time.sleep(1)
        time.sleep(15)  # until what was indexed is loaded

    random = np.random.default_rng(1)
    rows = work / "rows.f32"
    queries = work / "queries.f32"
    random.standard_normal((ROWS, DIMENSION)).astype(np.float32).tofile(rows)
    random.standard_normal((256, DIMENSION)).astype(np.float32).tofile(queries)
    table = []

    def row(what, against, value, limit, at_least=False, form="{:.3f}"):
        good = value >= limit if at_least else value <= limit
        table.append((what, against, form.format(value), (">= " if at_least else "<= ") + form.format(limit), good))
        print("%-46s %-24s %10s %10s %s" % (*table[-1][:4], "" if good else "**"), flush=True)

    def wanted(part):
        return not only or part in only

    for method in ("upsert", "insert"):
        if not wanted(method):
            continue
        mine, peer = {}, {}
        for batch in BATCHES:
            once = theirs(method, rows, ROWS, DIMENSION, fresh("peer_" + method), batch)
            peer = once if not peer or once["wall"] < peer["wall"] else peer
            once = ours(method, rows, ROWS, DIMENSION, fresh("ours_" + method))
            mine = once if not mine or once["wall"] < mine["wall"] else mine
        row("%s throughput" % method, "pymilvus, best batch", peer["wall"] / mine["wall"], 2.0, True)
        row("%s, our CPU seconds" % method, "pymilvus", mine["cpu"] / peer["cpu"], 0.20)

    if wanted("search"):
        environment["BENCH_PARAMETERS"] = '{"index_type": "HNSW"}'
        ours("upsert", rows, ROWS, DIMENSION, fresh("searched"))
        settled("searched", ROWS)
        arguments = (queries, 256, DIMENSION, "searched")
        best = {}
        for _ in range(2):
            for name, call in (("ours", ours), ("theirs", theirs), ("floor", ours)):
                figures = call("floor" if name == "floor" else "search", *arguments)
                kept = best.setdefault(name, dict(figures))
                for key, value in figures.items():
                    kept[key] = max(kept[key], value) if key == "rate" else min(kept[key], value)
        mine, peer, floor = best["ours"], best["theirs"], best["floor"]
        row("search p50 above the floor", "pymilvus", (mine["p50"] - floor["p50"]) / (peer["p50"] - floor["p50"]), 0.25)
        if mine["rate"] < 1.3 * peer["rate"]:
            row("searches a second, 8 threads", "the floor", mine["rate"] / floor["rate"], 0.95, True)
        else:
            row("searches a second, 8 threads", "pymilvus", mine["rate"] / peer["rate"], 1.3, True)
        row("our CPU for a search", "pymilvus", mine["cpu"] / peer["cpu"], 0.15)
        print("  p50 ms: ours %.2f, pymilvus %.2f, floor %.2f; CPU ms: %.3f, %.3f, %.3f; a second: %.0f, %.0f, %.0f" % (
            mine["p50"] * 1e3, peer["p50"] * 1e3, floor["p50"] * 1e3, mine["cpu"] * 1e3, peer["cpu"] * 1e3,
            floor["cpu"] * 1e3, mine["rate"], peer["rate"], floor["rate"]))

    if wanted("views"):
        vectors = random.standard_normal((VIEW_ROWS, VIEW_DIMENSION)).astype(np.float32)
        vectors.tofile(work / "view-rows.f32")
        view_queries = random.standard_normal((VIEW_QUERIES, VIEW_DIMENSION)).astype(np.float32)
        view_queries.tofile(work / "view-queries.f32")
        environment["BENCH_PARAMETERS"] = '{"index_type": "HNSW"}'
        if "keep" not in only or not client.has_collection("views"):
            ours("upsert", work / "view-rows.f32", VIEW_ROWS, VIEW_DIMENSION, fresh("views"))
            settled("views", VIEW_ROWS)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for size in (2_000, 20_000, 100_000):
            members = random.choice(VIEW_ROWS, size, replace=False)
            (work / "view-ids.txt").write_text("".join("r%08u\n" % i for i in members))
            scores = view_queries @ unit[members].T
            truth = [{"r%08u" % members[i] for i in np.argsort(-s)[:K]} for s in scores]
            arguments = (work / "view-queries.f32", VIEW_QUERIES, VIEW_DIMENSION, "views", work / "view-ids.txt")
            mine = ours("view", *arguments, work / "view-ours.txt")
            peer = theirs("view", *arguments, work / "view-theirs.txt")

            def recall(path):
                lines = (work / path).read_text().splitlines()
                return sum(len(t & set(line.split())) for t, line in zip(truth, lines)) / (K * VIEW_QUERIES)

            row("search in a view of %d" % size, "pymilvus, pk in [...]", mine["p50"] / peer["p50"], 0.5)
            environment["BENCH_NAP"] = str(COLD_NAP)
            few = (arguments[0], COLD_QUERIES, *arguments[2:])
            cold, cold_peer = ours("view", *few, work / "view-cold.txt"), theirs("view", *few, work / "view-cold.txt")
            del environment["BENCH_NAP"]
            row("the same, one every %.1f s (cold)" % COLD_NAP, "pymilvus, pk in [...]", cold["p50"] / cold_peer["p50"], 0.5)
            row("recall in it, less", "pymilvus'", recall("view-theirs.txt") - recall("view-ours.txt"), 0.0)
            print("  p50 ms: ours %.1f, cold %.1f (view.create %.0f), pymilvus %.1f, cold %.1f; recall %.3f, %.3f" % (
                mine["p50"] * 1e3, cold["p50"] * 1e3, mine["create"] * 1e3, peer["p50"] * 1e3, cold_peer["p50"] * 1e3, recall("view-ours.txt"), recall("view-theirs.txt")))

    if wanted("memory"):
        array = np.lib.format.open_memmap(work / "memory.npy", mode="w+", dtype=np.float32, shape=(MEMORY_ROWS, MEMORY_DIMENSION))
        for first in range(0, MEMORY_ROWS, 100_000):
            array[first:first + 100_000] = random.standard_normal((100_000, MEMORY_DIMENSION))
        del array
        fresh("memory")
        simplugin = [str(build / "simplugin"), "index"]
        where = ["--backend", "milvus", "--collection", "memory"]
        subprocess.run([*simplugin, "create", *where, "--param", "index_type=FLAT", "--dimension", str(MEMORY_DIMENSION)],
                       env=environment, check=True)
        child = subprocess.Popen([*simplugin, "add", *where, "--quiet", str(work / "memory.npy")], env=environment)
        peak = 0
        while child.poll() is None:
            # not the rusage of the child, which counts what this process had when it forked
            for line in pathlib.Path("/proc/%d/status" % child.pid).read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]))
            time.sleep(0.05)
        if child.returncode:
            sys.exit("simplugin index add failed")
        row("peak memory of adding 1,000,000 x 128, MiB", "batches in flight + 64", peak / 1024, (IN_FLIGHT >> 20) + 64, form="{:.0f}")
        client.drop_collection("memory")

    print("\n%d x %d float32, cosine, k = %d; server %s" % (ROWS, DIMENSION, K, client.get_server_version()))
    return 0 if all(r[4] for r in table) else 1


if __name__ == "__main__":
    sys.exit(main())
