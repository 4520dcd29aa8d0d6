/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_table.h"

#include <stdlib.h>
#include <string.h>

void table_init(table *t)
{
    memset(t, 0, sizeof *t);
}

void table_clear(table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        table_column *c = &t->columns[i];

        sp_buffer_clear(&c->valid);
        sp_buffer_clear(&c->lists);
        sp_buffer_clear(&c->offsets);
        sp_buffer_clear(&c->values);
        for (int k = 0; k < 4; k++)
            free(c->packed[k]);
    }
    memset(t, 0, sizeof *t);
}

static void append_position(sp_buffer *buffer, uint64_t position)
{
    sp_buffer_append(buffer, &position, sizeof position);
}

table_column *table_add_column(table *t, sp_text name, uint32_t type)
{
    table_column *c;

    if (t->count == TABLE_COLUMNS)
        abort();
    c = &t->columns[t->count++];
    c->name = name;
    c->type = type;
    sp_buffer_init(&c->valid);
    sp_buffer_init(&c->lists);
    sp_buffer_init(&c->offsets);
    sp_buffer_init(&c->values);
    append_position(&c->lists, 0);
    append_position(&c->offsets, 0);
    return c;
}

void table_add_text(table_column *c, sp_text text)
{
    if (text.size)
        sp_buffer_append(&c->values, text.data, text.size);
    append_position(&c->offsets, c->values.size);
    c->elements++;
}

void table_add_int(table_column *c, int64_t value)
{
    sp_buffer_append(&c->values, &value, sizeof value);
    c->elements++;
}

void table_add_float(table_column *c, double value)
{
    sp_buffer_append(&c->values, &value, sizeof value);
    c->elements++;
}

void table_add_bool(table_column *c, int value)
{
    uint8_t byte = value != 0;

    sp_buffer_append(&c->values, &byte, 1);
    c->elements++;
}

void table_end_row(table_column *c, int is_valid)
{
    uint8_t byte = is_valid != 0;

    c->rows++;
    sp_buffer_append(&c->valid, &byte, 1);
    if (c->type & SP_LIST) {
        append_position(&c->lists, c->elements);
        return;
    }
    /* A null takes its place among the values, with something in it. */
    if (c->elements < c->rows) {
        switch (c->type) {
        case SP_TEXT: table_add_text(c, (sp_text){"x", 1}); break;
        case SP_INT64: table_add_int(c, 5); break;
        case SP_FLOAT64: table_add_float(c, 2.5); break;
        default: table_add_bool(c, 1); break;
        }
    }
    if (c->elements != c->rows)
        abort();
}

static void *exact_copy(const void *data, size_t size)
{
    void *copy;

    if (!size)
        return NULL;
    copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    return copy;
}

void table_finish(table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        table_column *c = &t->columns[i];
        size_t bytes = (size_t)(c->rows + 7) / 8;
        uint8_t *bits = calloc(bytes + 1, 1);
        int has_null = 0;

        if (!bits || c->valid.failed || c->values.failed || c->lists.failed || c->offsets.failed)
            abort();
        for (uint64_t row = 0; row < c->rows; row++) {
            if (c->valid.data[row])
                bits[row / 8] |= (uint8_t)(1 << row % 8);
            else
                has_null = 1;
        }
        if (has_null)
            c->packed[0] = exact_copy(bits, bytes);
        free(bits);
        if (c->type & SP_LIST)
            c->packed[1] = exact_copy(c->lists.data, c->lists.size);
        if ((c->type & ~SP_LIST) == SP_TEXT)
            c->packed[2] = exact_copy(c->offsets.data, c->offsets.size);
        c->packed[3] = exact_copy(c->values.data, c->values.size);
        c->column = (sp_column){c->type,      c->rows,      c->packed[0],
                                c->packed[1], c->packed[2], c->packed[3]};
    }
}

static table_column *find(table *t, sp_text name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->columns[i].name.size == name.size &&
            memcmp(t->columns[i].name.data, name.data, name.size) == 0)
            return &t->columns[i];
    return NULL;
}

const sp_column *table_lookup(void *context, uint32_t index, sp_text name)
{
    table_column *c = find(context, name);

    (void)index;
    return c ? &c->column : NULL;
}

uint32_t table_type_of(void *context, sp_text name)
{
    table_column *c = find(context, name);

    return c ? c->type : 0;
}
