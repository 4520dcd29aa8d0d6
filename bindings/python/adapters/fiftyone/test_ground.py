# SPDX-License-Identifier: Apache-2.0
"""What the other tests stand on: the datasets, the models of the zoo, and other processes."""

import os
import subprocess
import sys

import fiftyone as fo
import fiftyone.brain as fob
import fiftyone.zoo as foz
import numpy as np

CLIP = "clip-vit-base32-torch"


def test_quickstart(quickstart):
    """As the documents load it: 200 samples, with boxes, words and vectors."""
    assert quickstart.name == "quickstart"
    assert len(quickstart) == 200
    assert foz.load_zoo_dataset("quickstart").count() == 200
    sample = quickstart.first()
    assert sample.stored.shape == (512,) and sample.stored.dtype == np.float32
    assert 1 <= len(sample.ground_truth.detections) <= 3
    assert sample.ground_truth.detections[0].stored.shape == (512,)
    assert quickstart.count("ground_truth.detections") == len(quickstart.to_patches("ground_truth"))
    assert len(set(quickstart.values("caption"))) > 50


def test_stored_vectors(dataset):
    """They are there for samples and for patches."""
    digits = dataset()
    index = fob.compute_similarity(digits, embeddings="stored", brain_key="samples")
    assert index.get_embeddings()[0].shape == (200, 512)
    index = fob.compute_similarity(digits, patches_field="ground_truth", embeddings="stored", brain_key="patches")
    assert index.total_index_size == digits.count("ground_truth.detections")
    assert index.config.model is None  # nothing was computed


def test_more_samples_than_images(dataset):
    """Each is a sample of its own."""
    large = dataset(2000, stored=False)
    assert len(large) == 2000 == len(set(large.values("id")))
    assert large.count_values("digit.label")["seven"] > 150
    boxes = large.values("ground_truth.detections.id", unwind=True)
    assert len(set(boxes)) == len(boxes)
    copied = large.skip(1900).first()
    copied["more"] = "text"
    copied.save()
    assert large.count("more") == 1


def test_models_of_the_zoo(quickstart):
    """The names of the documents are models of ours."""
    clip = foz.load_zoo_model(CLIP)
    assert clip.can_embed_prompts
    vectors = quickstart.compute_embeddings(clip)
    assert vectors.shape == (200, 512) and vectors.dtype == np.float32
    assert np.array_equal(vectors, quickstart.compute_embeddings(clip, batch_size=32))
    patches = quickstart.compute_patch_embeddings(clip, "ground_truth")
    assert {rows.shape[1] for rows in patches.values()} == {512}
    for name in ("mobilenet-v2-imagenet-torch", "resnet18-imagenet-torch"):
        model = foz.load_zoo_model(name)
        assert not model.can_embed_prompts
        assert not np.allclose(quickstart.compute_embeddings(model), vectors)


def test_prompts(quickstart):
    """A prompt finds the digit it names."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="clip")
    for word in ("zero", "four", "seven"):
        found = quickstart.sort_by_similarity("a photo of a " + word, k=10, brain_key="clip")
        assert found.count_values("digit.label").get(word, 0) >= 8
    other = quickstart.sort_by_similarity("a photo of a dog", k=10, brain_key="clip")
    assert len(other) == 10


def test_default_model(quickstart):
    """Where neither a model nor embeddings are given."""
    index = fob.compute_similarity(quickstart, brain_key="default")
    assert index.config.model == "mobilenet-v2-imagenet-torch"
    assert not index.config.supports_prompts
    assert index.total_index_size == 200


def test_captions(quickstart):
    """The model of captions: by the zoo, by pixels, and by the sample."""
    model = foz.load_zoo_model("minilm-captions")
    fob.compute_similarity(quickstart, model="minilm-captions", brain_key="captions")
    found = quickstart.sort_by_similarity("seven", k=5, brain_key="captions")
    assert found.count_values("digit.label").get("seven", 0) >= 4
    view = quickstart.take(3, seed=1)
    view.apply_model(model, label_field="read", needs_fields={"caption": "caption"})
    assert view.values("read.label") == view.values("caption")
    index = quickstart.load_brain_results("captions")
    vectors = index.compute_embeddings(view)[0]
    assert np.allclose(vectors, model.embed_prompts(view.values("caption")), atol=1e-6)


def test_another_process(quickstart):
    """A stored run finds its dataset and its model there, with what the environment says."""
    fob.compute_similarity(quickstart, model=CLIP, brain_key="clip")
    script = """
import sys
import fiftyone as fo
dataset = fo.load_dataset("quickstart")
index = dataset.load_brain_results("clip")
assert type(index.get_model()).__name__ == "PixelModel"
print(",".join(dataset.sort_by_similarity("a bold two", k=5, brain_key="clip").values("id")))
"""
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    here = quickstart.sort_by_similarity("a bold two", k=5, brain_key="clip").values("id")
    assert printed.split() == [",".join(here)]


def test_nothing_at_home(folder, source):
    """Home is elsewhere: what FiftyOne, its App and the browser leave there goes with the session."""
    assert fo.config.dataset_zoo_dir.startswith(folder)
    assert os.environ["HOME"].startswith(folder)
