/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation number N fails, for every N until all goes well: each answer is OUT_OF_MEMORY,
 * nothing is lost silently, nothing leaks. The linker puts the allocators below in the
 * place of malloc and its kin in our own objects.
 */
#include "config.h"


#include "expr.h"
#include "fields.h"
#include "hits.h"
#include "index_spec.h"
#include "known.h"
#include "lookup.h"
#include "milvus_reply.h"
#include "name.h"
#include "query.h"
#include "rows.h"
#include "settings.h"
#include "unit_fails.h"

/* ---- running ---------------------------------------------------------------------------------- */

typedef int32_t (*attempt)(milvus_rig *rig);

/* One run with that many allocations that succeed; whether one failed. */
static int attempt_once(milvus_rig *rig, attempt fn, long count, int32_t *code)
{
    int failed;

    unit_allocations = count;
    *code = fn(rig);
    failed = unit_allocations < 0;
    unit_allocations = -1;
    CU_ASSERT_TRUE(*code == SIMPLUGIN_OK || (failed && *code == SIMPLUGIN_OUT_OF_MEMORY));
    CU_ASSERT_EQUAL(*code, rig->error ? simplugin_error_code(rig->error) : SIMPLUGIN_OK);
    if (*code != SIMPLUGIN_OK && *code != SIMPLUGIN_OUT_OF_MEMORY)
        printf("\n    after %ld allocations: %s", count, rig_message(rig));
    simplugin_error_free(&rig->error);
    simplugin_writer_clear(&rig->call.base.out);
    simplugin_reply_clear(&rig->reply);
    sp_arena_free(&rig->call.base.scratch);
    return failed;
}

/* Until none is left to fail; how many did. A failure that is got over changes no answer. */
static long until_it_works(milvus_rig *rig, attempt fn)
{
    long count = 0;
    int32_t code;

    while (attempt_once(rig, fn, count, &code) && count < 10000)
        count++;
    CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
    return count;
}

/* ---- rows --------------------------------------------------------------------------------------- */

typedef struct table {
    milvus_rig rig; /* first */
    sp_column ids;
    plug_matrix vectors;
    const char *names[16];
    sp_column columns[16];
    plug_columns fields;
    milvus_rows rows;
    size_t bytes; /* of the request, once it worked */
} table;

static int32_t rows_encode(milvus_rig *rig)
{
    table *t = (table *)rig;
    size_t bytes = 0;
    milvus_rpc rpc;
    int32_t code;

    milvus_rpc_init(&rpc, "Upsert");
    code = milvus_rows_encode(&rig->call, &t->rows, 0, t->rows.count, &rpc);
    for (size_t i = 0; i < rpc.part_count; i++)
        bytes += GRPC_SLICE_LENGTH(rpc.parts[i]);
    CU_ASSERT_EQUAL(rpc.part_count, code ? 0 : 2);
    CU_ASSERT_TRUE(code || !t->bytes || t->bytes == bytes);
    if (!code)
        t->bytes = bytes;
    milvus_rpc_clear(&rpc);
    return code;
}

static void column_add(table *t, const char *name, uint32_t type, const char *words)
{
    t->names[t->fields.count] = name;
    t->columns[t->fields.count++] = rig_column(&t->rig, type, words);
}

static void rows_are_encoded(const char *fields, const char *ids)
{
    static const float numbers[] = {0, 0, 3, 4};
    table *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    rig_init(&t->rig);
    rig_schema(&t->rig, fields);
    t->rig.schema.metric = "cosine";
    t->ids = rig_column(&t->rig, SP_TEXT, ids);
    t->vectors = (plug_matrix){numbers, 2, 2};
    column_add(t, "n", SP_INT64, "1 -");
    column_add(t, "s", SP_TEXT, "some-text-that-is-longer other");
    column_add(t, "l", SP_TEXT | SP_LIST, "a,b .");
    column_add(t, "x", SP_FLOAT64, "0.5 3");
    column_add(t, "$meta", SP_BOOL | SP_LIST, "true -");
    t->fields.names = t->names;
    t->fields.columns = t->columns;
    t->rows = (milvus_rows){.ids = &t->ids, .vectors = &t->vectors, .fields = &t->fields,
                            .count = 2, .partition = "part"};
    CU_ASSERT_TRUE(until_it_works(&t->rig, rows_encode) > 3);
    rig_clear(&t->rig);
    free(t);
}

static void encoding(void)
{
    rows_are_encoded("pk:VARCHAR vector:FLOAT_VECTOR:2", "a b");
    rows_are_encoded("pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64? s:VARCHAR l:ARRAY:VARCHAR "
                     "sample_id:VARCHAR", "a b");
    rows_are_encoded("id:INT64 vector:FLOAT_VECTOR:2 s:VARCHAR?", "7 8");
}

/* ---- replies -------------------------------------------------------------------------------------- */

static milvus_told told;

/* All of the rows, written as a reply. */
static int32_t rows_write(milvus_rig *rig, const milvus_row *rows, uint64_t count, int32_t code)
{
    static const plug_names all = {.all = 1};

    simplugin_write_map(&rig->call.base.out, 2);
    if (!code)
        code = milvus_fields_write(&rig->call, rows, count, &all);
    if (!code)
        code = milvus_vectors_write(&rig->call, rows, count);
    if (!code && simplugin_writer_reply(&rig->call.base.out, plug_host, &rig->reply))
        code = plug_no_memory(&rig->call.base);
    if (code)
        return code;
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&rig->reply));
    /* nothing is missing: the fields of all_fields and of the JSON */
    rig_put(rig, "%s%d", *rig->text ? " " : "", (int)rig->reply.tensor_count);
    return SIMPLUGIN_OK;
}

static int32_t page_read(milvus_rig *rig)
{
    plug_seen seen;
    milvus_page page;
    milvus_row rows[2];
    int32_t code = milvus_page_read(&rig->call, told.data, told.size, 2, &page);

    for (uint64_t i = 0; i < 2; i++)
        rows[i] = (milvus_row){&page, i};
    if (!code)
        code = milvus_fields_see(&rig->call, &page, &seen);
    if (!code)
        code = rows_write(rig, rows, 2, code);
    milvus_page_clear(&page);
    return code;
}

static int32_t hits_read(milvus_rig *rig)
{
    milvus_row rows[2];
    milvus_hits hits;
    int32_t code = milvus_hits_read(&rig->call, told.data, told.size, 2, &hits);

    for (uint64_t i = 0; !code && i < 2; i++)
        rows[i] = (milvus_row){hits.lists[i].hits[0].page, hits.lists[i].hits[0].row};
    if (!code)
        code = rows_write(rig, rows, 2, code);
    milvus_hits_clear(&hits);
    return code;
}

static void reply_fill(void)
{
    static const float some[] = {1, 2, 3, 4};

    reply_lists(&told, "l", MILVUS_VARCHAR, "x,y .");
    reply_field(&told, "s", MILVUS_VARCHAR, "text -");
    reply_field(&told, "d", MILVUS_DOUBLE, "0.5 2");
    reply_json(&told, "{\"x\":1,\"y\":[\"a\"],\"$$meta\":2} {\"x\":\"a\\n\",\"z\":true,\"w\":{}}");
    reply_vectors(&told, "vector", 2, some, 4);
}

/* Replies with everything in them; the columns are the same whenever it worked. */
static void replies_are_read(int32_t key)
{
    milvus_rig *rig = calloc(1, sizeof *rig);
    char *counts;

    if (!rig)
        abort();
    rig_init(rig);
    rig_schema(rig, key == MILVUS_INT64
                        ? "pk:INT64 vector:FLOAT_VECTOR:2 l:ARRAY:VARCHAR s:VARCHAR? d:DOUBLE"
                        : "pk:VARCHAR vector:FLOAT_VECTOR:2 l:ARRAY:VARCHAR s:VARCHAR? d:DOUBLE");
    told.rig = rig;
    reply_field(&told, "pk", key, "1 2");
    reply_fill();
    reply_query(&told);
    rig->text[0] = 0;
    CU_ASSERT_TRUE(until_it_works(rig, page_read) > 10);
    reply_free(&told);
    reply_fill();
    reply_search(&told, key, "1 2", "1 4", "1 1");
    CU_ASSERT_TRUE(until_it_works(rig, hits_read) > 10);
    reply_free(&told);
    /* the same tensors each time */
    counts = rig_copy(rig, rig->text, strlen(rig->text));
    for (char *word = strtok(counts, " "); word; word = strtok(NULL, " "))
        CU_ASSERT_STRING_EQUAL(word, counts);
    rig_clear(rig);
    free(rig);
}

static void reading(void)
{
    replies_are_read(MILVUS_VARCHAR);
    replies_are_read(MILVUS_INT64);
}

/* ---- expressions ------------------------------------------------------------------------------------ */

int32_t __wrap_milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                                milvus_page *page);
int32_t __wrap_milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                                milvus_page *page)
{
    (void)query;
    milvus_rpc_init(rpc, "Query");
    return milvus_page_read(call, told.data, told.size, 2, page);
}

static int32_t filter_print(milvus_rig *rig)
{
    const char *expr = NULL;
    int32_t code = milvus_expr_filter(&rig->call, &expr);

    if (!code)
        rig_same(expr, "(((seen >= \"a\" and seen < \"b\")) and ((odd in [1] or "
                       "odd in [2.50000000000000000e+00])) and ($meta[\"an odd name\"] == true))",
                 "the filter");
    return code;
}

/* Asks the server first, every time. */
static int32_t filter_learn(milvus_rig *rig)
{
    const char *expr = NULL;
    int32_t code;

    milvus_known_forget(&rig->instance, NULL);
    code = milvus_expr_filter(&rig->call, &expr);
    CU_ASSERT_TRUE(code || (expr && *expr));
    return code;
}

static void expressions(void)
{
    static const char text[] = "seen like \"a%\" and odd in [1, 2.5] and `an odd name` == true and "
                               "not seen == 7";
    sp_filter *filter = NULL;
    milvus_rig *rig = calloc(1, sizeof *rig);

    if (!rig)
        abort();
    rig_init(rig);
    told.rig = rig;
    reply_json(&told, "{\"seen\":\"b\"}");
    reply_query(&told);
    CU_ASSERT_EQUAL_FATAL(sp_filter_parse(text, sizeof text - 1, &filter, NULL), SIMPLUGIN_OK);
    rig_key(rig, "filter");
    sp_filter_encode(filter, &rig->body);
    sp_filter_free(filter);
    rig_ask(rig);
    CU_ASSERT_TRUE(until_it_works(rig, filter_learn) > 5);
    CU_ASSERT_TRUE(until_it_works(rig, filter_print) > 5);
    milvus_known_forget(&rig->instance, NULL);
    reply_free(&told);
    rig_clear(rig);
    free(rig);
}

/* ---- requests ----------------------------------------------------------------------------------------- */

static int32_t settings_read(milvus_rig *rig)
{
    milvus_settings settings;
    int32_t code = milvus_settings_read(&settings, &rig->call.base);

    CU_ASSERT_TRUE(code || strcmp(settings.authorization, "cm9vdDpNaWx2dXM=") == 0);
    milvus_settings_clear(&settings);
    return code;
}

static int32_t name_read(milvus_rig *rig)
{
    int32_t code = milvus_name_read(&rig->call);

    CU_ASSERT_TRUE(code || strcmp(rig->call.collection, "my_books") == 0);
    /* the name is the call's memory, which ends */
    rig->call.collection = "books";
    rig->call.base.name.data = NULL;
    return code;
}

static int32_t index_read(milvus_rig *rig)
{
    milvus_index_spec spec;

    return milvus_index_spec_read(&rig->call.base, &rig->call.base.body, "L2", &spec);
}

static int32_t query_encode(milvus_rig *rig)
{
    milvus_query query = {.expr = "pk > \"a\"", .limit = 100, .vectors = 1, .fields = 1, .level = -1};
    milvus_freshness fresh = {.level = MILVUS_SESSION, .timestamp = 7};
    milvus_rpc rpc;
    int32_t code;

    milvus_rpc_init(&rpc, "Query");
    code = milvus_query_encode(&rig->call, &query, &fresh, &rpc);
    milvus_rpc_clear(&rpc);
    return code;
}

static void requests(void)
{
    static const char *const texts[][2] = {{"uri", "https://milvus:443"},
                                           {"user", "root"},
                                           {"password", "Milvus"},
                                           {"db_name", "shelf"},
                                           {"tls_server_name", "name"},
                                           {"collection", "my-books"},
                                           {"index_type", "IVF_FLAT"}};
    milvus_rig *rig = calloc(1, sizeof *rig);

    if (!rig)
        abort();
    rig_init(rig);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rig_key(rig, texts[i][0]);
        simplugin_write_string(&rig->body, texts[i][1]);
    }
    rig_ask(rig);
    CU_ASSERT_TRUE(until_it_works(rig, settings_read) > 1);
    CU_ASSERT_TRUE(until_it_works(rig, name_read) > 0);
    CU_ASSERT_TRUE(until_it_works(rig, index_read) > 0);
    CU_ASSERT_TRUE(until_it_works(rig, query_encode) > 0);
    rig_clear(rig);
    free(rig);
}

static const unit_case cases[] = {
    UNIT_CASE(encoding, "R277 rows are encoded, or there is no memory"),
    UNIT_CASE(reading, "R277 replies are read, or there is no memory"),
    UNIT_CASE(expressions, "R277 filters become expressions, or there is no memory"),
    UNIT_CASE(requests, "R277 settings, names and queries, or there is no memory"),
};

UNIT_MAIN("milvus without memory", cases)
