# SPDX-License-Identifier: Apache-2.0
"""The corpus through the package, on flat and on the servers that the environment names, several cases at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import corpus_native
import pytest
from conftest import SERVERS
from corpus_load import load
from corpus_run import Backend, Runner
from corpus_values import CannotBeMadeError, Json

import simplugin

# What Python cannot ask for: envelopes that its own code never makes.
LEFT_OUT = {
    "bodies that are no MessagePack": "raw bytes as a body",
    "a body that is too large or too deep": "a body of a claimed size; 20,000 arrays in each other",
    "tensors whose sizes overflow or disagree": "tensors that claim what they are not",
}

CASES = load()
FORMS = ("plain", "columns")


def _backends() -> list[Backend]:
    backends = [Backend("sklearn_flat")]
    if "SIMPLUGIN_TEST_MILVUS_URI" in SERVERS:
        uri = SERVERS["SIMPLUGIN_TEST_MILVUS_URI"]
        backends.append(Backend("milvus", {"uri": uri, "metric": "cosine", "index_type": "FLAT"}))
    if "SIMPLUGIN_TEST_QDRANT_URL" in SERVERS:
        backends.append(Backend("qdrant", {"url": SERVERS["SIMPLUGIN_TEST_QDRANT_URL"]}))
    for backend in backends:
        backend.describe = simplugin.describe(backend.name)
    return backends


BACKENDS = {backend.name: backend for backend in _backends()}


def _applicable(backend: Backend) -> list[Any]:
    return [
        pytest.param(backend.name, case, form, id=f"{backend.name}-{file}-{case['name']}-{form}")
        for file, cases in CASES.items()
        for case in cases
        for form in FORMS
        if case["name"] not in LEFT_OUT and case.get("form", form) == form and not backend.lacks(case)
    ]


PARAMETERS = {name: _applicable(backend) for name, backend in BACKENDS.items()}


class Results:
    """Cases that run in the background; each test waits for its own."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.ends: dict[str, float] = {}
        self.pool = ThreadPoolExecutor(int(os.environ.get("SIMPLUGIN_TEST_THREADS", "8")))
        self.futures: dict[tuple[str, str, str], Future[None]] = {}
        # the servers' first: they take longest
        for name in reversed(list(PARAMETERS)):
            for parameter in PARAMETERS[name]:
                backend, case, form = parameter.values
                self.futures[backend, case["name"], form] = self.pool.submit(self.run, backend, case, form)

    def run(self, backend: str, case: Json, form: str) -> None:
        """One case, on one of the pool's threads."""
        try:
            Runner(BACKENDS[backend], case, form == "columns").run()
        finally:
            self.ends[backend] = time.monotonic()


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """All cases, begun."""
    results = Results()
    yield results
    results.pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    ("backend", "case", "form"), [parameter for name in reversed(list(PARAMETERS)) for parameter in PARAMETERS[name]]
)
def test_case(results: Results, backend: str, case: Json, form: str) -> None:
    """One case of the corpus."""
    results.futures[backend, case["name"], form].result()


def test_all_functions_are_used(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    """Every function of the package that makes a call made one; prints how many."""
    for future in results.futures.values():
        future.exception()
    generic = corpus_native.used["call"]
    with capsys.disabled():
        print()
        for name, parameters in PARAMETERS.items():
            seconds = results.ends[name] - results.begin
            print(f"corpus on {name}: {len(parameters)} cases in {seconds:.1f} s, {len(LEFT_OUT)} left out")
        print(f"corpus: {sum(corpus_native.used.values()) - generic} calls through functions, {generic} through call()")
    assert corpus_native.never_used() == []


def test_left_out_is_not_stale() -> None:
    """What is left out is in the corpus, and cannot be made."""
    cases = {case["name"]: case for cases in CASES.values() for case in cases}
    for name in LEFT_OUT:
        assert cases[name].get("abi"), name
        with pytest.raises((CannotBeMadeError, AssertionError)):
            Runner(BACKENDS["sklearn_flat"], cases[name], False).run()
