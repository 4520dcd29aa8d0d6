# SPDX-License-Identifier: Apache-2.0
"""Groups, frames and clips of videos, and regions of images: an index of each, and R90 a search of their views."""

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest
from datasets import stored_model

COUNT = 12


def vectors(count, seed):
    """Of unit length, so that the nearest of each metric are the same."""
    rows = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def order(rows, query):
    """The rows' numbers, nearest first."""
    return np.argsort(-(rows.astype(np.float64) @ query), kind="stable")


@pytest.fixture
def videos(dataset):
    """Two videos of six frames whose images are files, with one clip of each."""
    images = dataset(COUNT, stored=False).values("filepath")
    made = fo.Dataset(persistent=True)
    for video in range(2):
        sample = fo.Sample(filepath=f"/videos/{video}.mp4")
        sample.metadata = fo.VideoMetadata(total_frame_count=6, frame_rate=1, frame_width=8, frame_height=8)
        for number in range(6):
            sample.frames[number + 1] = fo.Frame(filepath=images[6 * video + number])
        sample["events"] = fo.TemporalDetections(
            detections=[
                fo.TemporalDetection(label="a", support=[1, 3]),
                fo.TemporalDetection(label="b", support=[4, 6]),
            ]
        )
        made.add_sample(sample)
    yield made
    made.delete()


def test_groups(dataset, backend):
    """A slice of a grouped dataset has an index; searches of it and of the flattened groups find that slice."""
    images = dataset(2 * COUNT, stored=False).values("filepath")
    grouped = fo.Dataset(persistent=True)
    try:
        grouped.add_group_field("group", default="left")
        for i in range(COUNT):
            group = fo.Group()
            grouped.add_samples(
                fo.Sample(filepath=images[2 * i + side], group=group.element(name))
                for side, name in enumerate(("left", "right"))
            )
        left = grouped.select_group_slices("left")
        rows = vectors(COUNT, 1)
        index = fob.compute_similarity(left, embeddings=rows, brain_key="left", metric="cosine", **backend.arguments)
        assert index.total_index_size == COUNT
        ids = np.array(left.values("id"))
        found = left.sort_by_similarity(rows[3], k=5, brain_key="left")
        assert found.values("id") == ids[order(rows, rows[3])[:5]].tolist()
        found = left.limit(6).sort_by_similarity(ids[0], k=3, brain_key="left")
        assert found.values("id") == ids[order(rows[:6], rows[0])[:3]].tolist()
        found = grouped.sort_by_similarity(rows[3], k=4, brain_key="left")
        assert found.values("id") == ids[order(rows, rows[3])[:4]].tolist()
        both = grouped.select_group_slices(["left", "right"])
        index = fob.compute_similarity(
            both, embeddings=vectors(2 * COUNT, 2), brain_key="both", metric="cosine", **backend.arguments
        )
        assert index.total_index_size == 2 * COUNT
        index.remove_from_index(sample_ids=ids.tolist())
        assert index.total_index_size == COUNT
        assert not set(both.sort_by_similarity(rows[0], k=COUNT, brain_key="both").values("id")) & set(ids)
    finally:
        grouped.delete()


def test_frames(videos, backend):
    """The frames of videos, as FiftyOne makes a dataset of them."""
    frames = videos.to_frames(sample_frames=False)
    assert len(frames) == COUNT
    rows = vectors(COUNT, 3)
    index = fob.compute_similarity(frames, embeddings=rows, brain_key="frames", metric="cosine", **backend.arguments)
    assert index.total_index_size == COUNT
    ids = np.array(frames.values("id"))
    found = frames.sort_by_similarity([ids[1], ids[7]], k=4, brain_key="frames")
    assert set(found.values("id")[:2]) == {ids[1], ids[7]}  # as near as each other
    assert found.values("id")[2:] == ids[order(rows, rows[[1, 7]].mean(axis=0))[2:4]].tolist()
    one = frames.match(fo.ViewField("frame_number") > 3)
    assert len(one) == 6
    found = one.sort_by_similarity(rows[9], k=3, brain_key="frames")
    late = [i for i in order(rows, rows[9]) if i % 6 >= 3]
    assert found.values("id") == ids[late[:3]].tolist()


def test_clips(videos, backend):
    """Clips, by their own ids."""
    clips = videos.to_clips("events")
    assert len(clips) == 4
    rows = vectors(4, 4)
    index = fob.compute_similarity(clips, embeddings=rows, brain_key="clips", metric="cosine", **backend.arguments)
    assert index.total_index_size == 4
    ids = np.array(clips.values("id"))
    assert clips.sort_by_similarity(rows[2], k=4, brain_key="clips").values("id") == ids[order(rows, rows[2])].tolist()
    got, _, _ = index.get_embeddings(sample_ids=ids[::-1].tolist())
    np.testing.assert_allclose(got, rows[::-1], atol=1e-6)


def test_regions(quickstart, backend):
    """One vector of each sample, the mean of those of its detections."""
    model = stored_model()
    index = fob.compute_similarity(
        quickstart, roi_field="ground_truth", model=model, brain_key="regions", metric="cosine", **backend.arguments
    )
    assert index.total_index_size == len(quickstart)
    assert index.config.patches_field is None
    assert index.config.roi_field == "ground_truth"
    sample = quickstart.skip(5).first()
    parts = np.stack([box.stored for box in sample.ground_truth.detections])
    got, ids, _ = index.get_embeddings(sample_ids=[sample.id])
    assert list(ids) == [sample.id]
    np.testing.assert_allclose(got[0], parts.mean(axis=0), rtol=1e-4, atol=1e-5)
    assert quickstart.sort_by_similarity(sample.id, k=3, brain_key="regions").first().id == sample.id
