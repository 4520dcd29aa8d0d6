# SPDX-License-Identifier: Apache-2.0
"""Ids and fields: columns from Python's values and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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
    given: list[Any] = [["a", 2], ["a", None], np.array([1, 2]), [b"a"], {"a"}, [0.5]]
    for one in given:
        with pytest.raises(TypeError, match=r"^ids: (position [01]: .* is no str|a set)"):
            index.get(one)
        with pytest.raises(TypeError, match=r"^sample_ids: "):
            index.get(sample_ids=one)
    for one in (np.array("ab"), np.array([["a"]])):
        with pytest.raises(ValueError, match=r"^ids: an array of [02] dimensions"):
            index.get(one)
    assert index.get({"b": 1, "a": 2}.keys()).ids == ["b", "a"]  # type: ignore[arg-type]  # pyright: ignore
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


@pytest.mark.parametrize(
    ("values", "type", "where"),
    [
        ([1, 2.9], "int64", "row 1: 2.9"),
        (["12"], "int64", "row 0: '12'"),
        ([None, True], "int64", "row 1: True"),
        ([0, 2**63], "int64", "row 1: 9223372036854775808"),
        ([np.uint64(2**63)], "int64", "row 0: "),
        ([np.nan], "int64", "row 0: nan"),
        ([1.5, "x"], "float64", "row 1: 'x'"),
        ([True], "float64", "row 0: True"),
        ([0.5], "bool", "row 0: 0.5"),
        ([True, 1], "bool", "row 1: 1"),
        (["a", 1], "text", "row 1: 1"),
        ([b"a"], "text", "row 0: b'a'"),
        ([["a"], "abc"], "list<text>", "row 1: 'abc'"),
        ([[1], None, [2, "x"]], "list<int64>", "row 2, item 1: 'x'"),
        ([["a", None]], "list<text>", "row 0, item 1: None"),
        ([[1]], "int64", r"row 0: \[1\]"),
        (np.array(["2020-01-01"], "M8[s]"), "int64", "row 0: "),
        (np.array([1], "m8[ns]"), "int64", "row 0: "),
    ],
)
def test_values_of_another_type(values: Any, type: str, where: str) -> None:
    """Are refused, by their position, instead of changed."""
    with pytest.raises(ValueError, match="^" + where):
        Column(values, type)


@pytest.mark.parametrize("type", ["int32", "list<textX", "list<list<text>>", "", ["text"], None])
def test_types_that_are_none(type: Any) -> None:
    """There are eight."""
    with pytest.raises(ValueError, match=r"^type: .* list<bool>"):
        Column([1], type)


def test_numpy_values_in_columns() -> None:
    """Numpy's numbers are numbers, and masked entries are missing."""
    assert Column(np.array([1, 2], np.uint8), "int64") == [1, 2]
    assert Column(np.array([1, 2], np.int64), "float64") == [1.0, 2.0]
    assert Column(np.array([0.5], np.float32), "float64") == [0.5]
    assert Column(np.array([True]), "bool") == [True]
    assert Column(np.array(["a"]), "text") == ["a"]
    assert Column(np.ma.MaskedArray([1, 2], [True, False]), "int64") == [None, 2]
    assert Column([np.array([1, 2]), (3,), Column([4], "int64")], "list<int64>") == [[1, 2], [3], [4]]


def test_dates(index: simplugin.Index) -> None:
    """Fields have no such type, and none is made of them."""
    for dates in (np.array(["2020-01-01"], "M8[ns]"), np.array([1], "m8[s]"), [np.datetime64(1, "ns")]):
        with pytest.raises((TypeError, ValueError), match="fields: "):
            index.set_fields(["a"], {"when": dates})


def test_copies_of_columns() -> None:
    """R281: np.array copies, np.asarray does not, and copy=False says where it would have to."""
    column = Column([1, 2, 3], "int64")
    np.array(column)[0] = np.array(column, copy=True)[1] = 99
    column.__array__(copy=True)[2] = 99
    column.__array__(np.dtype(np.int64), copy=True)[2] = 99
    assert column == [1, 2, 3]
    assert np.shares_memory(np.asarray(column), column.to_numpy())
    assert np.shares_memory(column.__array__(np.int64, copy=False), column.to_numpy())
    for one, dtype in ((column, np.float64), (Ids(["a"]), None), (Column([1, None], "int64"), None)):
        with pytest.raises(ValueError, match="copy"):
            one.__array__(dtype, copy=False)


def test_missing_values_in_arrays() -> None:
    """NaN where floats are asked for, None among objects, nothing else."""
    for type, values in (("int64", [1, None]), ("float64", [1.0, None]), ("bool", [True, None])):
        column = Column(values, type)
        assert np.asarray(column).dtype == object
        assert np.asarray(column).tolist() == values
        assert np.asarray(column, object).tolist() == values
        floats = np.asarray(column, np.float32)
        assert floats.dtype == np.float32
        np.testing.assert_array_equal(floats, np.array([1, np.nan], np.float32))
        for dtype in (np.int64, np.bool_, np.complex128):
            with pytest.raises(ValueError, match="missing"):
                np.asarray(column, dtype)
        assert isinstance(column.to_numpy(), np.ma.MaskedArray)
    assert np.asarray(Column(["a", None], "text")).tolist() == ["a", None]
    assert np.asarray(Column.make("int64", np.array([1, 2]), valid=np.array([True, True]))).dtype == np.int64


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


def test_matches_are_a_sequence(index: simplugin.Index) -> None:
    """Of hits; its parts are matches."""
    matches = index.search([[1, 0]], k=3, fields=["page"], with_vectors=True)[0]
    assert isinstance(matches, Sequence)
    assert matches[0] == simplugin.Hit("a", 0.0, 0.0)
    assert [matches[i] for i in range(-3, 3)] == [*matches, *matches]
    assert matches[0] in matches
    assert [hit.id for hit in reversed(matches)] == ["b", "c", "a"]
    part = matches[::-2]
    assert isinstance(part, simplugin.Matches)
    assert [hit.id for hit in part] == part.ids == ["b", "a"]
    assert part.fields["page"] == [2, 1]
    assert part.vectors is not None
    assert part.vectors.tolist() == [[0, 1], [1, 0]]
    assert len(matches[5:]) == 0
    with pytest.raises(IndexError):
        matches[3]


def test_scans_are_iterators(session: simplugin.Session) -> None:
    """A loop that is left is gone on with by the next; the scan closes at its end."""
    with session.create_index(metric="euclidean") as index:
        index.add(list("abcd"), [[1, 0]] * 4)
        scan = index.scan(max_rows=1)
        assert iter(scan) is scan
        assert next(scan).ids == ["a"]
        for page in scan:
            assert page.ids == ["b"]
            break
        assert [row.id for row in itertools.islice(scan.rows(), 1)] == ["c"]
        assert not scan.closed
        assert [page.ids.tolist() for page in scan] == [["d"]]
        assert scan.closed
        assert list(scan) == []
        with index.scan(max_rows=1) as left:
            next(left)
        with pytest.raises(simplugin.StaleHandle):
            next(left)
        copy = session.open_copy(index, {"collection_name": "copy"})
        assert [state["phase"] for state in copy][-1] == "done"
        assert copy.closed
        assert next(copy, None) is None


def test_generic_call(index: simplugin.Index) -> None:
    """call() takes the same values anywhere in a body."""
    reply = index.call(
        "index.search", {"vectors": np.array([[1, 0]], np.float32), "k": np.int64(1), "fields": ("page",)}
    )
    assert reply["ids"] == ["a"]
    assert reply["fields"]["page"] == [1]
    with pytest.raises(TypeError, match=r"^k: a object"):
        index.call("index.search", {"k": object()})
    with pytest.raises(simplugin.UnknownMethod, match=r"index\.search"):
        index.call("index.serch")
