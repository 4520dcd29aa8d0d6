/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of before: those without /points/query are asked as they were, older ones refused. */
#include "config.h"

#include "qdrant_live.h"

static void searched_the_old_way(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    uint64_t view;

    ASK(made.index, "index.add",
        "{'ids': ['a', 'b', 'c'], 'vectors': [[1, 0], [2, 0], [3, 0]], 'fields': {'page': [1, 2, 3]}}");
    fault_end();
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 2, 'fields': ['page']}");
    REPLY("ids", "['a','b']");
    REPLY("distances", "[1.0,2.0]");
    REPLY("fields", "{'page':[1,2]}");
    CU_ASSERT_EQUAL(asked("POST", "/points/search"), 1);
    ASK(made.index, "index.search",
        "{'vectors': [[0, 0], [9, 0]], 'k': 1, 'filter': 'page <= 2', 'with_vectors': true, "
        "'parameters': {'exact': true}}");
    REPLY("offsets", "[0,1,2]");
    REPLY("ids", "['a','b']");
    REPLY("vectors", "[[1.0,0.0],[2.0,0.0]]");
    CU_ASSERT_EQUAL(asked("POST", "/points/search/batch"), 1);
    ASK(made.index, "index.radius", "{'vectors': [[0, 0]], 'radius': 2.5}");
    REPLY("ids", "['a','b']");
    ASK(made.index, "view.create", "{'ids': ['b', 'c', 'nobody']}");
    REPLY("known", "2");
    view = (uint64_t)reply_int("view");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 3, 'view': %llu}",
        (unsigned long long)view);
    REPLY("ids", "['b','c']");
    CU_ASSERT_EQUAL(asked(NULL, "/points/query"), 0);
    CU_ASSERT_EQUAL(asked(NULL, "/points/query/batch"), 0);
    fault_end();
    live_drop(&made);
}

/* One with a named vector, which the old way names otherwise. */
static void named_the_old_way(void)
{
    uint64_t connection = live_connection(), index;

    MUST(live_request(connection, "PUT", "/collections/live_old_named", "%s",
                      "{'vectors': {'image': {'size': 2, 'distance': 'Cosine'}}}") == SIMPLUGIN_OK);
    ASK(session, "index.open", "{'backend': 'qdrant', 'collection_name': 'live_old_named'}");
    index = (uint64_t)reply_int("index");
    ASK(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[3, 4], [0, 2]]}");
    ASK(index, "index.search", "{'vectors': [[0, 1]], 'k': 2}");
    REPLY("ids", "['b','a']");
    ASK(index, "index.search", "{'vectors': [[0, 1], [1, 0]], 'k': 1}");
    REPLY("ids", "['b','a']");
    ASK(index, "index.cleanup", "{}");
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void too_old(void)
{
    FAILS(SIMPLUGIN_VERSION_TOO_OLD, "1.6.0", live_health("%s", ""));
    CU_ASSERT(live_says("1.7.0"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_VERSION_TOO_OLD, "1.6.0",
          ask(session, "index.create", "{'collection_name': 'none', 'dimension': 2}"));
}

LIVE_SUITE(live_old, "a server before 1.10",
           UNIT_CASE(searched_the_old_way, "R260 searches, views and filters by /points/search"),
           UNIT_CASE(named_the_old_way, "R260 R277 a collection with one named vector"));

LIVE_SUITE(live_too_old, "a server before 1.7",
           UNIT_CASE(too_old, "R260 is refused, and its version named"));
