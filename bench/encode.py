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

ROWS, DIMENSION, ROUNDS, RUNS = 1_000, 512, 8, 10


def best(call):
    """CPU seconds: the machine may do something else as well."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def side_by_side(**calls):
    """The best of each, with all of them in every round."""
    figures = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            figures[name] = min(figures[name], call())
    return figures


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

    def row(what, against, figures, name, limit):
        nonlocal good
        value = figures["ours"] / figures[name]
        good = good and value <= limit
        print("%-28s %-26s %8.3f %8.3f %s" % (what, against, value, limit, "" if value <= limit else "**"), flush=True)

    def same(what, is_same):
        nonlocal good
        good = good and is_same
        if not is_same:
            print("differs: %s **" % what)

    rows.tofile(work / "rows.f32")
    figures = side_by_side(ours=lambda: ours("write", "rows.f32", "rows.json"),
                           array=lambda: best(lambda: orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)),
                           lists=lambda: best(lambda: orjson.dumps(lists)))
    written = np.array(orjson.loads((work / "rows.json").read_bytes()), np.float32)
    same("what was written", np.array_equal(written, rows))
    row("writing", "orjson.dumps of the array", figures, "array", 0.7)
    row("writing", "orjson.dumps of lists", figures, "lists", 0.7)
    print("  ms:", ", ".join("%s %.2f" % (name, value * 1e3) for name, value in figures.items()))
    for what, text in (("reading float32 texts", orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)),
                       ("reading texts of doubles", orjson.dumps(lists))):
        (work / "read.json").write_bytes(text)
        figures = side_by_side(ours=lambda: ours("read", "read.json", "read.f32"), orjson=lambda: best(lambda: orjson.loads(text)),
                               json=lambda: best(lambda: json.loads(text)))
        same(what, np.array_equal(np.fromfile(work / "read.f32", np.float32).reshape(rows.shape), rows))
        row(what, "orjson.loads", figures, "orjson", 1.0)
        row(what, "json.loads", figures, "json", 1 / 3)
        print("  ms:", ", ".join("%s %.2f" % (name, value * 1e3) for name, value in figures.items()))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
