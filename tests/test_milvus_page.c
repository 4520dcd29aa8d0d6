/* SPDX-License-Identifier: Apache-2.0 */
/* What Milvus answers: rows, fields and hits, as they are and as they must not be. */
#include "config.h"

#include <math.h>

#include "fields.h"
#include "hits.h"
#include "lookup.h"
#include "milvus_reply.h"
#include "page.h"
#include "pb.h"
#include "status.h"

#define QUERY_FIELDS 2

/* A reply, and what was read of it. */
typedef struct asked {
    milvus_rig rig;
    milvus_told told;
    milvus_page page;
    milvus_row rows[64];
    plug_columns columns;
} asked;

static const plug_names all_names = {.all = 1};

static asked *asked_new(void)
{
    asked *a = calloc(1, sizeof *a);

    if (!a)
        abort();
    rig_init(&a->rig);
    a->told.rig = &a->rig;
    return a;
}

/* For the next reply. */
static void asked_reset(asked *a)
{
    milvus_page_clear(&a->page);
    reply_free(&a->told);
    rig_reset(&a->rig);
    memset(&a->columns, 0, sizeof a->columns);
}

static void asked_free(asked *a)
{
    asked_reset(a);
    rig_clear(&a->rig);
    free(a);
}

static int32_t page_read(asked *a)
{
    milvus_page_clear(&a->page);
    return milvus_page_read(&a->rig.call, a->told.data, a->told.size, QUERY_FIELDS, &a->page);
}

/* Packs, reads, and makes columns of all rows. */
static void ask(asked *a)
{
    int32_t code;

    reply_query(&a->told);
    rig_refused(&a->rig, page_read(a), SIMPLUGIN_OK, NULL, "reading");
    CU_ASSERT_FATAL(a->page.count <= 64);
    for (uint64_t i = 0; i < a->page.count; i++) {
        a->rows[i].page = &a->page;
        a->rows[i].row = i;
    }
    code = milvus_fields_read(&a->rig.call, a->rows, a->page.count, &all_names, &a->columns);
    rig_refused(&a->rig, code, SIMPLUGIN_OK, NULL, "columns");
}

static const sp_column *column_find(const asked *a, const char *name)
{
    for (uint64_t i = 0; i < a->columns.count; i++)
        if (strcmp(a->columns.names[i], name) == 0)
            return &a->columns.columns[i];
    return NULL;
}

static void has_column(asked *a, const char *name, const char *expected)
{
    rig_same(rig_column_text(&a->rig, column_find(a, name)), expected, name);
}

/* All keys of a page, between blanks. */
static void has_ids(asked *a, const char *expected)
{
    a->rig.text[0] = 0;
    CU_ASSERT_EQUAL(a->page.id_count, a->page.count);
    for (uint64_t i = 0; i < a->page.id_count; i++)
        rig_put(&a->rig, "%s%.*s", i ? " " : "", (int)a->page.ids[i].size, a->page.ids[i].data);
    rig_same(a->rig.text, expected, "ids");
}

/* ---- the schema's fields --------------------------------------------------------------------- */

static void types(void)
{
    asked *a = asked_new();

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 b:BOOL i8:INT8 i16:INT16 i32:INT32 "
                        "i64:INT64 f:FLOAT d:DOUBLE s:VARCHAR t:STRING j:JSON");
    reply_field(&a->told, "b", MILVUS_BOOL, "true false true");
    reply_field(&a->told, "i8", MILVUS_INT8, "-128 0 127");
    reply_field(&a->told, "i16", MILVUS_INT16, "-32768 0 32767");
    reply_field(&a->told, "i32", MILVUS_INT32, "-2147483648 0 2147483647");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "r\xc3\xb6t  x");
    reply_field(&a->told, "i64", MILVUS_INT64, "-9223372036854775808 0 9223372036854775807");
    reply_field(&a->told, "f", MILVUS_FLOAT, "0.5 -0.0 3.4028234663852886e38");
    reply_field(&a->told, "d", MILVUS_DOUBLE, "5e-324 -0.0 1.7976931348623157e308");
    reply_field(&a->told, "s", MILVUS_VARCHAR, "one  \xe2\x82\xac");
    reply_field(&a->told, "t", MILVUS_STRING, " two three");
    reply_field(&a->told, "j", MILVUS_JSON, "{\"a\":1} [] null");
    ask(a);
    CU_ASSERT_EQUAL(a->page.count, 3);
    CU_ASSERT_EQUAL(a->page.total, -1);
    CU_ASSERT_PTR_NULL(a->page.vectors);
    has_ids(a, "r\xc3\xb6t  x");
    has_column(a, "pk", "absent");
    has_column(a, "b", "bool true false true");
    has_column(a, "i8", "int64 -128 0 127");
    has_column(a, "i16", "int64 -32768 0 32767");
    has_column(a, "i32", "int64 -2147483648 0 2147483647");
    has_column(a, "i64", "int64 -9223372036854775808 0 9223372036854775807");
    has_column(a, "f", "float64 0.5 -0 3.4028234663852886e+38");
    has_column(a, "d", "float64 4.9406564584124654e-324 -0 1.7976931348623157e+308");
    has_column(a, "s", "text one  \xe2\x82\xac");
    has_column(a, "t", "text  two three");
    has_column(a, "j", "text {\"a\":1} [] null");
    asked_free(a);
}

static void lists(void)
{
    asked *a = asked_new();

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 b:ARRAY:BOOL i8:ARRAY:INT8 i64:ARRAY:INT64 "
                        "f:ARRAY:FLOAT d:ARRAY:DOUBLE s:ARRAY:VARCHAR");
    reply_lists(&a->told, "b", MILVUS_BOOL, "true,false . true");
    reply_lists(&a->told, "i8", MILVUS_INT8, "1,-2,3 . 127");
    reply_lists(&a->told, "i64", MILVUS_INT64, ". . -1");
    reply_lists(&a->told, "f", MILVUS_FLOAT, "0.5,0.25 . -1");
    reply_lists(&a->told, "d", MILVUS_DOUBLE, "0.1 2,3 .");
    reply_lists(&a->told, "s", MILVUS_VARCHAR, "x,,y . z");
    ask(a);
    has_column(a, "b", "list<bool> true,false . true");
    has_column(a, "i8", "list<int64> 1,-2,3 . 127");
    has_column(a, "i64", "list<int64> . . -1");
    has_column(a, "f", "list<float64> 0.5,0.25 . -1");
    has_column(a, "d", "list<float64> 0.10000000000000001 2,3 .");
    has_column(a, "s", "list<text> x,,y . z");
    asked_free(a);
}

/* A server may send nothing at all for lists that are empty. */
static void empty_lists(void)
{
    asked *a = asked_new();
    milvus_told other = {.rig = &a->rig};
    milvus_page page;
    int32_t code;

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 s:ARRAY:VARCHAR d:ARRAY:DOUBLE b:ARRAY:BOOL");
    for (int with_kind = 0; with_kind < 2; with_kind++) {
        Milvus__FieldData *fields[] = {reply_lists(&a->told, "s", MILVUS_VARCHAR, ". ."),
                                       reply_lists(&a->told, "d", MILVUS_DOUBLE, ". ."),
                                       reply_lists(&a->told, "b", MILVUS_BOOL, ". ."),
                                       reply_lists(&a->told, "other", MILVUS_INT64, ". .")};

        for (size_t i = 0; !with_kind && i < sizeof fields / sizeof fields[0]; i++)
            for (size_t row = 0; row < 2; row++)
                fields[i]->scalars->array_data->data[row]->data_case =
                    MILVUS__SCALAR_FIELD__DATA__NOT_SET;
        ask(a);
        has_column(a, "s", "list<text> . .");
        has_column(a, "d", "list<float64> . .");
        has_column(a, "b", "list<bool> . .");
        has_column(a, "other", with_kind ? "list<int64> . ." : "list<text> . .");
        /* with rows that are not empty, of another page */
        reply_lists(&other, "s", MILVUS_VARCHAR, "x,y");
        reply_lists(&other, "d", MILVUS_DOUBLE, "0.5");
        reply_lists(&other, "b", MILVUS_BOOL, "true");
        reply_query(&other);
        CU_ASSERT_EQUAL(milvus_page_read(&a->rig.call, other.data, other.size, QUERY_FIELDS, &page),
                        SIMPLUGIN_OK);
        a->rows[2].page = &page;
        a->rows[2].row = 0;
        code = milvus_fields_read(&a->rig.call, a->rows, 3, &all_names, &a->columns);
        CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
        has_column(a, "s", "list<text> . . x,y");
        has_column(a, "d", "list<float64> . . 0.5");
        has_column(a, "b", "list<bool> . . true");
        milvus_page_clear(&page);
        reply_free(&other);
        asked_reset(a);
    }
    asked_free(a);
}

static void valid(void)
{
    asked *a = asked_new();
    Milvus__FieldData *field;

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64? s:VARCHAR? l:ARRAY:INT64? b:BOOL? "
                        "gone:DOUBLE?");
    reply_field(&a->told, "n", MILVUS_INT64, "- 7 -");
    reply_field(&a->told, "s", MILVUS_VARCHAR, "x - ");
    reply_lists(&a->told, "l", MILVUS_INT64, "1,2 - .");
    reply_field(&a->told, "b", MILVUS_BOOL, "- - false");
    reply_field(&a->told, "gone", MILVUS_DOUBLE, "- - -");
    ask(a);
    has_column(a, "n", "int64 - 7 -");
    has_column(a, "s", "text x - ");
    has_column(a, "l", "list<int64> 1,2 - .");
    has_column(a, "b", "bool - - false");
    has_column(a, "gone", "absent");
    asked_reset(a);
    /* too few marks: the rest is missing; too many: they are for nothing */
    field = reply_field(&a->told, "n", MILVUS_INT64, "1 2 - 4");
    field->n_valid_data = 2;
    field = reply_field(&a->told, "s", MILVUS_VARCHAR, "a b c d");
    field->valid_data = rig_memory(&a->rig, 9, sizeof *field->valid_data);
    field->valid_data[1] = field->valid_data[8] = 1;
    field->n_valid_data = 9;
    ask(a);
    has_column(a, "n", "int64 1 2 - -");
    has_column(a, "s", "text - b - -");
    asked_free(a);
}

static void int_keys(void)
{
    asked *a = asked_new();

    rig_schema(&a->rig, "id:INT64 vector:FLOAT_VECTOR:2");
    reply_field(&a->told, "id", MILVUS_INT64, "-9223372036854775808 -1 0 9223372036854775807");
    ask(a);
    has_ids(a, "-9223372036854775808 -1 0 9223372036854775807");
    CU_ASSERT_EQUAL(a->columns.count, 0);
    asked_reset(a);
    reply_field(&a->told, "id", MILVUS_INT64, "");
    ask(a);
    has_ids(a, "");
    CU_ASSERT_PTR_NOT_NULL(a->page.ids);
    asked_free(a);
}

/* Wherever they lie in the reply. */
static void vectors(void)
{
    static const float some[] = {1.5f, -2, 0, 3, -0.0f, 1e-45f};
    char name[] = "xxxxxxxx";

    for (size_t shift = 0; shift < 8; shift++) {
        asked *a = asked_new();
        const simplugin_tensor *tensor;
        simplugin_reply reply = {.size = sizeof reply};

        reply_field(&a->told, name + shift, MILVUS_INT64, "1 2 3");
        reply_vectors(&a->told, "vector", 2, some, 6);
        reply_vectors(&a->told, "other", 3, some, 3); /* another field's */
        reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b c");
        ask(a);
        CU_ASSERT_EQUAL(a->page.count, 3);
        CU_ASSERT_EQUAL(a->page.vector_rows, 3);
        CU_ASSERT_EQUAL(a->page.vector_bytes, 8);
        CU_ASSERT_EQUAL_FATAL(a->page.vectors != NULL, 1);
        CU_ASSERT_EQUAL(memcmp(a->page.vectors, some, sizeof some), 0);
        simplugin_write_map(&a->rig.call.base.out, 1);
        CU_ASSERT_EQUAL(milvus_vectors_write(&a->rig.call, a->rows, 3), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(simplugin_writer_reply(&a->rig.call.base.out, &sp_host, &reply),
                        SIMPLUGIN_OK);
        CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
        tensor = &reply.tensors[0];
        CU_ASSERT_EQUAL(tensor->rows, 3);
        CU_ASSERT_EQUAL(tensor->cols, 2);
        CU_ASSERT_EQUAL(memcmp(tensor->data, some, sizeof some), 0);
        simplugin_reply_clear(&reply);
        asked_free(a);
    }
}

static void only_vectors(void)
{
    static const float some[] = {1, 2, 3, 4};
    asked *a = asked_new();

    reply_vectors(&a->told, "vector", 2, some, 4);
    ask(a);
    CU_ASSERT_EQUAL(a->page.count, 2);
    CU_ASSERT_PTR_NULL(a->page.ids);
    CU_ASSERT_EQUAL(a->columns.count, 0);
    asked_free(a);
}

/* A server that leaves out what it was asked for. */
static void no_vectors(void)
{
    asked *a = asked_new();
    int32_t code;

    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b");
    ask(a);
    code = milvus_vectors_write(&a->rig.call, a->rows, 2);
    rig_refused(&a->rig, code, SIMPLUGIN_PROTOCOL, "rows without vectors", "a page without");
    a->rows[0].page = NULL;
    code = milvus_vectors_write(&a->rig.call, a->rows, 1);
    rig_refused(&a->rig, code, SIMPLUGIN_PROTOCOL, "rows without vectors", "a hit without a page");
    rig_refused(&a->rig, milvus_vectors_portable(&a->rig.call), SIMPLUGIN_OK, NULL, "floats");
    rig_schema(&a->rig, "pk:VARCHAR vector:BINARY_VECTOR:16");
    code = milvus_vectors_write(&a->rig.call, a->rows, 1);
    rig_refused(&a->rig, code, SIMPLUGIN_PROTOCOL, "rows without vectors", "no bits");
    rig_refused(&a->rig, milvus_vectors_portable(&a->rig.call), SIMPLUGIN_UNIMPLEMENTED,
                "BINARY_VECTOR", "other vectors");
    asked_free(a);
}

/* Bits are bytes of the reply; a row that is cut, or of another length, is none. */
static void bits(void)
{
    static uint8_t some[] = {1, 2, 255, 0, 7, 128};

    for (size_t size = 3; size <= 6; size++) {
        asked *a = asked_new();
        Milvus__VectorField *field;
        simplugin_reply reply = {.size = sizeof reply};

        rig_schema(&a->rig, "pk:VARCHAR vector:BINARY_VECTOR:16");
        reply_field(&a->told, "pk", MILVUS_VARCHAR, size > 4 ? "a b c" : "a b");
        field = reply_vectors(&a->told, "vector", 16, NULL, 0);
        field->data_case = MILVUS__VECTOR_FIELD__DATA_BINARY_VECTOR;
        field->binary_vector.data = some;
        field->binary_vector.len = size;
        if (size % 2) {
            reply_query(&a->told);
            rig_refused(&a->rig, page_read(a), SIMPLUGIN_PROTOCOL, "cannot be read", "cut");
            asked_free(a);
            continue;
        }
        ask(a);
        CU_ASSERT_EQUAL(a->page.vector_bytes, 2);
        CU_ASSERT_EQUAL(a->page.vector_rows, size / 2);
        simplugin_write_map(&a->rig.call.base.out, 1);
        CU_ASSERT_EQUAL_FATAL(milvus_vectors_write(&a->rig.call, a->rows, size / 2), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(simplugin_writer_reply(&a->rig.call.base.out, &sp_host, &reply),
                        SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(reply.tensors[0].dtype, SIMPLUGIN_UINT8);
        CU_ASSERT_EQUAL(reply.tensors[0].cols, 2);
        CU_ASSERT_EQUAL(memcmp(reply.tensors[0].data, some, size), 0);
        simplugin_reply_clear(&reply);
        asked_free(a);
    }
}

static void counts(void)
{
    static const char *const texts[] = {"0", "1", "9223372036854775807"};
    asked *a = asked_new();

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        reply_field(&a->told, "count(*)", MILVUS_INT64, texts[i]);
        ask(a);
        CU_ASSERT_EQUAL(a->page.total, strtoll(texts[i], NULL, 10));
        CU_ASSERT_EQUAL(a->page.count, 0);
        asked_reset(a);
    }
    reply_field(&a->told, "count(*)", MILVUS_INT64, "");
    ask(a);
    CU_ASSERT_EQUAL(a->page.total, 0);
    asked_free(a);
}

static void nothing(void)
{
    asked *a = asked_new();

    ask(a);
    CU_ASSERT_EQUAL(a->page.count, 0);
    CU_ASSERT_EQUAL(a->page.total, -1);
    CU_ASSERT_PTR_NULL(a->page.ids);
    asked_reset(a);
    a->told.data = rig_exact("", 0);
    a->told.size = 0;
    CU_ASSERT_EQUAL(page_read(a), SIMPLUGIN_OK);
    asked_free(a);
}

/* ---- what the schema does not name ------------------------------------------------------------ */

static const struct {
    const char *rows;
    const char *x;
} joins[] = {
    {"{\"x\":1} {\"x\":-2}", "int64 1 -2"},
    {"{\"x\":1} {} {\"x\":3}", "int64 1 - 3"},
    {"{} {\"y\":1}", "absent"},
    {"{\"x\":null} {\"x\":5}", "int64 - 5"},
    {"{\"x\":null} {}", "text - -"},
    {"{\"x\":1} {\"x\":2.5}", "float64 1 2.5"},
    {"{\"x\":2.5} {} {\"x\":1}", "float64 2.5 - 1"},
    {"{\"x\":3.0}", "float64 3"},
    {"{\"x\":-0.0} {\"x\":0}", "float64 -0 0"},
    {"{\"x\":\"a\"} {\"x\":\"\"} {\"x\":\"\\u00e9\\u0001\"}", "text a  \xc3\xa9\x01"},
    {"{\"x\":true} {\"x\":false}", "bool true false"},
    {"{\"x\":1} {\"x\":\"a\"}", "text 1 a"},
    {"{\"x\":\"a\"} {\"x\":1.5} {}", "text a 1.5 -"},
    {"{\"x\":true} {\"x\":1}", "text true 1"},
    {"{\"x\":1} {\"x\":2.5} {\"x\":false}", "text 1 2.5 false"},
    {"{\"x\":[1,2]} {\"x\":[]} {}", "list<int64> 1,2 . -"},
    {"{\"x\":[]} {\"x\":[\"a\",\"\"]}", "list<text> . a,"},
    {"{\"x\":[true]} {\"x\":[]}", "list<bool> true ."},
    {"{\"x\":[1]} {\"x\":[2.5]}", "list<float64> 1 2.5"},
    {"{\"x\":[1,2.5,3]}", "list<float64> 1,2.5,3"},
    {"{\"x\":[2.5,1]} {\"x\":[7]}", "list<float64> 2.5,1 7"},
    {"{\"x\":[]} {\"x\":[]}", "list<text> . ."},
    {"{\"x\":[1]} {\"x\":1}", "text [1] 1"},
    {"{\"x\":[]} {\"x\":\"a\"}", "text [] a"},
    {"{\"x\":1} {\"x\":[]}", "text 1 []"},
    {"{\"x\":[1]} {\"x\":[\"a\"]}", "text [1] [\"a\"]"},
    {"{\"x\":[1,\"a\"]}", "text [1,\"a\"]"},
    {"{\"x\":[1,null]} {\"x\":[1]}", "text [1,null] [1]"},
    {"{\"x\":[[1]]}", "text [[1]]"},
    {"{\"x\":{\"a\":[1,{}]}} {\"x\":null}", "text {\"a\":[1,{}]} -"},
    {"{\"x\":9223372036854775807} {\"x\":-9223372036854775808}",
     "int64 9223372036854775807 -9223372036854775808"},
    {"{\"x\":9007199254740993} {\"x\":0.5}", "float64 9007199254740992 0.5"},
    /* what other clients store and no int64 holds */
    {"{\"x\":18446744073709551615,\"y\":1}", "float64 1.8446744073709552e+19"},
    {"{\"x\":1,\"x\":2}", "int64 2"},
    /* Milvus Lite takes what is no object */
    {"[1] {\"x\":1} 7 null \"text\" {\"x\": {\"x\":2", "int64 - 1 - - - - -"},
};

static void mixed(void)
{
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++) {
        asked *a = asked_new();

        reply_json(&a->told, joins[i].rows);
        ask(a);
        rig_same(rig_column_text(&a->rig, column_find(a, "x")), joins[i].x, joins[i].rows);
        asked_free(a);
    }
}

static void mixed_in_locale(void)
{
    unit_in_locale("de_DE", ",", mixed);
}

/* Without values the type is the one that was declared, if it can be. */
static void declared(void)
{
    static const struct {
        uint32_t type;
        const char *nulls, *empties, *values;
    } table[] = {
        {SP_TEXT, "text - - -", "list<text> . - .", "int64 - 1 -"},
        {SP_INT64, "int64 - - -", "list<text> . - .", "int64 - 1 -"},
        {SP_FLOAT64, "float64 - - -", "list<text> . - .", "int64 - 1 -"},
        {SP_BOOL, "bool - - -", "list<text> . - .", "int64 - 1 -"},
        {SP_TEXT | SP_LIST, "list<text> - - -", "list<text> . - .", "int64 - 1 -"},
        {SP_INT64 | SP_LIST, "list<int64> - - -", "list<int64> . - .", "int64 - 1 -"},
        {SP_FLOAT64 | SP_LIST, "list<float64> - - -", "list<float64> . - .", "int64 - 1 -"},
        {SP_BOOL | SP_LIST, "list<bool> - - -", "list<bool> . - .", "int64 - 1 -"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        asked *a = asked_new();

        rig_declare(&a->rig, "x", table[i].type);
        reply_json(&a->told, "{\"x\":null} {} {\"x\":null}");
        ask(a);
        has_column(a, "x", table[i].nulls);
        asked_reset(a);
        reply_json(&a->told, "{\"x\":[]} {} {\"x\":[]}");
        ask(a);
        has_column(a, "x", table[i].empties);
        asked_reset(a);
        reply_json(&a->told, "{} {\"x\":1} {}");
        ask(a);
        has_column(a, "x", table[i].values);
        asked_free(a);
    }
}

static void names(void)
{
    static const char *some[] = {"x", "sample_id", "pk", "vector", "__zero", "none", "n"};
    const plug_names wanted = {.count = sizeof some / sizeof some[0], .names = some};
    asked *a = asked_new();
    plug_seen seen;

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 sample_id:VARCHAR n:INT64 m:INT64");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b");
    reply_field(&a->told, "sample_id", MILVUS_VARCHAR, "s t");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2");
    reply_field(&a->told, "m", MILVUS_INT64, "3 4");
    reply_json(&a->told, "{\"x\":1,\"y\":2,\"$$meta\":3,\"__zero\":true} {\"meta\":4,\"$$$meta\":5}");
    a->rig.schema.is_ours = 1;
    ask(a);
    CU_ASSERT_EQUAL(a->columns.count, 7);
    has_column(a, "x", "int64 1 -");
    has_column(a, "y", "int64 2 -");
    has_column(a, "n", "int64 1 2");
    has_column(a, "m", "int64 3 4");
    has_column(a, "$meta", "int64 3 -");
    has_column(a, "$$meta", "int64 - 5");
    has_column(a, "meta", "int64 - 4");
    /* a sample's id says something of patches only, and of what others made */
    a->rig.schema.is_ours = 0;
    CU_ASSERT_EQUAL(milvus_field_is_shown(&a->rig.schema, "sample_id"), 1);
    a->rig.schema.is_ours = a->rig.schema.is_patches = 1;
    CU_ASSERT_EQUAL(milvus_fields_read(&a->rig.call, a->rows, 2, &wanted, &a->columns),
                    SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(a->columns.count, 3);
    has_column(a, "x", "int64 1 -");
    has_column(a, "n", "int64 1 2");
    has_column(a, "sample_id", "text s t");
    /* what is beside the schema */
    CU_ASSERT_EQUAL(milvus_fields_see(&a->rig.call, &a->page, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(seen.count, 5);
    for (uint64_t i = 0; i < seen.count; i++)
        CU_ASSERT_EQUAL(seen.types[i], SP_INT64);
    asked_free(a);
}

/* A row of another client may have a key that the schema has too: the schema's counts. */
static void shadowed(void)
{
    asked *a = asked_new();

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64 d:DOUBLE");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2 3");
    reply_field(&a->told, "d", MILVUS_DOUBLE, "1 2 3");
    reply_json(&a->told, "{\"n\":7,\"pk\":1,\"vector\":2} {\"d\":9} {\"n\":\"text\",\"d\":null}");
    ask(a);
    CU_ASSERT_EQUAL(a->columns.count, 2);
    has_column(a, "n", "int64 1 2 3");
    has_column(a, "d", "float64 1 2 3");
    asked_free(a);
}

/* Rows in any order, of several pages and of none. */
static void pages(void)
{
    asked *a = asked_new();
    milvus_told other = {.rig = &a->rig};
    milvus_page page;
    milvus_row rows[6] = {{NULL, 0}};

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2");
    reply_json(&a->told, "{\"x\":1} {\"x\":2,\"l\":[1]}");
    ask(a);
    reply_json(&other, "{\"x\":0.5} {\"z\":\"q\"}");
    reply_query(&other);
    CU_ASSERT_EQUAL(milvus_page_read(&a->rig.call, other.data, other.size, QUERY_FIELDS, &page),
                    SIMPLUGIN_OK);
    rows[1] = (milvus_row){&page, 1};
    rows[2] = (milvus_row){&a->page, 1};
    rows[3] = (milvus_row){&page, 0};
    rows[5] = (milvus_row){&a->page, 1};
    CU_ASSERT_EQUAL(milvus_fields_read(&a->rig.call, rows, 6, &all_names, &a->columns),
                    SIMPLUGIN_OK);
    has_column(a, "n", "int64 - - 2 - - 2");
    has_column(a, "x", "float64 - - 2 0.5 - 2");
    has_column(a, "l", "list<int64> - - 1 - - 1");
    has_column(a, "z", "text - q - - - -");
    milvus_page_clear(&page);
    reply_free(&other);
    asked_free(a);
}

/* Written, checked as an envelope, and read again. */
static void writing(void)
{
    asked *a = asked_new();
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_value body, fields, value;
    sp_column column;

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64");
    rig_declare(&a->rig, "none", SP_INT64 | SP_LIST);
    rig_declare(&a->rig, "empty", SP_FLOAT64);
    reply_field(&a->told, "n", MILVUS_INT64, "1 2 3");
    reply_json(&a->told, "{\"x\":\"\",\"none\":null} {\"l\":[\"a\",\"b\"],\"empty\":[]} {}");
    ask(a);
    simplugin_write_map(&a->rig.call.base.out, 1);
    CU_ASSERT_EQUAL(milvus_fields_write(&a->rig.call, a->rows, 3, &all_names), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_writer_reply(&a->rig.call.base.out, &sp_host, &reply), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
    body = simplugin_body_value(reply.body, reply.body_size);
    CU_ASSERT_EQUAL(simplugin_find(&body, "fields", &fields), 1);
    CU_ASSERT_EQUAL(fields.size, 5);
    for (uint64_t i = 0; i < a->columns.count; i++) {
        CU_ASSERT_EQUAL(simplugin_find(&fields, a->columns.names[i], &value), 1);
        CU_ASSERT_PTR_NULL(
            simplugin_column_read(&value, reply.tensors, reply.tensor_count, &column));
        CU_ASSERT_EQUAL(column.count, 3);
        CU_ASSERT_EQUAL(column.type, a->columns.columns[i].type);
    }
    simplugin_reply_clear(&reply);
    has_column(a, "x", "text  - -");
    has_column(a, "l", "list<text> - a,b -");
    has_column(a, "none", "list<int64> - - -");
    has_column(a, "empty", "list<text> - . -");
    asked_free(a);
}

/* ---- hits ----------------------------------------------------------------------------------------- */

/* Per query: ids with score and distance. */
static const char *hits_text(milvus_rig *rig, const milvus_hits *hits)
{
    rig->text[0] = 0;
    for (uint64_t q = 0; q < hits->query_count; q++) {
        const plug_list *list = &hits->lists[q];

        CU_ASSERT_EQUAL(list->count, list->sent);
        rig_put(rig, "%s", q ? " | " : "");
        for (uint64_t i = 0; i < list->count; i++)
            rig_put(rig, "%s%.*s %g %g", i ? ", " : "", (int)list->hits[i].id.size,
                    list->hits[i].id.data, (double)list->hits[i].score,
                    (double)list->hits[i].distance);
    }
    return rig->text;
}

static void hits_are(asked *a, int32_t key_type, const char *ids, const char *scores,
                     const char *topks, uint64_t queries, const char *expected)
{
    milvus_hits hits;
    int32_t code;

    reply_search(&a->told, key_type, ids, scores, topks);
    code = milvus_hits_read(&a->rig.call, a->told.data, a->told.size, queries, &hits);
    rig_refused(&a->rig, code, SIMPLUGIN_OK, NULL, "hits");
    rig_same(hits_text(&a->rig, &hits), expected, topks);
    milvus_hits_clear(&hits);
}

static void hits(void)
{
    asked *a = asked_new();

    hits_are(a, MILVUS_VARCHAR, "a b c d e", "0 0.25 4 9 16", "2 0 3", 3,
             "a 0 0, b 0.5 0.5 |  | c 2 2, d 3 3, e 4 4");
    hits_are(a, MILVUS_INT64, "-7 0 9223372036854775807", "1 1 1", "3", 1,
             "-7 1 1, 0 1 1, 9223372036854775807 1 1");
    /* a rounding below nothing */
    hits_are(a, MILVUS_VARCHAR, "a", "-1e-9", "1", 1, "a 0 0");
    a->rig.schema.metric = "dotproduct";
    hits_are(a, MILVUS_VARCHAR, "a b", "2.5 -3", "1 1", 2, "a 2.5 -2.5 | b -3 3");
    a->rig.schema.metric = "cosine";
    hits_are(a, MILVUS_VARCHAR, "a b c", "1 0.25 -1", "3", 1, "a 1 0, b 0.25 0.75, c -1 2");
    hits_are(a, MILVUS_VARCHAR, "a", "nan", "1", 1, "a 0 1");
    /* nothing found */
    hits_are(a, MILVUS_VARCHAR, "", "", "0", 1, "");
    hits_are(a, MILVUS_VARCHAR, "", "", "0 0", 2, " | ");
    hits_are(a, MILVUS_VARCHAR, "", "", "", 2, " | ");
    asked_free(a);
}

static void no_results(void)
{
    Milvus__Status status = MILVUS__STATUS__INIT;
    Milvus__SearchReply reply = MILVUS__SEARCH_REPLY__INIT;
    asked *a = asked_new();
    milvus_hits found;

    status.reason = (char *)(uintptr_t)"search result is empty";
    reply.status = &status;
    reply_pack(&a->told, &reply.base);
    CU_ASSERT_EQUAL(milvus_hits_read(&a->rig.call, a->told.data, a->told.size, 2, &found),
                    SIMPLUGIN_OK);
    rig_same(hits_text(&a->rig, &found), " | ", "no results");
    milvus_hits_clear(&found);
    CU_ASSERT_EQUAL(milvus_hits_read(&a->rig.call, NULL, 0, 1, &found), SIMPLUGIN_OK);
    milvus_hits_clear(&found);
    asked_free(a);
}

/* Each hit knows the row with its fields and vector. */
static void hits_with_rows(void)
{
    static const float some[] = {1, 2, 3, 4, 5, 6};
    asked *a = asked_new();
    milvus_hits found;

    reply_json(&a->told, "{\"x\":1} {} {\"x\":3}");
    reply_vectors(&a->told, "vector", 2, some, 6);
    reply_search(&a->told, MILVUS_VARCHAR, "a b c", "1 4 9", "1 2");
    CU_ASSERT_EQUAL_FATAL(milvus_hits_read(&a->rig.call, a->told.data, a->told.size, 2, &found),
                          SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(found.page.count, 3);
    for (uint64_t i = 0; i < 2; i++) {
        const plug_hit *hit = &found.lists[1].hits[i];
        const milvus_page *page = hit->page;

        CU_ASSERT_PTR_EQUAL(hit->page, &found.page);
        a->rows[i].page = hit->page;
        a->rows[i].row = hit->row;
        CU_ASSERT_EQUAL(memcmp(page->vectors + hit->row * page->vector_bytes,
                               some + 2 + 2 * i, 8), 0);
    }
    CU_ASSERT_EQUAL(milvus_fields_read(&a->rig.call, a->rows, 2, &all_names, &a->columns),
                    SIMPLUGIN_OK);
    has_column(a, "x", "int64 - 3");
    milvus_hits_clear(&found);
    asked_free(a);
}

/* ---- what no server may send ------------------------------------------------------------------------ */

static void page_refused(asked *a, const char *what)
{
    reply_query(&a->told);
    rig_refused(&a->rig, page_read(a), SIMPLUGIN_PROTOCOL, "cannot be read", what);
    asked_reset(a);
}

static void bad_rows(void)
{
    static const float some[] = {1, 2, 3, 4, 5, 6};
    asked *a = asked_new();
    Milvus__VectorField *vectors_sent;

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2");
    reply_field(&a->told, "m", MILVUS_INT64, "1 2 3");
    page_refused(a, "columns of other lengths");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2 3");
    page_refused(a, "fewer keys than rows");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "");
    reply_field(&a->told, "n", MILVUS_INT64, "1");
    page_refused(a, "no key of a row");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b c");
    reply_json(&a->told, "{} {}");
    page_refused(a, "fewer objects than rows");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b c");
    reply_vectors(&a->told, "vector", 2, some, 4);
    page_refused(a, "fewer vectors than rows");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b");
    reply_vectors(&a->told, "vector", 2, some, 6);
    page_refused(a, "more vectors than rows");
    reply_vectors(&a->told, "vector", 3, some, 6);
    page_refused(a, "another dimension");
    reply_vectors(&a->told, "vector", 2, some, 5);
    page_refused(a, "half a vector");
    vectors_sent = reply_vectors(&a->told, "vector", -1, some, 4);
    page_refused(a, "a negative dimension");
    vectors_sent = reply_vectors(&a->told, "vector", 0, some, 4);
    vectors_sent->dim = 0;
    a->rig.fields[1].dimension = 0;
    page_refused(a, "a schema without dimension");
    reply_vectors(&a->told, "vector", 1, some, 4);
    a->rig.fields[1].dimension = UINT64_C(1) << 62;
    page_refused(a, "a schema with too large a dimension");
    a->rig.fields[1].dimension = 2;
    reply_field(&a->told, "\xff", MILVUS_INT64, "1 2");
    page_refused(a, "a name that is not UTF-8");
    reply_field(&a->told, "pk", MILVUS_DOUBLE, "1 2");
    page_refused(a, "keys that are floats");
    reply_lists(&a->told, "pk", MILVUS_VARCHAR, ". . .");
    page_refused(a, "keys that are lists of texts");
    reply_lists(&a->told, "pk", MILVUS_INT64, ". . 1");
    page_refused(a, "keys that are lists of ints");
    asked_free(a);
}

/* JSON that is none: nothing of it is shown, and nothing behind it is read. */
static void bad_json(void)
{
    asked *a = asked_new();

    reply_lists(&a->told, "$meta", MILVUS_VARCHAR, ". . . {\"x\":1}")->is_dynamic = 1;
    ask(a);
    CU_ASSERT_EQUAL(a->columns.count, 0);
    asked_reset(a);
    reply_field(&a->told, "$meta", MILVUS_INT64, "1 2 3");
    ask(a);
    CU_ASSERT_EQUAL(a->columns.count, 0);
    asked_reset(a);
    reply_field(&a->told, "$meta", MILVUS_VARCHAR, "{\"x\":1} {}");
    ask(a);
    has_column(a, "x", "int64 1 -");
    asked_free(a);
}

/* A reply of a search that holds one field of bytes. */
static void hits_of_bytes(asked *a, uint32_t number, const void *bytes, size_t size,
                          const char *what)
{
    milvus_hits found;
    sp_buffer out;
    size_t begin;

    sp_buffer_init(&out);
    begin = pb_begin(&out, 2);
    pb_bytes(&out, number, bytes, size);
    pb_end(&out, begin);
    a->told.data = rig_exact(out.data, out.size);
    a->told.size = out.size;
    sp_buffer_clear(&out);
    rig_refused(&a->rig,
                milvus_hits_read(&a->rig.call, a->told.data, a->told.size, 1, &found),
                SIMPLUGIN_PROTOCOL, "cannot be read", what);
    milvus_hits_clear(&found);
    asked_reset(a);
}

static void hits_refused(asked *a, const char *ids, const char *scores, const char *topks,
                         const char *what)
{
    milvus_hits found;

    reply_search(&a->told, MILVUS_VARCHAR, ids, scores, topks);
    rig_refused(&a->rig,
                milvus_hits_read(&a->rig.call, a->told.data, a->told.size, 2, &found),
                SIMPLUGIN_PROTOCOL, "cannot be read", what);
    milvus_hits_clear(&found);
    asked_reset(a);
}

static void bad_hits(void)
{
    asked *a = asked_new();

    hits_refused(a, "a b", "1", "1 1", "fewer scores than ids");
    hits_refused(a, "a", "1 2", "1 1", "fewer ids than scores");
    hits_refused(a, "a b", "1 2", "1 2", "topks past the ids");
    hits_refused(a, "a b", "1 2", "3", "a topk past the ids");
    hits_refused(a, "a b", "1 2", "1 -1", "a negative topk");
    hits_refused(a, "a b", "1 2", "9223372036854775807 9223372036854775807", "huge topks");
    hits_refused(a, "a b", "1 2", "1", "an id of no query");
    hits_refused(a, "a b", "1 2", "1 0", "an id of no query");
    hits_refused(a, "a b", "1 2", "", "no topks");
    hits_refused(a, "a b c", "1 2 3", "1 1 1", "more lists than queries");
    reply_field(&a->told, "n", MILVUS_INT64, "1 2 3");
    hits_refused(a, "a b", "1 2", "1 1", "more rows than hits");
    reply_field(&a->told, "n", MILVUS_INT64, "1");
    hits_refused(a, "a b", "1 2", "1 1", "fewer rows than hits");
    hits_of_bytes(a, 4, "\0\0\0\0\0", 5, "scores of five bytes");
    hits_of_bytes(a, 4, "\0\0\0\0", 4, "a score of no id");
    hits_of_bytes(a, 5, "\x0a\x05", 2, "ids past the end");
    hits_of_bytes(a, 5, "\x0a\x03\x0a\x01\x80", 5, "an id that goes on");
    hits_of_bytes(a, 6, "\x80", 1, "a topk that goes on");
    asked_free(a);
}

/* ---- every change of a reply ------------------------------------------------------------------------- */

/* Reads, and reads on what came out of it; each answer is a good one or PROTOCOL. */
static void look(asked *a, const uint8_t *data, size_t size)
{
    uint8_t *exact = rig_exact(data, size);
    milvus_status status;
    milvus_hits found;
    milvus_page page;
    int32_t code;

    milvus_status_read(&status, exact, size, 0);
    code = milvus_page_read(&a->rig.call, exact, size, QUERY_FIELDS, &page);
    for (uint64_t i = 0; !code && i < page.count && i < 64; i++) {
        a->rows[i].page = &page;
        a->rows[i].row = i;
    }
    if (!code)
        code = milvus_fields_write(&a->rig.call, a->rows, page.count < 64 ? page.count : 64,
                                   &all_names);
    CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    milvus_page_clear(&page);
    rig_reset(&a->rig);
    code = milvus_hits_read(&a->rig.call, exact, size, 2, &found);
    CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    for (uint64_t q = 0; !code && q < 2; q++)
        for (uint64_t i = 0; i < found.lists[q].count && i < 64; i++) {
            a->rows[i].page = found.lists[q].hits[i].page;
            a->rows[i].row = found.lists[q].hits[i].row;
        }
    if (!code)
        code = milvus_fields_write(&a->rig.call, a->rows,
                                   found.lists[0].count < 64 ? found.lists[0].count : 64,
                                   &all_names);
    milvus_hits_clear(&found);
    rig_reset(&a->rig);
    free(exact);
}

static void look_at_all(asked *a)
{
    uint8_t *copy = rig_exact(a->told.data, a->told.size);

    for (size_t cut = 0; cut <= a->told.size; cut++)
        look(a, copy, cut);
    for (size_t i = 0; i < a->told.size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            look(a, copy, a->told.size);
            copy[i] ^= (uint8_t)(1 << bit);
        }
    free(copy);
}

static void changes(void)
{
    static const float some[] = {1, 2, 3, 4};
    asked *a = asked_new();

    rig_schema(&a->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 n:INT64? l:ARRAY:VARCHAR");
    reply_field(&a->told, "pk", MILVUS_VARCHAR, "a b");
    reply_field(&a->told, "n", MILVUS_INT64, "1 -");
    reply_lists(&a->told, "l", MILVUS_VARCHAR, "x,y .");
    reply_json(&a->told, "{\"x\":1} {\"x\":[2.5]}");
    reply_vectors(&a->told, "vector", 2, some, 4);
    reply_query(&a->told);
    look_at_all(a);
    reply_search(&a->told, MILVUS_VARCHAR, "a b", "1 2", "1 1");
    look_at_all(a);
    asked_free(a);
}

static const unit_case cases[] = {
    UNIT_CASE(types, "R214 R281 fields of the schema of every type"),
    UNIT_CASE(lists, "R281 fields of the schema that are lists"),
    UNIT_CASE(empty_lists, "R281 empty lists have the type of their field"),
    UNIT_CASE(valid, "R281 missing values"),
    UNIT_CASE(int_keys, "R164 int keys are texts"),
    UNIT_CASE(vectors, "R263 vectors, wherever they lie in a reply"),
    UNIT_CASE(only_vectors, "R263 vectors alone"),
    UNIT_CASE(bits, "R277 vectors of bits"),
    UNIT_CASE(no_vectors, "R263 R277 vectors that were left out"),
    UNIT_CASE(counts, "R261 count(*)"),
    UNIT_CASE(nothing, "replies without rows"),
    UNIT_CASE(mixed, "R255 R281 fields in JSON, their types joined"),
    UNIT_CASE(mixed_in_locale, "R281 fields in JSON whatever the locale's point is"),
    UNIT_CASE(declared, "R255 R281 declared fields without values have their type"),
    UNIT_CASE(names, "R214 R281 the fields that are asked for, and no inner ones"),
    UNIT_CASE(shadowed, "R281 JSON with names of the schema"),
    UNIT_CASE(pages, "R263 rows of several pages in any order"),
    UNIT_CASE(writing, "R281 fields as they are written"),
    UNIT_CASE(hits, "R170 R267 R268 hits of several queries, scores and distances"),
    UNIT_CASE(no_results, "R91 searches that find nothing"),
    UNIT_CASE(hits_with_rows, "R210 R267 hits with vectors and fields"),
    UNIT_CASE(bad_rows, "R277 rows that cannot be are PROTOCOL"),
    UNIT_CASE(bad_json, "R277 JSON that is none"),
    UNIT_CASE(bad_hits, "R277 hits that cannot be are PROTOCOL"),
    UNIT_CASE(changes, "R277 nothing is read outside of damaged replies"),
};

UNIT_MAIN("milvus replies", cases)
