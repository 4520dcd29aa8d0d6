/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "output.h"

/* Whether a code point may not reach a terminal as it is. */
static int is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* The code point at text[at], and its bytes; UINT32_MAX and 1 for a byte that is no UTF-8. */
static uint32_t code_point(const char *text, uint64_t at, uint64_t size, uint64_t *length)
{
    const uint8_t *bytes = (const uint8_t *)text + at;
    uint64_t more = bytes[0] < 0x80 ? 0 : bytes[0] >= 0xf0 ? 3 : bytes[0] >= 0xe0 ? 2 : 1;
    uint32_t c;

    *length = 1;
    if (more + 1 > size - at || !simplugin_utf8_check(bytes, more + 1))
        return UINT32_MAX;
    *length = more + 1;
    c = more ? bytes[0] & (0x3fU >> more) : bytes[0];
    for (uint64_t i = 1; i <= more; i++)
        c = c << 6 | (bytes[i] & 0x3fU);
    return c;
}

void cli_json_text(FILE *out, const char *text, uint64_t size)
{
    uint64_t length;

    fputc('"', out);
    for (uint64_t i = 0; i < size; i += length) {
        uint32_t c = code_point(text, i, size, &length);

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (int)c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (c == UINT32_MAX)
            fputs("\\ufffd", out);
        else if (is_control(c))
            fprintf(out, "\\u%04x", (unsigned int)c);
        else
            fwrite(text + i, 1, (size_t)length, out);
    }
    fputc('"', out);
}

void cli_print_text(FILE *out, const char *text, uint64_t size)
{
    uint64_t length;

    for (uint64_t i = 0; i < size; i += length) {
        uint32_t c = code_point(text, i, size, &length);

        if (c == UINT32_MAX || (c < 0x80 && is_control(c)))
            fprintf(out, "\\x%02x", (unsigned int)(uint8_t)text[i]);
        else if (is_control(c))
            fprintf(out, "\\u%04x", (unsigned int)c);
        else
            fwrite(text + i, 1, (size_t)length, out);
    }
}

/* ---- numbers ---- */

void cli_json_float(FILE *out, float value)
{
    char text[CLI_NUMBER_SIZE];

    if (isfinite(value))
        fwrite(text, 1, cli_number_print(value, text), out);
    else
        fputs("null", out);
}

void cli_json_double(FILE *out, double value)
{
    char text[40];

    if (!isfinite(value)) {
        fputs("null", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
    /* it stays a float for who reads it back */
    if (!strpbrk(text, ".e"))
        fputs(".0", out);
}

static float half(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    float fraction = (float)(bits & 1023);
    float value = exponent == 31  ? (fraction > 0 ? NAN : INFINITY)
                  : exponent == 0 ? ldexpf(fraction, -24)
                                  : ldexpf(1024 + fraction, exponent - 25);

    return bits >> 15 ? -value : value;
}

void cli_json_element(FILE *out, const simplugin_tensor *tensor, uint64_t row, uint64_t col)
{
    const uint8_t *data = (const uint8_t *)tensor->data + row * simplugin_tensor_stride(tensor);
    union {
        float f;
        double d;
        int64_t i;
        uint64_t u;
        int32_t n;
        uint16_t h;
    } value;

    if (tensor->dtype == SIMPLUGIN_BITS) {
        fputs(data[col / 8] >> (col % 8) & 1 ? "true" : "false", out);
        return;
    }
    data += col * simplugin_dtype_size(tensor->dtype);
    memcpy(&value, data, (size_t)simplugin_dtype_size(tensor->dtype));
    switch (tensor->dtype) {
    case SIMPLUGIN_FLOAT32: cli_json_float(out, value.f); break;
    case SIMPLUGIN_FLOAT64: cli_json_double(out, value.d); break;
    case SIMPLUGIN_FLOAT16: cli_json_float(out, half(value.h)); break;
    case SIMPLUGIN_INT64: fprintf(out, "%lld", (long long)value.i); break;
    case SIMPLUGIN_UINT64: fprintf(out, "%llu", (unsigned long long)value.u); break;
    case SIMPLUGIN_INT32: fprintf(out, "%ld", (long)value.n); break;
    default: fprintf(out, "%u", (unsigned int)*data); break;
    }
}

/* ---- tensors and columns ---- */

void cli_json_row(FILE *out, const simplugin_tensor *tensor, uint64_t row)
{
    fputc('[', out);
    for (uint64_t col = 0; col < tensor->cols; col++) {
        if (col)
            fputs(", ", out);
        cli_json_element(out, tensor, row, col);
    }
    fputc(']', out);
}

static void print_tensor(FILE *out, const simplugin_tensor *tensor, int is_matrix)
{
    fputc('[', out);
    for (uint64_t row = 0; row < tensor->rows; row++) {
        if (row)
            fputs(", ", out);
        if (tensor->cols == 1 && !is_matrix)
            cli_json_element(out, tensor, row, 0);
        else
            cli_json_row(out, tensor, row);
    }
    fputc(']', out);
}

static void print_item(FILE *out, const simplugin_column *column, uint64_t i)
{
    const char *text;
    uint64_t size;
    int64_t integer;
    double real;

    switch (column->type & ~SIMPLUGIN_COLUMN_LIST) {
    case SIMPLUGIN_COLUMN_TEXT:
        text = simplugin_column_text(column, i, &size);
        cli_json_text(out, text, size);
        break;
    case SIMPLUGIN_COLUMN_INT64:
        memcpy(&integer, (const uint8_t *)column->values + i * 8, 8);
        fprintf(out, "%lld", (long long)integer);
        break;
    case SIMPLUGIN_COLUMN_FLOAT64:
        memcpy(&real, (const uint8_t *)column->values + i * 8, 8);
        cli_json_double(out, real);
        break;
    default:
        fputs(((const uint8_t *)column->values)[i] ? "true" : "false", out);
    }
}

void cli_json_cell(FILE *out, const simplugin_column *column, uint64_t row)
{
    if (!simplugin_column_is_valid(column, row)) {
        fputs("null", out);
        return;
    }
    if (!(column->type & SIMPLUGIN_COLUMN_LIST)) {
        print_item(out, column, row);
        return;
    }
    fputc('[', out);
    for (int64_t i = column->list_offsets[row]; i < column->list_offsets[row + 1]; i++) {
        if (i > column->list_offsets[row])
            fputs(", ", out);
        print_item(out, column, (uint64_t)i);
    }
    fputc(']', out);
}

/* A map of nothing but a column's keys, with the tensor "values". */
static int is_column(const simplugin_value *map)
{
    static const char *const keys[] = {"type", "values", "offsets", "lists", "valid"};
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value key, value;
    int has_values = 0;

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        size_t i = 0;

        while (i < 5 && !simplugin_value_is(&key, keys[i]))
            i++;
        if (i == 5 || (i > 0 && value.type != SIMPLUGIN_TENSOR && value.type != SIMPLUGIN_NIL))
            return 0;
        has_values |= i == 1 && value.type == SIMPLUGIN_TENSOR;
    }
    return has_values;
}

static void print_map(FILE *out, const simplugin_value *map, const simplugin_tensor *tensors,
                      uint64_t tensor_count, const char *skip)
{
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value key, value;
    simplugin_column column;
    const char *separator = "";

    if (is_column(map) && !simplugin_column_read(map, tensors, tensor_count, &column)) {
        fputc('[', out);
        for (uint64_t row = 0; row < column.count; row++) {
            if (row)
                fputs(", ", out);
            cli_json_cell(out, &column, row);
        }
        fputc(']', out);
        return;
    }
    fputc('{', out);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        char name[16] = "";

        if (skip && simplugin_value_is(&key, skip))
            continue;
        fputs(separator, out);
        separator = ", ";
        if (key.size < sizeof(name))
            memcpy(name, key.data, (size_t)key.size);
        cli_json_text(out, (const char *)key.data, key.size);
        fputs(": ", out);
        cli_json_value(out, &value, tensors, tensor_count, name);
    }
    fputc('}', out);
}

/* Bytes are shown as text where they are, else in hexadecimal digits. */
static void print_bytes(FILE *out, const simplugin_value *value)
{
    if (simplugin_utf8_check(value->data, value->size)) {
        cli_json_text(out, (const char *)value->data, value->size);
        return;
    }
    fputc('"', out);
    for (uint64_t i = 0; i < value->size; i++)
        fprintf(out, "%02x", (unsigned int)value->data[i]);
    fputc('"', out);
}

void cli_json_value(FILE *out, const simplugin_value *value, const simplugin_tensor *tensors,
                    uint64_t tensor_count, const char *name)
{
    simplugin_iter iter;
    simplugin_value item;
    const char *separator = "";

    switch (value->type) {
    case SIMPLUGIN_BOOL: fputs(value->as.i ? "true" : "false", out); break;
    case SIMPLUGIN_INT: fprintf(out, "%lld", (long long)value->as.i); break;
    case SIMPLUGIN_UINT: fprintf(out, "%llu", (unsigned long long)value->as.u); break;
    case SIMPLUGIN_DOUBLE: cli_json_double(out, value->as.d); break;
    case SIMPLUGIN_TEXT: cli_json_text(out, (const char *)value->data, value->size); break;
    case SIMPLUGIN_BYTES: print_bytes(out, value); break;
    case SIMPLUGIN_TENSOR:
        if (value->as.u < tensor_count)
            print_tensor(out, &tensors[value->as.u], strcmp(name, "vectors") == 0);
        else
            fputs("null", out);
        break;
    case SIMPLUGIN_MAP: print_map(out, value, tensors, tensor_count, NULL); break;
    case SIMPLUGIN_ARRAY:
        fputc('[', out);
        iter = simplugin_iterate(value);
        while (simplugin_next(&iter, &item)) {
            fputs(separator, out);
            separator = ", ";
            cli_json_value(out, &item, tensors, tensor_count, "");
        }
        fputc(']', out);
        break;
    default: fputs("null", out); break;
    }
}

void cli_json_reply(FILE *out, const simplugin_reply *reply, const char *skip)
{
    simplugin_value root;
    const uint8_t *at = reply->body;

    if (reply->body_size && simplugin_read(&at, at + reply->body_size, &root))
        print_map(out, &root, reply->tensors, reply->tensor_count, skip);
    else
        fputs("{}", out);
    fputc('\n', out);
}
