/* SPDX-License-Identifier: Apache-2.0 */
/* What programs send, in every form, and what becomes of it. */
#include <float.h>
#include <math.h>

#include "simplugin.h"
#include "unit.h"
#include "wire.h"

/* One request at a time: writer, arguments, error. */
static simplugin_writer w;
static sp_arena *arena;
static simplugin_error *error;

static void begin(void)
{
    simplugin_writer_reset(&w);
    sp_arena_free(&arena);
    simplugin_error_free(&error);
}

static sp_args args_of(void)
{
    sp_args args = {.method = "index.test", .arena = &arena};

    CU_ASSERT_FALSE(w.failed);
    CU_ASSERT_PTR_NULL(simplugin_check_body(w.data, w.size, w.tensors, w.tensor_count));
    args.map = simplugin_body_value(w.data, w.size);
    args.tensors = w.tensors;
    args.tensor_count = w.tensor_count;
    return args;
}

static void end(void)
{
    begin();
    simplugin_writer_clear(&w);
}

/* Whether the last failure was an INVALID_ARGUMENT on key, with part in its message. */
static int refused(int32_t code, const char *key, const char *part)
{
    int named = code == SIMPLUGIN_INVALID_ARGUMENT && simplugin_error_code(error) == code &&
                strcmp(simplugin_error_detail_key(error, 0), "argument") == 0 &&
                strcmp(simplugin_error_detail_value(error, 0), key) == 0 &&
                strncmp(simplugin_error_message(error, NULL), "index.test: ", 12) == 0 &&
                strstr(simplugin_error_message(error, NULL), part) != NULL;

    if (!named)
        fprintf(stderr, "refused(%s, %s): %s: %s\n", key, part, simplugin_code_name(code),
                simplugin_error_message(error, NULL));
    simplugin_error_free(&error);
    return named;
}

/* ---- keys and scalars ----------------------------------------------------------------- */

static void keys(void)
{
    static const char known[] = "vectors ids k reverse aggregation exclude_self";
    sp_args args;

    begin();
    args = args_of();
    CU_ASSERT_EQUAL(sp_args_check_keys(&args, known, &error), SIMPLUGIN_OK);
    simplugin_write_map(&w, 2);
    simplugin_write_string(&w, "ids");
    simplugin_write_nil(&w);
    simplugin_write_string(&w, "k");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "a key inside");
    simplugin_write_nil(&w);
    args = args_of();
    CU_ASSERT_EQUAL(sp_args_check_keys(&args, known, &error), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(sp_arg_present(&args, "ids"));
    CU_ASSERT(sp_arg_present(&args, "k"));
    CU_ASSERT(refused(sp_args_check_keys(&args, "", &error), "ids", "known: none"));

    begin();
    simplugin_write_map(&w, 2);
    simplugin_write_string(&w, "k");
    simplugin_write_int(&w, 1);
    simplugin_write_string(&w, "agregation");
    simplugin_write_nil(&w);
    args = args_of();
    CU_ASSERT(refused(sp_args_check_keys(&args, known, &error), "agregation",
                      "unknown key, did you mean \"aggregation\"?; known: vectors ids k "));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "zzzzzzzz");
    simplugin_write_nil(&w);
    args = args_of();
    CU_ASSERT(refused(sp_args_check_keys(&args, known, &error), "zzzzzzzz", "unknown key; known:"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "");
    simplugin_write_nil(&w);
    args = args_of();
    CU_ASSERT(refused(sp_args_check_keys(&args, known, &error), "", "unknown key"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_text(&w, "k\0", 2);
    simplugin_write_nil(&w);
    args = args_of();
    CU_ASSERT_EQUAL(sp_args_check_keys(&args, known, &error), SIMPLUGIN_INVALID_ARGUMENT);
    end();
}

static void scalars(void)
{
    const char *string = "x";
    sp_text text;
    int64_t number = 7;
    double real = 7;
    int flag = 7;
    sp_args args;

    begin();
    simplugin_write_map(&w, 7);
    simplugin_write_string(&w, "text");
    simplugin_write_text(&w, "a\xc3\xa9", 3);
    simplugin_write_string(&w, "zero");
    simplugin_write_text(&w, "a\0b", 3);
    simplugin_write_string(&w, "int");
    simplugin_write_int(&w, -5);
    simplugin_write_string(&w, "huge");
    simplugin_write_uint(&w, UINT64_MAX);
    simplugin_write_string(&w, "real");
    simplugin_write_double(&w, 2.5);
    simplugin_write_string(&w, "inf");
    simplugin_write_double(&w, INFINITY);
    simplugin_write_string(&w, "flag");
    simplugin_write_bool(&w, 1);
    args = args_of();

    CU_ASSERT_EQUAL(sp_arg_text(&args, "text", &text, &error), SIMPLUGIN_OK);
    CU_ASSERT(text.size == 3 && memcmp(text.data, "a\xc3\xa9", 3) == 0);
    CU_ASSERT_EQUAL(sp_arg_text(&args, "absent", &text, &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(text.data);
    CU_ASSERT(refused(sp_arg_text(&args, "int", &text, &error), "int", "is not text"));
    CU_ASSERT_EQUAL(sp_arg_string(&args, "text", &string, &error), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(string, "a\xc3\xa9");
    CU_ASSERT_EQUAL(sp_arg_string(&args, "absent", &string, &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(string);
    CU_ASSERT(refused(sp_arg_string(&args, "zero", &string, &error), "zero", "U+0000"));
    CU_ASSERT(refused(sp_arg_string(&args, "flag", &string, &error), "flag", "is not text"));
    CU_ASSERT_EQUAL(sp_arg_int(&args, "int", -5, -5, &number, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(number, -5);
    CU_ASSERT_EQUAL(sp_arg_int(&args, "absent", 0, 1, &number, &error), SIMPLUGIN_OK);
    CU_ASSERT(refused(sp_arg_int(&args, "int", 0, 9, &number, &error), "int",
                      "-5 is not between 0 and 9"));
    CU_ASSERT(refused(sp_arg_int(&args, "int", -9, -6, &number, &error), "int", "between"));
    CU_ASSERT(refused(sp_arg_int(&args, "huge", 0, INT64_MAX, &number, &error), "huge",
                      "whole number"));
    CU_ASSERT(refused(sp_arg_int(&args, "real", 0, 9, &number, &error), "real", "whole number"));
    CU_ASSERT_EQUAL(number, -5);
    CU_ASSERT_EQUAL(sp_arg_double(&args, "real", &real, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(real, 2.5);
    CU_ASSERT_EQUAL(sp_arg_double(&args, "int", &real, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(real, -5);
    CU_ASSERT(refused(sp_arg_double(&args, "inf", &real, &error), "inf", "finite"));
    CU_ASSERT(refused(sp_arg_double(&args, "text", &real, &error), "text", "finite"));
    CU_ASSERT_EQUAL(sp_arg_bool(&args, "absent", &flag, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(flag, 7);
    CU_ASSERT_EQUAL(sp_arg_bool(&args, "flag", &flag, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(flag, 1);
    CU_ASSERT(refused(sp_arg_bool(&args, "int", &flag, &error), "int", "true or false"));
    end();
}

static void json_maps(void)
{
    json_t *json = NULL;
    sp_args args;

    begin();
    simplugin_write_map(&w, 4);
    simplugin_write_string(&w, "map");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "a");
    simplugin_write_int(&w, 1);
    simplugin_write_string(&w, "bytes");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "a");
    simplugin_write_bytes(&w, "x", 1);
    simplugin_write_string(&w, "nan");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "a");
    simplugin_write_array(&w, 1);
    simplugin_write_double(&w, NAN);
    simplugin_write_string(&w, "text");
    simplugin_write_string(&w, "x");
    args = args_of();
    CU_ASSERT_EQUAL(sp_arg_json(&args, "map", &json, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "a")), 1);
    json_decref(json);
    CU_ASSERT_EQUAL(sp_arg_json(&args, "absent", &json, &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(json);
    CU_ASSERT(refused(sp_arg_json(&args, "bytes", &json, &error), "bytes", "is no text, number"));
    CU_ASSERT(refused(sp_arg_json(&args, "nan", &json, &error), "nan", "is no text, number"));
    CU_ASSERT(refused(sp_arg_json(&args, "text", &json, &error), "text", "is not a map"));
    end();
}

/* ---- ids ------------------------------------------------------------------------------ */

/* Writes {"ids": [...]} of count zero-terminated texts. */
static void ids_array(const char *const *texts, uint64_t count)
{
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "ids");
    simplugin_write_array(&w, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_string(&w, texts[i]);
}

/* The same as a column; valid may be NULL. */
static void ids_column(const void *bytes, const int64_t *offsets, uint64_t count,
                       const uint8_t *valid)
{
    sp_column column = {.type = SP_TEXT, .count = count, .offsets = offsets, .values = bytes,
                        .valid = valid};

    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "ids");
    simplugin_write_column(&w, &column);
}

static int32_t ids_read(int flags, sp_column *ids, int *present)
{
    sp_args args = args_of();

    return sp_arg_ids(&args, "ids", flags, ids, present, &error);
}

static int is_id(const sp_column *ids, uint64_t i, const char *text)
{
    sp_text id = sp_column_text(ids, i);

    return id.size == strlen(text) && memcmp(id.data, text, id.size) == 0;
}

static void ids_in_both_forms(void)
{
    static const char *const texts[] = {"a", "b\xc3\xa9", "c d"};
    static const int64_t offsets[] = {0, 1, 4, 7};
    static const uint8_t all[] = {7};
    sp_column ids;
    int present = 0;

    ids_array(texts, 3);
    for (int form = 0; form < 3; form++) {
        if (form)
            ids_column("ab\xc3\xa9" "c d", offsets, 3, form == 2 ? all : NULL);
        CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_OK);
        CU_ASSERT(present);
        CU_ASSERT_EQUAL(ids.type, SP_TEXT);
        CU_ASSERT_EQUAL(ids.count, 3);
        CU_ASSERT_PTR_NULL(ids.valid);
        for (uint64_t i = 0; i < 3; i++)
            CU_ASSERT(is_id(&ids, i, texts[i]));
    }
    ids_array(texts, 0);
    CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_OK);
    CU_ASSERT(present);
    CU_ASSERT_EQUAL(ids.count, 0);
    ids_column(NULL, offsets, 0, NULL);
    CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_OK);
    CU_ASSERT(present);
    begin();
    CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(present);
    CU_ASSERT_EQUAL(ids.count, 0);
    end();
}

static void bad_ids(void)
{
    static const char *const empty[] = {"a", "", "c"};
    static const char *const nil[] = {"a", NULL};
    static const int64_t whole[] = {0, 1, 2}, second_empty[] = {0, 1, 1};
    static const int64_t longest[] = {0, 255}, too_long[] = {0, 256};
    static const uint8_t first_only[] = {1};
    char *text = malloc(256);
    sp_column ids;
    int present;

    if (!text)
        abort();
    memset(text, 'x', 256);
    ids_array(empty, 3);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 1 is empty"));
    ids_array(nil, 2);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "holds something that is not text"));
    ids_column("a", second_empty, 2, NULL);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 1 is empty"));
    ids_column("a\0", whole, 2, NULL);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 1 holds U+0000"));
    ids_column("a\xff", whole, 2, NULL);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 1 is not UTF-8"));
    /* a character cut in two by the offsets */
    ids_column("\xc3\xa9", whole, 2, NULL);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 0 is not UTF-8"));
    ids_column("ab", whole, 2, first_only);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "id at position 1 is missing"));
    ids_column(text, longest, 1, NULL);
    CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_OK);
    ids_column(text, too_long, 1, NULL);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "longer than 255 bytes"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "ids");
    simplugin_write_string(&w, "a");
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "neither a column nor an array"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "ids");
    simplugin_write_column(&w, &(sp_column){.type = SP_INT64, .count = 2, .values = whole});
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "is not a column of text"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "ids");
    simplugin_write_map(&w, 0);
    CU_ASSERT(refused(ids_read(0, &ids, &present), "ids", "a column needs the tensor"));
    free(text);
    end();
}

static void duplicate_ids(void)
{
    static const char *const texts[] = {"a", "b", "a"};
    static const int64_t offsets[] = {0, 1, 2, 3};
    sp_column ids;
    int present;

    for (int form = 0; form < 2; form++) {
        if (form)
            ids_column("aba", offsets, 3, NULL);
        else
            ids_array(texts, 3);
        CU_ASSERT_EQUAL(ids_read(0, &ids, &present), SIMPLUGIN_INVALID_ARGUMENT);
        CU_ASSERT(strstr(simplugin_error_message(error, NULL),
                         "id \"a\" at position 2 came before") != NULL);
        CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(error, 1), "id");
        CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 1), "a");
        simplugin_error_free(&error);
        CU_ASSERT_EQUAL(ids_read(SP_IDS_REPEATED, &ids, &present), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(ids.count, 3);
    }
    end();
}

/* ---- matrices ------------------------------------------------------------------------- */

static void matrix_tensor(const simplugin_tensor *tensor)
{
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_tensor(&w, tensor);
}

static int32_t matrix_read(uint64_t dimension, simplugin_tensor *matrix)
{
    sp_args args = args_of();
    int present = 0;
    int32_t code = sp_arg_matrix(&args, "vectors", dimension, matrix, &present, &error);

    CU_ASSERT(present);
    return code;
}

static float at(const simplugin_tensor *matrix, uint64_t row, uint64_t col)
{
    float value;

    memcpy(&value, (const uint8_t *)matrix->data + row * simplugin_tensor_stride(matrix) + col * 4,
           sizeof value);
    return value;
}

static void matrices_of_every_float(void)
{
    static const float f32[2][3] = {{1, -2.5f, 0}, {FLT_MAX, FLT_MIN, 1e-40f}};
    static const double f64[2][3] = {{1, -2.5, 0}, {FLT_MAX, 1e-300, 0.1}};
    static const uint16_t f16[2][3] = {{0x3c00, 0xc100, 0x0000}, {0x7bff, 0x0001, 0x8000}};
    simplugin_tensor t = simplugin_tensor_of(SIMPLUGIN_FLOAT32, f32, 2, 3);
    simplugin_tensor m;

    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(3, &m), SIMPLUGIN_OK);
    CU_ASSERT_PTR_EQUAL(m.data, f32); /* not copied */
    t = simplugin_tensor_of(SIMPLUGIN_FLOAT64, f64, 2, 3);
    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(0, &m), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.dtype, SIMPLUGIN_FLOAT32);
    CU_ASSERT(m.rows == 2 && m.cols == 3);
    CU_ASSERT_EQUAL(at(&m, 0, 1), -2.5f);
    CU_ASSERT_EQUAL(at(&m, 1, 0), FLT_MAX);
    CU_ASSERT_EQUAL(at(&m, 1, 1), 0);
    CU_ASSERT_EQUAL(at(&m, 1, 2), 0.1f);
    t = simplugin_tensor_of(SIMPLUGIN_FLOAT16, f16, 2, 3);
    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(3, &m), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(at(&m, 0, 0), 1);
    CU_ASSERT_EQUAL(at(&m, 0, 1), -2.5f);
    CU_ASSERT_EQUAL(at(&m, 1, 0), 65504);
    CU_ASSERT_EQUAL(at(&m, 1, 1), 0x1p-24f);
    CU_ASSERT_EQUAL(at(&m, 1, 2), 0);
    end();
}

/* Rows with gaps, in every dtype; what lies in the gaps is not looked at. */
static void matrices_with_gaps(void)
{
    static const float f32[2][4] = {{1, 2, 3, NAN}, {4, 5, 6, INFINITY}};
    static const double f64[2][4] = {{1, 2, 3, NAN}, {4, 5, 6, INFINITY}};
    static const uint16_t f16[2][4] = {{0x3c00, 0x4000, 0x4200, 0x7e00},
                                       {0x4400, 0x4500, 0x4600, 0x7c00}};
    const struct {
        uint32_t dtype;
        const void *data;
    } forms[] = {{SIMPLUGIN_FLOAT32, f32}, {SIMPLUGIN_FLOAT64, f64}, {SIMPLUGIN_FLOAT16, f16}};

    for (size_t form = 0; form < 3; form++) {
        simplugin_tensor t = simplugin_tensor_of(forms[form].dtype, forms[form].data, 2, 3);
        simplugin_tensor m;

        t.row_stride = 4 * simplugin_dtype_size(t.dtype);
        matrix_tensor(&t);
        CU_ASSERT_EQUAL(matrix_read(3, &m), SIMPLUGIN_OK);
        for (uint64_t i = 0; i < 6; i++)
            CU_ASSERT_EQUAL(at(&m, i / 3, i % 3), (float)(i + 1));
    }
    end();
}

/* Ints and doubles of any width may stand beside each other. */
static void matrices_from_arrays(void)
{
    simplugin_tensor m;

    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_array(&w, 2);
    simplugin_write_array(&w, 3);
    simplugin_write_int(&w, -1);
    simplugin_write_double(&w, 0.1);
    simplugin_write_uint(&w, UINT64_MAX);
    simplugin_write_array(&w, 3);
    simplugin_write_raw(&w, "\xca\x3f\xc0\x00\x00", 5); /* 1.5 in four bytes */
    simplugin_write_int(&w, 1 << 24);
    simplugin_write_double(&w, 1e-300);
    CU_ASSERT_EQUAL(matrix_read(3, &m), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.dtype, SIMPLUGIN_FLOAT32);
    CU_ASSERT(m.rows == 2 && m.cols == 3);
    CU_ASSERT_EQUAL(at(&m, 0, 0), -1);
    CU_ASSERT_EQUAL(at(&m, 0, 1), 0.1f);
    CU_ASSERT_EQUAL(at(&m, 0, 2), 0x1p64f);
    CU_ASSERT_EQUAL(at(&m, 1, 0), 1.5f);
    CU_ASSERT_EQUAL(at(&m, 1, 1), 16777216);
    CU_ASSERT_EQUAL(at(&m, 1, 2), 0);
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_array(&w, 0);
    CU_ASSERT_EQUAL(matrix_read(3, &m), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.rows, 0);
    end();
}

/* An array of two rows, the second as given. */
static void second_row(const char *encoded, uint64_t size)
{
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_array(&w, 2);
    simplugin_write_array(&w, 2);
    simplugin_write_int(&w, 1);
    simplugin_write_int(&w, 2);
    simplugin_write_raw(&w, encoded, size);
}
#define SECOND_ROW(literal) second_row((literal), sizeof(literal) - 1)

static void bad_arrays(void)
{
    simplugin_tensor m;

    SECOND_ROW("\x93\x01\x02\x03");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 has 3 numbers, the first has 2"));
    SECOND_ROW("\x91\x01");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 has 1 numbers, the first has 2"));
    SECOND_ROW("\x01");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 is not an array of numbers"));
    SECOND_ROW("\x92\x01\xc0");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 holds something that is no number"));
    SECOND_ROW("\x92\x01\xa1x");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 holds something that is no number"));
    SECOND_ROW("\x92\x01\xc3");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 holds something that is no number"));
    SECOND_ROW("\x92\x01\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 holds NaN, infinity or"));
    SECOND_ROW("\x92\x01\xcb\x54\xb2\x49\xad\x25\x94\xc3\x7d"); /* 1e100 */
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "row 1 holds NaN, infinity or"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_array(&w, 1);
    simplugin_write_array(&w, 0);
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "rows of no numbers"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_string(&w, "x");
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "neither a tensor nor an array of arrays"));
    end();
}

static void not_finite(void)
{
    float f32[3][5];
    double f64[3][5];
    uint16_t f16[3][5];
    static const float bad32[] = {NAN, INFINITY, -INFINITY};
    static const double bad64[] = {NAN, INFINITY, 3.5e38};
    static const uint16_t bad16[] = {0x7e00, 0x7c00, 0xfc00};
    simplugin_tensor m, t;

    for (size_t bad = 0; bad < 3; bad++)
        for (size_t col = 0; col < 5; col++) {
            memset(f32, 0, sizeof f32);
            memset(f64, 0, sizeof f64);
            memset(f16, 0, sizeof f16);
            f32[1][col] = bad32[bad];
            f64[1][col] = bad64[bad];
            f16[1][col] = bad16[bad];
            t = simplugin_tensor_of(SIMPLUGIN_FLOAT32, f32, 3, 5);
            matrix_tensor(&t);
            CU_ASSERT(refused(matrix_read(5, &m), "vectors", "row 1 holds NaN, infinity or"));
            t = simplugin_tensor_of(SIMPLUGIN_FLOAT64, f64, 3, 5);
            matrix_tensor(&t);
            CU_ASSERT(refused(matrix_read(5, &m), "vectors", "a number too large for float32"));
            t = simplugin_tensor_of(SIMPLUGIN_FLOAT16, f16, 3, 5);
            matrix_tensor(&t);
            CU_ASSERT(refused(matrix_read(5, &m), "vectors", "row 1 holds NaN, infinity or"));
        }
    end();
}

static void dimensions(void)
{
    static const float f32[2][3];
    static const int64_t ints[2];
    simplugin_tensor t = simplugin_tensor_of(SIMPLUGIN_FLOAT32, f32, 2, 3), m;
    sp_args args;
    int present = 7;

    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(4, &m), SIMPLUGIN_DIMENSION_MISMATCH);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_DIMENSION_MISMATCH);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL),
                     "vectors have dimension 3, the index has 4") != NULL);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "vectors");
    t.cols = 0;
    matrix_tensor(&t);
    CU_ASSERT(refused(matrix_read(0, &m), "vectors", "rows of no numbers"));
    /* no rows: the dimension does not matter */
    t = simplugin_tensor_of(SIMPLUGIN_FLOAT64, NULL, 0, 7);
    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(4, &m), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.rows, 0);
    for (uint32_t dtype = SIMPLUGIN_INT64; dtype <= SIMPLUGIN_BITS; dtype++) {
        t = simplugin_tensor_of(dtype, ints, 1, 1);
        matrix_tensor(&t);
        CU_ASSERT(refused(matrix_read(1, &m), "vectors", "neither float32, float64 nor float16"));
    }
    begin();
    args = args_of();
    CU_ASSERT_EQUAL(sp_arg_matrix(&args, "vectors", 3, &m, &present, &error), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(present);
    end();
}

/* A tensor whose float32 form could not be held: refused, not wrapped around. */
static void matrix_too_large(void)
{
    static const uint16_t one;
    simplugin_tensor t = simplugin_tensor_of(SIMPLUGIN_FLOAT16, &one, 1, UINT64_C(1) << 61), m;

    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(0, &m), SIMPLUGIN_OUT_OF_MEMORY);
    t = simplugin_tensor_of(SIMPLUGIN_FLOAT16, &one, UINT64_C(1) << 60, 1);
    matrix_tensor(&t);
    CU_ASSERT_EQUAL(matrix_read(0, &m), SIMPLUGIN_OUT_OF_MEMORY);
    end();
}

/* ---- fields --------------------------------------------------------------------------- */

/* Writes the head of {"fields": {"f": [... rows values]}}: the values follow. */
static void field_array(uint64_t rows)
{
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "f");
    simplugin_write_array(&w, rows);
}

static sp_columns columns;

static int32_t columns_read(uint64_t rows)
{
    sp_args args = args_of();

    return sp_arg_columns(&args, "fields", rows, &columns, &error);
}

static void text_is(const sp_column *column, uint64_t i, const char *text)
{
    CU_ASSERT(is_id(column, i, text));
}

static void scalars_with_nils(void)
{
    const sp_column *c;

    field_array(4);
    simplugin_write_nil(&w);
    simplugin_write_string(&w, "b");
    simplugin_write_string(&w, "");
    simplugin_write_nil(&w);
    CU_ASSERT_EQUAL(columns_read(4), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(columns.count, 1);
    CU_ASSERT_STRING_EQUAL(columns.names[0], "f");
    c = columns.columns;
    CU_ASSERT_EQUAL(c->type, SP_TEXT);
    CU_ASSERT_EQUAL(c->count, 4);
    CU_ASSERT(!sp_column_is_valid(c, 0) && sp_column_is_valid(c, 1) && sp_column_is_valid(c, 2) &&
              !sp_column_is_valid(c, 3));
    text_is(c, 0, "");
    text_is(c, 1, "b");
    text_is(c, 2, "");

    field_array(3);
    simplugin_write_int(&w, INT64_MIN);
    simplugin_write_nil(&w);
    simplugin_write_int(&w, INT64_MAX);
    CU_ASSERT_EQUAL(columns_read(3), SIMPLUGIN_OK);
    c = columns.columns;
    CU_ASSERT_EQUAL(c->type, SP_INT64);
    CU_ASSERT_EQUAL(((const int64_t *)c->values)[0], INT64_MIN);
    CU_ASSERT_EQUAL(((const int64_t *)c->values)[2], INT64_MAX);
    CU_ASSERT_FALSE(sp_column_is_valid(c, 1));

    field_array(2);
    simplugin_write_bool(&w, 1);
    simplugin_write_bool(&w, 0);
    CU_ASSERT_EQUAL(columns_read(2), SIMPLUGIN_OK);
    c = columns.columns;
    CU_ASSERT_EQUAL(c->type, SP_BOOL);
    CU_ASSERT_PTR_NULL(c->valid);
    CU_ASSERT_EQUAL(((const uint8_t *)c->values)[0], 1);
    CU_ASSERT_EQUAL(((const uint8_t *)c->values)[1], 0);

    /* more rows than a byte of the bitmap has bits, every third missing */
    field_array(30);
    for (int i = 0; i < 30; i++)
        if (i % 3)
            simplugin_write_int(&w, i);
        else
            simplugin_write_nil(&w);
    CU_ASSERT_EQUAL(columns_read(30), SIMPLUGIN_OK);
    c = columns.columns;
    for (uint64_t i = 0; i < 30; i++) {
        CU_ASSERT_EQUAL(sp_column_is_valid(c, i), i % 3 != 0);
        CU_ASSERT(i % 3 == 0 || ((const int64_t *)c->values)[i] == (int64_t)i);
    }
    /* nothing but nils, and nothing at all */
    field_array(2);
    simplugin_write_nil(&w);
    simplugin_write_nil(&w);
    CU_ASSERT_EQUAL(columns_read(2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(columns.columns->count, 2);
    CU_ASSERT_FALSE(sp_column_is_valid(columns.columns, 1));
    field_array(0);
    CU_ASSERT_EQUAL(columns_read(0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(columns.columns->count, 0);
    end();
}

static void mixed_numbers(void)
{
    for (int float_first = 0; float_first < 2; float_first++) {
        const double *values;

        field_array(3);
        if (float_first)
            simplugin_write_double(&w, 0.5);
        simplugin_write_int(&w, 3);
        simplugin_write_nil(&w);
        if (!float_first)
            simplugin_write_double(&w, 0.5);
        CU_ASSERT_EQUAL(columns_read(3), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(columns.columns->type, SP_FLOAT64);
        values = columns.columns->values;
        CU_ASSERT_EQUAL(values[float_first ? 0 : 2], 0.5);
        CU_ASSERT_EQUAL(values[float_first ? 1 : 0], 3);
    }
    end();
}

static void lists(void)
{
    const sp_column *c;

    field_array(5);
    simplugin_write_nil(&w);
    simplugin_write_array(&w, 2);
    simplugin_write_string(&w, "ab");
    simplugin_write_string(&w, "");
    simplugin_write_array(&w, 0);
    simplugin_write_nil(&w);
    simplugin_write_array(&w, 1);
    simplugin_write_string(&w, "c");
    CU_ASSERT_EQUAL(columns_read(5), SIMPLUGIN_OK);
    c = columns.columns;
    CU_ASSERT_EQUAL(c->type, SP_TEXT | SP_LIST);
    CU_ASSERT_EQUAL(c->count, 5);
    CU_ASSERT_EQUAL(memcmp(c->list_offsets, ((const int64_t[]){0, 0, 2, 2, 2, 3}), 48), 0);
    CU_ASSERT(!sp_column_is_valid(c, 0) && sp_column_is_valid(c, 2) && !sp_column_is_valid(c, 3));
    text_is(c, 0, "ab");
    text_is(c, 1, "");
    text_is(c, 2, "c");

    /* numbers become float64 across rows too */
    field_array(2);
    simplugin_write_array(&w, 1);
    simplugin_write_int(&w, 1);
    simplugin_write_array(&w, 2);
    simplugin_write_double(&w, 2.5);
    simplugin_write_int(&w, 3);
    CU_ASSERT_EQUAL(columns_read(2), SIMPLUGIN_OK);
    c = columns.columns;
    CU_ASSERT_EQUAL(c->type, SP_FLOAT64 | SP_LIST);
    CU_ASSERT_EQUAL(((const double *)c->values)[0], 1);
    CU_ASSERT_EQUAL(((const double *)c->values)[1], 2.5);
    CU_ASSERT_EQUAL(((const double *)c->values)[2], 3);
    CU_ASSERT_PTR_NULL(c->valid);

    field_array(2);
    simplugin_write_array(&w, 0);
    simplugin_write_array(&w, 0);
    CU_ASSERT_EQUAL(columns_read(2), SIMPLUGIN_OK);
    CU_ASSERT(columns.columns->type & SP_LIST);
    CU_ASSERT_EQUAL(columns.columns->list_offsets[2], 0);
    end();
}

static void fields_that_do_not_go_together(void)
{
    static const char what[] = "field \"f\" holds values of different types";

    field_array(2);
    simplugin_write_int(&w, 1);
    simplugin_write_string(&w, "1");
    CU_ASSERT(refused(columns_read(2), "fields", what));
    field_array(2);
    simplugin_write_bool(&w, 1);
    simplugin_write_int(&w, 1);
    CU_ASSERT(refused(columns_read(2), "fields", what));
    field_array(2);
    simplugin_write_array(&w, 0);
    simplugin_write_int(&w, 1);
    CU_ASSERT(refused(columns_read(2), "fields", what));
    field_array(2);
    simplugin_write_int(&w, 1);
    simplugin_write_array(&w, 0);
    CU_ASSERT(refused(columns_read(2), "fields", what));
    field_array(1);
    simplugin_write_array(&w, 1);
    simplugin_write_array(&w, 0);
    CU_ASSERT(refused(columns_read(1), "fields", what));
    field_array(1);
    simplugin_write_array(&w, 1);
    simplugin_write_nil(&w);
    CU_ASSERT(refused(columns_read(1), "fields", what));
    field_array(1);
    simplugin_write_uint(&w, UINT64_MAX);
    CU_ASSERT(refused(columns_read(1), "fields", what));
    field_array(1);
    simplugin_write_bytes(&w, "x", 1);
    CU_ASSERT(refused(columns_read(1), "fields", what));
    field_array(1);
    simplugin_write_map(&w, 0);
    CU_ASSERT(refused(columns_read(1), "fields", what));
    field_array(2);
    simplugin_write_int(&w, 1);
    simplugin_write_int(&w, 1);
    CU_ASSERT(refused(columns_read(3), "fields", "has 2 rows where there are 3"));
    end();
}

static void names_of_fields(void)
{
    char *longer = malloc(256);

    if (!longer)
        abort();
    memset(longer, 'x', 256);
    begin();
    CU_ASSERT_EQUAL(columns_read(9), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(columns.count, 0);
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_map(&w, 2);
    for (int i = 0; i < 2; i++) {
        simplugin_write_string(&w, "same");
        simplugin_write_array(&w, 0);
    }
    CU_ASSERT(refused(columns_read(0), "fields", "field \"same\" comes twice"));
    for (size_t i = 0; i < 3; i++) {
        uint64_t size = ((const uint64_t[]){0, 255, 256})[i];

        begin();
        simplugin_write_map(&w, 1);
        simplugin_write_string(&w, "fields");
        simplugin_write_map(&w, 1);
        simplugin_write_text(&w, longer, size);
        simplugin_write_array(&w, 0);
        if (size == 255)
            CU_ASSERT_EQUAL(columns_read(0), SIMPLUGIN_OK)
        else
            CU_ASSERT(refused(columns_read(0), "fields", "a field's name has 1 to 255 bytes"));
    }
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_map(&w, 1);
    simplugin_write_text(&w, "a\0b", 3);
    simplugin_write_array(&w, 0);
    CU_ASSERT(refused(columns_read(0), "fields", "no U+0000"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_array(&w, 0);
    CU_ASSERT(refused(columns_read(0), "fields", "is not a map from names to columns"));
    free(longer);
    end();
}

static void fields_as_columns(void)
{
    static const int64_t offsets[] = {0, 1, 2};
    static const int64_t one_list[] = {0, 2};
    static const double reals[] = {1, 2};
    sp_column good = {.type = SP_FLOAT64, .count = 2, .values = reals};
    sp_column bad = {.type = SP_TEXT, .count = 2, .offsets = offsets, .values = "a\xff"};
    sp_column bad_list = {.type = SP_TEXT | SP_LIST, .count = 1, .offsets = offsets,
                          .list_offsets = one_list, .values = "a\xff"};
    sp_columns many = {.count = 1, .names = (const char *[]){"f"}, .columns = &good};

    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    sp_write_columns(&w, &many);
    CU_ASSERT_EQUAL(columns_read(2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(columns.columns->type, SP_FLOAT64);
    CU_ASSERT_PTR_EQUAL(columns.columns->values, reals);
    many.columns = &bad;
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    sp_write_columns(&w, &many);
    CU_ASSERT(refused(columns_read(2), "fields", "field \"f\" holds text that is not UTF-8"));
    many.columns = &bad_list;
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    sp_write_columns(&w, &many);
    CU_ASSERT(refused(columns_read(1), "fields", "field \"f\" holds text that is not UTF-8"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "f");
    simplugin_write_int(&w, 1);
    CU_ASSERT(refused(columns_read(1), "fields", "field \"f\" a column is a map"));
    end();
}

/* ---- names, writing ------------------------------------------------------------------- */

static int32_t names_read(sp_names *names)
{
    sp_args args = args_of();

    return sp_arg_names(&args, "fields", names, &error);
}

static void asked_names(void)
{
    sp_names names = {.count = 2, .names = (const char *[]){"a", "b"}};
    sp_names back;

    begin();
    CU_ASSERT_EQUAL(names_read(&back), SIMPLUGIN_OK);
    CU_ASSERT(!back.all && !back.count);
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    sp_write_names(&w, &names);
    CU_ASSERT_EQUAL(names_read(&back), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(back.count, 2);
    CU_ASSERT_STRING_EQUAL(back.names[1], "b");
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    names.all = 1;
    sp_write_names(&w, &names);
    CU_ASSERT_EQUAL(names_read(&back), SIMPLUGIN_OK);
    CU_ASSERT(back.all && !back.count);
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_string(&w, "a");
    CU_ASSERT(refused(names_read(&back), "fields", "neither an array of names nor true"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_array(&w, 1);
    simplugin_write_int(&w, 1);
    CU_ASSERT(refused(names_read(&back), "fields", "no field's name"));
    begin();
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "fields");
    simplugin_write_array(&w, 1);
    simplugin_write_text(&w, "a\0b", 3);
    CU_ASSERT(refused(names_read(&back), "fields", "no field's name"));
    end();
}

static void arrays_written(void)
{
    static const float data[] = {1, 2, 3};

    begin();
    sp_write_array(&w, SIMPLUGIN_FLOAT32, data, 3);
    CU_ASSERT_EQUAL(w.tensor_count, 1);
    CU_ASSERT_PTR_EQUAL(w.tensors[0].data, data);
    CU_ASSERT(w.tensors[0].rows == 3 && w.tensors[0].cols == 1);
    end();
}

static const unit_case cases[] = {
    UNIT_CASE(keys, "unknown keys are refused with the nearest known one"),
    UNIT_CASE(scalars, "texts, numbers and booleans by name"),
    UNIT_CASE(json_maps, "maps become JSON, if JSON has what is in them"),
    UNIT_CASE(ids_in_both_forms, "ids as an array of text or as a column"),
    UNIT_CASE(bad_ids, "ids that are none"),
    UNIT_CASE(duplicate_ids, "R262 an id that comes twice is named"),
    UNIT_CASE(matrices_of_every_float, "matrices of float32, float64 and float16"),
    UNIT_CASE(matrices_with_gaps, "matrices whose rows have gaps"),
    UNIT_CASE(matrices_from_arrays, "matrices from arrays of arrays"),
    UNIT_CASE(bad_arrays, "arrays of arrays that are no matrix"),
    UNIT_CASE(not_finite, "NaN, infinity and what overflows float32 are refused"),
    UNIT_CASE(dimensions, "R87 R252 a wrong dimension names both; other dtypes are refused"),
    UNIT_CASE(matrix_too_large, "a matrix that no memory could hold"),
    UNIT_CASE(scalars_with_nils, "fields from arrays with missing values"),
    UNIT_CASE(mixed_numbers, "ints among floats become floats"),
    UNIT_CASE(lists, "fields of lists"),
    UNIT_CASE(fields_that_do_not_go_together, "values that are no column"),
    UNIT_CASE(names_of_fields, "names of fields"),
    UNIT_CASE(fields_as_columns, "fields as columns"),
    UNIT_CASE(asked_names, "the fields that are asked for"),
    UNIT_CASE(arrays_written, "columns of numbers are written as tensors"),
};

UNIT_MAIN("wire", cases)
