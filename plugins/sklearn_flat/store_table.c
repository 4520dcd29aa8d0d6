/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a transaction: where its blocks and the rows of its tail are in the map.
 * Only the trees' own pages and the tail are read; the large values are not touched.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

int32_t flat_state_read(const flat_env *env, MDB_txn *txn, flat_state *state,
                        simplugin_error **error)
{
    MDB_val key = {5, (void *)(uintptr_t)"state"}, value;
    const char *what = NULL;
    int rc = mdb_get(txn, env->main, &key, &value);

    if (rc)
        return flat_mdb_error(env, rc, "read the state of", error);
    what = flat_state_decode(value.mv_data, value.mv_size, state);
    return what ? flat_corrupt(env, what, error) : SIMPLUGIN_OK;
}

int32_t flat_state_now(flat_env *env, const flat_wait *wait, flat_state *state,
                       simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    do {
        MDB_txn *txn = NULL;

        memset(state, 0, sizeof(*state));
        flat_gate_enter(env);
        rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
        if (!rc)
            code = flat_state_read(env, txn, state, error);
        else if (rc != MDB_MAP_RESIZED)
            code = flat_mdb_error(env, rc, "read", error);
        if (txn)
            mdb_txn_abort(txn);
        flat_gate_leave(env);
        if (rc == MDB_MAP_RESIZED && wait)
            code = flat_env_grow(env, 0, wait, error);
    } while (rc == MDB_MAP_RESIZED && wait && code == SIMPLUGIN_OK);
    return code;
}

int32_t flat_fields_read(const flat_env *env, MDB_txn *txn, flat_fields *fields,
                         simplugin_error **error)
{
    MDB_val key = {6, (void *)(uintptr_t)"fields"}, value;
    const char *what = NULL;
    int rc = mdb_get(txn, env->main, &key, &value);
    int32_t code;

    if (rc)
        return flat_mdb_error(env, rc, "read the fields of", error);
    code = flat_fields_decode(value.mv_data, value.mv_size, fields, &what);
    if (code == SIMPLUGIN_CORRUPT)
        return flat_corrupt(env, what, error);
    return code == SIMPLUGIN_OK ? code : plug_error_no_memory(error);
}

/* ---- blocks -------------------------------------------------------------------------- */

static int block_room(flat_table *table)
{
    uint64_t capacity = table->block_capacity ? table->block_capacity * 2 : 16;
    flat_block *blocks = NULL;
    flat_place *places = NULL;

    if (table->block_count < table->block_capacity)
        return 1;
    blocks = realloc(table->blocks, (size_t)capacity * sizeof(*blocks));
    if (!blocks)
        return 0;
    table->blocks = blocks;
    places = realloc(table->places, (size_t)capacity * sizeof(*places));
    if (!places)
        return 0;
    table->places = places;
    table->block_capacity = capacity;
    return 1;
}

static int32_t add_block(const flat_env *env, flat_table *table, uint64_t number,
                         const MDB_val *value, simplugin_error **error)
{
    flat_record record;
    const char *what =
        flat_record_decode(value->mv_data, value->mv_size, &env->view.shape, &record);
    flat_block *block = NULL;

    if (what)
        return flat_corrupt_block(env, number, what, error);
    if (record.retired)
        return SIMPLUGIN_OK;
    if (!block_room(table))
        return plug_error_no_memory(error);
    block = &table->blocks[table->block_count];
    memset(block, 0, sizeof(*block));
    block->first_row = table->block_count * env->view.shape.block_rows;
    block->rows = record.rows;
    block->dead_count = record.dead_count;
    block->dead = record.dead;
    memset(&table->places[table->block_count], 0, sizeof(table->places[0]));
    table->places[table->block_count].number = number;
    table->places[table->block_count].record = record;
    table->block_count++;
    return SIMPLUGIN_OK;
}

static int32_t find_records(const flat_env *env, MDB_cursor *cursor, flat_table *table,
                            simplugin_error **error)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes}, value;
    int32_t code = SIMPLUGIN_OK;
    int rc;

    flat_key(bytes, FLAT_RECORD, 0, 0);
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!rc && code == SIMPLUGIN_OK) {
        uint32_t kind, field;
        uint64_t number;

        if (!flat_key_parse(key.mv_data, key.mv_size, &kind, &field, &number))
            return flat_corrupt(env, "a block has an impossible key", error);
        if (kind != FLAT_RECORD || number >= table->state.next_block)
            break;
        code = add_block(env, table, number, &value, error);
        if (code == SIMPLUGIN_OK)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (code == SIMPLUGIN_OK && rc && rc != MDB_NOTFOUND)
        code = flat_mdb_error(env, rc, "read", error);
    return code;
}

/* One kind of value of every block. */
static int32_t find_values(const flat_env *env, MDB_cursor *cursor, flat_table *table,
                           uint32_t kind, simplugin_error **error)
{
    const flat_shape *shape = &env->view.shape;

    for (uint64_t i = 0; i < table->block_count; i++) {
        flat_block *block = &table->blocks[i];
        flat_place *place = &table->places[i];
        uint8_t bytes[FLAT_KEY_SIZE];
        MDB_val key = {sizeof(bytes), bytes}, value;
        uint64_t needed = kind == FLAT_VECTORS ? flat_vectors_size(shape, block->rows)
                          : kind == FLAT_CODES ? flat_codes_size(shape, block->rows)
                                               : flat_ids_size(block->rows, 0);
        int rc;

        flat_key(bytes, kind, 0, place->number);
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET);
        if (rc == MDB_NOTFOUND)
            return flat_corrupt_block(env, place->number, "one of its values is missing", error);
        if (rc)
            return flat_mdb_error(env, rc, "read", error);
        if (value.mv_size < needed)
            return flat_corrupt_block(env, place->number, "one of its values is cut short", error);
        if (kind == FLAT_IDS) {
            place->ids = value.mv_data;
            place->ids_size = value.mv_size;
        } else if (((uintptr_t)value.mv_data + FLAT_PAD) % 64) {
            return flat_corrupt_block(env, place->number, "one of its values is misplaced", error);
        } else if (kind == FLAT_VECTORS) {
            block->vectors = (const float *)(const void *)((const uint8_t *)value.mv_data + FLAT_PAD);
        } else {
            flat_codes_view view;

            flat_codes_parts(value.mv_data, shape, block->rows, &view);
            block->codes = view.codes;
            block->scales = view.scales;
            block->errors = view.errors;
            block->norms = view.norms;
        }
    }
    return SIMPLUGIN_OK;
}

/* ---- the tail ------------------------------------------------------------------------ */

static int tail_room(flat_table *table)
{
    uint64_t capacity = table->tail_capacity ? table->tail_capacity * 2 : 64;
    flat_tail_row *tail = NULL;
    flat_tail_extra *extras = NULL;

    if (table->tail_count < table->tail_capacity)
        return 1;
    tail = realloc(table->tail, (size_t)capacity * sizeof(*tail));
    if (!tail)
        return 0;
    table->tail = tail;
    extras = realloc(table->extras, (size_t)capacity * sizeof(*extras));
    if (!extras)
        return 0;
    table->extras = extras;
    table->tail_capacity = capacity;
    return 1;
}

static int aligned(const void *vector)
{
    return (uintptr_t)vector % _Alignof(float) == 0;
}

/* Short rows stand in the tree's own pages, at any address. */
static int32_t place_vectors(const flat_env *env, flat_table *table, simplugin_error **error)
{
    uint64_t dimension = env->view.shape.dimension, copies = 0;
    float *next = NULL;

    for (uint64_t i = 0; i < table->tail_count; i++)
        copies += !aligned(table->extras[i].view.vector);
    if (copies) {
        table->tail_vectors = malloc((size_t)(copies * dimension) * sizeof(float));
        if (!table->tail_vectors)
            return plug_error_no_memory(error);
    }
    next = table->tail_vectors;
    for (uint64_t i = 0; i < table->tail_count; i++) {
        const uint8_t *vector = table->extras[i].view.vector;

        if (aligned(vector)) {
            table->tail[i].vector = (const float *)(const void *)vector;
        } else {
            memcpy(next, vector, (size_t)dimension * sizeof(float));
            table->tail[i].vector = next;
            next += dimension;
        }
    }
    return SIMPLUGIN_OK;
}

static int32_t find_tail(const flat_env *env, MDB_cursor *cursor, flat_table *table,
                         simplugin_error **error)
{
    uint64_t first = table->block_count * env->view.shape.block_rows;
    MDB_val key, value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);

    for (; !rc; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        flat_tail_view view;
        const char *what =
            flat_tail_decode(value.mv_data, value.mv_size, &env->view.shape, &view);

        if (what || key.mv_size == 0 || key.mv_size > FLAT_ID_MAX)
            return flat_corrupt(env, what ? what : "a row of the tail has an impossible id", error);
        if (view.sequence < table->state.floor)
            continue;
        if (!tail_room(table))
            return plug_error_no_memory(error);
        table->tail[table->tail_count].row = first + table->tail_count;
        table->tail[table->tail_count].id.data = key.mv_data;
        table->tail[table->tail_count].id.size = key.mv_size;
        table->tail[table->tail_count].vector = NULL;
        table->extras[table->tail_count].view = view;
        table->tail_count++;
    }
    if (rc != MDB_NOTFOUND)
        return flat_mdb_error(env, rc, "read", error);
    return place_vectors(env, table, error);
}

/* ---- all of it ----------------------------------------------------------------------- */

int32_t flat_table_build(const flat_env *env, MDB_txn *txn, flat_table **result,
                         simplugin_error **error)
{
    flat_table *table = calloc(1, sizeof(*table));
    MDB_cursor *blocks = NULL, *tail = NULL;
    int32_t code = SIMPLUGIN_OK;
    uint64_t live = 0;
    int rc = 0;

    if (!table)
        return plug_error_no_memory(error);
    if (pthread_mutex_init(&table->lock, NULL)) {
        free(table);
        return plug_error_no_memory(error);
    }
    atomic_init(&table->users, 1);
    table->id = mdb_txn_id(txn);
    code = flat_state_read(env, txn, &table->state, error);
    /* A file that is out of use has nothing to show. */
    if (code != SIMPLUGIN_OK || table->state.dropped || table->state.superseded)
        goto out;
    code = flat_fields_read(env, txn, &table->fields, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (table->fields.count) {
        table->columns = calloc((size_t)table->fields.count, sizeof(*table->columns));
        if (!table->columns) {
            code = plug_error_no_memory(error);
            goto out;
        }
    }
    rc = mdb_cursor_open(txn, env->blocks, &blocks);
    if (!rc)
        rc = mdb_cursor_open(txn, env->tail, &tail);
    if (rc) {
        code = flat_mdb_error(env, rc, "read", error);
        goto out;
    }
    code = find_records(env, blocks, table, error);
    if (code == SIMPLUGIN_OK)
        code = find_values(env, blocks, table, FLAT_VECTORS, error);
    if (code == SIMPLUGIN_OK)
        code = find_values(env, blocks, table, FLAT_CODES, error);
    if (code == SIMPLUGIN_OK)
        code = find_values(env, blocks, table, FLAT_IDS, error);
    if (code == SIMPLUGIN_OK)
        code = find_tail(env, tail, table, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    for (uint64_t i = 0; i < table->block_count; i++)
        live += table->blocks[i].rows - table->blocks[i].dead_count;
    if (live + table->tail_count != table->state.live || table->tail_count != table->state.tail_rows)
        code = flat_corrupt(env, "the number of its rows is not what it says", error);
out:
    if (blocks)
        mdb_cursor_close(blocks);
    if (tail)
        mdb_cursor_close(tail);
    if (code == SIMPLUGIN_OK) {
        *result = table;
        table = NULL;
    }
    flat_table_unref(table);
    return code;
}

void flat_table_unref(flat_table *table)
{
    if (!table || atomic_fetch_sub(&table->users, 1) > 1)
        return;
    for (uint64_t i = 0; table->columns && i < table->fields.count; i++) {
        for (uint64_t j = 0; table->columns[i] && j <= table->block_count; j++) {
            if (table->columns[i][j].builder)
                flat_builder_clear(table->columns[i][j].builder);
            free(table->columns[i][j].builder);
        }
        free(table->columns[i]);
    }
    free(table->columns);
    flat_fields_clear(&table->fields);
    free(table->blocks);
    free(table->places);
    free(table->tail);
    free(table->extras);
    free(table->tail_vectors);
    pthread_mutex_destroy(&table->lock);
    free(table);
}
