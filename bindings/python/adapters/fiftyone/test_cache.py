# SPDX-License-Identifier: Apache-2.0
"""The default backend: what the database holds is the truth, and the store of this machine a cache of it."""

import gc
import os
import subprocess
import sys
import threading

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
import pytest
from test_adopting import load

import simplugin
import simplugin.fiftyone as sf
from simplugin.fiftyone import cache

pytestmark = pytest.mark.parametrize("backend", ["sklearn"], indirect=True)


@pytest.fixture
def rows(quickstart):
    """The stored vectors."""
    return np.stack(quickstart.values("stored"))


def elsewhere(dataset, script, folder):
    """What a colleague's process prints, whose machine has the same database and other files."""
    environment = {**os.environ, "SIMPLUGIN_DATA": folder}
    os.makedirs(folder, mode=0o700, exist_ok=True)
    program = f"import fiftyone as fo\ndataset = fo.load_dataset({dataset.name!r})\n{script}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.split()


def test_a_colleague(quickstart, backend, rows, tmp_path):
    """R99 A machine without the store makes it from the run's results, once."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    script = """
index = dataset.load_brain_results("k")
print(index.total_index_size, *dataset.sort_by_similarity(dataset.first().id, k=3, brain_key="k").values("id"))
"""
    expected = quickstart.sort_by_similarity(quickstart.first().id, k=3, brain_key="k").values("id")
    folder = str(tmp_path / "theirs")
    assert elsewhere(quickstart, script, folder) == ["200", *expected]
    assert elsewhere(quickstart, script, folder) == ["200", *expected]
    assert index.index.collection_name.startswith(cache.PREFIX)


def test_unsaved_changes(quickstart, backend, rows, tmp_path):
    """Changes are on this machine at once, and for others after save()."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    index.remove_from_index(quickstart.values("id")[:20])
    assert load(quickstart, "k", backend).total_index_size == 180
    script = 'print(dataset.load_brain_results("k").total_index_size)'
    folder = str(tmp_path / "theirs")
    assert elsewhere(quickstart, script, folder) == ["200"]
    load(quickstart, "k", backend).save()
    assert elsewhere(quickstart, script, folder) == ["180"]
    assert load(quickstart, "k", backend).total_index_size == 180


def test_stale(quickstart, backend, rows, tmp_path):
    """What somebody else saved is found here."""
    fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    script = """
index = dataset.load_brain_results("k")
index.remove_from_index(dataset.values("id")[:5])
index.save()
"""
    elsewhere(quickstart, script, str(tmp_path / "theirs"))
    assert load(quickstart, "k", backend).total_index_size == 195


def test_field(quickstart, backend, rows):
    """R49 A field of the dataset is the truth: what changes there is found, and additions go there."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings="stored")
    assert index.total_index_size == 200 and not index.is_external
    sample = quickstart.first()
    sample["stored"] = np.asarray(rows[50])
    sample.save()
    index.reload()
    np.testing.assert_allclose(index.get_embeddings([sample.id])[0][0], rows[50], atol=1e-6)
    quickstart.delete_samples(quickstart.values("id")[100:])
    index.reload()
    assert index.total_index_size == 100
    new = quickstart.add_samples([fo.Sample(filepath="/none/a.png")])
    index.add_to_index(np.full((1, 512), 2.0), new)
    assert index.total_index_size == 101
    np.testing.assert_allclose(quickstart[new[0]].stored, 2)
    index.remove_from_index(new)
    assert quickstart[new[0]].stored is None and index.total_index_size == 100
    quickstart.first().reload()
    assert load(quickstart, "k", backend).total_index_size == 100


def test_lost_store(quickstart, backend, rows):
    """A store that is gone is made again, and an index that is cleaned up has what was saved."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    cache.drop(cache.owner_of(index.index.collection_name))
    again = load(quickstart, "k", backend)
    assert again.total_index_size == 200
    again.cleanup()
    assert again.total_index_size == 200
    again.add_to_index(rows[:3], ["a" * 24, "b" * 24, "c" * 24])
    again.save()
    assert load(quickstart, "k", backend).total_index_size == 203


def test_dropped(quickstart, backend, rows):
    """R101 The stores go with their run, and those of an index without one with the index."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    owner = cache.owner_of(index.index.collection_name)
    quickstart.delete_brain_run("k")
    del index
    gc.collect()
    assert owner not in map(cache.owner_of, cache.local()) and cache.Stamps().get(owner) is None
    index = fob.compute_similarity(quickstart, embeddings=rows)
    name = index.index.collection_name
    assert name in cache.local()
    del index
    gc.collect()
    assert name not in cache.local()


@pytest.mark.parametrize("embeddings", ["rows", "stored"])
def test_clone(quickstart, backend, rows, embeddings):
    """A dataset and its clone have stores of their own."""
    given = rows if embeddings == "rows" else embeddings
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=given)
    clone = quickstart.clone()
    other = clone.load_brain_results("k")
    other.remove_from_index(clone.values("id")[:150])
    other.save()
    assert (other.total_index_size, index.total_index_size) == (50, 200)
    assert load(quickstart, "k", backend).total_index_size == 200
    clone.delete_brain_run("k")
    clone.delete()
    assert index.total_index_size == 200
    assert len(quickstart.sort_by_similarity(rows[0], k=4, brain_key="k")) == 4


def test_showing(quickstart, backend, rows):
    """Printing an index, or serializing it, changes nothing."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    index.remove_from_index(quickstart.values("id")[:20])
    assert len(str(index)) < 200 and "180 points" in repr(index)
    index.serialize()
    assert load(quickstart, "k", backend).total_index_size == 180


def test_edited_field(quickstart, backend, rows):
    """R49 What others changed in the field is read before and after changes of ours."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings="stored")
    first, second, third = quickstart.limit(3)
    first["stored"] = np.asarray(rows[70])
    first.save()
    index.add_to_index(rows[60:61], [second.id])
    index.remove_from_index([third.id])
    for each in (index, load(quickstart, "k", backend)):
        found = each.get_embeddings([first.id, second.id])[0]
        np.testing.assert_allclose(found, rows[[70, 60]], atol=1e-6)
        assert each.total_index_size == 199


def test_refused_addition(quickstart, backend, rows):
    """What the index refuses does not reach the field."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings="stored")
    first = quickstart.first()
    for wrong in (np.ones((1, 5)), np.full((1, 512), np.nan)):
        with pytest.raises(ValueError, match=r"."):
            index.add_to_index(wrong, [first.id])
    first.reload()
    np.testing.assert_array_equal(first.stored, rows[0])
    assert load(quickstart, "k", backend).total_index_size == 200


def test_refused_arguments(quickstart, backend, tmp_path):
    """What cannot be is refused before there is a run."""
    for wrong, said in (({"collection_name": "mine"}, "one of them"), ({"data_dir": str(tmp_path)}, "SIMPLUGIN_DATA")):
        with pytest.raises(ValueError, match=said):
            fob.compute_similarity(quickstart, brain_key="k", embeddings="stored", backend="sklearn", **wrong)
        assert quickstart.list_brain_runs() == []


def test_failed_saving(quickstart, backend, rows, monkeypatch):
    """A save that fails leaves the results that there were."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    index.remove_from_index(quickstart.values("id")[:10])

    def fails(*_, **__):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("mongoengine.fields.GridFSProxy.put", fails)
        with pytest.raises(OSError, match="full"):
            index.save()
        with pytest.raises(OSError, match="full"):
            sf.release(quickstart, "k")
    assert load(quickstart, "k", backend).total_index_size == 190
    cache.drop(cache.owner_of(index.index.collection_name))
    assert load(quickstart, "k", backend).total_index_size == 200


def test_readers_while_it_is_made_again(quickstart, backend, rows):
    """R90 Who reads a store while the next one is made has answers, and the right ones."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings="stored")
    expected = index._kneighbors(rows[0], k=5)[0]
    wrong = []
    done = threading.Event()

    def read():
        while not done.is_set():
            found = index._kneighbors(rows[0], k=5)[0]
            if found != expected:
                wrong.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    quickstart.tag_samples("edited")
    again = load(quickstart, "k", backend)
    done.set()
    reader.join()
    assert not wrong and again.index.collection_name != index.index.collection_name


def test_orphans(quickstart, dataset, backend, rows):
    """gc() finds the stores of runs that are gone with their dataset, and leaves the others."""
    kept = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows).index.collection_name
    other = dataset()
    lost = fob.compute_similarity(other, brain_key="k", embeddings="stored").index.collection_name
    assert not {kept, lost} & set(sf.gc())
    other.delete()
    assert lost in sf.gc() and kept not in sf.gc()
    assert lost in sf.gc(drop=True)
    assert lost not in cache.local() and kept in cache.local()


def test_plain_duplicates(quickstart, backend):
    """fob.compute_near_duplicates() without an index makes one of ours, which nothing is left of."""
    before = set(cache.local())
    index = fob.compute_near_duplicates(quickstart, embeddings="stored", threshold=0.2)
    assert index.duplicate_ids
    del index
    gc.collect()
    assert set(cache.local()) == before


def test_default(quickstart, backend, rows):
    """R1 Where nothing is configured this backend is the one."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    assert index.config.method == "sklearn" and isinstance(index.index, simplugin.Index)
    assert quickstart.sort_by_similarity(quickstart.first().id, k=3).first().id == quickstart.first().id
