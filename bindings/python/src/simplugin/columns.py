# SPDX-License-Identifier: Apache-2.0
"""Columns: ids and the values of fields, as the library has them, in a few arrays for all rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from ._typing import Self

Array = npt.NDArray[Any]
_DTYPES: dict[str, np.dtype[Any]] = {
    "int64": np.dtype(np.int64),
    "float64": np.dtype(np.float64),
    "bool": np.dtype(np.uint8),
}
_FILL: dict[str, object] = {"int64": 0, "float64": 0.0, "bool": False, "text": ""}
_ACCEPTED: dict[str, tuple[type, ...]] = {
    "int64": (int, np.integer),
    "float64": (float, int, np.floating, np.integer),
    "bool": (bool, np.bool_),
    "text": (str,),
}
_REFUSED: dict[str, tuple[type, ...]] = {
    "int64": (bool, np.timedelta64),
    "float64": (bool, np.timedelta64),
    "bool": (),
    "text": (),
}
_TYPES = {**{item: item for item in _FILL}, **{f"list<{item}>": item for item in _FILL}}


def _offsets(lengths: Iterable[int], count: int) -> Array:
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, count), out=offsets[1:])
    return offsets


def encode_text(values: Sequence[str]) -> tuple[Array, Array]:
    """All of them in one buffer, and where each begins."""
    joined = "".join(values)
    if joined.isascii():
        return np.frombuffer(joined.encode("ascii"), np.uint8), _offsets(map(len, values), len(values))
    # what is no text is for the library to refuse
    parts = [value.encode("utf-8", "surrogatepass") for value in values]
    return np.frombuffer(b"".join(parts), np.uint8), _offsets(map(len, parts), len(parts))


def _objects(values: list[Any]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _decode_text(values: Array, offsets: Array) -> list[str]:
    first = int(offsets[0])
    raw: bytes = values[first : int(offsets[-1])].tobytes()
    bounds: list[int] = (offsets - first).tolist() if first else offsets.tolist()
    if raw.isascii():
        text = raw.decode("ascii")
        return [text[begin:end] for begin, end in zip(bounds, bounds[1:])]
    return [raw[begin:end].decode("utf-8", "surrogatepass") for begin, end in zip(bounds, bounds[1:])]


def _is_int64(value: Any) -> bool:
    return -(2**63) <= int(value) < 2**63


def _check(values: list[Any], item: str, lists: Array | None) -> None:
    """Refuses what is not of the type, instead of making something of it."""
    kinds = set(map(type, values))
    wrong = {kind for kind in kinds if not issubclass(kind, _ACCEPTED[item]) or issubclass(kind, _REFUSED[item])}
    if not wrong and (item != "int64" or not values or (_is_int64(min(values)) and _is_int64(max(values)))):
        return
    at = next(i for i, value in enumerate(values) if (type(value) in wrong if wrong else not _is_int64(value)))
    row = at if lists is None else int(np.searchsorted(lists, at, "right")) - 1
    where = f"row {row}" if lists is None else f"row {row}, item {at - int(lists[row])}"
    raise ValueError(f"{where}: {values[at]!r} is no {item}")


class Column(Sequence[Any]):
    """The values of one field, ``None`` where there is none: a sequence that is decoded when it is looked at.

    Results hold columns; ``Column(values, type)`` makes one of a type that must not be guessed:

    >>> Column([1, None, 3], "int64")
    Column([1, None, 3], 'int64')
    >>> Column([["a", "b"], None, []], "list<text>").tolist()
    [['a', 'b'], None, []]
    """

    __slots__ = ("_lists", "_offsets", "_valid", "_values", "type")

    type: str
    """``text``, ``int64``, ``float64``, ``bool``, or a list of one of them, such as ``list<text>``."""

    def __init__(self, values: Iterable[Any], type: str) -> None:
        rows: list[Any] = [None if row is np.ma.masked else row for row in values]
        if type not in tuple(_TYPES):
            raise ValueError(f"type: {type!r} is none of {', '.join(_TYPES)}")
        item = _TYPES[type]
        valid = None
        if any(row is None for row in rows):
            valid = np.fromiter((row is not None for row in rows), np.bool_, len(rows))
        lists = None
        if item != type:
            for i, row in enumerate(rows):
                if not (row is None or isinstance(row, (list, tuple, np.ndarray, Column))):
                    raise ValueError(f"row {i}: {row!r} is no list")
            lists = _offsets((0 if row is None else len(row) for row in rows), len(rows))
            rows = [element for row in rows if row is not None for element in row]
        elif valid is not None:
            fill: Any = _FILL[item]
            rows = [fill if row is None else row for row in rows]
        _check(rows, item, lists)
        if item == "text":
            data, offsets = encode_text(rows)
            self._set(type, data, offsets, lists, valid)
        else:
            self._set(type, np.array(rows, _DTYPES[item]), None, lists, valid)

    def _set(self, type: str, values: Array, offsets: Array | None, lists: Array | None, valid: Array | None) -> None:
        self.type = type
        self._values = values
        self._offsets = offsets
        self._lists = lists
        self._valid = valid

    @classmethod
    def make(
        cls,
        type: str,
        values: Array,
        offsets: Array | None = None,
        lists: Array | None = None,
        valid: Array | None = None,
    ) -> Self:
        """A column over arrays as the protocol has them; valid: bools."""
        column = cls.__new__(cls)
        column._set(type, values, offsets, lists, valid)  # noqa: SLF001
        return column

    @property
    def _rows(self) -> Array:
        """What has an entry for each row, and for offsets one more."""
        if self._lists is not None:
            return self._lists
        return self._values if self._offsets is None else self._offsets

    @property
    def _has_missing(self) -> bool:
        return self._valid is not None and not self._valid.all()

    def __len__(self) -> int:
        ends = self._lists is not None or self._offsets is not None
        return len(self._rows) - 1 if ends else len(self._rows)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        if not isinstance(index, slice):
            at = range(len(self))[index]
            return self._part(at, at + 1).tolist()[0]
        begin, end, step = index.indices(len(self))
        if step == 1:
            return self._part(begin, max(begin, end))
        return self._picked(range(begin, end, step))

    def _part(self, begin: int, end: int) -> Self:
        valid = None if self._valid is None else self._valid[begin:end]
        if self._lists is not None:
            return self.make(self.type, self._values, self._offsets, self._lists[begin : end + 1], valid)
        if self._offsets is not None:
            return self.make(self.type, self._values, self._offsets[begin : end + 1], None, valid)
        return self.make(self.type, self._values[begin:end], valid=valid)

    def _picked(self, rows: range) -> Column:
        values = self.tolist()
        return Column([values[row] for row in rows], self.type)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sequence) and not isinstance(other, (str, bytes)):
            return len(self) == len(other) and self.tolist() == list(other)  # pyright: ignore[reportUnknownArgumentType]
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:10]))
        more = f", ... {len(self)} in all" if len(self) > 10 else ""  # noqa: PLR2004
        return f"Column([{shown}{more}], {self.type!r})"

    def tolist(self) -> list[Any]:
        """All values, as Python's own."""
        items: list[Any]
        first = 0
        if self._lists is not None:
            first = int(self._lists[0])
            span = slice(first, int(self._lists[-1]))
        else:
            span = slice(None)
        if self._offsets is not None:
            bounds = self._offsets if span.stop is None else self._offsets[first : span.stop + 1]
            items = _decode_text(self._values, bounds)
        elif self.type in ("bool", "list<bool>"):
            items = self._values[span].astype(np.bool_).tolist()
        else:
            items = self._values[span].tolist()
        if self._lists is not None:
            ends: list[int] = (self._lists - first).tolist()
            items = [items[begin:end] for begin, end in zip(ends, ends[1:])]
        if self._valid is not None:
            return [item if there else None for item, there in zip(items, self._valid.tolist())]
        return items

    def to_numpy(self) -> Array:
        """An array: int64, float64 and bool without a copy, masked where some are missing; else of objects.

        ``numpy.asarray`` gives NaN for missing numbers where a float type is asked for, and else objects with None.
        """
        if self._lists is not None or self._offsets is not None:
            return _objects(self.tolist())
        values = self._values.view(np.bool_) if self.type == "bool" else self._values
        return np.ma.MaskedArray(values, ~self._valid) if self._has_missing else values  # type: ignore[operator]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """For numpy's functions. Missing values are NaN where floats are asked for, and else None among objects."""
        wanted = None if dtype is None else np.dtype(dtype)
        array = self.to_numpy()
        is_new = array.dtype == object
        if self._has_missing:
            if wanted is not None and wanted.kind not in "fO":
                raise ValueError(f"missing values cannot be {wanted}: float or object, or what to_numpy() gives")
            is_new = True
            if isinstance(array, np.ma.MaskedArray):
                is_float = wanted is not None and wanted.kind == "f"
                array = np.ma.filled(array.astype(wanted), np.nan) if is_float else _objects(self.tolist())
        if wanted is not None and array.dtype != wanted:
            array, is_new = array.astype(wanted), True
        if copy is False and is_new:
            raise ValueError("a copy is needed")
        return array.copy() if copy and not is_new else array

    def parts(self) -> dict[str, object]:
        """What the protocol calls a column: a map of arrays, each that is there, without what is not of these rows."""
        values, offsets, lists = self._values, self._offsets, self._lists
        if lists is not None and (lists[0] or lists[-1] < (len(values) if offsets is None else len(offsets) - 1)):
            first, last = int(lists[0]), int(lists[-1])
            lists = lists - first
            if offsets is None:
                values = values[first:last]
            else:
                offsets = offsets[first : last + 1]
        if offsets is not None and (offsets[0] or offsets[-1] < len(values)):
            values, offsets = values[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0]
        map_: dict[str, object] = {"type": self.type, "values": values}
        if offsets is not None:
            map_["offsets"] = offsets
        if lists is not None:
            map_["lists"] = lists
        if self._valid is not None:
            map_["valid"] = self._valid
        return map_

    def as_ids(self) -> Column:
        """The same as ids, if it is text without missing values."""
        if self.type != "text" or self._valid is not None:
            return self
        return Ids.make("text", self._values, self._offsets)

    @staticmethod
    def from_parts(parts: dict[str, Any]) -> Column:
        """The reverse, for replies."""
        type = parts.get("type")
        values: Array = parts["values"].ravel()
        offsets: Array | None = parts.get("offsets")
        lists: Array | None = parts.get("lists")
        valid: Array | None = parts.get("valid")
        if valid is not None:
            valid = valid.ravel().astype(np.bool_, copy=False)
        return Column.make(type or "text", values, offsets, lists, valid)


class Ids(Column):
    """Ids: a sequence of ``str`` that is decoded when it is looked at.

    Every function that takes ids takes any sequence of ``str``; one that is used again and again may be made
    ``Ids`` once.

    >>> ids = Ids(["apple", "pear", "plum"])
    >>> ids[1], ids[1:].tolist(), "plum" in ids, ids == ["apple", "pear", "plum"]
    ('pear', ['pear', 'plum'], True, True)
    """

    __slots__ = ()

    def __init__(self, ids: Iterable[str]) -> None:
        values: list[Any] = list(ids)
        try:
            data, offsets = encode_text(values)
        except TypeError:
            at = next(i for i, id in enumerate(values) if not isinstance(id, str))
            raise TypeError(f"position {at}: {values[at]!r} is no str") from None
        self._set("text", data, offsets, None, None)

    @overload
    def __getitem__(self, index: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        return super().__getitem__(index)

    def _picked(self, rows: range) -> Column:
        values = self.tolist()
        return Ids(values[row] for row in rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    def tolist(self) -> list[str]:
        """All ids."""
        return super().tolist()

    def __repr__(self) -> str:
        return super().__repr__().replace("Column", "Ids", 1).replace(", 'text'", "")
