/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "copy_plan.h"
#include "gather.h"

void sp_copy_block_init(sp_copy_block *block)
{
    memset(block, 0, sizeof *block);
    block->page.reply.size = sizeof block->page.reply;
}

void sp_copy_block_clear(sp_copy_block *block)
{
    sp_points_clear(&block->page);
    sp_arena_free(&block->arena);
    free(block->cursor);
    sp_copy_block_init(block);
}

/* ---- reading ------------------------------------------------------------------------------ */

static int is_finite_row(const sp_column *column, uint64_t row)
{
    const double *values = column->values;
    uint64_t from = row, to = row + 1;

    if (!sp_column_is_valid(column, row))
        return 1;
    if (column->type & SP_LIST) {
        from = (uint64_t)column->list_offsets[row];
        to = (uint64_t)column->list_offsets[row + 1];
    }
    while (from < to && isfinite(values[from]))
        from++;
    return from == to;
}

/* Values that the target does not store become missing ones. 0: no memory. */
static int finite_make(sp_copy_block *block, sp_column *column)
{
    uint64_t count = column->count, row = 0;
    uint64_t *rows;

    while (row < count && is_finite_row(column, row))
        row++;
    if (row == count)
        return 1;
    rows = sp_arena_array(&block->arena, count, sizeof *rows);
    if (!rows)
        return 0;
    for (uint64_t i = 0; i < count; i++)
        rows[i] = is_finite_row(column, i) ? i : SP_ROW_NONE;
    return sp_column_gather(column, rows, count, &block->arena, column);
}

static int32_t columns_settle(sp_copy_block *block, sp_copy_types *types,
                              const sp_describe *target, simplugin_error **error)
{
    int nonfinite = sp_copy_stores_nonfinite(target);
    uint64_t kept = 0;
    int32_t code;

    for (uint64_t i = 0; i < block->columns.count; i++) {
        sp_column column = block->columns.columns[i];

        code = sp_copy_types_apply(types, block->columns.names[i], &block->page.ids, &column,
                                   &block->arena, error);
        if (code)
            return code;
        if (!sp_copy_stores(target, column.type))
            continue;
        if (!nonfinite && (column.type & ~SP_LIST) == SP_FLOAT64 && !finite_make(block, &column))
            return sp_error_no_memory(error);
        block->columns.names[kept] = block->columns.names[i];
        block->columns.columns[kept++] = column;
    }
    block->columns.count = kept;
    return SIMPLUGIN_OK;
}

static uint64_t tensors_bytes(const simplugin_reply *reply)
{
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < reply->tensor_count; i++)
        bytes += reply->tensors[i].rows * simplugin_tensor_row_bytes(&reply->tensors[i]);
    return bytes;
}

/* What is behind the page, again where memory was short before. */
static int32_t block_settle(sp_copy_block *block, const sp_walk *walk, sp_copy_types *types,
                            const sp_describe *target, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    sp_arena_free(&block->arena);
    memset(&block->columns, 0, sizeof block->columns);
    if (!walk->done && !block->cursor) {
        block->cursor_size = walk->cursor_size;
        block->cursor = malloc(walk->cursor_size + 1);
        if (!block->cursor)
            return sp_error_no_memory(error);
        memcpy(block->cursor, walk->cursor, walk->cursor_size);
    }
    if (block->page.fields.type)
        code = sp_points_columns(walk->index, &block->page, &block->arena, &block->columns, error);
    return code ? code : columns_settle(block, types, target, error);
}

int32_t sp_copy_block_read(sp_copy_block *block, sp_walk *walk, sp_copy_types *types,
                           const sp_describe *target, const sp_context *context,
                           simplugin_error **error)
{
    int more;
    int32_t code = SIMPLUGIN_OK;

    if (!block->is_taken) {
        sp_copy_block_clear(block);
        code = sp_walk_next(walk, context, &more, error);
    }
    if (!code && !block->is_taken) {
        /* what points into the reply stays where it is when the reply changes hands */
        block->page = walk->page;
        memset(&walk->page, 0, sizeof walk->page);
        walk->page.reply.size = sizeof walk->page.reply;
        block->bytes = tensors_bytes(&block->page.reply);
        block->is_taken = 1;
    }
    if (!code)
        code = block_settle(block, walk, types, target, error);
    block->is_read = !code;
    return code;
}

/* ---- reading ahead ------------------------------------------------------------------------ */

static void *reader_run(void *context)
{
    sp_copy_reader *reader = context;

    reader->code = sp_copy_block_read(reader->block, reader->walk, reader->types,
                                      reader->target, &reader->context, &reader->error);
    return NULL;
}

void sp_copy_reader_start(sp_copy_reader *reader, sp_copy_block *block, sp_walk *walk,
                          sp_copy_types *types, const sp_describe *target,
                          const sp_context *context)
{
    memset(reader, 0, sizeof *reader);
    reader->block = block;
    reader->walk = walk;
    reader->types = types;
    reader->target = target;
    reader->context = *context;
    reader->is_running = !pthread_create(&reader->thread, NULL, reader_run, reader);
}

int32_t sp_copy_reader_join(sp_copy_reader *reader, simplugin_error **error)
{
    if (!reader->is_running)
        return SIMPLUGIN_OK;
    pthread_join(reader->thread, NULL);
    reader->is_running = 0;
    if (error) {
        simplugin_error_free(error);
        *error = reader->error;
    } else {
        simplugin_error_free(&reader->error);
    }
    reader->error = NULL;
    return reader->code;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* How many rows from first on make a request that stays below what the backend likes. */
static uint64_t rows_fit(const sp_copy_block *block, uint64_t limit)
{
    uint64_t first = block->written, left = block->page.count - first, count = 0, bytes = 0;
    uint64_t vector = block->page.vectors->cols * sizeof(float);

    if (limit == UINT64_MAX || (!first && block->bytes <= limit))
        return left;
    while (count < left) {
        bytes += vector + sp_column_row_bytes(&block->page.ids, first + count);
        for (uint64_t i = 0; i < block->columns.count; i++)
            bytes += sp_column_row_bytes(&block->columns.columns[i], first + count);
        if (count && bytes > limit)
            break;
        count++;
    }
    return count;
}

static int32_t rows_send(sp_copy_block *block, sp_index *target, uint64_t count,
                         const sp_context *context, simplugin_error **error)
{
    const sp_points *page = &block->page;
    int all = count == page->count;
    simplugin_reply reply = SP_REPLY_INIT;
    int64_t *rows = NULL;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    if (!all) {
        rows = sp_arena_array(&block->arena, count, sizeof *rows);
        if (!rows)
            return sp_error_no_memory(error);
        for (uint64_t i = 0; i < count; i++)
            rows[i] = (int64_t)(block->written + i);
    }
    simplugin_write_map(&writer, 3 + (uint64_t)(block->columns.count != 0) + (uint64_t)!all);
    sp_index_write_collection(target, &writer);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &page->ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, page->vectors);
    if (block->columns.count) {
        simplugin_write_string(&writer, "fields");
        sp_write_columns(&writer, &block->columns);
    }
    if (!all) {
        simplugin_write_string(&writer, "rows");
        sp_write_array(&writer, SIMPLUGIN_INT64, rows, count);
    }
    code = sp_connection_send(target->connection, context, "points.upsert", &writer, &reply, error);
    if (!code)
        block->written += count;
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_copy_block_write(sp_copy_block *block, sp_index *target, const sp_context *context,
                            simplugin_error **error)
{
    uint64_t limit = sp_connection_describe(target->connection)->batch_bytes;
    int32_t code = SIMPLUGIN_OK;

    while (!code && block->written < block->page.count) {
        code = sp_context_check(context, "points.upsert", error);
        if (!code)
            code = rows_send(block, target, rows_fit(block, limit), context, error);
    }
    return code;
}
