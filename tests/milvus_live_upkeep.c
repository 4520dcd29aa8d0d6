/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions, indexes of collections, and what a collection needs beside its points. */
#include "config.h"

#include "milvus_live.h"

#define POINT(id, x, y)                                                                      \
    "'ids': {'$column': {'type': 'text', 'values': ['" id "']}}, 'vectors': "                  \
    "{'$tensor': {'dtype': 'float32', 'data': [[" #x ", " #y "]]}}"
#define QUERY "'vectors': {'$tensor': {'dtype': 'float32', 'data': [[1, 0]]}}, 'k': 10"

/* ---- partitions -------------------------------------------------------------------------------- */

static void partitions_made(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    MUST(live_call(&made, "partition.create", "'partition': '2024_data'") == SIMPLUGIN_OK);
    MUST(live_call(&made, "partition.create", "'partition': 'tag01'") == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_ALREADY_EXISTS, "tag01",
          live_call(&made, "partition.create", "'partition': 'tag01'"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "letters, digits",
          live_call(&made, "partition.create", "'partition': 'a b'"));
    MUST(live_do(&made, "partition.list") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "partitions")), 3);
    CU_ASSERT(strstr(reply_text("partitions"), "'_default'") != NULL);
    CU_ASSERT(strstr(reply_text("partitions"), "'2024_data'") != NULL);

    MUST(live_call(&made, "points.upsert", POINT("a", 1, 0)) == SIMPLUGIN_OK);
    MUST(live_call(&made, "points.upsert", POINT("b", 1, 1) ", 'parameters': "
                   "{'partition': '2024_data'}") == SIMPLUGIN_OK);
    /* through the index as well */
    ASK(made.index, "index.add",
        "{'ids': ['c'], 'vectors': [[0, 1]], 'parameters': {'partition': 'tag01'}}");
    FAILS(SIMPLUGIN_NOT_FOUND, "nosuch",
          ask(made.index, "index.add",
              "{'ids': ['d'], 'vectors': [[0, 1]], 'parameters': {'partition': 'nosuch'}}"));
    ASK(made.index, "index.search", "{'vectors': [[1, 0]]}");
    REPLY("ids", "['a','b','c']");
    ASK(made.index, "index.search",
        "{'vectors': [[1, 0]], 'parameters': {'partitions': ['2024_data']}}");
    REPLY("ids", "['b']");
    ASK(made.index, "index.search",
        "{'vectors': [[1, 0]], 'parameters': {'partitions': ['_default', 'tag01']}}");
    REPLY("ids", "['a','c']");
    CU_ASSERT_EQUAL(live_size(made.index), 3);

    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "_default",
          live_call(&made, "partition.drop", "'partition': '_default'"));
    FAILS(SIMPLUGIN_NOT_FOUND, "nosuch",
          live_call(&made, "partition.drop", "'partition': 'nosuch'"));
    MUST(live_call(&made, "partition.drop", "'partition': 'tag01'") == SIMPLUGIN_OK);
    MUST(live_do(&made, "partition.list") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "partitions")), 2);
    ASK(made.index, "index.search", "{'vectors': [[1, 0]]}");
    REPLY("ids", "['a','b']");
    live_drop(&made);
}

static void partitions_loaded(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    MUST(live_call(&made, "partition.create", "'partition': 'recent_data'") == SIMPLUGIN_OK);
    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    ASK(made.index, "index.add",
        "{'ids': ['b'], 'vectors': [[0, 1]], 'parameters': {'partition': 'recent_data'}}");
    if (server.is_lite) {
        FAILS(SIMPLUGIN_UNIMPLEMENTED, "LoadPartitions",
              live_call(&made, "collection.load", "'partitions': ['recent_data']"));
        FAILS(SIMPLUGIN_UNIMPLEMENTED, "ReleasePartitions",
              live_call(&made, "collection.release", "'partitions': ['recent_data']"));
    } else {
        MUST(live_do(&made, "collection.release") == SIMPLUGIN_OK);
        MUST(live_call(&made, "collection.load", "'partitions': ['recent_data']") == SIMPLUGIN_OK);
        MUST(live_call(&made, "search", QUERY) == SIMPLUGIN_OK);
        REPLY("ids", "['b']");
        FAILS(SIMPLUGIN_NOT_FOUND, "nosuch",
              live_call(&made, "collection.load", "'partitions': ['nosuch']"));
        MUST(live_call(&made, "collection.release", "'partitions': ['recent_data']") == SIMPLUGIN_OK);
    }
    MUST(live_do(&made, "collection.load") == SIMPLUGIN_OK);
    MUST(live_call(&made, "search", QUERY) == SIMPLUGIN_OK);
    REPLY("ids", "['a','b']");
    live_drop(&made);
}

/* ---- the index of a collection -------------------------------------------------------------------- */

static const char *index_told(const live_made *made, const char *key)
{
    MUST(live_do(made, "index.describe") == SIMPLUGIN_OK);
    return json_string_value(json_object_get(json_object_get(rig_reply, "parameters"), key));
}

static void index_types(void)
{
    static const struct {
        const char *type, *parameters, *told;
    } types[] = {
        {"IVF_FLAT", ", 'nlist': 1024", "1024"}, {"IVF_SQ8", ", 'nlist': 16", "16"},
        {"HNSW", ", 'M': 16, 'efConstruction': 200", "200"}, {"AUTOINDEX", "", NULL},
        {"GPU_IVF_FLAT", ", 'nlist': 1024", "1024"}, {"FLAT", "", NULL},
    };
    live_made made = live_create("'dimension': 2, 'metric': 'cosine'");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        /* no machine of ours has one: it can be described, and not loaded */
        int is_gpu = strstr(types[i].type, "GPU") != NULL;
        int32_t code;

        if (is_gpu && !server.is_lite)
            continue;
        code = live_call(&made, "index.create", "'parameters': {'index_type': '%s'%s}",
                         types[i].type, types[i].parameters);
        MUST(code == SIMPLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(index_told(&made, "index_type"), types[i].type);
        if (types[i].told) {
            const char *params = index_told(&made, "params");

            CU_ASSERT(params && strstr(params, types[i].told) != NULL);
        }
        /* the metric stays what it was, and the points are still there */
        CU_ASSERT_STRING_EQUAL(index_told(&made, "metric_type"), "COSINE");
        ASK(made.index, "index.search", "{'vectors': [[1, 0]], 'parameters': {'nprobe': 16}}");
        REPLY("ids", "['a','b']");
    }
    live_drop(&made);
}

static void index_dropped(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    MUST(live_do(&made, "index.drop") == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_NOT_FOUND, "index", live_do(&made, "index.describe"));
    FAILS(SIMPLUGIN_NOT_FOUND, "no index", live_do(&made, "index.drop"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "index.create makes one", live_call(&made, "search", QUERY));
    MUST(live_call(&made, "index.create", "'parameters': {'index_type': 'FLAT', 'metric': 'euclidean'}") == SIMPLUGIN_OK);
    MUST(live_call(&made, "search", QUERY) == SIMPLUGIN_OK);
    REPLY("ids", "['a']");
    /* again, as the old documents want it after an insertion */
    MUST(live_call(&made, "index.create", "'parameters': {'index_type': 'FLAT'}") == SIMPLUGIN_OK);
    MUST(live_call(&made, "search", QUERY) == SIMPLUGIN_OK);
    REPLY("ids", "['a']");
    live_drop(&made);
}

/* ---- collections -------------------------------------------------------------------------------------- */

static void loaded_and_released(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    for (int i = 0; i < 3; i++) {
        MUST(live_do(&made, "collection.release") == SIMPLUGIN_OK);
        /* released again: nothing to do; and who reads it has it loaded */
        MUST(live_do(&made, "collection.release") == SIMPLUGIN_OK);
        if (i == 0) {
            ASK(made.index, "index.search", "{'vectors': [[1, 0]]}");
            REPLY("ids", "['a','b']");
        } else if (i == 1) {
            CU_ASSERT_EQUAL(live_size(made.index), 2);
        } else {
            MUST(live_do(&made, "collection.load") == SIMPLUGIN_OK);
            MUST(live_do(&made, "collection.load") == SIMPLUGIN_OK);
            ASK(made.index, "index.get", "{'ids': ['b']}");
            REPLY("missing", "[]");
        }
    }
    /* deletions too, by ids and by a filter */
    MUST(live_do(&made, "collection.release") == SIMPLUGIN_OK);
    ASK(made.index, "index.remove", "{'ids': ['a']}");
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    live_drop(&made);
}

static void flushed_and_compacted(void)
{
    live_made made = live_create("'dimension': 8, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");
    float *rows = live_normal(21, 3000, 8);

    MUST(live_add(made.index, rows, 0, 3000, 8) == SIMPLUGIN_OK);
    MUST(live_do(&made, "collection.flush") == SIMPLUGIN_OK);
    MUST(live_remove(made.index, 0, 1000, 1) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 2000);
    MUST(live_do(&made, "collection.flush") == SIMPLUGIN_OK);
    MUST(live_do(&made, "collection.compact") == SIMPLUGIN_OK);
    ASK(made.index, "index.compact", "{}");
    CU_ASSERT_EQUAL(live_size(made.index), 2000);
    MUST(live_search(made.index, rows + 2000 * 8, 1, 8, 1, NULL, 0) == SIMPLUGIN_OK);
    REPLY("ids", "['p002000']");
    free(rows);
    live_drop(&made);
}

static void listed_and_dropped(void)
{
    live_made made = live_create("'dimension': 2");
    uint64_t connection = live_connection();

    ASK(connection, "backend.call", "{'method': 'collection.list'}");
    CU_ASSERT(json_array_size(json_object_get(rig_reply, "collections")) > 0);
    ASK(connection, "backend.call",
        "{'method': 'collection.exists', 'body': {'collection': '%s'}}", made.name);
    REPLY("exists", "true");
    FAILS(SIMPLUGIN_ALREADY_EXISTS, made.name,
          ask(connection, "backend.call", "{'method': 'collection.create', 'body': "
              "{'collection': '%s', 'dimension': 2}}", made.name));
    ASK(connection, "backend.call",
        "{'method': 'collection.drop', 'body': {'collection': '%s'}}", made.name);
    ASK(connection, "backend.call",
        "{'method': 'collection.exists', 'body': {'collection': '%s'}}", made.name);
    REPLY("exists", "false");
    FAILS(SIMPLUGIN_NOT_FOUND, made.name,
          ask(connection, "backend.call",
              "{'method': 'collection.drop', 'body': {'collection': '%s'}}", made.name));
    FAILS(SIMPLUGIN_NOT_FOUND, made.name, ask(made.index, "index.size", "{}"));
    CU_ASSERT_EQUAL(simplugin_close(made.index, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

/* Another handle, on the same server, makes it anew with another dimension. */
static void made_anew(void)
{
    live_made made = live_create("'dimension': 2, 'parameters': {'index_type': 'FLAT'}");
    uint64_t other = live_connection();

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    ASK(other, "backend.call", "{'method': 'collection.drop', 'body': {'collection': '%s'}}",
        made.name);
    ASK(other, "backend.call", "{'method': 'collection.create', 'body': {'collection': '%s', "
        "'dimension': 3, 'parameters': {'index_type': 'FLAT'}}}", made.name);
    /* nothing of the old one is taken for the new one */
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "dim",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}"));
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "dimension",
          ask(made.index, "index.search", "{'vectors': [[1, 0]]}"));
    ASK(session, "index.open", "{'backend': 'milvus', 'collection_name': '%s'}", made.name);
    ASK((uint64_t)reply_int("index"), "index.add", "{'ids': ['a'], 'vectors': [[1, 0, 0]]}");
    CU_ASSERT_EQUAL(simplugin_close(other, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static const unit_case cases[] = {
    UNIT_CASE(partitions_made, "R152-R155 R163 R171 R172 R215-R217 R220 partitions: made, filled, searched, dropped"),
    UNIT_CASE(partitions_loaded, "R227 partitions are loaded and released alone"),
    UNIT_CASE(index_types, "R156 R196 R200-R204 every index type, and what Milvus tells of it"),
    UNIT_CASE(index_dropped, "R157-R159 R195 an index is dropped, and made again"),
    UNIT_CASE(loaded_and_released, "R208 R225 R226 a released collection is loaded by who reads it"),
    UNIT_CASE(flushed_and_compacted, "R166-R168 R207 flush and compact"),
    UNIT_CASE(listed_and_dropped, "R151 R218 R221 collections: listed, looked for, dropped"),
    UNIT_CASE(made_anew, "R277 a collection that somebody else made anew"),
};

const live_suite live_upkeep = {"upkeep", cases, sizeof cases / sizeof cases[0], {NULL}};
