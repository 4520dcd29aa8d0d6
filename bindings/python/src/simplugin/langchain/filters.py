# SPDX-License-Identifier: Apache-2.0
"""Conditions on metadata, given as a dict, as text of the filter language (docs/filters.md).

>>> from .layout import Layout
>>> print(Conditions(Layout(declared={"source": "text"})).text({"source": 'the "b"', "page": {"$ne": True}}))
(`source` == "the \\"b\\"" and (`page` != true and `meta:bool.page` != true))
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from .layout import Layout
from .values import LISTS, NUMBERS, TYPES, is_items, is_mapping, own

_GROUPS = ("$and", "$or", "$not")


def quoted(name: str) -> str:
    """The name of a field, as the language has any name."""
    return "`" + json.dumps(name, ensure_ascii=False)[1:-1].replace("`", "\\`") + "`"


def literal(value: Any) -> tuple[str, str]:
    """The sort of a value (text, number, bool) and how it is written."""
    value = own(value)
    if isinstance(value, bool):
        return "bool", "true" if value else "false"
    if isinstance(value, int):
        return "number", int.__repr__(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"filter: {value!r} can be in no field")
        return "number", float.__repr__(value)
    if isinstance(value, str):
        return "text", json.dumps(value, ensure_ascii=False)
    raise ValueError(f"filter: {value!r} is no text, number or bool")


def _sorts(values: Any) -> dict[str, list[str]]:
    """The literals of a list, by their sort."""
    if not is_items(values):
        raise ValueError(f"filter: {values!r} is no list of values")
    sorts: dict[str, list[str]] = {}
    for value in values:
        sort, text = literal(value)
        sorts.setdefault(sort, []).append(text)
    return sorts


def _joined(conditions: list[str], word: str) -> str:
    """All of them, or one of them, as one condition."""
    if not conditions:
        return "true" if word == "and" else "false"
    return conditions[0] if len(conditions) == 1 else "(" + f" {word} ".join(conditions) + ")"


def _items(sort: str) -> tuple[str, ...]:
    return NUMBERS if sort == "number" else (sort,)


class Conditions:
    """Those on documents of a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._operators: dict[str, Callable[[str, Any], str]] = {
            "$eq": lambda key, value: self._missing(key) if value is None else self._compare(key, "==", value),
            "$ne": lambda key, value: self._exists(key) if value is None else self._compare(key, "!=", value),
            "$lt": lambda key, value: self._compare(key, "<", value),
            "$lte": lambda key, value: self._compare(key, "<=", value),
            "$gt": lambda key, value: self._compare(key, ">", value),
            "$gte": lambda key, value: self._compare(key, ">=", value),
            "$in": lambda key, value: self._among(key, value, "in"),
            "$nin": lambda key, value: self._among(key, value, "not in"),
            "$like": lambda key, value: self._like(key, value, "like"),
            "$nlike": lambda key, value: self._like(key, value, "not like"),
            "$exists": lambda key, value: self._exists(key) if value else self._missing(key),
            "$contains": lambda key, value: self._contains(key, [value], "or"),
            "$contains_any": lambda key, value: self._contains(key, value, "or"),
            "$contains_all": lambda key, value: self._contains(key, value, "and"),
        }

    def text(self, filter: Mapping[str, Any]) -> str:
        """The filter as text; ``true`` if it says nothing."""
        return _joined(self._all(filter), "and")

    def _all(self, filter: Any) -> list[str]:
        if not is_mapping(filter):
            raise ValueError(f"filter: {filter!r} is no dict of conditions")
        return [self._condition(key, value) for key, value in filter.items()]

    def _condition(self, key: Any, value: Any) -> str:
        if key == "$not":
            return f"not ({_joined(self._all(value), 'and')})"
        if key in _GROUPS:
            if not is_items(value):
                raise ValueError(f"filter: {key}: {value!r} is no list of conditions")
            members = [_joined(self._all(member), "and") for member in value]
            return _joined(members, key[1:])
        if isinstance(key, str) and key.startswith("$"):
            raise ValueError(f"filter: {key} where the key of a value is expected; of conditions: {', '.join(_GROUPS)}")
        if not is_mapping(value):
            return self._operators["$eq"](key, value)
        if not value or any(name not in self._operators for name in value):
            raise ValueError(f"filter: {key!r}: {dict(value)!r}: the operators are {', '.join(self._operators)}")
        return _joined([self._operators[name](key, operand) for name, operand in value.items()], "and")

    # ---- the fields that may hold a value ----

    def _fields(self, key: Any, types: Iterable[str]) -> list[str]:
        # which type the key's own field has is not looked up: another program may write other values at any time
        name = self._layout.name(key)
        if name is None:
            raise ValueError(f"filter: {key!r} is the name of no field: names are text of 1 to 255 bytes")
        names: list[str | None] = [name]
        if key not in self._layout.declared:
            names += [self._layout.other(key, type_) for type_ in types]
        return [quoted(name) for name in names if name is not None]

    # ---- the operators ----

    def _compare(self, key: Any, sign: str, value: Any) -> str:
        sort, text = literal(value)
        fields = self._fields(key, _items(sort))
        return _joined([f"{field} {sign} {text}" for field in fields], "and" if sign == "!=" else "or")

    def _among(self, key: Any, values: Any, word: str) -> str:
        conditions = [
            f"{field} {word} [{', '.join(texts)}]"
            for sort, texts in _sorts(values).items()
            for field in self._fields(key, _items(sort))
        ]
        return _joined(conditions, "or" if word == "in" else "and")

    def _like(self, key: Any, pattern: Any, word: str) -> str:
        if not isinstance(pattern, str):
            raise ValueError(f"filter: {pattern!r} is no pattern")
        text = literal(pattern)[1]
        conditions = [f"{field} {word} {text}" for field in self._fields(key, ("text",))]
        return _joined(conditions, "or" if word == "like" else "and")

    def _contains(self, key: Any, values: Any, word: str) -> str:
        conditions = [
            _joined([f"array_contains({field}, {text})" for field in self._list_fields(key, sort)], "or")
            for sort, texts in _sorts(values).items()
            for text in texts
        ]
        if word == "and" and not conditions:  # of a list that is there
            return _joined([f"array_contains_all({field}, [])" for field in self._fields(key, LISTS)], "or")
        return _joined(conditions, word)

    def _list_fields(self, key: Any, sort: str) -> list[str]:
        return self._fields(key, [f"list<{item}>" for item in _items(sort)])

    def _exists(self, key: Any) -> str:
        return _joined([f"exists {field}" for field in self._fields(key, TYPES)], "or")

    def _missing(self, key: Any) -> str:
        return f"not {self._exists(key)}"
