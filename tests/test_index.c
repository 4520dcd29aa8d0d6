/* SPDX-License-Identifier: Apache-2.0 */
/* What the core makes of indexes: making collections, records, adding, patches. */
#include "config.h"

#include "index_rig.h"

/* ---- making collections ---------------------------------------------------------------- */

static int exists_lies;

/* The first question whether there is a collection is answered as if somebody made it just then. */
static int not_yet(const rig_call *call, int32_t *code)
{
    simplugin_writer writer;

    if (!exists_lies || !rig_is(call, "collection.exists"))
        return 0;
    exists_lies--;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "exists");
    simplugin_write_bool(&writer, 0);
    *code = simplugin_writer_reply(&writer, rig_host, call->reply);
    simplugin_writer_clear(&writer);
    return 1;
}

static void create_race(void)
{
    uint64_t first, second;

    rig_start();
    first = rig_index("cosine", ", 'collection_name': 'both', 'dimension': 2");
    ASK(first, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    rig_before = not_yet;
    exists_lies = 1;
    second = rig_index("cosine", ", 'collection_name': 'both', 'dimension': 2");
    REPLY("existing", "true");
    exists_lies = 1;
    REFUSED(SIMPLUGIN_DIMENSION_MISMATCH, "dimension", rig_session, "index.create",
            "{'backend': 'rig', 'metric': 'cosine', 'collection_name': 'both', 'dimension': 3}");
    exists_lies = 1;
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "metric", rig_session, "index.create",
            "{'backend': 'rig', 'metric': 'euclidean', 'collection_name': 'both', 'dimension': 2}");
    ASK(second, "index.size", "{}");
    REPLY("size", "1");
    rig_stop();
}

/* As a backend answers whose vectors have no index yet. */
static int no_metric(const rig_call *call, int32_t *code)
{
    simplugin_writer writer;

    if (!rig_is(call, "collection.describe"))
        return 0;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "dimension");
    simplugin_write_uint(&writer, 2);
    simplugin_write_string(&writer, "metric");
    simplugin_write_nil(&writer);
    *code = simplugin_writer_reply(&writer, rig_host, call->reply);
    simplugin_writer_clear(&writer);
    return 1;
}

static void metric_unknown(void)
{
    rig_start();
    rig_index("cosine", ", 'collection_name': 'bare', 'dimension': 2");
    rig_before = no_metric;
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", rig_session, "index.open",
            "{'backend': 'rig', 'collection_name': 'bare'}");
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "no index yet") != NULL);
    rig_stop();
}

static void metric_meanwhile(void)
{
    uint64_t early, other;

    rig_start();
    early = rig_index("cosine", ", 'collection_name': 'later'");
    other = rig_index("euclidean", ", 'collection_name': 'later', 'dimension': 2");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "metric", early, "index.add",
            "{'ids': ['a'], 'vectors': [[1, 0]]}");
    ASK(other, "index.size", "{}");
    REPLY("size", "0");
    rig_stop();
}

static int drops;

/* The token fires once the collection is made: what follows fails. */
static int32_t cancel_after_create(const rig_call *call, int32_t code)
{
    if (rig_is(call, "collection.create"))
        simplugin_cancel_fire(rig_options.cancel);
    if (rig_is(call, "collection.describe") && rig_host->cancelled(call->info->cancel))
        return rig_host->error_set(call->error, SIMPLUGIN_CANCELLED, "cancelled", 9);
    drops += rig_is(call, "collection.drop");
    return code;
}

static void create_undone(void)
{
    uint64_t index;

    rig_start();
    drops = 0;
    rig_after = cancel_after_create;
    CU_ASSERT_EQUAL(simplugin_cancel_new(&rig_options.cancel, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(ask(rig_session, "index.create", "{'backend': 'rig', 'collection_name': 'half', "
                        "'dimension': 2}"), SIMPLUGIN_CANCELLED);
    CU_ASSERT_EQUAL(drops, 1);
    simplugin_cancel_free(rig_options.cancel);
    rig_options.cancel = 0;
    rig_after = NULL;
    index = rig_index("cosine", ", 'collection_name': 'half'");
    REPLY("existing", "false");
    ASK(index, "index.size", "{}");
    rig_stop();
}

static void bad_keys_make_nothing(void)
{
    static const char *const keys[] = {"", "1st", "a b", "a\\u0000b"};

    rig_start();
    for (int i = 0; i < 4; i++)
        for (int overwrite = 0; overwrite < 2; overwrite++)
            CU_ASSERT_EQUAL(ask(rig_session, "index.create", "{'backend': 'rig', 'brain_key': '%s', "
                                "'collection_name': 'none', 'dimension': 2, 'overwrite': %s}",
                                keys[i], overwrite ? "true" : "false"), SIMPLUGIN_INVALID_ARGUMENT);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", rig_session, "index.create",
            "{'backend': 'rig', 'parameters': {'collection_name': ''}}");
    rig_index("cosine", ", 'collection_name': 'none'");
    REPLY("existing", "false");
    rig_stop();
}

static void limit_dimension(simplugin_writer *writer)
{
    simplugin_write_string(writer, "max_dimension");
    simplugin_write_uint(writer, 3);
}

static void dimension_limit(void)
{
    uint64_t index;

    rig_describe = limit_dimension;
    rig_describe_count = 1;
    rig_start();
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "dimension", rig_session, "index.create",
            "{'backend': 'rig', 'dimension': 4}");
    index = rig_index("cosine", "");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "vectors", index, "index.add",
            "{'ids': ['a'], 'vectors': [[1, 0, 0, 0]]}");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0, 0]]}");
    rig_stop();
}

/* ---- records ---------------------------------------------------------------------------- */

static void record_of_another(void)
{
    uint64_t first, second;

    rig_start();
    first = rig_index("cosine", ", 'brain_key': 'k', 'collection_name': 'one'");
    ASK(rig_session, "runs.rename", "{'brain_key': 'k', 'new_brain_key': 'old'}");
    second = rig_index("euclidean", ", 'brain_key': 'k', 'collection_name': 'two'");
    /* the first index learns its dimension now: that is nothing for the record of the second */
    ASK(first, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    ASK(rig_session, "runs.info", "{'brain_key': 'k'}");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(
                               json_object_get(rig_reply, "config"), "collection_name")), "two");
    ASK(second, "index.add", "{'ids': ['a'], 'vectors': [[1, 0, 0]]}");
    ASK(rig_session, "index.open", "{'brain_key': 'k'}");
    REPLY("dimension", "3");
    rig_stop();
}

static void secret_parameter(simplugin_writer *writer)
{
    simplugin_write_string(writer, "parameters");
    simplugin_write_array(writer, 2);
    for (int i = 0; i < 2; i++) {
        simplugin_write_map(writer, 4);
        simplugin_write_string(writer, "name");
        simplugin_write_string(writer, i ? "shards" : "seal");
        simplugin_write_string(writer, "type");
        simplugin_write_string(writer, i ? "int" : "text");
        simplugin_write_string(writer, "secret");
        simplugin_write_bool(writer, !i);
        simplugin_write_string(writer, "connection");
        simplugin_write_bool(writer, 0);
    }
}

/* The backend repeats what it was given, in its own words too. */
static int babble(const rig_call *call, int32_t *code)
{
    if (!rig_is(call, "collection.create"))
        return 0;
    *code = rig_host->error_set(call->error, SIMPLUGIN_PERMISSION_DENIED, "seal wax-and-ring is bad", 24);
    rig_host->error_set_backend(call->error, 7, "wax-and-ring", 12);
    rig_host->error_add_detail(call->error, "seal", 4, "wax-and-ring", 12);
    return 1;
}

static void secrets_of_collections(void)
{
    uint64_t index;

    rig_describe = secret_parameter;
    rig_describe_count = 1;
    rig_start();
    index = rig_index("cosine", ", 'brain_key': 'k', 'parameters': {'seal': 'wax-and-ring', 'shards': 2}");
    ASK(index, "index.info", "{}");
    REPLY("parameters", "{'shards':2}");
    ASK(rig_session, "runs.info", "{'brain_key': 'k'}");
    CU_ASSERT_PTR_NULL(strstr(reply_text("config"), "wax"));
    rig_before = babble;
    CU_ASSERT_EQUAL(ask(index, "index.add", "{'ids': ['a'], 'vectors': [[1]]}"),
                    SIMPLUGIN_PERMISSION_DENIED);
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(rig_error, NULL), "wax"));
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_backend_message(rig_error, NULL), "wax"));
    CU_ASSERT_STRING_EQUAL(error_detail("seal"), "****");
    rig_stop();
}

/* ---- patches ---------------------------------------------------------------------------- */

/* A collection that others made may call something else sample_id. */
static void foreign_samples(void)
{
    uint64_t plain, patches, scan;

    rig_start();
    plain = rig_index("euclidean", ", 'collection_name': 'foreign', 'dimension': 1");
    ASK(plain, "backend.call", "{'method': 'points.upsert', 'body': {'collection': 'foreign', "
        "'ids': {'$column': {'type': 'text', 'values': ['a', 'b']}}, "
        "'vectors': {'$tensor': {'dtype': 'float32', 'data': [[0], [1]]}}, "
        "'fields': {'sample_id': {'$column': {'type': 'int64', 'values': [1, 2]}}}}}");
    patches = rig_index("euclidean", ", 'collection_name': 'foreign', 'patches_field': 'labels'");
    ASK(patches, "index.search", "{'vectors': [[0]], 'k': 2}");
    REPLY("ids", "['a','b']");
    REPLY("sample_ids", "[null,null]");
    ASK(patches, "index.get", "{}");
    REPLY("sample_ids", "[null,null]");
    ASK(patches, "index.get", "{'sample_ids': ['1']}");
    REPLY("missing", "['1']");
    ASK(patches, "index.remove", "{'sample_ids': ['1']}");
    REPLY("missing", "['1']");
    ASK(patches, "view.create", "{'sample_ids': ['1']}");
    REPLY("known", "0");
    ASK(patches, "scan.open", "{}");
    scan = (uint64_t)reply_int("scan");
    ASK(scan, "scan.next", "{}");
    REPLY("sample_ids", "[null,null]");
    ASK(rig_session, "index.open", "{'backend': 'rig', 'collection_name': 'foreign'}");
    REPLY("patches", "false");
    ASK((uint64_t)reply_int("index"), "index.get", "{'ids': ['a'], 'fields': true}");
    REPLY("fields", "{'sample_id':[1]}");
    rig_stop();
}

/* ---- what programs send ------------------------------------------------------------------ */

static void arguments(void)
{
    uint64_t index;
    char many[8000] = "";

    rig_start();
    index = rig_index("euclidean", "");
    for (int i = 0; i < 201; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s'f%d': []", i ? ", " : "", i);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "fields", index, "index.add",
            "{'ids': [], 'vectors': [], 'fields': {%s}}", many);
    many[0] = '\0';
    for (int i = 0; i < 201; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s'f%d'", i ? ", " : "", i);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "fields", index, "index.get", "{'fields': [%s]}", many);
    /* a large first row and many empty ones: more numbers than there are bytes */
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "vectors", index, "index.add",
            "{'ids': [], 'vectors': [[%s], [], [], [], [], [], [], [], [], []]}",
            "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "fields", index, "index.add",
            "{'ids': ['a'], 'vectors': [[1]], 'fields': {'b': {'type': 'bool', "
            "'values': {'$tensor': {'dtype': 'uint8', 'data': [2]}}}}}");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1]], 'fields': {'n': [7]}}");
    ASK(index, "index.get", "{'fields': ['n', 'n', 'm', 'n']}");
    REPLY("fields", "{'n':[7]}");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "fields", index, "index.set_fields", "{'ids': ['a']}");
    rig_stop();
}

static uint64_t upserts, largest;

static int32_t measure_upserts(const rig_call *call, int32_t code)
{
    simplugin_value map = simplugin_body_value(call->request->body, call->request->body_size);
    const simplugin_tensor *rows = NULL;
    uint64_t count = 0;

    if (!rig_is(call, "points.upsert"))
        return code;
    upserts++;
    if (simplugin_find_tensor(&map, "rows", call->request->tensors, call->request->tensor_count,
                              &rows) == 1)
        count = rows->rows;
    largest = count > largest ? count : largest;
    return code;
}

/* The minimal backend likes 16 KiB. */
static void batches_by_bytes(void)
{
    static char text[9001];
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", "");
    rig_after = measure_upserts;
    upserts = largest = 0;
    memset(text, 'x', sizeof text - 1);
    ASK(index, "index.add", "{'ids': ['a','b','c','d'], 'vectors': [[1],[2],[3],[4]], "
        "'fields': {'page': ['%s', '%s', 'short', '%s']}}", text, text, text);
    REPLY("added", "4");
    CU_ASSERT_EQUAL(upserts, 3);
    CU_ASSERT_EQUAL(largest, 2);
    ASK(index, "index.size", "{'filter': 'exists page'}");
    REPLY("size", "4");
    rig_stop();
}

/* ---- backends that look themselves which points are there --------------------------------- */

static void conditional(simplugin_writer *writer)
{
    simplugin_write_string(writer, "conditional_upsert");
    simplugin_write_bool(writer, 1);
}

static int looks;               /* how often the core asked which points are there */
static char policies[64];       /* what the upserts said of them */
static const int64_t *left;     /* which rows a hook says it left, and how many */
static uint64_t left_count;
static int exists_at;           /* the upsert that finds a point; 0: none */

/* In place of the minimal backend, which knows no such key. */
static int upsert_conditionally(const rig_call *call, int32_t *code)
{
    simplugin_value map = simplugin_body_value(call->request->body, call->request->body_size);
    simplugin_tensor rows = simplugin_tensor_of(SIMPLUGIN_INT64, left, left_count, 1);
    const char *policy = "none";
    simplugin_writer writer;
    uint64_t size = 4;

    looks += rig_is(call, "points.get");
    if (!rig_is(call, "points.upsert"))
        return 0;
    simplugin_find_text(&map, "existing", &policy, &size);
    snprintf(policies + strlen(policies), sizeof policies - strlen(policies), "%.*s ", (int)size,
             policy);
    if (exists_at && !--exists_at) {
        *code = rig_host->error_set(call->error, SIMPLUGIN_ALREADY_EXISTS, "a is there", 10);
        return 1;
    }
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1 + (uint64_t)(left != NULL));
    simplugin_write_string(&writer, "replaced");
    simplugin_write_uint(&writer, 0);
    if (left) {
        simplugin_write_string(&writer, "skipped");
        simplugin_write_tensor(&writer, &rows);
    }
    *code = simplugin_writer_reply(&writer, rig_host, call->reply);
    simplugin_writer_clear(&writer);
    return 1;
}

/* Nobody can write between the look and the writing: the backend does both. */
static void conditional_skip(void)
{
    static const int64_t reversed[] = {3, 0}, ordered[] = {0, 3};
    static const char body[] = "{'ids': ['a', 'b', 'a', 'c'], 'vectors': [[1], [2], [3], [4]], "
                               "'duplicates': 'first', 'overwrite': false}";
    uint64_t index;

    rig_describe = conditional;
    rig_describe_count = 1;
    rig_start();
    index = rig_index("euclidean", ", 'dimension': 1");
    rig_before = upsert_conditionally;
    looks = exists_at = 0;
    policies[0] = '\0';
    left = ordered;
    left_count = 1;
    ASK(index, "index.add", "%s", body);
    REPLY("added", "2");
    REPLY("updated", "0");
    REPLY("skipped", "1");
    REPLY("existing", "['a']");
    left_count = 0;
    ASK(index, "index.add", "%s", body);
    REPLY("added", "3");
    REPLY("existing", "[]");
    CU_ASSERT_EQUAL(looks, 0);
    CU_ASSERT_STRING_EQUAL(policies, "skip skip ");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1]]}");
    CU_ASSERT_STRING_EQUAL(policies, "skip skip none ");
    /* what it says must make sense: rows that were sent, in order, each once */
    left = reversed;
    left_count = 2;
    CU_ASSERT_EQUAL(ask(index, "index.add", "%s", body), SIMPLUGIN_PROTOCOL);
    left = ordered;
    ASK(index, "index.add", "%s", body);
    REPLY("existing", "['a','c']");
    left = (const int64_t[]){2};
    left_count = 1;
    CU_ASSERT_EQUAL(ask(index, "index.add", "%s", body), SIMPLUGIN_PROTOCOL);
    left = (const int64_t[]){0, 0};
    left_count = 2;
    CU_ASSERT_EQUAL(ask(index, "index.add", "%s", body), SIMPLUGIN_PROTOCOL);
    left = NULL;
    CU_ASSERT_EQUAL(ask(index, "index.add", "%s", body), SIMPLUGIN_PROTOCOL);
    rig_stop();
}

static void conditional_fail(void)
{
    static char text[9001];
    uint64_t index;

    rig_describe = conditional;
    rig_describe_count = 1;
    rig_start();
    index = rig_index("euclidean", ", 'dimension': 1");
    rig_before = upsert_conditionally;
    looks = 0;
    exists_at = 1;
    policies[0] = '\0';
    left = NULL;
    CU_ASSERT_EQUAL(ask(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1], [2]], "
                        "'overwrite': false, 'allow_existing': false}"), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "nothing was added") != NULL);
    CU_ASSERT_EQUAL(looks, 0);
    CU_ASSERT_STRING_EQUAL(policies, "fail ");
    /* of several requests a later one could fail: all are asked for first, and yet it may */
    memset(text, 'x', sizeof text - 1);
    exists_at = 2;
    CU_ASSERT_EQUAL(ask(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1], [2]], "
                        "'fields': {'page': ['%s', '%s']}, 'overwrite': false, "
                        "'allow_existing': false}", text, text), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "1 of 2 rows were added before") != NULL);
    CU_ASSERT_EQUAL(looks, 1);
    CU_ASSERT_STRING_EQUAL(policies, "fail fail fail ");
    rig_stop();
}

/* Any other backend is asked first, and sent no key that it does not know. */
static void ask_then_write(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", ", 'dimension': 1");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1]]}");
    rig_before = upsert_conditionally;
    looks = exists_at = 0;
    policies[0] = '\0';
    left = NULL;
    ASK(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1], [2]], 'overwrite': false}");
    REPLY("existing", "['a']");
    CU_ASSERT_EQUAL(looks, 1);
    CU_ASSERT_STRING_EQUAL(policies, "none ");
    rig_stop();
}

/* Somebody drops the collection between two batches of one call. */
static int drop_at;

static int drop_meanwhile(const rig_call *call, int32_t *code)
{
    simplugin_reply reply = {.size = sizeof reply};
    rig_call drop = *call;
    simplugin_call_info info = *call->info;
    simplugin_writer writer;

    (void)code;
    if (!rig_is(call, "points.upsert") || --drop_at)
        return 0;
    info.method = "collection.drop";
    info.method_size = strlen(info.method);
    drop.info = &info;
    drop.reply = &reply;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "collection");
    simplugin_write_string(&writer, "fleeting");
    CU_ASSERT_EQUAL(rig_ask(&drop, &writer), SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    simplugin_reply_clear(&reply);
    return 0;
}

static void dropped_meanwhile(void)
{
    static char text[9001];
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", ", 'collection_name': 'fleeting', 'dimension': 1");
    ASK(index, "index.add", "{'ids': ['z'], 'vectors': [[9]]}");
    memset(text, 'x', sizeof text - 1);
    rig_before = drop_meanwhile;
    /* before anything was written: all of it goes into a new collection, also what was there */
    drop_at = 1;
    ASK(index, "index.add", "{'ids': ['z', 'b'], 'vectors': [[1],[2]], 'overwrite': false, "
        "'fields': {'page': ['%s', '%s']}}", text, text);
    REPLY("added", "2");
    REPLY("existing", "[]");
    ASK(index, "index.size", "{}");
    REPLY("size", "2");
    /* behind the first batch: what that wrote is lost, so that is no success */
    drop_at = 2;
    CU_ASSERT_EQUAL(ask(index, "index.add", "{'ids': ['a','b','c'], 'vectors': [[1],[2],[3]], "
                        "'fields': {'page': ['%s', '%s', '%s']}}", text, text, text),
                    SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(error_detail("collection"), "fleeting");
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "was dropped") != NULL);
    drop_at = 0;
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1]]}");
    ASK(index, "index.size", "{}");
    REPLY("size", "1");
    rig_stop();
}

/* A backend that cannot know how many rows it replaced. */
static int32_t forget_replaced(const rig_call *call, int32_t code)
{
    simplugin_writer writer;

    if (code || !rig_is(call, "points.upsert"))
        return code;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 0);
    code = simplugin_writer_reply(&writer, rig_host, call->reply);
    simplugin_writer_clear(&writer);
    return code;
}

static void unknown_replaced(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", "");
    rig_after = forget_replaced;
    ASK(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1], [2]]}");
    REPLY("added", "2");
    REPLY("updated", "?");
    ASK(index, "index.add", "{'ids': ['b', 'c'], 'vectors': [[1], [2]], 'overwrite': false}");
    REPLY("added", "1");
    REPLY("updated", "0");
    REPLY("existing", "['b']");
    rig_stop();
}

static int warnings;

static void count_warnings(void *context, int32_t level, const char *message, uint64_t size)
{
    (void)context;
    (void)size;
    warnings += level == SIMPLUGIN_LOG_WARNING && strstr(message, "not in the index") != NULL;
}

static void missing_samples(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", ", 'patches_field': 'labels'");
    ASK(index, "index.add", "{'ids': ['l1', 'l2'], 'sample_ids': ['s1', 's1'], 'vectors': [[1], [2]]}");
    simplugin_log_set(count_warnings, NULL, SIMPLUGIN_LOG_WARNING);
    warnings = 0;
    CU_ASSERT_EQUAL(ask(index, "index.remove", "{'sample_ids': ['s1', 's2'], 'allow_missing': false}"),
                    SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(error_detail("id"), "s2");
    ASK(index, "index.remove", "{'sample_ids': ['s1', 's2'], 'warn_missing': true}");
    REPLY("removed", "2");
    REPLY("missing", "['s2']");
    CU_ASSERT_EQUAL(warnings, 1);
    simplugin_log_set(NULL, NULL, 0);
    rig_stop();
}

static const unit_case cases[] = {
    UNIT_CASE(create_race, "a collection that somebody else makes at the same time is never dropped"),
    UNIT_CASE(metric_meanwhile, "an index never changes its metric"),
    UNIT_CASE(metric_unknown, "R277 a collection that says no metric"),
    UNIT_CASE(create_undone, "R274 a create that is cancelled leaves no collection behind"),
    UNIT_CASE(bad_keys_make_nothing, "names are checked before a collection is made"),
    UNIT_CASE(dimension_limit, "the backend's largest dimension holds for the first vectors too"),
    UNIT_CASE(record_of_another, "R100 a record under a key that was given anew is left alone"),
    UNIT_CASE(secrets_of_collections, "R278 secrets of collections are neither shown nor recorded"),
    UNIT_CASE(arguments, "R277 what programs send is bounded and checked before memory is taken"),
    UNIT_CASE(batches_by_bytes, "R273 batches are cut by all of their bytes"),
    UNIT_CASE(conditional_skip, "R262 a backend that looks itself skips what is there"),
    UNIT_CASE(conditional_fail, "R262 a backend that looks itself fails where something is there"),
    UNIT_CASE(ask_then_write, "R262 other backends are asked first"),
    UNIT_CASE(dropped_meanwhile, "R72 a collection that is dropped while points are added"),
    UNIT_CASE(unknown_replaced, "R262 what a backend cannot know is not made up"),
    UNIT_CASE(missing_samples, "R78 samples that are not there: an error, or a warning"),
    UNIT_CASE(foreign_samples, "R94 R280 sample ids of another type count as none"),
};

UNIT_MAIN("index", cases)
