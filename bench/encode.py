#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what JSON of 1,000 x 512 float32 costs beside Python's libraries, as ratios of one run.

    encode.py BUILD-DIRECTORY

(`make bench-encode` builds and runs it.) Run it with a Python that has numpy and orjson.
Exits with 1 if a ratio misses its limit, or what was read or written differs.
"""
import sys

sys.path.pop(0)  # this file is called as one of the modules it needs

import json
import pathlib
import subprocess
import time

import numpy as np
import orjson

ROWS, DIMENSION, RUNS = 1_000, 512, 30


def best(call, runs=RUNS):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    work = build / "bench-encode"
    work.mkdir(exist_ok=True)

    def ours(mode, name, to):
        out = subprocess.run([str(build / "bench" / "encode"), mode, str(work / name), str(ROWS), str(DIMENSION), str(work / to)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        return float(out.split()[1])

    random = np.random.default_rng(1)
    rows = random.standard_normal((ROWS, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    lists = rows.tolist()
    good = True

    def row(what, against, value, limit):
        nonlocal good
        good = good and value <= limit
        print("%-28s %-40s %8.3f %8.3f %s" % (what, against, value, limit, "" if value <= limit else "**"), flush=True)

    def same(what, is_same):
        nonlocal good
        good = good and is_same
        if not is_same:
            print("differs: %s **" % what)

    rows.tofile(work / "rows.f32")
    written = ours("write", "rows.f32", "rows.json")
    same("what was written", np.array_equal(np.array(orjson.loads((work / "rows.json").read_bytes()), np.float32), rows))
    numpy_dumps = best(lambda: orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY))
    lists_dumps = best(lambda: orjson.dumps(lists))
    row("writing", "orjson.dumps of the array", written / numpy_dumps, 0.7)
    row("writing", "orjson.dumps of lists", written / lists_dumps, 0.7)

    for what, text in (("reading float32 texts", orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)),
                       ("reading texts of doubles", orjson.dumps(lists))):
        (work / "read.json").write_bytes(text)
        took = ours("read", "read.json", "read.f32")
        same(what, np.array_equal(np.fromfile(work / "read.f32", np.float32).reshape(rows.shape), rows))
        row(what, "orjson.loads", took / best(lambda: orjson.loads(text)), 1.0)
        row(what, "json.loads", took / best(lambda: json.loads(text), 5), 1 / 3)
        print("  ms: ours %.2f, orjson %.2f" % (took * 1e3, best(lambda: orjson.loads(text)) * 1e3))
    print("  ms: writing ours %.2f, orjson %.2f and %.2f" % (written * 1e3, numpy_dumps * 1e3, lists_dumps * 1e3))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
