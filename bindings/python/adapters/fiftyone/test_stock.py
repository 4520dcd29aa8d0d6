# SPDX-License-Identifier: Apache-2.0
"""What FiftyOne's own backends (fiftyone-brain 0.25) get wrong today, each shown on the real thing.

A test that fails here tells that FiftyOne does better than it did: then docs/fiftyone.md is to be corrected.
test_better.py has the same done right.
"""

import logging
import socket

import fiftyone.brain as fob
import numpy as np
import peers
import pytest

PATCHES = "ground_truth"
MISSING = "f" * 24
servers = pytest.mark.parametrize("peer", ["milvus", "qdrant"], indirect=True)


def only(*names):
    """The backends a test is about."""
    return pytest.mark.parametrize("peer", names, indirect=True)


@pytest.fixture
def peer(request):
    """Each of FiftyOne's backends."""
    one = peers.Peer(request.param)
    yield one
    one.close()


@pytest.fixture
def rows(quickstart):
    """The stored vectors, a row for each sample; of length one."""
    return np.stack(quickstart.values("stored"))


@pytest.fixture
def samples(quickstart, peer, rows):
    """An index of them."""
    return peer.compute(quickstart, "samples", embeddings=rows.copy(), metric="cosine")


@pytest.fixture
def patches(quickstart, peer):
    """An index of the objects."""
    by_sample = {sample.id: np.stack([each.stored for each in sample[PATCHES].detections]) for sample in quickstart}
    return peer.compute(quickstart, "patches", patches_field=PATCHES, embeddings=by_sample, metric="cosine")


def distances(rows, query):
    """Of each row from the query, by the cosine."""
    return 1 - rows @ query / np.linalg.norm(query)


class TestSizes:
    """After deletions and repeated additions."""

    @only("milvus")
    def test_size_after_deletions(self, quickstart, peer, samples):
        """Milvus itself counts what was deleted until it compacts; Milvus Lite does not."""
        samples.remove_from_index(quickstart.values("id")[:50])
        assert peer.count(samples) == 150
        assert samples.total_index_size == {"standalone": 200, "lite": 150}[peer.kind]

    @only("milvus")
    def test_adding_again(self, quickstart, peer, samples, rows):
        """They are inserted beside those of before; Milvus Lite replaces them."""
        samples.add_to_index(rows, quickstart.values("id"))
        assert samples.total_index_size == {"standalone": 400, "lite": 200}[peer.kind]
        assert peer.count(samples) == samples.total_index_size

    @only("sklearn")
    def test_an_id_twice_in_one_call(self, samples):
        """Both are kept."""
        samples.add_to_index(np.ones((2, 512)), [MISSING, MISSING])
        assert list(samples.sample_ids).count(MISSING) == 2


class TestOverwriting:
    """What overwrite, allow_existing and warn_existing mean: other than their documentation says."""

    @only("milvus", "sklearn")
    def test_not_overwriting(self, quickstart, samples):
        """overwrite=False overwrites all the same; with Milvus standalone, adds."""
        ids = quickstart.values("id")
        if samples.config.method == "sklearn":
            samples.add_to_index(np.ones((200, 512)), ids, overwrite=False)
            assert (samples.get_embeddings(ids)[0] == 1).all()
        else:
            samples.add_to_index(np.eye(200, 512), ids, overwrite=False)
            found = np.asarray(samples.get_embeddings(ids)[0])
            assert any((row == np.eye(200, 512)[0]).all() for row in found)

    @only("milvus")
    def test_warning_of_existing(self, quickstart, peer, samples, rows, caplog):
        """It says that it overwrites, and does not where Milvus itself would keep both."""
        with caplog.at_level(logging.WARNING):
            samples.add_to_index(rows[:5], quickstart.values("id")[:5], warn_existing=True)
        assert "Overwriting 5 IDs" in caplog.text
        assert peer.count(samples) == {"standalone": 205, "lite": 200}[peer.kind]

    @servers
    def test_existing_are_refused_although_overwritten(self, quickstart, samples, rows):
        """allow_existing=False is about overwrite=False by its documentation; Milvus shows a row for an id."""
        named = r"\{'pk'" if samples.config.method == "milvus" else "[0-9a-f]{24}"
        with pytest.raises(ValueError, match=r"5 IDs \(eg " + named):
            samples.add_to_index(rows[:5], quickstart.values("id")[:5], allow_existing=False)

    @only(*peers.NAMES)
    def test_removing_what_is_missing(self, quickstart, peer, samples, caplog):
        """allow_missing=False: only Qdrant's says which; warn_missing=True: no warning from any."""
        error = ValueError if peer.name == "qdrant" else TypeError
        with pytest.raises(error):
            samples.remove_from_index([quickstart.first().id, MISSING], allow_missing=False)
        if peer.name == "milvus":
            with pytest.raises(TypeError, match="unhashable"):
                samples.remove_from_index([quickstart.first().id, MISSING], warn_missing=True)
        else:
            with caplog.at_level(logging.WARNING):
                samples.remove_from_index([quickstart.first().id, MISSING], warn_missing=True)
            assert "missing" not in caplog.text
            assert "not" not in caplog.text


class TestPatches:
    """Objects by their samples."""

    @only("milvus")
    def test_getting_by_samples_finds_none(self, quickstart, patches):
        """Milvus: sample ids are looked for among label ids."""
        embeddings, sample_ids, label_ids = patches.get_embeddings(sample_ids=quickstart.values("id")[:20])
        assert len(embeddings) == len(sample_ids) == len(label_ids) == 0

    @only("qdrant")
    def test_getting_by_samples_finds_ten(self, quickstart, patches):
        """Qdrant: a page of ten, and the server's ids instead of FiftyOne's."""
        some = quickstart.limit(20)
        assert some.count(f"{PATCHES}.detections") > 30
        _, sample_ids, label_ids = patches.get_embeddings(sample_ids=some.values("id"))
        assert len(sample_ids) == len(label_ids) == 10
        assert {len(id) for id in label_ids} == {36}

    @servers
    def test_removing_by_samples_removes_nothing(self, quickstart, peer, patches):
        """Sample ids are taken for label ids."""
        patches.remove_from_index(sample_ids=quickstart.values("id"))
        assert peer.count(patches) == quickstart.count(f"{PATCHES}.detections")

    @only("sklearn")
    def test_removing_by_samples_removes_one_of_each(self, quickstart, peer, patches):
        """The last object of each sample."""
        before = peer.count(patches)
        patches.remove_from_index(sample_ids=quickstart.values("id"))
        assert peer.count(patches) == before - len(quickstart) > 0

    @only("qdrant")
    def test_sample_ids_are_truncated(self, quickstart, patches):
        """Results have 16 of 24 digits, so that the samples of a dataset are not found."""
        label = quickstart.first()[PATCHES].detections[0].id
        sample_ids, label_ids = patches._kneighbors(query=label, k=5)
        assert {len(id) for id in label_ids} == {24}
        assert {len(id) for id in sample_ids} == {16}
        with pytest.raises(Exception, match="ObjectId"):
            quickstart.sort_by_similarity(label, k=5, brain_key="patches").values("id")


class TestQdrantConfiguration:
    """What of it reaches the server."""

    @only("qdrant")
    @pytest.mark.parametrize(
        "partial",
        [
            {"hnsw_config": {"m": 24}},
            {"optimizers_config": {"default_segment_number": 2}},
            {"wal_config": {"wal_capacity_mb": 16}},
        ],
    )
    def test_partial_objects(self, quickstart, peer, rows, partial):
        """Each must have every field; the run stays behind."""
        with pytest.raises(ValueError, match="Field required"):
            peer.compute(quickstart, "partial", embeddings=rows, **partial)
        assert quickstart.list_brain_runs() == ["partial"]

    @only("qdrant")
    def test_write_consistency_factor(self, quickstart, peer, rows):
        """It is recorded and not sent."""
        index = peer.compute(quickstart, "w", embeddings=rows, write_consistency_factor=2)
        assert quickstart.get_brain_info("w").config.write_consistency_factor == 2
        sent = index.client.get_collection(index.config.collection_name).config.params
        assert sent.write_consistency_factor == 1


class TestSearching:
    """Queries that fail, or are answered wrongly."""

    @only("milvus")
    def test_ef(self, quickstart, peer, samples):
        """It is 10, in a place where nobody reads it: Milvus has its own default, whatever k is."""
        assert samples.config.search_params["HNSW"]["params"] == {"ef": 10}
        assert len(quickstart.sort_by_similarity(quickstart.first().id, k=150, brain_key="samples")) == 150

    @only("milvus")
    def test_all_of_them(self, quickstart, samples):
        """k=None is refused."""
        with pytest.raises(ValueError, match="k<=16384"):
            quickstart.sort_by_similarity(quickstart.first().id, brain_key="samples")

    @servers
    def test_missing_ids_of_a_query(self, quickstart, samples):
        """One that is missing is passed over without a word."""
        first = quickstart.first().id
        assert samples._kneighbors([first, MISSING], k=3, aggregation="mean") == samples._kneighbors(
            [first], k=3, aggregation="mean"
        )

    @servers
    def test_reverse(self, quickstart, samples):
        """The least similar are refused."""
        with pytest.raises(ValueError, match="least similarity"):
            quickstart.sort_by_similarity(quickstart.first().id, k=3, reverse=True, brain_key="samples")

    @servers
    @pytest.mark.parametrize("aggregation", ["post-mean", "post-min", "post-max"])
    def test_aggregations(self, quickstart, samples, aggregation):
        """Only the mean is known."""
        with pytest.raises(ValueError, match="Unsupported aggregation"):
            samples.sort_by_similarity(quickstart.values("id")[:3], k=3, aggregation=aggregation)

    @servers
    def test_duplicates(self, samples):
        """There are none to be found."""
        for name in ("find_duplicates", "find_unique", "duplicates_view", "unique_view"):
            assert not hasattr(samples, name)


class TestDistances:
    """What dist_field means."""

    @only("qdrant")
    def test_score_of_qdrant(self, quickstart, samples, rows):
        """The similarity: 1 for the query itself."""
        view = quickstart.sort_by_similarity(quickstart.first().id, k=5, brain_key="samples", dist_field="d")
        assert view.first().d == pytest.approx(1, abs=1e-5)
        assert view.values("d") == pytest.approx(sorted(rows @ rows[0])[-5:][::-1], abs=1e-5)

    @only("milvus")
    def test_score_of_milvus(self, quickstart, peer, rows):
        """The similarity, or the square of the distance."""
        query = rows[0] + rows[1]
        lengths = np.linalg.norm(rows - query, axis=1)
        for metric, expected in (("dotproduct", rows @ query), ("euclidean", lengths**2)):
            index = peer.compute(quickstart, metric, embeddings=rows, metric=metric)
            view = index.sort_by_similarity(query, k=5, dist_field="d")
            by_id = dict(zip(quickstart.values("id"), expected, strict=True))
            assert view.values("d") == pytest.approx([by_id[id] for id in view.values("id")], rel=1e-4)

    @only("sklearn")
    def test_distance_of_sklearn(self, quickstart, samples, rows):
        """Of vectors that the mean of all was taken from; it is another for an id than for its vector."""
        first = quickstart.first().id
        by_vector = samples._kneighbors(rows[0], k=5, aggregation="mean", return_dists=True)
        assert by_vector[2] == pytest.approx(np.sort(distances(rows, rows[0]))[:5], abs=1e-6)
        by_id = samples._kneighbors(first, k=5, aggregation="mean", return_dists=True)
        centred = rows - rows.mean(axis=0)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        assert by_id[2] == pytest.approx(np.sort(distances(centred, centred[0]))[:5], abs=1e-5)
        assert np.abs(np.subtract(by_id[2], by_vector[2])).max() > 0.01

    @only("sklearn")
    def test_distance_of_duplicates(self, quickstart, samples, rows):
        """Between a vector and another that was brought to length one, and not by the cosine."""
        samples.find_duplicates(fraction=0.1)
        ids = quickstart.values("id")
        centred = rows - rows.mean(axis=0)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        for nearest, found in samples.neighbors_map.items():
            for duplicate, distance in found:
                one, other = ids.index(duplicate), ids.index(nearest)
                assert distance != pytest.approx(distances(rows, rows[one])[other], abs=1e-3)
                assert distance != pytest.approx(distances(centred / lengths, centred[one])[other], abs=1e-3)


class TestVectors:
    """What comes back of what was added."""

    @only("sklearn")
    def test_a_query_changes_them(self, quickstart, samples, rows):
        """Their mean is taken from them in place, and what is saved then has lost it."""
        assert np.array_equal(samples.get_embeddings()[0], rows)
        before = samples._kneighbors(rows[0], k=200, aggregation="mean")[0]
        samples._kneighbors(quickstart.first().id, k=1)
        assert np.allclose(samples.get_embeddings()[0], rows - rows.mean(axis=0), atol=1e-6)
        assert samples._kneighbors(rows[0], k=200, aggregation="mean")[0] != before

    @only("milvus")
    def test_order(self, quickstart, peer, samples):
        """In the server's; that of Milvus Lite is the one that was asked for."""
        ids = quickstart.values("id")[::-1]
        found = list(samples.get_embeddings(ids)[1])
        assert sorted(found) == sorted(ids)
        assert (found == ids) == (peer.kind == "lite")

    @only("milvus")
    def test_whole_index(self, samples, patches):
        """It cannot be had."""
        for index in (samples, patches):
            with pytest.raises(ValueError, match="retrieving all vectors"):
                index.get_embeddings()

    @only("sklearn")
    def test_missing_ids(self, quickstart, samples, patches):
        """Label ids that are missing are given back as if they were there; if all samples are, an IndexError."""
        label = quickstart.first()[PATCHES].detections[0].id
        embeddings, sample_ids, label_ids = patches.get_embeddings(label_ids=[MISSING, label])
        assert (len(embeddings), len(sample_ids), len(label_ids)) == (1, 1, 2)
        with pytest.raises(IndexError):
            samples.get_embeddings(sample_ids=[MISSING])


class TestFailing:
    """What is left where a server cannot be reached."""

    @servers
    def test_a_run_is_left(self, quickstart, peer, rows):
        """Under the key, which cannot be used again then."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nowhere = {next(iter(peer.connection)): f"http://127.0.0.1:{unused.getsockname()[1]}"}
            with pytest.raises(Exception, match=r"Failed to connect|timeout|connect"):
                peer.compute(quickstart, "none", embeddings=rows, **nowhere)
        assert quickstart.list_brain_runs(type=fob.Similarity) == ["none"]
        with pytest.raises(ValueError, match="none"):
            peer.compute(quickstart, "none", embeddings=rows)
