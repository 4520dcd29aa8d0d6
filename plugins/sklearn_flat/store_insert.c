/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding only rows that are not there. Which are is looked up once the turn is taken, so
 * that nobody can write between that and the writing.
 */
#include "config.h"

#include <stdlib.h>

#include "store_internal.h"

/* How many ids are looked up between looks at the clock. */
#define IDS_PER_CHECK 4096

/* Parts the rows by whether a snapshot has their ids: into absent (count of them) and there. */
static int32_t rows_part(const flat_snapshot *snapshot, const flat_rows *rows,
                         const flat_wait *wait, int64_t *absent, uint64_t *count, int64_t *there,
                         uint64_t *there_count, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; i < rows->count && code == SIMPLUGIN_OK; i++) {
        int64_t row = rows->select ? rows->select[i] : (int64_t)i;
        uint64_t at;
        int found = 0;

        if (i % IDS_PER_CHECK == 0)
            code = flat_wait_check(wait, error);
        if (code == SIMPLUGIN_OK)
            found = flat_snapshot_find(snapshot, sp_column_text(rows->ids, (uint64_t)row), &at);
        if (found < 0)
            code = plug_error(error, -found, "looking up an id failed");
        if (found > 0)
            there[(*there_count)++] = row;
        else
            absent[(*count)++] = row;
    }
    return code;
}

/* The snapshot goes before anything is written: a map that must grow waits for it. */
static int32_t rows_absent(flat_writer *writer, const flat_rows *rows, int64_t *absent,
                           uint64_t *count, int64_t *there, uint64_t *there_count,
                           simplugin_error **error)
{
    flat_snapshot *snapshot = NULL;
    int32_t code = flat_snapshot_of(writer->env, &snapshot, error);

    if (code != SIMPLUGIN_OK)
        return code;
    code = rows_part(snapshot, rows, writer->wait, absent, count, there, there_count, error);
    flat_snapshot_end(snapshot);
    return code;
}

int32_t flat_store_insert(flat_store *store, const flat_rows *rows, int all_or_none,
                          const flat_wait *wait, int64_t *there, uint64_t *there_count,
                          simplugin_error **error)
{
    flat_rows absent = *rows;
    int64_t *select = NULL;
    uint64_t replaced = 0;
    flat_writer writer;
    int32_t code = SIMPLUGIN_OK;

    *there_count = 0;
    if (!rows->count)
        return code;
    select = calloc((size_t)rows->count, sizeof(*select));
    if (!select)
        return plug_error_no_memory(error);
    absent.select = select;
    absent.count = 0;
    code = flat_writer_begin(store, wait, &writer, error);
    if (code == SIMPLUGIN_OK)
        code = rows_absent(&writer, rows, select, &absent.count, there, there_count, error);
    if (code == SIMPLUGIN_OK && !(all_or_none && *there_count))
        code = flat_upsert_write(&writer, &absent, &replaced, error);
    flat_writer_end(&writer);
    free(select);
    return code;
}
