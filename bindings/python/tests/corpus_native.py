# SPDX-License-Identifier: Apache-2.0
"""Which function of the package makes a call of the corpus, and its result as the reply that the protocol lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from corpus_values import HALF, Json

import simplugin
from simplugin import Connection, Copy, Handle, Index, Points, Scan, Session, View
from simplugin.results import Duplicates, Hits, Neighbors

Function = Callable[..., Any]


def _attributes(result: object, *names: str) -> dict[str, Any]:
    return {name: getattr(result, name) for name in names}


_INDEX = (
    "backend",
    "collection_name",
    "dimension",
    "metric",
    "brain_key",
    "dataset",
    "existing",
    "patches_field",
    "patches",
    "model",
    "supports_prompts",
)
_HITS = ("offsets", "ids", "distances", "scores", "sample_ids", "vectors")


def reply_of(method: str, result: Any) -> dict[str, Any]:
    """The reply that a result was made of."""
    if isinstance(result, Index):
        return {"index": result.handle, **_attributes(result, *_INDEX)}
    if isinstance(result, Copy):
        of_index = _attributes(result.index, "backend", "collection_name")
        return {
            "copy": result.handle,
            "index": result.index.handle,
            **of_index,
            **_attributes(result, "total", "resumed", "losses"),
        }
    if isinstance(result, View):
        return {"view": result.handle, "known": result.known}
    if isinstance(result, Handle):
        name = method.split(".", maxsplit=1)[0]
        return {name: result.handle, **({"backend": result.backend} if isinstance(result, Connection) else {})}
    if isinstance(result, Hits):
        return {**_attributes(result, *_HITS), "fields": result.fields or None}
    if isinstance(result, Points):
        names = _attributes(result, "ids", "sample_ids", "vectors")
        return {**names, "missing": result.missing, "fields": result.fields or None}
    if isinstance(result, Neighbors):
        return _attributes(result, "ids", "offsets", "neighbors", "distances", "scores")
    if isinstance(result, Duplicates):
        return _attributes(result, "unique_ids", "duplicate_ids", "neighbor_ids", "distances", "threshold")
    if isinstance(result, dict):
        return result
    return {
        {"index.size": "size", "index.cleanup": "dropped", "runs.list": "runs", "metrics.render": "text"}[
            method
        ]: result
    }


def _runs(name: str) -> Function:
    return lambda session, **arguments: getattr(session.runs, name)(**arguments)


def _next(scan: Scan, **options: Any) -> dict[str, Any]:
    points = scan.next(**options)
    return {**reply_of("", points), "done": scan.done}


def _open_copy(session: Session, dry_run: bool | None = None, **arguments: Any) -> Any:
    return session.copy_dry_run(**arguments) if dry_run else session.open_copy(**arguments)


def _close(handle: Handle, **options: Any) -> dict[str, Any]:
    handle.close()
    return {}


# method -> kind of its target -> function, and the keys it takes
_METHODS: dict[tuple[str, type[Handle]], tuple[Function, str]] = {
    ("session.open", Session): (
        lambda session, **arguments: Session(**arguments),
        "config_path plugin_path data_dir environment",
    ),
    ("session.close", Session): (_close, ""),
    ("config.resolve", Session): (Session.resolve, "backend parameters"),
    ("config.explain", Session): (Session.explain, "backend parameters load"),
    ("backends.list", Session): (Session.backends, ""),
    ("backends.describe", Session): (Session.describe, "backend!"),
    ("connection.open", Session): (Session.connect, "backend parameters"),
    ("connection.close", Connection): (_close, ""),
    ("health", Connection): (Connection.health, ""),
    ("health", Index): (Index.health, ""),
    ("backend.call", Connection): (Connection.backend_call, "method! body"),
    ("backend.call", Index): (Index.backend_call, "method! body"),
    ("index.create", Session): (
        Session.create_index,
        "dataset brain_key backend collection_name dimension metric patches_field model supports_prompts fields "
        "parameters overwrite",
    ),
    ("index.open", Session): (Session.open_index, "dataset brain_key backend collection_name parameters"),
    ("index.close", Index): (_close, ""),
    ("index.info", Index): (Index.info, ""),
    ("index.add", Index): (
        Index.add,
        "ids! vectors! sample_ids fields overwrite allow_existing warn_existing duplicates parameters",
    ),
    ("index.set_fields", Index): (Index.set_fields, "ids! fields!"),
    ("index.remove", Index): (Index.remove, "ids sample_ids filter all allow_missing warn_missing"),
    ("index.get", Index): (Index.get, "ids sample_ids vectors fields allow_missing warn_missing"),
    ("index.search", Index): (
        Index.search,
        "vectors ids text k reverse aggregation view filter exclude_self max_distance min_score mmr fields "
        "with_vectors parameters",
    ),
    ("index.radius", Index): (
        Index.radius,
        "vectors ids radius! limit view filter exclude_self fields with_vectors parameters",
    ),
    ("index.neighbors", Index): (Index.neighbors, "k radius view parameters"),
    ("index.duplicates", Index): (Index.duplicates, "threshold fraction view"),
    ("index.unique", Index): (Index.unique, "count! view"),
    ("index.size", Index): (Index.size, "filter"),
    ("index.cleanup", Index): (Index.cleanup, ""),
    ("index.check", Index): (Index.check, ""),
    ("index.compact", Index): (Index.compact, ""),
    ("index.backup", Index): (lambda index, **a: index.backup(**a) or {}, "path!"),
    ("view.create", Index): (Index.view, "ids sample_ids filter"),
    ("view.close", View): (_close, ""),
    ("scan.open", Index): (Index.scan, "vectors fields filter view max_rows"),
    ("scan.next", Scan): (_next, ""),
    ("scan.close", Scan): (_close, ""),
    ("runs.list", Session): (_runs("list"), "dataset where"),
    ("runs.info", Session): (_runs("info"), "dataset brain_key!"),
    ("runs.load", Session): (_runs("load"), "dataset brain_key! parameters"),
    ("runs.rename", Session): (lambda s, **a: s.runs.rename(**a) or {}, "dataset brain_key! new_brain_key!"),
    ("runs.delete", Session): (lambda s, **a: s.runs.delete(**a) or {}, "dataset brain_key!"),
    ("copy.open", Session): (
        _open_copy,
        "source! target! dry_run verify sample_size resume batch_bytes mixed_fields",
    ),
    ("copy.next", Copy): (Copy.next, ""),
    ("copy.close", Copy): (_close, ""),
    ("metrics.render", Session): (Session.metrics, ""),
}

used: Counter[str] = Counter()
"""How many calls each function made; and under "call" those of the generic one."""


def never_used() -> list[str]:
    """The functions that no case went through."""
    return [f"{method} of {kind.__name__}" for method, kind in _METHODS if not used[f"{method} {kind.__name__}"]]


def _is_ids(value: Json) -> bool:
    if isinstance(value, list):
        return all(isinstance(id, str) and not HALF.search(id) for id in value)
    return value is None or isinstance(value, simplugin.Column)


def _is_vectors(value: Json) -> bool:
    if isinstance(value, list):
        return all(isinstance(row, list) for row in value)
    return value is None or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def _fits(method: str, key: str, value: Json) -> bool:
    """Whether a value is of the type that the function declares."""
    if key in ("ids", "sample_ids"):
        return _is_ids(value)
    if key == "vectors" and method in ("index.add", "index.search", "index.radius"):
        return _is_vectors(value)
    if key in ("view", "source"):
        return isinstance(value, Handle)
    if key in ("fields", "parameters", "target", "where", "environment", "mmr") and method != "index.get":
        return isinstance(value, (dict, list, bool))
    return True


def find(method: str, target: Handle | None, body: Mapping[str, Any], is_failing: bool) -> tuple[str, Function] | None:
    """The function that makes this call with these keys, if there is one; close() never fails."""
    kind = next((kind for kind in (Session, Connection, Index, View, Scan, Copy) if isinstance(target, kind)), None)
    if kind is None or (method, kind) not in _METHODS or target is None:
        return None
    if target.closed:
        return None
    function, words = _METHODS[method, kind]
    if function is _close and is_failing:
        return None
    takes = {word.rstrip("!"): word.endswith("!") for word in words.split()}
    if any(key not in takes or not _fits(method, key, value) for key, value in body.items()):
        return None
    if any(required and body.get(key) is None for key, required in takes.items()):
        return None
    return f"{method} {kind.__name__}", function
