/* SPDX-License-Identifier: Apache-2.0 */
/* Telling snapshots apart, and walking through one in the order of ids. */
#include "config.h"

#include <string.h>

#include "store_internal.h"

/* Transactions, and blocks, of one generation are fewer than 1 << this. */
#define GENERATION_BITS 40

uint64_t flat_snapshot_version(const flat_snapshot *snapshot)
{
    return (snapshot->env->generation + 1) << GENERATION_BITS | snapshot->table->id;
}

uint64_t flat_snapshot_block_key(const flat_snapshot *snapshot, uint64_t block)
{
    return (snapshot->env->generation + 1) << GENERATION_BITS |
           snapshot->table->places[block].number;
}

/* The live row an entry of ids leads to: 1 and *row, 0 if none, negative a code negated. */
static int entry_row(const flat_snapshot *snapshot, const MDB_val *value, uint64_t *row)
{
    const flat_table *table = snapshot->table;
    uint64_t block_rows = snapshot->env->view.shape.block_rows;
    uint64_t place, low = 0, high = table->block_count;
    const flat_block *block = NULL;

    if (value->mv_size != sizeof(place))
        return -SIMPLUGIN_CORRUPT;
    memcpy(&place, value->mv_data, sizeof(place));
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (table->places[middle].number < place / block_rows)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->block_count || table->places[low].number != place / block_rows)
        return 0;
    block = &table->blocks[low];
    place %= block_rows;
    if (place >= block->rows)
        return -SIMPLUGIN_CORRUPT;
    if (block->dead && (block->dead[place >> 3] >> (place & 7) & 1))
        return 0;
    *row = block->first_row + place;
    return 1;
}

/* The first row of the tail, which is in the order of ids, behind that id. */
static uint64_t tail_behind(const flat_table *table, sp_text after)
{
    uint64_t low = 0, high = table->tail_count;

    while (after.data && low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (flat_text_compare(table->tail[middle].id, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t merge(const flat_snapshot *snapshot, MDB_cursor *cursor, sp_text after,
                     uint64_t *rows, uint64_t max)
{
    const flat_table *table = snapshot->table;
    uint64_t tail = tail_behind(table, after), count = 0;
    MDB_val key = {after.size, (void *)(uintptr_t)after.data}, value;
    int rc = mdb_cursor_get(cursor, &key, &value, after.data ? MDB_SET_RANGE : MDB_FIRST);

    if (rc == 0 && after.data && key.mv_size == after.size &&
        memcmp(key.mv_data, after.data, after.size) == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    while (count < max && (rc == 0 || tail < table->tail_count)) {
        sp_text id = {key.mv_data, key.mv_size};
        int order = -1; /* of the tail's next id against that of ids */
        int live = 0;

        if (rc != 0 && rc != MDB_NOTFOUND)
            break;
        if (rc == 0)
            order = tail < table->tail_count ? flat_text_compare(table->tail[tail].id, id) : 1;
        if (order <= 0)
            rows[count++] = table->tail[tail++].row;
        else if ((live = entry_row(snapshot, &value, &rows[count])) < 0)
            return live;
        count += (uint64_t)live;
        if (order >= 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (rc != 0 && rc != MDB_NOTFOUND)
        return -flat_mdb_error(snapshot->env, rc, "read", NULL);
    return (int64_t)count;
}

int64_t flat_snapshot_rows_by_id(const flat_snapshot *snapshot, sp_text after, uint64_t *rows,
                                 uint64_t max)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&snapshot->lock;
    MDB_cursor *cursor = NULL;
    int64_t count;
    int rc;

    pthread_mutex_lock(lock);
    rc = mdb_cursor_open(snapshot->txn, snapshot->env->ids, &cursor);
    if (rc)
        count = -flat_mdb_error(snapshot->env, rc, "read", NULL);
    else
        count = merge(snapshot, cursor, after, rows, max);
    if (cursor)
        mdb_cursor_close(cursor);
    pthread_mutex_unlock(lock);
    return count;
}
