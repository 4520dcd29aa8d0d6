# SPDX-License-Identifier: Apache-2.0
"""Small models in the place of the zoo's: no weights, no torch, the same result in every process."""

import functools
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING

import cv2
import digits
import fiftyone as fo
import fiftyone.core.models as fom
import ground
import numpy as np
import numpy.typing as npt
from eta.core.config import Config

if TYPE_CHECKING:
    from minilm import MiniLM

DIMENSION = 512
Vectors = npt.NDArray[np.float32]


def normalised(rows: Vectors) -> Vectors:
    """Each row at length one."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class Base(fom.EmbeddingsMixin, fom.PromptMixin, fom.Model):
    """What FiftyOne asks of a model of images that has embeddings."""

    media_type = "image"
    has_embeddings = True
    can_embed_prompts = True
    ragged_batches = False
    transforms = None
    preprocess = False

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self._last: Vectors | None = None

    def embed_all(self, args: list[npt.NDArray[np.uint8]]) -> Vectors:
        """The images' vectors, one a row."""
        raise NotImplementedError

    def embed_prompts(self, args: list[str]) -> Vectors:
        """The prompts' vectors, one a row."""
        raise NotImplementedError

    def embed(self, arg: npt.NDArray[np.uint8]) -> Vectors:
        """The image's vector."""
        return self.embed_all([arg])[0]

    def embed_prompt(self, arg: str) -> Vectors:
        """The prompt's vector."""
        return self.embed_prompts([arg])[0]

    def predict(self, arg: npt.NDArray[np.uint8]) -> fo.Classification:
        """No prediction to speak of; the vector is kept for get_embeddings."""
        self._last = self.embed_all([arg])
        return fo.Classification(label="image")

    def get_embeddings(self) -> Vectors | None:
        """Of the last prediction."""
        return self._last


class PixelModelConfig(Config):
    """`seed` makes the projection, `prompts` says whether there is text in the same space."""

    def __init__(self, d: dict[str, object]) -> None:
        self.seed = self.parse_int(d, "seed")
        self.prompts = self.parse_bool(d, "prompts", default=False)


class PixelModel(Base):
    """Pixels by a fixed random projection; a prompt is the mean of the digits it speaks of."""

    def __init__(self, config: PixelModelConfig) -> None:
        super().__init__(config)
        shape = (digits.SIDE * digits.SIDE, DIMENSION)
        self._projection = np.random.default_rng(config.seed).standard_normal(shape, dtype=np.float32)
        self._mean = digits.images()[0].mean(axis=0).reshape(-1)

    @property
    def can_embed_prompts(self) -> bool:
        """Only as a stand-in for CLIP."""
        return self.config.prompts

    def embed_all(self, args: list[npt.NDArray[np.uint8]]) -> Vectors:
        """Images of any size, read at 8 x 8."""
        size = (digits.SIDE, digits.SIDE)
        grey = [image if image.ndim == 2 else image.mean(axis=2) for image in args]
        small = [cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA) for image in grey]
        return self._project(np.stack(small).reshape(len(small), -1) / 255)

    def embed_prompts(self, args: list[str]) -> Vectors:
        """Of the digits named, of the thin or bold ones if it says so; other words are noise."""
        return self._project(np.stack([prompt_pixels(text) for text in args]))

    def _project(self, rows: Vectors) -> Vectors:
        # each on its own: the same to the last bit in any batch
        return normalised(np.stack([row @ self._projection for row in rows - self._mean]))


def prompt_pixels(text: str) -> Vectors:
    """The image a prompt stands for."""
    words = re.findall(r"[a-z]+|[0-9]", text.lower())
    images, targets = digits.images()
    named = [int(word) if word.isdigit() else digits.WORDS.index(word) for word in words if word in known_words()]
    if not named:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).random(digits.SIDE * digits.SIDE, dtype=np.float32)
    chosen = np.isin(targets, named)
    strokes = [word for word in words if word in ("thin", "bold")]
    if strokes:
        chosen &= np.isin(digits.strokes(), strokes)
    return images[chosen].mean(axis=0).reshape(-1)


def known_words() -> set[str]:
    """What a prompt can call a digit."""
    return {*digits.WORDS, *"0123456789"}


class CaptionModelConfig(Config):
    """Nothing to choose."""

    def __init__(self, d: dict[str, object]) -> None:
        pass


class CaptionModel(fom.SamplesMixin, Base):
    """What is written about an image, by all-MiniLM-L6-v2.

    apply_model hands over the sample, whose `caption` is taken. compute_embeddings has pixels only; the caption
    is then found by them.
    """

    def __init__(self, config: CaptionModelConfig) -> None:
        Base.__init__(self, config)
        self._fields = {"caption": "caption"}

    def predict(self, arg: npt.NDArray[np.uint8], sample: fo.Sample | None = None) -> fo.Classification:
        """The caption as a label, and its vector for get_embeddings."""
        caption = sample[self._fields["caption"]] if sample is not None else known_captions()[digits.digest(arg)]
        self._last = language_model().encode([caption])
        return fo.Classification(label=caption)

    def embed_all(self, args: list[npt.NDArray[np.uint8]]) -> Vectors:
        """Of whole images of the dataset: a patch has no caption, and is a KeyError."""
        return language_model().encode([known_captions()[digits.digest(image)] for image in args])

    def embed_prompts(self, args: list[str]) -> Vectors:
        """Of any text."""
        return language_model().encode(list(args))


@functools.cache
def known_captions() -> dict[str, str]:
    """What digits.write left."""
    with open(os.environ[ground.CAPTIONS], encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def language_model() -> "MiniLM":
    """Loaded once for all, when it is first asked."""
    from minilm import MiniLM

    return MiniLM()
