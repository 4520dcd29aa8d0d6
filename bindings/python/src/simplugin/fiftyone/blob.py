# SPDX-License-Identifier: Apache-2.0
"""A whole index in the results of its run: raw float32 rows, in base64 as the results are JSON."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Blob(NamedTuple):
    """Vectors and their ids; label_ids in an index of patches."""

    embeddings: Any
    sample_ids: list[str]
    label_ids: list[str] | None


def _text(ids: list[str] | None) -> str | None:
    return None if ids is None else "\n".join(ids)


def _ids(text: str | None) -> list[str] | None:
    return None if text is None else text.split("\n") if text else []


def pack(blob: Blob) -> dict[str, Any]:
    """The results' part of a run; its token tells one content from another."""
    rows = np.ascontiguousarray(blob.embeddings, "<f4")
    samples, labels = _text(blob.sample_ids), _text(blob.label_ids)
    digest = hashlib.blake2b(repr(rows.shape).encode(), digest_size=16)
    for part in (samples or "", "\0", labels or ""):
        digest.update(part.encode())
    if rows.size:
        digest.update(rows.data)
    return {
        "token": digest.hexdigest(),
        "shape": list(rows.shape),
        "embeddings_f32": base64.b64encode(rows.data if rows.size else b"").decode("ascii"),
        "sample_ids_text": samples,
        "label_ids_text": labels,
    }


def unpack(stored: Mapping[str, Any]) -> Blob:
    """And back; raises ValueError where sizes do not agree."""
    rows = np.frombuffer(base64.b64decode(stored["embeddings_f32"]), "<f4").reshape(stored["shape"])
    samples, labels = _ids(stored["sample_ids_text"]) or [], _ids(stored["label_ids_text"])
    if len(samples) != len(rows) or (labels is not None and len(labels) != len(rows)):
        raise ValueError(f"the run's results have {len(rows)} embeddings for {len(samples)} IDs")
    return Blob(rows, samples, labels)
