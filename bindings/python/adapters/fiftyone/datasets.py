# SPDX-License-Identifier: Apache-2.0
"""Datasets of the digits, the one that FiftyOne's documents call quickstart among them.

Samples have `digit` (a classification), `caption` (text), `ground_truth` (one to three detections), and
`stored` vectors, 512-d; so have the detections.
"""

import datetime
import itertools
import os
import random
from typing import Any

import fiftyone as fo
import fiftyone.utils.image as foui
import fiftyone.utils.patches as foup
import fiftyone.zoo as foz
import numpy as np
from bson import ObjectId
from digits import Digit
from zoo_models import PixelModel, PixelModelConfig

QUICKSTART = 200
STORED = "stored"
STORED_SEED = 512
BLOCK = 1000

Document = dict[str, Any]


def stored_model() -> PixelModel:
    """Whose vectors are the stored ones: no model of the zoo has the same."""
    return PixelModel(PixelModelConfig({"seed": STORED_SEED}))


class Source:
    """The images, and what was made of them before: FiftyOne takes its time with each sample."""

    def __init__(self, digits: list[Digit]) -> None:
        self._digits = digits
        self._model = stored_model()
        self._documents: dict[tuple[int, bool], Document] = {}

    def sample(self, index: int, stored: bool) -> fo.Sample:
        """Of one image; `stored` says whether with vectors."""
        digit = self._digits[index]
        detections = [fo.Detection(label=label, bounding_box=box) for label, box in digit.boxes]
        sample = fo.Sample(
            filepath=digit.path,
            digit=fo.Classification(label=digit.word),
            caption=digit.caption,
            ground_truth=fo.Detections(detections=detections),
        )
        if stored:
            image = foui.read(digit.path)
            sample[STORED] = self._model.embed(image)
            for detection in detections:
                detection[STORED] = np.array(self._model.embed(foup.extract_patch(image, detection)))
        return sample

    def create(self, count: int = QUICKSTART, name: str | None = None, stored: bool = True) -> fo.Dataset:
        """Of `count` samples, from the first image again where there are not as many."""
        dataset = fo.Dataset(name, overwrite=True, persistent=True)
        dataset.add_sample(self.sample(0, stored))  # and with it the fields
        if stored:
            dataset.add_sample_field("ground_truth.detections." + STORED, fo.VectorField)
        numbers = iter(range(1, count))
        while block := list(itertools.islice(numbers, BLOCK)):
            dataset._sample_collection.insert_many([self._document(dataset, number, stored) for number in block])
        dataset.reload()
        return dataset

    def _document(self, dataset: fo.Dataset, number: int, stored: bool) -> Document:
        """What FiftyOne would insert, under new ids."""
        key = number % len(self._digits), stored
        if key not in self._documents:
            now = datetime.datetime.now(datetime.timezone.utc)
            sample = self.sample(*key)
            self._documents[key] = dataset._make_dict(sample, created_at=now, last_modified_at=now)
        model = self._documents[key]
        boxes = [{**box, "_id": ObjectId()} for box in model["ground_truth"]["detections"]]
        return {
            **model,
            "_id": ObjectId(),
            "_rand": random.random(),
            "_dataset_id": dataset._doc.id,
            "digit": {**model["digit"], "_id": ObjectId()},
            "ground_truth": {**model["ground_truth"], "detections": boxes},
        }

    def fill_zoo(self) -> None:
        """Puts what load_zoo_dataset("quickstart") would download where it looks for it first."""
        folder = os.path.join(fo.config.dataset_zoo_dir, "quickstart")
        dataset = self.create()
        dataset.export(folder, dataset_type=fo.types.FiftyOneDataset)
        info = foz.ZooDatasetInfo(foz.get_zoo_dataset("quickstart"), fo.types.FiftyOneDataset, len(dataset))
        info.write_json(os.path.join(folder, "info.json"))
        dataset.delete()
