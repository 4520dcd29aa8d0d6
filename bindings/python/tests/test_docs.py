# SPDX-License-Identifier: Apache-2.0
"""The README and the docstrings are programs, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import simplugin

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
    assert result.failed == 0


def test_fruit() -> None:
    """The program that all languages have."""
    assert output_of((TOP / "examples" / "fruit.py").read_text("utf-8")) == "pear 0.000\napple 0.006\n"


def test_everything_is_documented() -> None:
    """What the package exports has a docstring."""
    for name in simplugin.__all__:
        assert getattr(simplugin, name).__doc__, name
    assert simplugin.version() == simplugin.__version__
