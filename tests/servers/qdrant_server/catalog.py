# SPDX-License-Identifier: Apache-2.0
"""The collections and aliases of the server, kept in one file that is replaced as a whole."""

import hashlib
import logging
import os
import shutil
import threading
import time
import uuid

import orjson

from . import settings
from .errors import ApiError, no_collection, not_found, wrong_input
from .shards import Shard

MAINTENANCE_SECONDS = 0.2

log = logging.getLogger("qdrant")


class Collection:
    def __init__(self, service, name, record):
        self.service = service
        self.name = name
        self.record = record
        self.shard = Shard(name, service.folder, record, service.save)

    @property
    def config(self):
        return self.record["config"]

    def retrieve(self, ids, with_payload, with_vector):
        with self.shard.reading() as engine:
            return engine.retrieve(ids, with_payload, with_vector)

    def check_name(self, name):
        sparse = self.config["params"].get("sparse_vectors") or {}
        if name not in settings.dense(self.config) and name not in sparse:
            raise wrong_input("Not existing vector name error: %s" % name)

    def check_query(self, name, value):
        self.check_name(name)
        self.check_size(name, value)

    def check_size(self, name, value):
        """Before the engine does: it would have done a part of the points by then."""
        known = settings.dense(self.config).get(name)
        if known is None or type(value) is not list:
            return
        for one in value if value and type(value[0]) is list else (value,):
            if len(one) != known["size"]:
                raise wrong_input(
                    "Vector dimension error: expected dim: %d, got %d" % (known["size"], len(one))
                )

    def check_vectors(self, rows):
        """The vectors of points, as the engine takes them."""
        dense = settings.dense(self.config)
        only = dense.get("", {}).get("size")
        multiple = dense.get("", {}).get("multivector_config")
        for value in rows:
            if type(value) is list and not multiple and only == len(value):
                continue
            for name, one in value.items() if type(value) is dict else [("", value)]:
                self.check_name(name)
                self.check_size(name, one)

    def info(self):
        status = "yellow" if self.shard.is_behind() else "green"  # first, or green may be of a later state
        with self.shard.reading() as engine:
            info = engine.info()
        schema = {}
        for field, one in info.payload_schema.items():
            kept = self.record["indexes"].get(field)
            shown = {
                "data_type": str(one.data_type).rsplit(".", maxsplit=1)[-1].lower(),
                "points": one.points,
            }
            if type(kept) is dict:
                shown = {"data_type": shown["data_type"], "params": kept, "points": one.points}
            schema[field] = shown
        more = {"update_queue": {"length": 0}} if self.service.version >= (1, 18) else {}
        return {
            "status": status,
            "optimizer_status": "ok",
            "indexed_vectors_count": info.indexed_vectors_count,
            "points_count": info.points_count,
            "segments_count": info.segments_count,
            "config": self.config,
            "payload_schema": schema,
            **more,
        }


class Service:
    """All of it, with the options of the server."""

    def __init__(self, folder, version):
        self.folder = folder
        self.version = version
        self.lock = threading.RLock()
        self.file = os.path.join(folder, "collections.json")
        os.makedirs(folder, exist_ok=True)
        state = {"collections": {}, "aliases": {}, "id": str(uuid.uuid4())}
        if os.path.exists(self.file):
            with open(self.file, "rb") as file:
                state = orjson.loads(file.read())
        self.id = state["id"]
        self.aliases = state["aliases"]
        self.collections = {
            name: Collection(self, name, record) for name, record in state["collections"].items()
        }
        self.save()
        self.tidy()
        threading.Thread(target=self.maintain, daemon=True).start()

    def save(self):
        with self.lock:
            state = {
                "id": self.id,
                "aliases": self.aliases,
                "collections": {name: one.record for name, one in self.collections.items()},
            }
            beside = "%s.%s" % (self.file, uuid.uuid4().hex)
            with open(beside, "wb") as file:
                file.write(orjson.dumps(state, option=orjson.OPT_INDENT_2))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.file)

    def tidy(self):
        """Removes what a kill left behind."""
        known = {one.record["folder"] for one in self.collections.values()}
        for entry in os.scandir(self.folder):
            if entry.name.startswith(os.path.basename(self.file) + "."):
                os.unlink(entry.path)
            elif entry.is_dir() and entry.name not in known and entry.name != "snapshots":
                shutil.rmtree(entry.path, ignore_errors=True)

    def maintain(self):
        while True:
            time.sleep(MAINTENANCE_SECONDS)
            for collection in list(self.collections.values()):
                try:
                    collection.shard.maintain()
                except Exception:
                    if not collection.shard.closed:
                        log.exception("maintenance of %s failed", collection.name)

    def resolve(self, name):
        return self.aliases.get(name, name)

    def find(self, name):
        with self.lock:
            found = self.collections.get(self.resolve(name))
        if not found:
            raise no_collection(name)
        return found

    def create(self, name, config):
        with self.lock:
            if name in self.collections:
                status = 409 if self.version >= (1, 9) else 400
                raise ApiError(status, "Wrong input: Collection `%s` already exists!" % name)
            if name in self.aliases:
                raise wrong_input(
                    "Can't create collection with name %s. Alias with the same name already exists" % name
                )
            collection = Collection(self, name, {"folder": uuid.uuid4().hex, "config": config, "indexes": {}})
            try:
                collection.shard.create()
            except Exception as error:
                shutil.rmtree(collection.shard.path(), ignore_errors=True)
                raise wrong_input(str(error)) from error
            self.collections[name] = collection
            self.save()

    def configure(self, name, config):
        collection = self.find(name)
        collection.shard.configure(config)
        self.save()

    def drop(self, name):
        """Whether there was one of that name; an alias is none."""
        with self.lock:
            collection = self.collections.pop(name, None)
            kept = {alias: target for alias, target in self.aliases.items() if target != name}
            if not collection:
                return False
            self.aliases = kept
            self.save()
        collection.shard.remove()
        shutil.rmtree(self.snapshot_folder(name), ignore_errors=True)
        return True

    def snapshot_folder(self, name):
        """Of a collection, or of all; a digest, as a name may be .. and longer than that of a file."""
        return os.path.join(self.folder, "snapshots", hashlib.sha256(name.encode()).hexdigest())

    def change_aliases(self, actions):
        """All of them or none."""
        with self.lock:
            aliases = dict(self.aliases)
            for action in actions:
                self.change_alias(aliases, action)
            self.aliases = aliases
            self.save()

    def change_alias(self, aliases, action):
        if "create_alias" in action:
            one = action["create_alias"]
            if one["collection_name"] not in self.collections:
                raise no_collection(one["collection_name"])
            if one["alias_name"] in self.collections:
                raise ApiError(409, "Wrong input: Collection `%s` already exists!" % one["alias_name"])
            aliases[one["alias_name"]] = one["collection_name"]
        elif "delete_alias" in action:
            aliases.pop(action["delete_alias"]["alias_name"], None)
        else:
            one = action["rename_alias"]
            if one["old_alias_name"] not in aliases:
                raise not_found("Alias %s does not exists!" % one["old_alias_name"])
            aliases[one["new_alias_name"]] = aliases.pop(one["old_alias_name"])
