/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the store in shape, one short transaction at a time:
 *
 *   fold    a block's worth of the tail becomes a block
 *   sweep   rows that were folded leave the tail
 *   clean   a retired block's ids leave the tree, then its values go
 *   merge   blocks that are at most half full become one
 *
 * Each gives back a limited number of pages, because LMDB rewrites a list of those in any
 * later transaction, also in one that adds a single row.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_internal.h"

#define SWEEP_ROWS 512
#define CLEAN_IDS 2000
/* So that another process that polls for the turn gets it. */
#define BETWEEN_STEPS INT64_C(8000000)
#define TURN_TAKEN INT64_C(20000000)

int flat_maintain_disabled;

static uint64_t block_rows_of(const flat_env *env)
{
    return env->view.shape.block_rows;
}

int flat_maintain_needed(const flat_env *env, const flat_state *state)
{
    return !state->dropped && !state->superseded &&
           (state->tail_rows >= block_rows_of(env) || state->tail_garbage || state->retired ||
            state->sparse >= 2);
}

/* ---- fold ---------------------------------------------------------------------------- */

typedef struct aged {
    uint64_t sequence;
    uint64_t row;
} aged;

static int by_age(const void *a, const void *b)
{
    const aged *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* A new visible block of those rows. */
static int32_t move_rows(flat_writer *writer, flat_snapshot *snapshot, const uint64_t *rows,
                         uint32_t count, simplugin_error **error)
{
    uint64_t number = writer->state.next_block;
    int32_t code = flat_block_write_picks(writer, NULL, number, snapshot, rows, count, error);

    if (code == SIMPLUGIN_OK)
        code = flat_ids_point(writer, snapshot, rows, count, number, error);
    writer->state.next_block++;
    return code;
}

static int32_t fold(flat_writer *writer, void *context, simplugin_error **error)
{
    flat_state *state = &writer->state;
    uint64_t count = block_rows_of(writer->env);
    flat_snapshot *snapshot = NULL;
    uint64_t *rows = NULL;
    aged *ages = NULL;
    int32_t code = flat_snapshot_of(writer->env, &snapshot, error);

    (void)context;
    if (code != SIMPLUGIN_OK)
        return code;
    if (snapshot->table->tail_count < count)
        goto out;
    ages = calloc((size_t)snapshot->table->tail_count, sizeof(*ages));
    rows = calloc((size_t)count, sizeof(*rows));
    if (!ages || !rows) {
        code = plug_error_no_memory(error);
        goto out;
    }
    for (uint64_t i = 0; i < snapshot->table->tail_count; i++) {
        ages[i].sequence = snapshot->table->extras[i].view.sequence;
        ages[i].row = snapshot->table->tail[i].row;
    }
    qsort(ages, (size_t)snapshot->table->tail_count, sizeof(*ages), by_age);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = ages[i].row;
    qsort(rows, (size_t)count, sizeof(*rows), by_number);
    code = move_rows(writer, snapshot, rows, (uint32_t)count, error);
    state->floor = ages[count - 1].sequence + 1;
    state->tail_rows -= count;
    state->tail_garbage += count;
out:
    free(ages);
    free(rows);
    flat_snapshot_end(snapshot);
    return code;
}

/* ---- sweep --------------------------------------------------------------------------- */

static int32_t sweep(flat_writer *writer, void *context, simplugin_error **error)
{
    flat_state *state = &writer->state;
    uint64_t swept = 0;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int32_t code = SIMPLUGIN_OK;
    int rc = mdb_cursor_open(writer->txn, writer->env->tail, &cursor);

    (void)context;
    while (!rc && code == SIMPLUGIN_OK && swept < SWEEP_ROWS &&
           !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        flat_tail_view view;

        if (flat_tail_decode(value.mv_data, value.mv_size, &writer->env->view.shape, &view)) {
            code = flat_corrupt(writer->env, "a row of the tail is cut short", error);
        } else if (view.sequence < state->floor) {
            rc = mdb_cursor_del(cursor, 0);
            swept++;
        }
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND)
        return flat_writer_error(writer, rc, "write", error);
    state->tail_garbage = rc == MDB_NOTFOUND || swept > state->tail_garbage
                              ? 0
                              : state->tail_garbage - swept;
    return code;
}

/* ---- clean --------------------------------------------------------------------------- */

/* The first retired block. */
static int32_t find_retired(flat_writer *writer, uint64_t *block, flat_record *record, int *found,
                            simplugin_error **error)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes}, value;
    MDB_cursor *cursor = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc = mdb_cursor_open(writer->txn, writer->env->blocks, &cursor);

    *found = 0;
    flat_key(bytes, FLAT_RECORD, 0, 0);
    if (!rc)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!rc && code == SIMPLUGIN_OK && !*found) {
        uint32_t kind, field;
        const char *what = NULL;

        if (!flat_key_parse(key.mv_data, key.mv_size, &kind, &field, block) || kind != FLAT_RECORD)
            break;
        what = flat_record_decode(value.mv_data, value.mv_size, &writer->env->view.shape, record);
        if (what)
            code = flat_corrupt_block(writer->env, *block, what, error);
        else if (record->retired)
            *found = 1;
        else
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (code == SIMPLUGIN_OK && rc && rc != MDB_NOTFOUND)
        code = flat_writer_error(writer, rc, "read", error);
    return code;
}

static int get(flat_writer *writer, uint32_t kind, uint64_t block, MDB_val *value)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes};

    flat_key(bytes, kind, 0, block);
    return mdb_get(writer->txn, writer->env->blocks, &key, value);
}

static int del(flat_writer *writer, uint32_t kind, uint32_t field, uint64_t block)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes};
    int rc;

    flat_key(bytes, kind, field, block);
    rc = mdb_del(writer->txn, writer->env->blocks, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Entries of the ids' tree that still lead to the block. */
static int32_t clean_ids(flat_writer *writer, uint64_t block, const flat_record *record,
                         simplugin_error **error)
{
    uint64_t block_rows = block_rows_of(writer->env);
    flat_record after = *record;
    uint8_t *copy = NULL;
    MDB_val ids;
    int rc = get(writer, FLAT_IDS, block, &ids);

    if (rc && rc != MDB_NOTFOUND)
        return flat_writer_error(writer, rc, "read", error);
    after.cleaned = record->rows - record->cleaned > CLEAN_IDS ? record->cleaned + CLEAN_IDS
                                                               : record->rows;
    if (!rc) {
        copy = malloc(ids.mv_size + 1);
        if (!copy)
            return plug_error_no_memory(error);
        memcpy(copy, ids.mv_data, ids.mv_size);
    }
    for (uint32_t slot = record->cleaned; copy && slot < after.cleaned && !rc; slot++) {
        sp_text id = flat_ids_get(copy, ids.mv_size, record->rows, slot);
        MDB_val key = {id.size, (void *)(uintptr_t)id.data}, value;
        uint64_t place = UINT64_MAX;

        if (!id.size)
            continue;
        rc = mdb_get(writer->txn, writer->env->ids, &key, &value);
        if (!rc && value.mv_size == sizeof(place))
            memcpy(&place, value.mv_data, sizeof(place));
        if (!rc && place / block_rows == block)
            rc = mdb_del(writer->txn, writer->env->ids, &key, NULL);
        if (rc == MDB_NOTFOUND)
            rc = 0;
    }
    free(copy);
    if (rc && rc != MDB_NOTFOUND)
        return flat_writer_error(writer, rc, "write", error);
    return flat_record_put(writer, block, record, &after, error);
}

static int32_t clean(flat_writer *writer, void *context, simplugin_error **error)
{
    flat_record record;
    uint64_t block = 0;
    MDB_val value;
    int found = 0, rc;
    int32_t code = find_retired(writer, &block, &record, &found, error);

    (void)context;
    if (code != SIMPLUGIN_OK)
        return code;
    if (!found) {
        writer->state.retired = 0;
        return SIMPLUGIN_OK;
    }
    if (record.cleaned < record.rows)
        return clean_ids(writer, block, &record, error);
    rc = get(writer, FLAT_VECTORS, block, &value);
    if (!rc) {
        rc = del(writer, FLAT_VECTORS, 0, block);
        return rc ? flat_writer_error(writer, rc, "write", error) : SIMPLUGIN_OK;
    }
    rc = rc == MDB_NOTFOUND ? del(writer, FLAT_CODES, 0, block) : rc;
    if (!rc)
        rc = del(writer, FLAT_IDS, 0, block);
    for (uint64_t i = 0; i < writer->fields.count && !rc; i++)
        rc = del(writer, FLAT_COLUMN, (uint32_t)i, block);
    if (!rc)
        rc = del(writer, FLAT_RECORD, 0, block);
    if (rc)
        return flat_writer_error(writer, rc, "write", error);
    writer->state.retired--;
    return SIMPLUGIN_OK;
}

/* ---- merge --------------------------------------------------------------------------- */

static int32_t merge(flat_writer *writer, void *context, simplugin_error **error)
{
    const flat_shape *shape = &writer->env->view.shape;
    flat_snapshot *snapshot = NULL;
    uint64_t *rows = NULL, *chosen = NULL;
    uint64_t count = 0, chosen_count = 0;
    const flat_table *table = NULL;
    int32_t code = flat_snapshot_of(writer->env, &snapshot, error);

    (void)context;
    if (code != SIMPLUGIN_OK)
        return code;
    table = snapshot->table;
    rows = calloc((size_t)shape->block_rows, sizeof(*rows));
    chosen = calloc((size_t)table->block_count + 1, sizeof(*chosen));
    if (!rows || !chosen) {
        code = plug_error_no_memory(error);
        goto out;
    }
    for (uint64_t i = 0; i < table->block_count; i++) {
        const flat_block *block = &table->blocks[i];

        if (!flat_record_sparse(&table->places[i].record, shape) ||
            count + block->rows - block->dead_count > shape->block_rows)
            continue;
        chosen[chosen_count++] = i;
        for (uint32_t slot = 0; slot < block->rows; slot++)
            if (!block->dead || !(block->dead[slot >> 3] >> (slot & 7) & 1))
                rows[count++] = block->first_row + slot;
    }
    if (chosen_count < 2) {
        writer->state.sparse = chosen_count;
        goto out;
    }
    code = move_rows(writer, snapshot, rows, (uint32_t)count, error);
    for (uint64_t i = 0; i < chosen_count && code == SIMPLUGIN_OK; i++) {
        const flat_place *place = &table->places[chosen[i]];
        flat_record record = place->record;

        record.dead_count = 0;
        record.retired = 1;
        code = flat_record_put(writer, place->number, &place->record, &record, error);
    }
out:
    free(rows);
    free(chosen);
    flat_snapshot_end(snapshot);
    return code;
}

/* ---- steps --------------------------------------------------------------------------- */

int32_t flat_maintain_step(flat_env *env, const flat_wait *wait, int *more, simplugin_error **error)
{
    const flat_shape *shape = &env->view.shape;
    uint64_t bytes = 2 * (flat_vectors_size(shape, (uint32_t)shape->block_rows) +
                          flat_codes_size(shape, (uint32_t)shape->block_rows));
    flat_writer writer;
    flat_state state;
    flat_step step = NULL;
    int32_t code = flat_state_now(env, wait, &state, error);

    *more = 0;
    if (code != SIMPLUGIN_OK || !flat_maintain_needed(env, &state))
        return code;
    if (state.tail_rows >= shape->block_rows)
        step = fold;
    else if (state.tail_garbage)
        step = sweep;
    else if (state.retired)
        step = clean;
    else
        step = merge;
    flat_writer_init(env, wait, &writer);
    writer.relaxed = 1; /* the same rows either way */
    code = flat_writer_run(&writer, step, NULL, bytes, error);
    if (code == SIMPLUGIN_OK)
        *more = flat_maintain_needed(env, &writer.state);
    flat_fields_clear(&writer.fields);
    return code;
}

/* ---- the thread ---------------------------------------------------------------------- */

static void *maintain(void *argument)
{
    flat_env *env = argument;

    pthread_mutex_lock(&env->lock);
    while (!env->stop) {
        int32_t code = SIMPLUGIN_OK;
        int more = 0;

        if (!env->work) {
            pthread_cond_wait(&env->changed, &env->lock);
            continue;
        }
        pthread_mutex_unlock(&env->lock);
        if (flat_turn_try(env)) {
            code = flat_maintain_step(env, &flat_wait_forever, &more, NULL);
            flat_turn_give(env);
            pthread_mutex_lock(&env->lock);
            /* What fails now is tried again after the next write. */
            env->work = code == SIMPLUGIN_OK && more;
            if (env->work && !env->stop)
                flat_env_pause(env, BETWEEN_STEPS);
        } else {
            pthread_mutex_lock(&env->lock);
            if (!env->stop)
                flat_env_pause(env, TURN_TAKEN);
        }
    }
    pthread_mutex_unlock(&env->lock);
    return NULL;
}

void flat_maintain_hint(flat_env *env, const flat_state *state)
{
    sigset_t all, old;

    if (flat_maintain_disabled || env->read_only || !flat_maintain_needed(env, state))
        return;
    /* Signals are the program's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_mutex_lock(&env->lock);
    env->work = 1;
    if (!env->thread_started && !env->stop)
        env->thread_started = !pthread_create(&env->thread, NULL, maintain, env);
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void flat_maintain_stop(flat_env *env)
{
    pthread_mutex_lock(&env->lock);
    env->stop = 1;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
    if (env->thread_started)
        pthread_join(env->thread, NULL);
    env->thread_started = 0;
}

void flat_maintain_close(flat_env *env)
{
    flat_state state;
    int more = 1;

    if (env->read_only || !flat_turn_try(env))
        return;
    while (more && flat_state_now(env, &flat_wait_forever, &state, NULL) == SIMPLUGIN_OK &&
           flat_maintain_needed(env, &state) &&
           (state.tail_rows >= block_rows_of(env) || state.tail_garbage))
        if (flat_maintain_step(env, &flat_wait_forever, &more, NULL) != SIMPLUGIN_OK)
            more = 0;
    flat_turn_give(env);
}
