# SPDX-License-Identifier: Apache-2.0
"""Reads the cases: tests/corpus, and the truth tables of tests/cases/filter as cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus_values import Json

_TOP = Path(__file__).resolve().parents[3]


def _exact(value: Json) -> Json:
    """{"int64": TEXT} and {"float64": TEXT} stand for numbers that JSON cannot be trusted with."""
    if isinstance(value, list):
        return [_exact(one) for one in value]
    if isinstance(value, dict):
        return int(value["int64"]) if "int64" in value else {"$float": value["float64"]}
    return value


def _filter_steps(one: Json) -> list[Json]:
    if "ids" in one:
        body = {"vectors": [[0]], "k": 100, "filter": one["filter"]}
        return [
            {"call": "index.search", "target": "$ix", "body": body, "expect": {"ids": {"$set": one["ids"]}}},
            {
                "call": "index.size",
                "target": "$ix",
                "body": {"filter": one["filter"]},
                "expect": {"size": len(one["ids"])},
            },
        ]
    error = {
        "code": one["error"]["code"],
        "details": {"argument": "filter"},
        "message_contains": [f"column {one['error']['column']}"],
    }
    body = {"vectors": [[0]], "filter": one["filter"]}
    return [{"call": "index.search", "target": "$ix", "body": body, "error": error}]


def _case_of_table(table: Json, file: str) -> Json:
    rows = table["rows"]
    fields = {
        name: {"$column": {"type": kind, "values": [_exact(row["fields"].get(name)) for row in rows]}}
        for name, kind in table["types"].items()
    }
    steps: list[Json] = [
        {"call": "index.create", "body": {"dimension": 1, "metric": "euclidean"}, "bind": {"index": "ix"}}
    ]
    if rows:
        ids, vectors = [row["id"] for row in rows], [[i] for i in range(len(rows))]
        steps.append({"call": "index.add", "target": "$ix", "body": {"ids": ids, "vectors": vectors, "fields": fields}})
    for one in table["cases"]:
        steps += _filter_steps(one)
    return {"name": f"filters of {file}", "needs": table.get("needs", {}), "steps": steps}


def load() -> dict[str, list[Json]]:
    """The cases by file, each with the steps of its setup before its own."""
    files: dict[str, list[Json]] = {}
    for path in sorted((_TOP / "tests" / "corpus").glob("*.json")):
        file: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for case in file["cases"]:
            if "setup" in case:
                case["steps"] = file["setups"][case["setup"]] + case["steps"]
        files[path.stem] = file["cases"]
    tables = sorted((_TOP / "tests" / "cases" / "filter").glob("*.json"))
    files["filter"] = [_case_of_table(json.loads(path.read_text("utf-8")), path.name) for path in tables]
    return files
