/* SPDX-License-Identifier: Apache-2.0 */
/* points.upsert and points.set_fields: rows are staged, then written by one statement. */
#include <stdio.h>

#include "instance.h"
#include "staging.h"

/* How many ids an error names. */
#define IDS_NAMED 10

/* ---- fields --------------------------------------------------------------------------------- */

static int has_value(const simplugin_column *column, const pgv_selection *rows)
{
    for (uint64_t i = 0; i < rows->count; i++)
        if (simplugin_column_is_valid(column, pgv_selected(rows, i)))
            return 1;
    return 0;
}

/* A column of nothing but missing values, as one of another type. */
static int column_retype(pgv_call *call, simplugin_column *column, uint32_t type)
{
    uint8_t *nothing = pgv_take(call, column->count / 8 + 1, 1);

    column->type = type;
    column->valid = nothing;
    return nothing != NULL;
}

/*
 * A field keeps the type of its first value; fields that are new become columns. A column without
 * a value may be of any type: it is left out where there is no such field.
 */
static int32_t fields_settle(pgv_call *call, pgv_collection *collection, const pgv_selection *rows,
                             pgv_column *columns, uint64_t *count)
{
    pgv_field *added = pgv_take(call, *count, sizeof *added);
    uint64_t kept = 0, added_count = 0;

    if (!added)
        return pgv_no_memory(call);
    for (uint64_t i = 0; i < *count; i++) {
        const pgv_field *field = pgv_field_find(collection, columns[i].name);
        int is_empty = !has_value(&columns[i].values, rows);

        if (is_empty && !field)
            continue;
        if (is_empty && !column_retype(call, &columns[i].values, field->type))
            return pgv_no_memory(call);
        if (!is_empty && (!field || field->type != columns[i].values.type)) {
            added[added_count].name = columns[i].name; /* pgv_fields_add tells types apart */
            added[added_count++].type = columns[i].values.type;
        }
        columns[kept++] = columns[i];
    }
    *count = kept;
    return added_count ? pgv_fields_add(call, collection, added, added_count) : SIMPLUGIN_OK;
}

/* ---- upsert --------------------------------------------------------------------------------- */

typedef enum existing { OVERWRITE, SKIP, FAIL } existing;

static int32_t existing_read(pgv_call *call, existing *what)
{
    static const char *const names[] = {"overwrite", "skip", "fail"};
    simplugin_value value;

    *what = OVERWRITE;
    if (!simplugin_find(&call->body, "existing", &value))
        return SIMPLUGIN_OK;
    for (int i = 0; i < 3; i++)
        if (simplugin_value_is(&value, names[i])) {
            *what = (existing)i;
            return SIMPLUGIN_OK;
        }
    return pgv_fail_argument(call, "existing", "existing is overwrite, skip or fail");
}

/* "INSERT ... SELECT ...", in the order of ids, so that two writers do not wait for each other. */
static void insert(pgv_call *call, pgv_sql *sql, const pgv_collection *collection,
                   const pgv_staged *staged)
{
    char number[32];

    pgv_words(sql, "INSERT INTO ");
    pgv_points_table(call, sql, collection);
    pgv_words(sql, " (id, vector");
    for (uint64_t i = 0; i < staged->column_count; i++) {
        pgv_words(sql, ", ");
        pgv_name(sql, pgv_field_find(collection, staged->columns[i].name)->column);
    }
    pgv_words(sql, ") SELECT id, v");
    for (uint64_t i = 0; i < staged->column_count; i++) {
        snprintf(number, sizeof number, ", f%llu", (unsigned long long)i);
        pgv_words(sql, number);
    }
    pgv_words(sql, " FROM " PGV_STAGED " ORDER BY id ON CONFLICT (id) DO ");
}

/* A point that is replaced loses what it is not given again. */
static int32_t overwrite(pgv_call *call, const pgv_collection *collection, const pgv_staged *staged,
                         int64_t *replaced)
{
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code;

    pgv_words(&sql, "WITH written AS (");
    insert(call, &sql, collection, staged);
    pgv_words(&sql, "UPDATE SET vector = excluded.vector");
    for (uint64_t i = 0; i < collection->field_count; i++) {
        pgv_words(&sql, ", ");
        pgv_name(&sql, collection->fields[i].column);
        pgv_words(&sql, " = excluded.");
        pgv_name(&sql, collection->fields[i].column);
    }
    /* a row that was locked to be updated bears the mark of it, and a new one none */
    pgv_words(&sql, " RETURNING p.xmax <> 0 AS was_there) "
                    "SELECT count(*) FILTER (WHERE was_there) FROM written");
    code = pgv_run(call, &sql, &result);
    if (!code) {
        *replaced = pgv_read_int64(PQgetvalue(result, 0, 0));
        PQclear(result);
    }
    return code;
}

/* result: the numbers, and the ids, of rows that are there already, in the order of the request. */
static int32_t insert_new(pgv_call *call, const pgv_collection *collection,
                          const pgv_staged *staged, PGresult **result)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "WITH written AS (");
    insert(call, &sql, collection, staged);
    pgv_words(&sql,
              "NOTHING RETURNING p.id) SELECT s.n, s.id FROM " PGV_STAGED
              " AS s WHERE NOT EXISTS (SELECT FROM written AS w WHERE w.id = s.id) ORDER BY s.n");
    return pgv_run(call, &sql, result);
}

static int32_t exist_already(pgv_call *call, const PGresult *there)
{
    int count = PQntuples(there);
    char others[40] = " is";

    if (count > 1)
        snprintf(others, sizeof others, " and %d more are", count - 1);
    pgv_fail(call, SIMPLUGIN_ALREADY_EXISTS, "id \"%.*s\"%s there already: nothing was written",
             PQgetlength(there, 0, 1), PQgetvalue(there, 0, 1), others);
    for (int i = 0; i < count && i < IDS_NAMED; i++)
        pgv_host->error_add_detail(call->error, "id", 2, PQgetvalue(there, i, 1),
                                   (uint64_t)PQgetlength(there, i, 1));
    return SIMPLUGIN_ALREADY_EXISTS;
}

/*
 * The positions of skipped rows, in the order of writing: with "rows" that order is not that of
 * their numbers.
 */
static int32_t skipped_write(pgv_call *call, const pgv_staged *staged, const PGresult *there)
{
    uint64_t count = (uint64_t)PQntuples(there), written = 0;
    uint8_t *is_there = pgv_take(call, staged->ids->count, 1);
    int64_t *skipped = pgv_reply_memory(call, count, sizeof *skipped);

    if (!is_there || !skipped)
        return pgv_no_memory(call);
    for (int i = 0; i < PQntuples(there); i++)
        is_there[pgv_read_int64(PQgetvalue(there, i, 0))] = 1;
    for (uint64_t i = 0; i < staged->rows->count; i++)
        if (is_there[pgv_selected(staged->rows, i)])
            skipped[written++] = (int64_t)pgv_selected(staged->rows, i);
    pgv_write_numbers(call, "skipped", SIMPLUGIN_INT64, skipped, count);
    return SIMPLUGIN_OK;
}

static int32_t write_rows(pgv_call *call, const pgv_collection *collection,
                          const pgv_staged *staged, existing what)
{
    PGresult *there = NULL;
    int64_t replaced = 0;
    uint64_t skipped = 0;
    int32_t code = what == OVERWRITE ? overwrite(call, collection, staged, &replaced)
                                     : insert_new(call, collection, staged, &there);

    if (!code && there)
        skipped = (uint64_t)PQntuples(there);
    if (!code && what == FAIL && skipped)
        code = exist_already(call, there);
    if (!code)
        code = pgv_command(call, "COMMIT");
    simplugin_write_map(&call->out, there ? 3 : 2);
    pgv_write_count(call, "upserted", staged->rows->count - skipped);
    pgv_write_count(call, "replaced", (uint64_t)replaced);
    if (!code && there)
        code = skipped_write(call, staged, there);
    PQclear(there);
    return code;
}

int32_t pgv_points_upsert(pgv_call *call)
{
    pgv_collection collection;
    simplugin_value parameters = {0};
    pgv_column *columns = NULL;
    pgv_selection rows;
    simplugin_column ids;
    pgv_matrix vectors;
    pgv_staged staged = {.ids = &ids, .vectors = &vectors, .rows = &rows};
    existing what;
    int32_t code = pgv_arg_parameters(call, "", &parameters);

    if (!code)
        code = existing_read(call, &what);
    if (!code)
        code = pgv_arg_ids(call, &ids, NULL);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code)
        code = pgv_arg_vectors(call, collection.dimension, &vectors);
    if (!code && ids.count != vectors.rows)
        code = pgv_fail_argument(call, "ids", "ids: there are %llu, for %llu vectors",
                                 (unsigned long long)ids.count, (unsigned long long)vectors.rows);
    if (!code)
        code = pgv_arg_rows(call, ids.count, &rows);
    if (!code)
        code = pgv_arg_columns(call, ids.count, &columns, &staged.column_count);
    if (!code)
        code = pgv_command(call, "BEGIN");
    if (!code)
        code = fields_settle(call, &collection, &rows, columns, &staged.column_count);
    staged.columns = columns;
    if (!code)
        code = pgv_stage(call, &collection, &staged);
    return code ? code : write_rows(call, &collection, &staged, what);
}

/* ---- set_fields ----------------------------------------------------------------------------- */

static int32_t update(pgv_call *call, const pgv_collection *collection, const pgv_staged *staged,
                      PGresult **result)
{
    pgv_sql sql = {0};
    char number[32];

    pgv_words(&sql, "WITH written AS (UPDATE ");
    pgv_points_table(call, &sql, collection);
    pgv_words(&sql, " SET id = p.id"); /* there may be no field left to set */
    for (uint64_t i = 0; i < staged->column_count; i++) {
        pgv_words(&sql, ", ");
        pgv_name(&sql, pgv_field_find(collection, staged->columns[i].name)->column);
        snprintf(number, sizeof number, " = s.f%llu", (unsigned long long)i);
        pgv_words(&sql, number);
    }
    pgv_words(&sql, " FROM " PGV_STAGED " AS s WHERE p.id = s.id RETURNING s.n) "
                    "SELECT n FROM written ORDER BY n");
    return pgv_run(call, &sql, result);
}

static int32_t positions_write(pgv_call *call, const PGresult *result)
{
    uint64_t count = (uint64_t)PQntuples(result);
    int64_t *positions = pgv_reply_memory(call, count, sizeof *positions);

    if (!positions)
        return pgv_no_memory(call);
    for (int i = 0; i < PQntuples(result); i++)
        positions[i] = pgv_read_int64(PQgetvalue(result, i, 0));
    simplugin_write_map(&call->out, 2);
    pgv_write_count(call, "updated", count);
    pgv_write_numbers(call, "positions", SIMPLUGIN_INT64, positions, count);
    return SIMPLUGIN_OK;
}

int32_t pgv_points_set_fields(pgv_call *call)
{
    pgv_collection collection;
    simplugin_column ids;
    pgv_column *columns = NULL;
    pgv_selection rows = {0};
    pgv_staged staged = {.ids = &ids, .rows = &rows};
    PGresult *result = NULL;
    int32_t code = pgv_arg_ids(call, &ids, NULL);

    rows.count = ids.count;
    if (!code)
        code = pgv_arg_columns(call, ids.count, &columns, &staged.column_count);
    if (!code && !staged.column_count)
        code = pgv_fail_argument(call, "fields", "fields are needed");
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code)
        code = pgv_command(call, "BEGIN");
    if (!code)
        code = fields_settle(call, &collection, &rows, columns, &staged.column_count);
    staged.columns = columns;
    if (!code)
        code = pgv_stage(call, &collection, &staged);
    if (!code)
        code = update(call, &collection, &staged, &result);
    if (!code)
        code = pgv_command(call, "COMMIT");
    if (!code)
        code = positions_write(call, result);
    PQclear(result);
    return code;
}
