# SPDX-License-Identifier: Apache-2.0
"""Which backends of FiftyOne are simplugin's."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import fiftyone.brain as fb
from fiftyone.brain.config import BrainConfig, locate_brain_config

OURS = {
    "sklearn": "simplugin.fiftyone.SklearnSimilarityConfig",
    "milvus": "simplugin.fiftyone.MilvusSimilarityConfig",
    "qdrant": "simplugin.fiftyone.QdrantSimilarityConfig",
}
KEY = "config_cls"


def class_of(backend: str) -> str:
    """The name of the configuration class of a backend."""
    return OURS.get(backend, f"simplugin.fiftyone.backends.{backend}SimilarityConfig")


def config_path() -> Path:
    """FiftyOne's brain configuration file."""
    return Path(locate_brain_config())


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a JSON object")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600  # it may hold passwords
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=4)
            file.write("\n")
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def enable(*backends: str) -> None:
    """Makes simplugin stand behind backends of FiftyOne, from now on and in every process of this user.

    It writes ``config_cls`` of each into the brain configuration file, and leaves all else there as it is.

    Args:
        *backends: names such as ``"milvus"``, or of any other backend that is installed; none: sklearn, milvus, qdrant
    """
    path = config_path()
    content = _read(path)
    entries = content.setdefault("similarity_backends", {})
    for backend in backends or OURS:
        entries.setdefault(backend, {})[KEY] = class_of(backend)
        fb.brain_config.similarity_backends.setdefault(backend, {})[KEY] = class_of(backend)
    _write(path, content)


def disable(*backends: str) -> None:
    """Takes back what :func:`enable` did.

    Args:
        *backends: names of backends; none: all that are simplugin's
    """
    path = config_path()
    content = _read(path)
    entries = content.get("similarity_backends", {})
    names = backends or tuple({*entries, *fb.brain_config.similarity_backends})
    for backend in names:
        for configured in (entries, fb.brain_config.similarity_backends):
            if configured.get(backend, {}).get(KEY) == class_of(backend):
                del configured[backend][KEY]
        if entries.get(backend) == {}:
            del entries[backend]
        theirs = BrainConfig._BUILTIN_SIMILARITY_BACKENDS.get(backend)
        if theirs is None and fb.brain_config.similarity_backends.get(backend) == {}:
            del fb.brain_config.similarity_backends[backend]
        elif theirs is not None:
            fb.brain_config.similarity_backends.setdefault(backend, {}).setdefault(KEY, theirs[KEY])
    if "similarity_backends" in content and not entries:
        del content["similarity_backends"]
    if path.exists():
        _write(path, content)
