/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <math.h>
#include <string.h>

static json_t *number_json(double number)
{
    if (isfinite(number))
        return json_real(number);
    return json_pack("{s:s}", "$float", isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
}

static double half_value(uint16_t half)
{
    int exponent = half >> 10 & 31;
    double fraction = half & 1023;
    double number = exponent == 31 ? (half & 1023 ? NAN : INFINITY)
                    : exponent     ? ldexp(fraction + 1024, exponent - 25)
                                   : ldexp(fraction, -24);

    return half & 0x8000 ? -number : number;
}

static json_t *element_json(const simplugin_tensor *tensor, uint64_t row, uint64_t col)
{
    uint64_t size = simplugin_dtype_size(tensor->dtype);
    const uint8_t *at = (const uint8_t *)tensor->data + row * simplugin_tensor_stride(tensor);
    union {
        float f32;
        double f64;
        uint16_t f16;
        int64_t i64;
        int32_t i32;
        uint8_t u8;
    } as;

    if (tensor->dtype == SIMPLUGIN_BITS)
        return json_integer(at[col / 8] >> (col % 8) & 1);
    memcpy(&as, at + col * size, size);
    switch (tensor->dtype) {
    case SIMPLUGIN_FLOAT32: return number_json((double)as.f32);
    case SIMPLUGIN_FLOAT64: return number_json(as.f64);
    case SIMPLUGIN_FLOAT16: return number_json(half_value(as.f16));
    case SIMPLUGIN_INT32: return json_integer(as.i32);
    case SIMPLUGIN_UINT8: return json_integer(as.u8);
    default: return json_integer(as.i64);
    }
}

static json_t *tensor_json(const simplugin_tensor *tensor, int matrix)
{
    json_t *all = json_array();

    for (uint64_t r = 0; r < tensor->rows; r++) {
        json_t *row = json_array();
        if (tensor->cols == 1 && !matrix) {
            json_array_append_new(all, element_json(tensor, r, 0));
            json_decref(row);
            continue;
        }
        for (uint64_t c = 0; c < tensor->cols; c++)
            json_array_append_new(row, element_json(tensor, r, c));
        json_array_append_new(all, row);
    }
    return all;
}

static json_t *item_json(const simplugin_column *column, uint64_t i)
{
    uint64_t size = 0;
    const char *text;
    double number;
    int64_t integer;

    switch (column->type & ~SIMPLUGIN_COLUMN_LIST) {
    case SIMPLUGIN_COLUMN_TEXT:
        text = simplugin_column_text(column, i, &size);
        return json_stringn(text, (size_t)size);
    case SIMPLUGIN_COLUMN_INT64:
        memcpy(&integer, (const char *)column->values + i * 8, 8);
        return json_integer(integer);
    case SIMPLUGIN_COLUMN_FLOAT64:
        memcpy(&number, (const char *)column->values + i * 8, 8);
        return number_json(number);
    default: return json_boolean(((const uint8_t *)column->values)[i]);
    }
}

static json_t *column_json(const simplugin_column *column)
{
    json_t *all = json_array();

    for (uint64_t r = 0; r < column->count; r++) {
        json_t *list;
        if (!simplugin_column_is_valid(column, r)) {
            json_array_append_new(all, json_null());
            continue;
        }
        if (!column->list_offsets) {
            json_array_append_new(all, item_json(column, r));
            continue;
        }
        list = json_array();
        for (int64_t i = column->list_offsets[r]; i < column->list_offsets[r + 1]; i++)
            json_array_append_new(list, item_json(column, (uint64_t)i));
        json_array_append_new(all, list);
    }
    return all;
}

/* key: the one the value stands under, "" at the top. */
static json_t *decode(const simplugin_reply *reply, const simplugin_value *value, const char *key,
                      contract_why *why)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value part, name;
    simplugin_column column;
    const char *wrong;
    json_t *all, *one;

    switch (value->type) {
    case SIMPLUGIN_NIL: return json_null();
    case SIMPLUGIN_BOOL: return json_boolean(value->as.i);
    case SIMPLUGIN_INT: return json_integer(value->as.i);
    case SIMPLUGIN_UINT: return json_integer((json_int_t)value->as.u);
    case SIMPLUGIN_DOUBLE: return number_json(value->as.d);
    case SIMPLUGIN_TEXT: return json_stringn((const char *)value->data, (size_t)value->size);
    case SIMPLUGIN_BYTES: return json_sprintf("<%llu bytes>", (unsigned long long)value->size);
    case SIMPLUGIN_TENSOR: return tensor_json(&reply->tensors[value->as.u], !strcmp(key, "vectors"));
    case SIMPLUGIN_ARRAY:
        all = json_array();
        while (simplugin_next(&iter, &part))
            json_array_append_new(all, decode(reply, &part, "", why));
        return all;
    default: break;
    }
    if (simplugin_find(value, "values", &part) && part.type == SIMPLUGIN_TENSOR) {
        wrong = simplugin_column_read(value, reply->tensors, reply->tensor_count, &column);
        if (!wrong)
            return column_json(&column);
        why_set(why, "the reply's column \"%s\": %s", key, wrong);
        return json_null();
    }
    all = json_object();
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &part)) {
        char text[300];
        snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
        one = part.type == SIMPLUGIN_NIL ? NULL : decode(reply, &part, text, why);
        if (one)
            json_object_set_new(all, text, one);
    }
    return all;
}

json_t *reply_decode(const simplugin_reply *reply, contract_why *why)
{
    const char *wrong = simplugin_check_reply(reply);
    simplugin_value body;

    if (wrong) {
        why_set(why, "the reply is no envelope: %s", wrong);
        return NULL;
    }
    body = simplugin_body_value(reply->body, reply->body_size);
    return decode(reply, &body, "", why);
}
