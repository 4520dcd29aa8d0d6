/* SPDX-License-Identifier: Apache-2.0 */
/* Names, metrics and parameters, right and wrong. */
#include "config.h"

#include "qdrant_live.h"

#include <unistd.h>

/* ---- names ------------------------------------------------------------------------------------ */

/* Each with a beginning of its own, so that what others left is in nobody's way. */
static void names_taken(void)
{
    static const char *const names[] = {
        "a b", " a ", "100%", "%2F", "%s%n", "a+b", "a&b=c", "a#b", "a;b,c", "..a", "a..", "~",
        "caf\xc3\xa9", "cafe\xcc\x81", "\xe6\x97\xa5\xe6\x9c\xac", "x\xf0\x9f\x8d\x90",
        "$HOME", "x\xe2\x80\xa8y", "[1]", "{x}", "(y)", "a@b!",
    };
    enum { COUNT = sizeof names / sizeof names[0] };
    uint64_t indexes[COUNT];

    /* all at once, as one may be taken for another */
    for (int i = 0; i < COUNT; i++) {
        ASK(session, "index.create",
            "{'collection_name': 'live %d %s', 'dimension': 2, 'metric': 'euclidean'}",
            (int)getpid(), names[i]);
        indexes[i] = (uint64_t)reply_int("index");
        ASK(indexes[i], "index.add", "{'ids': ['n%d'], 'vectors': [[%d, 0]]}", i, i);
    }
    for (int i = 0; i < COUNT; i++) {
        char id[16];

        CU_ASSERT_EQUAL(live_size(indexes[i]), 1);
        ASK(session, "index.open", "{'backend': 'qdrant', 'collection_name': 'live %d %s'}",
            (int)getpid(), names[i]);
        ASK((uint64_t)reply_int("index"), "index.search", "{'vectors': [[0, 0]], 'k': 3}");
        snprintf(id, sizeof id, "['n%d']", i);
        REPLY("ids", id);
    }
    for (int i = 0; i < COUNT; i++)
        ASK(indexes[i], "index.cleanup", "{}");
    for (int i = 0; i < COUNT; i++)
        FAILS(SIMPLUGIN_NOT_FOUND, names[i],
              ask(session, "index.open", "{'backend': 'qdrant', 'collection_name': 'live %d %s'}",
                  (int)getpid(), names[i]));
}

static void names_refused(void)
{
    static const struct {
        const char *name, *says;
    } names[] = {
        {"a/b", "takes no \"/\""},    {"a\\\\b", "takes no \"\\\""}, {"a:b", "takes no \":\""},
        {"a?b", "takes no \"?\""},    {"a*", "takes no \"*\""},      {"<a", "takes no \"<\""},
        {"a>", "takes no \">\""},     {"a|b", "takes no \"|\""},     {"a\\nb", "control characters"},
        {".", "is no name"},          {"..", "is no name"},
    };
    char long_name[257];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, names[i].says,
              ask(session, "index.create", "{'collection_name': '%s', 'dimension': 4}",
                  names[i].name));
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    }
    memset(long_name, 'a', 256);
    long_name[256] = 0;
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "255",
          ask(session, "index.create", "{'collection_name': '%s', 'dimension': 4}", long_name));
}

/* ---- metrics ---------------------------------------------------------------------------------- */

static void metrics_mapped(void)
{
    static const struct {
        const char *ours, *theirs;
    } metrics[] = {{"cosine", "Cosine"}, {"dotproduct", "Dot"}, {"euclidean", "Euclid"},
                   {"manhattan", "Manhattan"}};
    live_made made;
    char path[128];

    for (size_t i = 0; i < 4; i++) {
        made = live_create("'dimension': 2, 'metric': '%s'", metrics[i].ours);
        snprintf(path, sizeof path, "/collections/%s", made.name);
        MUST(live_request(made.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(json_string_value(live_result("config.params.vectors.distance")),
                               metrics[i].theirs);
        ASK(made.index, "index.info", "{}");
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(rig_reply, "metric")),
                               metrics[i].ours);
        live_drop(&made);
    }
    made = live_create("'dimension': 2");
    ASK(made.index, "index.info", "{}");
    REPLY("metric", "'cosine'");
    live_drop(&made);
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "dotproduct",
          ask(session, "index.create",
              "{'collection_name': 'none', 'dimension': 4, 'metric': 'hamming'}"));
}

/* The documents' example: metric, name and two numbers. */
static void custom_index(void)
{
    uint64_t index;
    char path[128];

    ASK(session, "index.create",
        "{'collection_name': 'custom-quickstart-index-%d', 'metric': 'dotproduct', 'dimension': 2, "
        "'parameters': {'replication_factor': 2, 'shard_number': 2}}",
        (int)getpid());
    index = (uint64_t)reply_int("index");
    snprintf(path, sizeof path, "/collections/custom-quickstart-index-%d", (int)getpid());
    MUST(live_request(index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_integer_value(live_result("config.params.replication_factor")), 2);
    CU_ASSERT_EQUAL(json_integer_value(live_result("config.params.shard_number")), 2);
    ASK(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [3, 0]]}");
    ASK(index, "index.search", "{'vectors': [[2, 0]]}");
    REPLY("ids", "['b','a']");
    REPLY("distances", "[-6.0,-2.0]");
    ASK(index, "index.cleanup", "{}");
}

/* ---- parameters ------------------------------------------------------------------------------- */

static void number_is(const char *path, double number)
{
    const json_t *value = live_result(path);

    if (!json_is_number(value) || json_number_value(value) != number)
        printf("\n    %s\n    ", path);
    CU_ASSERT(json_is_number(value));
    CU_ASSERT_DOUBLE_EQUAL(json_number_value(value), number, 1e-9);
}

static void parameters_all(void)
{
    live_made made = live_create(
        "'dimension': 2, 'parameters': {'replication_factor': 1, 'shard_number': 1, "
        "'write_consistency_factor': 1, 'on_disk_payload': true, "
        "'hnsw_config': {'m': 17, 'ef_construct': 101, 'full_scan_threshold': 10001, "
        "'max_indexing_threads': 2, 'on_disk': true, 'payload_m': 18}, "
        "'wal_config': {'wal_capacity_mb': 33, 'wal_segments_ahead': 1}, "
        "'optimizers_config': {'deleted_threshold': 0.25, 'vacuum_min_vector_number': 1001, "
        "'default_segment_number': 2, 'max_segment_size': 300000, 'memmap_threshold': 60000, "
        "'indexing_threshold': 20001, 'flush_interval_sec': 6, 'max_optimization_threads': 2}}");
    char path[128];

    snprintf(path, sizeof path, "/collections/%s", made.name);
    MUST(live_request(made.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    number_is("config.params.replication_factor", 1);
    number_is("config.params.shard_number", 1);
    number_is("config.params.write_consistency_factor", 1);
    CU_ASSERT(json_is_true(live_result("config.params.on_disk_payload")));
    number_is("config.hnsw_config.m", 17);
    number_is("config.hnsw_config.ef_construct", 101);
    number_is("config.hnsw_config.full_scan_threshold", 10001);
    number_is("config.hnsw_config.max_indexing_threads", 2);
    CU_ASSERT(json_is_true(live_result("config.hnsw_config.on_disk")));
    number_is("config.hnsw_config.payload_m", 18);
    number_is("config.wal_config.wal_capacity_mb", 33);
    number_is("config.wal_config.wal_segments_ahead", 1);
    number_is("config.optimizer_config.deleted_threshold", 0.25);
    number_is("config.optimizer_config.vacuum_min_vector_number", 1001);
    number_is("config.optimizer_config.default_segment_number", 2);
    number_is("config.optimizer_config.max_segment_size", 300000);
    number_is("config.optimizer_config.memmap_threshold", 60000);
    number_is("config.optimizer_config.indexing_threshold", 20001);
    number_is("config.optimizer_config.flush_interval_sec", 6);
    number_is("config.optimizer_config.max_optimization_threads", 2);
    live_drop(&made);
}

/* What is not given is the server's business. */
static void parameters_partial(void)
{
    live_made made = live_create("'dimension': 2, 'parameters': {'hnsw_config': {'m': 24}, "
                                 "'optimizers_config': {'indexing_threshold': 30000}, "
                                 "'wal_config': {}}");
    live_made plain = live_create("'dimension': 2");
    char path[128];
    json_t *standard;

    snprintf(path, sizeof path, "/collections/%s", plain.name);
    MUST(live_request(plain.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    standard = json_incref(live_result("config"));
    snprintf(path, sizeof path, "/collections/%s", made.name);
    MUST(live_request(made.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    number_is("config.hnsw_config.m", 24);
    number_is("config.optimizer_config.indexing_threshold", 30000);
    json_object_set(live_result("config.hnsw_config"), "m",
                    json_object_get(json_object_get(standard, "hnsw_config"), "m"));
    CU_ASSERT(json_equal(live_result("config.hnsw_config"),
                         json_object_get(standard, "hnsw_config")));
    CU_ASSERT(json_equal(live_result("config.wal_config"), json_object_get(standard, "wal_config")));
    CU_ASSERT(json_equal(live_result("config.params"), json_object_get(standard, "params")));
    json_decref(standard);
    live_drop(&plain);
    live_drop(&made);
}

static int32_t create_with(const char *parameters)
{
    return ask(session, "index.create",
               "{'collection_name': 'none', 'dimension': 4, 'parameters': {%s}}", parameters);
}

static void parameters_refused(void)
{
    FAILS(SIMPLUGIN_UNKNOWN_PARAMETER, "shard_number", create_with("'shard_numbers': 2"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "ef_construct",
          create_with("'hnsw_config': {'ef_construction': 100}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "wal_capacity_mb",
          create_with("'wal_config': {'wal_capacity': 32}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "deleted_threshold",
          create_with("'optimizers_config': {'deleted_threshold': 2}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "shard_number", create_with("'shard_number': 0"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "65536",
          ask(session, "index.create", "{'collection_name': 'none', 'dimension': 65537}"));
    ASK(session, "index.create", "{'collection_name': 'none_%d', 'dimension': 4}", (int)getpid());
    ASK((uint64_t)reply_int("index"), "index.cleanup", "{}");
}

static void search_parameters(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine'");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    ASK(made.index, "index.search",
        "{'vectors': [[1, 0]], 'k': 2, 'parameters': {'hnsw_ef': 1, 'exact': true, "
        "'indexed_only': false, 'consistency': 'majority'}}");
    REPLY("ids", "['a','b']");
    FAILS(SIMPLUGIN_UNKNOWN_PARAMETER, "hnsw_ef",
          ask(made.index, "index.search", "{'vectors': [[1, 0]], 'parameters': {'hnsw_eff': 16}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "hnsw_ef",
          ask(made.index, "index.search", "{'vectors': [[1, 0]], 'parameters': {'hnsw_ef': 0}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "majority",
          ask(made.index, "index.search",
              "{'vectors': [[1, 0]], 'parameters': {'consistency': 'most'}}"));
    live_drop(&made);
}

LIVE_SUITE(live_input, "input",
           UNIT_CASE(names_taken, "R121 R277 names with spaces, %, # and beyond ASCII are just names"),
           UNIT_CASE(names_refused, "R277 names with / and the like: the error shows the character"),
           UNIT_CASE(metrics_mapped, "R118-R120 metrics, and what Qdrant calls them"),
           UNIT_CASE(custom_index, "R59 R124 R125 R144 the documents' custom index"),
           UNIT_CASE(parameters_all, "R117 R124-R142 every parameter reaches the server"),
           UNIT_CASE(parameters_partial, "R143 a part of a configuration leaves the rest to the server"),
           UNIT_CASE(parameters_refused, "R277 parameters that do not exist, and values that cannot be"),
           UNIT_CASE(search_parameters, "R269 parameters of searches, right and wrong"));
