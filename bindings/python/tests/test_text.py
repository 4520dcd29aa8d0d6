# SPDX-License-Identifier: Apache-2.0
"""R282: text queries through an embedding function of the user's."""

from __future__ import annotations

import pytest

import simplugin

WORDS = {"east": [1.0, 0.0], "north": [0.0, 1.0]}


def embed(texts: list[str]) -> list[list[float]]:
    """A model."""
    return [WORDS[text] for text in texts]


def test_with_a_function(session: simplugin.Session) -> None:
    """Given when the index is made or opened, or set later."""
    with session.create_index(metric="cosine", model="compass", brain_key="text", embed=embed) as index:
        index.add(["a", "b"], [[1, 0], [0, 1]])
        assert index.search(text="north", k=1).ids == ["b"]
        assert index.search(text=["east", "north"], k=1).ids == ["a", "b"]
        assert index.search(text="east", k=1, reverse=True).ids == ["b"]
    with session.runs.load("text", embed=embed) as index:
        assert index.model == "compass"
        assert index.search(text="north", k=1).ids == ["b"]
    with session.open_index("text") as index:
        index.embed = embed
        assert index.search(text=("north",), k=1).ids == ["b"]
        with pytest.raises(KeyError, match="west"):
            index.search(text="west")


@pytest.mark.parametrize("text", ["north", ["north", "east"]])
def test_without(session: simplugin.Session, text: str | list[str]) -> None:
    """The library names the model."""
    with session.create_index(metric="cosine", model="compass") as index:
        index.add(["a"], [[1, 0]])
        with pytest.raises(simplugin.PromptUnsupported, match="compass"):
            index.search(text=text)
