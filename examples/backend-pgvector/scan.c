/* SPDX-License-Identifier: Apache-2.0 */
/*
 * points.scan: a walk in the order of ids, whose cursor is the last id that was given out. Rows
 * may be of any size, so a reply is filled by several statements: a few rows first, then as many
 * as would fit if they were like those before.
 */
#include "filter.h"
#include "instance.h"
#include "rows.h"

#define DEFAULT_BYTES (INT64_C(8) << 20)
#define STEP_FIRST 64
#define STEP_MAX 16384

typedef struct scan_state {
    pgv_rows rows;
    const char *last; /* the id that was given out last; NULL: none yet */
    uint64_t last_size;
    int64_t max_rows;
    uint64_t max_bytes;
    uint64_t bytes;
    int is_full;
    int is_done;
} scan_state;

static int32_t cursor_read(pgv_call *call, scan_state *scan)
{
    simplugin_value cursor;

    if (!simplugin_find(&call->body, "cursor", &cursor))
        return SIMPLUGIN_OK;
    if (cursor.type != SIMPLUGIN_BYTES || !cursor.size || cursor.size > 255 ||
        memchr(cursor.data, 0, (size_t)cursor.size) ||
        !simplugin_utf8_check(cursor.data, cursor.size))
        return pgv_fail_argument(call, "cursor", "the cursor is not one of points.scan's");
    scan->last = (const char *)cursor.data;
    scan->last_size = cursor.size;
    return SIMPLUGIN_OK;
}

static int32_t ask(pgv_call *call, scan_state *scan, int64_t limit, PGresult **result)
{
    pgv_sql sql = {0};
    int32_t code;

    pgv_words(&sql, "SELECT ");
    pgv_rows_select(&scan->rows, &sql);
    pgv_words(&sql, " FROM ");
    pgv_points_table(call, &sql, scan->rows.collection);
    if (scan->last) {
        pgv_words(&sql, " WHERE p.id > ");
        pgv_bind_text(&sql, scan->last, scan->last_size);
    }
    code = pgv_where(call, scan->rows.collection, !scan->last, &sql);
    pgv_words(&sql, " ORDER BY p.id LIMIT ");
    pgv_bind_int64(&sql, limit);
    if (!code)
        code = pgv_run(call, &sql, result);
    pgv_sql_clear(&sql);
    return code;
}

static uint64_t row_bytes(const PGresult *result, int row)
{
    uint64_t bytes = 8;

    for (int i = 0; i < PQnfields(result); i++)
        bytes += (uint64_t)PQgetlength(result, row, i);
    return bytes;
}

/* As many of the rows as there is room for; one at least. */
static int32_t take(scan_state *scan, PGresult *result, int64_t limit)
{
    int count = PQntuples(result), taken = 0;

    while (taken < count && !scan->is_full) {
        uint64_t bytes = row_bytes(result, taken);

        scan->is_full = (scan->rows.count || taken) && scan->bytes + bytes > scan->max_bytes;
        if (scan->is_full)
            break;
        scan->bytes += bytes;
        taken++;
    }
    scan->is_done = count < limit && taken == count;
    scan->is_full |= scan->bytes >= scan->max_bytes;
    if (taken) {
        scan->last = PQgetvalue(result, taken - 1, 0);
        scan->last_size = (uint64_t)PQgetlength(result, taken - 1, 0);
    }
    return pgv_rows_add(&scan->rows, result, taken);
}

static int64_t step_next(const scan_state *scan, int64_t step)
{
    uint64_t average = scan->rows.count ? scan->bytes / scan->rows.count + 1 : 1;
    uint64_t fit = (scan->max_bytes - scan->bytes) / average + 1;

    step = step < STEP_MAX / 4 ? step * 4 : STEP_MAX;
    return fit < (uint64_t)step ? (int64_t)fit : step;
}

static int32_t fill(pgv_call *call, scan_state *scan)
{
    int64_t step = STEP_FIRST;
    int32_t code = SIMPLUGIN_OK;

    while (!code && !scan->is_done && !scan->is_full) {
        int64_t left = scan->max_rows - (int64_t)scan->rows.count;
        PGresult *result = NULL;

        if (step > left)
            step = left;
        code = ask(call, scan, step, &result);
        if (!code)
            code = take(scan, result, step);
        scan->is_full |= (int64_t)scan->rows.count == scan->max_rows;
        if (!code && !scan->is_full)
            step = step_next(scan, step);
    }
    return code;
}

int32_t pgv_points_scan(pgv_call *call)
{
    pgv_collection collection;
    scan_state scan = {.max_rows = INT64_MAX};
    pgv_names names;
    int64_t max_bytes = DEFAULT_BYTES;
    int with_vectors = 1;
    int32_t code = pgv_arg_int(call, "max_rows", 1, INT64_MAX, &scan.max_rows);

    if (!code)
        code = pgv_arg_int(call, "max_bytes", 1, INT64_MAX, &max_bytes);
    if (!code)
        code = pgv_arg_bool(call, "vectors", &with_vectors);
    if (!code)
        code = pgv_arg_names(call, &names);
    if (!code)
        code = cursor_read(call, &scan);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code)
        code = pgv_rows_init(&scan.rows, call, &collection, with_vectors, &names);
    scan.max_bytes = (uint64_t)max_bytes;
    if (!code)
        code = fill(call, &scan);
    simplugin_write_map(&call->out, 2 + (uint64_t)with_vectors + (uint64_t)!scan.is_done);
    if (!code)
        code = pgv_rows_write(&scan.rows, 1);
    if (!code && !scan.is_done) {
        simplugin_write_string(&call->out, "cursor");
        simplugin_write_bytes(&call->out, scan.last, scan.last_size);
    }
    pgv_rows_clear(&scan.rows);
    return code;
}
