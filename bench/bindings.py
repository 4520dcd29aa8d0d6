#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what the bindings cost beside the same calls from C, as ratios of one run.

    bindings.py BUILD-DIRECTORY [go] [rust] [node] [python]

BUILD-DIRECTORY/bindings/LANGUAGE is where bindings/LANGUAGE/check built it. Each program runs in a
process of its own, C and the binding in changing order, the best of ROUNDS. Exits with 1 if a limit is
missed.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np

ROUNDS = 10
ROWS, DIMENSION = 100_000, 512
# the overhead of a null call in microseconds
NULL_LIMITS = {"rust": 0.1, "go": 0.5, "python": 3.0, "node": 15.0}
LIMIT, PEAK_LIMIT = 1.1, 32


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    source = pathlib.Path(__file__).resolve().parent.parent
    languages = sys.argv[2:] or list(NULL_LIMITS)
    if (build / "installed" / "lib").is_dir():  # where ./check has put the library
        os.environ["LD_LIBRARY_PATH"] = str(build / "installed" / "lib")
    work = build / "bench-bindings"
    work.mkdir(parents=True, exist_ok=True)
    rows = work / "rows.f32"
    np.random.default_rng(1).standard_normal((ROWS, DIMENSION), np.float32).tofile(rows)

    def run(command):
        data = work / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        out = subprocess.run([*command, rows, data], check=True, stdout=subprocess.PIPE, text=True).stdout
        return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}

    def best(runs):
        return {name: min(run[name] for run in runs) for name in runs[0]}

    missed = False
    print("%-7s %-34s %10s %10s" % ("", "what", "value", "to reach"))
    for language in languages:
        runs = {"c": [], language: []}
        commands = {"c": [build / "core" / "bench" / "bindings"],
                    language: [source / "bindings" / language / "bench" / "run", build / "bindings" / language]}
        for i in range(ROUNDS):
            # what a program leaves of the page cache is part of the next one's time: each follows both
            for name in sorted(commands, reverse=i % 2 == 1):
                runs[name].append(run(commands[name]))
        c, theirs = best(runs["c"]), best(runs[language])
        for what, value, limit in (
                ("null call over C's, us", (theirs["null_ns"] - c["null_ns"]) / 1e3, NULL_LIMITS[language]),
                ("add of 100,000 x 512 over C's", theirs["add_s"] / c["add_s"], LIMIT),
                ("256 queries over C's", theirs["search_s"] / c["search_s"], LIMIT),
                ("memory of the add over C's, MiB", (theirs["peak_kib"] - c["peak_kib"]) / 1024, PEAK_LIMIT)):
            print("%-7s %-34s %10.3f <= %7.3f%s" % (language, what, value, limit, "" if value <= limit else "  missed"))
            missed |= value > limit
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
