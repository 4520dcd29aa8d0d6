/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that are too large, fail, or meet those of others: nothing twice, nothing lost. */
#include "config.h"

#include "milvus_live.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#define GRACE 100 /* milliseconds past a deadline */

/* ---- collections with any fields ----------------------------------------------------------- */

#define AUTO_KEY "{'name': 'id', 'type': 'INT64', 'primary': true, 'auto_id': true}"
#define TEXT_KEY "{'name': 'name', 'type': 'VARCHAR', 'primary': true, 'max_length': 20}"

/* A method of the plugin's through a connection. */
static int32_t call(uint64_t connection, const char *name, const char *method, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
static int32_t call(uint64_t connection, const char *name, const char *method, const char *format,
                    ...)
{
    char pairs[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    return ask(connection, "backend.call", "{'method': '%s', 'body': {'collection': '%s'%s%s}}",
               method, name, *pairs ? ", " : "", pairs);
}

#define DONE(...) MUST(call(__VA_ARGS__) == SIMPLUGIN_OK)

/* Makes one of that name, without an index. */
static void made(uint64_t connection, const char *name, const char *fields)
{
    DONE(connection, name, "native.collection.create", "'fields': [%s]", fields);
}

static void indexed(uint64_t connection, const char *name)
{
    DONE(connection, name, "index.create",
         "'parameters': {'index_type': 'FLAT', 'metric': 'euclidean'}");
}

static int64_t count_of(uint64_t connection, const char *name)
{
    DONE(connection, name, "points.count", "%s", "");
    return reply_int("count");
}

static void gone(uint64_t connection, const char *name)
{
    DONE(connection, name, "collection.drop", "%s", "");
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

/* native.insert of rows without ids. */
static int32_t inserted(uint64_t connection, const char *name, const float *rows, uint64_t count,
                        uint64_t dimension)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, count, dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "method");
    simplugin_write_string(&writer, "native.insert");
    simplugin_write_string(&writer, "body");
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "collection");
    simplugin_write_string(&writer, name);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    code = ask_writer(connection, "backend.call", &writer);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- sizes ------------------------------------------------------------------------------------ */

/* The replies to batches of the usual size would be larger than what is received. */
static void small_replies(void)
{
    uint64_t connection = live_connect("'max_receive_bytes': 4096");
    float *rows = live_normal(41, 2000, 8);

    made(connection, "live_replies",
         AUTO_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': 8}");
    indexed(connection, "live_replies");
    MUST(inserted(connection, "live_replies", rows, 2000, 8) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(reply_int("inserted"), 2000);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 2000);
    CU_ASSERT_EQUAL(count_of(connection, "live_replies"), 2000);
    free(rows);
    gone(connection, "live_replies");
}

/* Requests of 70 MB, where Milvus takes 64. */
static void halved(void)
{
    uint64_t dimension = live_many(2048, 64), count = live_many(8800, 500);
    live_made index = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                  "{'index_type': 'FLAT', 'batch_bytes': 268435456}",
                                  (int)dimension);
    uint64_t connection = live_connect("'batch_bytes': 268435456");
    float *rows = live_normal(42, count, dimension);
    char fields[200];

    rig_options.timeout_ms = 120000;
    MUST(live_add(index.index, rows, 0, count, dimension) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(index.index), (int64_t)count);
    live_drop(&index);
    snprintf(fields, sizeof fields,
             AUTO_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': %d}", (int)dimension);
    made(connection, "live_halves", fields);
    indexed(connection, "live_halves");
    MUST(inserted(connection, "live_halves", rows, count, dimension) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), count);
    CU_ASSERT_EQUAL(count_of(connection, "live_halves"), (int64_t)count);
    rig_options.timeout_ms = 0;
    free(rows);
    gone(connection, "live_halves");
}

/* ---- failures ----------------------------------------------------------------------------------- */

/* No answer comes: whether the rows are there is not known, and that is said. */
static void fate_told(void)
{
    uint64_t connection = live_connect("'batch_bytes': 1024, 'batches_in_flight': 2");
    float *rows = live_normal(43, 1000, 8);
    int32_t code;

    made(connection, "live_fate",
         AUTO_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': 8}");
    indexed(connection, "live_fate");
    CU_ASSERT_EQUAL(count_of(connection, "live_fate"), 0);
    live_stop();
    rig_options.timeout_ms = 400;
    code = inserted(connection, "live_fate", rows, 1000, 8);
    rig_options.timeout_ms = 0;
    live_continue();
    CU_ASSERT_EQUAL(code, SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    CU_ASSERT_STRING_EQUAL(error_detail("written"), "0");
    CU_ASSERT(strncmp(error_detail("unknown_rows"), "0-", 2) == 0);
    free(rows);
    gone(connection, "live_fate");
}

/* What the schema does not take is refused before anything is written. */
static void lengths(void)
{
    uint64_t connection = live_connect("'batch_bytes': 1024, 'batches_in_flight': 1");
    char names[2000] = "", texts[2000] = "", vectors[2000] = "";

    for (int i = 0; i < 60; i++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s'n%d'", i ? "," : "", i);
        snprintf(texts + strlen(texts), sizeof texts - strlen(texts), "%s'%s'", i ? "," : "",
                 i == 57 ? "more than ten" : "ten");
        snprintf(vectors + strlen(vectors), sizeof vectors - strlen(vectors), "%s[1,0]",
                 i ? "," : "");
    }
    made(connection, "live_lengths",
         TEXT_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': 2}, "
                  "{'name': 't', 'type': 'VARCHAR', 'max_length': 10}, {'name': 'j', 'type': 'JSON'}");
    indexed(connection, "live_lengths");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "row 57",
          ask(connection, "backend.call",
              "{'method': 'points.upsert', 'body': {'collection': 'live_lengths', 'ids': [%s], "
              "'vectors': [%s], 'fields': {'t': [%s], 'j': [%s]}}}", names, vectors, texts, names));
    CU_ASSERT(live_says("13"));
    CU_ASSERT(live_says("10"));
    CU_ASSERT_STRING_EQUAL(error_detail("argument"), "fields");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "row 1",
          call(connection, "live_lengths", "points.upsert",
               "'ids': ['a', 'twenty-one characters'], 'vectors': [[1, 0], [0, 1]], "
               "'fields': {'t': ['x', 'y'], 'j': ['{}', '{}']}"));
    CU_ASSERT_STRING_EQUAL(error_detail("argument"), "ids");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "\"j\" is no JSON in row 1",
          call(connection, "live_lengths", "native.insert",
               "'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]], "
               "'fields': {'t': ['x', 'y'], 'j': ['{}', 'not json']}"));
    CU_ASSERT_EQUAL(count_of(connection, "live_lengths"), 0);
    DONE(connection, "live_lengths", "native.insert",
         "'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]], "
         "'fields': {'t': ['ten bytes.', 'y'], 'j': ['{\\\"a\\\": [1]}', '{}']}");
    CU_ASSERT_EQUAL(count_of(connection, "live_lengths"), 2);
    gone(connection, "live_lengths");
}

/* ---- others ----------------------------------------------------------------------------------- */

typedef struct maker {
    pthread_barrier_t *start;
    uint64_t connection;
    char name[40];
    int32_t code;
} maker;

static void *make(void *context)
{
    maker *m = context;

    pthread_barrier_wait(m->start);
    m->code = call(m->connection, m->name, "collection.create",
                   "'dimension': 2, 'parameters': {'index_type': 'FLAT'}");
    simplugin_error_free(&rig_error);
    json_decref(rig_reply);
    rig_reply = NULL;
    return NULL;
}

/* Two make the same collection at once: it is the one's, and stays. */
static void made_at_once(void)
{
    uint64_t connections[] = {live_connection(), live_connection()};
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, 2);
    for (int round = 0; round < 6; round++) {
        maker makers[2];
        pthread_t threads[2];

        for (int i = 0; i < 2; i++) {
            makers[i] = (maker){.start = &start, .connection = connections[i]};
            snprintf(makers[i].name, sizeof makers[i].name, "live_race_%d", round);
            if (pthread_create(&threads[i], NULL, make, &makers[i]))
                abort();
        }
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(makers[0].code + makers[1].code, SIMPLUGIN_ALREADY_EXISTS);
        if (makers[0].code + makers[1].code != SIMPLUGIN_ALREADY_EXISTS)
            printf("\n    %s, %s", simplugin_code_name(makers[0].code),
                   simplugin_code_name(makers[1].code));
        CU_ASSERT(makers[0].code == SIMPLUGIN_OK || makers[1].code == SIMPLUGIN_OK);
        DONE(connections[0], makers[0].name, "points.upsert", "'ids': ['a'], 'vectors': [[1, 0]]");
        CU_ASSERT_EQUAL(count_of(connections[1], makers[0].name), 1);
        DONE(connections[0], makers[0].name, "collection.drop", "%s", "");
    }
    pthread_barrier_destroy(&start);
    CU_ASSERT_EQUAL(simplugin_close(connections[0], NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connections[1], NULL), SIMPLUGIN_OK);
}

/* ---- indexes ------------------------------------------------------------------------------------- */

/* Wrong parameters leave an index there; and one that is gone leaves its metric. */
static void index_kept(void)
{
    live_made index = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                  "{'index_type': 'FLAT'}");

    ASK(index.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "999999",
          live_call(&index, "index.create",
                    "'parameters': {'index_type': 'HNSW', 'efConstruction': 1000000}"));
    ASK(index.index, "index.search", "{'vectors': [[3, 4]], 'k': 1}");
    MUST(live_call(&index, "index.create",
                   "'parameters': {'index_type': 'HNSW', 'efConstruction': 999999}") ==
         SIMPLUGIN_OK);
    MUST(live_do(&index, "index.drop") == SIMPLUGIN_OK);
    MUST(live_call(&index, "index.create", "'parameters': {'index_type': 'FLAT'}") == SIMPLUGIN_OK);
    MUST(live_do(&index, "collection.describe") == SIMPLUGIN_OK);
    REPLY("metric", "'cosine'");
    /* another one is kept as well */
    MUST(live_call(&index, "index.create",
                   "'parameters': {'index_type': 'FLAT', 'metric': 'euclidean'}") == SIMPLUGIN_OK);
    MUST(live_do(&index, "index.drop") == SIMPLUGIN_OK);
    MUST(live_call(&index, "index.create", "'parameters': {'index_type': 'FLAT'}") == SIMPLUGIN_OK);
    MUST(live_do(&index, "collection.describe") == SIMPLUGIN_OK);
    REPLY("metric", "'euclidean'");
    live_drop(&index);
}

/* ---- what is not loaded ---------------------------------------------------------------------------- */

static void state_is(uint64_t connection, const char *name, const char *state)
{
    DONE(connection, name, "native.load.state", "%s", "");
    REPLY("state", state);
}

static void before_the_index(void)
{
    uint64_t connection = live_connection();

    made(connection, "live_early",
         AUTO_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': 2}");
    DONE(connection, "live_early", "native.insert",
         "'vectors': [[1, 0], [0, 1]], 'fields': {'page': [1, 2]}");
    DONE(connection, "live_early", "native.insert", "'vectors': [[1, 1]], 'fields': {'page': [3]}");
    DONE(connection, "live_early", "collection.describe", "%s", "");
    CU_ASSERT(!json_is_string(json_object_get(rig_reply, "metric")));
    indexed(connection, "live_early");
    CU_ASSERT_EQUAL(count_of(connection, "live_early"), 3);
    /* from now on the types are known */
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "page",
          call(connection, "live_early", "native.insert",
               "'vectors': [[1, 0]], 'fields': {'page': ['one']}"));
    gone(connection, "live_early");
}

static void nothing_loaded(void)
{
    live_made index = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                  "{'index_type': 'FLAT'}");
    uint64_t connection = live_connection();

    ASK(index.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]], 'fields': {'n': [1]}}");
    MUST(live_do(&index, "collection.flush") == SIMPLUGIN_OK);
    MUST(live_do(&index, "collection.release") == SIMPLUGIN_OK);
    state_is(connection, index.name, "'released'");
    DONE(connection, index.name, "points.upsert",
         "'ids': ['b'], 'vectors': [[1, 0]], 'fields': {'n': [2]}");
    state_is(connection, index.name, "'released'");
    DONE(connection, index.name, "collection.describe", "%s", "");
    CU_ASSERT(reply_int("count") >= 1);
    REPLY("metric", "'cosine'");
    state_is(connection, index.name, "'released'");
    CU_ASSERT_EQUAL(count_of(connection, index.name), 2);
    /* Milvus Lite reads what it calls released */
    if (!server.is_lite)
        state_is(connection, index.name, "'loaded'");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "n",
          call(connection, index.name, "points.upsert",
               "'ids': ['c'], 'vectors': [[1, 0]], 'fields': {'n': ['two']}"));
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&index);
}

/* ---- binary vectors ---------------------------------------------------------------------------------- */

static void binary_round_trip(void)
{
    uint64_t connection;

    if (server.is_lite)
        return; /* which has none */
    connection = live_connection();
    made(connection, "live_bits", TEXT_KEY ", {'name': 'b', 'type': 'BINARY_VECTOR', 'dimension': 16}");
    DONE(connection, "live_bits", "index.create",
         "'parameters': {'index_type': 'BIN_FLAT', 'metric': 'hamming'}");
    DONE(connection, "live_bits", "native.insert", "'ids': ['a', 'b'], 'vectors': "
         "{'$tensor': {'dtype': 'uint8', 'data': [[1, 2], [255, 0]]}}");
    /* from a shell: arrays of bytes */
    DONE(connection, "live_bits", "native.insert", "'ids': ['c'], 'vectors': [[7, 128]]");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "0 to 255",
          call(connection, "live_bits", "native.insert", "'ids': ['d'], 'vectors': [[7, 256]]"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "0 to 255",
          call(connection, "live_bits", "native.insert", "'ids': ['d'], 'vectors': [[7, 0.5]]"));
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "24",
          call(connection, "live_bits", "native.insert", "'ids': ['d'], 'vectors': [[1, 2, 3]]"));
    DONE(connection, "live_bits", "native.query",
         "'expr': 'name >= \\\"\\\"', 'vectors': true, 'consistency_level': 'Strong'");
    REPLY("ids", "['a','b','c']");
    REPLY("vectors", "[[1,2],[255,0],[7,128]]");
    DONE(connection, "live_bits", "native.search",
         "'vectors': [[7, 129]], 'k': 1, 'with_vectors': true");
    REPLY("ids", "['c']");
    REPLY("distances", "[1.0]");
    REPLY("vectors", "[[7,128]]");
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "native.query",
          call(connection, "live_bits", "points.get", "'ids': ['a']"));
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "native.query",
          call(connection, "live_bits", "points.scan", "%s", ""));
    DONE(connection, "live_bits", "points.get", "'ids': ['a', 'z'], 'vectors': false");
    REPLY("ids", "['a']");
    DONE(connection, "live_bits", "points.scan", "'vectors': false");
    REPLY("ids", "['a','b','c']");
    gone(connection, "live_bits");
}

/* ---- deleting ------------------------------------------------------------------------------------------ */

static void deleted_in_a_partition(void)
{
    uint64_t connection = live_connection();

    made(connection, "live_parted", TEXT_KEY ", {'name': 'v', 'type': 'FLOAT_VECTOR', 'dimension': 2}");
    indexed(connection, "live_parted");
    DONE(connection, "live_parted", "partition.create", "'partition': 'old'");
    DONE(connection, "live_parted", "native.insert", "'ids': ['a'], 'vectors': [[1, 0]]");
    DONE(connection, "live_parted", "native.insert",
         "'ids': ['b'], 'vectors': [[1, 0]], 'partition': 'old'");
    CU_ASSERT_EQUAL(count_of(connection, "live_parted"), 2);
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "partition",
          call(connection, "live_parted", "native.delete",
               "'expr': 'name in [\\\"a\\\"]', 'partition': 'o d'"));
    if (server.is_lite) {
        FAILS(SIMPLUGIN_UNIMPLEMENTED, "partition",
              call(connection, "live_parted", "native.delete",
                   "'expr': 'name in [\\\"a\\\", \\\"b\\\"]', 'partition': 'old'"));
        CU_ASSERT_EQUAL(count_of(connection, "live_parted"), 2);
        gone(connection, "live_parted");
        return;
    }
    DONE(connection, "live_parted", "native.delete",
         "'expr': 'name in [\\\"a\\\", \\\"b\\\"]', 'partition': 'old'");
    DONE(connection, "live_parted", "points.scan", "'vectors': false");
    REPLY("ids", "['a']");
    gone(connection, "live_parted");
}

/* ---- settings -------------------------------------------------------------------------------------------- */

static void database_names(void)
{
    static const char *const names[] = {"a\\nb", "caf\xc3\xa9", "\\u0001"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, "db_name",
              ask(session, "connection.open", "{'parameters': {'db_name': '%s'}}", names[i]));
        CU_ASSERT_STRING_EQUAL(error_detail("argument"), "db_name");
    }
}

/* ---- time ------------------------------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Two seconds without an answer are waited for, not spun away. */
static void waits_idly(void)
{
    uint64_t connection = live_connect("'uri': 'tcp://127.0.0.1:%d'", fake_start(FAKE_SILENT));
    double before = cpu_seconds();

    rig_options.timeout_ms = 2000;
    CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_DEADLINE_EXCEEDED);
    rig_options.timeout_ms = 0;
    CU_ASSERT(cpu_seconds() - before < 0.3);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

/* While an answer is waited for, the connection is tried; without keepalive_ms it is not. */
static void kept_alive(void)
{
    int port = fake_start(FAKE_MUTE);

    for (int keepalive = 0; keepalive <= 300; keepalive += 300) {
        uint64_t connection =
            live_connect("'uri': 'tcp://127.0.0.1:%d', 'keepalive_ms': %d", port, keepalive);
        int before = fake_pings();

        rig_options.timeout_ms = 1500;
        CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_DEADLINE_EXCEEDED);
        rig_options.timeout_ms = 0;
        CU_ASSERT_EQUAL(fake_pings() > before, keepalive != 0);
        CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    }
}

/* Milvus takes seconds to load a collection: a deadline before that is kept. */
static void load_out_of_time(void)
{
    live_made index = live_create("'dimension': 8, 'metric': 'cosine', 'parameters': "
                                  "{'index_type': 'FLAT'}");
    float *rows = live_normal(44, 1000, 8);
    int64_t begin;
    int32_t code;

    MUST(live_add(index.index, rows, 0, 1000, 8) == SIMPLUGIN_OK);
    MUST(live_do(&index, "collection.release") == SIMPLUGIN_OK);
    if (server.is_lite)
        live_stop(); /* which loads at once */
    begin = live_now();
    rig_options.timeout_ms = 150;
    code = live_do(&index, "collection.load");
    begin = live_now() - begin;
    rig_options.timeout_ms = 0;
    if (server.is_lite)
        live_continue();
    CU_ASSERT_EQUAL(code, SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT(begin < 150 + GRACE);
    MUST(live_do(&index, "collection.load") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(index.index), 1000);
    free(rows);
    live_drop(&index);
}

static const unit_case cases[] = {
    UNIT_CASE(small_replies, "R277 replies that would be larger than what is received: no row comes twice"),
    UNIT_CASE(halved, "R262 requests that Milvus finds too large are halved: every row once"),
    UNIT_CASE(fate_told, "R277 an insertion without an answer: what is not known is told"),
    UNIT_CASE(lengths, "R277 R281 texts that are too long, and what is no JSON, before anything is written"),
    UNIT_CASE(made_at_once, "R149 R277 two make the same collection at once"),
    UNIT_CASE(index_kept, "R156 R277 a refused index leaves the old one, a lost one its metric"),
    UNIT_CASE(before_the_index, "R205 R277 rows with fields before there is an index"),
    UNIT_CASE(nothing_loaded, "R208 R277 writing and describing load nothing"),
    UNIT_CASE(binary_round_trip, "R277 binary vectors, written and read"),
    UNIT_CASE(deleted_in_a_partition, "R165 R216 a partition's rows are deleted"),
    UNIT_CASE(database_names, "R277 names of databases that no header holds"),
    UNIT_CASE(waits_idly, "R274 nothing spins while a server says nothing"),
    UNIT_CASE(kept_alive, "R274 a quiet connection is tried as keepalive_ms says"),
    UNIT_CASE(load_out_of_time, "R208 R274 a load that takes longer than there is time"),
};

const live_suite live_writes = {"writes", cases, sizeof cases / sizeof cases[0], {NULL}};
