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
