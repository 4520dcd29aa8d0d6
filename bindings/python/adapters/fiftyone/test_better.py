# SPDX-License-Identifier: Apache-2.0
"""What FiftyOne's own backends get wrong, done right on each backend."""

import logging
import os
import signal
import socket
import subprocess
import sys

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest
from test_workflow import FIELD, nearest

import simplugin

K = 10


@pytest.fixture
def samples(quickstart, backend):
    """An index of the stored vectors, in the order of the samples."""
    rows = np.stack(quickstart.values("stored"))
    return fob.compute_similarity(quickstart, brain_key="k", embeddings=rows, metric="cosine", **backend.arguments)


@pytest.fixture
def patches(quickstart, backend):
    """An index of the objects."""
    rows = vectors(quickstart)
    return fob.compute_similarity(
        quickstart, brain_key="p", patches_field=FIELD, embeddings=rows, metric="cosine", **backend.arguments
    )


def vectors(dataset):
    """The stored vectors of the objects, by sample."""
    return {sample.id: np.stack([each.stored for each in sample[FIELD].detections]) for sample in dataset}


class TestAdding:
    """Sizes, duplicates and what overwrite, allow and warn mean."""

    def test_adding_again(self, quickstart, samples):
        """R261 R262 The same ids again replace the points, and the size is exact."""
        ids = quickstart.values("id")
        new = np.random.default_rng(1).standard_normal((200, 512))
        samples.add_to_index(new, ids)
        assert samples.total_index_size == 200
        np.testing.assert_allclose(samples.get_embeddings(ids)[0], new, atol=1e-5)
        samples.remove_from_index(ids[:50])
        assert samples.total_index_size == 150

    def test_overwrite(self, quickstart, samples, caplog):
        """R262 overwrite=False leaves what is there, says so if asked, and raises if not allowed."""
        ids = quickstart.values("id")
        old = samples.get_embeddings(ids)[0]
        extra = "a" * 24
        with caplog.at_level(logging.WARNING):
            samples.add_to_index(np.ones((201, 512)), [*ids, extra], overwrite=False, warn_existing=True)
        assert "Ignoring 200 IDs" in caplog.text
        assert samples.total_index_size == 201
        np.testing.assert_array_equal(samples.get_embeddings(ids)[0], old)
        with pytest.raises(ValueError, match="200 IDs"):
            samples.add_to_index(np.ones((201, 512)), [*ids, "b" * 24], overwrite=False, allow_existing=False)
        assert samples.total_index_size == 201

    def test_wrong_shapes(self, quickstart, samples, patches):
        """Ids and vectors that do not fit are refused, and nothing is added."""
        with pytest.raises(ValueError, match="3 embeddings for 2 IDs"):
            samples.add_to_index(np.ones((3, 512)), ["a" * 24, "b" * 24])
        with pytest.raises(ValueError, match="512"):
            samples.add_to_index(np.ones((1, 5)), ["a" * 24])
        with pytest.raises(ValueError, match="label IDs"):
            patches.add_to_index(np.ones((1, 512)), ["a" * 24])
        with pytest.raises(ValueError, match="label IDs"):
            samples.add_to_index(np.ones((1, 512)), ["a" * 24], ["b" * 24])
        assert samples.total_index_size == 200


class TestPatches:
    """Objects by their samples."""

    def test_getting_by_samples(self, quickstart, patches):
        """R94 get_embeddings(sample_ids=) gives every object of each sample, with full ids."""
        some = quickstart.take(5, seed=2)
        _, sample_ids, label_ids = patches.get_embeddings(sample_ids=some.values("id"))
        expected = dict(zip(*some.values(["id", f"{FIELD}.detections.id"])))
        assert {len(id) for id in [*sample_ids, *label_ids]} == {24}
        for id, labels in expected.items():
            assert set(label_ids[sample_ids == id]) == set(labels)
        assert len(label_ids) == sum(map(len, expected.values()))

    def test_removing_by_samples(self, quickstart, patches):
        """R63 R94 remove_from_index(sample_ids=) removes every object of each sample."""
        some = quickstart.take(5, seed=2)
        count = some.count(f"{FIELD}.detections")
        before = patches.total_index_size
        patches.remove_from_index(sample_ids=some.values("id"))
        assert patches.total_index_size == before - count
        patches.remove_from_index(label_ids=quickstart.values(f"{FIELD}.detections.id", unwind=True))
        assert patches.total_index_size == 0

    def test_ids_of_results(self, quickstart, patches):
        """R94 Searches give whole sample ids with the labels."""
        label = quickstart.first()[FIELD].detections[0].id
        sample_ids, label_ids, distances = patches._kneighbors(query=label, k=K, return_dists=True)
        assert label_ids[0] == label and sample_ids[0] == quickstart.first().id
        owner = dict(zip(*quickstart.to_patches(FIELD).values(["id", "sample_id"])))
        assert [owner[id] for id in label_ids] == sample_ids
        assert distances == sorted(distances) and distances[0] == pytest.approx(0, abs=1e-5)


class TestSearching:
    """Queries that are refused or answered wrongly elsewhere."""

    def test_reverse(self, quickstart, samples):
        """R271 The least similar, on every backend."""
        query = quickstart.values("stored")[3]
        found = quickstart.sort_by_similarity(query, k=K, brain_key="k", reverse=True)
        assert found.values("id") == nearest(quickstart, query, 200)[0][::-1][:K]

    @pytest.mark.parametrize("aggregation", ["mean", "post-mean", "post-min", "post-max"])
    def test_aggregations(self, quickstart, samples, aggregation):
        """R271 Every aggregation, on every backend."""
        ids, rows = quickstart.values(["id", "stored"])
        rows = np.stack(rows).astype(float)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        queries = rows[:3]
        if aggregation == "mean":
            raw = np.stack(quickstart.values("stored")).astype(float)[:3].mean(axis=0)
            distances = 1 - rows @ raw / np.linalg.norm(raw)
        else:
            distances = getattr(1 - queries @ rows.T, aggregation[5:])(axis=0)
        expected = [ids[i] for i in np.argsort(distances, kind="stable")[:5]]
        assert samples._kneighbors(ids[:3], k=5, aggregation=aggregation)[0] == expected

    def test_lists(self, quickstart, samples):
        """Without an aggregation each query has a list of its own."""
        ids, rows = quickstart.values(["id", "stored"])
        found, labels, distances = samples._kneighbors(np.stack(rows[:4]), k=3, return_dists=True)
        assert labels is None and [len(each) for each in found] == [3] * 4 == [len(each) for each in distances]
        assert [each[0] for each in found] == ids[:4]
        assert samples._kneighbors(ids[7], k=3)[0] == nearest(quickstart, rows[7], 3)[0]

    def test_any_k(self, quickstart, samples):
        """R88 R269 k above what the server's search is set to, and above what there is."""
        query = quickstart.first().id
        assert len(quickstart.sort_by_similarity(query, k=150, brain_key="k")) == 150
        assert len(quickstart.sort_by_similarity(query, k=5000, brain_key="k")) == 200

    def test_vectors_stay(self, quickstart, samples):
        """R263 Queries change no vectors: they are as they were added, and in the order that is asked for."""
        ids, rows = quickstart.values(["id", "stored"])
        samples.sort_by_similarity(rows[0], k=5)
        samples.find_duplicates(thresh=0.01)
        np.testing.assert_allclose(samples.get_embeddings(ids[::-1])[0], np.stack(rows)[::-1], atol=1e-6)
        assert set(samples.get_embeddings()[1]) == set(ids)


class TestViews:
    """Sizes of views, and what FiftyOne does with ids."""

    def test_sizes(self, quickstart, samples):
        """None where nothing is missing; a view of patches counts each sample once."""
        with samples.use_view(quickstart.take(50, seed=1)) as view:
            assert (view.index_size, view.missing_size) == (50, None)
        patches = quickstart.take(50, seed=1).to_patches(FIELD)
        with samples.use_view(patches) as view:
            assert (view.index_size, view.missing_size) == (50, None)
        samples.remove_from_index(quickstart.values("id")[:3])
        samples.use_view(quickstart.limit(10), allow_missing=False)
        with pytest.raises(ValueError, match="3 IDs"):
            samples.index_size  # noqa: B018
        samples.use_view(quickstart.limit(10), allow_missing=False)
        with pytest.raises(ValueError, match="3 IDs"):
            samples.current_sample_ids  # noqa: B018

    def test_single_labels(self, quickstart, backend):
        """R93 Objects of a field with one for each sample, or none."""
        for sample in quickstart.limit(150):
            sample["one"] = fo.Detection(label="x", bounding_box=[0, 0, 0.5, 0.5])
            sample.save()
        some = quickstart.exists("one")
        index = fob.compute_similarity(
            some, brain_key="o", patches_field="one", model="clip-vit-base32-torch", **backend.arguments
        )
        assert index.total_index_size == 150
        view = quickstart.skip(100).limit(80)
        found = view.sort_by_similarity(quickstart.first().one.id, k=5, brain_key="o")
        assert len(found) == 5 and set(found.values("id")) <= set(view.values("id"))

    def test_visualization(self, quickstart, samples, patches):
        """What FiftyOne makes of an index of ours is saved and loaded."""
        points = np.random.default_rng(0).random((200, 2))
        fob.compute_visualization(quickstart, similarity_index="k", brain_key="v", method="pca")
        quickstart._brain_cache.clear()
        assert quickstart.load_brain_results("v").points.shape == points.shape
        fob.compute_uniqueness(quickstart, similarity_index=samples)
        assert quickstart.count("uniqueness") == 200


class TestDuplicates:
    """R271 On every backend."""

    @staticmethod
    def walk(ids, rows, threshold):
        """Greedy, in the order of the ids."""
        rows = np.stack(rows).astype(float)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        distances = 1 - rows @ rows.T
        order = np.argsort(ids)
        kept = []
        for i in order:
            if not any(distances[i, j] <= threshold for j in kept):
                kept.append(i)
        return [ids[i] for i in kept], distances

    def test_threshold(self, quickstart, samples):
        """R271 Those within the threshold of one that is kept, with the nearest."""
        ids, rows = quickstart.values(["id", "stored"])
        kept, _ = self.walk(ids, rows, 0.2)
        samples.find_duplicates(thresh=0.2)
        assert samples.unique_ids == kept and samples.thresh == 0.2
        assert set(samples.duplicate_ids) == set(ids) - set(kept)
        assert sum(map(len, samples.neighbors_map.values())) == len(samples.duplicate_ids) > 0
        view = samples.duplicates_view(type_field="type", id_field="nearest", dist_field="distance")
        assert view.count_values("type")["duplicate"] == len(samples.duplicate_ids)
        assert max(view.values("distance")) <= 0.2 + 1e-5
        assert len(samples.unique_view()) == len(kept)

    def test_fraction_and_unique(self, quickstart, samples):
        """R271 So many of them, by a threshold that is found; also in a view."""
        samples.find_duplicates(fraction=0.25)
        assert len(samples.duplicate_ids) == 50
        samples.find_unique(30)
        assert len(samples.unique_ids) == 30
        with samples.use_view(quickstart.take(40, seed=4)) as view:
            view.find_unique(7)
            assert len(view.unique_ids) == 7 and len(view.duplicate_ids) == 33

    def test_by_fiftyone(self, quickstart, samples, backend):
        """R271 fob.compute_near_duplicates() on an index of ours."""
        index = fob.compute_near_duplicates(quickstart, threshold=0.2, similarity_index="k")
        assert index is samples and index.duplicate_ids

    def test_full_index(self, quickstart, samples):
        """R271 The neighbors of every point, as positions, for what FiftyOne makes of them."""
        inds, distances = samples._kneighbors(k=1, return_dists=True)
        assert len(inds) == len(distances) == 200
        ids = samples.current_sample_ids.tolist()
        rows = dict(zip(*quickstart.values(["id", "stored"])))
        order, _ = nearest(quickstart, rows[ids[6]], 2)
        assert ids[inds[6][0]] == order[1]
        within = samples._radius_neighbors(thresh=0.2)
        assert all(i not in each for i, each in enumerate(within))


class TestFailing:
    """Connections that fail, and work that is interrupted."""

    def test_no_server(self, quickstart, backend, tmp_path, monkeypatch):
        """A failed connection leaves no run behind, and says where it went."""
        if backend.name == "sklearn":
            monkeypatch.setenv("SIMPLUGIN_DATA", "relative")
            wrong, said = {}, "relative"
        else:
            with socket.socket() as unused:
                unused.bind(("127.0.0.1", 0))
                port = unused.getsockname()[1]
            wrong = {next(iter(backend.connection)): f"http://127.0.0.1:{port}", "retry_ms": 100}
            said = str(port)
        with pytest.raises(simplugin.SimpluginError, match=said):
            fob.compute_similarity(
                quickstart, brain_key="none", backend=backend.name, embeddings=np.ones((200, 4)), **wrong
            )
        assert quickstart.list_brain_runs() == []

    def test_refused_by_the_server(self, quickstart, backend):
        """A run whose first points are refused is not left behind."""
        wrong = {"milvus": {"index_type": "NOPE"}, "qdrant": {"hnsw_config": {"m": -4}}, "sklearn": {}}[backend.name]
        rows = np.stack(quickstart.values("stored"))
        if backend.name == "sklearn":
            rows[3, 3] = np.nan
        with pytest.raises(simplugin.SimpluginError):
            fob.compute_similarity(quickstart, brain_key="none", embeddings=rows, **wrong, **backend.arguments)
        assert quickstart.list_brain_runs() == []

    def test_ctrl_c(self, quickstart, backend, samples, folder):
        """Ctrl-C in the middle of adding ends it at once, and the index answers."""
        script = f"""
import signal, fiftyone as fo, numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell in the background has ignored
dataset = fo.load_dataset({quickstart.name!r})
index = dataset.load_brain_results("k", **{backend.connection!r})
rows = np.random.default_rng(0).random((50_000, 512), np.float32)
ids = [f"{{i:024x}}" for i in range(len(rows))]
print("begins", flush=True)
try:
    for _ in range(5000):
        index.add_to_index(rows, ids)
except KeyboardInterrupt:
    print("ended", index.total_index_size > 0, flush=True)
"""
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
            try:
                while (line := process.stdout.readline()) not in ("begins\n", ""):
                    pass
                assert line
                signal.sigtimedwait([], 1)
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=60)
                assert out == "ended True\n"
            finally:
                process.kill()


class TestQdrant:
    """What the server of Qdrant is told."""

    @pytest.mark.parametrize("backend", ["qdrant"], indirect=True)
    def test_partial_configurations(self, quickstart, backend):
        """R25 R122 R123 R124 R125 R126 R127 R251 Configuration objects may be partial; all are sent, and no more."""
        index = fob.compute_similarity(
            quickstart,
            brain_key="k",
            embeddings=np.stack(quickstart.values("stored")),
            hnsw_config={"m": 24},
            optimizers_config={"indexing_threshold": 0, "memmap_threshold": None},
            wal_config={"wal_capacity_mb": 16},
            replication_factor=1,
            shard_number=1,
            write_consistency_factor=1,
            **backend.arguments,
        )
        with simplugin.connect("qdrant", backend.connection) as connection:
            path = f"/collections/{index.config.collection_name}"
            answer = connection.backend_call("native.request", {"method": "GET", "path": path})
        config = answer["result"]["config"] if "result" in answer else answer["body"]["result"]["config"]
        assert config["hnsw_config"]["m"] == 24
        assert config["params"]["write_consistency_factor"] == 1
        assert config["optimizer_config"]["indexing_threshold"] == 0
        assert config["wal_config"]["wal_capacity_mb"] == 16
        info = quickstart.get_brain_info("k").config
        assert info.hnsw_config == {"m": 24} and info.write_consistency_factor == 1


@pytest.mark.parametrize("backend", ["milvus"], indirect=True)
def test_consistency(quickstart, backend):
    """R111 R112 R113 R114 R115 Each level is taken and recorded; another is refused."""
    rows = np.stack(quickstart.values("stored"))
    for level in ("Strong", "Session", "Bounded", "Eventually"):
        index = fob.compute_similarity(quickstart, embeddings=rows, consistency_level=level, **backend.arguments)
        assert index.config.consistency_level == level and index.total_index_size == 200
    with pytest.raises(simplugin.SimpluginError, match="Session"):
        fob.compute_similarity(quickstart, embeddings=rows, consistency_level="Loose", **backend.arguments)


def test_no_second_copy(backend):
    """Nothing of ours imports the SDK of a server until its client is asked for."""
    script = (
        "import sys, simplugin.fiftyone; "
        "print([n for n in ('pymilvus', 'qdrant_client', 'sklearn.neighbors') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    assert "pymilvus" not in out.stdout and "qdrant_client" not in out.stdout


def test_samples_without_vectors(quickstart, backend):
    """R91 Samples whose field is empty are left out."""
    quickstart.set_values("stored", {quickstart.first().id: None}, key_field="id")
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings="stored", **backend.arguments)
    assert index.total_index_size == 199
    assert isinstance(quickstart.first(), fo.Sample)
