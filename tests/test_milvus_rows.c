/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on their way to Milvus: what protobuf-c reads of them is what went in. */
#include "config.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

#include "milvus_rig.h"
#include "plugins/milvus/milvus.pb-c.h"
#include "rows.h"

#define COLUMNS 24

/* Rows to be written. */
typedef struct table {
    milvus_rig rig;
    sp_column ids;
    plug_matrix vectors;
    const char *names[COLUMNS];
    sp_column columns[COLUMNS];
    plug_columns fields;
    milvus_rows rows;
    Milvus__RowsRequest *request;
    size_t bytes; /* of the request */
} table;

static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* Rows of the ids, with vectors of 2 dimensions. */
static table *table_new(const char *ids)
{
    table *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    rig_init(&t->rig);
    t->ids = rig_column(&t->rig, SP_TEXT, ids);
    t->vectors.data = numbers;
    t->vectors.stride = 2;
    t->vectors.rows = t->ids.count;
    t->fields.names = t->names;
    t->fields.columns = t->columns;
    t->rows.ids = &t->ids;
    t->rows.vectors = &t->vectors;
    t->rows.fields = &t->fields;
    t->rows.count = t->ids.count;
    return t;
}

static void request_free(table *t)
{
    if (t->request)
        milvus__rows_request__free_unpacked(t->request, NULL);
    t->request = NULL;
}

static void table_free(table *t)
{
    request_free(t);
    rig_clear(&t->rig);
    free(t);
}

static void column_add(table *t, const char *name, uint32_t type, const char *words)
{
    if (t->fields.count == COLUMNS)
        abort();
    t->names[t->fields.count] = name;
    t->columns[t->fields.count++] = rig_column(&t->rig, type, words);
}

/* Some rows, encoded and decoded. */
static int32_t encode_some(table *t, uint64_t first, uint64_t count)
{
    milvus_rpc rpc;
    int32_t code;

    request_free(t);
    milvus_rpc_init(&rpc, "Upsert");
    code = milvus_rows_encode(&t->rig.call, &t->rows, first, count, &rpc);
    CU_ASSERT_EQUAL(rpc.part_count, code ? 0 : 2);
    if (!code) {
        sp_buffer all;

        sp_buffer_init(&all);
        for (size_t i = 0; i < rpc.part_count; i++)
            sp_buffer_append(&all, GRPC_SLICE_START_PTR(rpc.parts[i]),
                             GRPC_SLICE_LENGTH(rpc.parts[i]));
        t->bytes = all.size;
        t->request = milvus__rows_request__unpack(NULL, all.size, all.data);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t->request);
        sp_buffer_clear(&all);
    }
    milvus_rpc_clear(&rpc);
    return code;
}

static void encode(table *t)
{
    rig_refused(&t->rig, encode_some(t, 0, t->rows.count), SIMPLUGIN_OK, NULL, "encoding");
    CU_ASSERT_EQUAL(t->request->num_rows, t->rows.count);
}

/* ---- fields as texts --------------------------------------------------------------------------- */

static void scalar_put(milvus_rig *rig, const Milvus__ScalarField *scalars, size_t i)
{
    switch (scalars->data_case) {
    case MILVUS__SCALAR_FIELD__DATA_BOOL_DATA:
        rig_put(rig, "%s", scalars->bool_data->data[i] ? "true" : "false");
        break;
    case MILVUS__SCALAR_FIELD__DATA_INT_DATA:
        rig_put(rig, "%d", scalars->int_data->data[i]);
        break;
    case MILVUS__SCALAR_FIELD__DATA_LONG_DATA:
        rig_put(rig, "%lld", (long long)scalars->long_data->data[i]);
        break;
    case MILVUS__SCALAR_FIELD__DATA_FLOAT_DATA:
        rig_put(rig, "%.9g", (double)scalars->float_data->data[i]);
        break;
    case MILVUS__SCALAR_FIELD__DATA_DOUBLE_DATA:
        rig_put(rig, "%.17g", scalars->double_data->data[i]);
        break;
    case MILVUS__SCALAR_FIELD__DATA_STRING_DATA:
        rig_put(rig, "%s", scalars->string_data->data[i]);
        break;
    case MILVUS__SCALAR_FIELD__DATA_JSON_DATA:
        rig_put(rig, "%.*s", (int)scalars->json_data->data[i].len,
                (const char *)scalars->json_data->data[i].data);
        break;
    default: break;
    }
}

static size_t scalar_count(const Milvus__ScalarField *scalars)
{
    switch (scalars->data_case) {
    case MILVUS__SCALAR_FIELD__DATA_BOOL_DATA: return scalars->bool_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_INT_DATA: return scalars->int_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_LONG_DATA: return scalars->long_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_FLOAT_DATA: return scalars->float_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_DOUBLE_DATA: return scalars->double_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_STRING_DATA: return scalars->string_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_JSON_DATA: return scalars->json_data->n_data;
    case MILVUS__SCALAR_FIELD__DATA_ARRAY_DATA: return scalars->array_data->n_data;
    default: return 0;
    }
}

static const Milvus__FieldData *field_find(const table *t, const char *name)
{
    const Milvus__FieldData *found = NULL;

    for (size_t i = 0; i < t->request->n_fields_data; i++)
        if (strcmp(t->request->fields_data[i]->field_name, name) == 0) {
            CU_ASSERT_PTR_NULL(found); /* each once */
            found = t->request->fields_data[i];
        }
    return found;
}

static void vectors_put(milvus_rig *rig, const Milvus__FieldData *field)
{
    const Milvus__VectorField *vectors = field->vectors;
    size_t dimension = (size_t)vectors->dim;

    rig_put(rig, ":%zu", dimension);
    if (vectors->data_case == MILVUS__VECTOR_FIELD__DATA_BINARY_VECTOR)
        for (size_t i = 0; i < vectors->binary_vector.len; i++)
            rig_put(rig, "%s%02x", i % (dimension / 8) ? "" : " ", vectors->binary_vector.data[i]);
    if (vectors->data_case == MILVUS__VECTOR_FIELD__DATA_FLOAT_VECTOR)
        for (size_t i = 0; i < vectors->float_vector->n_data; i++)
            rig_put(rig, "%s%g", i % dimension ? "," : " ",
                    (double)vectors->float_vector->data[i]);
}

/* One row of those that have values. */
static void row_put(milvus_rig *rig, const Milvus__ScalarField *scalars, size_t i)
{
    const Milvus__ScalarField *row;

    if (scalars->data_case != MILVUS__SCALAR_FIELD__DATA_ARRAY_DATA) {
        scalar_put(rig, scalars, i);
        return;
    }
    row = scalars->array_data->data[i];
    if (!scalar_count(row))
        rig_put(rig, ".");
    for (size_t j = 0; j < scalar_count(row); j++) {
        rig_put(rig, j ? "," : "");
        scalar_put(rig, row, j);
    }
}

/* The type, and the rows as rig_column takes them; a ? behind the type of nullable fields. */
static const char *field_text(table *t, const char *name)
{
    const Milvus__FieldData *field = field_find(t, name);
    milvus_rig *rig = &t->rig;
    size_t next = 0;

    rig->text[0] = 0;
    if (!field)
        return "absent";
    rig_put(rig, "%s%s", milvus_type_name(field->type), field->n_valid_data ? "?" : "");
    if (field->field_case == MILVUS__FIELD_DATA__FIELD_VECTORS) {
        vectors_put(rig, field);
        return rig->text;
    }
    if (field->n_valid_data)
        CU_ASSERT_EQUAL(field->n_valid_data, t->request->num_rows);
    for (uint32_t i = 0; i < t->request->num_rows; i++) {
        rig_put(rig, " ");
        if (field->n_valid_data && !field->valid_data[i])
            rig_put(rig, "-");
        else if (next < scalar_count(field->scalars))
            row_put(rig, field->scalars, next++);
        else
            rig_put(rig, "too few");
    }
    CU_ASSERT_EQUAL(next, scalar_count(field->scalars));
    return rig->text;
}

static void has_field(table *t, const char *name, const char *expected)
{
    rig_same(field_text(t, name), expected, name);
}

/* The dynamic field has no name. */
static void has_dynamic(table *t, const char *expected)
{
    const Milvus__FieldData *field = field_find(t, "");

    has_field(t, "", expected);
    if (field)
        CU_ASSERT_TRUE(field->is_dynamic);
}

/* ---- keys and vectors ---------------------------------------------------------------------------- */

static void text_keys(void)
{
    table *t = table_new("a b\xc3\xbc" "cher \"c\"");
    char db[] = "shelf";

    encode(t);
    CU_ASSERT_EQUAL(t->request->n_fields_data, 2);
    CU_ASSERT_STRING_EQUAL(t->request->db_name, "");
    CU_ASSERT_STRING_EQUAL(t->request->collection_name, "books");
    CU_ASSERT_STRING_EQUAL(t->request->partition_name, "");
    has_field(t, "pk", "VARCHAR a b\xc3\xbc" "cher \"c\"");
    has_field(t, "vector", "FLOAT_VECTOR:2 1,2 3,4 5,6");
    t->rig.instance.settings.db_name = db;
    t->rows.partition = "2024_data";
    encode(t);
    CU_ASSERT_STRING_EQUAL(t->request->db_name, "shelf");
    CU_ASSERT_STRING_EQUAL(t->request->partition_name, "2024_data");
    table_free(t);
}

static void number_keys(void)
{
    table *t = table_new("0 -1 9223372036854775807 -9223372036854775808 128");

    rig_schema(&t->rig, "id:INT64 vector:FLOAT_VECTOR:2");
    encode(t);
    has_field(t, "id", "INT64 0 -1 9223372036854775807 -9223372036854775808 128");
    table_free(t);
}

static void bad_number_keys(void)
{
    static const struct {
        const char *id;
        size_t size;
    } bad[] = {
        {"", 0},          {"a", 1},       {"1a", 2},   {"1.5", 3},
        {"1e3", 3},       {"01", 2},      {"-0", 2},   {"-01", 3},
        {"+1", 2},        {"-", 1},       {"--1", 3},  {" 1", 2},
        {"1 ", 2},        {"\t1", 2},     {"\n1", 2},  {"\v-1", 3},
        {"0x10", 4},      {"1\0", 2},     {"1\0002", 3}, {"\xd9\xa1", 2},
        {"9223372036854775808", 19},      {"-9223372036854775809", 20},
        {"00000000000000000000000000001", 29}, {"1_000", 5},
    };
    table *t = table_new("x");
    int64_t offsets[2] = {0, 0};

    rig_schema(&t->rig, "id:INT64 vector:FLOAT_VECTOR:2");
    t->ids.offsets = offsets;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        t->ids.values = bad[i].id;
        offsets[1] = (int64_t)bad[i].size;
        CU_ASSERT_EQUAL(encode_some(t, 0, 1), SIMPLUGIN_INVALID_ARGUMENT);
        rig_check(t->rig.error && strcmp(simplugin_error_detail_value(t->rig.error, 0), "ids") == 0,
                  "the argument is not named", bad[i].id);
        rig_refused(&t->rig, SIMPLUGIN_INVALID_ARGUMENT, SIMPLUGIN_INVALID_ARGUMENT,
                    "is no key of this collection", bad[i].id);
    }
    table_free(t);
}

/* Where the server makes the keys there are none. */
static void no_keys(void)
{
    table *t = table_new("a b");

    rig_schema(&t->rig, "id:INT64 vector:FLOAT_VECTOR:2");
    t->rig.schema.auto_id = 1;
    t->rows.ids = NULL;
    encode(t);
    CU_ASSERT_EQUAL(t->request->n_fields_data, 1);
    has_field(t, "vector", "FLOAT_VECTOR:2 1,2 3,4");
    table_free(t);
}

static void selection(void)
{
    static const int64_t some[] = {3, 0, 2, 2};
    table *t = table_new("a b c d");

    column_add(t, "n", SP_INT64, "10 11 - 13");
    column_add(t, "tags", SP_TEXT | SP_LIST, "x . y,z -");
    t->rows.select = some;
    encode(t);
    has_field(t, "pk", "VARCHAR d a c c");
    has_field(t, "vector", "FLOAT_VECTOR:2 7,8 1,2 5,6 5,6");
    has_dynamic(t, "JSON {\"n\":13} {\"n\":10,\"tags\":[\"x\"]} {\"tags\":[\"y\",\"z\"]} "
                   "{\"tags\":[\"y\",\"z\"]}");
    /* a part of the selection */
    CU_ASSERT_EQUAL(encode_some(t, 1, 2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(t->request->num_rows, 2);
    has_field(t, "pk", "VARCHAR a c");
    has_field(t, "vector", "FLOAT_VECTOR:2 1,2 5,6");
    /* a part of all rows */
    t->rows.select = NULL;
    CU_ASSERT_EQUAL(encode_some(t, 2, 2), SIMPLUGIN_OK);
    has_field(t, "pk", "VARCHAR c d");
    has_field(t, "vector", "FLOAT_VECTOR:2 5,6 7,8");
    has_dynamic(t, "JSON {\"tags\":[\"y\",\"z\"]} {\"n\":13}");
    table_free(t);
}

static void strides(void)
{
    static const int64_t some[] = {2, 0};
    table *t = table_new("a b c");

    t->vectors.stride = 5;
    encode(t);
    has_field(t, "vector", "FLOAT_VECTOR:2 1,2 6,7 11,12");
    CU_ASSERT_EQUAL(encode_some(t, 1, 2), SIMPLUGIN_OK);
    has_field(t, "vector", "FLOAT_VECTOR:2 6,7 11,12");
    t->rows.select = some;
    t->rows.count = 2;
    encode(t);
    has_field(t, "vector", "FLOAT_VECTOR:2 11,12 1,2");
    table_free(t);
}

static void binary_vectors(void)
{
    static const uint8_t bits[] = {0x01, 0x80, 0xff, 0x02, 0x40, 0xfe, 0x03, 0x20, 0xfd};
    static const int64_t some[] = {2, 1};
    table *t = table_new("a b c");
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, bits, 3, 2);

    tensor.row_stride = 3;
    rig_schema(&t->rig, "pk:VARCHAR vector:BINARY_VECTOR:16");
    t->rig.schema.metric = "cosine"; /* no vector is looked at for zeros */
    t->rows.bits = &tensor;
    encode(t);
    has_field(t, "vector", "BINARY_VECTOR:16 0180 0240 0320");
    t->rows.select = some;
    t->rows.count = 2;
    encode(t);
    has_field(t, "vector", "BINARY_VECTOR:16 0320 0240");
    table_free(t);
}

/* ---- the schema's fields --------------------------------------------------------------------------- */

static void schema_types(void)
{
    table *t = table_new("a b c");

    rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 b:BOOL i8:INT8 i16:INT16 i32:INT32 "
                        "i64:INT64 f:FLOAT d:DOUBLE s:VARCHAR t:STRING j:JSON");
    column_add(t, "b", SP_BOOL, "true false true");
    column_add(t, "i8", SP_INT64, "-128 0 127");
    column_add(t, "i16", SP_INT64, "-32768 0 32767");
    column_add(t, "i32", SP_INT64, "-2147483648 0 2147483647");
    column_add(t, "i64", SP_INT64, "-9223372036854775808 0 9223372036854775807");
    column_add(t, "f", SP_FLOAT64, "0.5 -0.0 3.4028234e38");
    column_add(t, "d", SP_FLOAT64, "5e-324 -0.0 1.7976931348623157e308");
    column_add(t, "s", SP_TEXT, "one  \xe2\x82\xac");
    column_add(t, "t", SP_TEXT, " two three");
    column_add(t, "j", SP_TEXT, "{\"a\":1} [] null");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "types");
    encode(t);
    CU_ASSERT_EQUAL(t->request->n_fields_data, 12);
    has_field(t, "b", "BOOL true false true");
    has_field(t, "i8", "INT8 -128 0 127");
    has_field(t, "i16", "INT16 -32768 0 32767");
    has_field(t, "i32", "INT32 -2147483648 0 2147483647");
    has_field(t, "i64", "INT64 -9223372036854775808 0 9223372036854775807");
    has_field(t, "f", "FLOAT 0.5 -0 3.40282347e+38");
    has_field(t, "d", "DOUBLE 4.9406564584124654e-324 -0 1.7976931348623157e+308");
    has_field(t, "s", "VARCHAR one  \xe2\x82\xac");
    has_field(t, "t", "STRING  two three");
    has_field(t, "j", "JSON {\"a\":1} [] null");
    CU_ASSERT_FALSE(field_find(t, "j")->is_dynamic);
    table_free(t);
}

static void schema_lists(void)
{
    static const struct {
        const char *name;
        int32_t element;
    } elements[] = {{"b", MILVUS_BOOL},   {"i8", MILVUS_INT8},   {"i32", MILVUS_INT32},
                    {"i64", MILVUS_INT64}, {"f", MILVUS_FLOAT},   {"d", MILVUS_DOUBLE},
                    {"s", MILVUS_VARCHAR}};
    table *t = table_new("a b c");

    rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 b:ARRAY:BOOL i8:ARRAY:INT8 "
                        "i32:ARRAY:INT32 i64:ARRAY:INT64 f:ARRAY:FLOAT d:ARRAY:DOUBLE "
                        "s:ARRAY:VARCHAR");
    column_add(t, "b", SP_BOOL | SP_LIST, "true,false . true");
    column_add(t, "i8", SP_INT64 | SP_LIST, "1,-2,3 . 127");
    column_add(t, "i32", SP_INT64 | SP_LIST, "-2147483648 4,5 .");
    column_add(t, "i64", SP_INT64 | SP_LIST, ". . -1");
    column_add(t, "f", SP_FLOAT64 | SP_LIST, "0.5,0.25 . -1");
    column_add(t, "d", SP_FLOAT64 | SP_LIST, "1e300 2,3 .");
    column_add(t, "s", SP_TEXT | SP_LIST, "x,,y . z");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "lists");
    encode(t);
    has_field(t, "b", "ARRAY true,false . true");
    has_field(t, "i8", "ARRAY 1,-2,3 . 127");
    has_field(t, "i32", "ARRAY -2147483648 4,5 .");
    has_field(t, "i64", "ARRAY . . -1");
    has_field(t, "f", "ARRAY 0.5,0.25 . -1");
    has_field(t, "d", "ARRAY 1.0000000000000001e+300 2,3 .");
    has_field(t, "s", "ARRAY x,,y . z");
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        CU_ASSERT_EQUAL(field_find(t, elements[i].name)->scalars->array_data->element_type,
                        elements[i].element);
    table_free(t);
}

/* A missing value is marked as missing, and takes up no place. */
static void nullable(void)
{
    table *t = table_new("a b c");

    rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 b:BOOL? n:INT64? i:INT32? f:FLOAT? "
                        "d:DOUBLE? s:VARCHAR? l:ARRAY:INT64? whole:INT64? empty:INT64? gone:INT64? "
                        "none:NONE?");
    column_add(t, "b", SP_BOOL, "true - false");
    column_add(t, "n", SP_INT64, "- 7 -");
    column_add(t, "i", SP_INT64, "- 7 8");
    column_add(t, "f", SP_FLOAT64, "0.5 - -");
    column_add(t, "d", SP_FLOAT64, "- - 0.5");
    column_add(t, "s", SP_TEXT, "- x ");
    column_add(t, "l", SP_INT64 | SP_LIST, "1,2 - .");
    column_add(t, "whole", SP_INT64, "1 2 3");
    column_add(t, "empty", SP_TEXT, "- - -");
    column_add(t, "none", SP_BOOL, "- - -");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "nulls");
    encode(t);
    has_field(t, "b", "BOOL? true - false");
    has_field(t, "n", "INT64? - 7 -");
    has_field(t, "i", "INT32? - 7 8");
    has_field(t, "f", "FLOAT? 0.5 - -");
    has_field(t, "d", "DOUBLE? - - 0.5");
    has_field(t, "s", "VARCHAR? - x ");
    has_field(t, "l", "ARRAY? 1,2 - .");
    has_field(t, "whole", "INT64? 1 2 3");
    has_field(t, "empty", "INT64? - - -");
    has_field(t, "gone", "absent");
    has_field(t, "none", "absent");
    has_dynamic(t, "absent");
    table_free(t);
}

/* ---- what the schema does not name -------------------------------------------------------------------- */

static void dynamic_types(void)
{
    table *t = table_new("a b c");

    encode(t);
    has_dynamic(t, "absent");
    column_add(t, "word", SP_TEXT, "red  -");
    column_add(t, "page", SP_INT64, "-9223372036854775808 9223372036854775807 -");
    column_add(t, "size", SP_FLOAT64, "0.5 3 -");
    column_add(t, "seen", SP_BOOL, "true false -");
    column_add(t, "tags", SP_TEXT | SP_LIST, "x,,y . -");
    column_add(t, "days", SP_INT64 | SP_LIST, "1,-2 . -");
    column_add(t, "rate", SP_FLOAT64 | SP_LIST, "1,0.25 . -");
    column_add(t, "bits", SP_BOOL | SP_LIST, "true,false . -");
    encode(t);
    CU_ASSERT_EQUAL(t->request->n_fields_data, 3);
    has_dynamic(t,
                "JSON {\"word\":\"red\",\"page\":-9223372036854775808,\"size\":0.5,\"seen\":true,"
                "\"tags\":[\"x\",\"\",\"y\"],\"days\":[1,-2],\"rate\":[1.0,0.25],"
                "\"bits\":[true,false]} "
                "{\"word\":\"\",\"page\":9223372036854775807,\"size\":3.0,\"seen\":false,"
                "\"tags\":[],\"days\":[],\"rate\":[],\"bits\":[]} {}");
    /* those of the schema stand apart */
    rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 page:INT64? word:VARCHAR?");
    encode(t);
    has_field(t, "word", "VARCHAR? red  -");
    has_dynamic(t, "JSON {\"size\":0.5,\"seen\":true,\"tags\":[\"x\",\"\",\"y\"],\"days\":[1,-2],"
                   "\"rate\":[1.0,0.25],\"bits\":[true,false]} "
                   "{\"size\":3.0,\"seen\":false,\"tags\":[],\"days\":[],\"rate\":[],\"bits\":[]} "
                   "{}");
    t->rig.schema.has_dynamic = 0;
    encode(t);
    has_dynamic(t, "absent");
    table_free(t);
}

/* Every character, in values and in names, reads back as itself. */
static void dynamic_texts(void)
{
    static const struct {
        const char *text;
        const char *json;
    } known[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""},
        {"a\\\"b", "\"a\\\\\\\"b\""},
        {"\n\r\t", "\"\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\b\f\v", "\"\\u0008\\u000c\\u000b\""},
        {"/'`", "\"/'`\""},
        {"gr\xc3\xb6\xc3\x9f" "e \xf0\x9f\x98\x80", "\"gr\xc3\xb6\xc3\x9f" "e \xf0\x9f\x98\x80\""},
        {"\xe2\x80\xa8", "\"\xe2\x80\xa8\""},
    };
    table *t = table_new("a");
    int64_t offsets[2] = {0, 0};
    sp_column column = {.type = SP_TEXT, .count = 1, .offsets = offsets};
    char expected[200];

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        t->fields.count = 1;
        t->names[0] = "x";
        t->columns[0] = column;
        t->columns[0].values = known[i].text;
        offsets[1] = (int64_t)strlen(known[i].text);
        encode(t);
        snprintf(expected, sizeof expected, "JSON {\"x\":%s}", known[i].json);
        has_dynamic(t, expected);
        if (!*known[i].text)
            continue;
        t->names[0] = known[i].text;
        t->columns[0] = rig_column(&t->rig, SP_INT64, "1");
        encode(t);
        snprintf(expected, sizeof expected, "JSON {%s:1}", known[i].json);
        has_dynamic(t, expected);
    }
    table_free(t);
}

/* A text with U+0000 and every ASCII character, through a parser. */
static void dynamic_ascii(void)
{
    table *t = table_new("a");
    char text[128];
    int64_t offsets[2] = {0, sizeof text};
    const Milvus__FieldData *field;
    json_t *json;

    for (int i = 0; i < 128; i++)
        text[i] = (char)i;
    column_add(t, "x", SP_TEXT, "?");
    t->columns[0].values = text;
    t->columns[0].offsets = offsets;
    encode(t);
    field = field_find(t, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(field);
    json = json_loadb((const char *)field->scalars->json_data->data[0].data,
                      field->scalars->json_data->data[0].len, JSON_ALLOW_NUL, NULL);
    CU_ASSERT_EQUAL(json_string_length(json_object_get(json, "x")), sizeof text);
    CU_ASSERT_EQUAL(memcmp(json_string_value(json_object_get(json, "x")), text, sizeof text), 0);
    json_decref(json);
    table_free(t);
}

/* "$meta" is Milvus' own. */
static void dynamic_names(void)
{
    table *t = table_new("a");

    column_add(t, "$meta", SP_INT64, "1");
    column_add(t, "$$meta", SP_INT64, "2");
    column_add(t, "meta", SP_INT64, "3");
    column_add(t, "$", SP_INT64, "4");
    column_add(t, "$metal", SP_INT64, "5");
    column_add(t, "x$meta", SP_INT64, "6");
    encode(t);
    has_dynamic(t, "JSON {\"$$meta\":1,\"$$$meta\":2,\"meta\":3,\"$\":4,\"$metal\":5,\"x$meta\":6}");
    for (uint64_t i = 0; i < t->fields.count; i++) {
        const char *key =
            milvus_dynamic_key(&t->rig.call.base, t->names[i], strlen(t->names[i]));

        CU_ASSERT_STRING_EQUAL(milvus_dynamic_name(key), t->names[i]);
    }
    table_free(t);
}

static const struct {
    double value;
    const char *text;
} floats[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {3.0, "3.0"},
    {-3.0, "-3.0"},
    {0.1, "0.1"},
    {-2.5, "-2.5"},
    {1.0 / 3, "0.3333333333333333"},
    {0.1 + 0.2, "0.30000000000000004"},
    {100000.0, "100000.0"},
    {999999999999999.0, "999999999999999.0"},
    {1e15, "1e+15"},
    {1e21, "1e+21"},
    {9007199254740993.0, "9007199254740992.0"},
    {12345678901234567.0, "12345678901234568.0"},
    {1e-5, "1e-05"},
    {5e-324, "5e-324"},
    {2.2250738585072009e-308, "2.225073858507201e-308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
};

#define FLOATS (sizeof floats / sizeof floats[0])

/* Texts, and through a parser with a point. */
static void dynamic_floats(void)
{
    table *t = table_new("a");
    double values[FLOATS];
    int64_t lists[2] = {0, FLOATS};
    const ProtobufCBinaryData *data;
    char text[1000] = "JSON {\"x\":[", *locale;
    json_t *json;

    for (size_t i = 0; i < FLOATS; i++) {
        values[i] = floats[i].value;
        sprintf(text + strlen(text), "%s%s", i ? "," : "", floats[i].text);
    }
    strcat(text, "]}");
    column_add(t, "x", SP_FLOAT64 | SP_LIST, ".");
    t->columns[0].values = values;
    t->columns[0].list_offsets = lists;
    encode(t);
    has_dynamic(t, text);
    data = &field_find(t, "")->scalars->json_data->data[0];
    locale = strdup(setlocale(LC_ALL, NULL));
    setlocale(LC_ALL, "C");
    json = json_loadb((const char *)data->data, data->len, 0, NULL);
    setlocale(LC_ALL, locale);
    free(locale);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "x")), FLOATS);
    for (size_t i = 0; i < FLOATS; i++) {
        const json_t *item = json_array_get(json_object_get(json, "x"), i);
        double value = json_real_value(item);

        rig_check(json_is_real(item), "is no float", floats[i].text);
        rig_check(memcmp(&value, &values[i], sizeof value) == 0, "reads back otherwise",
                  floats[i].text);
    }
    json_decref(json);
    table_free(t);
}

static void dynamic_floats_in_locales(void)
{
    unit_in_locale("de_DE", ",", dynamic_floats);
    unit_in_locale("ps_AF", "\xd9\xab", dynamic_floats);
}

/* ---- what is filled in ------------------------------------------------------------------------------- */

static void sample_ids(void)
{
    table *t = table_new("a b c");

    rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 sample_id:VARCHAR");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "samples");
    encode(t);
    CU_ASSERT_EQUAL(t->request->n_fields_data, 3);
    has_field(t, "sample_id", "VARCHAR a b c");
    column_add(t, "sample_id", SP_TEXT, "x y z");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "samples");
    encode(t);
    has_field(t, "sample_id", "VARCHAR x y z");
    t->columns[0] = rig_column(&t->rig, SP_TEXT, "x - z");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_INVALID_ARGUMENT,
                "\"sample_id\" has no value in row 1", "a patch without a sample");
    table_free(t);
}

/* What the server would find too long, or no JSON, when rows before are written already. */
static void checked_texts(void)
{
    static const struct {
        const char *t, *tags, *j, *says;
    } table_of[] = {
        {"abc 123 -", "a,b . abc", "{} [1] -", NULL},
        {"abc 1234 -", "a,b . abc", "{} [1] -", "\"t\" has 4 bytes in row 1"},
        {"abc 123 -", "a,b . a,abcd", "{} [1] -", "\"tags\" has 4 bytes in row 2"},
        {"abc 123 -", "a,b . abc", "{} [1 -", "\"j\" is no JSON in row 1"},
        {"abc 123 -", "a,b . abc", "{} {}} -", "\"j\" is no JSON in row 1"},
        {"\xc3\xa9\xc3\xa9 1 -", "a,b . abc", "{} {} -", "\"t\" has 4 bytes in row 0"},
    };

    for (size_t i = 0; i < sizeof table_of / sizeof table_of[0]; i++) {
        table *t = table_new("a b c");

        rig_schema(&t->rig, "pk:VARCHAR vector:FLOAT_VECTOR:2 t:VARCHAR? tags:ARRAY:VARCHAR j:JSON?");
        t->rig.fields[0].max_length = t->rig.fields[2].max_length =
            t->rig.fields[3].max_length = 3;
        column_add(t, "t", SP_TEXT, table_of[i].t);
        column_add(t, "tags", SP_TEXT | SP_LIST, table_of[i].tags);
        column_add(t, "j", SP_TEXT, table_of[i].j);
        rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows),
                    table_of[i].says ? SIMPLUGIN_INVALID_ARGUMENT : SIMPLUGIN_OK, table_of[i].says,
                    table_of[i].t);
        /* Milvus Lite counts characters */
        if (i == 5) {
            atomic_store(&t->rig.instance.is_lite, 1);
            rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL,
                        "Milvus Lite");
        }
        t->rig.fields[0].max_length = 0;
        table_free(t);
    }
}

static void zero_vectors(void)
{
    static const float some[] = {1, 0, 0, 0, -0.0f, 0, 0, 1};
    static const int64_t first_only[] = {0};
    table *t = table_new("a b c d");

    t->vectors.data = some;
    t->rig.schema.metric = "cosine";
    encode(t);
    has_dynamic(t, "JSON {} {\"__zero\":true} {\"__zero\":true} {}");
    column_add(t, "n", SP_INT64, "1 2 - -");
    encode(t);
    has_dynamic(t, "JSON {\"n\":1} {\"n\":2,\"__zero\":true} {\"__zero\":true} {}");
    t->fields.count = 0;
    t->rows.select = first_only;
    t->rows.count = 1;
    encode(t);
    has_dynamic(t, "absent");
    t->rows.select = NULL;
    t->rows.count = 4;
    t->rig.schema.metric = "dotproduct";
    encode(t);
    has_dynamic(t, "absent");
    t->rig.schema.metric = NULL;
    encode(t);
    has_dynamic(t, "absent");
    t->rig.schema.metric = "cosine";
    t->rig.instance.is_lite = 1;
    encode(t);
    has_dynamic(t, "absent");
    t->rig.instance.is_lite = 0;
    t->rig.schema.has_dynamic = 0;
    encode(t);
    has_dynamic(t, "absent");
    table_free(t);
}

/* ---- how many fit ---------------------------------------------------------------------------------- */

static void fitting(void)
{
    table *t = table_new("a bb ccc dddd eeeee");
    uint64_t before = 0;

    CU_ASSERT_EQUAL(milvus_rows_fit(&t->rig.call, &t->rows, 0, 0), 1);
    CU_ASSERT_EQUAL(milvus_rows_fit(&t->rig.call, &t->rows, 4, 0), 1);
    CU_ASSERT_EQUAL(milvus_rows_fit(&t->rig.call, &t->rows, 0, UINT64_MAX), 5);
    CU_ASSERT_EQUAL(milvus_rows_fit(&t->rig.call, &t->rows, 3, UINT64_MAX), 2);
    CU_ASSERT_EQUAL(milvus_rows_fit(&t->rig.call, &t->rows, 5, UINT64_MAX), 0);
    for (uint64_t bytes = 0; bytes < 400; bytes++) {
        uint64_t count = milvus_rows_fit(&t->rig.call, &t->rows, 0, bytes);

        CU_ASSERT_TRUE(count >= before && count <= 5);
        before = count;
    }
    CU_ASSERT_EQUAL(before, 5);
    table_free(t);
}

/* What a request holds beside its rows: names, heads. */
#define HEADS 500
#define MANY(text) text text text text text text text text text text text text text text text text

/* As many as fit are encoded in no more bytes, whatever they are. */
static void fitting_bytes(void)
{
    static const struct {
        uint32_t type;
        const char *words;
    } kinds[] = {
        {SP_TEXT, "some - words of text in-here"},
        {SP_INT64, "-9223372036854775808 - 0 1 -9223372036854775807 9223372036854775807"},
        {SP_FLOAT64, "-1.7976931348623157e308 - 0 -0.30000000000000004 5e-324 1e100"},
        {SP_BOOL, "false - true false false true"},
        {SP_TEXT | SP_LIST, MANY(",,") " - a,b . ,,, " MANY(",,")},
        {SP_INT64 | SP_LIST, MANY("-9223372036854775808,") "1 - . 1,2,3 4 5,6"},
        {SP_FLOAT64 | SP_LIST, MANY("-0.30000000000000004,-1.7976931348623157e308,") "1 - . 1,2,3 4 5"},
        {SP_BOOL | SP_LIST, MANY("false,") "true - . true,true true,false,true ."},
    };
    const char *fields = "pk:VARCHAR vector:FLOAT_VECTOR:2 x0:VARCHAR? x1:INT64? x2:DOUBLE? x3:BOOL? "
                         "x4:ARRAY:VARCHAR? x5:ARRAY:INT64? x6:ARRAY:DOUBLE? x7:ARRAY:BOOL?";

    for (int is_schema = 0; is_schema < 2; is_schema++)
        for (uint64_t copies = 1; copies < 4; copies += 2) {
            table *t = table_new("a1 a2 a3 a4 a5 a6");

            if (is_schema)
                rig_schema(&t->rig, fields);
            for (uint64_t i = 0; i < copies * (is_schema ? 1 : 8); i++) {
                char *name = rig_memory(&t->rig, 8, 1);

                sprintf(name, "x%d", (int)i);
                column_add(t, name, kinds[i % 8].type, kinds[i % 8].words);
            }
            for (uint64_t bytes = 100; bytes < 8000; bytes += 100) {
                uint64_t count = milvus_rows_fit(&t->rig.call, &t->rows, 0, bytes);

                CU_ASSERT_EQUAL(encode_some(t, 0, count), SIMPLUGIN_OK);
                CU_ASSERT_TRUE(count == 1 || t->bytes <= bytes + HEADS);
                if (count > 1 && t->bytes > bytes + HEADS)
                    printf("\n    %d rows of %d bytes: %d", (int)count, (int)bytes,
                           (int)t->bytes);
            }
            table_free(t);
        }
}

/* ---- what cannot be written ---------------------------------------------------------------------------- */

static void check_refused(const char *fields, uint32_t type, const char *words, int32_t code,
                          const char *says)
{
    table *t = table_new("a b");

    if (fields)
        rig_schema(&t->rig, fields);
    t->rig.schema.has_dynamic = 0;
    if (type)
        column_add(t, "x", type, words);
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), code, says, says);
    table_free(t);
}

#define PLAIN "pk:VARCHAR vector:FLOAT_VECTOR:2 "

static void checks(void)
{
    static const struct {
        const char *fields;
        uint32_t type;
        const char *words;
        const char *says;
    } bad[] = {
        {"x:VARCHAR vector:FLOAT_VECTOR:2", SP_TEXT, "a b", "\"x\" is the collection's key"},
        {"pk:VARCHAR x:FLOAT_VECTOR:2", SP_TEXT, "a b", "\"x\" is the collection's vector"},
        {PLAIN "x:INT64", SP_TEXT, "a b", "\"x\" is int64 in the collection, not text"},
        {PLAIN "x:INT64", SP_FLOAT64, "1 2", "\"x\" is int64 in the collection, not float64"},
        {PLAIN "x:VARCHAR", SP_BOOL, "true -", "\"x\" is text in the collection, not bool"},
        {PLAIN "x:ARRAY:BOOL", SP_BOOL, "true false",
         "\"x\" is list<bool> in the collection, not bool"},
        {PLAIN "x:ARRAY:FLOAT?", SP_INT64 | SP_LIST, "1 2",
         "\"x\" is list<float64> in the collection, not list<int64>"},
        {PLAIN "x:INT64", SP_INT64, "1 -", "\"x\" has no value in row 1"},
        {PLAIN "x:INT64", 0, "", "\"x\" has no value in row 0"},
        {PLAIN "x:INT64", SP_TEXT, "- -", "\"x\" has no value in row 0"},
        {PLAIN "x:DOUBLE", SP_FLOAT64, "1 nan", "\"x\" holds NaN or an infinity"},
        {PLAIN "x:DOUBLE", SP_FLOAT64, "-inf 1", "\"x\" holds NaN or an infinity"},
        {PLAIN "x:ARRAY:DOUBLE", SP_FLOAT64 | SP_LIST, "1,2,inf .", "\"x\" holds NaN or an infinity"},
        {PLAIN, SP_TEXT, "a b", "the collection has no field \"x\""},
        /* what would be cut to the field's size on its way */
        {PLAIN "x:INT8", SP_INT64, "127 128", "\"x\" is INT8 in the collection, which holds no 128"},
        {PLAIN "x:INT8", SP_INT64, "-129 0", "holds no -129"},
        {PLAIN "x:INT16", SP_INT64, "0 32768", "holds no 32768"},
        {PLAIN "x:INT16?", SP_INT64, "- -32769", "holds no -32769"},
        {PLAIN "x:INT32", SP_INT64, "0 2147483648", "holds no 2147483648"},
        {PLAIN "x:INT32", SP_INT64, "4294967296 0", "holds no 4294967296"},
        {PLAIN "x:ARRAY:INT8", SP_INT64 | SP_LIST, "1,2 3,-129", "holds no -129"},
        {PLAIN "x:FLOAT", SP_FLOAT64, "0 1e39", "holds no 1e+39"},
        {PLAIN "x:ARRAY:FLOAT", SP_FLOAT64 | SP_LIST, ". -1e300", "holds no -1e+300"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(bad[i].fields, bad[i].type, bad[i].words, SIMPLUGIN_INVALID_ARGUMENT,
                      bad[i].says);
    check_refused(PLAIN "x:NONE", 0, "", SIMPLUGIN_UNIMPLEMENTED, "which cannot be written here");
    check_refused(PLAIN "x:NONE?", SP_TEXT, "a -", SIMPLUGIN_UNIMPLEMENTED, "cannot be written here");
    check_refused(PLAIN "x:BINARY_VECTOR:8", 0, "", SIMPLUGIN_UNIMPLEMENTED, "type BINARY_VECTOR");
    check_refused(PLAIN "x:ARRAY:JSON", SP_TEXT | SP_LIST, "a b", SIMPLUGIN_UNIMPLEMENTED,
                  "type ARRAY");
}

/* What is selected counts, and what has no value has no type. */
static void checks_pass(void)
{
    static const int64_t second[] = {1};
    table *t = table_new("a b");

    rig_schema(&t->rig, PLAIN "x:INT8 y:INT64? z:VARCHAR?");
    column_add(t, "x", SP_INT64, "1000 5");
    column_add(t, "y", SP_TEXT, "word -");
    column_add(t, "w", SP_FLOAT64, "- -");
    t->rows.select = second;
    t->rows.count = 1;
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_OK, NULL, "selected");
    encode(t);
    has_field(t, "x", "INT8 5");
    has_field(t, "y", "INT64? -");
    has_field(t, "z", "absent");
    table_free(t);
}

/* The name of the mark of zeros is not a field's. */
static void mark_is_kept(void)
{
    table *t = table_new("a b");

    column_add(t, "__zero", SP_BOOL, "true -");
    rig_refused(&t->rig, milvus_rows_check(&t->rig.call, &t->rows), SIMPLUGIN_INVALID_ARGUMENT,
                "\"__zero\"", "the mark");
    table_free(t);
}

static const unit_case cases[] = {
    UNIT_CASE(text_keys, "R216 R262 rows with text keys, a database and a partition"),
    UNIT_CASE(number_keys, "R162 R189 rows with int keys"),
    UNIT_CASE(bad_number_keys, "R162 ids that are no int keys are refused"),
    UNIT_CASE(no_keys, "R160 R205 rows without keys, where the server makes them"),
    UNIT_CASE(selection, "R262 selected rows, and parts of them"),
    UNIT_CASE(strides, "vectors with gaps between them"),
    UNIT_CASE(binary_vectors, "binary vectors"),
    UNIT_CASE(schema_types, "R189-R192 R281 fields of the schema of every type"),
    UNIT_CASE(schema_lists, "R281 fields of the schema that are lists"),
    UNIT_CASE(nullable, "R281 missing values of nullable fields stay missing"),
    UNIT_CASE(dynamic_types, "R255 R281 fields that the schema does not name, of every type"),
    UNIT_CASE(dynamic_texts, "R255 R281 texts and names in JSON"),
    UNIT_CASE(dynamic_ascii, "R281 every ASCII character in JSON"),
    UNIT_CASE(dynamic_names, "R255 fields named like Milvus' own"),
    UNIT_CASE(dynamic_floats, "R281 floats in JSON read back as they were"),
    UNIT_CASE(dynamic_floats_in_locales, "R281 floats in JSON whatever the locale's point is"),
    UNIT_CASE(checked_texts, "R281 texts that are too long, and what is no JSON"),
    UNIT_CASE(sample_ids, "R94 R280 sample_id is the id where none is given"),
    UNIT_CASE(zero_vectors, "R247 vectors of zeros are marked under cosine"),
    UNIT_CASE(fitting, "R273 one row fits always, and more with more bytes"),
    UNIT_CASE(fitting_bytes, "R273 rows that fit are encoded in no more bytes"),
    UNIT_CASE(checks, "R255 R281 rows that the schema cannot take are refused"),
    UNIT_CASE(checks_pass, "R281 only what is selected and present is looked at"),
    UNIT_CASE(mark_is_kept, "R247 the mark of vectors of zeros is no field"),
};

UNIT_MAIN("milvus rows", cases)
