/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend says of itself; docs/protocol.md explains the keys. */
#include "config.h"

#include "describe.h"

#include "call.h"
#include "metric.h"
#include "plug_parameter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_DIMENSION 65536

static const plug_parameter connection[] = {
    {"url", "text", NULL, 0, {"host", "port", "https"}, NULL,
     "where the server is: http:// or https:// or nothing, HOST:PORT, and the path of a reverse "
     "proxy; http://localhost:6333 where neither this nor host is given"},
    {"host", "text", NULL, 0, {NULL}, NULL, "instead of url, with port"},
    {"port", "any", NULL, 0, {NULL}, NULL, "6333 by default"},
    {"https", "bool", NULL, 0, {NULL}, NULL, "with host: TLS"},
    {"api_key", "text", NULL, 1, {NULL}, NULL, "where the server asks for one"},
    {"allow_insecure_api_key", "bool", "false", 0, {NULL}, NULL,
     "true: the api_key may go to another machine without TLS"},
    {"proxy", "text", NULL, 1, {NULL}, NULL,
     "URL of a proxy, instead of what http_proxy, https_proxy and no_proxy say; nothing: none"},
    {"tls_ca", "text", NULL, 0, {NULL}, NULL,
     "PEM file of the authorities that are trusted; the system's if absent"},
    {"tls_cert", "text", NULL, 0, {NULL}, NULL, "PEM file of our certificate, for two-way TLS"},
    {"tls_key", "text", NULL, 0, {NULL}, NULL, "PEM file of its key"},
    {"tls_server_name", "text", NULL, 0, {NULL}, NULL,
     "the name that the server's certificate was made for, where it is not the host"},
    {"tls_verify", "bool", "true", 0, {NULL}, NULL, "false: any certificate will do"},
    {"consistency", "any", NULL, 0, {NULL}, NULL,
     "of reads in a cluster: majority, quorum, all, or a number of replicas"},
    {"ordering", "text", NULL, 0, {NULL}, NULL, "of writes in a cluster: weak, medium or strong"},
    {"max_receive_bytes", "int", "1073741824", 0, {NULL}, NULL, "the largest reply that is taken"},
    {"timeout_ms", "int", NULL, 0, {NULL}, NULL, "of calls that say nothing else; 60000 if absent"},
    {"retry_ms", "int", "30000", 0, {NULL}, NULL,
     "how long a server that went away is waited for, by calls that can be repeated"},
    {"batch_bytes", "int", "8388608", 0, {NULL}, NULL,
     "of one request with points; servers take 33554432 at most"},
    {"batches_in_flight", "int", "4", 0, {NULL}, NULL, "requests with points at a time, for one call"},
};

static const plug_parameter creation[] = {
    {"collection_name", "text", NULL, 0, {NULL}, NULL, "a new unique one if absent"},
    {"metric", "text", "cosine", 0, {NULL}, NULL, "cosine, dotproduct, euclidean or manhattan"},
    {"replication_factor", "int", NULL, 0, {NULL}, NULL, "copies of each shard"},
    {"shard_number", "int", NULL, 0, {NULL}, NULL, "how many shards"},
    {"write_consistency_factor", "int", NULL, 0, {NULL}, NULL,
     "how many replicas acknowledge a write"},
    {"on_disk_payload", "bool", NULL, 0, {NULL}, NULL, "fields stay on disk"},
    {"hnsw_config", "map", NULL, 0, {NULL}, NULL,
     "m, ef_construct, full_scan_threshold, max_indexing_threads, on_disk, payload_m, "
     "inline_storage, memory"},
    {"wal_config", "map", NULL, 0, {NULL}, NULL,
     "wal_capacity_mb, wal_segments_ahead, wal_retain_closed"},
    {"optimizers_config", "map", NULL, 0, {NULL}, NULL,
     "deleted_threshold, vacuum_min_vector_number, default_segment_number, max_segment_size, "
     "memmap_threshold, indexing_threshold, flush_interval_sec, max_optimization_threads, "
     "prevent_unoptimized"},
    {"quantization_config", "map", NULL, 0, {NULL}, NULL, "one of scalar, product, binary, turbo"},
};

static const plug_parameter searching[] = {
    {"hnsw_ef", "int", NULL, 0, {NULL}, NULL, "more finds more, slower; never below k"},
    {"exact", "bool", NULL, 0, {NULL}, NULL, "true: every point is looked at"},
    {"indexed_only", "bool", NULL, 0, {NULL}, NULL, "true: points that are not indexed yet are left out"},
    {"consistency", "any", NULL, 0, {NULL}, NULL, "of this search; the connection's if absent"},
};

const char *const qdrant_create_names[] = {
    "collection_name", "metric", "replication_factor", "shard_number", "write_consistency_factor",
    "on_disk_payload", "hnsw_config", "wal_config", "optimizers_config", "quantization_config"};
const uint64_t qdrant_create_count = COUNT(qdrant_create_names);
const char *const qdrant_search_names[] = {"hnsw_ef", "exact", "indexed_only", "consistency"};
const uint64_t qdrant_search_count = COUNT(qdrant_search_names);

const char *qdrant_connection_keys(plug_call *call)
{
    return plug_parameter_names(call, connection, COUNT(connection));
}

int32_t qdrant_describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const filters[] = {
        "and",           "or",            "==",            "!=",
        "in",            "not in",        "exists",        "not exists",
        "<:int64",       "<=:int64",      ">:int64",       ">=:int64",
        "<:float64",     "<=:float64",    ">:float64",     ">=:float64",
        "not <:int64",   "not <=:int64",  "not >:int64",   "not >=:int64",
        "not <:float64", "not <=:float64", "not >:float64", "not >=:float64",
        "array_contains", "array_contains_any", "array_contains_all",
        "not array_contains", "not array_contains_any", "not array_contains_all",
    };
    static const char *const reverse[] = {"cosine", "dotproduct"};
    static const char *const types[] = {
        "text",       "int64",       "float64",       "bool",
        "list<text>", "list<int64>", "list<float64>", "list<bool>",
    };
    static const char *const levels[] = {"majority", "quorum", "all"};
    simplugin_writer out;
    int32_t code = SIMPLUGIN_OK;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 18);
    simplugin_write_string(&out, "name");
    simplugin_write_string(&out, "qdrant");
    simplugin_write_string(&out, "version");
    simplugin_write_string(&out, QDRANT_BACKEND_VERSION);
    plug_write_texts(&out, "metrics", qdrant_metric_names, QDRANT_METRICS);
    simplugin_write_string(&out, "max_k");
    simplugin_write_uint(&out, QDRANT_MAX_K);
    simplugin_write_string(&out, "max_dimension");
    simplugin_write_uint(&out, MAX_DIMENSION);
    simplugin_write_string(&out, "exact");
    simplugin_write_bool(&out, 0);
    qdrant_methods_write(&out);
    plug_write_texts(&out, "filters", filters, COUNT(filters));
    plug_write_texts(&out, "field_types", types, COUNT(types));
    plug_write_texts(&out, "reverse", reverse, COUNT(reverse));
    simplugin_write_string(&out, "radius");
    simplugin_write_bool(&out, 1);
    /* where they are stored with the norm 1; others exactly, as collection.describe says */
    simplugin_write_string(&out, "vectors");
    simplugin_write_string(&out, "rounded");
    simplugin_write_string(&out, "counts_replaced");
    simplugin_write_bool(&out, 0);
    simplugin_write_string(&out, "nonfinite");
    simplugin_write_bool(&out, 0);
    /* its reader of JSON is off by one in the last place of some */
    simplugin_write_string(&out, "rounds_floats");
    simplugin_write_bool(&out, 1);
    plug_write_texts(&out, "consistency_levels", levels, COUNT(levels));
    simplugin_write_string(&out, "parameters");
    simplugin_write_array(&out, COUNT(connection) + COUNT(creation));
    plug_parameters_write(&out, connection, COUNT(connection), 1);
    plug_parameters_write(&out, creation, COUNT(creation), 0);
    simplugin_write_string(&out, "search_parameters");
    simplugin_write_array(&out, COUNT(searching));
    plug_parameters_write(&out, searching, COUNT(searching), 0);
    if (simplugin_writer_reply(&out, plug_host, reply))
        code = plug_error_no_memory(error);
    simplugin_writer_clear(&out);
    return code;
}
