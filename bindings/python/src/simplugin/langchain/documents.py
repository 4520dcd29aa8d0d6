# SPDX-License-Identifier: Apache-2.0
"""Documents as they are read from an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document

from .codec import decode
from .layout import Layout

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._call import Options
    from ..columns import Column, Ids
    from ..index import Index


def documents(
    index: Index, layout: Layout, ids: Ids, fields: Mapping[str, Column], **options: Unpack[Options]
) -> list[Document]:
    """The documents of points whose text and metadata fields were asked for.

    Points that somebody else added have no metadata field: their metadata is all of their fields.
    """
    names = ids.tolist()
    texts = _values(fields, layout.text_field, len(names))
    metadatas = [decode(text) for text in _values(fields, layout.metadata_field, len(names))]
    foreign = [id for id, metadata in zip(names, metadatas) if metadata is None]
    others: dict[str, dict[str, Any]] = {}
    if foreign:
        for row in index.get(foreign, vectors=False, fields=True, **options):
            others[row.id] = {
                name: value for name, value in row.fields.items() if value is not None and name != layout.text_field
            }
    return [
        Document(
            id=id,
            page_content=text if isinstance(text, str) else "",
            metadata=others.get(id, {}) if metadata is None else metadata,
        )
        for id, text, metadata in zip(names, texts, metadatas)
    ]


def _values(fields: Mapping[str, Column], name: str, count: int) -> list[Any]:
    column = fields.get(name)
    return [None] * count if column is None else column.tolist()
