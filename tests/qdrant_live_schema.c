/* SPDX-License-Identifier: Apache-2.0 */
/* Collections that others made, in their own ways: used where they can be, refused clearly. */
#include "config.h"

#include "qdrant_live.h"

#include <unistd.h>

/* What PUT /collections/NAME makes of that body. */
static live_made foreign(const char *body)
{
    static int number;
    live_made made = {0, ""};
    uint64_t connection = live_connection();
    char path[128];

    snprintf(made.name, sizeof made.name, "live_foreign_%d_%d", (int)getpid(), number++);
    snprintf(path, sizeof path, "/collections/%s", made.name);
    MUST(live_request(connection, "PUT", path, "%s", body) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    return made;
}

static int32_t opened(live_made *made)
{
    int32_t code =
        ask(session, "index.open", "{'backend': 'qdrant', 'collection_name': '%s'}", made->name);

    made->index = code ? 0 : (uint64_t)reply_int("index");
    return code;
}

static void dropped(const live_made *made)
{
    uint64_t connection = live_connection();

    ASK(connection, "backend.call", "{'method': 'collection.drop', 'body': {'collection': '%s'}}",
        made->name);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void other_dimension(void)
{
    live_made made = live_create("'dimension': 3, 'metric': 'euclidean'");

    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "3",
          ask(session, "index.create",
              "{'collection_name': '%s', 'dimension': 4, 'metric': 'euclidean'}", made.name));
    CU_ASSERT(live_says("4"));
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "3",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 2, 3, 4]]}"));
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "3",
          ask(made.index, "index.search", "{'vectors': [[1, 2]]}"));
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    live_drop(&made);
}

static void other_metric(void)
{
    live_made made = live_create("'dimension': 3, 'metric': 'euclidean'");

    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "euclidean",
          ask(session, "index.create",
              "{'collection_name': '%s', 'dimension': 3, 'metric': 'cosine'}", made.name));
    ASK(session, "index.open", "{'backend': 'qdrant', 'collection_name': '%s'}", made.name);
    REPLY("metric", "'euclidean'");
    live_drop(&made);
}

/* It is dropped, and made anew by somebody else while it is open. */
static void made_anew(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    uint64_t connection = live_connection();
    char path[128];

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 2]]}");
    snprintf(path, sizeof path, "/collections/%s", made.name);
    MUST(live_request(connection, "DELETE", path, "%s", "") == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_NOT_FOUND, made.name, ask(made.index, "index.search", "{'vectors': [[1, 2]]}"));
    MUST(live_request(connection, "PUT", path, "%s",
                      "{'vectors': {'size': 3, 'distance': 'Euclid'}}") == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "3",
          ask(made.index, "index.search", "{'vectors': [[1, 2]]}"));
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

/* The same dimension, so that no call fails, and another metric. */
static void metric_replaced(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    uint64_t connection = live_connection();
    int64_t deadline = live_now() + 10000;
    char path[128], points[160];

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 1}");
    REPLY("distances", "[5.0]");
    snprintf(path, sizeof path, "/collections/%s", made.name);
    snprintf(points, sizeof points, "%s/points?wait=true", path);
    MUST(live_request(connection, "DELETE", path, "%s", "") == SIMPLUGIN_OK);
    MUST(live_request(connection, "PUT", path, "%s",
                      "{'vectors': {'size': 2, 'distance': 'Dot'}}") == SIMPLUGIN_OK);
    MUST(live_request(connection, "PUT", points, "%s",
                      "{'points': [{'id': '507f1f77-bcf8-6cd7-9943-901100000000', 'vector': [3, 4]}]}") ==
         SIMPLUGIN_OK);
    do {
        live_sleep(50);
        ASK(made.index, "index.search", "{'vectors': [[2, 1]], 'k': 1}");
    } while (strcmp(reply_text("distances"), "[-10.0]") != 0 && live_now() < deadline);
    REPLY("distances", "[-10.0]");
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

/* How many points a filter accepts. */
static int64_t matching(const live_made *made, const char *filter)
{
    ASK(made->index, "index.size", "{'filter': '%s'}", filter);
    return reply_int("size");
}

/* Whatever the first points hold, filters go by what each point holds. */
static void mixed_types(void)
{
    live_made made = foreign("{'vectors': {'size': 1, 'distance': 'Euclid'}}");
    uint64_t connection = live_connection();
    char path[128], points[4096];

    snprintf(path, sizeof path, "/collections/%s/points?wait=true", made.name);
    for (int first = 1; first <= 200; first += 40) {
        int size = snprintf(points, sizeof points, "{'points': [");

        for (int i = first; i < first + 40; i++)
            size += snprintf(points + size, sizeof points - (size_t)size,
                             "%s{'id': %d, 'vector': [%d], 'payload': {'price': %s, 'tags': %s}}",
                             i > first ? ", " : "", i, i, i <= 100 ? "5" : "5.1",
                             i <= 100 ? "5" : "[5, 6]");
        snprintf(points + size, sizeof points - (size_t)size, "]}");
        MUST(live_request(connection, "PUT", path, "%s", points) == SIMPLUGIN_OK);
    }
    MUST(opened(&made) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(matching(&made, "price == 5.1"), 100);
    CU_ASSERT_EQUAL(matching(&made, "price == 5"), 100);
    CU_ASSERT_EQUAL(matching(&made, "price < 5.05"), 100);
    CU_ASSERT_EQUAL(matching(&made, "price >= 5"), 200);
    CU_ASSERT_EQUAL(matching(&made, "price in [5, 7]"), 100);
    CU_ASSERT_EQUAL(matching(&made, "tags == 5"), 100);
    CU_ASSERT_EQUAL(matching(&made, "not (tags == 5)"), 100);
    CU_ASSERT_EQUAL(matching(&made, "tags < 7"), 100);
    CU_ASSERT_EQUAL(matching(&made, "array_contains(tags, 5)"), 100);
    CU_ASSERT_EQUAL(matching(&made, "not array_contains(tags, 6)"), 100);
    CU_ASSERT_EQUAL(matching(&made, "array_contains_any(tags, [5, 9]) and price > 5"), 100);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

/* A collection of before there was metadata: one point of another kind makes it no other's. */
static void mostly_mapped(void)
{
    live_made made = foreign("{'vectors': {'size': 1, 'distance': 'Euclid'}}");
    uint64_t connection = live_connection();
    char path[128];

    snprintf(path, sizeof path, "/collections/%s/points?wait=true", made.name);
    MUST(live_request(connection, "PUT", path, "%s",
                      "{'points': [{'id': 1, 'vector': [9]}, "
                      "{'id': '507f1f77-bcf8-6cd7-9943-901100000000', 'vector': [1]}]}") == SIMPLUGIN_OK);
    MUST(opened(&made) == SIMPLUGIN_OK);
    ASK(made.index, "index.get", "{'ids': ['507f1f77bcf86cd799439011']}");
    REPLY("missing", "[]");
    ASK(made.index, "index.add", "{'ids': ['any text'], 'vectors': [[2]]}");
    ASK(made.index, "index.search", "{'vectors': [[0]], 'k': 2}");
    REPLY("ids", "['507f1f77bcf86cd799439011','any text']");
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static void one_named_vector(void)
{
    live_made made = foreign("{'vectors': {'image': {'size': 2, 'distance': 'Cosine'}}}");

    MUST(opened(&made) == SIMPLUGIN_OK);
    REPLY("metric", "'cosine'");
    REPLY("dimension", "2");
    ASK(made.index, "index.add",
        "{'ids': ['a', 'b'], 'vectors': [[3, 4], [0, 2]], 'fields': {'page': [1, 2]}}");
    ASK(made.index, "index.search", "{'vectors': [[0, 1]], 'k': 2, 'filter': 'page >= 1'}");
    REPLY("ids", "['b','a']");
    ASK(made.index, "index.search", "{'vectors': [[0, 1], [1, 0]], 'k': 1}");
    REPLY("ids", "['b','a']");
    ASK(made.index, "index.get", "{'ids': ['b', 'a']}");
    REPLY("vectors", "[[0.0,2.0],[3.0,4.0]]");
    ASK(made.index, "index.remove", "{'ids': ['a']}");
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    live_drop(&made);
}

static void several_named_vectors(void)
{
    live_made made = foreign("{'vectors': {'image': {'size': 2, 'distance': 'Cosine'}, "
                             "'text': {'size': 3, 'distance': 'Dot'}}}");

    FAILS(SIMPLUGIN_UNIMPLEMENTED, "2 vectors", opened(&made));
    CU_ASSERT(live_says(made.name));
    dropped(&made);
}

/* Names that are those of a plain vector's settings. */
static void vectors_named_size(void)
{
    live_made made = foreign("{'vectors': {'size': {'size': 2, 'distance': 'Euclid'}}}");

    MUST(opened(&made) == SIMPLUGIN_OK);
    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    live_drop(&made);
}

static void multivectors(void)
{
    live_made made = foreign("{'vectors': {'size': 2, 'distance': 'Dot', "
                             "'multivector_config': {'comparator': 'max_sim'}}}");

    FAILS(SIMPLUGIN_UNIMPLEMENTED, "several vectors each", opened(&made));
    dropped(&made);
}

static void without_vectors(void)
{
    live_made made = foreign("{'vectors': {}}");

    FAILS(SIMPLUGIN_UNIMPLEMENTED, "0 vectors", opened(&made));
    dropped(&made);
}

/* Bytes: what is added comes back as the server keeps it. */
static void uint8_vectors(void)
{
    live_made made = foreign("{'vectors': {'size': 2, 'distance': 'Euclid', 'datatype': 'uint8'}}");

    MUST(opened(&made) == SIMPLUGIN_OK);
    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[3, 4], [255, 0]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 2}");
    REPLY("ids", "['a','b']");
    REPLY("distances", "[5.0,255.0]");
    ASK(made.index, "index.get", "{'ids': ['b', 'a']}");
    REPLY("vectors", "[[255.0,0.0],[3.0,4.0]]");
    live_drop(&made);
}

static void through_an_alias(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    char alias[64];
    uint64_t index;

    snprintf(alias, sizeof alias, "live alias %d", (int)getpid());
    MUST(live_call(&made, "native.alias.create", "'alias': '%s'", alias) == SIMPLUGIN_OK);
    ASK(session, "index.open", "{'backend': 'qdrant', 'collection_name': '%s'}", alias);
    index = (uint64_t)reply_int("index");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    CU_ASSERT_EQUAL(live_size(index), 1);
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    ASK(index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    ASK(index, "backend.call", "{'method': 'native.alias.drop', 'body': {'alias': '%s'}}", alias);
    FAILS(SIMPLUGIN_NOT_FOUND, alias, ask(index, "index.size", "{}"));
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

/* As FiftyOne's own backend lays a collection out: hex ids, and each its sample's. */
static void as_fiftyone_does(void)
{
    live_made made = foreign("{'vectors': {'size': 2, 'distance': 'Cosine'}}");
    uint64_t connection = live_connection();
    char path[128];

    snprintf(path, sizeof path, "/collections/%s/points?wait=true", made.name);
    MUST(live_request(connection, "PUT", path,
                      "{'points': [{'id': '507f1f77bcf86cd79943901100000000', 'vector': [1, 0], "
                      "'payload': {'sample_id': '507f1f77bcf86cd799439011'}}, "
                      "{'id': '507f1f77bcf86cd79943901200000000', 'vector': [0, 1], "
                      "'payload': {'sample_id': '507f1f77bcf86cd799439012'}}]}") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    MUST(opened(&made) == SIMPLUGIN_OK);
    REPLY("patches", "false");
    ASK(made.index, "index.search", "{'vectors': [[0, 1]], 'k': 2}");
    REPLY("ids", "['507f1f77bcf86cd799439012','507f1f77bcf86cd799439011']");
    live_drop(&made);
}

LIVE_SUITE(live_schema, "collections of others",
           UNIT_CASE(other_dimension, "R252 R277 a collection of another dimension"),
           UNIT_CASE(other_metric, "R277 a collection of another metric"),
           UNIT_CASE(made_anew, "R277 a collection that is dropped and made anew while it is open"),
           UNIT_CASE(metric_replaced, "R268 R277 a collection that is replaced by one of another metric"),
           UNIT_CASE(mixed_types, "R266 fields of several types in a collection of somebody else's"),
           UNIT_CASE(mostly_mapped, "R280 a collection of ours with a point of somebody else's"),
           UNIT_CASE(one_named_vector, "R277 a collection with one named vector works"),
           UNIT_CASE(vectors_named_size, "R277 whatever its name is"),
           UNIT_CASE(several_named_vectors, "R277 a collection with several named vectors"),
           UNIT_CASE(multivectors, "R277 a collection of multivectors"),
           UNIT_CASE(without_vectors, "R277 a collection without vectors"),
           UNIT_CASE(uint8_vectors, "R277 a collection of bytes"),
           UNIT_CASE(through_an_alias, "R259 an index on an alias"),
           UNIT_CASE(as_fiftyone_does, "R280 a collection that FiftyOne's backend laid out"));
