# SPDX-License-Identifier: Apache-2.0
"""Dict filters accept what they say, whatever is in them; text goes to the library as it is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

import simplugin
from simplugin.langchain import SimpluginVectorStore
from simplugin.langchain.filters import Conditions
from simplugin.langchain.layout import Layout

HOSTILE = [
    '" or true or page == "',
    "' or 1 == 1 or '",
    "\\",
    '\\"',
    "`",
    "%",
    "_",
    "\n",
    "\u2028",
    "💥",
    "$where",
    "{{}}",
    "null",
    "true",
    "1",
]
MISSING = object()


def sort(value: Any) -> str:
    """What can be compared with what."""
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def same(value: Any, other: Any) -> bool:
    """Equal and comparable."""
    return sort(value) == sort(other) and value == other


def before(value: Any, other: Any) -> bool:
    """In order and comparable."""
    return sort(value) == sort(other) and sort(value) in ("number", "str") and value < other


def holds(value: Any, other: Any) -> bool:
    """A list that has the value."""
    return isinstance(value, list) and any(same(item, other) for item in value)


OPERATORS: dict[str, Any] = {
    "$eq": same,
    "$ne": lambda value, other: not same(value, other),
    "$lt": before,
    "$lte": lambda value, other: before(value, other) or (same(value, other) and sort(value) in ("number", "str")),
    "$gt": lambda value, other: before(other, value),
    "$gte": lambda value, other: before(other, value) or (same(value, other) and sort(value) in ("number", "str")),
    "$in": lambda value, others: any(same(value, other) for other in others),
    "$nin": lambda value, others: not any(same(value, other) for other in others),
    "$exists": lambda value, wanted: (value is not MISSING) == wanted,
    "$contains": holds,
    "$contains_any": lambda value, others: any(holds(value, other) for other in others),
    "$contains_all": lambda value, others: isinstance(value, list) and all(holds(value, other) for other in others),
    "$like": lambda value, pattern: isinstance(value, str) and value.startswith(pattern[:-1]),
    "$nlike": lambda value, pattern: not (isinstance(value, str) and value.startswith(pattern[:-1])),
}


def accepts(filter: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """The meaning of a filter, by Python."""
    for key, wanted in filter.items():
        if key == "$and":
            found = all(accepts(one, metadata) for one in wanted)
        elif key == "$or":
            found = any(accepts(one, metadata) for one in wanted)
        elif key == "$not":
            found = not accepts(wanted, metadata)
        else:
            operators = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
            value = metadata.get(key, MISSING)
            found = all(OPERATORS[name](value, operand) for name, operand in operators.items())
        if not found:
            return False
    return True


class Maker:
    """Random metadata and filters over few keys and values, so that much is accepted."""

    keys = ("a", "b", "odd `key`", "pk")
    values = (0, 1, 2, -1, 0.5, 1.0, 2**60, "x", "xy", "", True, False, *HOSTILE[:4])

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self) -> Any:
        """A single value."""
        return self.random.choice(self.values)

    def items(self) -> list[Any]:
        """A list of values of one sort."""
        first = self.value()
        return [value for value in self.random.choices(self.values, k=6) if sort(value) == sort(first)]

    def metadata(self) -> dict[str, Any]:
        """Of a document."""
        kinds = (self.value, self.value, self.items)
        return {key: self.random.choice(kinds)() for key in self.keys if self.random.random() < 0.8}

    def condition(self) -> dict[str, Any]:
        """Of one key."""
        key, operator = self.random.choice(self.keys), self.random.choice([*OPERATORS, "$eq", "$ne"])
        if operator in ("$in", "$nin", "$contains_any", "$contains_all"):
            return {key: {operator: self.random.choices(self.values, k=self.random.randint(0, 3))}}
        if operator == "$exists":
            return {key: {operator: self.random.random() < 0.5}}
        if operator in ("$like", "$nlike"):
            return {key: {operator: self.random.choice(["x%", "xy%", "%"])}}
        value = self.value()
        if operator not in ("$eq", "$ne", "$contains") and isinstance(value, bool):
            value = 1
        return {key: value} if operator == "$eq" else {key: {operator: value}}

    def filter(self, depth: int = 2) -> dict[str, Any]:
        """With groups."""
        kind = self.random.choice(["one", "keys", "$and", "$or", "$not"]) if depth else "one"
        if kind == "one":
            return self.condition()
        if kind == "keys":
            return {**self.condition(), **self.condition()}
        if kind == "$not":
            return {"$not": self.filter(depth - 1)}
        return {kind: [self.filter(depth - 1) for _ in range(self.random.randint(0, 3))]}


@pytest.mark.parametrize("seed", range(3))
def test_as_python_has_it(store: SimpluginVectorStore, seed: int) -> None:
    """Random filters over documents of mixed types accept just what they should."""
    maker = Maker(seed)
    metadatas = [maker.metadata() for _ in range(60)]
    ids = [str(n) for n in range(len(metadatas))]
    for begin in range(0, 60, 20):
        store.add_texts(["x"] * 20, metadatas[begin : begin + 20], ids=ids[begin : begin + 20])
    accepted = 0
    for _ in range(60):
        filter = maker.filter()
        expected = [id for id, metadata in zip(ids, metadatas) if accepts(filter, metadata)]
        assert sorted(store.ids(filter), key=int) == expected, filter
        accepted += 0 < len(expected) < len(ids)
    assert accepted > 20


def test_hostile_values(store: SimpluginVectorStore) -> None:
    """A value or key that looks like a filter is a value or key."""
    store.add_texts(HOSTILE, [{"v": value, value: "key"} for value in HOSTILE], ids=HOSTILE)
    store.add_texts(["innocent"], [{"v": "innocent", "page": 1}], ids=["innocent"])
    for value in HOSTILE:
        assert store.ids({"v": value}) == [value]
        assert store.ids({"v": {"$in": [value, value]}}) == [value]
        assert len(store.ids({"v": {"$ne": value}})) == len(HOSTILE)
        if not value.startswith("$"):
            assert store.ids({value: "key"}) == [value]
    store.delete(filter={"v": HOSTILE[0]})
    assert len(store.ids()) == len(HOSTILE)


def test_none(store: SimpluginVectorStore) -> None:
    """None stands for no value."""
    store.add_texts(["a", "b", "c"], [{"v": None}, {}, {"v": 1}], ids=["a", "b", "c"])
    assert sorted(store.ids({"v": None})) == ["a", "b"]
    assert store.ids({"v": {"$ne": None}}) == ["c"]


def test_empty(store: SimpluginVectorStore) -> None:
    """A filter that says nothing accepts everything."""
    store.add_texts(["a", "b"])
    filters: list[Any] = [None, {}, "", {"$and": []}, {"$not": {"$or": []}}]
    for nothing in filters:
        assert len(store.similarity_search("a", filter=nothing)) == 2
    assert store.similarity_search("a", filter={"$or": []}) == []


@pytest.mark.parametrize(
    "filter",
    [
        {"v": [1, 2]},
        {"v": {"nested": 1}},
        {"v": {}},
        {"v": {"$gt": None}},
        {"v": {"$gt": [1]}},
        {"v": {"$in": "text"}},
        {"v": {"$in": 3}},
        {"v": {"$in": [[1]]}},
        {"v": {"$like": 3}},
        {"v": {"$gt": 1, "$about": 2}},
        {"v": float("nan")},
        {"v": object()},
        {"$where": "1"},
        {"$or": {"v": 1}},
        {"$not": [1]},
        {3: 4},
        [("v", 1)],
        lambda document: True,
        {"v": 2**63},
        {"v": {"$lt": True}},
        "v ==",
        "v == 1; drop",
    ],
)
def test_refused(store: SimpluginVectorStore, filter: Any) -> None:
    """What is no filter is a ValueError that says why."""
    store.add_texts(["a"], [{"v": 1}])
    with pytest.raises(ValueError, match="filter"):
        store.similarity_search("a", filter=filter)


def test_text() -> None:
    """Every field that may hold the value is looked at, of a declared key the one that there is."""
    conditions = Conditions(Layout(declared={"year": "int64"}))
    assert conditions.text({"year": 3}) == "`year` == 3"
    assert conditions.text({"year": {"$gt": 3}, "v": "a"}) == '(`year` > 3 and (`v` == "a" or `meta:text.v` == "a"))'
    assert conditions.text({"v": 3}) == "(`v` == 3 or `meta:int64.v` == 3 or `meta:float64.v` == 3)"
    assert conditions.text({"pk": {"$ne": True}}) == "(`meta.pk` != true and `meta:bool.pk` != true)"


def test_the_language_as_it_is(store: SimpluginVectorStore) -> None:
    """Text is the filter language's; its errors are the library's, with the place."""
    store.add_texts(["a", "b"], [{"n": 1, "pk": "x"}, {"n": 2}], ids=["a", "b"])
    assert store.ids("n >= 1 and not (n == 2)") == ["a"]
    assert store.ids('meta.pk == "x"') == ["a"]
    with pytest.raises(simplugin.InvalidArgument, match="column"):
        store.ids("n >=")
