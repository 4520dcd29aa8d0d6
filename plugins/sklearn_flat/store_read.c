/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: one transaction's view, for as long as its holder likes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_internal.h"

/* A read transaction of now; idle ones keep their place in LMDB's table. */
static int begin(flat_env *env, MDB_txn **txn)
{
    int rc = 0;

    pthread_mutex_lock(&env->lock);
    *txn = env->idle_count ? env->idle[--env->idle_count] : NULL;
    pthread_mutex_unlock(&env->lock);
    if (*txn) {
        rc = mdb_txn_renew(*txn);
        if (rc)
            mdb_txn_abort(*txn);
    } else {
        rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txn);
        if (rc == MDB_READERS_FULL) {
            mdb_reader_check(env->mdb, NULL);
            rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, txn);
        }
    }
    if (rc)
        *txn = NULL;
    return rc;
}

static void end(flat_env *env, MDB_txn *txn)
{
    if (!txn)
        return;
    mdb_txn_reset(txn);
    pthread_mutex_lock(&env->lock);
    if (env->idle_count < FLAT_IDLE) {
        env->idle[env->idle_count++] = txn;
        txn = NULL;
    }
    pthread_mutex_unlock(&env->lock);
    if (txn)
        mdb_txn_abort(txn);
}

/* The table of that transaction: the last one seen, if it is the same, or a new one. */
static int32_t table_of(flat_env *env, MDB_txn *txn, flat_table **result, simplugin_error **error)
{
    size_t id = mdb_txn_id(txn);
    flat_table *table = NULL, *old = NULL;
    int32_t code = SIMPLUGIN_OK;

    pthread_mutex_lock(&env->lock);
    if (env->table && env->table->id == id) {
        table = env->table;
        atomic_fetch_add(&table->users, 1);
    }
    pthread_mutex_unlock(&env->lock);
    if (!table) {
        code = flat_env_cover(env, error);
        if (code == SIMPLUGIN_OK)
            code = flat_table_build(env, txn, &table, error);
        if (code != SIMPLUGIN_OK)
            return code;
        pthread_mutex_lock(&env->lock);
        if (!env->table || env->table->id < id) {
            old = env->table;
            env->table = table;
            atomic_fetch_add(&table->users, 1);
        }
        pthread_mutex_unlock(&env->lock);
        flat_table_unref(old);
    }
    *result = table;
    return SIMPLUGIN_OK;
}

static int32_t enter(flat_env *env, simplugin_error **error)
{
    int32_t code = env->no_lock ? flat_turn_share(env, error) : SIMPLUGIN_OK;

    if (code == SIMPLUGIN_OK)
        flat_gate_enter(env);
    return code;
}

static void leave(flat_env *env)
{
    flat_gate_leave(env);
    if (env->no_lock)
        flat_turn_unshare(env);
}

int32_t flat_snapshot_of(flat_env *env, flat_snapshot **result, simplugin_error **error)
{
    flat_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    if (!snapshot)
        return plug_error_no_memory(error);
    if (pthread_mutex_init(&snapshot->lock, NULL)) {
        free(snapshot);
        return plug_error_no_memory(error);
    }
    do {
        code = enter(env, error);
        if (code != SIMPLUGIN_OK)
            goto out;
        rc = begin(env, &snapshot->txn);
        if (rc)
            leave(env);
        if (rc == MDB_MAP_RESIZED) {
            code = flat_env_grow(env, 0, &flat_wait_forever, error);
            if (code != SIMPLUGIN_OK)
                goto out;
        }
    } while (rc == MDB_MAP_RESIZED);
    if (rc) {
        code = flat_mdb_error(env, rc, "read", error);
        goto out;
    }
    code = table_of(env, snapshot->txn, &snapshot->table, error);
    if (code != SIMPLUGIN_OK) {
        end(env, snapshot->txn);
        leave(env);
        goto out;
    }
    snapshot->env = env;
    *result = snapshot;
    snapshot = NULL;
out:
    if (snapshot) {
        pthread_mutex_destroy(&snapshot->lock);
        free(snapshot);
    }
    return code;
}

void flat_snapshot_end(flat_snapshot *snapshot)
{
    flat_env *env = snapshot->env;

    if (env->pid == getpid()) {
        flat_table_unref(snapshot->table);
        end(env, snapshot->txn);
        leave(env);
    }
    pthread_mutex_destroy(&snapshot->lock);
    free(snapshot);
}

void flat_snapshot_free(flat_snapshot *snapshot)
{
    flat_env *env = snapshot ? snapshot->env : NULL;

    if (!snapshot)
        return;
    flat_snapshot_end(snapshot);
    flat_env_release(env);
}

int32_t flat_snapshot_new(flat_store *store, flat_snapshot **result, simplugin_error **error)
{
    flat_snapshot *snapshot = NULL;
    int32_t code = SIMPLUGIN_OK;

    while (code == SIMPLUGIN_OK && !snapshot) {
        flat_env *env = NULL;

        code = flat_env_hold(store, &env, error);
        if (code != SIMPLUGIN_OK)
            continue;
        code = flat_snapshot_of(env, &snapshot, error);
        if (code != SIMPLUGIN_OK) {
            flat_env_release(env);
        } else if (snapshot->table->state.dropped) {
            flat_snapshot_free(snapshot);
            snapshot = NULL;
            code = plug_error(error, SIMPLUGIN_NOT_FOUND, "collection \"%s\" was dropped", store->name);
        } else if (snapshot->table->state.superseded) {
            flat_snapshot_end(snapshot);
            snapshot = NULL;
            code = flat_env_follow(store, env, error);
            flat_env_release(env);
        }
    }
    *result = snapshot;
    return code;
}

/* ---- looking into one ---------------------------------------------------------------- */

uint64_t flat_snapshot_count(const flat_snapshot *snapshot)
{
    return snapshot->table->state.live;
}

uint64_t flat_snapshot_vector_stride(const flat_snapshot *snapshot)
{
    return snapshot->env->view.shape.vector_stride;
}

uint64_t flat_snapshot_code_stride(const flat_snapshot *snapshot)
{
    return snapshot->env->view.shape.code_stride;
}

const flat_block *flat_snapshot_blocks(const flat_snapshot *snapshot, uint64_t *count)
{
    *count = snapshot->table->block_count;
    return snapshot->table->blocks;
}

const flat_tail_row *flat_snapshot_tail(const flat_snapshot *snapshot, uint64_t *count)
{
    *count = snapshot->table->tail_count;
    return snapshot->table->tail;
}

const flat_field *flat_snapshot_fields(const flat_snapshot *snapshot, uint64_t *count)
{
    *count = snapshot->table->fields.count;
    return snapshot->table->fields.items;
}

static int find_tail(const flat_table *table, sp_text id, uint64_t *row)
{
    uint64_t low = 0, high = table->tail_count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = flat_text_compare(table->tail[middle].id, id);

        if (order == 0) {
            *row = table->tail[middle].row;
            return 1;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Position of the block of that number in the table, or block_count. */
static uint64_t find_block(const flat_table *table, uint64_t number)
{
    uint64_t low = 0, high = table->block_count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (table->places[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->block_count && table->places[low].number == number ? low
                                                                           : table->block_count;
}

int flat_snapshot_find(const flat_snapshot *snapshot, sp_text id, uint64_t *row)
{
    const flat_table *table = snapshot->table;
    const flat_shape *shape = &snapshot->env->view.shape;
    MDB_val key = {id.size, (void *)(uintptr_t)id.data}, value;
    const flat_block *block = NULL;
    uint64_t place, index, slot;
    int rc;

    if (id.size == 0 || id.size > FLAT_ID_MAX)
        return 0;
    if (find_tail(table, id, row))
        return 1;
    pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&snapshot->lock);
    rc = mdb_get(snapshot->txn, snapshot->env->ids, &key, &value);
    pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&snapshot->lock);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc)
        return -flat_mdb_error(snapshot->env, rc, "read", NULL);
    if (value.mv_size != sizeof(place))
        return -SIMPLUGIN_CORRUPT;
    memcpy(&place, value.mv_data, sizeof(place));
    index = find_block(table, place / shape->block_rows);
    slot = place % shape->block_rows;
    if (index == table->block_count)
        return 0;
    block = &table->blocks[index];
    if (slot >= block->rows)
        return -SIMPLUGIN_CORRUPT;
    if (block->dead && (block->dead[slot >> 3] >> (slot & 7) & 1))
        return 0;
    *row = block->first_row + slot;
    return 1;
}

const float *flat_snapshot_vector(const flat_snapshot *snapshot, uint64_t row)
{
    const flat_table *table = snapshot->table;
    const flat_shape *shape = &snapshot->env->view.shape;
    uint64_t index = row / shape->block_rows;

    if (index < table->block_count)
        return table->blocks[index].vectors + row % shape->block_rows * shape->vector_stride;
    return table->tail[row - table->block_count * shape->block_rows].vector;
}

sp_text flat_snapshot_id(const flat_snapshot *snapshot, uint64_t row)
{
    const flat_table *table = snapshot->table;
    const flat_shape *shape = &snapshot->env->view.shape;
    uint64_t index = row / shape->block_rows;
    const flat_place *place = NULL;

    if (index >= table->block_count)
        return table->tail[row - table->block_count * shape->block_rows].id;
    place = &table->places[index];
    return flat_ids_get(place->ids, place->ids_size, place->record.rows,
                        (uint32_t)(row % shape->block_rows));
}
