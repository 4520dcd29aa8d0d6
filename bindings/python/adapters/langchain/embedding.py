# SPDX-License-Identifier: Apache-2.0
"""Embeddings for the tests: a real model, and vectors that tests know by heart."""

from __future__ import annotations

import asyncio
import hashlib

import numpy as np
from langchain_core.embeddings import Embeddings
from minilm import MiniLM


class MiniLMEmbeddings(Embeddings):
    """all-MiniLM-L6-v2."""

    def __init__(self) -> None:
        self._model = MiniLM()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        vectors: list[list[float]] = self._model.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text."""
        return self.embed_documents([text])[0]


class Places(Embeddings):
    """Of a text such as ``"1 0.5 -2 the rest"`` the numbers it begins with; of any other a random place of its own."""

    dimension = 3

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text."""
        words = text.split()[: self.dimension]
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) == self.dimension:
            return numbers
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        vector = np.random.default_rng(list(digest)).normal(size=self.dimension)
        found: list[float] = (vector / np.linalg.norm(vector)).tolist()
        return found


class Counted(Places):
    """The same, that says which of its functions were called, and waits as a server would."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        self.calls.append(f"embed_documents({len(texts)})")
        return [super(Counted, self).embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text."""
        self.calls.append("embed_query")
        return super().embed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text."""
        self.calls.append(f"aembed_documents({len(texts)})")
        await asyncio.sleep(0)
        return [super(Counted, self).embed_query(text) for text in texts]

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of a text."""
        self.calls.append("aembed_query")
        await asyncio.sleep(0)
        return super().embed_query(text)
