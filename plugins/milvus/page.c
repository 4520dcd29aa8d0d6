/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "page.h"

#include <inttypes.h>
#include <stdio.h>

#include "pb.h"

enum {
    FIELD_TYPE = 1,
    FIELD_NAME = 2,
    FIELD_SCALARS = 3,
    FIELD_VECTORS = 4,
    FIELD_DYNAMIC = 6,
    FIELD_VALID = 7,
    SCALARS_BOOL = 1,
    SCALARS_INT = 2,
    SCALARS_LONG = 3,
    SCALARS_FLOAT = 4,
    SCALARS_DOUBLE = 5,
    SCALARS_STRING = 6,
    SCALARS_BYTES = 7,
    SCALARS_ARRAY = 8,
    SCALARS_JSON = 9,
    VECTORS_DIM = 1,
    VECTORS_FLOAT = 2,
    DATA = 1,
    IDS_INT = 1,
    IDS_STRING = 2,
};

/* One FieldData, as it is gone through first. */
typedef struct raw_field {
    int32_t type;
    int is_dynamic;
    const char *name;
    const uint8_t *scalars, *vectors, *valid;
    size_t scalars_size, vectors_size, valid_size;
} raw_field;

static int32_t damaged(milvus_call *call)
{
    return plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server's rows cannot be read");
}

static const char *text_take(sp_arena **memory, const pb_field *field)
{
    return sp_arena_text(memory, (const char *)field->data, field->size);
}

void milvus_page_clear(milvus_page *page)
{
    sp_arena_free(&page->memory);
    memset(page, 0, sizeof *page);
}

/* ---- items ------------------------------------------------------------------------------ */

/* How many items of a field numbered DATA there are: packed numbers, or texts. */
static int items_count(const uint8_t *data, size_t size, uint32_t kind, uint64_t *count)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field field;

    while (pb_next(&reader, &field)) {
        if (field.number != DATA)
            continue;
        if (kind == SCALARS_STRING || kind == SCALARS_BYTES || kind == SCALARS_JSON ||
            field.wire != PB_BYTES) {
            ++*count;
        } else if (kind == SCALARS_FLOAT || kind == SCALARS_DOUBLE) {
            *count += field.size / (kind == SCALARS_FLOAT ? 4 : 8);
        } else {
            pb_reader packed = pb_reader_of(field.data, field.size);
            uint64_t value;

            while (packed.at < packed.end && pb_next_varint(&packed, &value))
                ++*count;
            if (packed.failed)
                return 0;
        }
    }
    return !reader.failed;
}

static void number_put(milvus_page_column *column, uint32_t kind, uint64_t bits, uint64_t at)
{
    if (kind == SCALARS_FLOAT) {
        uint32_t low = (uint32_t)bits;
        float value;

        memcpy(&value, &low, sizeof value);
        column->doubles[at] = (double)value;
    } else if (kind == SCALARS_DOUBLE) {
        memcpy(&column->doubles[at], &bits, sizeof bits);
    } else {
        column->integers[at] = (int64_t)bits;
    }
}

/* Puts the items from *at on; they were counted before. */
static void items_read(milvus_page_column *column, const uint8_t *data, size_t size, uint32_t kind,
                       uint64_t *at)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field field;
    uint64_t value;

    while (pb_next(&reader, &field)) {
        if (field.number != DATA)
            continue;
        if (kind == SCALARS_STRING || kind == SCALARS_BYTES || kind == SCALARS_JSON) {
            column->texts[*at].data = field.data ? (const char *)field.data : "";
            column->texts[(*at)++].size = field.size;
        } else if (field.wire != PB_BYTES) {
            number_put(column, kind, field.value, (*at)++);
        } else if (kind == SCALARS_FLOAT || kind == SCALARS_DOUBLE) {
            size_t width = kind == SCALARS_FLOAT ? 4 : 8;

            for (size_t i = 0; i + width <= field.size; i += width) {
                value = 0;
                memcpy(&value, field.data + i, width);
                number_put(column, kind, value, (*at)++);
            }
        } else {
            pb_reader packed = pb_reader_of(field.data, field.size);

            while (packed.at < packed.end && pb_next_varint(&packed, &value))
                number_put(column, kind, value, (*at)++);
        }
    }
}

static int column_room(milvus_page *page, milvus_page_column *column, uint32_t kind)
{
    if (kind == SCALARS_STRING || kind == SCALARS_BYTES || kind == SCALARS_JSON)
        column->texts = sp_arena_array(&page->memory, column->item_count + 1, sizeof *column->texts);
    else if (kind == SCALARS_FLOAT || kind == SCALARS_DOUBLE)
        column->doubles =
            sp_arena_array(&page->memory, column->item_count + 1, sizeof *column->doubles);
    else
        column->integers =
            sp_arena_array(&page->memory, column->item_count + 1, sizeof *column->integers);
    return column->texts || column->doubles || column->integers;
}

/* ---- lists -------------------------------------------------------------------------------- */

/* Each row of an ARRAY field is a ScalarField of its own. */
static int lists_read(milvus_page *page, milvus_page_column *column, const uint8_t *data,
                      size_t size)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field row, kind;
    uint32_t kind_seen = 0;
    uint64_t at = 0, row_number = 0;

    while (pb_next(&reader, &row)) {
        pb_reader inner = pb_reader_of(row.data, row.size);

        if (row.number != DATA || row.wire != PB_BYTES)
            continue;
        column->count++;
        while (pb_next(&inner, &kind)) {
            if (kind.wire != PB_BYTES || kind.number > SCALARS_STRING ||
                !items_count(kind.data, kind.size, kind.number, &column->item_count))
                return 0;
            kind_seen = kind.number;
        }
        if (inner.failed)
            return 0;
    }
    column->is_list = 1;
    column->type = kind_seen == SCALARS_BOOL                                     ? MILVUS_BOOL
                   : kind_seen == SCALARS_FLOAT || kind_seen == SCALARS_DOUBLE ? MILVUS_DOUBLE
                   : kind_seen == SCALARS_STRING                                 ? MILVUS_VARCHAR
                   : kind_seen                                                   ? MILVUS_INT64
                                                                                 : 0;
    column->lists = sp_arena_array(&page->memory, column->count + 1, sizeof *column->lists);
    if (reader.failed || !column->lists || !column_room(page, column, kind_seen))
        return 0;
    reader = pb_reader_of(data, size);
    while (pb_next(&reader, &row)) {
        pb_reader inner = pb_reader_of(row.data, row.size);

        if (row.number != DATA || row.wire != PB_BYTES)
            continue;
        while (pb_next(&inner, &kind))
            if (kind.number == kind_seen)
                items_read(column, kind.data, kind.size, kind_seen, &at);
        column->lists[++row_number] = at;
    }
    column->item_count = at;
    return 1;
}

/* ---- fields --------------------------------------------------------------------------------- */

static int scalars_read(milvus_page *page, milvus_page_column *column, const raw_field *raw)
{
    pb_reader reader = pb_reader_of(raw->scalars, raw->scalars_size);
    pb_field kind;
    uint64_t at = 0;

    column->name = raw->name ? raw->name : "";
    column->is_dynamic = raw->is_dynamic;
    column->type = raw->type;
    while (pb_next(&reader, &kind)) {
        if (kind.wire != PB_BYTES || kind.number > SCALARS_JSON)
            continue;
        if (kind.number == SCALARS_ARRAY)
            return lists_read(page, column, kind.data, kind.size);
        if (!items_count(kind.data, kind.size, kind.number, &column->item_count) ||
            !column_room(page, column, kind.number))
            return 0;
        items_read(column, kind.data, kind.size, kind.number, &at);
        column->count = column->item_count;
        break;
    }
    return !reader.failed;
}

static int valid_read(milvus_page *page, milvus_page_column *column, const raw_field *raw)
{
    pb_reader reader = pb_reader_of(raw->valid, raw->valid_size);
    uint64_t value;

    if (!raw->valid_size)
        return 1;
    column->valid = sp_arena_array(&page->memory, column->count + 1, 1);
    if (!column->valid)
        return 0;
    for (uint64_t i = 0; i < column->count && reader.at < reader.end; i++)
        if (pb_next_varint(&reader, &value))
            column->valid[i] = value != 0;
    return !reader.failed;
}

static int raw_read(milvus_page *page, const pb_field *from, raw_field *raw)
{
    pb_reader reader = pb_reader_of(from->data, from->size);
    pb_field field;

    memset(raw, 0, sizeof *raw);
    while (pb_next(&reader, &field)) {
        if (field.number == FIELD_TYPE)
            raw->type = (int32_t)field.value;
        else if (field.number == FIELD_DYNAMIC)
            raw->is_dynamic = field.value != 0;
        else if (field.wire != PB_BYTES)
            continue;
        else if (field.number == FIELD_NAME) {
            raw->name = text_take(&page->memory, &field);
            if (!raw->name)
                return 0;
        } else if (field.number == FIELD_SCALARS) {
            raw->scalars = field.data;
            raw->scalars_size = field.size;
        } else if (field.number == FIELD_VECTORS) {
            raw->vectors = field.data;
            raw->vectors_size = field.size;
        } else if (field.number == FIELD_VALID) {
            raw->valid = field.data;
            raw->valid_size = field.size;
        }
    }
    return !reader.failed;
}

/* The packed floats of a vector field; other vectors are not looked into. */
static int vectors_read(milvus_page *page, const raw_field *raw, uint64_t dimension)
{
    pb_reader reader = pb_reader_of(raw->vectors, raw->vectors_size);
    pb_field field, data;

    while (pb_next(&reader, &field)) {
        if (field.number == VECTORS_DIM && field.wire == PB_VARINT && field.value != dimension)
            return 0;
        if (field.number != VECTORS_FLOAT || field.wire != PB_BYTES)
            continue;
        {
            pb_reader inner = pb_reader_of(field.data, field.size);

            while (pb_next(&inner, &data))
                if (data.number == DATA && data.wire == PB_BYTES) {
                    page->vectors = data.data;
                    page->vector_bytes = dimension * sizeof(float);
                    if (data.size % page->vector_bytes)
                        return 0;
                    page->vector_rows = data.size / page->vector_bytes;
                }
            if (inner.failed)
                return 0;
        }
    }
    return !reader.failed;
}

static sp_text number_text(sp_arena **memory, int64_t number)
{
    char digits[24];
    sp_text text = {NULL, 0};

    text.size = (size_t)snprintf(digits, sizeof digits, "%" PRId64, number);
    text.data = sp_arena_text(memory, digits, text.size);
    return text;
}

/* Keys as text, whatever they are. */
static sp_text *keys_of(sp_arena **memory, const milvus_page_column *column)
{
    sp_text *ids = column->texts;

    if (ids)
        return ids;
    ids = sp_arena_array(memory, column->count + 1, sizeof *ids);
    for (uint64_t i = 0; ids && column->integers && i < column->count; i++) {
        ids[i] = number_text(memory, column->integers[i]);
        if (!ids[i].data)
            return NULL;
    }
    return ids;
}

int32_t milvus_page_read(milvus_call *call, const uint8_t *data, size_t size, uint32_t number,
                         milvus_page *page)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field field;
    uint64_t fields = 0;

    memset(page, 0, sizeof *page);
    page->total = -1;
    while (pb_next(&reader, &field))
        fields += field.number == number;
    page->columns = sp_arena_array(&page->memory, fields + 1, sizeof *page->columns);
    if (reader.failed)
        return damaged(call);
    if (!page->columns)
        return plug_no_memory(&call->base);
    reader = pb_reader_of(data, size);
    while (pb_next(&reader, &field)) {
        milvus_page_column *column = &page->columns[page->column_count];
        raw_field raw;

        if (field.number != number || field.wire != PB_BYTES)
            continue;
        if (!raw_read(page, &field, &raw))
            return damaged(call);
        if (raw.vectors) {
            if (raw.name && strcmp(raw.name, call->schema->vector->name) == 0 &&
                !vectors_read(page, &raw, call->schema->vector->dimension))
                return damaged(call);
            continue;
        }
        if (!scalars_read(page, column, &raw) || !valid_read(page, column, &raw))
            return damaged(call);
        if (strcmp(column->name, "count(*)") == 0) {
            page->total = column->integers && column->count ? column->integers[0] : 0;
            continue;
        }
        if (strcmp(column->name, MILVUS_DYNAMIC) == 0)
            column->is_dynamic = 1;
        if (strcmp(column->name, call->schema->key->name) == 0) {
            page->ids = keys_of(&page->memory, column);
            page->id_count = column->count;
            if (!page->ids)
                return plug_no_memory(&call->base);
        }
        if (column->count > page->count)
            page->count = column->count;
        page->column_count++;
    }
    if (page->vectors && page->vector_rows > page->count)
        page->count = page->vector_rows;
    if (page->vectors && page->vector_rows != page->count)
        return damaged(call);
    for (uint64_t i = 0; i < page->column_count; i++)
        if (page->columns[i].count && page->columns[i].count != page->count)
            return damaged(call);
    return page->ids && page->id_count != page->count ? damaged(call) : SIMPLUGIN_OK;
}

int32_t milvus_ids_read(milvus_call *call, const uint8_t *data, size_t size, sp_arena **memory,
                        sp_text **ids, uint64_t *count)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field field;

    *ids = NULL;
    *count = 0;
    while (pb_next(&reader, &field)) {
        milvus_page page = {0};
        milvus_page_column column = {0};
        uint32_t kind = field.number == IDS_INT ? SCALARS_LONG : SCALARS_STRING;
        uint64_t at = 0;

        if (field.wire != PB_BYTES || field.number > IDS_STRING)
            continue;
        page.memory = *memory;
        if (!items_count(field.data, field.size, kind, &column.item_count))
            return damaged(call);
        if (column_room(&page, &column, kind)) {
            items_read(&column, field.data, field.size, kind, &at);
            column.count = column.item_count;
            *ids = keys_of(&page.memory, &column);
        }
        *memory = page.memory;
        *count = column.count;
        if (!*ids)
            return plug_no_memory(&call->base);
    }
    return reader.failed ? damaged(call) : SIMPLUGIN_OK;
}
