# SPDX-License-Identifier: Apache-2.0
"""The README and the docstrings are programs, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

import simplugin
from simplugin import aio

TOP = Path(__file__).resolve().parents[1]
MODULES = ["simplugin", *(f"simplugin.{name}" for name in ("aio", "cancel", "columns", "errors", "index", "log"))]


def output_of(program: str) -> str:
    """What it prints, in a process of its own."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    """Every example of a module."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_readme() -> None:
    """Its first program as it stands, and the examples below."""
    text = (TOP / "README.md").read_text("utf-8")
    found = re.search(r"<!-- runs -->\n```python\n(.*?)```\n.*?<!-- prints -->\n```text\n(.*?)```", text, re.DOTALL)
    assert found
    assert output_of(found.group(1)) == found.group(2)
    result = doctest.testfile(str(TOP / "README.md"), module_relative=False)
    assert result.attempted > 10
    assert "](../" not in text  # which leads nowhere on a package index
    assert result.failed == 0


def test_fruit() -> None:
    """The program that all languages have."""
    assert output_of((TOP / "examples" / "fruit.py").read_text("utf-8")) == "pear 0.000\napple 0.006\n"


PUBLIC: list[Any] = [
    *(getattr(simplugin, name) for name in simplugin.__all__),
    *(
        member
        for module in (simplugin, aio)
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__.startswith("simplugin.")
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and (not name.startswith("_") or name == "__init__")
    ),
    *(function for function in vars(aio).values() if inspect.iscoroutinefunction(function)),
]


def test_type_hints() -> None:
    """Can be asked for at run time, of everything."""
    asked = [one for one in PUBLIC if inspect.isclass(one) or inspect.isroutine(one)]
    assert len(asked) > 150
    for one in asked:
        typing.get_type_hints(one)
    assert typing.get_type_hints(simplugin.Index.search)["k"] == typing.Optional[int]


def test_arguments_are_described() -> None:
    """Each of a function with more than two."""
    described = 0
    for one in PUBLIC:
        if not inspect.isfunction(one) or "simplugin." not in one.__module__ or one.__qualname__.startswith("_"):
            continue
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        names = [name for name, parameter in inspect.signature(one).parameters.items() if parameter.kind not in kinds]
        if len(names) < 4 or one.__qualname__.split(".")[0] not in ("Index", "Session", "Runs") or "reply" in names:
            continue  # with self
        described += 1
        for name in names[1:]:
            assert re.search(rf"^ +{name}( \(.*\))?: ", one.__doc__ or "", re.MULTILINE), (one.__qualname__, name)
    assert described > 15


def test_everything_is_documented() -> None:
    """What the package exports has a docstring."""
    for name in simplugin.__all__:
        assert getattr(simplugin, name).__doc__, name
    assert simplugin.version() == simplugin.__version__
