/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "page.h"

#include <inttypes.h>
#include <stdio.h>

#include "numbers.h"
#include "pb.h"

/* One FieldData, as it is gone through first. */
typedef struct raw_field {
    int32_t type;
    int is_dynamic;
    const char *name;
    const uint8_t *scalars, *vectors, *valid;
    size_t scalars_size, vectors_size, valid_size;
} raw_field;

/* The readers below say PROTOCOL or OUT_OF_MEMORY and leave the error to this. */
static int32_t failed(milvus_call *call, int32_t code)
{
    return code == SIMPLUGIN_OUT_OF_MEMORY
               ? plug_no_memory(&call->base)
               : plug_fail(&call->base, code, "the server's rows cannot be read");
}

static int32_t well_formed(const pb_reader *reader)
{
    return reader->failed ? SIMPLUGIN_PROTOCOL : SIMPLUGIN_OK;
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

uint64_t milvus_page_row_bytes(const milvus_page *page, uint64_t row)
{
    uint64_t bytes = row < page->id_count ? page->ids[row].size : 0;

    if (page->vectors && row < page->vector_rows)
        bytes += page->vector_bytes;
    for (uint64_t i = 0; i < page->column_count; i++) {
        const milvus_page_column *column = &page->columns[i];
        uint64_t from = row, to = row + 1;

        if (row >= column->count)
            continue;
        if (column->is_list) {
            from = column->lists[row];
            to = column->lists[row + 1];
        }
        for (; from < to && from < column->item_count; from++)
            bytes += column->texts ? column->texts[from].size : sizeof(int64_t);
    }
    return bytes;
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

/* Goes through the rows, each a ScalarField of its own, for their number, kind and items. */
static int32_t lists_count(milvus_page_column *column, const uint8_t *data, size_t size,
                           uint32_t *kind_seen)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field row, kind;

    while (pb_next(&reader, &row)) {
        pb_reader inner = pb_reader_of(row.data, row.size);

        if (row.number != DATA || row.wire != PB_BYTES)
            continue;
        column->count++;
        while (pb_next(&inner, &kind)) {
            if (kind.wire != PB_BYTES || kind.number > SCALARS_STRING ||
                !items_count(kind.data, kind.size, kind.number, &column->item_count))
                return SIMPLUGIN_PROTOCOL;
            *kind_seen = kind.number;
        }
        if (inner.failed)
            return SIMPLUGIN_PROTOCOL;
    }
    return well_formed(&reader);
}

static int32_t list_type(uint32_t kind)
{
    switch (kind) {
    case 0: return 0; /* no row says */
    case SCALARS_BOOL: return MILVUS_BOOL;
    case SCALARS_FLOAT:
    case SCALARS_DOUBLE: return MILVUS_DOUBLE;
    case SCALARS_STRING: return MILVUS_VARCHAR;
    default: return MILVUS_INT64;
    }
}

static int32_t lists_read(milvus_page *page, milvus_page_column *column, const uint8_t *data,
                          size_t size)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field row, kind;
    uint32_t kind_seen = 0;
    uint64_t at = 0, row_number = 0;
    int32_t code = lists_count(column, data, size, &kind_seen);

    if (code)
        return code;
    column->is_list = 1;
    column->type = list_type(kind_seen);
    column->lists = sp_arena_array(&page->memory, column->count + 1, sizeof *column->lists);
    if (!column->lists || !column_room(page, column, kind_seen))
        return SIMPLUGIN_OUT_OF_MEMORY;
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
    return SIMPLUGIN_OK;
}

/* ---- fields --------------------------------------------------------------------------------- */

static int32_t scalars_read(milvus_page *page, milvus_page_column *column, const raw_field *raw)
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
        if (!items_count(kind.data, kind.size, kind.number, &column->item_count))
            return SIMPLUGIN_PROTOCOL;
        if (!column_room(page, column, kind.number))
            return SIMPLUGIN_OUT_OF_MEMORY;
        items_read(column, kind.data, kind.size, kind.number, &at);
        column->count = column->item_count;
        break;
    }
    return well_formed(&reader);
}

static int32_t valid_read(milvus_page *page, milvus_page_column *column, const raw_field *raw)
{
    pb_reader reader = pb_reader_of(raw->valid, raw->valid_size);
    uint64_t value;

    if (!raw->valid_size)
        return SIMPLUGIN_OK;
    column->valid = sp_arena_array(&page->memory, column->count + 1, 1);
    if (!column->valid)
        return SIMPLUGIN_OUT_OF_MEMORY;
    for (uint64_t i = 0; i < column->count && reader.at < reader.end; i++)
        if (pb_next_varint(&reader, &value))
            column->valid[i] = value != 0;
    return well_formed(&reader);
}

static int32_t raw_read(milvus_page *page, const pb_field *from, raw_field *raw)
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
            /* it may become a key of a reply */
            if (!simplugin_utf8_check(field.data, field.size))
                return SIMPLUGIN_PROTOCOL;
            raw->name = text_take(&page->memory, &field);
            if (!raw->name)
                return SIMPLUGIN_OUT_OF_MEMORY;
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
    return well_formed(&reader);
}

/* Rows of so many bytes each. */
static int32_t vectors_take(milvus_page *page, const pb_field *data, uint64_t bytes)
{
    if (!bytes || data->size % bytes)
        return SIMPLUGIN_PROTOCOL;
    page->vectors = data->data;
    page->vector_bytes = bytes;
    page->vector_rows = data->size / bytes;
    return SIMPLUGIN_OK;
}

/* The packed floats, or the bits, of a vector field; other vectors are not looked into. */
static int32_t vectors_read(milvus_page *page, const raw_field *raw, const milvus_field *vector)
{
    pb_reader reader = pb_reader_of(raw->vectors, raw->vectors_size);
    uint64_t dimension = vector->dimension;
    uint32_t kind = vector->type == MILVUS_BINARY_VECTOR ? VECTORS_BINARY : VECTORS_FLOAT;
    int32_t code = SIMPLUGIN_OK;
    pb_field field, data;

    if (!dimension || dimension > UINT32_MAX)
        return SIMPLUGIN_PROTOCOL;
    while (!code && pb_next(&reader, &field)) {
        if (field.number == VECTORS_DIM && field.wire == PB_VARINT && field.value != dimension)
            return SIMPLUGIN_PROTOCOL;
        if (field.number != kind || field.wire != PB_BYTES)
            continue;
        if (kind == VECTORS_BINARY) {
            code = vectors_take(page, &field, dimension / 8);
        } else {
            pb_reader inner = pb_reader_of(field.data, field.size);

            while (!code && pb_next(&inner, &data))
                if (data.number == DATA && data.wire == PB_BYTES)
                    code = vectors_take(page, &data, dimension * sizeof(float));
            if (inner.failed)
                return SIMPLUGIN_PROTOCOL;
        }
    }
    return code ? code : well_formed(&reader);
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

/* The column of keys gives the page its ids. */
static int32_t keys_take(milvus_page *page, const milvus_page_column *column)
{
    if (column->is_list || column->doubles)
        return SIMPLUGIN_PROTOCOL;
    page->ids = keys_of(&page->memory, column);
    page->id_count = column->count;
    return page->ids ? SIMPLUGIN_OK : SIMPLUGIN_OUT_OF_MEMORY;
}

static int32_t field_take(milvus_call *call, milvus_page *page, const pb_field *field)
{
    milvus_page_column *column = &page->columns[page->column_count];
    const milvus_schema *schema = call->schema;
    raw_field raw;
    int32_t code = raw_read(page, field, &raw);

    if (code)
        return code;
    if (raw.vectors)
        return raw.name && strcmp(raw.name, schema->vector->name) == 0
                   ? vectors_read(page, &raw, schema->vector)
                   : SIMPLUGIN_OK;
    code = scalars_read(page, column, &raw);
    if (!code)
        code = valid_read(page, column, &raw);
    if (code)
        return code;
    if (strcmp(column->name, "count(*)") == 0) {
        page->total = column->integers && column->count ? column->integers[0] : 0;
        memset(column, 0, sizeof *column);
        return SIMPLUGIN_OK;
    }
    if (strcmp(column->name, MILVUS_DYNAMIC) == 0)
        column->is_dynamic = 1;
    if (column->count > page->count)
        page->count = column->count;
    page->column_count++;
    return strcmp(column->name, schema->key->name) == 0 ? keys_take(page, column) : SIMPLUGIN_OK;
}

/* Every column, and the vectors, have one value a row. */
static int32_t counts_check(milvus_page *page)
{
    if (page->vectors && page->vector_rows > page->count)
        page->count = page->vector_rows;
    if ((page->vectors && page->vector_rows != page->count) ||
        (page->ids && page->id_count != page->count))
        return SIMPLUGIN_PROTOCOL;
    for (uint64_t i = 0; i < page->column_count; i++)
        if (page->columns[i].count && page->columns[i].count != page->count)
            return SIMPLUGIN_PROTOCOL;
    return SIMPLUGIN_OK;
}

int32_t milvus_page_read(milvus_call *call, const uint8_t *data, size_t size, uint32_t number,
                         milvus_page *page)
{
    pb_reader reader = pb_reader_of(data, size);
    pb_field field;
    uint64_t fields = 0;
    int32_t code;

    memset(page, 0, sizeof *page);
    page->total = -1;
    while (pb_next(&reader, &field))
        fields += field.number == number;
    code = well_formed(&reader);
    page->columns = sp_arena_array(&page->memory, fields + 1, sizeof *page->columns);
    if (!code && !page->columns)
        code = SIMPLUGIN_OUT_OF_MEMORY;
    reader = pb_reader_of(data, size);
    while (!code && pb_next(&reader, &field))
        if (field.number == number && field.wire == PB_BYTES)
            code = field_take(call, page, &field);
    if (!code)
        code = counts_check(page);
    return code ? failed(call, code) : SIMPLUGIN_OK;
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
            return failed(call, SIMPLUGIN_PROTOCOL);
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
    return reader.failed ? failed(call, SIMPLUGIN_PROTOCOL) : SIMPLUGIN_OK;
}
