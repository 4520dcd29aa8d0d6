# SPDX-License-Identifier: Apache-2.0
"""The corpus' notations, into Python's values and back (tests/corpus/README.md)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np
import numpy.typing as npt

import simplugin

Json = Any


class CannotBeMadeError(Exception):
    """A notation that asks for a malformed envelope."""


@dataclass
class Scope:
    """What the notations of a case refer to."""

    directory: str
    backend: str
    unique: str
    plugin_path: list[str] = field(default_factory=list[str])
    variables: dict[str, Json] = field(default_factory=dict[str, Json])


def notation(value: Json) -> str | None:
    """The only key of a map that begins with $."""
    if isinstance(value, dict) and len(value) == 1:
        key: str = next(iter(value))
        return key if key.startswith("$") else None
    return None


def random_rows(seed: int, rows: int = 1, cols: int = 1, first: int = 0, dtype: str = "float32") -> npt.NDArray[Any]:
    """Multiples of 2^-23 in [-1, 1), from splitmix64."""
    with np.errstate(over="ignore"):
        at = np.arange(first * cols, (first + rows) * cols, dtype=np.uint64)
        z = np.uint64(seed & (2**64 - 1)) + (at + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 8388608.0 - 1.0).astype(dtype).reshape(rows, cols)


def _tensor(data: Json, dtype: str = "float32", row_stride: int = 0, **claims: Json) -> npt.NDArray[Any]:
    if dtype == "bits":
        claim = claims["claim"]
        packed = np.array(data, np.uint8).reshape(claim["rows"], -1)
        return np.unpackbits(packed, axis=1, count=claim["cols"], bitorder="little").astype(np.bool_)
    if claims:
        raise CannotBeMadeError("a tensor that claims what it is not")
    array = np.array(plain(data), dtype)
    if row_stride and array.ndim == 2:
        wide = np.zeros((array.shape[0], row_stride // array.itemsize), dtype)
        wide[:, : array.shape[1]] = array
        return wide[:, : array.shape[1]]
    return array


def plain(value: Json) -> Json:
    """$float to Python's own, wherever it stands."""
    if notation(value) == "$float":
        return float(value["$float"])
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def _nested(depth: int) -> Json:
    if depth > 500:
        raise CannotBeMadeError("msgpack does not nest so deep")
    value: Json = None
    for _ in range(depth):
        value = [value]
    return value


def _resolve(scope: Scope, name: str, argument: Json) -> Json:
    if name == "$var":
        return scope.variables[argument]
    if name == "$ids":
        first, width = argument.get("first", 0), argument.get("width", 1)
        return [f"{argument['prefix']}{i:0{width}}" for i in range(first, first + argument["count"])]
    if name == "$repeat":
        return argument["text"] * argument["count"] if "text" in argument else [argument["value"]] * argument["count"]
    if name == "$join":
        return [one for part in argument for one in part]
    if name == "$path":
        return f"{scope.directory}/{argument}"
    if name == "$unique":
        return f"{argument}_{scope.unique}"
    if name == "$backend":
        return scope.backend
    if name == "$plugin_path":
        return list(scope.plugin_path)
    if name == "$float":
        return float(argument)
    if name == "$random":
        return random_rows(**argument)
    if name == "$tensor":
        return _tensor(**argument)
    if name == "$column":
        return simplugin.Column(plain(argument["values"]), argument["type"])
    if name == "$bytes":
        return bytes.fromhex(argument)
    if name == "$text":
        return bytes.fromhex(argument).decode("utf-8", "surrogateescape")
    if name == "$nest":
        return _nested(argument)
    if name == "$ext":
        return msgpack.ExtType(argument["type"], argument.get("value", 0).to_bytes(4, "big"))
    raise CannotBeMadeError(name)


# what must not be looked into before it is made
_WHOLE = ("$float", "$tensor", "$column")


def expand(scope: Scope, value: Json) -> Json:
    """A body's value, as Python has it."""
    name = notation(value)
    if name in _WHOLE:
        return _resolve(scope, name, value[name])
    if isinstance(value, list):
        return [expand(scope, one) for one in value]
    if not isinstance(value, dict):
        return value
    if name is not None:
        return _resolve(scope, name, expand(scope, value[name]))
    return {key: expand(scope, one) for key, one in value.items()}


MATCHERS = ("$any", "$absent", "$set", "$contains", "$lacks", "$count", "$containing", "$between", "$not")


def expand_expected(scope: Scope, value: Json) -> Json:
    """The same of what is expected: matchers stay, and arrays become lists."""
    name = notation(value)
    if name in MATCHERS:
        return {name: expand_expected(scope, value[name])}
    if name is not None:
        return to_json(expand(scope, value))
    if isinstance(value, list):
        return [expand_expected(scope, one) for one in value]
    if isinstance(value, dict):
        return {key: expand_expected(scope, one) for key, one in value.items()}
    return value


def to_json(value: Json) -> Json:
    """A reply as plain JSON; floats that are none of JSON's stay Python's."""
    if isinstance(value, (simplugin.Column, np.ndarray, np.generic)):
        return to_json(value.tolist())
    if isinstance(value, Mapping):
        pairs: Mapping[Any, Any] = value
        return {key: to_json(one) for key, one in pairs.items() if one is not None}
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    return value


# ---- the form of a request ----

HALF = re.compile("[\ud800-\udfff]")  # of a character: no text
_SCALARS: dict[type, str] = {str: "text", bool: "bool", int: "int64", float: "float64"}


def _type_of(values: list[Json]) -> str | None:
    """The column type that holds all values; None where none does."""
    there = [value for value in values if value is not None]
    lists = [value for value in there if isinstance(value, list)]
    if lists and len(lists) != len(there):
        return None
    kinds = {type(one) for one in ([e for value in lists for e in value] if lists else there)}
    if kinds == {int, float}:
        kinds = {float}
    name = _SCALARS.get(kinds.pop()) if len(kinds) == 1 else None
    if name is None:
        return None
    return f"list<{name}>" if lists else name


def _column(values: Json) -> Json:
    kind = _type_of(values) if isinstance(values, list) else None
    return values if kind is None else simplugin.Column(values, kind)


def _is_matrix(value: Json) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and row and len(row) == len(value[0]) for row in value)
        and all(type(number) in (int, float) for row in value for number in row)
    )


def as_columns(body: Mapping[str, Json]) -> dict[str, Json]:
    """Arrays under ids, sample_ids, vectors and fields as tensors and columns, where they can be."""
    result = dict(body)
    for key, value in body.items():
        if key == "vectors" and _is_matrix(value):
            result[key] = np.array(value, np.float32)
        elif key in ("ids", "sample_ids") and isinstance(value, list) and _type_of(value) == "text":
            if None not in value and not any(HALF.search(id) for id in value):
                result[key] = simplugin.Ids(value)
        elif key == "fields" and isinstance(value, dict):
            result[key] = {name: _column(column) for name, column in value.items()}
    return result


def is_close(expected: float, actual: float) -> bool:
    """Within 1e-4 of the larger of 1 and the expected."""
    if math.isnan(expected) or math.isinf(expected):
        return expected == actual or (math.isnan(expected) and math.isnan(actual))
    return abs(expected - actual) <= 1e-4 * max(abs(expected), 1)
