/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting rows: by id, by number, and all of them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "store_internal.h"

/* Trees up to this size are emptied at once; larger ones by maintenance, little by little. */
#define DROP_PAGES 1500
/* The caller of flat_store_delete_rows holds a snapshot, and a map waits for those. */
#define SNAPSHOT_WAIT 1000000000

typedef struct deletion {
    flat_entry *entries;
    uint64_t count;
    const flat_snapshot *newest; /* NULL: any */
    uint64_t deleted;
} deletion;

/* The row of the tail under that id. */
static int32_t delete_in_tail(flat_writer *writer, MDB_val *key, uint64_t *deleted,
                              simplugin_error **error)
{
    flat_state *state = &writer->state;
    flat_tail_view view;
    MDB_val value;
    int rc = mdb_get(writer->txn, writer->env->tail, key, &value);

    if (rc == MDB_NOTFOUND)
        return SIMPLUGIN_OK;
    if (rc)
        return flat_writer_error(writer, rc, "read", error);
    if (flat_tail_decode(value.mv_data, value.mv_size, &writer->env->view.shape, &view))
        return flat_corrupt(writer->env, "a row of the tail is cut short", error);
    if (view.sequence < state->floor) {
        state->tail_garbage--;
    } else {
        state->tail_rows--;
        (*deleted)++;
    }
    rc = mdb_del(writer->txn, writer->env->tail, key, NULL);
    return rc ? flat_writer_error(writer, rc, "write", error) : SIMPLUGIN_OK;
}

static int32_t delete_step(flat_writer *writer, void *context, simplugin_error **error)
{
    deletion *work = context;
    uint64_t *places = NULL;
    uint64_t place_count = 0, killed = 0;
    int32_t code = SIMPLUGIN_OK;

    work->deleted = 0;
    if (work->newest && (work->newest->env != writer->env ||
                         work->newest->table->id != mdb_txn_id(writer->txn) - 1))
        return plug_error(error, SIMPLUGIN_BUSY,
                          "collection \"%.*s\" has changed since its rows were chosen; try again",
                          (int)writer->env->view.name.size, writer->env->view.name.data);
    places = calloc((size_t)work->count + 1, sizeof(*places));
    if (!places)
        return plug_error_no_memory(error);
    for (uint64_t i = 0; i < work->count && code == SIMPLUGIN_OK; i++) {
        MDB_val key = {work->entries[i].id.size, (void *)(uintptr_t)work->entries[i].id.data}, value;
        int rc;

        if (i % 4096 == 0)
            code = flat_wait_check(writer->wait, error);
        if (key.mv_size == 0 || key.mv_size > FLAT_ID_MAX || code != SIMPLUGIN_OK)
            continue;
        code = delete_in_tail(writer, &key, &work->deleted, error);
        if (code != SIMPLUGIN_OK)
            continue;
        rc = mdb_get(writer->txn, writer->env->ids, &key, &value);
        if (rc == MDB_NOTFOUND)
            continue;
        if (!rc && value.mv_size != sizeof(*places)) {
            code = flat_corrupt(writer->env, "an id leads to nothing", error);
            continue;
        }
        if (!rc) {
            memcpy(&places[place_count++], value.mv_data, sizeof(*places));
            rc = mdb_del(writer->txn, writer->env->ids, &key, NULL);
        }
        if (rc)
            code = flat_writer_error(writer, rc, "write", error);
    }
    if (code == SIMPLUGIN_OK)
        code = flat_places_kill(writer, places, place_count, &killed, error);
    work->deleted += killed;
    if (code == SIMPLUGIN_OK && work->deleted > writer->state.live)
        code = flat_corrupt(writer->env, "the number of its rows is not what it says", error);
    if (code == SIMPLUGIN_OK)
        writer->state.live -= work->deleted;
    free(places);
    return code;
}

typedef struct patience {
    const flat_wait *wait;
    simplugin_error **error;
} patience;

static int32_t patience_check(void *context)
{
    const patience *p = context;

    return flat_wait_check(p->wait, p->error);
}

static int32_t delete_entries(flat_store *store, deletion *work, const flat_wait *wait,
                              simplugin_error **error)
{
    patience p = {wait, error};
    flat_writer writer;
    flat_wait shorter = *wait;
    /* before others have to wait for it */
    int32_t code =
        flat_text_sort(work->entries, work->count, sizeof *work->entries, patience_check, &p);

    if (code)
        return code;
    code = flat_writer_begin(store, wait, &writer, error);
    if (code == SIMPLUGIN_OK && work->newest) {
        int64_t soon = sp_clock_now() + SNAPSHOT_WAIT;

        shorter.deadline = wait->deadline < soon ? wait->deadline : soon;
        writer.wait = &shorter;
    }
    if (code == SIMPLUGIN_OK)
        code = flat_writer_run(&writer, delete_step, work, 0, error);
    flat_writer_end(&writer);
    return code;
}

int32_t flat_store_delete(flat_store *store, const sp_column *ids, const flat_wait *wait,
                          uint64_t *deleted, simplugin_error **error)
{
    deletion work = {.count = ids->count};
    int32_t code = SIMPLUGIN_OK;

    *deleted = 0;
    if (!ids->count)
        return SIMPLUGIN_OK;
    work.entries = calloc((size_t)ids->count, sizeof(*work.entries));
    if (!work.entries)
        return plug_error_no_memory(error);
    for (uint64_t i = 0; i < ids->count; i++)
        work.entries[i].id = sp_column_text(ids, i);
    code = delete_entries(store, &work, wait, error);
    if (code == SIMPLUGIN_OK)
        *deleted = work.deleted;
    free(work.entries);
    return code;
}

int32_t flat_store_delete_rows(flat_store *store, const flat_snapshot *snapshot,
                               const uint64_t *rows, uint64_t count, const flat_wait *wait,
                               simplugin_error **error)
{
    deletion work = {.count = count, .newest = snapshot};
    int32_t code = SIMPLUGIN_OK;

    if (!count)
        return SIMPLUGIN_OK;
    work.entries = calloc((size_t)count, sizeof(*work.entries));
    if (!work.entries)
        return plug_error_no_memory(error);
    for (uint64_t i = 0; i < count && code == SIMPLUGIN_OK; i++) {
        work.entries[i].id = flat_snapshot_id(snapshot, rows[i]);
        if (work.entries[i].id.size == 0)
            code = flat_corrupt(snapshot->env, "the ids of a block are damaged", error);
    }
    if (code == SIMPLUGIN_OK)
        code = delete_entries(store, &work, wait, error);
    free(work.entries);
    return code;
}

/* ---- all of them --------------------------------------------------------------------- */

/* Empties a tree if that gives back few pages. */
static int drop_small(flat_writer *writer, MDB_dbi dbi, int *dropped)
{
    MDB_stat stat;
    int rc = mdb_stat(writer->txn, dbi, &stat);

    *dropped = !rc && stat.ms_leaf_pages + stat.ms_branch_pages + stat.ms_overflow_pages <= DROP_PAGES;
    return *dropped ? mdb_drop(writer->txn, dbi, 0) : rc;
}

static int32_t retire_blocks(flat_writer *writer, const flat_table *table, int cleaned,
                             simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; i < table->block_count && code == SIMPLUGIN_OK; i++) {
        flat_record record = table->places[i].record;

        record.dead_count = 0;
        record.retired = 1;
        record.cleaned = cleaned ? record.rows : 0;
        code = flat_record_put(writer, table->places[i].number, &table->places[i].record, &record,
                               error);
    }
    return code;
}

static int32_t delete_all_step(flat_writer *writer, void *context, simplugin_error **error)
{
    uint64_t *deleted = context;
    flat_state *state = &writer->state;
    flat_snapshot *snapshot = NULL;
    int ids_dropped = 0, tail_dropped = 0;
    int32_t code = flat_snapshot_of(writer->env, &snapshot, error);
    int rc = 0;

    if (code != SIMPLUGIN_OK)
        return code;
    *deleted = state->live;
    rc = drop_small(writer, writer->env->ids, &ids_dropped);
    if (!rc)
        rc = drop_small(writer, writer->env->tail, &tail_dropped);
    if (rc)
        code = flat_writer_error(writer, rc, "write", error);
    if (code == SIMPLUGIN_OK)
        code = retire_blocks(writer, snapshot->table, ids_dropped, error);
    state->tail_garbage = tail_dropped ? 0 : state->tail_garbage + state->tail_rows;
    state->tail_rows = 0;
    state->floor = state->next_sequence;
    state->live = 0;
    flat_snapshot_end(snapshot);
    return code;
}

int32_t flat_store_delete_all(flat_store *store, const flat_wait *wait, uint64_t *deleted,
                              simplugin_error **error)
{
    uint64_t count = 0;
    flat_writer writer;
    int32_t code = flat_writer_begin(store, wait, &writer, error);

    *deleted = 0;
    if (code == SIMPLUGIN_OK)
        code = flat_writer_run(&writer, delete_all_step, &count, 0, error);
    if (code == SIMPLUGIN_OK)
        *deleted = count;
    flat_writer_end(&writer);
    return code;
}
