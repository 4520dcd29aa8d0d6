# SPDX-License-Identifier: Apache-2.0
"""How documents lie in an index: which of its fields holds what.

A document has its text in one field and its metadata, as JSON, in another: it is read from these two. Beside them
every value of metadata that a field can hold is in one, so that filters find it: that of key ``page`` in the field
``page``, or, where that is of another type, in ``meta:TYPE.page``. Of keys that a backend may have for itself the field
is ``meta.KEY``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..columns import Column
from .values import TYPES, common, fitted, typed

FIELDS_MAX = 200
"""That one request can have."""

_NAME_MAX = 255
_TAKEN = {"sample_id", "pk", "vector"}


@dataclass(frozen=True)
class Layout:
    """The names of the fields, and the types that were declared."""

    text_field: str = "text"
    metadata_field: str = "metadata"
    declared: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of metadata keys."""

    def __post_init__(self) -> None:
        if self.text_field == self.metadata_field:
            raise ValueError(f"text_field and metadata_field are both {self.text_field!r}")
        for key, type_ in self.declared.items():
            if type_ not in TYPES:
                raise ValueError(f"fields: {key!r}: there is no type {type_!r}; there are {', '.join(TYPES)}")
            if self.name(key) is None:
                raise ValueError(f"fields: {key!r} cannot be the name of a field")

    def name(self, key: object) -> str | None:
        """The field of a metadata key, if it can have one."""
        if not isinstance(key, str):
            return None
        taken = key in _TAKEN or key in (self.text_field, self.metadata_field)
        prefix = "meta." if taken or not key or key.startswith(("__", "meta.", "meta:")) else ""
        return _name(prefix + key)

    def other(self, key: str, type_: str) -> str | None:
        """The field of a key's values of that type, where the key's own field is of another."""
        return _name("meta:" + type_ + "." + key)

    def declared_fields(self) -> dict[str, str]:
        """What was declared, by the fields' names."""
        return {name: type_ for key, type_ in self.declared.items() if (name := self.name(key))}

    def columns(self, metadatas: Sequence[Mapping[Any, Any]], known: Mapping[str, str]) -> dict[str, Column]:
        """The columns of metadata; known: the types that fields have already."""
        cells: dict[str, dict[int, tuple[str, Any]]] = {}
        for row, metadata in enumerate(metadatas):
            for key, value in metadata.items():
                found = typed(value)
                if found is not None and self.name(key) is not None:
                    cells.setdefault(key, {})[row] = found
        columns = _Columns(len(metadatas))
        for key, rows in cells.items():
            name = self.name(key) or ""
            type_ = self.declared.get(key) or known.get(name) or common(found for found, _ in rows.values())
            for row, (own, value) in rows.items():
                same = fitted(value, own, type_)
                if same is not None:
                    columns.put(name, type_, row, same)
                elif key in self.declared:
                    raise ValueError(f"metadata: {key!r} is declared as {type_}, and {value!r} is {own}")
                else:
                    columns.put(self.other(key, common([own])), common([own]), row, value)
        return columns.made()

    def fields(
        self,
        texts: Sequence[str],
        encoded: Sequence[str],
        metadatas: Sequence[Mapping[Any, Any]],
        known: Mapping[str, str],
    ) -> dict[str, Column]:
        """All fields of documents, those that they are read from first."""
        own = {self.text_field: Column(texts, "text"), self.metadata_field: Column(encoded, "text")}
        return {**own, **self.columns(metadatas, known)}


def _name(name: str) -> str | None:
    try:
        return name if len(name.encode()) <= _NAME_MAX and "\0" not in name else None
    except UnicodeEncodeError:
        return None


class _Columns:
    """Columns that are filled value by value."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._types: dict[str, str] = {}
        self._values: dict[str, list[Any]] = {}

    def put(self, name: str | None, type_: str, row: int, value: Any) -> None:
        if name is not None:
            self._types[name] = type_
            self._values.setdefault(name, [None] * self._count)[row] = value

    def made(self) -> dict[str, Column]:
        return {name: Column(values, self._types[name]) for name, values in self._values.items()}
