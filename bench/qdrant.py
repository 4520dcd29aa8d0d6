#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the qdrant backend costs beside qdrant-client over REST, as ratios of one run.

    qdrant.py BUILD-DIRECTORY [upsert] [search [quick]] [views] [memory] [copy]

(all parts where none is named; quick: without waiting for the graph) against the server that SIMPLUGIN_TEST_QDRANT_URL names. Run it
with a Python that has qdrant-client and numpy. tests/servers/qdrant.py --no-validate starts the
stand-in; rows that say (real) are about a server's own speed and mean little on it. Exits with 1 if
a ratio misses its limit.
"""
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from qdrant_client import QdrantClient

ROWS, DIMENSION, K = 100_000, 512, 10
VIEW_ROWS, VIEW_DIMENSION, VIEW_QUERIES = 200_000, 128, 20
BATCHES = (250, 1_000, 2_000)
MEMORY_ROWS, MEMORY_DIMENSION = 1_000_000, 128
COLD_QUERIES, COLD_NAP = 5, 2.2  # so far apart that no copy of a view is kept
IN_FLIGHT = 4 * 8 << 20  # batches_in_flight times batch_bytes, as they are by default
ALLOWED = 64 << 20


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    here = pathlib.Path(__file__).parent
    url = os.environ["SIMPLUGIN_TEST_QDRANT_URL"]
    only = set(sys.argv[2:])
    work = build / "bench-qdrant"
    plugins = work / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    for name in ("qdrant", "sklearn_flat"):
        link = plugins / ("simplugin_%s.so" % name.replace("sklearn_flat", "sklearn"))
        link.unlink(missing_ok=True)
        link.symlink_to(build / ".libs" / ("simplugin_%s.so" % name))
    environment = dict(os.environ, SIMPLUGIN_PATH=str(plugins), SIMPLUGIN_DATA=str(work / "data"),
                       FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL=url)
    program = str(build / "bench" / "qdrant")
    client = QdrantClient(url=url, timeout=600)

    def run(command):
        out = subprocess.run([str(c) for c in command], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}

    def ours(*arguments):
        return run([program, *arguments])

    def theirs(*arguments):
        return run([sys.executable, here / "qdrant_peer.py", url, *arguments])

    def fresh(name):
        client.delete_collection(name)
        return name

    def settled(name):
        """Waits until the server has its index."""
        while client.get_collection(name).status != "green":
            time.sleep(1)

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

    mine = {}
    if wanted("upsert"):
        peer = {}
        for batch in BATCHES:
            once = theirs("upsert", rows, ROWS, DIMENSION, fresh("peer"), batch)
            peer = once if not peer or once["wall"] < peer["wall"] else peer
            once = ours("upsert", rows, ROWS, DIMENSION, fresh("ours"))
            mine = once if not mine or once["wall"] < mine["wall"] else mine
        row("upsert throughput (real)", "qdrant-client, best batch", peer["wall"] / mine["wall"], 2.5, True)
        row("upsert, our CPU seconds", "qdrant-client", mine["cpu"] / peer["cpu"], 0.25)
        print("  seconds: ours %.1f (CPU %.2f), qdrant-client %.1f (CPU %.2f)" % (mine["wall"], mine["cpu"], peer["wall"], peer["cpu"]))
        fresh("peer")

    if wanted("copy"):
        best = min(ours("upsert", rows, ROWS, DIMENSION, fresh("ours"))["wall"] for _ in range(2))
        copied = min(ours("copy", rows, ROWS, DIMENSION, fresh("copied"))["wall"] for _ in range(2))
        row("copy flat to qdrant", "adding from memory", copied / best, 1.15)
        fresh("copied")

    if wanted("search"):
        if not client.collection_exists("ours"):
            ours("upsert", rows, ROWS, DIMENSION, fresh("ours"))
        if "quick" not in only:
            settled("ours")
        arguments = (queries, 256, DIMENSION, "ours")
        best = {}
        for _ in range(2):
            for name, call in (("ours", ours), ("theirs", theirs), ("floor", ours)):
                figures = call("floor" if name == "floor" else "search", *arguments)
                kept = best.setdefault(name, dict(figures))
                for key, value in figures.items():
                    kept[key] = max(kept[key], value) if key == "rate" else min(kept[key], value)
        mine, peer, floor = best["ours"], best["theirs"], best["floor"]
        row("search p50 above the floor (real)", "qdrant-client", (mine["p50"] - floor["p50"]) / (peer["p50"] - floor["p50"]), 0.25)
        row("our CPU for a search", "qdrant-client", mine["cpu"] / peer["cpu"], 0.15)
        print("  p50 ms: ours %.2f, qdrant-client %.2f, floor %.2f; CPU ms: %.3f, %.3f, %.3f; a second: %.0f, %.0f" % (
            mine["p50"] * 1e3, peer["p50"] * 1e3, floor["p50"] * 1e3, mine["cpu"] * 1e3, peer["cpu"] * 1e3,
            floor["cpu"] * 1e3, mine["rate"], peer["rate"]))

    if wanted("views"):
        vectors = random.standard_normal((VIEW_ROWS, VIEW_DIMENSION)).astype(np.float32)
        vectors.tofile(work / "view-rows.f32")
        view_queries = random.standard_normal((VIEW_QUERIES, VIEW_DIMENSION)).astype(np.float32)
        view_queries.tofile(work / "view-queries.f32")
        ours("upsert", work / "view-rows.f32", VIEW_ROWS, VIEW_DIMENSION, fresh("views"))
        settled("views")
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

            row("search in a view of %d (real)" % size, "qdrant-client, HasId", mine["p50"] / peer["p50"], 0.5)
            environment["BENCH_NAP"] = str(COLD_NAP)
            few = (arguments[0], COLD_QUERIES, *arguments[2:])
            cold, cold_peer = ours("view", *few, work / "view-cold.txt"), theirs("view", *few, work / "view-cold.txt")
            del environment["BENCH_NAP"]
            row("the same, one every %.1f s (cold)" % COLD_NAP, "qdrant-client, HasId", cold["p50"] / cold_peer["p50"], 0.5)
            row("recall in it, less", "qdrant-client's", recall("view-theirs.txt") - recall("view-ours.txt"), 0.0)
            print("  p50 ms: ours %.1f, cold %.1f (view.create %.0f), qdrant-client %.1f, cold %.1f; recall %.3f, %.3f" % (
                mine["p50"] * 1e3, cold["p50"] * 1e3, mine["create"] * 1e3, peer["p50"] * 1e3, cold_peer["p50"] * 1e3, recall("view-ours.txt"), recall("view-theirs.txt")))
        fresh("views")

    if wanted("memory"):
        array = np.lib.format.open_memmap(work / "memory.npy", mode="w+", dtype=np.float32, shape=(MEMORY_ROWS, MEMORY_DIMENSION))
        for first in range(0, MEMORY_ROWS, 100_000):
            array[first:first + 100_000] = random.standard_normal((100_000, MEMORY_DIMENSION))
        del array
        fresh("memory")
        simplugin = [str(build / "simplugin"), "index"]
        where = ["--backend", "qdrant", "--collection", "memory"]
        subprocess.run([*simplugin, "create", *where, "--dimension", str(MEMORY_DIMENSION)], env=environment, check=True)
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
        row("peak memory of adding 1,000,000 x 128, MiB", "bodies in flight + 64", peak / 1024, (IN_FLIGHT + ALLOWED) >> 20, form="{:.0f}")
        client.delete_collection("memory")

    print("\n%d x %d float32, cosine, k = %d; server %s" % (ROWS, DIMENSION, K, client.info().version))
    return 0 if all(r[4] for r in table) else 1


if __name__ == "__main__":
    sys.exit(main())
