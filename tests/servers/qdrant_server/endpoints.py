# SPDX-License-Identifier: Apache-2.0
"""A function for every endpoint: takes a Call, returns what stands under "result"."""

import datetime
import hashlib
import os
import tarfile
import time

import qdrant_edge as edge

from . import requests, settings
from .errors import ApiError, format_error, invalid, not_found, wrong_input
from .filters import filter_of, given
from .queries import Query, limit_of, order_by, payload_wanted, record, scored
from .requests import point_id, shown_id

PEER = 1  # the only one
FORBIDDEN_IN_NAMES = '<>:"/\\|?*\0\x1f'
SCHEMAS = {
    "keyword": (
        edge.PayloadSchemaType.Keyword,
        edge.KeywordIndexParams,
        "is_tenant on_disk enable_hnsw prefix",
    ),
    "integer": (
        edge.PayloadSchemaType.Integer,
        edge.IntegerIndexParams,
        "lookup range is_principal on_disk enable_hnsw",
    ),
    "float": (edge.PayloadSchemaType.Float, edge.FloatIndexParams, "is_principal on_disk enable_hnsw"),
    "geo": (edge.PayloadSchemaType.Geo, edge.GeoIndexParams, "on_disk enable_hnsw"),
    "bool": (edge.PayloadSchemaType.Bool, edge.BoolIndexParams, "on_disk enable_hnsw"),
    "datetime": (
        edge.PayloadSchemaType.Datetime,
        edge.DatetimeIndexParams,
        "is_principal on_disk enable_hnsw",
    ),
    "uuid": (edge.PayloadSchemaType.Uuid, edge.UuidIndexParams, "is_tenant on_disk enable_hnsw"),
    "text": (
        edge.PayloadSchemaType.Text,
        edge.TextIndexParams,
        "tokenizer min_token_len max_token_len lowercase ascii_folding phrase_matching on_disk enable_hnsw",
    ),
}
TOKENIZERS = {
    name.lower(): getattr(edge.TokenizerType, name)
    for name in ("Prefix", "Whitespace", "Word", "Multilingual")
}
MODES = {
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}
Operation = edge.UpdateOperation


# The server


def root(call):
    return {"title": "qdrant - vector search engine", "version": call.version_text, "commit": "0" * 40}


def telemetry(call):
    return {
        "id": call.service.id,
        "app": {"name": "qdrant", "version": call.version_text, "startup": call.started},
        "collections": {"number_of_collections": len(call.service.collections)},
    }


def metrics(call):
    lines = [
        "# HELP app_info information about qdrant server",
        "# TYPE app_info gauge",
        'app_info{name="qdrant",version="%s"} 1' % call.version_text,
        "# HELP collections_total number of collections",
        "# TYPE collections_total gauge",
        "collections_total %d" % len(call.service.collections),
    ]
    return "\n".join(lines) + "\n"


def cluster(call):
    return {"status": "disabled"}


def healthy(call):
    return "healthz check passed"


def ready(call):
    return "all shards are ready"


# Collections and aliases


def collections(call):
    return {"collections": [{"name": name} for name in list(call.service.collections)]}


def collection(call):
    return call.collection().info()


def collection_exists(call):
    return {"exists": call.service.resolve(call.name) in call.service.collections}


def collection_cluster(call):
    points = call.collection().info()["points_count"]
    return {
        "peer_id": PEER,
        "shard_count": call.collection().config["params"]["shard_number"],
        "local_shards": [{"shard_id": 0, "points_count": points, "state": "Active"}],
        "remote_shards": [],
        "shard_transfers": [],
    }


def create_collection(call):
    for character in FORBIDDEN_IN_NAMES:
        if character in call.name:
            raise invalid("path parameters", "name", 'collection name cannot contain "%s" char' % character)
    request = call.json("CreateCollection")
    call.service.create(call.name, settings.created(request, call.service.version))
    return True


def update_collection(call):
    request = call.json("UpdateCollection")
    call.service.configure(call.name, settings.changed(call.collection().config, request))
    return True


def delete_collection(call):
    return call.service.drop(call.name)


def change_aliases(call):
    call.service.change_aliases(call.json("ChangeAliasesOperation")["actions"])
    return True


def aliases(call):
    return shown_aliases(call.service.aliases)


def collection_aliases(call):
    name = call.collection().name
    return shown_aliases({alias: one for alias, one in call.service.aliases.items() if one == name})


def shown_aliases(mapping):
    return {"aliases": [{"alias_name": alias, "collection_name": one} for alias, one in mapping.items()]}


def create_index(call):
    request = call.json("CreateFieldIndex")
    schema = request.get("field_schema")
    if schema is None:
        raise wrong_input("Payload index schema is required: this stand-in does not guess it")
    kind, parameters, known = SCHEMAS[schema if type(schema) is str else schema["type"]]
    if type(schema) is dict:
        extra = given(schema, *known.split())
        if "tokenizer" in extra:
            extra["tokenizer"] = TOKENIZERS[extra["tokenizer"]]
        kind = parameters(**extra)
    found = call.collection()
    result = call.write(lambda: Operation.create_field_index(request["field_name"], kind))
    found.record["indexes"][request["field_name"]] = schema
    call.service.save()
    return result


def delete_index(call):
    found = call.collection()
    result = call.write(lambda: Operation.delete_field_index(call.path["field"]))
    found.record["indexes"].pop(call.path["field"], None)
    call.service.save()
    return result


# Snapshots: archives of the folders


def snapshots_of(call):
    folder = call.service.snapshot_folder(call.collection().name if "name" in call.path else "")
    os.makedirs(folder, exist_ok=True)
    return folder


def described(path):
    with open(path, "rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    changed = datetime.datetime.fromtimestamp(int(os.path.getmtime(path)), datetime.timezone.utc)
    return {
        "name": os.path.basename(path),
        "creation_time": changed.strftime("%Y-%m-%dT%H:%M:%S"),
        "size": os.path.getsize(path),
        "checksum": checksum,
    }


def snapshots(call):
    folder = snapshots_of(call)
    return [described(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]


def create_snapshot(call):
    whole = "name" not in call.path
    start = "full-snapshot" if whole else "%s-%d" % (call.collection().name, PEER)
    name = "%s-%s.snapshot" % (start, time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime()))
    path = os.path.join(snapshots_of(call), name)
    chosen = list(call.service.collections.values()) if whole else [call.collection()]
    with tarfile.open(path, "w") as archive:
        for one in chosen:
            one.shard.writer.submit(archive_shard, archive, one.shard, one.name).result()
    return described(path)


def archive_shard(archive, shard, name):
    with shard.reading():
        pass  # loaded, and so there
    shard.flush()
    archive.add(shard.path(), name)


def snapshot_path(call):
    path = os.path.join(snapshots_of(call), call.path["snapshot"])
    if os.path.dirname(path) != snapshots_of(call) or not os.path.isfile(path):
        raise not_found("Snapshot %s not found" % call.path["snapshot"])
    return path


def delete_snapshot(call):
    os.unlink(snapshot_path(call))
    return True


# Writing


def upserted(collection, request):
    """Makes the engine's operation."""
    rows = list(requests.columns(request["batch"])) if "batch" in request else request["points"]
    found = [requests.vectors(row["vector"]) for row in rows]
    try:
        points = [
            edge.Point(point_id(row["id"]), value, row.get("payload")) for row, value in zip(rows, found)
        ]
    except (TypeError, ValueError, OverflowError) as error:
        raise format_error(str(error)) from None
    extra = {"condition": filter_of(request.get("update_filter"))}
    if request.get("update_mode"):
        extra["update_mode"] = MODES[request["update_mode"]]

    def make():
        collection.check_vectors(found)
        return Operation.upsert_points(points, **extra)

    return make


def upsert(call):
    request = call.points_json("PointInsertOperations")
    rows = request["batch"]["ids"] if "batch" in request else request["points"]
    if not rows:
        raise ApiError(400, "Bad request: Empty update request")
    return call.write(upserted(call.collection(), request))


def chosen(request, by_ids, by_filter, *arguments):
    """The operation on the points that a request lists, or that its filter finds."""
    if request.get("points") is not None:
        ids = [point_id(one) for one in request["points"]]
        return lambda: by_ids(ids, *arguments)
    if request.get("filter") is None:
        raise format_error("Either list of points or filter must be provided")
    found = filter_of(request["filter"])
    return lambda: by_filter(found, *arguments)


def deleted(collection, request):
    return chosen(request, Operation.delete_points, Operation.delete_points_by_filter)


def payload_set(collection, request):
    return chosen(
        request,
        Operation.set_payload,
        Operation.set_payload_by_filter,
        request["payload"],
        request.get("key"),
    )


def payload_overwritten(collection, request):
    return chosen(
        request,
        Operation.overwrite_payload,
        Operation.overwrite_payload_by_filter,
        request["payload"],
        request.get("key"),
    )


def payload_deleted(collection, request):
    return chosen(request, Operation.delete_payload, Operation.delete_payload_by_filter, request["keys"])


def payload_cleared(collection, request):
    return chosen(request, Operation.clear_payload, Operation.clear_payload_by_filter)


def vectors_updated(collection, request):
    found = [requests.vectors(row["vector"]) for row in request["points"]]
    points = [edge.PointVectors(point_id(row["id"]), value) for row, value in zip(request["points"], found)]

    def make():
        collection.check_vectors(found)
        return Operation.update_vectors(points, filter_of(request.get("update_filter")))

    return make


def vectors_deleted(collection, request):
    for name in request["vector"]:
        collection.check_name(name)
    return chosen(request, Operation.delete_vectors, Operation.delete_vectors_by_filter, request["vector"])


def writes(name, make):
    def endpoint(call):
        request = call.json(name)
        return call.write(make(call.collection(), request))

    return endpoint


delete = writes("PointsSelector", deleted)
set_payload = writes("SetPayload", payload_set)
overwrite_payload = writes("SetPayload", payload_overwritten)
delete_payload = writes("DeletePayload", payload_deleted)
clear_payload = writes("PointsSelector", payload_cleared)
delete_vectors = writes("DeleteVectors", vectors_deleted)


def update_vectors(call):
    return call.write(vectors_updated(call.collection(), call.points_json("UpdateVectors")))


BATCH = {
    "upsert": upserted,
    "delete": deleted,
    "set_payload": payload_set,
    "overwrite_payload": payload_overwritten,
    "delete_payload": payload_deleted,
    "clear_payload": payload_cleared,
    "update_vectors": vectors_updated,
    "delete_vectors": vectors_deleted,
}


def batch(call):
    request = call.json("UpdateOperations")
    found = call.collection()
    operations = []
    for one in request["operations"]:
        ((kind, value),) = one.items()
        operations.append(BATCH[kind](found, value))
    return call.write_all(operations)


# Reading


def point(call):
    one = requests.path_id(call.path["id"])
    found = call.collection().retrieve([one], True, True)
    if not found:
        raise not_found("Point with id %s does not exists!" % shown_id(one))
    return record(found[0], True, True)


def retrieve(call):
    request = call.json("PointRequest")
    with_payload, with_vector = (
        payload_wanted(request.get("with_payload"), True),
        request.get("with_vector") or False,
    )
    ids = [point_id(one) for one in request["ids"]]
    found = call.collection().retrieve(ids, with_payload, with_vector)
    return [record(one, with_payload, with_vector) for one in found]


def scroll(call):
    request = call.json("ScrollRequest")
    with_payload, with_vector = (
        payload_wanted(request.get("with_payload"), True),
        request.get("with_vector") or False,
    )
    order, offset = request.get("order_by"), request.get("offset")
    if order is not None and offset is not None:
        raise ApiError(
            400,
            "Bad request: Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
            "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
            "`order_by.start_from` value",
        )
    wanted = edge.ScrollRequest(
        None if offset is None else point_id(offset),
        limit_of(request, 10),
        filter_of(request.get("filter")),
        with_payload,
        with_vector,
        None if order is None else order_by(order),
    )
    with call.collection().shard.reading() as engine:
        found, following = engine.scroll(wanted)
    return {
        "points": [record(one, with_payload, with_vector) for one in found],
        "next_page_offset": None if following is None else shown_id(following),
    }


def count(call):
    request = call.json("CountRequest")
    wanted = edge.CountRequest(request.get("exact", True) is not False, filter_of(request.get("filter")))
    with call.collection().shard.reading() as engine:
        return {"count": engine.count(wanted)}


def facet(call):
    request = call.json("FacetRequest")
    wanted = edge.FacetRequest(
        request["key"], limit_of(request, 10), bool(request.get("exact")), filter_of(request.get("filter"))
    )
    with call.collection().shard.reading() as engine:
        found = engine.facet(wanted)
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in found.hits]}


def answered(collection, request):
    wanted = Query(collection, request).wanted()
    with collection.shard.reading() as engine:
        found = engine.query(wanted)
    with_payload, with_vector = (
        payload_wanted(request.get("with_payload")),
        request.get("with_vector") or False,
    )
    return [scored(one, with_payload, with_vector) for one in found]


def query(call):
    request = call.json("QueryRequest")
    return {"points": answered(call.collection(), request)}


def query_batch(call):
    request = call.json("QueryRequestBatch")
    return [{"points": answered(call.collection(), one)} for one in request["searches"]]


def as_query(request):
    """The query that a search is."""
    vector, using = request["vector"], request.get("using")
    if type(vector) is dict:
        vector, using = vector["vector"], vector["name"]
    return {**request, "query": vector, "using": using}


def search(call):
    return answered(call.collection(), as_query(call.json("SearchRequest")))


def search_batch(call):
    request = call.json("SearchRequestBatch")
    return [answered(call.collection(), as_query(one)) for one in request["searches"]]


def recommend(call):
    request = call.json("RecommendRequest")
    examples = given(request, "positive", "negative", "strategy")
    return answered(call.collection(), {**request, "query": {"recommend": examples}})


def query_groups(call):
    """Asks for more and more points, until there are enough groups or no more points."""
    request = call.json("QueryGroupsRequest")
    limit, size = limit_of(request, 10), request.get("group_size") or 3
    key, found = request["group_by"], call.collection()
    wanted = limit * size * 4
    while True:
        hits = answered(found, {**request, "limit": wanted, "with_payload": True})
        groups = grouped(hits, key, limit, size)
        if len(hits) < wanted or (len(groups) == limit and all(len(one["hits"]) == size for one in groups)):
            break
        wanted *= 4
    if not request.get("with_payload"):
        for group in groups:
            group["hits"] = [
                {key: value for key, value in hit.items() if key != "payload"} for hit in group["hits"]
            ]
    return {"groups": groups}


def grouped(hits, key, limit, size):
    groups = {}
    for hit in hits:
        value = hit["payload"]
        for part in key.split("."):
            value = value.get(part) if type(value) is dict else None
        for one in value if type(value) is list else [value]:
            if type(one) not in (int, str) or (one not in groups and len(groups) == limit):
                continue
            members = groups.setdefault(one, [])
            if len(members) < size:
                members.append(hit)
    return [{"id": one, "hits": members} for one, members in groups.items()]
