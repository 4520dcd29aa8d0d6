#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what similarity in FiftyOne costs with simplugin beside FiftyOne's own backends, as ratios of one run.

    brain.py [sklearn] [milvus] [query]

Run it with a Python that has FiftyOne, simplugin, scikit-learn and pymilvus, against the servers that
FIFTYONE_DATABASE_URI and SIMPLUGIN_TEST_MILVUS_URI name. Each job runs in a process of its own. Exits with 1 if
a ratio misses its limit.
"""
import json
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np

SMALL, LARGE, DIMENSION, VIEW, K = 20_000, 100_000, 512, 20_000, 10
ROUNDS = 5
LIMITS = (  # job, what, ratio at most
    ("sklearn", "compute_similarity", "time", 0.25),
    ("sklearn", "load_brain_results", "time", 0.25),
    ("sklearn", "sort_by_similarity", "time", 0.50),
    ("sklearn", "find_duplicates", "time", 0.10),
    ("sklearn", "find_unique", "time", 0.10),
    ("sklearn", "find_duplicates", "memory", 0.15),
    ("sklearn", "find_unique", "memory", 0.15),
    ("milvus", "compute_similarity", "time", 0.60),
    ("milvus", "compute_similarity", "memory", 0.35),
    ("milvus", "search in a view", "time", 0.50),
)


def anonymous_mib():
    """The memory that the process has now, without what files give when memory is short."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


class Peak(threading.Thread):
    """Looks at the memory some hundred times a second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before = self.most = anonymous_mib()
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.005):
            self.most = max(self.most, anonymous_mib())

    def added(self):
        """How much more there was at most than before, in MiB."""
        self.done.set()
        self.join()
        return max(self.most - self.before, 0.1)


def measured(found, what, function, rounds=1):
    """Calls, and notes the time (the least of some rounds) and the memory added."""
    times = []
    peak = Peak()
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = function()
        times.append(time.perf_counter() - begin)
    found[what] = {"time": min(times), "memory": peak.added()}
    return answer


def dataset(rows):
    """A dataset of so many samples, the same one every time."""
    import fiftyone as fo

    name = f"bench-{rows}"
    if fo.dataset_exists(name):
        return fo.load_dataset(name)
    made = fo.Dataset(name, persistent=True)
    made.add_samples([fo.Sample(filepath=f"/none/{i}.png") for i in range(rows)])
    return made


def vectors(rows):
    """Rows of which some are near others, as in real datasets."""
    rng = np.random.default_rng(3)
    found = rng.standard_normal((rows, DIMENSION), np.float32)
    near = rng.choice(rows, rows // 20, replace=False)
    found[near] = found[(near + 1) % rows] + 0.1 * rng.standard_normal((len(near), DIMENSION), np.float32)
    return found


def prepare(ours):
    """FiftyOne with one kind of backends."""
    import fiftyone as fo
    import fiftyone.brain as fob

    import simplugin.fiftyone as sf

    fo.config.show_progress_bars = False
    sf.enable() if ours else sf.disable()
    return fob


def job_sklearn(ours):
    """Everything on the default backend."""
    found = {}
    fob = prepare(ours)
    samples, rows = dataset(SMALL), vectors(SMALL)
    if "bench" in samples.list_brain_runs():
        samples.delete_brain_run("bench")
    measured(found, "compute_similarity",
             lambda: fob.compute_similarity(samples, brain_key="bench", embeddings=rows.copy()))
    samples._brain_cache.clear()
    index = measured(found, "load_brain_results", lambda: samples.load_brain_results("bench"))
    measured(found, "sort_by_similarity",
             lambda: samples.sort_by_similarity(rows[5], k=K, brain_key="bench").values("id"), ROUNDS)
    measured(found, "find_duplicates", lambda: index.find_duplicates(thresh=0.1))
    found["find_duplicates"]["count"] = len(index.duplicate_ids)
    measured(found, "find_unique", lambda: index.find_unique(SMALL // 4))
    samples.delete_brain_run("bench")
    return found


def job_milvus(ours):
    """Adding, and searching a view."""
    found = {}
    fob = prepare(ours)
    samples, rows = dataset(LARGE), vectors(LARGE)
    uri = os.environ["SIMPLUGIN_TEST_MILVUS_URI"]
    if "bench" in samples.list_brain_runs():
        samples.delete_brain_run("bench")
    index = measured(found, "compute_similarity", lambda: fob.compute_similarity(
        samples, brain_key="bench", backend="milvus", embeddings=rows, uri=uri,
        collection_name="bench_ours" if ours else "bench_theirs"))
    view = samples.take(VIEW, seed=51)
    with index.use_view(view):
        index.current_sample_ids  # ready
        index._kneighbors(query=rows[7], k=K)
        measured(found, "search in a view", lambda: index._kneighbors(query=rows[7], k=K), ROUNDS)
    index.cleanup()
    samples.delete_brain_run("bench")
    return found


def job_query(_):
    """What the adapter adds to a search."""
    found = {}
    fob = prepare(True)
    samples, rows = dataset(SMALL), vectors(SMALL)
    index = fob.compute_similarity(samples, embeddings=rows)
    plain = index._index
    measured(found, "adapter", lambda: [index._kneighbors(query=row, k=K) for row in rows[:200]], ROUNDS)
    measured(found, "binding", lambda: [plain.search(row, k=K) for row in rows[:200]], ROUNDS)
    return found


def run(job, ours):
    """A job, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--job", job, str(ours)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measures, and compares."""
    jobs = sys.argv[1:] or ["sklearn", "milvus", "query"]
    missed = False
    for job in jobs:
        if job == "query":
            query = run(job, 1)
            own = (query["adapter"]["time"] - query["binding"]["time"]) / 200 * 1e3
            print("%-9s %-20s %-8s %8.3f <= %5.2f" % ("", "own time of a query", "ms", own, 1))
            missed |= own > 1
            continue
        ours, theirs = run(job, 1), run(job, 0)
        for name, what, unit, limit in LIMITS:
            if name == job:
                ratio = ours[what][unit] / theirs[what][unit]
                missed |= ratio > limit
                print("%-9s %-20s %-8s %8.3f <= %5.2f%s   (%.3f of %.3f)" % (
                    name, what, unit, ratio, limit, "" if ratio <= limit else "  missed", ours[what][unit], theirs[what][unit]))
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        print(json.dumps(globals()["job_" + sys.argv[2]](int(sys.argv[3]))))
    else:
        sys.exit(main())
