# SPDX-License-Identifier: Apache-2.0
"""Metadata as one JSON text, which gives back what was given: values, types, and order.

What JSON has no form for is an object with ``$type``. Numbers of numpy come back as Python's, time zones as offsets.

>>> encode({"page": 3, "at": datetime.date(2024, 2, 29), "size": (1, 2.0)})
'{"page":3,"at":{"$type":"date","value":"2024-02-29"},"size":{"$type":"tuple","value":[1,2.0]}}'
>>> decode(encode({"page": 3, "at": datetime.date(2024, 2, 29), "size": (1, 2.0)}))
{'page': 3, 'at': datetime.date(2024, 2, 29), 'size': (1, 2.0)}
"""

from __future__ import annotations

import datetime
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, Callable
from uuid import UUID

import numpy as np

from .values import is_mapping, own

_TYPE, _VALUE = "$type", "value"


def _items(value: Any) -> list[Any]:
    return [_plain(item) for item in value]


def _duration(value: datetime.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


# A name, what is of it, how it is written, and how it is read; datetimes are dates as well, and come before.
_FORMS: list[tuple[str, type, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("tuple", tuple, _items, tuple),
    ("set", set, _items, set),
    ("frozenset", frozenset, _items, frozenset),
    ("bytes", bytes, lambda value: b64encode(value).decode("ascii"), b64decode),
    ("datetime", datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    ("date", datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    ("time", datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    ("timedelta", datetime.timedelta, _duration, lambda value: datetime.timedelta(*value)),
    ("decimal", Decimal, str, Decimal),
    ("uuid", UUID, str, UUID),
    ("path", PurePath, str, Path),
]
_READ: dict[str, Callable[[Any], Any]] = {name: read for name, _, _, read in _FORMS}
_READ["dict"] = dict


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if is_mapping(value):
        if _TYPE in value or not all(isinstance(key, str) for key in value):
            return {_TYPE: "dict", _VALUE: [[_plain(key), _plain(item)] for key, item in value.items()]}
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return _items(value)
    if isinstance(value, np.generic):
        return _plain(own(value))
    for name, kind, write, _ in _FORMS:
        if isinstance(value, kind):
            return {_TYPE: name, _VALUE: write(value)}
    raise TypeError(f"a value of type {type(value).__name__} cannot be kept")


def _revived(map_: dict[str, Any]) -> Any:
    read = _READ.get(map_.get(_TYPE, "")) if len(map_) == 2 and _VALUE in map_ else None  # noqa: PLR2004
    return map_ if read is None else read(map_[_VALUE])


def encode(metadata: Mapping[Any, Any]) -> str:
    """The text; TypeError names a key whose value has no form."""
    plain: Any = {}
    for key, value in metadata.items():
        try:
            plain[key] = _plain(value)
        except TypeError as error:
            raise TypeError(f"metadata: {key!r}: {error}: give text, numbers, lists or dicts") from error
    if _TYPE in plain or not all(isinstance(key, str) for key in plain):
        plain = _plain(metadata)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(plain, separators=(",", ":"))
    return text


def decode(text: object) -> dict[Any, Any] | None:
    """The metadata, or None for what ``encode`` has not written."""
    if not isinstance(text, str):
        return None
    try:
        metadata = json.loads(text, object_hook=_revived)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    return dict(metadata) if is_mapping(metadata) else None
