# SPDX-License-Identifier: Apache-2.0
"""Which values of metadata can be values of fields, and of which type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

NUMBERS = ("int64", "float64")
LISTS = ("list<text>", "list<int64>", "list<float64>", "list<bool>")
TYPES = ("text", *NUMBERS, "bool", *LISTS)

EMPTY = "list<>"
"""Of a list without items, which may be of any type."""

_INT64 = 2**63


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether it is a dict, or like one."""
    return isinstance(value, Mapping)


def is_items(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether it is a list, or another collection of single values."""
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def own(value: Any) -> Any:
    """A number of numpy's as Python's own."""
    return cast("Any", value).item() if isinstance(value, np.generic) else value


def typed(value: Any) -> tuple[str, Any] | None:
    """A type and the value as that; None for what no field can hold: nested values, NaN, integers above int64."""
    value = own(value)
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int):
        return ("int64", int(value)) if -_INT64 <= value < _INT64 else None
    if isinstance(value, float):
        return ("float64", float(value)) if math.isfinite(value) else None
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return None
        return "text", str.__str__(value)
    return _typed_list(value) if is_items(value) else None


def _typed_list(values: Iterable[Any]) -> tuple[str, Any] | None:
    items = [typed(item) for item in values]
    if not items:
        return EMPTY, []
    if any(item is None or item[0].startswith("list") for item in items):
        return None
    found = cast("list[tuple[str, Any]]", items)
    type_ = common(type_ for type_, _ in found)
    fitting = [fitted(value, type_of, type_) for type_of, value in found]
    return None if any(value is None for value in fitting) else (f"list<{type_}>", fitting)


def fitted(value: Any, type_: str, target: str) -> Any:
    """The value as one of another type, if it is the same there; else None."""
    if type_ == target or (type_ == EMPTY and target in LISTS):
        return value
    if type_ == "int64" and target == "float64":
        return float(value) if int(float(value)) == value else None
    if type_ == "float64" and target == "int64" and value.is_integer() and -_INT64 <= value < _INT64:
        return int(value)
    if type_ in LISTS and target in LISTS:
        items = [fitted(item, type_[5:-1], target[5:-1]) for item in value]
        return None if any(item is None for item in items) else items
    return None


def common(types: Iterable[str]) -> str:
    """The type for values of these: the first one's, but float64 where there are integers and floats."""
    order = [type_ for type_ in dict.fromkeys(types) if type_ != EMPTY]
    if not order:
        return "list<text>"
    for integer, real in (("int64", "float64"), ("list<int64>", "list<float64>")):
        if order[0] == integer and real in order:
            return real
    return order[0]
