/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend says of itself; docs/protocol.md explains the keys. */
#include "instance.h"
#include "metric.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct parameter {
    const char *name;
    const char *type;
    const char *standard;
    int is_secret;
    const char *doc;
} parameter;

static const parameter connection[] = {
    {"conninfo", "text", NULL, 0,
     "where the server is, as libpq has it: \"host=... dbname=... user=...\" or a postgresql:// "
     "URI, "
     "without a password; where absent, the variables PGHOST, PGDATABASE, PGUSER and so on"},
    {"password", "text", NULL, 1, "of the user; where absent, PGPASSWORD or ~/.pgpass"},
    {"sslpassword", "text", NULL, 1, "of the key that conninfo names by sslkey"},
    {"schema", "text", "simplugin", 0, "where the tables are; made with the first collection"},
    {"pool_size", "int", "4", 0, "sessions with the server at most"},
    {"timeout_ms", "int", NULL, 0, "of calls that say nothing else; 60000 if absent"},
};

static const parameter creation[] = {
    {"metric", "text", "cosine", 0, "cosine, dotproduct or euclidean"},
    {"storage", "text", "auto", 0,
     "vector: a column of the extension's type; array: real[], without it; auto: vector where the "
     "database has the extension"},
    {"index_type", "text", "none", 0, "none: searches look at every point; hnsw: with vector only"},
    {"m", "int", "16", 0, "of hnsw: connections of a point, 2 to 100"},
    {"ef_construction", "int", "64", 0, "of hnsw: candidates while building, 4 to 1000"},
};

static const parameter searching[] = {
    {"ef_search", "int", "40", 0, "with hnsw: candidates, 1 to 1000; never fewer than k"},
    {"exact", "bool", "false", 0, "true: every point is looked at"},
};

const char pgv_connection_keys[] = "conninfo password sslpassword schema pool_size timeout_ms";
const char pgv_creation_keys[] = "metric storage index_type m ef_construction";
const char pgv_search_keys[] = "ef_search exact";

static void write_texts(simplugin_writer *out, const char *key, const char *const *texts,
                        uint64_t count)
{
    simplugin_write_string(out, key);
    simplugin_write_array(out, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_string(out, texts[i]);
}

static void write_bool(simplugin_writer *out, const char *key, int value)
{
    simplugin_write_string(out, key);
    simplugin_write_bool(out, value);
}

/* A default is of the parameter's type. */
static void write_standard(simplugin_writer *out, const parameter *one)
{
    if (!one->standard || strcmp(one->type, "text") == 0)
        simplugin_write_string(out, one->standard);
    else if (strcmp(one->type, "bool") == 0)
        simplugin_write_bool(out, strcmp(one->standard, "true") == 0);
    else
        simplugin_write_int(out, strtoll(one->standard, NULL, 10));
}

static void write_parameters(simplugin_writer *out, const parameter *all, uint64_t count,
                             int is_connection)
{
    for (uint64_t i = 0; i < count; i++) {
        simplugin_write_map(out, 6);
        simplugin_write_string(out, "name");
        simplugin_write_string(out, all[i].name);
        simplugin_write_string(out, "type");
        simplugin_write_string(out, all[i].type);
        simplugin_write_string(out, "default");
        write_standard(out, &all[i]);
        simplugin_write_string(out, "doc");
        simplugin_write_string(out, all[i].doc);
        write_bool(out, "secret", all[i].is_secret);
        write_bool(out, "connection", is_connection);
    }
}

int32_t pgv_describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const methods[] = {"points.set_fields", "view.create", "view.drop",
                                          "index.create",      "index.drop",  "index.describe"};
    static const char *const filters[] = {"and",
                                          "or",
                                          "not",
                                          "==",
                                          "!=",
                                          "<",
                                          "<=",
                                          ">",
                                          ">=",
                                          "in",
                                          "not in",
                                          "like",
                                          "exists",
                                          "array_contains",
                                          "array_contains_any",
                                          "array_contains_all"};
    static const char *const types[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};
    simplugin_writer out;
    int32_t code;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 17);
    simplugin_write_string(&out, "name");
    simplugin_write_string(&out, "pgvector");
    simplugin_write_string(&out, "version");
    simplugin_write_string(&out, PGV_VERSION);
    write_texts(&out, "metrics", pgv_metric_names, PGV_METRICS);
    simplugin_write_string(&out, "max_dimension");
    simplugin_write_uint(&out, PGV_DIMENSION_MAX);
    write_bool(&out, "exact", 1); /* but for collections with an index, which are asked for */
    write_texts(&out, "methods", methods, COUNT(methods));
    write_texts(&out, "filters", filters, COUNT(filters));
    write_texts(&out, "field_types", types, COUNT(types));
    write_texts(&out, "reverse", pgv_metric_names, PGV_METRICS);
    write_bool(&out, "radius", 1);
    simplugin_write_string(&out, "vectors");
    simplugin_write_string(&out, "exact");
    write_bool(&out, "counts_replaced", 1);
    write_bool(&out, "conditional_upsert", 1);
    write_bool(&out, "nonfinite", 1);
    simplugin_write_string(&out, "batch_bytes");
    simplugin_write_uint(&out, PGV_BATCH_BYTES);
    simplugin_write_string(&out, "parameters");
    simplugin_write_array(&out, COUNT(connection) + COUNT(creation));
    write_parameters(&out, connection, COUNT(connection), 1);
    write_parameters(&out, creation, COUNT(creation), 0);
    simplugin_write_string(&out, "search_parameters");
    simplugin_write_array(&out, COUNT(searching));
    write_parameters(&out, searching, COUNT(searching), 0);
    code = simplugin_writer_reply(&out, pgv_host, reply);
    simplugin_writer_clear(&out);
    return code ? pgv_host->error_set(error, code, "out of memory", 13) : SIMPLUGIN_OK;
}
