/* SPDX-License-Identifier: Apache-2.0 */
/* points.get, points.delete and points.count. */
#include "filter.h"
#include "instance.h"
#include "rows.h"

static int32_t get_ask(pgv_call *call, pgv_rows *rows, const simplugin_column *ids)
{
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code;

    pgv_words(&sql, "SELECT ");
    pgv_rows_select(rows, &sql);
    pgv_words(&sql, ", wanted.n FROM unnest(");
    pgv_bind_ids(&sql, ids);
    pgv_words(&sql, ") WITH ORDINALITY AS wanted (id, n) JOIN ");
    pgv_points_table(call, &sql, rows->collection);
    pgv_words(&sql, " ON p.id = wanted.id ORDER BY wanted.n");
    code = pgv_run(call, &sql, &result);
    return code ? code : pgv_rows_add(rows, result, PQntuples(result));
}

static int32_t positions_write(pgv_call *call, const pgv_rows *rows)
{
    int64_t *positions = pgv_reply_memory(call, rows->count, sizeof *positions);

    if (!positions)
        return pgv_no_memory(call);
    for (uint64_t i = 0; i < rows->count; i++)
        positions[i] =
            pgv_read_int64(PQgetvalue(rows->parts[0].result, (int)i, pgv_rows_more(rows))) - 1;
    pgv_write_numbers(call, "positions", SIMPLUGIN_INT64, positions, rows->count);
    return SIMPLUGIN_OK;
}

int32_t pgv_points_get(pgv_call *call)
{
    pgv_collection collection;
    pgv_rows rows = {0};
    simplugin_column ids;
    pgv_names names;
    int with_vectors = 1;
    int32_t code = pgv_arg_ids(call, &ids, NULL);

    if (!code)
        code = pgv_arg_bool(call, "vectors", &with_vectors);
    if (!code)
        code = pgv_arg_names(call, &names);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code)
        code = pgv_rows_init(&rows, call, &collection, with_vectors, &names);
    if (!code)
        code = get_ask(call, &rows, &ids);
    simplugin_write_map(&call->out, 3 + (uint64_t)with_vectors);
    if (!code)
        code = positions_write(call, &rows);
    if (!code)
        code = pgv_rows_write(&rows, 1);
    pgv_rows_clear(&rows);
    return code;
}

int32_t pgv_points_count(pgv_call *call)
{
    pgv_collection collection;
    pgv_sql sql = {0};
    PGresult *result = NULL;
    int32_t code = pgv_collection_find(call, &collection);

    if (code)
        return code;
    pgv_words(&sql, "SELECT count(*) FROM ");
    pgv_points_table(call, &sql, &collection);
    code = pgv_where(call, &collection, 1, &sql);
    if (!code)
        code = pgv_run(call, &sql, &result);
    pgv_sql_clear(&sql);
    if (code)
        return code;
    simplugin_write_map(&call->out, 1);
    pgv_write_count(call, "count", (uint64_t)pgv_read_int64(PQgetvalue(result, 0, 0)));
    PQclear(result);
    return SIMPLUGIN_OK;
}

int32_t pgv_points_delete(pgv_call *call)
{
    pgv_collection collection;
    pgv_sql sql = {0};
    PGresult *result = NULL;
    simplugin_column ids;
    simplugin_value filter;
    int has_ids, has_filter, all = 0;
    int32_t code = pgv_arg_ids(call, &ids, &has_ids);

    if (!code)
        code = pgv_arg_bool(call, "all", &all);
    has_filter = simplugin_find(&call->body, "filter", &filter);
    if (!code && has_ids + has_filter + all != 1)
        code = pgv_fail_argument(call, "ids", "exactly one of ids, filter and all is needed");
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (code)
        return code;
    pgv_words(&sql, "DELETE FROM ");
    pgv_points_table(call, &sql, &collection);
    if (has_ids) {
        pgv_words(&sql, " WHERE p.id = ANY (");
        pgv_bind_ids(&sql, &ids);
        pgv_words(&sql, ")");
    }
    code = pgv_where(call, &collection, !has_ids, &sql);
    if (!code)
        code = pgv_run(call, &sql, &result);
    pgv_sql_clear(&sql);
    if (code)
        return code;
    simplugin_write_map(&call->out, 1);
    pgv_write_count(call, "deleted", strtoull(PQcmdTuples(result), NULL, 10));
    PQclear(result);
    return SIMPLUGIN_OK;
}
