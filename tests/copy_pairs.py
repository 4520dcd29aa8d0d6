# SPDX-License-Identifier: Apache-2.0
"""R276 Copies points between every ordered pair of some backends, as a user does.

    copy_pairs.py [--points N] [--dimension N] [--work DIR] [--kill-sources] BACKEND...

BACKEND is NAME or NAME:PARAMETER=VALUE,..., where $VARIABLE stands for what the environment has.
The first one gets the points, the others get them from it, and each from each. In every copy the
copier is killed (SIGKILL) halfway and the same command goes on; where the environment has
SIMPLUGIN_TEST_<NAME>_PID and _RESTART, as tests/servers sets them, the server is killed as well
when rows go to it and, with --kill-sources, when they come from it. Every copy compares all points
at its end, and its record with the source's. Behind them go the same copies of a small index of
patches, with ids as FiftyOne makes them; their points are read from both sides and compared.
SIMPLUGIN_BUILDDIR says where the program and the plugins are. Needs no packages.
"""

import argparse
import array
import functools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

SERVER_WAIT_MS = 1000  # how long the copier waits for a server that was killed for good


class Failure(Exception):
    pass


class Backend:
    def __init__(self, text):
        self.name, _, parameters = text.partition(":")
        self.parameters = [os.path.expandvars(pair) for pair in parameters.split(",") if pair]
        prefix = "SIMPLUGIN_TEST_%s_" % self.name.upper()
        self.pid = int(os.environ.get(prefix + "PID") or 0)
        self.restart_command = os.environ.get(prefix + "RESTART") if self.pid else None

    def options(self, option):
        return [word for pair in self.parameters for word in (option, pair)]

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def restart(self):
        done = subprocess.run(self.restart_command, shell=True, capture_output=True, text=True)
        if done.returncode:
            raise Failure("%s does not start again: %s" % (self.name, done.stderr))
        self.pid = int(done.stdout.split()[-1])


class Program:
    def __init__(self, build, work):
        self.path = os.path.join(build, "simplugin")
        plugins = os.path.join(work, "plugins")
        os.makedirs(plugins)
        os.chmod(plugins, 0o755)
        for file in os.listdir(os.path.join(build, ".libs")):
            if file.startswith("simplugin_") and file.endswith(".so"):
                os.symlink(os.path.join(build, ".libs", file), os.path.join(plugins, file))
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FIFTYONE_", "SIMPLUGIN_"))
        }
        self.environment.update(
            HOME=work, SIMPLUGIN_DATA=os.path.join(work, "data"), SIMPLUGIN_PATH=plugins
        )

    def start(self, *arguments):
        return subprocess.Popen(
            [self.path, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, fails=None):
        process = self.start(*arguments)
        out, err = process.communicate()
        if (process.returncode != 0) if fails is None else (process.returncode != fails):
            raise Failure(
                "simplugin %s: status %d\n%s%s" % (" ".join(arguments), process.returncode, out, err)
            )
        return out

    def ask(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))


def make_points(work, count, dimension):
    """Vectors as .npy, and fields of every type, some of them missing."""
    rng = random.Random(276)
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (count, dimension)
    with open(os.path.join(work, "points.npy"), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00\x76\x00" + header.ljust(117).encode() + b"\n")
        for first in range(0, count, 10000):
            numbers = array.array("h", rng.randbytes(2 * dimension * min(10000, count - first)))
            array.array("f", numbers).tofile(file)
    with open(os.path.join(work, "points.jsonl"), "w", encoding="utf-8") as file:
        for i in range(count):
            fields = {"page": i, "name": "p\u00e5ge %d" % i, "score": i / 7, "even": i % 2 == 0}
            fields["tags"] = ["a", "b"][: i % 3]
            if i % 5 == 0:
                del fields["name"], fields["score"]
            file.write(json.dumps(fields) + "\n")


def object_ids(count, rng):
    return [rng.randbytes(12).hex() for _ in range(count)]


def make_patches(work, count):
    """Labels with their samples, three of each, as FiftyOne names them."""
    rng = random.Random(93)
    labels, samples = object_ids(count, rng), object_ids(count // 3 + 1, rng)
    with open(os.path.join(work, "patches.jsonl"), "w", encoding="utf-8") as file:
        for i, label in enumerate(labels):
            point = {"id": label, "vector": [rng.uniform(-9, 9) for _ in range(24)]}
            point.update(sample_id=samples[i // 3], fields={"area": i / 3, "label": "c\u00f6t"})
            if i % 4 == 0:
                del point["fields"]["label"]
            file.write(json.dumps(point) + "\n")


class Pairs:
    def __init__(self, program, points, dimension, kill_sources):
        self.program, self.points, self.kill_sources = program, points, kill_sources
        # about thirty pages, so that there is a middle
        self.batch = max(4096, points * (4 * dimension + 100) // 30)

    def noted(self):
        """What is noted of the one unfinished copy: to ask the backends as well takes time."""
        records = os.path.join(self.program.environment["SIMPLUGIN_DATA"], "runs.sqlite")
        try:
            store = sqlite3.connect("file:%s?mode=ro" % records, uri=True, timeout=10)
            rows = store.execute("SELECT copied FROM copies").fetchall()
            store.close()
        except sqlite3.OperationalError:
            rows = []  # no copy has begun yet
        return rows[0][0] if rows else 0

    def copied(self, command):
        return self.program.ask(*command, "--dry-run")["resumed"]

    def interrupt(self, command, after, action):
        """Starts the copy, and does something to it once more than so many rows are there."""
        for batch in (self.batch, self.batch // 4, self.batch // 16):
            copier = self.program.start(*command, "--batch-bytes", str(batch))
            while copier.poll() is None:
                there = self.noted()
                if after < there < self.points:
                    action(copier)
                    return copier
                time.sleep(0.01)
            out, err = copier.communicate()
            if copier.returncode:
                raise Failure("simplugin %s\n%s%s" % (" ".join(command), out, err))
            # it was through before anybody saw it halfway
            command = [*command, "--no-resume", "--to-overwrite"]
        raise Failure("too quick to be killed: give more --points")

    def kill_copier(self, command):
        copier = self.interrupt(command, 0, lambda process: process.kill())
        copier.communicate()
        if copier.returncode != -signal.SIGKILL:
            raise Failure("the copier was not killed: status %d" % copier.returncode)

    def kill_server(self, command, server, option):
        described = self.program.ask("call", "backends.describe", '{"backend": "%s"}' % server.name)
        if any(one["name"] == "retry_ms" for one in described["parameters"]):
            command = [*command, option, "retry_ms=%d" % SERVER_WAIT_MS]
        copier = self.interrupt(command, self.noted(), lambda process: server.kill())
        out, err = copier.communicate()
        server.restart()
        if copier.returncode == 0:
            raise Failure("the copy went on without its server\n" + out)
        if "goes on from there" not in err:
            raise Failure("the copier does not say how to go on:\n" + err)

    def copy(self, source, target, source_key, target_key):
        command = ["copy", source_key, *source.options("--param"), "--to-backend", target.name]
        command += ["--to-key", target_key, *target.options("--to-param")]
        begin = time.monotonic()
        kills = ["copier"]
        self.kill_copier(command)
        for server, option in ((target, "--to-param"), (source, "--param")):
            if server.restart_command and (server is target or self.kill_sources):
                self.kill_server(command, server, option)
                kills.append(server.name)
        before = self.copied(command)
        if not 0 < before < self.points:
            raise Failure("%d points of an unfinished copy are there" % before)
        done = self.program.ask(*command, "--verify", "all")
        if (done["copied"], done["verified"], done["differences"]) != (self.points, self.points, 0):
            raise Failure("not a copy: %s" % done)
        if done["resumed"] != before:
            raise Failure("resumed at %d, and not at %d" % (done["resumed"], before))
        self.compare_records(source_key, target_key)
        print(
            "%-14s -> %-14s %d points, killed: %-28s %7.0f points/s, in all %5.1f s"
            % (
                source.name,
                target.name,
                self.points,
                ", ".join(kills),
                done["rows_per_second"],
                time.monotonic() - begin,
            ),
            flush=True,
        )

    def patches_of(self, key, backend):
        lines = self.program.run(
            "index", "get", key, "--lines", "--fields", "area,label", *backend.options("--param")
        )
        points = [json.loads(line) for line in lines.splitlines()]
        return {point["id"]: point for point in points}

    def copy_patches(self, source, target, source_key, target_key, count):
        command = ["copy", source_key, *source.options("--param"), "--to-backend", target.name]
        command += ["--to-key", target_key, *target.options("--to-param")]
        done = self.program.ask(*command, "--verify", "all")
        if (done["copied"], done["verified"], done["differences"]) != (count, count, 0):
            raise Failure("not a copy: %s" % done)
        self.compare_records(source_key, target_key)
        ours, theirs = self.patches_of(source_key, source), self.patches_of(target_key, target)
        if len(ours) != count or ours.keys() != theirs.keys():
            raise Failure("%d patches, and %d of them there" % (len(ours), len(theirs)))
        for label, point in ours.items():
            other = theirs[label]
            near = all(abs(a - b) < 1e-5 for a, b in zip(point.pop("vector"), other.pop("vector")))
            # Milvus rounds the last bit of a double
            near &= abs(point["fields"].pop("area") - other["fields"].pop("area")) < 1e-9
            if not near or point != other or len(point["sample_id"]) != 24:
                raise Failure("the patch is %s, not %s" % (other, point))
        print("%-14s -> %-14s %d patches" % (source.name, target.name, count), flush=True)

    def compare_records(self, source_key, target_key):
        first, second = (
            self.program.ask("runs", "info", key)["config"] for key in (source_key, target_key)
        )
        for name in ("type", "metric", "dimension", "patches_field", "model", "supports_prompts"):
            if first[name] != second[name]:
                raise Failure("the record's %s is %r, not %r" % (name, second[name], first[name]))


def run(arguments, work):
    backends = [Backend(text) for text in arguments.backends]
    program = Program(os.environ["SIMPLUGIN_BUILDDIR"], work)
    pairs = Pairs(program, arguments.points, arguments.dimension, arguments.kill_sources)
    make_points(work, arguments.points, arguments.dimension)
    first = backends[0]
    program.run(
        "index", "create", "at_0", "--backend", first.name, "--metric", "cosine", "--model", "clip",
        "--supports-prompts", *first.options("--param"),
    )  # fmt: skip
    program.run(
        "index", "add", "at_0", os.path.join(work, "points.npy"), "--fields-file",
        os.path.join(work, "points.jsonl"), *first.options("--param"),
    )  # fmt: skip
    every_pair(program, backends, "at", pairs.copy)

    count = max(100, arguments.points // 50)
    make_patches(work, count)
    program.run(
        "index", "create", "patches_0", "--backend", first.name, "--metric", "euclidean",
        "--patches-field", "ground_truth", *first.options("--param"),
    )  # fmt: skip
    program.run(
        "index", "add", "patches_0", os.path.join(work, "patches.jsonl"), *first.options("--param")
    )
    every_pair(program, backends, "patches", functools.partial(pairs.copy_patches, count=count))


def every_pair(program, backends, name, copy):
    """From NAME_0, which the first has, to the others, and from each of them to each."""
    made = [name + "_0"]
    for i, source in enumerate(backends):
        for j, target in enumerate(backends):
            if i == j:
                continue
            # those of the first stay: the others are copied from there
            key = "%s_%d" % (name, j) if i == 0 else "%s_%d_to_%d" % (name, i, j)
            made.append(key)
            copy(source, target, "%s_%d" % (name, i), key)
            if i:
                made.remove(key)
                program.run("index", "cleanup", key, "--delete-run", *target.options("--param"))
    for key, backend in zip(made, backends):
        program.run("index", "cleanup", key, "--delete-run", *backend.options("--param"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100000)
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--kill-sources", action="store_true")
    parser.add_argument("--work", help="a directory to be made (default: a temporary one)")
    parser.add_argument("backends", nargs="+", metavar="BACKEND")
    arguments = parser.parse_args()
    work = arguments.work or tempfile.mkdtemp(prefix="simplugin-copy-")
    os.makedirs(work, exist_ok=True)
    try:
        run(arguments, work)
    except Failure as failure:
        sys.exit("copy_pairs: %s" % failure)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
