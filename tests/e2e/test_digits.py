# SPDX-License-Identifier: Apache-2.0
"""Every answer about the digits of data/, compared with scikit-learn's.

SIMPLUGIN_BUILDDIR names the build. The calls go through simplugin-conformance, in the form of
tests/corpus, and through the example that ./quickstart runs.
"""
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["SIMPLUGIN_BUILDDIR"]).resolve()
PLUGIN = BUILD / ".libs" / "simplugin_sklearn_flat.so"

X = np.load(SOURCE / "data" / "digits.npy").astype(np.float32)
LABELS = np.loadtxt(SOURCE / "data" / "digits_labels.txt", dtype=int)
IDS = [f"digit-{i:04d}" for i in range(len(X))]
ROW = {name: row for row, name in enumerate(IDS)}
VIEW = [row for row in range(len(X)) if row % 3 == 0]
K = 10


def true_distances(metric, a, b):
    """scikit-learn's, in double."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if metric == "dotproduct":
        return -(a @ b.T)
    return pairwise_distances(a, b, metric=metric)


def tolerance(metric, a, b):
    na, nb = np.linalg.norm(a, axis=1)[:, None], np.linalg.norm(b, axis=1)[None, :]
    return 1e-4 * {"cosine": np.ones((len(a), len(b))), "dotproduct": na * nb}.get(metric, na + nb)


def run_calls(metric, calls, tmp_path):
    """Adds all digits to a new index and makes the calls; their replies."""
    steps = [
        {"call": "index.create", "body": {"dimension": 64, "metric": metric}, "bind": {"index": "ix"}},
        {"call": "index.add", "target": "$ix",
         "body": {"ids": IDS, "vectors": X.tolist(), "fields": {"digit": LABELS.tolist()}}},
        {"call": "view.create", "target": "$ix", "body": {"ids": [IDS[row] for row in VIEW]}, "bind": {"view": "v"}},
    ]
    steps += [{"call": method, "target": "$ix", "body": body} for method, body in calls]
    (tmp_path / "digits.json").write_text(json.dumps({"cases": [{"name": metric, "steps": steps}]}))
    replies = tmp_path / "replies"
    done = subprocess.run(
        [BUILD / "simplugin-conformance", PLUGIN, "--corpus", tmp_path, "--form", "columns", "--replies", replies],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = replies.read_text().splitlines()
    return json.loads(line)[3:]


def lists(reply, ids="ids"):
    """The hits of each query: rows and distances."""
    offsets = reply["offsets"]
    rows = np.array([ROW[name] for name in reply[ids]], dtype=int)
    distances = np.array(reply["distances"])
    return [(rows[a:b], distances[a:b]) for a, b in zip(offsets, offsets[1:])]


def check(reply, truth, allowed, slack, k, ids="ids", reverse=False):
    """truth, slack: queries x points. Ids that tie may change places."""
    answers = lists(reply, ids)
    assert len(answers) == len(truth)
    for q, (rows, distances) in enumerate(answers):
        order = np.sort(truth[q][allowed])
        best = (order[::-1] if reverse else order)[:k]
        assert len(rows) == len(best), f"query {q}"
        assert len(set(rows)) == len(rows) and set(rows) <= set(allowed)
        assert (abs(distances - truth[q][rows]) <= slack[q][rows]).all(), f"query {q}"
        assert (abs(truth[q][rows] - best) <= 2 * slack[q][rows]).all(), f"query {q}"


EVERYTHING = np.arange(len(X))


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "dotproduct"])
def test_every_digit_as_a_query(metric, tmp_path):
    """R79 R81 R83 R90 R267 R268 R271: by vector, by id, in a view, in reverse, all 1,797 of them."""
    noisy = np.clip(X + np.random.default_rng(7).normal(0, 2, X.shape).astype(np.float32), 0, 16)
    by_vector, by_id, others, in_view, reverse = run_calls(metric, [
        ("index.search", {"vectors": noisy.tolist(), "k": K}),
        ("index.search", {"ids": IDS, "k": K}),
        ("index.search", {"ids": IDS, "k": K, "exclude_self": True}),
        ("index.search", {"ids": IDS, "k": K, "view": {"$var": "v"}}),
        ("index.search", {"ids": IDS, "k": K, "reverse": True}),
    ], tmp_path)
    truth, slack = true_distances(metric, X, X), tolerance(metric, X, X)
    check(by_vector, true_distances(metric, noisy, X), EVERYTHING, tolerance(metric, noisy, X), K)
    check(by_id, truth, EVERYTHING, slack, K)
    check(in_view, truth, VIEW, slack, K)
    check(reverse, truth, EVERYTHING, slack, K, reverse=True)
    apart = truth + np.where(np.eye(len(X)), np.inf, 0)
    check(others, apart, EVERYTHING, slack, K)
    if metric != "dotproduct":
        # the very class that FiftyOne uses
        model = NearestNeighbors(n_neighbors=K, metric=metric, algorithm="brute").fit(X)
        expected, _ = model.kneighbors(X)
        reported = np.array(by_id["distances"]).reshape(expected.shape)
        assert np.allclose(reported, expected, atol=slack.max())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_lists_of_ids(metric, tmp_path):
    """R84 R271: three threes, seven sevens, and all zeros as one query, in each aggregation."""
    groups = [[IDS[i] for i in np.flatnonzero(LABELS == digit)[:count]] for digit, count in ((3, 3), (7, 7), (0, None))]
    how = {"post-mean": np.mean, "post-min": np.min, "post-max": np.max}
    calls = [("index.search", {"ids": ids, "k": K, "aggregation": name}) for ids in groups for name in ["mean", *how]]
    replies = iter(run_calls(metric, calls, tmp_path))
    for ids in groups:
        rows = [ROW[name] for name in ids]
        mean = X[rows].astype(np.float64).mean(axis=0, keepdims=True)
        slack = tolerance(metric, X[rows], X).max(axis=0, keepdims=True)
        check(next(replies), true_distances(metric, mean, X), EVERYTHING, slack, K)
        for join in how.values():
            check(next(replies), join(true_distances(metric, X[rows], X), axis=0)[None], EVERYTHING, slack, K)


def test_neighbors_radius_duplicates(tmp_path):
    """R271: what scikit-learn's radius_neighbors and kneighbors of the fitted data say."""
    radius = 20.0
    neighbors, within, duplicates, unique = run_calls("euclidean", [
        ("index.neighbors", {"k": 5}),
        ("index.radius", {"ids": IDS[:200], "radius": radius}),
        ("index.duplicates", {"threshold": radius}),
        ("index.unique", {"count": 100}),
    ], tmp_path)
    model = NearestNeighbors(metric="euclidean", algorithm="brute").fit(X)
    expected, _ = model.kneighbors(n_neighbors=5)
    order = [ROW[name] for name in neighbors["ids"]]
    assert sorted(order) == list(EVERYTHING)
    assert np.allclose(np.array(neighbors["distances"]).reshape(-1, 5), expected[order], atol=1e-2)
    _, found = model.radius_neighbors(X[:200], radius=radius)
    for (rows, _), truth in zip(lists(within), found):
        assert set(rows) == set(truth)
    distances = pairwise_distances(X.astype(np.float64))
    kept = [ROW[name] for name in duplicates["unique_ids"]]
    dropped = [ROW[name] for name in duplicates["duplicate_ids"]]
    assert sorted(kept + dropped) == list(EVERYTHING)
    assert (distances[np.ix_(kept, kept)] + np.eye(len(kept)) * 1e9 > radius).all()
    assert (distances[np.ix_(dropped, kept)].min(axis=1) <= radius).all()
    assert len(unique["unique_ids"]) == 100


def test_filtered(tmp_path):
    """R266: the nearest even digits above 3, compared with scikit-learn on those alone."""
    (reply,) = run_calls("euclidean", [
        ("index.search", {"ids": IDS, "k": K, "filter": "digit in [4, 6, 8] and not digit == 6"}),
    ], tmp_path)
    rows = np.flatnonzero(np.isin(LABELS, [4, 8]))
    check(reply, true_distances("euclidean", X, X), rows, tolerance("euclidean", X, X), K)


def table_rows(output):
    for line in output.splitlines():
        hits = re.findall(r"  (\d{4}) (\d) (-?\d+\.\d{4})(?=  |$)", line)
        if hits:
            yield line, [(int(row), int(digit), float(distance)) for row, digit, distance in hits]


def test_the_example(tmp_path):
    """R1 R81 R83 R84 R90: what ./quickstart prints."""
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "simplugin_sklearn.so").symlink_to(PLUGIN)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FIFTYONE_", "SIMPLUGIN_"))}
    environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "SIMPLUGIN_PATH": str(plugins)}
    done = subprocess.run([BUILD / "examples/c/digits", SOURCE / "data/digits.npy", SOURCE / "data/digits_labels.txt"],
                          env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout in (SOURCE / "README.md").read_text(), "the README shows something else"
    rows = list(table_rows(done.stdout))
    threes = [3, 13, 23]
    expected = {
        "by id": (true_distances("cosine", X[:1], X)[0], EVERYTHING),
        "by vector": (true_distances("cosine", X[LABELS == 7].mean(axis=0, keepdims=True), X)[0], EVERYTHING),
        "by list of ids": (true_distances("cosine", X[threes], X).mean(axis=0), EVERYTHING),
        "in a view of 9s": (true_distances("cosine", X[4:5], X)[0], np.flatnonzero(LABELS == 9)),
    }
    assert len(rows) == len(expected)
    for (line, hits), (search, (truth, allowed)) in zip(rows, expected.items()):
        assert line.startswith(search)
        best = np.sort(truth[allowed])[:len(hits)]
        assert len(hits) == 4
        for (row, digit, distance), nearest in zip(hits, best):
            assert row in allowed and digit == LABELS[row]
            assert abs(distance - truth[row]) < 2e-4 and abs(truth[row] - nearest) < 2e-4


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs `simplugin ... --json` on an index of the digits that an earlier run of it made."""
    directory = tmp_path_factory.mktemp("cli")
    plugins = directory / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "simplugin_sklearn.so").symlink_to(PLUGIN)
    (directory / "ids").write_text("\n".join(IDS) + "\n")
    (directory / "fields").write_text("".join(json.dumps({"digit": int(digit)}) + "\n" for digit in LABELS))
    (directory / "view").write_text("\n".join(IDS[row] for row in VIEW) + "\nnobody\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FIFTYONE_", "SIMPLUGIN_"))}
    environment |= {"HOME": str(directory)}

    def run(*arguments):
        done = subprocess.run(
            [BUILD / "simplugin", *map(str, arguments), "--dataset", "uci", "--data-dir", directory / "data",
             "--plugin-path", plugins, "--json"], env=environment, cwd=directory, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run("index", "create", "digits", "--metric", "euclidean")
    added = run("index", "add", "digits", SOURCE / "data/digits.npy", "--ids", "ids", "--fields-file", "fields")
    assert added["added"] == len(X)
    return run


def flat_reply(document):
    """What the command prints, in the columns of the protocol."""
    offsets, ids, distances = [0], [], []
    for query in document["queries"]:
        ids += [hit["id"] for hit in query["hits"]]
        distances += [hit["distance"] for hit in query["hits"]]
        offsets.append(len(ids))
    return {"offsets": offsets, "ids": ids, "distances": distances}


def test_the_command(command):
    """R64 R81 R83 R84 R90 R266: the program, on the same digits."""
    truth, slack = true_distances("euclidean", X, X), tolerance("euclidean", X, X)
    mean = X[[3, 13, 23]].astype(np.float64).mean(axis=0, keepdims=True)
    even = np.flatnonzero(LABELS % 2 == 0)

    def search(*arguments):
        return flat_reply(command("index", "search", "digits", "-k", K, *arguments))

    assert command("index", "size", "digits")["size"] == len(X)
    check(search("--ids", "ids"), truth, EVERYTHING, slack, K)
    check(search("--input", SOURCE / "data/digits.npy"), truth, EVERYTHING, slack, K)
    check(search("--ids", "ids", "--view", "view"), truth, VIEW, slack, K)
    check(search("--ids", "ids", "--reverse"), truth, EVERYTHING, slack, K, reverse=True)
    check(search("--ids", "ids", "--filter", "digit in [0, 2, 4, 6, 8]"), truth, even, slack, K)
    check(search(*(IDS[row] for row in (3, 13, 23)), "--aggregation", "mean"),
          true_distances("euclidean", mean, X), EVERYTHING, tolerance("euclidean", mean, X), K)
