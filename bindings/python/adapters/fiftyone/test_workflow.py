# SPDX-License-Identifier: Apache-2.0
"""What the documents show a user doing, on each backend."""

import fiftyone as fo
import fiftyone.brain as fob
import fiftyone.zoo as foz
import numpy as np
import pytest
from fiftyone.core.brain import BrainInfo

import simplugin
import simplugin.fiftyone as sf

CLIP = "clip-vit-base32-torch"
FIELD = "ground_truth"


def nearest(dataset, query, k, metric="cosine"):
    """The ids that scikit-learn's arithmetic finds, among the stored vectors."""
    ids, rows = dataset.values(["id", "stored"])
    rows = np.stack(rows).astype(np.float64)
    query = np.asarray(query, np.float64)
    if metric == "euclidean":
        distances = np.linalg.norm(rows - query, axis=1)
    else:
        distances = -rows @ query
        if metric == "cosine":
            distances = 1 + distances / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
    order = np.argsort(distances, kind="stable")[:k]
    return [ids[i] for i in order], distances[order]


@pytest.fixture
def stored(quickstart, backend):
    """An index of the stored vectors."""
    rows = np.stack(quickstart.values("stored"))
    return fob.compute_similarity(quickstart, brain_key="k", embeddings=rows, metric="cosine", **backend.arguments)


class TestCreating:
    """The ways to make an index."""

    def test_default_model(self, quickstart, backend):
        """R2 R3 R32 R33 R40 R41 R42 R43 R44 R45 R50 R61 R107 The basic recipe."""
        index = fob.compute_similarity(quickstart, brain_key="recipe", **backend.arguments)
        assert isinstance(index, sf.BackendSimilarityIndex) and isinstance(index, fob.SimilarityIndex)
        assert index.total_index_size == 200
        assert index.config.model == "mobilenet-v2-imagenet-torch"
        name = index.index.collection_name
        assert name in backend.collections()
        again = fob.compute_similarity(quickstart, brain_key="again", **backend.arguments)
        assert again.index.collection_name != name
        found = quickstart.sort_by_similarity(quickstart.first().id, k=10, brain_key="recipe")
        assert len(found) == 10 and found.first().id == quickstart.first().id

    def test_collection_name(self, quickstart, backend):
        """R40 R121 The collection is called what the user says."""
        rows = np.stack(quickstart.values("stored"))
        index = fob.compute_similarity(
            quickstart, brain_key="named", collection_name="first_collection", embeddings=rows, **backend.arguments
        )
        assert index.config.collection_name == "first_collection"
        # of the default backend it would be one of the library's own, which is begun with
        assert ("first_collection" in backend.collections()) == (backend.name != "sklearn")

    @pytest.mark.parametrize("how", ["name", "instance", "array", "field"])
    def test_four_ways(self, quickstart, backend, how):
        """R46 R47 R48 R49 By the name of a model, a model, an array or a field: the same index."""
        model = foz.load_zoo_model(CLIP)
        rows = quickstart.compute_embeddings(model)
        arguments = {"model": CLIP}
        if how == "instance":
            arguments = {"model": model}
        elif how == "array":
            arguments = {"embeddings": rows}
        elif how == "field":
            quickstart.compute_embeddings(model, embeddings_field="embeddings")
            arguments = {"embeddings": "embeddings"}
        index = fob.compute_similarity(quickstart, brain_key="way", **arguments, **backend.arguments)
        found, ids, labels = index.get_embeddings(quickstart.values("id"))
        assert labels is None and ids.tolist() == quickstart.values("id")
        np.testing.assert_allclose(found, rows, atol=1e-6)
        assert index.config.supports_prompts == (how == "name" or None if how == "instance" else how == "name")

    def test_patches(self, quickstart, backend):
        """R51 R52 R53 R82 R93 R94 One vector for each object, found by their own ids."""
        key = f"{backend.name}_patches"
        index = fob.compute_similarity(quickstart, patches_field=FIELD, model=CLIP, brain_key=key, **backend.arguments)
        patches = quickstart.to_patches(FIELD)
        assert index.total_index_size == len(patches)
        label = patches.first().id
        found = patches.sort_by_similarity(label, k=7, brain_key=key)
        assert len(found) == 7 and found.first().id == label
        # of samples: those with the labels, filtered to them
        view = quickstart.sort_by_similarity(label, k=7, brain_key=key)
        assert set(view.values(f"{FIELD}.detections.id", unwind=True)) == set(found.values("id"))
        _, samples, labels = index.get_embeddings(label_ids=[label])
        assert labels.tolist() == [label] and samples.tolist() == [patches.first().sample_id]

    def test_existing_collection(self, quickstart, backend):
        """R54 R55 R56 R57 An index that is there: nothing is computed or overwritten, and the model is recorded."""
        rows = np.stack(quickstart.values("stored"))
        made = simplugin.create_index(
            backend=backend.name, collection_name="your_index", metric="euclidean", parameters=backend.connection
        )
        made.add(quickstart.values("id"), rows)
        name = "your_index"
        index = fob.compute_similarity(
            quickstart, brain_key="there", embeddings=False, collection_name=name, model=CLIP, **backend.arguments
        )
        assert index.total_index_size == made.size() == 200
        assert index.config.metric == "euclidean" and index.config.model == CLIP
        assert index.config.supports_prompts
        quickstart.delete_brain_run("there")
        assert made.size() == 200 and name in backend.collections()
        patches = quickstart.compute_patch_embeddings(foz.load_zoo_model(CLIP), FIELD)
        made = fob.compute_similarity(quickstart, patches_field=FIELD, embeddings=patches, **backend.arguments)
        index = fob.compute_similarity(
            quickstart,
            brain_key="there_too",
            embeddings=False,
            patches_field=FIELD,
            collection_name=made.index.collection_name,
            **backend.arguments,
        )
        assert index.total_index_size == quickstart.count(f"{FIELD}.detections")

    def test_advanced_example(self, quickstart, backend):
        """R58 R59 R60 R71 An index made empty, with parameters, and filled for a part of the dataset."""
        own = {
            "milvus": {"metric": "euclidean", "collection_name": "custom-milvus-collection"},
            "qdrant": {
                "metric": "dotproduct",
                "collection_name": "custom-quickstart-index",
                "replication_factor": 2,
                "shard_number": 2,
            },
            "sklearn": {"metric": "euclidean"},
        }[backend.name]
        index = fob.compute_similarity(
            quickstart, brain_key="advanced", model=CLIP, embeddings=False, **own, **backend.arguments
        )
        assert index.total_index_size == 0
        view = quickstart.take(10, seed=51)
        embeddings, sample_ids, _ = index.compute_embeddings(view)
        index.add_to_index(embeddings, sample_ids)
        assert index.total_index_size == 10
        assert index.config.metric == own["metric"]
        found = quickstart.sort_by_similarity("a photo of a seven", k=20, brain_key="advanced")
        assert set(found.values("id")) == set(view.values("id"))

    def test_unknown_parameter(self, quickstart, backend):
        """R26 R116 Each declared parameter is taken; another is refused by its name, and leaves no run."""
        with pytest.raises(simplugin.UnknownParameter, match="colection_name"):
            fob.compute_similarity(
                quickstart, brain_key="typo", embeddings=False, colection_name="x", **backend.arguments
            )
        assert quickstart.list_brain_runs() == []

    def test_wrong_metric(self, quickstart, backend):
        """R106 A metric that the backend lacks is refused, and those that it has are named."""
        with pytest.raises(simplugin.SimpluginError, match="euclidean"):
            fob.compute_similarity(quickstart, brain_key="m", embeddings=False, metric="nearness", **backend.arguments)
        assert quickstart.list_brain_runs() == []


class TestPoints:
    """Adding, removing and getting."""

    def test_following_the_dataset(self, quickstart, stored):
        """R62 R63 R64 R65 R66 R78 The size is exact at once, after samples were deleted and others added."""
        assert stored.total_index_size == 200
        ids = quickstart.take(10, seed=51).values("id")
        quickstart.delete_samples(ids)
        stored.remove_from_index(sample_ids=ids)
        assert stored.total_index_size == 190
        samples = [fo.Sample(filepath=f"/none/new{i}.png") for i in range(20)]
        added = quickstart.add_samples(samples)
        stored.add_to_index(np.random.rand(20, 512), added)
        assert stored.total_index_size == 210

    def test_getting(self, quickstart, stored):
        """R67 R68 R69 R70 R258 Arrays of the whole index or of some ids, in their order, as they were added."""
        embeddings, sample_ids, label_ids = stored.get_embeddings()
        assert embeddings.shape == (200, 512) and sample_ids.shape == (200,) and label_ids is None
        ids = quickstart.take(10, seed=3).values("id")[::-1]
        embeddings, sample_ids, _ = stored.get_embeddings(sample_ids=ids)
        assert embeddings.shape == (10, 512) and sample_ids.tolist() == ids
        rows = dict(zip(*quickstart.values(["id", "stored"])))
        np.testing.assert_allclose(embeddings, [rows[id] for id in ids], atol=1e-6)
        one, _, _ = stored.get_embeddings(ids[0])
        np.testing.assert_array_equal(one[0], embeddings[0])

    def test_missing(self, quickstart, stored):
        """allow_missing and warn_missing do what FiftyOne's documentation says."""
        gone = "0" * 24
        first = quickstart.first().id
        assert stored.get_embeddings([gone, first])[1].tolist() == [first]
        with pytest.raises(ValueError, match=gone):
            stored.get_embeddings([gone, first], allow_missing=False)
        with pytest.raises(ValueError, match=gone):
            stored.remove_from_index([gone, first], allow_missing=False)
        assert stored.total_index_size == 200
        stored.remove_from_index([gone, first], warn_missing=True)
        assert stored.total_index_size == 199

    def test_cleanup(self, quickstart, backend, stored):
        """R72 R101 R102 Deleting the run leaves the collection of a server; cleanup() deletes that."""
        name = stored.index.collection_name
        quickstart.delete_brain_run("k")
        assert (name in backend.collections()) == (backend.name != "sklearn")
        rows = np.stack(quickstart.values("stored"))
        index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows, **backend.arguments)
        name = index.index.collection_name
        index.cleanup()
        assert name not in backend.collections()
        quickstart.delete_brain_run("k")
        assert quickstart.list_brain_runs() == []


class TestQueries:
    """Every kind of query."""

    def test_ids_and_vectors(self, quickstart, stored):
        """R79 R81 R83 R84 R88 By an id, a vector, and several of each."""
        rows = quickstart.values("stored")
        first, last = quickstart.first().id, quickstart.last().id
        for query, vector in (
            (first, rows[0]),
            (rows[5], rows[5]),
            (list(rows[5]), rows[5]),
            ([first, last], (rows[0].astype(float) + rows[-1]) / 2),
            (np.stack([rows[3], rows[9]]), (rows[3].astype(float) + rows[9]) / 2),
        ):
            found = quickstart.sort_by_similarity(query, k=10, brain_key="k").values("id")
            ids, distances = nearest(quickstart, vector, 200)
            by_id = dict(zip(ids, distances))
            # two unit vectors are as far from their mean as each other
            np.testing.assert_allclose([by_id[id] for id in found], distances[:10], atol=1e-6)
            assert len(set(found)) == 10
        assert len(quickstart.sort_by_similarity(np.random.rand(512), k=10, brain_key="k")) == 10
        assert len(quickstart.sort_by_similarity(first, brain_key="k")) == 200

    def test_wrong_queries(self, quickstart, stored):
        """R86 R87 What cannot be answered is refused with a reason."""
        with pytest.raises(ValueError, match="512"):
            quickstart.sort_by_similarity(np.ones(7), k=3, brain_key="k")
        with pytest.raises(ValueError, match=r"does not support prompts|no compatible"):
            stored.sort_by_similarity("a photo of a dog", k=3)
        with pytest.raises(ValueError, match="f" * 24):
            stored.sort_by_similarity([quickstart.first().id, "f" * 24], k=3)
        assert stored.total_index_size == 200

    def test_prompt(self, quickstart, backend):
        """R85 A text, embedded by the model that the run names."""
        fob.compute_similarity(quickstart, brain_key="clip", model=CLIP, **backend.arguments)
        found = quickstart.sort_by_similarity("a photo of a seven", k=10, brain_key="clip")
        assert found.count_values("digit.label").get("seven", 0) >= 8

    def test_captions(self, quickstart, backend):
        """R85 Prompts over captions: a language model's vectors."""
        fob.compute_similarity(quickstart, brain_key="captions", model="minilm-captions", **backend.arguments)
        found = quickstart.sort_by_similarity("seven", k=5, brain_key="captions")
        assert found.count_values("digit.label").get("seven", 0) >= 4

    def test_views(self, quickstart, stored):
        """R80 R90 R91 R92 R270 On a view nothing else is found, and what is not in the index is no error."""
        view = quickstart.match(fo.ViewField("digit.label") == "seven")
        query = quickstart.first().id
        found = view.sort_by_similarity(query, k=5, brain_key="k")
        rows = dict(zip(*quickstart.values(["id", "stored"])))
        assert found.values("id") == nearest(view, rows[query], 5)[0]
        quickstart.add_sample(fo.Sample(filepath="/none/extra.png"))
        assert len(quickstart.sort_by_similarity(query, brain_key="k")) == 200
        stored.remove_from_index(view.values("id")[:3])
        assert len(view.sort_by_similarity(query, brain_key="k")) == len(view) - 3
        assert len(quickstart.limit(0).sort_by_similarity(query, k=3, brain_key="k")) == 0
        with stored.use_view(view) as restricted:
            assert restricted.index_size == len(view) - 3 and restricted.missing_size == 3
            assert restricted.current_sample_ids.tolist() == view.values("id")[3:]
        assert stored.index_size == 197

    def test_dist_field(self, quickstart, stored):
        """The distance is 1 - cos, smaller is nearer, on every backend."""
        query = quickstart.values("stored")[4]
        found = quickstart.sort_by_similarity(query, k=10, brain_key="k", dist_field="distance")
        ids, distances = nearest(quickstart, query, 10)
        assert found.values("id") == ids
        np.testing.assert_allclose(found.values("distance"), distances, atol=1e-4)


class TestRuns:
    """Brain runs."""

    def test_listing(self, quickstart, backend):
        """R95 R96 R97 R98 All keys, those of similarity runs, and those with some values."""
        fob.compute_similarity(quickstart, brain_key="images", model=CLIP, **backend.arguments)
        fob.compute_similarity(quickstart, brain_key="objects", model=CLIP, patches_field=FIELD, **backend.arguments)
        fob.compute_visualization(
            quickstart,
            embeddings=np.random.rand(200, 2),
            brain_key="points",
            method="manual",
            points=np.random.rand(200, 2),
        )
        assert quickstart.list_brain_runs() == ["images", "objects", "points"]
        assert quickstart.list_brain_runs(type=fob.Similarity) == ["images", "objects"]
        assert quickstart.list_brain_runs(type=fob.Similarity, patches_field=FIELD, supports_prompts=True) == [
            "objects"
        ]
        assert quickstart.list_brain_runs(type=fob.Similarity, method=backend.name) == ["images", "objects"]
        info = quickstart.get_brain_info("objects")
        assert isinstance(info, BrainInfo) and f'"patches_field": "{FIELD}"' in str(info)
        assert "127.0.0.1" not in str(info)

    def test_loading(self, quickstart, backend, stored):
        """R18 R19 R20 R21 R99 R100 Loaded again with credentials, renamed, and as it was."""
        quickstart.rename_brain_run("k", "renamed")
        again = fo.load_dataset(quickstart.name)
        again.reload()
        index = again.load_brain_results("renamed", cache=False, **backend.connection)
        assert type(index) is type(stored) and index is not stored
        assert index.total_index_size == 200
        query = again.first().id
        assert index.sort_by_similarity(query, k=5).values("id") == nearest(again, again.first().stored, 5)[0]

    def test_keyword_wins(self, quickstart, backend, monkeypatch):
        """R22 R23 An argument wins over the environment, which wins over the file."""
        rows = np.stack(quickstart.values("stored"))
        monkeypatch.setitem(fob.brain_config.similarity_backends[backend.name], "metric", "euclidean")
        index = fob.compute_similarity(quickstart, embeddings=rows, **backend.arguments)
        assert index.config.metric == "euclidean"
        index = fob.compute_similarity(quickstart, embeddings=rows, metric="cosine", **backend.arguments)
        assert index.config.metric == "cosine"
