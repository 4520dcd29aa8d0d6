/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "gather.h"

/* How many rows are copied between looks at the clock. */
#define ROWS_PER_CHECK 4096

int32_t flat_gather_init(flat_gather *gather, flat_call *call, flat_snapshot *snapshot,
                         const plug_names *fields)
{
    const flat_field *known;
    uint64_t known_count;

    memset(gather, 0, sizeof *gather);
    gather->call = call;
    gather->snapshot = snapshot;
    gather->blocks = flat_snapshot_blocks(snapshot, &gather->block_count);
    gather->tail = flat_snapshot_tail(snapshot, &gather->tail_count);
    known = flat_snapshot_fields(snapshot, &known_count);
    if (!fields->all && !fields->count)
        return SIMPLUGIN_OK;
    gather->sources = plug_scratch(&call->base, known_count + 1, sizeof *gather->sources);
    if (!gather->sources)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < known_count; i++) {
        flat_source *source = &gather->sources[gather->source_count];
        int asked = fields->all;

        for (uint64_t j = 0; !asked && j < fields->count; j++)
            asked = strcmp(fields->names[j], known[i].name) == 0;
        if (!asked)
            continue;
        source->name = known[i].name;
        source->type = known[i].type;
        source->columns = plug_scratch(&call->base, gather->block_count + 1, sizeof *source->columns);
        source->states = plug_scratch(&call->base, gather->block_count + 1, 1);
        if (!source->columns || !source->states)
            return plug_no_memory(&call->base);
        gather->source_count++;
    }
    return SIMPLUGIN_OK;
}

static int block_has(const flat_block *block, uint64_t row)
{
    return row >= block->first_row && row - block->first_row < block->rows;
}

void flat_gather_place(flat_gather *gather, uint64_t row, uint64_t *block, uint64_t *slot)
{
    uint64_t low = 0, high = gather->block_count;

    if (gather->last_block < gather->block_count &&
        block_has(&gather->blocks[gather->last_block], row)) {
        *block = gather->last_block;
        *slot = row - gather->blocks[*block].first_row;
        return;
    }
    /* the last block that begins at or before the row */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (gather->blocks[middle].first_row <= row)
            low = middle + 1;
        else
            high = middle;
    }
    if (low && block_has(&gather->blocks[low - 1], row)) {
        *block = gather->last_block = low - 1;
        *slot = row - gather->blocks[low - 1].first_row;
        return;
    }
    low = 0;
    high = gather->tail_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (gather->tail[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    *block = gather->block_count;
    *slot = low;
}

/* The column of a field where the row is, and the row's place in it; NULL: it has no value. */
static int32_t cell_find(flat_gather *gather, flat_source *source, uint64_t row,
                         const sp_column **column, uint64_t *slot)
{
    uint64_t block;
    int present = 0;
    int32_t code;

    *column = NULL;
    flat_gather_place(gather, row, &block, slot);
    if (!source->states[block]) {
        code = flat_snapshot_column(gather->snapshot,
                                    block == gather->block_count ? UINT64_MAX : block,
                                    source->name, &source->columns[block], &present,
                                    gather->call->base.error);
        if (code)
            return code;
        source->states[block] = present ? 2 : 1;
    }
    if (source->states[block] == 2 && *slot < source->columns[block].count &&
        sp_column_is_valid(&source->columns[block], *slot))
        *column = &source->columns[block];
    return SIMPLUGIN_OK;
}

static uint64_t item_size(uint32_t type)
{
    return (type & ~SP_LIST) == SP_BOOL ? 1 : 8;
}

/* The items and bytes of a row's value. */
static void cell_measure(const sp_column *column, uint64_t slot, uint64_t *first, uint64_t *items,
                         uint64_t *begin, uint64_t *bytes)
{
    *first = slot;
    *items = 1;
    if (column->type & SP_LIST) {
        *first = (uint64_t)column->list_offsets[slot];
        *items = (uint64_t)column->list_offsets[slot + 1] - *first;
    }
    if (column->offsets) {
        *begin = (uint64_t)column->offsets[*first];
        *bytes = (uint64_t)column->offsets[*first + *items] - *begin;
    } else {
        *begin = *first * item_size(column->type);
        *bytes = *items * item_size(column->type);
    }
}

int32_t flat_gather_field_bytes(flat_gather *gather, uint64_t row, uint64_t *bytes)
{
    const sp_column *column;
    uint64_t slot, first, items, begin, size;
    int32_t code = SIMPLUGIN_OK;

    *bytes = 0;
    for (uint64_t i = 0; !code && i < gather->source_count; i++) {
        code = cell_find(gather, &gather->sources[i], row, &column, &slot);
        if (code || !column)
            continue;
        cell_measure(column, slot, &first, &items, &begin, &size);
        *bytes += size + 8;
    }
    return code;
}

int32_t flat_gather_ids(flat_gather *gather, const char *key, const uint64_t *rows, uint64_t count)
{
    flat_call *call = gather->call;
    sp_column ids = {.type = SP_TEXT, .count = count};
    int64_t *offsets = plug_reply_array(&call->base, count + 1, sizeof *offsets);
    char *values;

    if (!offsets)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++)
        offsets[i + 1] =
            offsets[i] + (int64_t)flat_snapshot_id(gather->snapshot, rows[i]).size;
    values = plug_reply_array(&call->base, (uint64_t)offsets[count] + 1, 1);
    if (!values)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++) {
        sp_text id = flat_snapshot_id(gather->snapshot, rows[i]);

        if (id.size)
            memcpy(values + offsets[i], id.data, id.size);
    }
    ids.offsets = offsets;
    ids.values = values;
    simplugin_write_string(&call->base.out, key);
    simplugin_write_column(&call->base.out, &ids);
    return SIMPLUGIN_OK;
}

int32_t flat_gather_vectors(flat_gather *gather, const uint64_t *rows, uint64_t count)
{
    flat_call *call = gather->call;
    uint64_t dimension = flat_store_schema(call->store)->dimension;
    simplugin_tensor tensor;
    int32_t code;
    float *data = plug_reply_array(&call->base, count, dimension * sizeof *data);

    if (!data)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++) {
        if (i % ROWS_PER_CHECK == 0 && (code = plug_check(&call->base)) != SIMPLUGIN_OK)
            return code;
        memcpy(data + i * dimension, flat_snapshot_vector(gather->snapshot, rows[i]),
               (size_t)dimension * sizeof *data);
    }
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, dimension);
    simplugin_write_string(&call->base.out, "vectors");
    simplugin_write_tensor(&call->base.out, &tensor);
    return SIMPLUGIN_OK;
}

/* One field's column: a pass that measures, and one that copies. */
static int32_t field_gather(flat_gather *gather, flat_source *source, const uint64_t *rows,
                            uint64_t count)
{
    flat_call *call = gather->call;
    int is_list = (source->type & SP_LIST) != 0;
    int is_text = (source->type & ~SP_LIST) == SP_TEXT;
    /* a row without a value takes up a place, of that many bytes, where there are no lists */
    uint64_t filler = is_list || is_text ? 0 : item_size(source->type);
    uint64_t all_items = 0, all_bytes = 0, at = 0, item = 0;
    uint64_t slot, first, items, begin, bytes;
    const sp_column *column;
    sp_column out = {.type = source->type, .count = count};
    int64_t *offsets = NULL, *lists = NULL;
    uint8_t *valid, *values;
    int32_t code;

    for (uint64_t i = 0; i < count; i++) {
        if (i % ROWS_PER_CHECK == 0 && (code = plug_check(&call->base)) != SIMPLUGIN_OK)
            return code;
        code = cell_find(gather, source, rows[i], &column, &slot);
        if (code)
            return code;
        items = is_list ? 0 : 1;
        bytes = filler;
        if (column)
            cell_measure(column, slot, &first, &items, &begin, &bytes);
        all_items += items;
        all_bytes += bytes;
    }
    valid = plug_reply_array(&call->base, count / 8 + 1, 1);
    values = plug_reply_array(&call->base, all_bytes + 1, 1);
    if (is_text)
        offsets = plug_reply_array(&call->base, all_items + 1, sizeof *offsets);
    if (is_list)
        lists = plug_reply_array(&call->base, count + 1, sizeof *lists);
    if (!valid || !values || (is_text && !offsets) || (is_list && !lists))
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++) {
        /* what failed would have failed above */
        cell_find(gather, source, rows[i], &column, &slot);
        if (column) {
            cell_measure(column, slot, &first, &items, &begin, &bytes);
            if (bytes)
                memcpy(values + at, (const uint8_t *)column->values + begin, (size_t)bytes);
            for (uint64_t j = 0; is_text && j < items; j++)
                offsets[item + j + 1] =
                    (int64_t)at + column->offsets[first + j + 1] - column->offsets[first];
            valid[i / 8] |= (uint8_t)(1 << i % 8);
        } else {
            items = is_list ? 0 : 1;
            bytes = filler;
            if (is_text && items)
                offsets[item + 1] = (int64_t)at;
        }
        at += bytes;
        item += items;
        if (is_list)
            lists[i + 1] = (int64_t)item;
    }
    out.valid = valid;
    out.values = values;
    out.offsets = offsets;
    out.list_offsets = lists;
    simplugin_write_string(&call->base.out, source->name);
    simplugin_write_column(&call->base.out, &out);
    return SIMPLUGIN_OK;
}

int32_t flat_gather_fields(flat_gather *gather, const uint64_t *rows, uint64_t count)
{
    int32_t code = SIMPLUGIN_OK;

    simplugin_write_string(&gather->call->base.out, "fields");
    simplugin_write_map(&gather->call->base.out, gather->source_count);
    for (uint64_t i = 0; !code && i < gather->source_count; i++)
        code = field_gather(gather, &gather->sources[i], rows, count);
    return code;
}
