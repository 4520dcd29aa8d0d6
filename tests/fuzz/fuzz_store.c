/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a store's file, as any bytes: the first says as what they are read, the
 * second gives the dimension. Whatever a decoder lets through is then read to the end.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t seen;

static void look(const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        seen += bytes[i];
}

/* Every row through a builder and back. */
static void read_column(const uint8_t *data, size_t size, uint32_t type)
{
    flat_builder builder;
    sp_column column, again;
    sp_buffer bytes;

    if (flat_column_decode(data, size, type, UINT64_MAX, &column))
        return;
    flat_builder_init(&builder, type);
    sp_buffer_init(&bytes);
    for (uint64_t row = 0; row < column.count; row++)
        flat_builder_append(&builder, &column, row);
    if (flat_builder_finish(&builder, &bytes) &&
        flat_column_decode(bytes.data, bytes.size, type, column.count, &again))
        abort();
    flat_builder_clear(&builder);
    sp_buffer_clear(&bytes);
}

/* A copy at an address that is a multiple of 8, as in the store. */
static void read_columns(const uint8_t *data, size_t size)
{
    static const uint32_t types[] = {SP_TEXT, SP_INT64, SP_FLOAT64, SP_BOOL};
    uint8_t *copy = malloc(size + 1);

    if (!copy)
        return;
    memcpy(copy, data, size);
    for (size_t i = 0; i < 4; i++) {
        read_column(copy, size, types[i]);
        read_column(copy, size, types[i] | SP_LIST);
    }
    free(copy);
}

static void read_tail(const uint8_t *data, size_t size, const flat_shape *shape)
{
    flat_tail_view view;
    size_t position = 0, column_size = 0;
    const void *column = NULL;
    uint32_t field = 0;

    if (flat_tail_decode(data, size, shape, &view))
        return;
    look(view.vector, (size_t)shape->dimension * sizeof(float));
    while (flat_tail_next(&view, &position, &field, &column, &column_size) > 0)
        read_columns(column, column_size);
}

static void read_schema(const uint8_t *data, size_t size)
{
    flat_schema_view view;
    uint32_t version;

    if (flat_schema_decode(data, size, &view, &version))
        return;
    look(view.name.data, view.name.size);
    look(view.metric.data, view.metric.size);
    look(view.attributes.data, view.attributes.size);
}

static void read_fields(const uint8_t *data, size_t size)
{
    const char *what = NULL;
    flat_fields fields;
    sp_buffer bytes;

    if (flat_fields_decode(data, size, &fields, &what) != SIMPLUGIN_OK)
        return;
    sp_buffer_init(&bytes);
    flat_fields_encode(&bytes, &fields);
    if (!bytes.failed && (bytes.size != size || (size && memcmp(bytes.data, data, size))))
        abort();
    sp_buffer_clear(&bytes);
    flat_fields_clear(&fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flat_shape shape;
    flat_record record;
    flat_state state;
    uint32_t kind, field, rows;
    uint64_t block;

    if (size < 2)
        return 0;
    flat_shape_init(&shape, (uint64_t)data[1] + 1);
    rows = (uint32_t)data[1] + 1;
    data += 2;
    size -= 2;
    switch (data[-2] % 8) {
    case 0:
        read_columns(data, size);
        break;
    case 1:
        read_tail(data, size, &shape);
        break;
    case 2:
        read_schema(data, size);
        break;
    case 3:
        read_fields(data, size);
        break;
    case 4:
        if (!flat_record_decode(data, size, &shape, &record) && record.dead)
            look(record.dead, (record.rows + 7) / 8);
        break;
    case 5:
        for (uint32_t slot = 0; slot <= rows; slot++) {
            sp_text id = flat_ids_get(data, size, rows, slot);

            look(id.data, id.size);
        }
        break;
    case 6:
        flat_state_decode(data, size, &state);
        break;
    default:
        flat_key_parse(data, size, &kind, &field, &block);
    }
    return 0;
}
