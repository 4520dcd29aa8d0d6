/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *body_memory(contract_body *body, size_t size)
{
    void **owned = realloc(body->owned, (body->owned_count + 1) * sizeof *owned);
    void *memory;

    if (!owned)
        abort();
    body->owned = owned;
    memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    body->owned[body->owned_count++] = memory;
    return memory;
}

void body_clear(contract_body *body)
{
    for (size_t i = 0; i < body->owned_count; i++)
        free(body->owned[i]);
    free(body->owned);
    simplugin_writer_clear(&body->writer);
    memset(body, 0, sizeof *body);
}

/* Hexadecimal digits to bytes of the body's; NULL if they are not. */
static uint8_t *hex_bytes(contract_body *body, const char *hex, size_t *size)
{
    size_t count = hex ? strlen(hex) : 1;
    uint8_t *bytes;
    unsigned int byte;

    if (count % 2)
        return NULL;
    bytes = body_memory(body, count / 2);
    for (size_t i = 0; i < count / 2; i++) {
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return NULL;
        bytes[i] = (uint8_t)byte;
    }
    *size = count / 2;
    return bytes;
}

/* Enough of binary16 for the numbers that cases write: halves are exact or rounded down. */
static uint16_t half_of(double number)
{
    uint16_t sign = signbit(number) ? 0x8000 : 0;
    int exponent;
    double fraction;

    if (isnan(number))
        return 0x7e00;
    number = fabs(number);
    if (number >= 65520)
        return (uint16_t)(sign | 0x7c00);
    fraction = frexp(number, &exponent);
    if (number < ldexp(1, -14))
        return (uint16_t)(sign | (uint16_t)ldexp(number, 24));
    return (uint16_t)(sign | (exponent + 14) << 10 | ((int)ldexp(fraction, 11) & 0x3ff));
}

static double special(const json_t *value)
{
    json_t *argument = NULL;
    const char *name = notation(value, &argument);
    const char *text = json_string_value(argument);

    if (!name || strcmp(name, "$float"))
        return number_of(value);
    if (!text)
        return number_of(argument);
    return !strcmp(text, "nan") ? NAN : !strcmp(text, "-inf") ? -INFINITY : INFINITY;
}

static void element_write(uint8_t *at, uint32_t dtype, const json_t *value)
{
    double number = special(value);
    int64_t integer = json_is_integer(value) ? json_integer_value(value) : (int64_t)0;
    float f = (float)number;
    int32_t i = (int32_t)integer;
    uint16_t half;

    switch (dtype) {
    case SIMPLUGIN_FLOAT32: memcpy(at, &f, sizeof f); break;
    case SIMPLUGIN_FLOAT64: memcpy(at, &number, sizeof number); break;
    case SIMPLUGIN_FLOAT16:
        half = half_of(number);
        memcpy(at, &half, sizeof half);
        break;
    case SIMPLUGIN_INT64: case SIMPLUGIN_UINT64: memcpy(at, &integer, sizeof integer); break;
    case SIMPLUGIN_INT32: memcpy(at, &i, sizeof i); break;
    default: *at = (uint8_t)(json_is_boolean(value) ? json_is_true(value) : integer); break;
    }
}

static uint32_t dtype_of(const json_t *name)
{
    static const char *const names[] = {"float32", "float64", "float16", "int64",
                                        "uint64",  "int32",   "uint8",   "bits"};

    if (json_is_integer(name))
        return (uint32_t)json_integer_value(name);
    for (uint32_t i = 0; i < 8 && json_is_string(name); i++)
        if (!strcmp(json_string_value(name), names[i]))
            return i + 1;
    return SIMPLUGIN_FLOAT32;
}

static uint64_t claimed(const json_t *claim, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get(claim, key);

    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : otherwise;
}

/* {"dtype", "data", "row_stride", "claim": {...}, "misaligned"} to a tensor. */
static void tensor_encode(contract_body *body, const json_t *argument)
{
    const json_t *data = json_object_get(argument, "data");
    const json_t *claim = json_object_get(argument, "claim");
    size_t rows = json_array_size(data);
    int nested = json_is_array(json_array_get(data, 0));
    size_t cols = nested ? json_array_size(json_array_get(data, 0)) : 1;
    uint32_t dtype = dtype_of(json_object_get(argument, "dtype"));
    uint64_t item = simplugin_dtype_size(dtype) ? simplugin_dtype_size(dtype) : 1;
    uint64_t stride = claimed(argument, "row_stride", 0);
    uint64_t step = stride > cols * item ? stride : cols * item;
    size_t shift = json_is_true(json_object_get(argument, "misaligned")) ? 1 : 0;
    uint8_t *memory = body_memory(body, (size_t)(rows * step) + 8);
    simplugin_tensor tensor;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            const json_t *row = json_array_get(data, r);
            element_write(memory + shift + r * step + c * item, dtype,
                          nested ? json_array_get(row, c) : row);
        }
    tensor = simplugin_tensor_of(dtype, memory + shift, rows, cols);
    if (json_is_true(json_object_get(claim, "null")))
        tensor.data = NULL;
    tensor.rows = claimed(claim, "rows", rows);
    tensor.cols = claimed(claim, "cols", cols);
    tensor.row_stride = claimed(claim, "row_stride", stride);
    tensor.reserved[0] = claimed(claim, "reserved", 0);
    simplugin_write_tensor(&body->writer, &tensor);
}

static void random_encode(contract_body *body, const json_t *argument)
{
    uint64_t seed = claimed(argument, "seed", 0);
    uint64_t rows = claimed(argument, "rows", 1), cols = claimed(argument, "cols", 1);
    uint64_t first = claimed(argument, "first", 0);
    int wide = dtype_of(json_object_get(argument, "dtype")) == SIMPLUGIN_FLOAT64;
    float *floats = body_memory(body, (size_t)(rows * cols * (wide ? 8 : 4)));
    double *doubles = (double *)(void *)floats;
    simplugin_tensor tensor = simplugin_tensor_of(wide ? SIMPLUGIN_FLOAT64 : SIMPLUGIN_FLOAT32,
                                                  floats, rows, cols);

    for (uint64_t i = 0; i < rows * cols; i++) {
        double number = contract_random(seed, first * cols + i);
        if (wide)
            doubles[i] = number;
        else
            floats[i] = (float)number;
    }
    simplugin_write_tensor(&body->writer, &tensor);
}

/* Digits of a number, at least so many; how many were written. */
static size_t digits_write(char *at, uint64_t number, int width)
{
    char reversed[20];
    size_t count = 0, pad;

    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    pad = width > 0 && (size_t)width > count ? (size_t)width - count : 0;
    memset(at, '0', pad);
    for (size_t i = 0; i < count; i++)
        at[pad + i] = reversed[count - 1 - i];
    return pad + count;
}

/*
 * {"prefix", "first", "count", "width", "step", "cycle"} to a column of ids, a prefix and a number
 * each: numbers go on by step, and begin anew after cycle. Millions of them take no memory but
 * their own.
 */
static void ids_encode(contract_body *body, const json_t *argument)
{
    const json_t *given = json_object_get(argument, "prefix");
    const char *prefix = json_is_string(given) ? json_string_value(given) : "";
    uint64_t first = claimed(argument, "first", 0), count = claimed(argument, "count", 0);
    uint64_t step = claimed(argument, "step", 1), cycle = claimed(argument, "cycle", 0);
    int width = (int)claimed(argument, "width", 1);
    size_t prefix_size = strlen(prefix), at = 0;
    size_t most = prefix_size + (size_t)(width > 20 ? width : 20);
    int64_t *offsets = body_memory(body, (size_t)(count + 1) * sizeof *offsets);
    char *values = body_memory(body, (size_t)count * most);
    simplugin_column column = {.type = SIMPLUGIN_COLUMN_TEXT, .count = count};

    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = first + (cycle ? i * step % cycle : i * step);

        memcpy(values + at, prefix, prefix_size);
        at += prefix_size + digits_write(values + at + prefix_size, number, width);
        offsets[i + 1] = (int64_t)at;
    }
    column.values = values;
    column.offsets = offsets;
    simplugin_write_column(&body->writer, &column);
}

/* ---- arrays as columns and tensors ------------------------------------------------------- */

static int is_number(const json_t *value)
{
    json_t *argument = NULL;
    const char *name = notation(value, &argument);

    return json_is_number(value) || (name && !strcmp(name, "$float"));
}

static int is_matrix(const json_t *value)
{
    size_t cols = json_array_size(json_array_get(value, 0)), i, j;
    json_t *row, *number;

    if (json_array_size(value) == 0 || cols == 0)
        return 0;
    json_array_foreach(value, i, row) {
        if (json_array_size(row) != cols)
            return 0;
        json_array_foreach(row, j, number)
            if (!is_number(number))
                return 0;
    }
    return 1;
}

/* The column type that holds a value, 0 if none; a list's is that of its first element. */
static uint32_t scalar_type(const json_t *value)
{
    if (json_is_string(value))
        return SIMPLUGIN_COLUMN_TEXT;
    if (json_is_boolean(value))
        return SIMPLUGIN_COLUMN_BOOL;
    if (json_is_integer(value))
        return SIMPLUGIN_COLUMN_INT64;
    return json_is_real(value) ? SIMPLUGIN_COLUMN_FLOAT64 : 0;
}

static int types_join(uint32_t *all, uint32_t one)
{
    if (*all == 0 || (*all == SIMPLUGIN_COLUMN_INT64 && one == SIMPLUGIN_COLUMN_FLOAT64))
        *all = one;
    return one && (*all == one || (*all == SIMPLUGIN_COLUMN_FLOAT64 &&
                                   one == SIMPLUGIN_COLUMN_INT64));
}

/* The type of a whole array of values, 0 if they do not make a column. */
static uint32_t column_type(const json_t *values)
{
    uint32_t all = 0;
    int lists = 0, scalars = 0;
    size_t i, j;
    json_t *value, *element;

    json_array_foreach(values, i, value) {
        if (json_is_null(value))
            continue;
        if (json_is_array(value)) {
            lists = 1;
            json_array_foreach(value, j, element)
                if (!types_join(&all, scalar_type(element)))
                    return 0;
        } else {
            scalars = 1;
            if (!types_join(&all, scalar_type(value)))
                return 0;
        }
    }
    if (!all || (lists && scalars))
        return 0;
    return lists ? all | SIMPLUGIN_COLUMN_LIST : all;
}

static void column_encode(contract_body *body, const json_t *values, uint32_t type)
{
    int is_list = (type & SIMPLUGIN_COLUMN_LIST) != 0;
    uint32_t item = type & ~SIMPLUGIN_COLUMN_LIST;
    uint32_t dtype = item == SIMPLUGIN_COLUMN_INT64     ? SIMPLUGIN_INT64
                     : item == SIMPLUGIN_COLUMN_FLOAT64 ? SIMPLUGIN_FLOAT64
                                                        : SIMPLUGIN_UINT8;
    uint64_t width = item == SIMPLUGIN_COLUMN_TEXT ? 0 : simplugin_dtype_size(dtype);
    size_t rows = json_array_size(values), elements = 0, bytes = 0, at = 0, e = 0, i, j;
    json_t *row, *value, *flat = json_array();
    int64_t *lists = body_memory(body, (rows + 1) * sizeof *lists);
    uint8_t *valid = body_memory(body, (rows + 7) / 8);
    simplugin_column column = {.type = type, .count = rows};
    int64_t *offsets;
    uint8_t *memory;

    json_array_foreach(values, i, row) {
        if (!json_is_null(row))
            valid[i / 8] = (uint8_t)(valid[i / 8] | 1 << (i % 8));
        else
            column.valid = valid;
        lists[i] = (int64_t)json_array_size(flat);
        if (!is_list)
            json_array_append(flat, row);
        else
            json_array_foreach(row, j, value)
                json_array_append(flat, value);
    }
    elements = json_array_size(flat);
    lists[rows] = (int64_t)elements;
    json_array_foreach(flat, i, value)
        bytes += width ? width : json_string_length(value);
    memory = body_memory(body, bytes);
    offsets = body_memory(body, (elements + 1) * sizeof *offsets);
    for (e = 0; e < elements; e++) {
        value = json_array_get(flat, e);
        offsets[e] = (int64_t)at;
        if (width)
            element_write(memory + at, dtype, value);
        else if (json_is_string(value))
            memcpy(memory + at, json_string_value(value), json_string_length(value));
        at += width ? width : json_string_length(value);
    }
    offsets[elements] = (int64_t)at;
    column.values = memory;
    column.offsets = width ? NULL : offsets;
    column.list_offsets = is_list ? lists : NULL;
    simplugin_write_column(&body->writer, &column);
    json_decref(flat);
}

/* Whether the array under that key could go as a column or matrix, and did. */
static int encode_as_column(contract_body *body, const char *key, const json_t *value)
{
    uint32_t type;

    if (!json_is_array(value))
        return 0;
    if (!strcmp(key, "vectors") && is_matrix(value)) {
        json_t *argument = json_object();
        json_object_set(argument, "data", (json_t *)(uintptr_t)value);
        tensor_encode(body, argument);
        json_decref(argument);
        return 1;
    }
    if (strcmp(key, "ids") && strcmp(key, "sample_ids"))
        return 0;
    type = column_type(value);
    if (type != SIMPLUGIN_COLUMN_TEXT)
        return 0;
    column_encode(body, value, type);
    return 1;
}

static uint32_t type_named(const char *name)
{
    static const char *const names[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};

    for (uint32_t i = 0; name && i < 8; i++)
        if (!strcmp(name, names[i]))
            return i < 4 ? i + 1 : (i - 3) | SIMPLUGIN_COLUMN_LIST;
    return 0;
}

/* ---- everything --------------------------------------------------------------------------- */

static int encode(contract_body *body, const json_t *value, int as_columns, contract_why *why);

/* 1 if it was one of the notations that only the wire can express. */
static int encode_notation(contract_body *body, const json_t *value, contract_why *why)
{
    simplugin_writer *writer = &body->writer;
    json_t *argument = NULL;
    const char *name = notation(value, &argument);
    uint8_t *bytes;
    size_t size = 0;

    if (!name)
        return 0;
    if (!strcmp(name, "$float")) {
        simplugin_write_double(writer, special(value));
    } else if (!strcmp(name, "$random")) {
        random_encode(body, argument);
    } else if (!strcmp(name, "$ids")) {
        ids_encode(body, argument);
    } else if (!strcmp(name, "$tensor")) {
        tensor_encode(body, argument);
    } else if (!strcmp(name, "$bytes") || !strcmp(name, "$text")) {
        bytes = hex_bytes(body, json_string_value(argument), &size);
        if (!bytes)
            return why_set(why, "%s wants hexadecimal digits", name);
        if (name[1] == 'b')
            simplugin_write_bytes(writer, bytes, size);
        else
            simplugin_write_text(writer, (const char *)bytes, size);
    } else if (!strcmp(name, "$column")) {
        uint32_t type = type_named(json_string_value(json_object_get(argument, "type")));
        if (!type)
            return why_set(why, "$column wants a type");
        column_encode(body, json_object_get(argument, "values"), type);
    } else if (!strcmp(name, "$ext")) {
        simplugin_write_head(writer, 0xd6,
                             (uint64_t)json_integer_value(json_object_get(argument, "type")) << 32 |
                                 claimed(argument, "value", 0), 5);
    } else if (!strcmp(name, "$nest")) {
        for (json_int_t i = 0; i < json_integer_value(argument); i++)
            simplugin_write_array(writer, 1);
        simplugin_write_nil(writer);
    } else {
        return why_set(why, "unknown notation %s", name);
    }
    return 1;
}

static int encode_map(contract_body *body, const json_t *value, int as_columns, contract_why *why)
{
    const char *key;
    json_t *part, *column;
    const char *name;
    int ok = 1;

    simplugin_write_map(&body->writer, json_object_size(value));
    json_object_foreach((json_t *)(uintptr_t)value, key, part) {
        simplugin_write_string(&body->writer, key);
        if (as_columns && encode_as_column(body, key, part))
            continue;
        if (as_columns && !strcmp(key, "fields") && json_is_object(part)) {
            simplugin_write_map(&body->writer, json_object_size(part));
            json_object_foreach(part, name, column) {
                uint32_t type = json_is_array(column) ? column_type(column) : 0;
                simplugin_write_string(&body->writer, name);
                if (type)
                    column_encode(body, column, type);
                else
                    ok = encode(body, column, 0, why) && ok;
            }
            continue;
        }
        ok = encode(body, part, 0, why) && ok;
    }
    return ok;
}

static int encode(contract_body *body, const json_t *value, int as_columns, contract_why *why)
{
    simplugin_writer *writer = &body->writer;
    json_t *part;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_NULL: simplugin_write_nil(writer); return 1;
    case JSON_TRUE: case JSON_FALSE: simplugin_write_bool(writer, json_is_true(value)); return 1;
    case JSON_INTEGER: simplugin_write_int(writer, json_integer_value(value)); return 1;
    case JSON_REAL: simplugin_write_double(writer, json_real_value(value)); return 1;
    case JSON_STRING:
        simplugin_write_text(writer, json_string_value(value), json_string_length(value));
        return 1;
    case JSON_ARRAY:
        simplugin_write_array(writer, json_array_size(value));
        json_array_foreach(value, i, part)
            if (!encode(body, part, 0, why))
                return 0;
        return 1;
    default: break;
    }
    if (encode_notation(body, value, why))
        return 1;
    return !why->text[0] && encode_map(body, value, as_columns, why);
}

int body_encode(contract_body *body, const json_t *value, int as_columns, contract_why *why)
{
    memset(body, 0, sizeof *body);
    simplugin_writer_init(&body->writer);
    if (!value)
        return 1;
    if (!encode(body, value, as_columns, why))
        return 0;
    return body->writer.failed ? why_set(why, "the body is too large") : 1;
}
