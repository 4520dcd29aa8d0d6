# SPDX-License-Identifier: Apache-2.0
"""The 1,797 digits of scikit-learn as image files, with words and boxes about them."""

import functools
import hashlib
import json
import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 8  # of a digit, in its own pixels
SCALE = 8  # of those in the files
BRIGHTEST = 16

Box = tuple[str, list[float]]


@dataclass(frozen=True)
class Digit:
    """One image: its file, what it shows, what one may say of it, and labelled boxes."""

    path: str
    word: str
    caption: str
    boxes: list[Box]


@functools.cache
def images() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """All of them, (n, 8, 8) from 0 to 1, and what they show."""
    bunch = load_digits()
    return (bunch.images / BRIGHTEST).astype(np.float32), bunch.target


@functools.cache
def strokes() -> npt.NDArray[np.str_]:
    """How much ink each has, in a word."""
    ink = images()[0].mean(axis=(1, 2))
    thin, bold = np.quantile(ink, [1 / 3, 2 / 3])
    return np.select([ink < thin, ink > bold], ["thin", "bold"], "even")


def slant(image: npt.NDArray[np.float32]) -> str:
    """Which way it leans, by its second moments."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    total = image.sum()
    row, column = (image * rows).sum() / total, (image * columns).sum() / total
    lean = (image * (rows - row) * (columns - column)).sum() / (image * (rows - row) ** 2).sum()
    if abs(lean) < 0.1:
        return "upright"
    return "leaning to the left" if lean > 0 else "leaning to the right"


def caption(index: int) -> str:
    """A sentence about the digit; every fourth is built alike."""
    image, word, stroke = images()[0][index], WORDS[images()[1][index]], strokes()[index]
    drawn = {"thin": "drawn thin", "bold": "drawn with a bold pen", "even": "in an even stroke"}[stroke]
    width = int((image.max(axis=0) > 0.25).sum())
    size = "narrow" if width <= SIDE // 2 else "wide"
    return (
        f"a handwritten {word}, {drawn}",
        f"a {size} {word}, {slant(image)}",
        f"the digit {word} written by hand, {drawn} and {slant(image)}",
        f"someone wrote the number {word}, {slant(image)}",
    )[index % 4]


def boxes(index: int) -> list[Box]:
    """One to three: the digit, and parts of it; x, y, width and height as FiftyOne has them."""
    ink = images()[0][index] > 0.25
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    x, y = columns[0] / SIDE, rows[0] / SIDE
    width, height = (columns[-1] + 1) / SIDE - x, (rows[-1] + 1) / SIDE - y
    all_of_them = [
        (WORDS[images()[1][index]], [x, y, width, height]),
        ("top", [x, y, width, height / 2]),
        ("bottom", [x, y + height / 2, width, height / 2]),
    ]
    return [(label, [float(number) for number in box]) for label, box in all_of_them[: 1 + index % 3]]


def pixels(index: int) -> npt.NDArray[np.uint8]:
    """As in the file: 64 x 64, grey."""
    return np.kron(images()[0][index] * 255, np.ones((SCALE, SCALE))).round().astype(np.uint8)


def digest(image: npt.NDArray[np.uint8]) -> str:
    """By which the model of captions knows an image, read in colour or not."""
    grey = image if image.ndim == 2 else image[:, :, 0]
    return hashlib.sha256(np.ascontiguousarray(grey)).hexdigest()[:24]


def write(folder: str, captions: str) -> list[Digit]:
    """Writes the files, and into `captions` what the model of captions reads."""
    os.makedirs(folder, exist_ok=True)
    digits, known = [], {}
    for index, target in enumerate(images()[1]):
        path = os.path.join(folder, f"{index:04d}.png")
        image = pixels(index)
        Image.fromarray(image).save(path)
        digit = Digit(path, WORDS[target], caption(index), boxes(index))
        known[digest(image)] = digit.caption
        digits.append(digit)
    with open(captions, "w", encoding="utf-8") as file:
        json.dump(known, file)
    return digits
