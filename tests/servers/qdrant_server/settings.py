# SPDX-License-Identifier: Apache-2.0
"""The configuration of a collection: what a server fills in, shows and changes, and the engine's."""

import qdrant_edge as edge

from .errors import invalid, wrong_input
from .filters import given

DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Euclid": edge.Distance.Euclid,
    "Dot": edge.Distance.Dot,
    "Manhattan": edge.Distance.Manhattan,
}
DATATYPES = {
    "float32": edge.VectorStorageDatatype.Float32,
    "float16": edge.VectorStorageDatatype.Float16,
    "uint8": edge.VectorStorageDatatype.Uint8,
}
COMPRESSIONS = {
    name.lower(): getattr(edge.CompressionRatio, name) for name in ("X4", "X8", "X16", "X32", "X64")
}

UNSEEN = "-"  # the vector of collections that have none: the engine wants one

# name: smallest, largest
BOUNDS = {
    "size": (1, 65536),
    "shard_number": (1, None),
    "replication_factor": (1, None),
    "write_consistency_factor": (1, None),
    "ef_construct": (4, None),
    "deleted_threshold": (0.0, 1.0),
    "vacuum_min_vector_number": (100, None),
    "wal_capacity_mb": (1, None),
    "m": (0, 10000),
}


def defaults(version):
    """What the configuration file of that version says."""
    result = {
        "hnsw_config": {
            "m": 16,
            "ef_construct": 100,
            "full_scan_threshold": 10000,
            "max_indexing_threads": 0,
            "on_disk": False,
        },
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1000,
            "default_segment_number": 0,
            "max_segment_size": None,
            "memmap_threshold": None,
            "indexing_threshold": 20000 if version < (1, 15) else 10000,
            "flush_interval_sec": 5,
            "max_optimization_threads": None,
        },
        "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        "quantization_config": None,
    }
    if version >= (1, 16):
        result["wal_config"]["wal_retain_closed"] = 1
    if version >= (1, 18):
        result["optimizer_config"]["prevent_unoptimized"] = None
    elif version >= (1, 13):
        result["strict_mode_config"] = {"enabled": False}
    return result


def merged(base, changes):
    """The base with what the changes say; null there says nothing, as for a server."""
    return {**base, **{key: value for key, value in (changes or {}).items() if value is not None}}


def check(value, place=""):
    """The bounds of numbers, wherever they are."""
    for key, one in value.items():
        where = place + "." + key if place else key
        if type(one) is dict:
            check(one, where)
        elif key in BOUNDS and type(one) in (int, float):
            low, high = BOUNDS[key]
            if one < low or (high is not None and one > high):
                limits = (
                    "must be %s or larger" % low if high is None else "must be from %s to %s" % (low, high)
                )
                raise invalid("JSON body", where, "value %s invalid, %s" % (one, limits))


def created(request, version):
    """The configuration of a new collection."""
    check(request)
    base = defaults(version)
    params = merged(
        {"shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1, "on_disk_payload": True},
        given(
            request,
            "shard_number",
            "sharding_method",
            "replication_factor",
            "write_consistency_factor",
            "on_disk_payload",
            "sparse_vectors",
        ),
    )
    params = {"vectors": request.get("vectors") or {}, **params}
    names = set(dense({"params": params}))
    shared = names & set(params.get("sparse_vectors") or {})
    if shared:
        raise wrong_input("Vector name `%s` is used in both dense and sparse vectors" % sorted(shared)[0])
    result = {
        "params": params,
        "hnsw_config": merged(base["hnsw_config"], request.get("hnsw_config")),
        "optimizer_config": merged(base["optimizer_config"], request.get("optimizers_config")),
        "wal_config": merged(base["wal_config"], request.get("wal_config")),
        "quantization_config": request.get("quantization_config"),
    }
    if "strict_mode_config" in base or request.get("strict_mode_config"):
        result["strict_mode_config"] = merged(
            base.get("strict_mode_config", {}), request.get("strict_mode_config")
        )
    if request.get("metadata"):
        result["metadata"] = request["metadata"]
    return result


def changed(config, request):
    """The configuration after a PATCH."""
    check(request)
    result = {**config, "params": merged(config["params"], request.get("params"))}
    result["hnsw_config"] = merged(config["hnsw_config"], request.get("hnsw_config"))
    result["optimizer_config"] = merged(config["optimizer_config"], request.get("optimizers_config"))
    if request.get("strict_mode_config") is not None:
        result["strict_mode_config"] = merged(
            config.get("strict_mode_config", {}), request["strict_mode_config"]
        )
    if request.get("metadata") is not None:
        result["metadata"] = merged(config.get("metadata", {}), request["metadata"])
    if request.get("quantization_config") is not None:
        change = request["quantization_config"]
        result["quantization_config"] = None if change == "Disabled" else change
    for name, change in (request.get("vectors") or {}).items():
        result["params"]["vectors"] = changed_vector(result["params"]["vectors"], name, change)
    for name, change in (request.get("sparse_vectors") or {}).items():
        known = result["params"].get("sparse_vectors") or {}
        if name not in known:
            raise wrong_input("Not existing vector name error: %s" % name)
        result["params"]["sparse_vectors"] = {**known, name: merged(known[name], change)}
    return result


def changed_vector(vectors, name, change):
    change = {key: value if value != "Disabled" else None for key, value in change.items()}
    if is_single(vectors):
        if name:
            raise wrong_input("Not existing vector name error: %s" % name)
        return merged(vectors, change)
    if name not in vectors:
        raise wrong_input("Not existing vector name error: %s" % name)
    return {**vectors, name: merged(vectors[name], change)}


def dense(config):
    """The parameters of dense vectors by name; the only one's name is empty."""
    vectors = config["params"]["vectors"]
    return {"": vectors} if is_single(vectors) else vectors


def is_single(vectors):
    """Whether it is the vector of all points; else there are several, one of which may be named size."""
    return type(vectors.get("size")) is int


def quantization(value):
    if not value or value == "Disabled":
        return None
    (kind, one), *_ = value.items()
    if kind == "scalar":
        return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, **given(one, "quantile", "always_ram"))
    if kind == "product":
        return edge.ProductQuantizationConfig(COMPRESSIONS[one["compression"]], **given(one, "always_ram"))
    if kind == "binary":
        return edge.BinaryQuantizationConfig(**given(one, "always_ram"))
    raise wrong_input("this stand-in has no %s quantization" % kind)


def hnsw(value):
    return edge.HnswIndexConfig(
        value["m"],
        value["ef_construct"],
        value["full_scan_threshold"],
        **given(value, "max_indexing_threads", "on_disk", "payload_m"),
    )


def engine_config(config):
    """The engine's configuration."""
    vectors = {}
    for name, one in dense(config).items():
        extra = given(one, "on_disk")
        if one.get("datatype"):
            extra["datatype"] = DATATYPES[one["datatype"]]
        if one.get("multivector_config"):
            extra["multivector_config"] = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
        if one.get("hnsw_config"):
            extra["hnsw_config"] = hnsw(merged(config["hnsw_config"], one["hnsw_config"]))
        extra["quantization_config"] = quantization(one.get("quantization_config"))
        vectors[name] = edge.EdgeVectorParams(one["size"], DISTANCES[one["distance"]], **extra)
    sparse = {}
    for name, one in (config["params"].get("sparse_vectors") or {}).items():
        extra = given(one.get("index") or {}, "full_scan_threshold", "on_disk")
        if one.get("modifier") == "idf":
            extra["modifier"] = edge.Modifier.Idf
        sparse[name] = edge.EdgeSparseVectorParams(**extra)
    if not vectors and not sparse:
        sparse[UNSEEN] = edge.EdgeSparseVectorParams()
    return edge.EdgeConfig(
        vectors=vectors,
        sparse_vectors=sparse,
        on_disk_payload=config["params"]["on_disk_payload"],
        hnsw_config=hnsw(config["hnsw_config"]),
        quantization_config=quantization(config["quantization_config"]),
        optimizers=edge.EdgeOptimizersConfig(
            **given(
                config["optimizer_config"],
                "deleted_threshold",
                "vacuum_min_vector_number",
                "default_segment_number",
                "max_segment_size",
                "indexing_threshold",
            )
        ),
    )
