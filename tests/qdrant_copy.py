# SPDX-License-Identifier: Apache-2.0
"""R276 Copies from and into a Qdrant server by `simplugin copy`: what must not be dropped.

    servers/qdrant.py --work DIR -- python3 qdrant_copy.py

SIMPLUGIN_BUILDDIR says where the program and the plugins are, SIMPLUGIN_TEST_QDRANT_URL where the
server is. Needs no packages.
"""

import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request

from copy_pairs import Failure, Program


class Server:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.key = os.environ.get("SIMPLUGIN_TEST_QDRANT_API_KEY")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("api-key", self.key)
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=60) as reply:
            return json.load(reply)["result"]

    def make(self, name, points, vectors=None):
        self.drop(name)
        self.ask("PUT", "/collections/" + name, {"vectors": vectors or {"size": 2, "distance": "Cosine"}})
        self.ask("PUT", "/collections/%s/points?wait=true" % name, {"points": points})

    def drop(self, name):
        self.ask("DELETE", "/collections/" + name)

    def count(self, name):
        return self.ask("POST", "/collections/%s/points/count" % name, {"exact": True})["count"]

    def alias(self, alias, name):
        action = {"create_alias": {"alias_name": alias, "collection_name": name}}
        self.ask("POST", "/collections/aliases", {"actions": [action]})


def points(count, **more):
    return [
        {"id": i, "vector": [i + 1, 2 * i - 7], "payload": {"page": i, **more}} for i in range(count)
    ]


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Copies:
    def __init__(self, program, server):
        self.program, self.server = program, server

    def command(self, source, target, *more, url=None, to_backend="qdrant"):
        command = ["copy", "-b", "qdrant", "-c", source, "--param", "url=" + self.server.url]
        command += ["--to-backend", to_backend, "--to-collection", target]
        if to_backend == "qdrant":
            command += ["--to-param", "url=" + (url or self.server.url)]
        return [*command, *more]

    def refused(self, command, *words):
        process = self.program.start(*command)
        out, err = process.communicate()
        expect(process.returncode, "%s: was not refused\n%s" % (" ".join(command), out))
        for word in words:
            expect(word in out + err, "%s: does not say %r:\n%s%s" % (" ".join(command), word, out, err))

    def copied(self, command, count):
        done = self.program.ask(*command, "--verify", "all")
        expect(
            (done["copied"], done["verified"], done["differences"]) == (count, count, 0),
            "%s: not a copy: %s" % (" ".join(command), done),
        )
        return done

    def test_cosine_is_verified(self):
        """What comes back is the vector times its norm, each rounded."""
        self.server.make("copy_digits", points(500))
        self.copied(self.command("copy_digits", "copy_flat", to_backend="sklearn_flat"), 500)
        back = ["copy", "-b", "sklearn_flat", "-c", "copy_flat", "--to-backend", "qdrant"]
        back += ["--to-collection", "copy_back", "--to-param", "url=" + self.server.url]
        done = self.copied(back, 500)
        expect(done["compared"] == "rounded", "compared: %s" % done["compared"])
        expect(not done["losses"], "losses: %s" % done["losses"])
        self.server.make("copy_digits", points(9), {"size": 2, "distance": "Euclid"})
        done = self.copied(self.command("copy_digits", "copy_back", "--to-overwrite"), 9)
        expect(done["compared"] == "exact", "compared: %s" % done["compared"])
        self.server.drop("copy_digits")
        self.server.drop("copy_back")

    def dry_run(self, command, status=0):
        """What is lost: {(what, name): (fatal, detail)}."""
        losses = json.loads(self.program.run(*command, "--dry-run", "--json", fails=status))["losses"]
        return {(one["what"], one["name"]): (one["fatal"], one["detail"]) for one in losses}

    def make_mixed(self, values):
        """2,000 points with the integers of their numbers, but for some."""
        made = points(2000)
        for i, point in enumerate(made):
            point["payload"] = {"x": values.get(i, i)}
        self.server.make("copy_mixed", made)

    def field_of(self, point):
        got = self.program.ask(
            "index", "get", "-b", "sklearn_flat", "-c", "copy_flat", str(point), "--fields", "x"
        )
        return got["points"][0].get("fields", {}).get("x")

    def test_integers_and_floats(self):
        self.make_mixed({i: i + 0.5 for i in range(1500, 2000, 7)})
        command = self.command("copy_mixed", "copy_flat", "--to-overwrite", to_backend="sklearn_flat")
        command += ["--batch-bytes", "5000"]
        expect(("values", "x") not in self.dry_run(command), "nothing is lost")
        self.copied(command, 2000)
        for point, value in ((3, 3.0), (1500, 1500.5)):
            expect(self.field_of(point) == value, "x of %d: %r" % (point, self.field_of(point)))
        # the type is said to be another one
        as_int = [*command, "--field", "x=int64"]
        self.refused(as_int, 'field "x" of point "1500"', "float64", "int64")
        # and goes on from there
        self.copied([*as_int[:-1], "x=int64", "--mixed-fields", "skip"], 2000)
        expect(self.field_of(1500) is None and self.field_of(1501) == 1501, "not left out")
        self.server.drop("copy_mixed")

    def test_types_outlive_the_copier(self):
        """A field that nothing says the type of has that of its first value, also when resumed."""
        made = points(13000)
        for i, point in enumerate(made):
            point["payload"] = {"x": 1} if 11000 <= i < 12500 else {"x": "y"} if i >= 12500 else {}
        self.server.make("copy_mixed", made[:6000])
        self.server.ask("PUT", "/collections/copy_mixed/points?wait=true", {"points": made[6000:]})
        command = self.command("copy_mixed", "copy_flat", "--to-overwrite", to_backend="sklearn_flat")
        command += ["--batch-bytes", "60000"]
        for _ in range(2):
            self.refused(command, 'field "x" of point "12500"', "of type text", "of type int64")
        self.copied([*command, "--mixed-fields", "skip"], 13000)
        expect(self.field_of(12600) is None and self.field_of(12499) == 1, "not left out")
        self.server.drop("copy_mixed")

    def test_integers_and_text(self):
        self.make_mixed({1700: "seven"})
        command = self.command("copy_mixed", "copy_flat", "--to-overwrite", to_backend="sklearn_flat")
        command += ["--batch-bytes", "5000"]
        fatal, detail = self.dry_run(command)["values", "x"]
        expect(not fatal and "several types" in detail and "type text" in detail, detail)
        self.copied(command, 2000)
        for point, value in ((3, "3"), (1700, "seven")):
            expect(self.field_of(point) == value, "x of %d: %r" % (point, self.field_of(point)))
        as_int = [*command, "--field", "x=int64"]
        self.refused(as_int, 'field "x" of point "1700"', "text", "int64", "skip")
        self.copied([*as_int, "--mixed-fields", "skip"], 2000)
        expect(self.field_of(1700) is None and self.field_of(1701) == 1701, "not left out")
        self.server.drop("copy_mixed")

    def test_what_is_lost(self):
        vectors = {"size": 2, "distance": "Cosine"}
        self.server.drop("copy_rich")
        self.server.ask(
            "PUT", "/collections/copy_rich", {"vectors": vectors, "sparse_vectors": {"words": {}}}
        )
        made = points(9, meta={"a": [1, 2]}, plain="text", pair=[1, "b"], tags=["a", "b"])
        self.server.ask("PUT", "/collections/copy_rich/points?wait=true", {"points": made})
        lost = self.dry_run(self.command("copy_rich", "copy_lost", to_backend="sklearn_flat"))
        expect(
            set(lost) == {("ids", "uint64"), ("values", "meta"), ("values", "pair"), ("vectors", "words")},
            "lost: %s" % sorted(lost),
        )
        expect(not any(fatal for fatal, _ in lost.values()), "none of this is fatal")
        self.copied(self.command("copy_rich", "copy_lost", to_backend="sklearn_flat"), 9)
        # what was copied may go back, and ids that it never had may not
        back = ["copy", "-b", "sklearn_flat", "-c", "copy_lost", "--to-backend", "qdrant", "--merge"]
        back += ["--to-collection", "copy_digits", "--to-param", "url=" + self.server.url]
        self.server.make("copy_digits", points(3))
        expect(("ids", "uint64") not in self.dry_run(back), "ids of numbers")
        self.copied(back, 9)
        with open(os.path.join(self.program.environment["HOME"], "one.jsonl"), "w") as file:
            file.write('{"id": "seven", "vector": [1, 2]}\n')
        self.program.run(
            "index", "add", "-b", "sklearn_flat", "-c", "copy_lost", file.name, "--format", "jsonl"
        )
        fatal, detail = self.dry_run(back, 3)["ids", "uint64"]
        expect(fatal and '"seven"' in detail, detail)
        self.server.drop("copy_digits")
        self.server.drop("copy_rich")

    def test_source_by_an_alias(self):
        self.server.make("copy_digits", points(9))
        self.server.alias("copy_newest", "copy_digits")
        for source, target in (("copy_newest", "copy_digits"), ("copy_digits", "copy_newest")):
            for how in ("--to-overwrite", "--merge"):
                self.refused(self.command(source, target, how), "is the source itself")
                expect(self.server.count("copy_digits") == 9, "the source was dropped")
        self.server.drop("copy_digits")

    def test_source_by_another_address(self):
        there = self.server.url.replace("127.0.0.1", "localhost")
        if there == self.server.url:
            there = self.server.url.replace("localhost", "127.0.0.1")
        expect(there != self.server.url, "the server has one address only")
        self.server.make("copy_digits", points(9))
        self.server.alias("copy_newest", "copy_digits")
        for source in ("copy_digits", "copy_newest"):
            command = self.command(source, "copy_digits", "--to-overwrite", url=there)
            self.refused(command, "cannot be told apart", "drop it first")
            self.refused([*command, "--dry-run"], "cannot be told apart")
            self.refused([*command, "--no-resume"], "cannot be told apart")
            expect(self.server.count("copy_digits") == 9, "the source was dropped")
        # another one of the same server by that address
        self.server.make("copy_other", points(3))
        self.copied(self.command("copy_digits", "copy_other", "--to-overwrite", url=there), 9)
        self.server.drop("copy_digits")
        self.server.drop("copy_other")

    def test_another_one_is_replaced(self):
        self.server.make("copy_digits", points(9))
        self.server.make("copy_other", points(3))
        command = self.command("copy_digits", "copy_other")
        self.refused(command, "overwrite")
        # also where it is as the source is, which is what a copy makes of it
        for _ in range(2):
            self.copied([*command, "--to-overwrite"], 9)
        expect(self.server.count("copy_digits") == 9, "the source was dropped")
        self.server.drop("copy_digits")
        self.server.drop("copy_other")


def main():
    work = tempfile.mkdtemp(prefix="simplugin-qdrant-copy-")
    try:
        copies = Copies(
            Program(os.environ["SIMPLUGIN_BUILDDIR"], work), Server(os.environ["SIMPLUGIN_TEST_QDRANT_URL"])
        )
        for name in sorted(dir(copies)):
            if name.startswith("test_") and (len(sys.argv) < 2 or name in sys.argv):
                getattr(copies, name)()
                print("ok", name, flush=True)
    except Failure as failure:
        sys.exit("qdrant_copy: %s" % failure)
    except urllib.error.HTTPError as error:
        sys.exit("qdrant_copy: %s: %s" % (error, error.read()))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
