/* SPDX-License-Identifier: Apache-2.0 */
/* Reading everything and comparing it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

typedef struct checking {
    flat_snapshot *snapshot;
    const flat_wait *wait;
    flat_progress_fn progress;
    void *context;
    uint64_t done;
    uint64_t sparse;
} checking;

static void progress(checking *check)
{
    if (check->progress)
        check->progress(check->context, check->done, check->snapshot->table->state.live);
}

static int is_dead(const flat_block *block, uint32_t slot)
{
    return block->dead && (block->dead[slot >> 3] >> (slot & 7) & 1);
}

static const char *check_values(const flat_shape *shape, const flat_block *block,
                                const flat_place *place)
{
    const uint8_t *vectors = (const uint8_t *)block->vectors - FLAT_PAD;
    size_t codes = (size_t)flat_codes_size(shape, block->rows) - FLAT_PAD;

    if (flat_vectors_hash(vectors, shape, block->rows) != place->record.vectors_hash)
        return "its vectors have changed";
    for (uint32_t row = 0; row < block->rows; row++)
        for (uint64_t i = shape->dimension; i < shape->vector_stride; i++)
            if (block->vectors[row * shape->vector_stride + i] != 0)
                return "its vectors have changed";
    if (flat_hash(block->codes, codes, 0) != place->record.codes_hash)
        return "its codes have changed";
    return NULL;
}

/* Every id has a length, every live one leads here, and together they are what was stored. */
static const char *check_ids(checking *check, const flat_block *block, const flat_place *place)
{
    uint64_t bytes = 0, size, row = 0;

    for (uint32_t slot = 0; slot < block->rows; slot++) {
        sp_text id = flat_ids_get(place->ids, place->ids_size, block->rows, slot);

        if (!id.size)
            return "its ids are damaged";
        bytes += id.size;
        if (is_dead(block, slot))
            continue;
        if (flat_snapshot_find(check->snapshot, id, &row) != 1 || row != block->first_row + slot)
            return "an id does not lead to its row";
        check->done++;
    }
    size = flat_ids_size(block->rows, bytes);
    if (size > place->ids_size || flat_hash(place->ids, (size_t)size, 0) != place->record.ids_hash)
        return "its ids have changed";
    return NULL;
}

static int32_t check_columns(checking *check, uint64_t index, simplugin_error **error)
{
    flat_snapshot *snapshot = check->snapshot;
    const flat_table *table = snapshot->table;
    int32_t code = SIMPLUGIN_OK;

    for (uint32_t field = 0; field < table->fields.count && code == SIMPLUGIN_OK; field++) {
        uint8_t bytes[FLAT_KEY_SIZE];
        MDB_val key = {sizeof(bytes), bytes}, value;
        uint64_t stored = 0, actual = 0;
        sp_column column;
        int present = 0, rc;

        code = flat_snapshot_column(snapshot, index, table->fields.items[field].name, &column,
                                    &present, error);
        if (code != SIMPLUGIN_OK || !present || index == UINT64_MAX)
            continue;
        flat_key(bytes, FLAT_COLUMN, field, table->places[index].number);
        pthread_mutex_lock(&snapshot->lock);
        rc = mdb_get(snapshot->txn, snapshot->env->blocks, &key, &value);
        pthread_mutex_unlock(&snapshot->lock);
        if (rc)
            code = flat_mdb_error(snapshot->env, rc, "read", error);
        else
            flat_column_hashes(value.mv_data, value.mv_size, &stored, &actual);
        if (stored != actual)
            code = flat_corrupt_block(snapshot->env, table->places[index].number,
                                      "a field has changed", error);
    }
    return code;
}

static int32_t check_block(checking *check, uint64_t index, simplugin_error **error)
{
    const flat_table *table = check->snapshot->table;
    const flat_shape *shape = &check->snapshot->env->view.shape;
    const char *what = check_values(shape, &table->blocks[index], &table->places[index]);

    if (!what)
        what = check_ids(check, &table->blocks[index], &table->places[index]);
    if (what)
        return flat_corrupt_block(check->snapshot->env, table->places[index].number, what, error);
    check->sparse += (uint64_t)flat_record_sparse(&table->places[index].record, shape);
    return check_columns(check, index, error);
}

/* Entries of the ids' tree may lead nowhere, but not behind a block's rows. */
static int32_t check_tree(checking *check, simplugin_error **error)
{
    flat_snapshot *snapshot = check->snapshot;
    const flat_table *table = snapshot->table;
    uint64_t block_rows = snapshot->env->view.shape.block_rows;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int32_t code = SIMPLUGIN_OK;
    int rc;

    pthread_mutex_lock(&snapshot->lock);
    rc = mdb_cursor_open(snapshot->txn, snapshot->env->ids, &cursor);
    while (!rc && code == SIMPLUGIN_OK &&
           !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        uint64_t place;

        if (value.mv_size != sizeof(place) || !key.mv_size || key.mv_size > FLAT_ID_MAX) {
            code = flat_corrupt(snapshot->env, "an id leads to nothing", error);
            continue;
        }
        memcpy(&place, value.mv_data, sizeof(place));
        for (uint64_t low = 0, high = table->block_count; low < high;) {
            uint64_t middle = low + (high - low) / 2;

            if (table->places[middle].number == place / block_rows) {
                if (place % block_rows >= table->blocks[middle].rows)
                    code = flat_corrupt_block(snapshot->env, place / block_rows,
                                              "an id leads behind its rows", error);
                break;
            }
            if (table->places[middle].number < place / block_rows)
                low = middle + 1;
            else
                high = middle;
        }
    }
    if (cursor)
        mdb_cursor_close(cursor);
    pthread_mutex_unlock(&snapshot->lock);
    if (code == SIMPLUGIN_OK && rc != MDB_NOTFOUND)
        code = flat_mdb_error(snapshot->env, rc, "read", error);
    return code;
}

int32_t flat_store_check(flat_store *store, const flat_wait *wait, flat_progress_fn report,
                         void *context, uint64_t *rows, simplugin_error **error)
{
    checking check = {.wait = wait, .progress = report, .context = context};
    int32_t code = flat_store_check_pages(store, wait, error);
    const flat_table *table = NULL;

    *rows = 0;
    if (code == SIMPLUGIN_OK)
        code = flat_snapshot_new(store, &check.snapshot, error);
    if (code != SIMPLUGIN_OK)
        return code;
    table = check.snapshot->table;
    code = check_tree(&check, error);
    for (uint64_t i = 0; i < table->block_count && code == SIMPLUGIN_OK; i++) {
        code = flat_wait_check(wait, error);
        if (code == SIMPLUGIN_OK)
            code = check_block(&check, i, error);
        progress(&check);
    }
    if (code == SIMPLUGIN_OK)
        code = check_columns(&check, UINT64_MAX, error);
    check.done += table->tail_count;
    progress(&check);
    if (code == SIMPLUGIN_OK && check.sparse != table->state.sparse)
        code = flat_corrupt(check.snapshot->env, "its count of sparse blocks is wrong", error);
    if (code == SIMPLUGIN_OK)
        *rows = check.done;
    flat_snapshot_free(check.snapshot);
    return code;
}
