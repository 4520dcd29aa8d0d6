/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_types.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT 40
/* From here on not every integer is a float64. */
#define FLOAT_EXACT (INT64_C(1) << 53)

uint32_t sp_copy_types_join(uint32_t a, uint32_t b)
{
    if (!a || !b || a == b)
        return a ? a : b;
    if ((a ^ b) == (SP_INT64 ^ SP_FLOAT64))
        return SP_FLOAT64 | (a & SP_LIST);
    return 0;
}

int sp_copy_types_tells(const sp_column *column)
{
    for (uint64_t row = 0; row < column->count; row++)
        if (sp_column_is_valid(column, row) &&
            (!(column->type & SP_LIST) ||
             column->list_offsets[row] < column->list_offsets[row + 1]))
            return 1;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------- */

typedef struct cell {
    int64_t i;
    double d;
    int b;
    char text[NUMBER_TEXT];
    sp_text t;
} cell;

/* As JSON has it, in any locale: the shortest that reads back as the same number. */
static int double_text(double value, char *text)
{
    json_t *json = isfinite(value) ? json_real(value) : NULL;
    int ok = 0;

    for (unsigned digits = 15; json && digits <= 17; digits++) {
        size_t size = json_dumpb(json, text, NUMBER_TEXT - 1,
                                 JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
        json_t *again = size < NUMBER_TEXT ? json_loadb(text, size, JSON_DECODE_ANY, NULL) : NULL;
        double back = json_number_value(again);

        ok = again != NULL;
        json_decref(again);
        text[ok ? size : 0] = '\0';
        if (ok && back >= value && back <= value)
            break;
    }
    json_decref(json);
    return ok;
}

static int double_of(const sp_text *text, double *value)
{
    json_t *json = text->size && text->size < NUMBER_TEXT
                       ? json_loadb(text->data, text->size, JSON_DECODE_ANY, NULL)
                       : NULL;
    int ok = json_is_number(json);

    if (ok)
        *value = json_number_value(json);
    json_decref(json);
    return ok;
}

static int int_of(const sp_text *text, int64_t *value)
{
    char copy[NUMBER_TEXT], again[NUMBER_TEXT];
    char *end;

    if (!text->size || text->size >= sizeof copy)
        return 0;
    memcpy(copy, text->data, text->size);
    copy[text->size] = '\0';
    errno = 0;
    *value = strtoll(copy, &end, 10);
    snprintf(again, sizeof again, "%" PRId64, *value);
    return !errno && strcmp(copy, again) == 0;
}

static int int_of_double(double value, int64_t *whole)
{
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0) ||
        value < floor(value) || value > floor(value))
        return 0;
    *whole = (int64_t)value;
    return 1;
}

static int double_of_int(int64_t whole, double *value)
{
    *value = (double)whole;
    return whole >= -FLOAT_EXACT && whole <= FLOAT_EXACT;
}

static int text_is(const sp_text *text, const char *word)
{
    return text->size == strlen(word) && memcmp(text->data, word, text->size) == 0;
}

/* Element i of a column as an element of the type `to`; 0: it cannot be one. */
static int element_cast(const sp_column *column, uint64_t i, uint32_t to, cell *out)
{
    uint32_t from = column->type & ~SP_LIST;
    sp_text text = {"", 0};
    int64_t whole = 0;
    double number = 0;

    if (from == SP_TEXT)
        text = sp_column_text(column, i);
    else if (from == SP_INT64)
        whole = ((const int64_t *)column->values)[i];
    else if (from == SP_FLOAT64)
        number = ((const double *)column->values)[i];
    else
        whole = ((const uint8_t *)column->values)[i] != 0;
    switch (to) {
    case SP_INT64:
        out->i = whole;
        return from == SP_INT64     ? 1
               : from == SP_FLOAT64 ? int_of_double(number, &out->i)
                                    : from == SP_TEXT && int_of(&text, &out->i);
    case SP_FLOAT64:
        out->d = number;
        return from == SP_FLOAT64 ? 1
               : from == SP_INT64 ? double_of_int(whole, &out->d)
                                  : from == SP_TEXT && double_of(&text, &out->d);
    case SP_BOOL:
        out->b = from == SP_TEXT ? text_is(&text, "true") : whole != 0;
        return from == SP_BOOL || (from == SP_TEXT && (out->b || text_is(&text, "false")));
    default:
        out->t = text;
        if (from == SP_TEXT)
            return 1;
        if (from == SP_FLOAT64 && !double_text(number, out->text))
            return 0;
        if (from == SP_INT64)
            snprintf(out->text, sizeof out->text, "%" PRId64, whole);
        else if (from == SP_BOOL)
            snprintf(out->text, sizeof out->text, "%s", whole ? "true" : "false");
        out->t = (sp_text){out->text, strlen(out->text)};
        return 1;
    }
}

/* ---- columns ------------------------------------------------------------------------------ */

typedef struct making {
    const sp_column *from;
    uint32_t type;
    sp_buffer values, offsets, lists, valid;
    uint64_t elements;
} making;

static void element_put(making *m, const cell *value)
{
    uint8_t byte = value->b != 0;
    int64_t end;

    switch (m->type & ~SP_LIST) {
    case SP_INT64: sp_buffer_append(&m->values, &value->i, sizeof value->i); break;
    case SP_FLOAT64: sp_buffer_append(&m->values, &value->d, sizeof value->d); break;
    case SP_BOOL: sp_buffer_append(&m->values, &byte, 1); break;
    default:
        if (value->t.size)
            sp_buffer_append(&m->values, value->t.data, value->t.size);
        end = (int64_t)m->values.size;
        sp_buffer_append(&m->offsets, &end, sizeof end);
    }
    m->elements++;
}

/* 0: some element cannot be of the type, and the row is to be a missing one. */
static int row_put(making *m, uint64_t row)
{
    const sp_column *from = m->from;
    uint64_t at = row, end = row + 1;
    cell value = {0};

    if (from->type & SP_LIST) {
        at = (uint64_t)from->list_offsets[row];
        end = (uint64_t)from->list_offsets[row + 1];
    }
    if ((from->type ^ m->type) & SP_LIST)
        return 0;
    for (uint64_t i = at; i < end; i++)
        if (!element_cast(from, i, m->type & ~SP_LIST, &value))
            return 0;
    for (uint64_t i = at; i < end; i++) {
        element_cast(from, i, m->type & ~SP_LIST, &value);
        element_put(m, &value);
    }
    return 1;
}

static void *keep(const sp_buffer *buffer, sp_arena **arena)
{
    uint8_t *bytes = buffer->failed ? NULL : sp_arena_array(arena, buffer->size + 8, 1);

    if (bytes && buffer->size)
        memcpy(bytes, buffer->data, buffer->size);
    return bytes;
}

/* *wrong: the first row that cannot be, or the count. 0: no memory. */
static int column_cast(sp_column *column, uint32_t type, sp_arena **arena, uint64_t *wrong)
{
    making m = {.from = column, .type = type};
    sp_column made = {.type = type, .count = column->count};
    const cell nothing = {.t = {"", 0}};
    int64_t end = 0;
    int ok;

    sp_buffer_init(&m.values);
    sp_buffer_init(&m.offsets);
    sp_buffer_init(&m.lists);
    sp_buffer_init(&m.valid);
    sp_buffer_append(&m.offsets, &end, sizeof end);
    sp_buffer_append(&m.lists, &end, sizeof end);
    *wrong = column->count;
    for (uint64_t row = 0; row < column->count; row++) {
        int is_valid = sp_column_is_valid(column, row);

        if (row % 8 == 0)
            sp_buffer_append(&m.valid, "", 1);
        if (is_valid && !row_put(&m, row)) {
            is_valid = 0;
            if (*wrong == column->count)
                *wrong = row;
        }
        if (is_valid && !m.valid.failed)
            m.valid.data[row / 8] |= (uint8_t)(1u << row % 8);
        if (!is_valid && !(type & SP_LIST))
            element_put(&m, &nothing);
        end = (int64_t)m.elements;
        sp_buffer_append(&m.lists, &end, sizeof end);
    }
    made.values = keep(&m.values, arena);
    made.valid = keep(&m.valid, arena);
    made.offsets = keep(&m.offsets, arena);
    made.list_offsets = keep(&m.lists, arena);
    ok = made.values && made.valid && made.offsets && made.list_offsets;
    if ((type & ~SP_LIST) != SP_TEXT)
        made.offsets = NULL;
    if (!(type & SP_LIST))
        made.list_offsets = NULL;
    if (ok)
        *column = made;
    sp_buffer_clear(&m.values);
    sp_buffer_clear(&m.offsets);
    sp_buffer_clear(&m.lists);
    sp_buffer_clear(&m.valid);
    return ok;
}

int sp_copy_types_cast(sp_column *column, uint32_t type, sp_arena **arena)
{
    uint64_t wrong;

    return column->type == type || column_cast(column, type, arena, &wrong);
}

int32_t sp_copy_types_apply(sp_copy_types *types, const char *name, const sp_column *ids,
                            sp_column *column, sp_arena **arena, simplugin_error **error)
{
    const json_t *said = json_object_get(types->known, name);
    uint32_t type = said ? sp_column_type(json_string_value(said), json_string_length(said)) : 0;
    const char *is = sp_column_type_name(column->type);
    uint64_t wrong;
    sp_text id;

    if (!type && sp_copy_types_tells(column) &&
        json_object_set_new(types->known, name, json_string(is)))
        return sp_error_no_memory(error);
    if (!type || type == column->type)
        return SIMPLUGIN_OK;
    if (!column_cast(column, type, arena, &wrong))
        return sp_error_no_memory(error);
    if (types->skip || wrong == column->count)
        return SIMPLUGIN_OK;
    id = sp_column_text(ids, wrong);
    sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "copy",
                 "copy.next: field \"%.64s\" of point \"%.*s\" is of type %s, and in the copy of "
                 "type %s: give another type in the target's fields and resume false, or "
                 "mixed_fields \"skip\" to leave such values out",
                 name, (int)(id.size < 64 ? id.size : 64), id.data, is, sp_column_type_name(type));
    sp_error_add_detail(error, "field", name);
    return SIMPLUGIN_INVALID_ARGUMENT;
}
