/* SPDX-License-Identifier: Apache-2.0 */
/* Collections that others made, in their own ways: used where they can be, refused clearly. */
#include "config.h"

#include "milvus_live.h"

/* One with those fields, and an index of its vectors if there is a metric. */
static live_made foreign(const char *fields, const char *metric, int dynamic)
{
    static int number;
    live_made made = {0, ""};
    uint64_t connection = live_connection();

    snprintf(made.name, sizeof made.name, "live_foreign_%d", number++);
    ASK(connection, "backend.call",
        "{'method': 'native.collection.create', 'body': {'collection': '%s', 'fields': [%s], "
        "'dynamic': %s}}",
        made.name, fields, dynamic ? "true" : "false");
    if (metric)
        ASK(connection, "backend.call",
            "{'method': 'index.create', 'body': {'collection': '%s', 'parameters': {%s}}}", made.name,
            metric);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    return made;
}

static void opened(live_made *made)
{
    ASK(session, "index.open", "{'backend': 'milvus', 'collection_name': '%s'}", made->name);
    made->index = (uint64_t)reply_int("index");
}

/* What was never opened as an index. */
static void dropped(const live_made *made)
{
    uint64_t connection = live_connection();

    ASK(connection, "backend.call",
        "{'method': 'collection.drop', 'body': {'collection': '%s'}}", made->name);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

#define INT_KEY "{'name': 'id', 'type': 'INT64', 'primary': true}"
#define AUTO_KEY "{'name': 'id', 'type': 'INT64', 'primary': true, 'auto_id': true}"
#define TEXT_KEY "{'name': 'name', 'type': 'VARCHAR', 'primary': true, 'max_length': 20}"
#define VECTOR "{'name': 'embedding', 'type': 'FLOAT_VECTOR', 'dimension': 2}"
#define FLAT_L2 "'index_type': 'FLAT', 'metric': 'euclidean'"

static void int_keys(void)
{
    live_made made = foreign(INT_KEY ", " VECTOR, FLAT_L2, 1);

    opened(&made);
    ASK(made.index, "index.info", "{}");
    REPLY("metric", "'euclidean'");
    REPLY("dimension", "2");
    ASK(made.index, "index.add", "{'ids': ['7', '-9223372036854775807', '12'], "
        "'vectors': [[1, 0], [0, 1], [1, 1]], 'fields': {'page': [1, 2, 3]}}");
    ASK(made.index, "index.search", "{'vectors': [[1, 0]], 'k': 1, 'filter': 'page >= 2'}");
    REPLY("ids", "['12']");
    ASK(made.index, "index.get", "{'ids': ['12', 'seven', '007', '-9223372036854775807']}");
    REPLY("ids", "['12','-9223372036854775807']");
    REPLY("missing", "['seven','007']");
    /* what cannot be a key there is said to be none, and nothing is written */
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "seven",
          ask(made.index, "index.add", "{'ids': ['8', 'seven'], 'vectors': [[1, 0], [1, 0]]}"));
    CU_ASSERT(live_says("integers"));
    CU_ASSERT_EQUAL(live_size(made.index), 3);
    ASK(made.index, "index.remove", "{'ids': ['7', 'seven', '8']}");
    CU_ASSERT_EQUAL(live_size(made.index), 2);
    live_drop(&made);
}

static void keys_of_the_server(void)
{
    live_made made = foreign(AUTO_KEY ", " VECTOR, FLAT_L2, 1);

    opened(&made);
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "native.insert",
          ask(made.index, "index.add", "{'ids': ['1'], 'vectors': [[1, 0]]}"));
    MUST(live_call(&made, "native.insert", "'vectors': [[1, 0], [0, 1]]") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 2);
    live_drop(&made);
}

static void fields_of_the_schema(void)
{
    live_made made = foreign(TEXT_KEY ", " VECTOR ", {'name': 'title', 'type': 'VARCHAR', "
                             "'max_length': 10}, {'name': 'page', 'type': 'INT16'}", FLAT_L2, 0);

    opened(&made);
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "page",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], 'fields': {'title': ['t']}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "page",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], "
              "'fields': {'title': ['t'], 'page': ['x']}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "page",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], "
              "'fields': {'title': ['t'], 'page': [40000]}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "colour",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], "
              "'fields': {'title': ['t'], 'page': [4], 'colour': ['red']}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "10",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], "
              "'fields': {'title': ['more than ten'], 'page': [4]}}"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "20",
          ask(made.index, "index.add", "{'ids': ['an id of more than twenty bytes'], "
              "'vectors': [[1, 0]], 'fields': {'title': ['t'], 'page': [4]}}"));
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]], "
        "'fields': {'title': ['t'], 'page': [4]}}");
    ASK(made.index, "index.search",
        "{'vectors': [[1, 0]], 'fields': ['page', 'title'], 'filter': 'page < 4.5'}");
    CU_ASSERT(strstr(reply_text("fields"), "'page':[4]") != NULL);
    CU_ASSERT(strstr(reply_text("fields"), "'title':['t']") != NULL);
    live_drop(&made);
}

static int32_t created(const char *fields)
{
    uint64_t connection = live_connection();
    int32_t code = ask(connection, "backend.call",
                       "{'method': 'native.collection.create', 'body': {'collection': "
                       "'live_refused', 'fields': [%s]}}", fields);

    simplugin_close(connection, NULL);
    return code;
}

static void binary_vectors(void)
{
    static const char *const fields =
        TEXT_KEY ", {'name': 'bits', 'type': 'BINARY_VECTOR', 'dimension': 16}";
    live_made made;

    if (server.is_lite) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, "BinaryVector", created(fields));
        return;
    }
    made = foreign(fields, "'index_type': 'BIN_FLAT', 'metric': 'hamming'", 0);
    opened(&made);
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "native.insert",
          ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0]]}"));
    CU_ASSERT(live_says("BINARY_VECTOR"));
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "native.search",
          ask(made.index, "index.search", "{'vectors': [[1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0]]}"));
    CU_ASSERT(live_says("BINARY_VECTOR"));
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    live_drop(&made);
}

static void without_vectors(void)
{
    live_made made;

    if (server.is_lite) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, "vector", created(TEXT_KEY));
        return;
    }
    made = foreign(TEXT_KEY, NULL, 1);
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no vector field",
          ask(session, "index.open", "{'backend': 'milvus', 'collection_name': '%s'}", made.name));
    dropped(&made);
}

static void without_index(void)
{
    live_made made = foreign(TEXT_KEY ", " VECTOR, NULL, 1);
    uint64_t connection = live_connection();

    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no index yet",
          ask(session, "index.open", "{'backend': 'milvus', 'collection_name': '%s'}", made.name));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "index.create makes one",
          ask(connection, "backend.call",
              "{'method': 'search', 'body': {'collection': '%s', 'vectors': [[1, 0]], 'k': 1}}",
              made.name));
    ASK(connection, "backend.call",
        "{'method': 'index.create', 'body': {'collection': '%s', 'parameters': {%s}}}", made.name,
        FLAT_L2);
    opened(&made);
    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static void through_an_alias(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean', 'parameters': "
                                 "{'index_type': 'FLAT'}");
    uint64_t index;

    MUST(live_call(&made, "native.alias.create", "'alias': 'live_alias'") == SIMPLUGIN_OK);
    ASK(session, "index.open", "{'backend': 'milvus', 'collection_name': 'live-alias'}");
    index = (uint64_t)reply_int("index");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    CU_ASSERT_EQUAL(live_size(index), 1);
    ASK(index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    ASK(index, "index.remove", "{'ids': ['a']}");
    CU_ASSERT_EQUAL(live_size(index), 0);
    ASK(index, "backend.call", "{'method': 'native.alias.drop', 'body': {'alias': 'live_alias'}}");
    FAILS(SIMPLUGIN_NOT_FOUND, "live-alias", ask(index, "index.size", "{}"));
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static const unit_case cases[] = {
    UNIT_CASE(int_keys, "R160 R162 R189 R277 a collection with INT64 keys"),
    UNIT_CASE(keys_of_the_server, "R160 R277 a collection whose keys the server makes"),
    UNIT_CASE(fields_of_the_schema, "R191 R192 R277 R281 fields that a schema wants"),
    UNIT_CASE(binary_vectors, "R277 a collection of binary vectors"),
    UNIT_CASE(without_vectors, "R277 a collection without vectors"),
    UNIT_CASE(without_index, "R195 R277 a collection without an index"),
    UNIT_CASE(through_an_alias, "R254 an index on an alias"),
};

const live_suite live_schema = {"schemas", cases, sizeof cases / sizeof cases[0], {NULL}};
