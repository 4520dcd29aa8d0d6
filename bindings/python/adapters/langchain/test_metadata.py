# SPDX-License-Identifier: Apache-2.0
"""Metadata comes back as it was given, and what a field can hold is found by filters."""

from __future__ import annotations

import datetime
import enum
import math
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Make
from langchain_core.documents import Document

from simplugin.langchain import SimpluginVectorStore
from simplugin.langchain.codec import decode, encode
from simplugin.langchain.layout import Layout
from simplugin.langchain.values import TYPES

VALUES: list[Any] = [
    None,
    True,
    0,
    -7,
    2**53 + 1,
    -(2**63),
    2**63,
    10**40,
    0.0,
    -0.0,
    1.0,
    1e-300,
    0.1 + 0.2,
    math.inf,
    -math.inf,
    "",
    "text",
    "\ud800 half a pair",
    "nul \0 in it",
    "2024-02-29",
    [],
    [1, 2],
    [1, 2.5],
    ["a", "b"],
    ["a", 1, None, [True]],
    [[]],
    {},
    {"a": {"b": [1, {"c": None}]}},
    {1: "one", (2, 3): "pair", None: "nothing"},
    {"$type": "tuple", "value": [1]},
    {"$type": "unknown"},
    (),
    (1, "a", (2.0,)),
    {1, 2},
    frozenset({"a"}),
    b"\x00\xff",
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 12, 30, 15, 123456),
    datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
    datetime.time(23, 59, 59, 1),
    datetime.timedelta(days=-1, microseconds=3),
    Decimal("3.1400"),
    uuid.UUID(int=7),
    Path("folder") / "file.pdf",
]


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if isinstance(one, (set, frozenset)):
        return type(one) is type(other) and one == other
    return repr(one) == repr(other)


def test_every_value(store: SimpluginVectorStore) -> None:
    """Of each type, back with the type; also under keys that are no text."""
    metadatas: list[dict[Any, Any]] = [{"value": value, "n": n} for n, value in enumerate(VALUES)]
    metadatas += [{1: "a", "b": 2, (3,): [4]}, {"$type": "dict", "value": []}]
    ids = store.add_texts([f"text {n}" for n in range(len(metadatas))], metadatas)
    for given, found in zip(metadatas, store.get_by_ids(ids)):
        assert list(given) == list(found.metadata)
        for key, value in given.items():
            assert same(found.metadata[key], value), value
    nan = store.add_texts(["nan"], [{"value": math.nan}])
    assert math.isnan(store.get_by_ids(nan)[0].metadata["value"])


def test_numpy_and_enums(store: SimpluginVectorStore) -> None:
    """Numbers of numpy and members of enums are their values."""

    class Colour(str, enum.Enum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 2

    metadata = {
        "score": np.float32(0.1),
        "count": np.int64(3),
        "flag": np.True_,
        "colour": Colour.RED,
        "level": Level.HIGH,
    }
    (id,) = store.add_texts(["a"], [metadata])
    found = store.get_by_ids([id])[0].metadata
    assert found == metadata
    assert [type(value) for value in found.values()] == [float, int, bool, str, int]
    for condition in ({"count": np.int32(3)}, {"flag": np.True_}, {"colour": Colour.RED}, {"level": {"$gt": 1}}):
        assert len(store.similarity_search("a", filter=condition)) == 1


def test_given_documents_are_not_changed(store: SimpluginVectorStore) -> None:
    """Neither what is added, nor by what is done with what was found."""
    document = Document(page_content="a", metadata={"list": [1], "none": None})
    (id,) = store.add_documents([document])
    assert document == Document(page_content="a", metadata={"list": [1], "none": None})
    store.get_by_ids([id])[0].metadata["list"].append(2)
    assert store.get_by_ids([id])[0].metadata["list"] == [1]


MIXED: list[tuple[Any, Any]] = [
    (1, {"$eq": 1}),
    ("1", "1"),
    (1.5, {"$gt": 1.4, "$lt": 1.6}),
    (True, True),
    (2**60 + 1, 2**60 + 1),
    (["1", "2"], {"$contains": "2"}),
    ([3, 4], {"$contains": 4}),
    ([3.5, 5], {"$contains": 3.5}),
    ([True, False], {"$contains": False}),
    ("iv", {"$like": "i%"}),
    (-3.0, {"$lte": -3}),
]


@pytest.mark.parametrize("shift", range(0, len(MIXED), 2))
@pytest.mark.parametrize("together", [True, False])
def test_mixed_types(store: SimpluginVectorStore, shift: int, together: bool) -> None:
    """Values of any types under one key, whichever came first: nothing fails, and each is found as what it is."""
    order = MIXED[shift:] + MIXED[:shift]
    metadatas = [{"v": value} for value, _ in order] + [{"v": {"nested": 1}}, {"v": None}, {}, {"v": []}]
    ids = [str(n) for n in range(len(metadatas))]
    if together:
        store.add_texts(["x"] * len(ids), metadatas, ids=ids)
    else:
        for id, metadata in zip(ids, metadatas):
            store.add_texts(["x"], [metadata], ids=[id])
    assert [document.metadata for document in store.get_by_ids(ids)] == metadatas
    for id, (_, condition) in zip(ids, order):
        assert [one.id for one in store.similarity_search("x", k=99, filter={"v": condition})] == [id], condition
        others = [one.id for one in store.similarity_search("x", k=99, filter={"$not": {"v": condition}})]
        assert sorted(others, key=lambda other: ids.index(other or "")) == [other for other in ids if other != id]


def test_mixed_types_of_two_stores(make: Make) -> None:
    """Two stores on one collection: neither knows which types the other wrote."""
    name = f"mixed_{uuid.uuid4().hex[:8]}"
    one, other = make(collection_name=name), make(collection_name=name)
    one.add_texts(["x"], [{"first": "text"}], ids=["0"])
    other.add_texts(["x"], [{"first": 1, "v": 7}], ids=["1"])  # looks at the types here
    one.add_texts(["x"], [{"v": "seven"}], ids=["2"])
    other.add_texts(["x", "x"], [{"v": [7]}, {"first": 2.5}], ids=["3", "4"])
    for store in (one, other):
        for condition, expected in (
            ({"v": 7}, ["1"]),
            ({"v": "seven"}, ["2"]),
            ({"v": {"$contains": 7}}, ["3"]),
            ({"first": {"$gte": 1}}, ["1", "4"]),
            ({"first": "text"}, ["0"]),
            ({"v": {"$exists": True}}, ["1", "2", "3"]),
        ):
            assert sorted(one.id or "" for one in store.similarity_search("x", k=9, filter=condition)) == expected


KEYS = [
    "pk",
    "vector",
    "sample_id",
    "id",
    "text",
    "metadata",
    "__id",
    "__zero",
    "__norm",
    "$meta",
    "$and",
    "meta.pk",
    "meta:text.page",
    "odd name",
    "a.b",
    "in",
    "null",
    "größe",
    "quote\"s'`\\",
    "line\nend",
    "x" * 255,
    "",
]
NO_FIELDS = ["x" * 256, "x" * 251 + "größe", "nul\0", "\ud800"]


def test_every_key(store: SimpluginVectorStore) -> None:
    """Any key comes back; all but those that no field can have are found by dict filters."""
    for n, key in enumerate(KEYS + NO_FIELDS):
        store.add_texts(["x"], [{key: n, "other": True}], ids=[str(n)])
    for n, key in enumerate(KEYS + NO_FIELDS):
        assert store.get_by_ids([str(n)])[0].metadata == {key: n, "other": True}
        if key in NO_FIELDS:
            with pytest.raises(ValueError, match="the name of no field"):
                store.similarity_search("x", filter={key: n})
        elif not key.startswith("$"):
            assert [one.id for one in store.similarity_search("x", filter={key: n})] == [str(n)], key
    store.add_texts(["x"], [dict.fromkeys(KEYS, "all")], ids=["all"])
    assert store.get_by_ids(["all"])[0].metadata == dict.fromkeys(KEYS, "all")
    condition = {"$and": [{key: "all"} for key in KEYS if not key.startswith("$") and len(key) < 240]}
    assert [one.id for one in store.similarity_search("x", filter=condition)] == ["all"]
    with pytest.raises(ValueError, match=r"\$and: 3 is no list"):
        store.similarity_search("x", filter={"$and": 3})


def test_many_keys(store: SimpluginVectorStore) -> None:
    """More keys than one request has fields: in many documents all are found, in one all come back."""
    metadatas = [{f"key_{n}_{m}": m for m in range(20)} for n in range(50)]
    ids = store.add_texts(["x"] * 50, metadatas)
    assert [document.metadata for document in store.get_by_ids(ids)] == metadatas
    for n in (0, 23, 49):
        assert [one.id for one in store.similarity_search("x", filter={f"key_{n}_19": 19})] == [ids[n]]
    wide = {f"wide_{n}": n for n in range(300)}
    (id,) = store.add_texts(["x"], [wide])
    assert store.get_by_ids([id])[0].metadata == wide
    assert [one.id for one in store.similarity_search("x", filter={"wide_100": 100})] == [id]


def test_declared(make: Make) -> None:
    """fields= says which type a key has: other values are refused, and filters look nowhere else."""
    store = make(fields={"page": "int64", "pk": "text", "tags": "list<text>"})
    store.add_texts(["x", "y"], [{"page": 3.0, "pk": "a", "tags": []}, {"page": None}], ids=["x", "y"])
    assert store.get_by_ids(["x"])[0].metadata == {"page": 3.0, "pk": "a", "tags": []}
    assert [one.id for one in store.similarity_search("x", filter={"page": 3, "pk": "a"})] == ["x"]
    with pytest.raises(ValueError, match=r"'page' is declared as int64, and 'iv' is text"):
        store.add_texts(["z"], [{"page": "iv"}])
    assert store.index.info()["fields"]["meta.pk"] == "text"
    for wrong in ({"page": "int"}, {"x" * 256: "text"}):
        with pytest.raises(ValueError, match="fields"):
            make(fields=wrong)
    with pytest.raises(ValueError, match="both"):
        make(text_field="metadata")


def test_other_names_of_fields(make: Make) -> None:
    """text_field and metadata_field say where text and metadata lie."""
    store = make(text_field="page_content", metadata_field="payload")
    store.add_texts(["a"], [{"text": "b", "payload": 1, "metadata": True}], ids=["x"])
    assert store.get_by_ids(["x"])[0] == Document(
        id="x", page_content="a", metadata={"text": "b", "payload": 1, "metadata": True}
    )
    fields = store.index.get(["x"], fields=True).fields
    assert set(fields) == {"page_content", "payload", "text", "meta.payload", "metadata"}
    assert len(store.similarity_search("x", filter={"text": "b", "payload": 1, "metadata": True})) == 1


def test_points_of_others(make: Make) -> None:
    """Points that another program added have the text of their text field, and all other fields as metadata."""
    store = make()
    fields: dict[str, Any] = {
        "text": ["one", "two", None],
        "source": ["a.pdf", None, "b.pdf"],
        "page": [1, 2, 3],
        "metadata": [None, "no JSON", "[1, 2]"],
    }
    store.index.add(["a", "b", "c"], np.eye(3, dtype=np.float32), fields=fields)
    store.add_texts(["0.1 0.1 2"], [{"page": 9}], ids=["ours"])
    assert store.similarity_search("0 0 1", k=2) == [
        Document(id="c", page_content="", metadata={"source": "b.pdf", "page": 3, "metadata": "[1, 2]"}),
        Document(id="ours", page_content="0.1 0.1 2", metadata={"page": 9}),
    ]
    assert store.get_by_ids(["b", "a"]) == [
        Document(id="b", page_content="two", metadata={"page": 2, "metadata": "no JSON"}),
        Document(id="a", page_content="one", metadata={"source": "a.pdf", "page": 1}),
    ]
    assert [one.id for one in store.similarity_search("x", filter={"page": {"$in": [2, 9]}, "text": "two"})] == []
    assert sorted(one.id or "" for one in store.similarity_search("x", filter="page in [2, 9]")) == ["b", "ours"]


def test_names_of_fields_are_apart() -> None:
    """No two keys share a field, nor do a key and the other types of another."""
    layout = Layout()
    names: dict[str, Any] = {}
    for key in [*KEYS, *(f"meta.{key}" for key in KEYS), *(f"meta:{type_}.pk" for type_ in TYPES)]:
        for origin, name in [((key, None), layout.name(key)), *(((key, t), layout.other(key, t)) for t in TYPES)]:
            if name is not None:
                assert names.setdefault(name, origin) == origin


def test_codec_of_what_is_not_ours() -> None:
    """Text that encode has not written is no metadata, and nothing in it is called."""
    for text in (None, 3, "", "no JSON", "[1]", '"a"', '{"a":{"$type":"decimal","value":"x"}}', '{"a":' * 99_999):
        assert decode(text) is None
    unknown = '{"a":{"$type":"os.system","value":"true"}}'
    assert decode(unknown) == {"a": {"$type": "os.system", "value": "true"}}
    assert decode(encode({})) == {}
