/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend says of itself; docs/protocol.md explains the keys. */
#include "config.h"

#include "describe.h"

#include "call.h"
#include "consistency.h"
#include "metric.h"
#include "plug_parameter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_K 16384
#define MAX_DIMENSION 32768

static const plug_parameter connection[] = {
    {"uri", "text", NULL, 0, {"host", "port"}, NULL,
     "where the server is: http://, https:// or tcp://HOST:PORT; http://localhost:19530 where "
     "neither this nor host is given"},
    {"host", "text", NULL, 0, {NULL}, NULL, "instead of uri, with port"},
    {"port", "any", NULL, 0, {NULL}, NULL, "19530 by default"},
    {"secure", "bool", NULL, 0, {NULL}, NULL, "TLS, whatever the uri's scheme says"},
    {"user", "text", NULL, 0, {NULL}, NULL, "where the server asks who is there"},
    {"password", "text", NULL, 1, {NULL}, NULL, "of the user"},
    {"token", "text", NULL, 1, {NULL}, NULL, "instead of user and password"},
    {"db_name", "text", NULL, 0, {NULL}, NULL, "the database; the server's default one if absent"},
    {"tls_ca", "text", NULL, 0, {NULL}, "ca_pem_path",
     "PEM file of the authorities that are trusted; the system's if absent"},
    {"tls_cert", "text", NULL, 0, {NULL}, "client_pem_path",
     "PEM file of our certificate, for two-way TLS"},
    {"tls_key", "text", NULL, 0, {NULL}, "client_key_path", "PEM file of its key"},
    {"tls_server_name", "text", NULL, 0, {NULL}, "server_name",
     "the name that the server's certificate was made for, where it is not the host"},
    {"tls_verify", "bool", "true", 0, {NULL}, NULL, "false: any certificate will do"},
    {"max_receive_bytes", "int", "1073741824", 0, {NULL}, NULL, "the largest reply that is taken"},
    {"keepalive_ms", "int", "30000", 0, {NULL}, NULL, "how often a quiet connection is tried; 0: never"},
    {"timeout_ms", "int", NULL, 0, {NULL}, NULL, "of calls that say nothing else; 60000 if absent"},
    {"retry_ms", "int", "30000", 0, {NULL}, NULL,
     "how long a server that went away is waited for, by calls that can be repeated"},
    {"batch_bytes", "int", "8388608", 0, {NULL}, NULL, "of rows in one request"},
    {"batches_in_flight", "int", "4", 0, {NULL}, NULL, "requests with rows at a time, for one call"},
};

static const plug_parameter creation[] = {
    {"collection_name", "text", NULL, 0, {NULL}, "index_name", "hyphens become underscores"},
    {"metric", "text", "dotproduct", 0, {NULL}, NULL, "dotproduct, cosine or euclidean"},
    {"consistency_level", "text", "Session", 0, {NULL}, NULL, "Strong, Session, Bounded or Eventually"},
    {"index_type", "text", "HNSW", 0, {NULL}, NULL,
     "FLAT, IVF_FLAT, IVF_SQ8, HNSW, GPU_IVF_FLAT or AUTOINDEX"},
    {"nlist", "int", NULL, 0, {NULL}, NULL, "of the IVF indexes; 1024"},
    {"M", "int", NULL, 0, {NULL}, NULL, "of HNSW; 16"},
    {"efConstruction", "int", NULL, 0, {NULL}, NULL, "of HNSW; 200"},
    {"shards", "int", NULL, 0, {NULL}, "shards_num", "how many shards; 1"},
    {"replicas", "int", NULL, 0, {NULL}, "replica_number", "how many replicas are loaded; 1"},
};

static const plug_parameter searching[] = {
    {"nprobe", "int", NULL, 0, {NULL}, NULL, "of the IVF indexes: more finds more, slower; 16"},
    {"ef", "int", NULL, 0, {NULL}, NULL,
     "of HNSW: more finds more, slower; never below k; 256 or four times k"},
    {"consistency_level", "text", NULL, 0, {NULL}, NULL, "of this search; the collection's if absent"},
    {"partitions", "list", NULL, 0, {NULL}, NULL, "names of those that are searched; all if absent"},
};

const char *const milvus_create_names[] = {"collection_name", "metric", "consistency_level",
                                           "index_type", "nlist", "M", "efConstruction",
                                           "shards", "replicas"};
const uint64_t milvus_create_count = COUNT(milvus_create_names);
const char *const milvus_search_names[] = {"nprobe", "ef", "consistency_level", "partitions"};
const uint64_t milvus_search_count = COUNT(milvus_search_names);

const char *milvus_connection_keys(plug_call *call)
{
    return plug_parameter_names(call, connection, COUNT(connection));
}

int32_t milvus_describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const filters[] = {
        "and",    "or",          "==",     "!=",     "<",      "<=",
        ">",      ">=",          "in",     "not in", "exists", "like:prefix",
        "not <",  "not <=",      "not >",  "not >=", "not exists", "not like:prefix",
    };
    static const char *const types[] = {
        "text",       "int64",       "float64",       "bool",
        "list<text>", "list<int64>", "list<float64>", "list<bool>",
    };
    static const char *const reverse[] = {"dotproduct", "cosine"};
    simplugin_writer out;
    int32_t code = SIMPLUGIN_OK;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 17);
    simplugin_write_string(&out, "name");
    simplugin_write_string(&out, "milvus");
    simplugin_write_string(&out, "version");
    simplugin_write_string(&out, MILVUS_VERSION);
    plug_write_texts(&out, "metrics", milvus_metric_names, MILVUS_METRICS);
    simplugin_write_string(&out, "max_k");
    simplugin_write_uint(&out, MAX_K);
    simplugin_write_string(&out, "max_dimension");
    simplugin_write_uint(&out, MAX_DIMENSION);
    simplugin_write_string(&out, "exact");
    simplugin_write_bool(&out, 0);
    milvus_methods_write(&out);
    plug_write_texts(&out, "filters", filters, COUNT(filters));
    plug_write_texts(&out, "field_types", types, COUNT(types));
    plug_write_texts(&out, "reverse", reverse, COUNT(reverse));
    simplugin_write_string(&out, "radius");
    simplugin_write_bool(&out, 1);
    simplugin_write_string(&out, "vectors");
    simplugin_write_string(&out, "exact");
    simplugin_write_string(&out, "counts_replaced");
    simplugin_write_bool(&out, 0);
    simplugin_write_string(&out, "nonfinite");
    simplugin_write_bool(&out, 0);
    plug_write_texts(&out, "consistency_levels", milvus_level_names, MILVUS_LEVELS);
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
