#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the flat backend costs, as ratios of one run: run.py BUILD-DIRECTORY.

Beside it run faiss-cpu and scikit-learn (installed from PyPI into a venv in the build
directory) on the same vectors. Everything is warm and uses all cores, but for the rows
that say otherwise. Exits with 1 if a ratio is above its limit or an answer differs.
"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

PEERS = ["numpy", "faiss-cpu", "scikit-learn"]
ROWS, DIMENSION, BATCH, K = 100_000, 512, 256, 10


def into_venv(build):
    """Runs this script again with a Python that has the peers."""
    venv = build / "venv-bench"
    python = venv / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    if not (venv / "ready").exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(venv)])
        subprocess.check_call([str(python), "-m", "pip", "install", "-q", *PEERS])
        (venv / "ready").touch()
    os.execv(python, [str(python), *sys.argv])


def best(call, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    into_venv(build)
    import faiss
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    work = build / "bench-data"
    work.mkdir(exist_ok=True)
    # a build tree has the plugin, but not yet the link by its FiftyOne name
    environment = dict(os.environ, SIMPLUGIN_PATH=str(build / ".libs"), SIMPLUGIN_DATA=str(work / "store"),
                       FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND="sklearn_flat")
    program = str(build / "bench" / "flat")
    simplugin = str(build / "simplugin")

    def flat(*arguments):
        """The best of each figure that the program printed."""
        out = subprocess.run([program, *map(str, arguments)], env=environment, cwd=work, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        figures = {}
        for line in out.splitlines():
            name, value = line.split()
            figures[name] = min(float(value), figures.get(name, float("inf")))
        return figures

    random = np.random.default_rng(1)

    def saved(name, array):
        array = np.ascontiguousarray(array, dtype=np.float32)
        array.tofile(work / name)
        return array

    rows = saved("rows.f32", random.standard_normal((ROWS, DIMENSION)))
    queries = saved("queries.f32", random.standard_normal((BATCH, DIMENSION)))
    # clusters whose norms differ ten times, with three dimensions ten times the rest
    centres = random.standard_normal((200, DIMENSION))
    weights = np.ones(DIMENSION)
    weights[[7, 100, 300]] = 10
    members = random.integers(0, 200, ROWS)
    clustered = centres[members] + 0.3 * random.standard_normal((ROWS, DIMENSION))
    clustered *= weights * random.choice([1.0, 10.0], (ROWS, 1))
    saved("clustered.f32", clustered)
    saved("clustered-queries.f32", np.resize(centres, (BATCH, DIMENSION)) * weights
          + 0.3 * random.standard_normal((BATCH, DIMENSION)))

    table = []

    def row(what, against, value, limit, form="{:.3f}"):
        table.append((what, against, form.format(value), form.format(limit), value <= limit))

    # writing and adding in turns, three times: disks have their moods
    added = [flat("add", name + ".f32", ROWS, DIMENSION, name) for name in ("rows", "clustered", "rows")]
    add = {name: min(one[name] for one in added) for name in added[0]}
    ours = flat("search", "rows.f32", ROWS, DIMENSION, "rows", "queries.f32")

    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    peer = faiss.IndexFlatIP(DIMENSION)
    peer.add(unit)
    unit_queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    faiss_one = best(lambda: peer.search(unit_queries[:1], K), 30)
    faiss_batch = best(lambda: peer.search(unit_queries, K), 5)
    again = flat("search", "rows.f32", ROWS, DIMENSION, "rows", "queries.f32")
    ours = {name: min(value, again[name]) for name, value in ours.items()}
    nearest = NearestNeighbors(algorithm="brute", metric="cosine", n_neighbors=K, n_jobs=-1).fit(rows)
    sklearn_one = best(lambda: nearest.kneighbors(queries[:1]), 5)

    other = flat("search", "clustered.f32", ROWS, DIMENSION, "clustered", "clustered-queries.f32")
    row("one query, float32 scan", "reading the bytes", ours["one_float32"] / ours["read"], 1.25)
    row("one query, float32 scan", "faiss-cpu IndexFlatIP", ours["one_float32"] / faiss_one, 0.40)
    row("one query, default", "faiss-cpu IndexFlatIP", ours["one"] / faiss_one, 0.12)
    row("one query, default, clustered data", "reading the bytes", other["one"] / other["read"], 1.25)
    row("256 queries", "bare sgemm", ours["batch"] / ours["sgemm"], 1.30)
    row("256 queries", "faiss-cpu IndexFlatIP", ours["batch"] / faiss_batch, 0.65)
    row("one query, default", "scikit-learn brute", ours["one"] / sklearn_one, 0.05)

    def process(*arguments):
        command = [program, *map(str, arguments)]
        return best(lambda: subprocess.run(command, env=environment, cwd=work, check=True), 1)

    fresh, mapping = float("inf"), float("inf")
    for _ in range(9):
        mapping = min(mapping, process("map", "rows.f32"))
        fresh = min(fresh, process("fresh", "rows", "queries.f32", DIMENSION))
    row("fresh process: open, one query", "mapping and reading the bytes", fresh / mapping, 1.5)
    row("resident memory", "raw float32 rows",
        flat("resident", "rows", "queries.f32", DIMENSION)["resident"] / rows.nbytes, 1.45)
    row("durable add, blocks of 10,000", "write and fsync", add["add"] / add["write"], 2.5)
    filtered = flat("filter", "rows", ROWS, "queries.f32", DIMENSION)
    row("one query, a new filter 10 % pass", "one query without", filtered["filtered"] / filtered["unfiltered"], 2.0)
    row("one query, the filter again", "one query without", filtered["filtered_again"] / filtered["unfiltered"], 2.0)
    row("health, microseconds", "-", flat("health")["health"] * 1e6, 1.0)

    # the answers are the same as by brute force in float64, ties aside
    exact = (queries.astype(np.float64) @ rows.T.astype(np.float64)) / np.linalg.norm(rows.astype(np.float64), axis=1)
    row("queries of 512 whose scans differ", "the float32 scan", ours["different"] + other["different"], 0, "{:.0f}")
    wrong = 0
    np.save(work / "queries.npy", queries)
    body = json.loads(subprocess.run(
        [simplugin, "--json", "index", "search", "rows", "--dataset", "bench", "--input", str(work / "queries.npy"), "-k", str(K)],
        env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)
    for q in range(BATCH):
        found = [int(hit["id"], 16) for hit in body["queries"][q]["hits"]]
        cut = np.partition(exact[q], -K)[-K]
        wrong += len(found) != K or any(exact[q][i] < cut * (1 - 1e-9) - 1e-12 for i in found)
    row("queries of 256 that miss a neighbor", "float64 brute force", wrong, 0, "{:.0f}")

    widths = [max(len(r[i]) for r in table + [("what", "against", "ratio", "at most")]) for i in range(4)]
    lines = ["| {:<{}} | {:<{}} | {:>{}} | {:>{}} |    |".format("what", widths[0], "against", widths[1], "ratio", widths[2], "at most", widths[3]),
             "| " + " | ".join("-" * w for w in widths) + " | -- |"]
    for what, against, value, limit, good in table:
        lines.append("| {:<{}} | {:<{}} | {:>{}} | {:>{}} | {} |".format(
            what, widths[0], against, widths[1], value, widths[2], limit, widths[3], "ok" if good else "**"))
    print("\n".join(lines))
    print(f"\n{ROWS} x {DIMENSION} float32, cosine, k = {K}, {os.cpu_count()} cores, {platform.machine()}; "
          f"reading {rows.nbytes / ours['read'] / 1e9:.1f} GB/s, faiss-cpu {faiss.__version__}: one {faiss_one * 1e3:.1f} ms, "
          f"256 {faiss_batch * 1e3:.0f} ms; ours: one {ours['one'] * 1e3:.2f} ms, 256 {ours['batch'] * 1e3:.0f} ms")
    return 0 if all(r[4] for r in table) else 1


if __name__ == "__main__":
    sys.exit(main())
