/* SPDX-License-Identifier: Apache-2.0 */
#include "gather.h"

#include <string.h>

static uint64_t item_size(uint32_t type)
{
    return (type & ~SP_LIST) == SP_BOOL ? 1 : 8;
}

/* The elements of a row: [*from, *from + result). A scalar has one, a missing list none. */
static uint64_t row_elements(const sp_column *column, uint64_t row, uint64_t *from)
{
    int missing = row == SP_ROW_NONE || !sp_column_is_valid(column, row);

    *from = 0;
    if (!(column->type & SP_LIST)) {
        *from = missing ? SP_ROW_NONE : row;
        return 1;
    }
    if (missing)
        return 0;
    *from = (uint64_t)column->list_offsets[row];
    return (uint64_t)(column->list_offsets[row + 1] - column->list_offsets[row]);
}

uint64_t sp_column_row_bytes(const sp_column *column, uint64_t row)
{
    uint64_t from, n = row_elements(column, row, &from);
    uint64_t bytes = (n + 1) * item_size(column->type);

    if ((column->type & ~SP_LIST) == SP_TEXT && n && from != SP_ROW_NONE)
        bytes += (uint64_t)(column->offsets[from + n] - column->offsets[from]);
    return bytes;
}

int sp_column_gather(const sp_column *column, const uint64_t *rows, uint64_t count,
                     sp_arena **arena, sp_column *out)
{
    int is_text = (column->type & ~SP_LIST) == SP_TEXT;
    int is_list = (column->type & SP_LIST) != 0;
    uint64_t size = item_size(column->type);
    uint64_t elements = 0, bytes = 0, at = 0, byte = 0, from, n;
    int64_t *lists = NULL, *offsets = NULL;
    uint8_t *valid, *values;
    int missing = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = rows ? rows[i] : i;

        n = row_elements(column, row, &from);
        missing |= row == SP_ROW_NONE || !sp_column_is_valid(column, row);
        elements += n;
        if (is_text && from != SP_ROW_NONE)
            bytes += (uint64_t)(column->offsets[from + n] - column->offsets[from]);
    }
    valid = missing ? sp_arena_alloc(arena, count / 8 + 1) : NULL;
    values = is_text ? sp_arena_alloc(arena, bytes + 1) : sp_arena_array(arena, elements + 1, size);
    if (is_list)
        lists = sp_arena_array(arena, count + 1, sizeof *lists);
    if (is_text)
        offsets = sp_arena_array(arena, elements + 1, sizeof *offsets);
    if (!values || (missing && !valid) || (is_list && !lists) || (is_text && !offsets))
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = rows ? rows[i] : i;

        n = row_elements(column, row, &from);
        if (valid && row != SP_ROW_NONE && sp_column_is_valid(column, row))
            valid[i / 8] |= (uint8_t)(1U << (i % 8));
        if (is_text) {
            for (uint64_t e = 0; e < n; e++) {
                if (from != SP_ROW_NONE) {
                    sp_text text = sp_column_text(column, from + e);

                    if (text.size)
                        memcpy(values + byte, text.data, text.size);
                    byte += text.size;
                }
                offsets[at + e + 1] = (int64_t)byte;
            }
        } else if (from != SP_ROW_NONE && n) {
            memcpy(values + at * size, (const uint8_t *)column->values + from * size, n * size);
        }
        at += n;
        if (lists)
            lists[i + 1] = (int64_t)at;
    }
    out->type = column->type;
    out->count = count;
    out->valid = valid;
    out->list_offsets = lists;
    out->offsets = offsets;
    out->values = values;
    return 1;
}

int sp_column_missing(uint64_t count, sp_arena **arena, sp_column *out)
{
    memset(out, 0, sizeof *out);
    out->type = SP_TEXT;
    out->count = count;
    out->valid = sp_arena_alloc(arena, count / 8 + 1);
    out->offsets = sp_arena_array(arena, count + 1, sizeof *out->offsets);
    out->values = sp_arena_alloc(arena, 1);
    return out->valid && out->offsets && out->values;
}

int sp_column_of_texts(const sp_text *texts, uint64_t count, sp_arena **arena, sp_column *out)
{
    uint64_t bytes = 0;
    int64_t *offsets = sp_arena_array(arena, count + 1, sizeof *offsets);
    char *values;

    for (uint64_t i = 0; i < count; i++)
        bytes += texts[i].size;
    values = sp_arena_alloc(arena, bytes + 1);
    if (!offsets || !values)
        return 0;
    bytes = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (texts[i].size)
            memcpy(values + bytes, texts[i].data, texts[i].size);
        bytes += texts[i].size;
        offsets[i + 1] = (int64_t)bytes;
    }
    memset(out, 0, sizeof *out);
    out->type = SP_TEXT;
    out->count = count;
    out->offsets = offsets;
    out->values = values;
    return 1;
}
