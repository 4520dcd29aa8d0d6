# SPDX-License-Identifier: Apache-2.0
"""The default backend: what the database holds is the truth, and the store of this machine a cache of it."""

import gc
import os
import subprocess
import sys

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
    assert index.config.collection_name.startswith(cache.PREFIX)


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
    """A store that is gone is made again."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    cache.drop(index.config.collection_name)
    again = load(quickstart, "k", backend)
    assert again.total_index_size == 200
    again.cleanup()
    assert load(quickstart, "k", backend).total_index_size == 200


def test_dropped(quickstart, backend, rows):
    """R101 The store goes with its run, and that of an index without one with the index."""
    index = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows)
    name = index.config.collection_name
    quickstart.delete_brain_run("k")
    del index
    gc.collect()
    assert name not in cache.local() and name not in cache.Stamps().names()
    index = fob.compute_similarity(quickstart, embeddings=rows)
    name = index.config.collection_name
    assert name in cache.local()
    del index
    gc.collect()
    assert name not in cache.local()


def test_orphans(quickstart, dataset, backend, rows):
    """gc() finds the stores of runs that are gone with their dataset, and leaves the others."""
    kept = fob.compute_similarity(quickstart, brain_key="k", embeddings=rows).config.collection_name
    other = dataset()
    lost = fob.compute_similarity(other, brain_key="k", embeddings="stored").config.collection_name
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
