# SPDX-License-Identifier: Apache-2.0
"""Ids and fields: columns from Python's values and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import simplugin
from simplugin import Column, Ids

NAMES = ["plain", "", "Ω and ü", "🍐", "last"]


def test_ids_are_a_sequence() -> None:
    """Like a list of str."""
    ids = Ids(NAMES)
    assert len(ids) == 5
    assert list(ids) == NAMES == ids.tolist()
    assert [ids[i] for i in range(-5, 5)] == NAMES + NAMES
    assert ids[1:4] == NAMES[1:4]
    assert ids[::-2] == NAMES[::-2]
    assert isinstance(ids[::-2], Ids)
    assert ids[3:1] == []
    assert ids.index("🍐") == 3
    assert "last" in ids
    assert ids != ["plain"]
    assert ids.to_numpy().tolist() == NAMES
    assert np.asarray(ids).dtype == object
    assert repr(Ids("ab")) == "Ids(['a', 'b'])"
    assert "12 in all" in repr(Ids("abcdefghijkl"))
    with pytest.raises(IndexError):
        ids[5]
    with pytest.raises(TypeError):
        hash(ids)


@pytest.mark.parametrize(
    "ids",
    [
        ["ü", "b"],
        ("ü", "b"),
        np.array(["ü", "b"]),
        np.array(["ü", "b"], object),
        Ids(["ü", "b"]),
        Ids(["x", "ü", "b"])[1:],
    ],
    ids=["list", "tuple", "str array", "objects", "Ids", "part of Ids"],
)
def test_ids_in(session: simplugin.Session, ids: Any) -> None:
    """R263: any sequence of str, and an iterator."""
    with session.create_index(metric="euclidean") as index:
        index.add(ids, [[1], [2]])
        assert index.get(ids).ids == ["ü", "b"]
        assert index.get(iter(ids)).ids == ["ü", "b"]  # pyright: ignore
        assert index.search(ids=ids, k=1).ids == ["ü", "b"]


def test_ids_that_are_none(index: simplugin.Index) -> None:
    """R277: a str is no sequence of ids, and what is no text is refused."""
    with pytest.raises(simplugin.InvalidArgument):
        index.get("abc")
    with pytest.raises(TypeError, match="int"):
        index.get([1, 2])  # type: ignore[list-item]  # pyright: ignore
    with pytest.raises(simplugin.InvalidArgument) as caught:
        index.get(["a", "\udc00"])
    assert caught.value.detail("argument") == "ids"


TYPED: dict[str, list[Any]] = {
    "text": ["a", None, "Ω"],
    "int64": [1, None, -(2**63)],
    "float64": [0.5, None, 1e300],
    "bool": [True, None, False],
    "list<text>": [["a", "ü"], None, []],
    "list<int64>": [[1, 2**62], None, []],
    "list<float64>": [[0.5], None, [1.0, 2.0]],
    "list<bool>": [[True, False], None, [True]],
}


@pytest.mark.parametrize("type", TYPED)
def test_fields_of_every_type(session: simplugin.Session, type: str) -> None:
    """R281: a column comes back as it was, with what is missing."""
    values = TYPED[type]
    column = Column(values, type)
    assert column == values
    assert column[2] == values[2]
    assert column[1:] == values[1:]
    with session.create_index(metric="euclidean") as index:
        index.add(["a", "b", "c"], [[1], [2], [3]], fields={"f": column})
        got = index.get(["a", "b", "c"], fields=["f"]).fields["f"]
        assert got.type == type
        assert got == values
        # parts of columns, and columns of replies, are columns
        index.add(["d", "e"], [[4], [5]], fields={"f": got[1:]})
        assert index.get(["d", "e"], fields=True).fields["f"] == values[1:]


@pytest.mark.parametrize(
    ("given", "type", "expected"),
    [
        ([1, None], "int64", [1, None]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        (np.array([1, 2], np.int16), "int64", [1, 2]),
        (np.array([1, 2], np.float32), "float64", [1.0, 2.0]),
        (np.array([True, False]), "bool", [True, False]),
        (np.array(["a", "b"]), "text", ["a", "b"]),
        (np.array(["a", None], object), "text", ["a", None]),
        (np.ma.MaskedArray([1, 2], [False, True]), "int64", [1, None]),
        (np.ma.MaskedArray(["a", "b"], [True, False]), "text", [None, "b"]),
        (np.array([[1, 2], [3, 4]]), "list<int64>", [[1, 2], [3, 4]]),
        ([np.int64(1), np.int64(2)], "int64", [1, 2]),
    ],
)
def test_fields_from_natural_values(session: simplugin.Session, given: Any, type: str, expected: list[Any]) -> None:
    """R281: lists, arrays and masked arrays."""
    with session.create_index(metric="euclidean") as index:
        index.add(["a", "b"], [[1], [2]], fields={"f": given})
        column = index.get(["a", "b"], fields=["f"]).fields["f"]
        assert column.type == type
        assert column == expected


def test_columns_as_arrays() -> None:
    """Numbers without a copy."""
    column = Column([1, 2, 3], "int64")
    assert np.shares_memory(column.to_numpy(), column.to_numpy())
    assert column.to_numpy().tolist() == [1, 2, 3]
    masked = Column([1.5, None], "float64").to_numpy()
    assert isinstance(masked, np.ma.MaskedArray)
    assert masked.tolist() == [1.5, None]
    assert Column([True, False], "bool").to_numpy().dtype == np.bool_
    assert Column([["a"], None], "list<text>").to_numpy().tolist() == [["a"], None]
    with pytest.raises(ValueError, match="int32"):
        Column([1], "int32")


def test_rows_and_hits(index: simplugin.Index) -> None:
    """Iterating makes tuples; nobody else does."""
    rows = list(index.get(["c", "a"], fields=True))
    assert [(row.id, row.fields) for row in rows] == [("c", {"page": None}), ("a", {"page": 1})]
    hits = index.search([[1, 0], [0, 1]], k=2, fields=["page"])
    assert [[hit.id for hit in matches] for matches in hits] == [["a", "c"], ["b", "c"]]
    assert hits[1].fields["page"] == [2, None]
    assert [hit.distance for hit in hits[-1]] == [0, 1]
    assert len(hits[:1]) == 1
    with pytest.raises(IndexError):
        hits[2]
    assert "4 of 2 queries" in repr(hits)


def test_generic_call(index: simplugin.Index) -> None:
    """call() takes the same values anywhere in a body."""
    reply = index.call(
        "index.search", {"vectors": np.array([[1, 0]], np.float32), "k": np.int64(1), "fields": ("page",)}
    )
    assert reply["ids"] == ["a"]
    assert reply["fields"]["page"] == [1]
    with pytest.raises(TypeError, match="object"):
        index.call("index.search", {"k": object()})
    with pytest.raises(simplugin.UnknownMethod, match=r"index\.search"):
        index.call("index.serch")
