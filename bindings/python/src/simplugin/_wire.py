# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests and replies: MessagePack, and tensors beside it (docs/protocol.md, "The envelope")."""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import msgpack
import numpy as np
import numpy.typing as npt

from ._native import ffi
from ._typing import TypeGuard
from .columns import Column, Ids

Array = npt.NDArray[Any]

_EXT_TENSOR = 1
_BITS = 8
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.float64),
    3: np.dtype(np.float16),
    4: np.dtype(np.int64),
    5: np.dtype(np.uint64),
    6: np.dtype(np.int32),
    7: np.dtype(np.uint8),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_TENSOR = struct.Struct("=IIQQQQ24x")  # simplugin_tensor
_MATRIX_DIMENSIONS = 2
_WIDEST = 8
_SMALL, _EXACT = 2, 2**24  # of how many bytes, or how large, integers are that float32 has


class Handled:
    """Anything with a handle: a body may hold it itself."""

    __slots__ = ()

    handle: int


# ---- what users give ----


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _is_array(value: object) -> TypeGuard[Array]:
    return isinstance(value, np.ndarray)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _rows(value: Any) -> Array:
    """As an array of one of the types that vectors have."""
    is_lent = hasattr(value, "__dlpack__") and not _is_array(value)
    array: Array = np.from_dlpack(value) if is_lent else np.asanyarray(value)
    if np.ma.is_masked(array):
        raise ValueError("vectors: some of their numbers are masked")
    if array.dtype.kind in "iu":
        is_small = array.dtype.itemsize <= _SMALL or np.abs(array, dtype=np.float64).max(initial=0) <= _EXACT
        array = array.astype(np.float32 if is_small else np.float64)
    return array


def matrix(value: object) -> object:
    """Vectors as an array where they are one or have some, or an object that lends its memory; lists as they are.

    One dimension is one row.
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if _is_list(value):
        if all(map(_is_list, value)):
            return value
        if isinstance(value[0], (int, float)):
            return [value]
        value = list(map(_rows, value))
        if len({row.shape for row in value}) > 1:
            raise ValueError("vectors: rows of different lengths")
    array = _rows(value)
    if array.ndim not in (1, _MATRIX_DIMENSIONS):
        raise ValueError(f"vectors: an array of {array.ndim} dimensions is no matrix")
    return array[np.newaxis, :] if array.ndim == 1 else array


def ids(value: object, name: str = "ids") -> object:
    """Ids as one column; what is no sequence of them is left to the library."""
    if isinstance(value, (set, frozenset)):
        raise TypeError(f"{name}: a set has no order")
    if _is_array(value):
        if value.ndim != 1:
            raise ValueError(f"{name}: an array of {value.ndim} dimensions is no sequence")
        value = value.tolist()
    if isinstance(value, Column) or not _is_iterable(value):
        return value
    try:
        return Ids(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def _column_of_array(array: Array) -> object:
    """An array of numbers or bools as a column; anything else as a list."""
    valid: Array | None = None
    if array.dtype.kind in "Mm":
        raise ValueError(f"{array.dtype} is no type of fields: text, or int64 of a unit of yours")
    if isinstance(array, np.ma.MaskedArray):
        valid = ~np.ma.getmaskarray(array)
        if array.dtype.kind not in "ifb":
            return [value if there else None for value, there in zip(array.data.tolist(), valid.tolist())]
        array = array.filled(0)
    if array.ndim != 1 or array.dtype.kind not in "ifb" or array.dtype.itemsize > _WIDEST:
        values: list[Any] = array.tolist()
        return values
    if array.dtype.kind == "b":
        return Column.make("bool", np.ascontiguousarray(array).view(np.uint8), valid=valid)
    if array.dtype.kind == "i":
        return Column.make("int64", array.astype(np.int64, copy=False), valid=valid)
    return Column.make("float64", array.astype(np.float64, copy=False), valid=valid)


def fields(value: object) -> object:
    """Columns by name; the arrays among them typed as they are, lists for the library to look at."""
    if not _is_mapping(value):
        return value
    columns: dict[Any, object] = {}
    for name, column in value.items():
        try:
            columns[name] = _column_of_array(column) if _is_array(column) else column
        except ValueError as error:
            raise ValueError(f"fields: {name!r}: {error}") from None
    return columns


# ---- requests ----


class _Tensors:
    """The tensors of a request."""

    def __init__(self) -> None:
        self.headers: list[bytes] = []
        self.arrays: list[Array] = []  # alive until the call returns

    def _name(self, code: int, array: Array, rows: int, cols: int, stride: int) -> msgpack.ExtType:
        address: int = array.__array_interface__["data"][0]
        self.headers.append(_TENSOR.pack(code, 0, address, rows, cols, stride))
        self.arrays.append(array)
        return msgpack.ExtType(_EXT_TENSOR, (len(self.headers) - 1).to_bytes(4, "big"))

    def add(self, array: Array) -> msgpack.ExtType:
        """A matrix as it lies in memory, if its rows are without gaps inside and do not overlap; else copied."""
        if array.ndim != _MATRIX_DIMENSIONS:
            raise ValueError(f"an array of {array.ndim} dimensions is no matrix")
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype == np.bool_:
            return self._name(_BITS, np.packbits(array, axis=1, bitorder="little"), array.shape[0], array.shape[1], 0)
        code = _CODES.get(array.dtype)
        if code is None:
            raise TypeError(f"an array of {array.dtype} cannot be sent: float32, float64 or float16 for vectors")
        rows, cols = array.shape
        item = array.dtype.itemsize
        stride, inner = array.strides
        is_plain = array.flags.c_contiguous or (
            (cols <= 1 or inner == item) and (rows <= 1 or (stride >= cols * item and stride % item == 0))
        )
        if not is_plain or not array.flags.aligned:
            array = np.array(array, order="C")
        return self._name(code, array, rows, cols, array.strides[0] if rows > 1 and cols else 0)

    def add_column(self, column: Column) -> dict[str, object]:
        """A column, as its parts."""
        body: dict[str, object] = {}
        for key, part in column.parts().items():
            if _is_array(part):
                is_row = key == "valid" or (key == "values" and column.type.endswith(("text", "text>")))
                body[key] = self.add(part[np.newaxis, :] if is_row else part[:, np.newaxis])
            else:
                body[key] = part
        return body

    def default(self, value: object) -> object:
        """What msgpack asks for values that it does not know."""
        if isinstance(value, Column):
            return self.add_column(value)
        if _is_array(value):
            if value.ndim == 0:
                return value.tolist()
            if value.ndim == 1:
                value = value[np.newaxis, :] if value.dtype.kind in "fb" else value[:, np.newaxis]
            return self.add(value)
        if isinstance(value, int):
            raise ValueError(f"{value} is beyond 64 bits")
        if isinstance(value, np.generic):
            scalar = cast(Any, value)
            if scalar.dtype.kind in "Mm":
                raise TypeError(f"a {scalar.dtype} cannot be sent")
            return scalar.tolist()
        if isinstance(value, Handled):
            return value.handle
        if _is_mapping(value):
            return dict(value)
        if _is_iterable(value):
            return list(value)
        raise TypeError(f"a {type(value).__name__} cannot be sent")


def _culprit(body: Mapping[str, object]) -> str:
    """Which argument cannot be sent."""
    for key, value in body.items():
        try:
            msgpack.packb(value, default=_Tensors().default, unicode_errors="surrogatepass")
        except (OverflowError, TypeError, ValueError):
            return f"{key}: "
    return ""


class Request:
    """A body and its tensors, ready to be sent."""

    __slots__ = ("_keep", "body", "count", "tensors")

    def __init__(self, body: Mapping[str, object] | None) -> None:
        self.body = self.tensors = b""
        self.count = 0
        if body:
            tensors = _Tensors()
            try:
                self.body = msgpack.packb(body, default=tensors.default, unicode_errors="surrogatepass")
            except (OverflowError, TypeError, ValueError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(f"{_culprit(body)}{error}") from None
            if tensors.headers:
                self.tensors = b"".join(tensors.headers)
                self.count = len(tensors.headers)
                self._keep = tensors.arrays


EMPTY = Request(None)

# ---- replies ----

_unpack = ffi.unpack
_unpackb = msgpack.unpackb


def _array(tensor: Any, hold: Any) -> Array:
    """An array over the reply's own memory."""
    rows: int = tensor.rows
    cols: int = tensor.cols
    if tensor.dtype == _BITS:
        width = (cols + 7) // 8
        packed = np.frombuffer(ffi.buffer(tensor.data, rows * width), np.uint8).reshape(rows, width)
        return np.unpackbits(packed, axis=1, count=cols, bitorder="little")
    dtype = _DTYPES[tensor.dtype]
    if not rows or not cols:
        return np.empty((rows, cols), dtype)
    width = cols * dtype.itemsize
    stride = tensor.row_stride or width
    memory: Any = ffi.buffer(ffi.gc(tensor.data, hold), stride * (rows - 1) + width)
    return np.ndarray((rows, cols), dtype, memory, 0, (stride, dtype.itemsize))


_IDS = frozenset(
    ("ids", "sample_ids", "existing", "missing", "neighbors", "unique_ids", "duplicate_ids", "neighbor_ids")
)


def _map(map_: dict[Any, Any]) -> Any:
    """A map of a reply: its columns become columns, and what has one column is an array of one dimension."""
    for key, value in map_.items():
        if _is_array(value):
            if key != "vectors" and value.shape[1] == 1:
                map_[key] = value[:, 0]
        elif key in _IDS and isinstance(value, Column):
            map_[key] = value.as_ids()
    return Column.from_parts(map_) if _is_array(map_.get("values")) else map_


def body_only(answer: Any) -> dict[str, Any]:
    """The body of a reply without tensors."""
    size = answer.body_size
    if not size:
        return {}
    reply: dict[str, Any] = _unpackb(_unpack(answer.body, size))
    return reply


def with_tensors(answer: Any) -> dict[str, Any]:
    """A reply whose arrays own the answer."""
    # What cffi calls when nobody refers to a tensor's memory any more: it need only hold the answer until then, and be
    # no Python code, in which KeyboardInterrupt would be raised and lost.
    hold = partial(operator.is_, answer)
    tensors = answer.tensors

    def extension(code: int, data: bytes) -> object:
        return (
            _array(tensors[int.from_bytes(data, "big")], hold) if code == _EXT_TENSOR else msgpack.ExtType(code, data)
        )

    reply: dict[str, Any] = msgpack.unpackb(
        ffi.buffer(answer.body, answer.body_size),
        ext_hook=extension,
        object_hook=_map,
    )
    return reply
