# SPDX-License-Identifier: Apache-2.0
"""The forward pass gives what the model is known to give."""

from __future__ import annotations

import doctest
import math
import time

import minilm
import numpy as np
import pytest
from embedding import MiniLMEmbeddings

# published by the model's authors, in the documentation of sentence-transformers
KNOWN = [
    ("The weather is lovely today.", "It's so sunny outside!", 0.6660),
    ("The weather is lovely today.", "He drove to the stadium.", 0.1046),
    ("It's so sunny outside!", "He drove to the stadium.", 0.1411),
    ("The cat sits outside", "The dog plays in the garden", 0.2838),
    ("A man is playing guitar", "A woman watches TV", -0.0327),
    ("The new movie is awesome", "The new movie is so great", 0.8939),
]


@pytest.fixture(scope="module")
def model(minilm: MiniLMEmbeddings) -> minilm.MiniLM:
    """The model."""
    return minilm._model


def test_known_numbers(model: minilm.MiniLM) -> None:
    """Similarities that the authors print, to their last digit."""
    for one, other, similarity in KNOWN:
        a, b = model.encode([one, other])
        assert float(a @ b) == pytest.approx(similarity, abs=6e-5)


def test_whatever_the_batch(model: minilm.MiniLM) -> None:
    """A text's vector does not depend on its neighbors, and has length 1."""
    texts = [
        "a",
        "",
        "one two three",
        "😀 东京",
        "ÀÉÎ naïve",
        "x" * 300,
        "word " * 700,
        "[MASK] [SEP]",
        "one two three",
    ]
    vectors = model.encode(texts)
    assert vectors.shape == (9, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for text, vector in zip(texts, vectors):
        assert np.abs(model.encode([text])[0] - vector).max() < 1e-5
    assert np.array_equal(vectors[2], vectors[8])
    assert model.encode([]).shape == (0, 384)


def test_tokens(model: minilm.MiniLM) -> None:
    """As BERT without case has them, cut where the model's settings say."""
    assert model.tokens(["Hello, WORLD!"]) == [[101, 7592, 1010, 2088, 999, 102]]
    assert len(model.tokens(["word " * 700])[0]) == 256


def test_gelu() -> None:
    """Against the error function of Python."""
    x = np.linspace(-6, 6, 1001, dtype=np.float32)
    exact = [float(v) * 0.5 * (1 + math.erf(float(v) / math.sqrt(2))) for v in x]
    assert np.abs(minilm._gelu(x) - exact).max() < 1e-6


def test_order(model: minilm.MiniLM) -> None:
    """What is about the same thing is nearer than what is not."""
    texts = [
        "a red apple",
        "ripe fruit on a tree",
        "a fast car",
        "an engine with cylinders",
        "stock markets fell",
    ]
    similar = model.encode(texts) @ model.encode(["apples and pears", "a journey by car", "shares at the exchange"]).T
    assert similar.argmax(axis=0).tolist() in ([1, 2, 4], [0, 2, 4])


def test_quick(model: minilm.MiniLM) -> None:
    """100 short texts in seconds."""
    begin = time.process_time()
    model.encode([f"a sentence about the number {n} and nothing else" for n in range(100)])
    assert time.process_time() - begin < 10


def test_docstring() -> None:
    """Its example."""
    assert doctest.testmod(minilm).failed == 0
