# SPDX-License-Identifier: Apache-2.0
"""One collection's data: a shard of the engine, one thread that writes, many that read."""

import concurrent.futures
import contextlib
import ctypes
import itertools
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

import qdrant_edge as edge

from . import settings
from .errors import ApiError, from_engine, no_collection

FLUSH_SECONDS = 5.0
QUIET_SECONDS = 0.5  # without a write, before indexes are built
RESTLESS_SECONDS = 10.0  # but no later than this

log = logging.getLogger("qdrant")
libc = ctypes.CDLL(None)


def end_with_parent():
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Shard:
    """What is in a folder, loaded when it is first needed.

    Writes are done one after the other by a thread of their own, as by a server: whoever does not
    wait for his still finds them done in the order in which they came.

    Indexes are built by another process, in a copy; meanwhile writes go to the original and are
    noted, then done to the copy as well, and that takes its place. A kill at any moment leaves one
    of the two whole, and the record of the collection says which.
    """

    def __init__(self, name, root, record, moved):
        self.name = name
        self.root = root
        self.record = record  # "folder" and "config"
        self.moved = moved  # called when the folder changed, to save the record
        self.engine = None
        self.readers = 0
        self.idle = threading.Condition()
        self.writer = concurrent.futures.ThreadPoolExecutor(1)
        self.operations = itertools.count()
        self.dirty_since = None
        self.written = self.restless_since = 0.0
        self.changes = self.tried = 0
        self.notes = None  # while indexes are built
        self.building = False
        self.builder = None
        self.closed = False

    def path(self):
        return os.path.join(self.root, self.record["folder"])

    def create(self):
        os.makedirs(self.path())
        self.engine = edge.EdgeShard.create(self.path(), settings.engine_config(self.record["config"]))
        self.engine.flush()

    def load(self):
        if self.engine is None:
            self.engine = edge.EdgeShard.load(self.path(), settings.engine_config(self.record["config"]))
            self.changes = 1

    @contextlib.contextmanager
    def reading(self):
        with self.idle:
            if self.closed:
                raise no_collection(self.name)
            self.load()
            self.readers += 1
        try:
            yield self.engine
        except ApiError:
            raise
        except Exception as error:  # the engine knows no other kind
            raise from_engine(error) from error
        finally:
            with self.idle:
                self.readers -= 1
                self.idle.notify_all()

    @contextlib.contextmanager
    def alone(self):
        with self.idle:
            self.idle.wait_for(lambda: not self.readers)
            yield

    def write(self, operations, wait):
        """Does them in order, all of one request; returns the number of each."""
        numbers = [next(self.operations) for _ in operations]
        try:
            done = self.writer.submit(self.write_now, operations)
        except RuntimeError:  # the thread has ended
            raise no_collection(self.name) from None
        if wait:
            done.result()
        else:
            done.add_done_callback(report)
        return numbers

    def write_now(self, operations):
        for make in operations:  # each gives the engine's, or complains
            operation = make()
            with self.reading() as engine:
                self.note(operation)
                engine.update(operation)

    def note(self, operation):
        now = time.monotonic()
        if self.changes == self.tried or not self.restless_since:
            self.restless_since = now
        self.written = now
        self.changes += 1
        self.dirty_since = self.dirty_since or now
        if self.notes is not None:
            self.notes.append(operation)

    def unindexed(self):
        """Kilobytes of vectors without an index, at most."""
        with self.reading() as engine:
            info = engine.info()
        dense = settings.dense(self.record["config"]).values()
        size = sum(4 * one["size"] for one in dense)
        missing = max(0, info.points_count * len(dense) - info.indexed_vectors_count)
        return missing * size // max(1, len(dense)) // 1024

    def is_behind(self):
        """Whether indexes are being built, or will be."""
        with self.reading():
            pass  # loaded, which may mean that something is left to do
        if self.building:
            return True
        threshold = self.record["config"]["optimizer_config"]["indexing_threshold"]
        return bool(threshold) and self.changes != self.tried and self.unindexed() > threshold

    def maintain(self):
        """What is due: called again and again by one thread."""
        now = time.monotonic()
        if self.builder:
            if self.builder.poll() is not None:
                self.writer.submit(self.finish_building).result()
        elif self.engine is not None and self.changes != self.tried:
            quiet = now - self.written > QUIET_SECONDS or now - self.restless_since > RESTLESS_SECONDS
            if quiet and self.is_behind():
                self.writer.submit(self.start_building).result()
            elif quiet:
                self.tried = self.changes
        if self.dirty_since and now - self.dirty_since > FLUSH_SECONDS:
            self.writer.submit(self.flush).result()

    def flush(self):
        self.dirty_since = None
        with self.reading() as engine:
            engine.flush()

    def start_building(self):
        if self.closed:
            return
        self.building = True
        self.tried = self.changes
        self.copied = uuid.uuid4().hex
        path = os.path.join(self.root, self.copied)
        try:
            self.flush()
            # cp keeps the holes, of which a shard is full
            subprocess.run(["cp", "-a", "--reflink=auto", self.path(), path], check=True)
            self.builder = subprocess.Popen(
                [sys.executable, "-m", __package__ + ".optimize", path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                preexec_fn=end_with_parent,
            )
            self.notes = []
        finally:
            self.building = self.builder is not None

    def finish_building(self):
        if self.closed or not self.builder:
            return
        path = os.path.join(self.root, self.copied)
        try:
            output = self.builder.communicate()[0]
            if self.builder.returncode:
                log.error("building indexes failed with %d", self.builder.returncode)
            if output.strip() == b"1":
                self.replace(path)
            else:
                shutil.rmtree(path, ignore_errors=True)
        finally:  # not before: until then, indexes are being built
            self.builder = self.notes = None
            self.building = False

    def replace(self, path):
        """Goes on with the copy, once it has what was written meanwhile."""
        built = edge.EdgeShard.load(path)
        for operation in self.notes:
            with contextlib.suppress(Exception):  # it failed the first time as well
                built.update(operation)
        built.flush()
        with self.alone():
            old, self.engine = self.engine, built
            old_path = self.path()
            self.record["folder"] = self.copied
            self.moved()
        old.close()
        shutil.rmtree(old_path, ignore_errors=True)

    def abandon_building(self):
        if self.builder:
            self.builder.kill()
            self.builder.communicate()
            self.builder = self.notes = None
            self.building = False
            shutil.rmtree(os.path.join(self.root, self.copied), ignore_errors=True)

    def configure(self, config):
        """Goes on with another configuration."""
        self.writer.submit(self.configure_now, config).result()

    def configure_now(self, config):
        self.abandon_building()
        with self.alone():
            self.load()
            self.engine.flush()
            self.engine.close()
            self.engine = None
            self.record["config"] = config
            self.load()

    def remove(self):
        self.writer.submit(self.remove_now).result()
        self.writer.shutdown(wait=False)

    def remove_now(self):
        self.abandon_building()
        with self.alone():
            self.closed = True
            if self.engine is not None:
                self.engine.close()
            self.engine = None
        shutil.rmtree(self.path(), ignore_errors=True)


def report(done):
    if done.exception():
        log.warning("a write nobody waited for failed: %s", done.exception())
