# SPDX-License-Identifier: Apache-2.0
"""Prints what bench/bindings.py compares with the same calls from C: bench.py DATA.f32 WORKDIR."""

from __future__ import annotations

import re
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import simplugin

DIMENSION = 512
CALLS = 1_000_000
QUERIES, K, ROUNDS = 256, 10, 20


def peak_kib() -> int:
    """The most memory that the process has had."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def main() -> None:
    """Measures."""
    rows = np.fromfile(sys.argv[1], np.float32).reshape(-1, DIMENSION)
    ids = [f"p{i}" for i in range(len(rows))]
    with simplugin.Session(data_dir=sys.argv[2]) as session:
        index = session.create_index(backend="sklearn", metric="cosine", dimension=DIMENSION)
        before = peak_kib()
        begin = time.perf_counter()
        index.add(ids, rows)
        add_s = time.perf_counter() - begin
        peak = peak_kib() - before

        times: list[float] = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            index.search(rows[:QUERIES], k=K)
            times.append(time.perf_counter() - begin)

        begin = time.perf_counter()
        for _ in range(CALLS):
            index.health()
        null_s = time.perf_counter() - begin
        index.cleanup()
    print(f"null_ns {null_s / CALLS * 1e9:.1f}")
    print(f"add_s {add_s:.6f}")
    print(f"search_s {statistics.median(times):.6f}")
    print(f"peak_kib {peak}")


if __name__ == "__main__":
    main()
