# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests and replies: MessagePack, and tensors beside it (docs/protocol.md, "The envelope")."""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgpack
import numpy as np
import numpy.typing as npt

from ._native import ffi
from .columns import Column, Ids

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

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


class Handled:
    """Anything with a handle: a body may hold it itself."""

    __slots__ = ("__weakref__",)

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


def matrix(value: object) -> object:
    """Vectors as an array where they are one, or an object that lends its memory; lists as they are.

    One dimension is one row.
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if _is_list(value):
        if not value or _is_list(value[0]):
            return value
        if isinstance(value[0], (int, float)):
            return [value]
    elif hasattr(value, "__dlpack__") and not _is_array(value):
        value = np.from_dlpack(value)  # pyright: ignore[reportArgumentType]
    array: Array = np.asarray(value)
    return array[np.newaxis, :] if array.ndim == 1 else array


def ids(value: object) -> object:
    """Ids as one column; what is no sequence of them is left to the library."""
    if _is_array(value):
        return Ids(value.tolist())
    return Ids(value) if _is_iterable(value) and not isinstance(value, Column) else value


def _column_of_array(array: Array) -> object:
    """An array of numbers or bools as a column; anything else as a list."""
    valid: Array | None = None
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
    return {name: _column_of_array(column) if _is_array(column) else column for name, column in value.items()}


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
        if isinstance(value, np.generic):
            return cast(Any, value).tolist()
        if isinstance(value, Handled):
            return value.handle
        if _is_mapping(value):
            return dict(value)
        if _is_iterable(value):
            return list(value)
        raise TypeError(f"a {type(value).__name__} cannot be sent")


class Request:
    """A body and its tensors, ready to be sent."""

    __slots__ = ("_keep", "body", "count", "tensors")

    def __init__(self, body: Mapping[str, object] | None) -> None:
        self.body = self.tensors = b""
        self.count = 0
        if body:
            tensors = _Tensors()
            self.body = msgpack.packb(body, default=tensors.default, unicode_errors="surrogatepass")
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
