/* SPDX-License-Identifier: Apache-2.0 */
/* Columns: every type there and back, and every way in which one can be wrong. */
#include "column.h"
#include "unit.h"

static const int64_t text_offsets[] = {0, 3, 3, 6};
static const int64_t lists[] = {0, 2, 2, 3};
static const int64_t ints[] = {INT64_MIN, 0, INT64_MAX};
static const double reals[] = {-0.5, 0, 1e300};
static const uint8_t bools[] = {1, 0, 1};
static const uint8_t valid[] = {5}; /* rows 0 and 2 */

static sp_column column_of(uint32_t type)
{
    sp_column column = {.type = type, .count = 3};

    switch (type & ~SP_LIST) {
    case SP_TEXT:
        column.offsets = text_offsets;
        column.values = "abcdef";
        break;
    case SP_INT64: column.values = ints; break;
    case SP_FLOAT64: column.values = reals; break;
    default: column.values = bools; break;
    }
    if (type & SP_LIST)
        column.list_offsets = lists;
    return column;
}

static void there_and_back(void)
{
    for (uint32_t type = 1; type <= 20; type++)
        for (int with_valid = 0; with_valid < 2; with_valid++) {
            sp_column column = column_of(type), back;
            simplugin_writer w;
            simplugin_value map;

            if (type > SP_BOOL && type < (SP_LIST | SP_TEXT))
                continue;
            column.valid = with_valid ? valid : NULL;
            simplugin_writer_init(&w);
            simplugin_write_column(&w, &column);
            CU_ASSERT_FALSE(w.failed);
            CU_ASSERT_PTR_NULL(simplugin_check_body(w.data, w.size, w.tensors, w.tensor_count));
            map = simplugin_body_value(w.data, w.size);
            CU_ASSERT_PTR_NULL(simplugin_column_read(&map, w.tensors, w.tensor_count, &back));
            CU_ASSERT_EQUAL(back.type, type);
            CU_ASSERT_EQUAL(back.count, 3);
            CU_ASSERT_PTR_EQUAL(back.values, column.values);
            CU_ASSERT_PTR_EQUAL(back.offsets, column.offsets);
            CU_ASSERT_PTR_EQUAL(back.list_offsets, column.list_offsets);
            CU_ASSERT_PTR_EQUAL(back.valid, column.valid);
            CU_ASSERT_EQUAL(simplugin_column_is_valid(&back, 1), !with_valid);
            CU_ASSERT_EQUAL(sp_column_is_valid(&back, 1), !with_valid);
            CU_ASSERT(simplugin_column_is_valid(&back, 2));
            simplugin_writer_clear(&w);
        }
}

static void text_elements(void)
{
    sp_column column = column_of(SP_TEXT);
    uint64_t size;
    const char *text = simplugin_column_text(&column, 0, &size);

    CU_ASSERT(size == 3 && memcmp(text, "abc", 3) == 0);
    simplugin_column_text(&column, 1, &size);
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(sp_column_text(&column, 2).size, 3);
    CU_ASSERT_EQUAL(memcmp(sp_column_text(&column, 2).data, "def", 3), 0);
    column.values = NULL;
    column.count = 1;
    column.offsets = (const int64_t[]){0, 0};
    CU_ASSERT_PTR_NOT_NULL(sp_column_text(&column, 0).data);
}

static void type_names(void)
{
    static const char *const names[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};

    for (size_t i = 0; i < 8; i++) {
        uint32_t type = sp_column_type(names[i], strlen(names[i]));
        const char *name = sp_column_type_name(type);

        CU_ASSERT_NOT_EQUAL(type, 0);
        CU_ASSERT_PTR_NOT_NULL(name);
        if (name)
            CU_ASSERT_STRING_EQUAL(name, names[i]);
    }
    CU_ASSERT_EQUAL(sp_column_type("int32", 5), 0);
    CU_ASSERT_EQUAL(sp_column_type("tex", 3), 0);
    CU_ASSERT_EQUAL(sp_column_type("", 0), 0);
    CU_ASSERT_PTR_NULL(sp_column_type_name(0));
    CU_ASSERT_PTR_NULL(sp_column_type_name(5));
    CU_ASSERT_PTR_NULL(sp_column_type_name(SP_LIST));
}

/* A column as a map of whatever tensors it is given; NULL leaves the key out. */
static const char *column_wrong(const char *type, const simplugin_tensor *values,
                                const simplugin_tensor *offsets, const simplugin_tensor *rows,
                                const simplugin_tensor *bits)
{
    static const char *const keys[] = {"values", "offsets", "lists", "valid"};
    const simplugin_tensor *tensors[] = {values, offsets, rows, bits};
    uint64_t count = type != NULL;
    const char *wrong;
    simplugin_writer w;
    simplugin_value map;
    sp_column column;
    uint64_t begin;

    simplugin_writer_init(&w);
    begin = simplugin_write_map_begin(&w);
    if (type) {
        simplugin_write_string(&w, "type");
        simplugin_write_string(&w, type);
    }
    for (size_t i = 0; i < 4; i++)
        if (tensors[i]) {
            simplugin_write_string(&w, keys[i]);
            simplugin_write_tensor(&w, tensors[i]);
            count++;
        }
    simplugin_write_end(&w, begin, count);
    wrong = simplugin_check_body(w.data, w.size, w.tensors, w.tensor_count);
    map = simplugin_body_value(w.data, w.size);
    if (!wrong)
        wrong = simplugin_column_read(&map, w.tensors, w.tensor_count, &column);
    simplugin_writer_clear(&w);
    return wrong ? wrong : "";
}

static void wrong_columns(void)
{
    static const int64_t falling[] = {0, 3, 2}, not_zero[] = {1, 2, 3}, far[] = {0, 1, 99};
    static const int64_t negative[] = {0, -1, 3};
    simplugin_tensor text = simplugin_tensor_of(SIMPLUGIN_UINT8, "abcdef", 1, 6);
    simplugin_tensor tall = simplugin_tensor_of(SIMPLUGIN_UINT8, "abcdef", 6, 1);
    simplugin_tensor block = simplugin_tensor_of(SIMPLUGIN_UINT8, "abcdef", 2, 3);
    simplugin_tensor offsets = simplugin_tensor_of(SIMPLUGIN_INT64, text_offsets, 4, 1);
    simplugin_tensor wide = simplugin_tensor_of(SIMPLUGIN_INT64, text_offsets, 1, 4);
    simplugin_tensor rows = simplugin_tensor_of(SIMPLUGIN_INT64, lists, 4, 1);
    simplugin_tensor no_offsets = simplugin_tensor_of(SIMPLUGIN_INT64, NULL, 0, 1);
    simplugin_tensor numbers = simplugin_tensor_of(SIMPLUGIN_INT64, ints, 3, 1);
    simplugin_tensor doubles = simplugin_tensor_of(SIMPLUGIN_FLOAT64, reals, 3, 1);
    simplugin_tensor bits = simplugin_tensor_of(SIMPLUGIN_BITS, valid, 1, 3);
    simplugin_tensor few = simplugin_tensor_of(SIMPLUGIN_BITS, valid, 1, 2);
    simplugin_tensor bytes = simplugin_tensor_of(SIMPLUGIN_UINT8, valid, 1, 1);
    simplugin_tensor t;
    simplugin_value nothing = {.type = SIMPLUGIN_INT};
    sp_column column;

    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &offsets, NULL, &bits), "");
    CU_ASSERT_STRING_EQUAL(column_wrong(NULL, &text, &offsets, NULL, NULL), "");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &tall, &offsets, NULL, NULL), "");
    CU_ASSERT_STRING_EQUAL(column_wrong("list<text>", &text, &offsets, &rows, NULL), "");
    CU_ASSERT_STRING_EQUAL(simplugin_column_read(&nothing, NULL, 0, &column), "a column is a map");
    CU_ASSERT_STRING_EQUAL(column_wrong("int32", &numbers, NULL, NULL, NULL),
                           "unknown column type");
    CU_ASSERT_STRING_EQUAL(column_wrong("", &numbers, NULL, NULL, NULL), "unknown column type");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", NULL, NULL, NULL, NULL),
                           "a column needs the tensor \"values\"");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &block, &offsets, NULL, NULL),
                           "the values of text are one row of uint8");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &numbers, &offsets, NULL, NULL),
                           "the values of text are one row of uint8");
    t = tall;
    t.row_stride = 2;
    t.rows = 3;
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &t, &offsets, NULL, NULL),
                           "the values of text are one row of uint8");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, NULL, NULL, NULL),
                           "text needs offsets: int64, one more than there are elements");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &wide, NULL, NULL),
                           "text needs offsets: int64, one more than there are elements");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &no_offsets, NULL, NULL),
                           "text needs offsets: int64, one more than there are elements");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &doubles, NULL, NULL),
                           "text needs offsets: int64, one more than there are elements");
    t = offsets;
    t.rows = 2;
    t.row_stride = 16;
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &t, NULL, NULL),
                           "text needs offsets: int64, one more than there are elements");
    t = simplugin_tensor_of(SIMPLUGIN_INT64, falling, 3, 1);
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &t, NULL, NULL),
                           "offsets fall, or point outside the values");
    t.data = not_zero;
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &t, NULL, NULL),
                           "offsets fall, or point outside the values");
    t.data = far;
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &t, NULL, NULL),
                           "offsets fall, or point outside the values");
    t.data = negative;
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &text, &t, NULL, NULL),
                           "offsets fall, or point outside the values");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &numbers, &offsets, NULL, NULL),
                           "only text has offsets");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &doubles, NULL, NULL, NULL),
                           "values do not fit the column's type");
    CU_ASSERT_STRING_EQUAL(column_wrong("float64", &wide, NULL, NULL, NULL),
                           "values do not fit the column's type");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &wide, NULL, NULL, NULL),
                           "values do not fit the column's type");
    CU_ASSERT_STRING_EQUAL(column_wrong("bool", &numbers, NULL, NULL, NULL),
                           "values do not fit the column's type");
    CU_ASSERT_STRING_EQUAL(column_wrong("list<int64>", &numbers, NULL, NULL, NULL),
                           "lists need \"lists\": int64, one more than there are rows");
    CU_ASSERT_STRING_EQUAL(column_wrong("list<int64>", &numbers, NULL, &wide, NULL),
                           "lists need \"lists\": int64, one more than there are rows");
    t.data = far;
    CU_ASSERT_STRING_EQUAL(column_wrong("list<int64>", &numbers, NULL, &t, NULL),
                           "lists fall, or point outside the elements");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &numbers, NULL, &rows, NULL),
                           "only a list type has lists");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &numbers, NULL, NULL, &few),
                           "valid is one row of bits, one for each row of the column");
    CU_ASSERT_STRING_EQUAL(column_wrong("int64", &numbers, NULL, NULL, &bytes),
                           "valid is one row of bits, one for each row of the column");
}

/* Keys that should be tensors and are not. */
static void not_tensors(void)
{
    simplugin_tensor numbers = simplugin_tensor_of(SIMPLUGIN_INT64, ints, 3, 1);
    simplugin_writer w;
    simplugin_value map;
    sp_column column;

    simplugin_writer_init(&w);
    simplugin_write_map(&w, 3);
    simplugin_write_string(&w, "type");
    simplugin_write_string(&w, "int64");
    simplugin_write_string(&w, "values");
    simplugin_write_tensor(&w, &numbers);
    simplugin_write_string(&w, "valid");
    simplugin_write_bool(&w, 1);
    map = simplugin_body_value(w.data, w.size);
    CU_ASSERT_STRING_EQUAL(simplugin_column_read(&map, w.tensors, w.tensor_count, &column),
                           "offsets, lists and valid are tensors");
    /* a reference to a tensor that did not come along */
    CU_ASSERT_STRING_EQUAL(simplugin_column_read(&map, w.tensors, 0, &column),
                           "a column needs the tensor \"values\"");
    simplugin_writer_clear(&w);
}

static void empty_columns(void)
{
    static const int64_t zero[] = {0};
    simplugin_tensor nothing = simplugin_tensor_of(SIMPLUGIN_UINT8, NULL, 0, 0);
    simplugin_tensor one = simplugin_tensor_of(SIMPLUGIN_INT64, zero, 1, 1);
    simplugin_tensor no_rows = simplugin_tensor_of(SIMPLUGIN_FLOAT64, NULL, 0, 0);
    simplugin_tensor no_bits = simplugin_tensor_of(SIMPLUGIN_BITS, NULL, 1, 0);

    CU_ASSERT_STRING_EQUAL(column_wrong("text", &nothing, &one, NULL, NULL), "");
    CU_ASSERT_STRING_EQUAL(column_wrong("text", &nothing, &one, NULL, &no_bits), "");
    CU_ASSERT_STRING_EQUAL(column_wrong("float64", &no_rows, NULL, NULL, NULL), "");
    CU_ASSERT_STRING_EQUAL(column_wrong("list<float64>", &no_rows, NULL, &one, NULL), "");
}

static const unit_case cases[] = {
    UNIT_CASE(there_and_back, "columns of every type are written and read"),
    UNIT_CASE(text_elements, "elements of text, empty ones too"),
    UNIT_CASE(type_names, "types have names"),
    UNIT_CASE(wrong_columns, "every way in which a column is wrong"),
    UNIT_CASE(not_tensors, "keys of a column that are no tensors"),
    UNIT_CASE(empty_columns, "columns without rows"),
};

UNIT_MAIN("column", cases)
