/* SPDX-License-Identifier: Apache-2.0 */
#include "hnsw.h"

#include <stdio.h>

#include "instance.h"

/* What pgvector's index takes. */
#define HNSW_DIMENSION_MAX 2000

static int32_t number_read(pgv_call *call, const simplugin_value *map, const char *key, int64_t min,
                           int64_t max, int64_t *number)
{
    int found = simplugin_find_int(map, key, number);

    if (found < 0 || (found && (*number < min || *number > max)))
        return pgv_fail_argument(call, key, "%s is an int from %lld to %lld", key, (long long)min,
                                 (long long)max);
    return SIMPLUGIN_OK;
}

int32_t pgv_hnsw_read(pgv_call *call, const simplugin_value *parameters, int standard,
                      pgv_hnsw *hnsw)
{
    simplugin_value type;
    int found = simplugin_find(parameters, "index_type", &type);
    int is_wanted = found ? simplugin_value_is(&type, "hnsw") : standard;
    int32_t code;

    hnsw->m = 16;
    hnsw->ef_construction = 64;
    if (found && !is_wanted && !simplugin_value_is(&type, "none"))
        return pgv_fail_argument(call, "index_type", "index_type is none or hnsw");
    code = number_read(call, parameters, "m", 2, 100, &hnsw->m);
    if (!code)
        code = number_read(call, parameters, "ef_construction", 4, 1000, &hnsw->ef_construction);
    if (!code && is_wanted && hnsw->ef_construction < 2 * hnsw->m)
        code = pgv_fail_argument(call, "ef_construction", "ef_construction is twice m at least");
    if (!is_wanted)
        hnsw->m = 0;
    return code;
}

int32_t pgv_hnsw_check(pgv_call *call, const pgv_hnsw *hnsw, int is_vector, uint64_t dimension)
{
    if (!hnsw->m)
        return SIMPLUGIN_OK;
    if (!is_vector)
        return pgv_fail_argument(call, "index_type",
                                 "index_type hnsw needs the extension vector in the database, and "
                                 "storage auto or vector");
    if (dimension > HNSW_DIMENSION_MAX)
        return pgv_fail_argument(call, "index_type",
                                 "pgvector's hnsw takes %d dimensions at most, not %llu",
                                 HNSW_DIMENSION_MAX, (unsigned long long)dimension);
    return SIMPLUGIN_OK;
}

/* Its name is the collection's own number's: that of a table may leave no room. */
static void index_name(pgv_sql *sql, const pgv_collection *collection, int with_schema,
                       pgv_call *call)
{
    char name[64];

    snprintf(name, sizeof name, "hnsw_%.40s", collection->id);
    if (with_schema)
        pgv_table(call, sql, name);
    else
        pgv_name(sql, name);
}

static int32_t catalogue_note(pgv_call *call, const pgv_hnsw *hnsw)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "UPDATE ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " SET hnsw_m = nullif(");
    pgv_bind_int64(&sql, hnsw->m);
    pgv_words(&sql, ", 0), hnsw_ef_construction = nullif(");
    pgv_bind_int64(&sql, hnsw->ef_construction);
    pgv_words(&sql, ", 0) WHERE name = ");
    pgv_bind_string(&sql, call->collection);
    return pgv_run(call, &sql, NULL);
}

int32_t pgv_hnsw_build(pgv_call *call, const pgv_collection *collection, const pgv_hnsw *hnsw)
{
    pgv_sql sql = {0};
    char with[80];
    int32_t code;

    snprintf(with, sizeof with, ") WITH (m = %d, ef_construction = %d)", (int)hnsw->m,
             (int)hnsw->ef_construction);
    pgv_words(&sql, "CREATE INDEX ");
    index_name(&sql, collection, 0, call);
    pgv_words(&sql, " ON ");
    pgv_table(call, &sql, collection->table);
    pgv_words(&sql, " USING hnsw (vector ");
    pgv_name(&sql, call->connection->vector_schema);
    pgv_words(&sql, ".");
    pgv_words(&sql, pgv_metric_class(collection->metric));
    pgv_words(&sql, with);
    code = pgv_run(call, &sql, NULL);
    return code ? code : catalogue_note(call, hnsw);
}

static int32_t index_drop(pgv_call *call, const pgv_collection *collection)
{
    static const pgv_hnsw none = {0};
    pgv_sql sql = {0};
    int32_t code;

    pgv_words(&sql, "DROP INDEX IF EXISTS ");
    index_name(&sql, collection, 1, call);
    code = pgv_run(call, &sql, NULL);
    return code ? code : catalogue_note(call, &none);
}

/* ---- methods -------------------------------------------------------------------------------- */

int32_t pgv_index_create(pgv_call *call)
{
    simplugin_value parameters = {0};
    pgv_collection collection;
    pgv_hnsw hnsw;
    int32_t code = pgv_arg_parameters(call, "index_type m ef_construction", &parameters);

    if (!code)
        code = pgv_command(call, "BEGIN");
    if (!code)
        code = pgv_lock(call);
    if (!code)
        code = pgv_collection_find(call, &collection);
    /* where nothing is asked for: the index, if these vectors can have one */
    if (!code)
        code = pgv_hnsw_read(call, &parameters,
                             collection.vector_type != 0 &&
                                 collection.dimension <= HNSW_DIMENSION_MAX,
                             &hnsw);
    if (!code)
        code = pgv_hnsw_check(call, &hnsw, collection.vector_type != 0, collection.dimension);
    if (!code)
        code = index_drop(call, &collection);
    if (!code && hnsw.m)
        code = pgv_hnsw_build(call, &collection, &hnsw);
    if (!code)
        code = pgv_command(call, "COMMIT");
    simplugin_write_map(&call->out, 0);
    return code;
}

int32_t pgv_index_drop(pgv_call *call)
{
    pgv_collection collection;
    int32_t code = pgv_command(call, "BEGIN");

    if (!code)
        code = pgv_lock(call);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code)
        code = index_drop(call, &collection);
    if (!code)
        code = pgv_command(call, "COMMIT");
    simplugin_write_map(&call->out, 0);
    return code;
}

int32_t pgv_index_describe(pgv_call *call)
{
    pgv_collection collection;
    int32_t code = pgv_collection_find(call, &collection);

    if (code)
        return code;
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "parameters");
    simplugin_write_map(&call->out, collection.hnsw_m ? 3 : 1);
    simplugin_write_string(&call->out, "index_type");
    simplugin_write_string(&call->out, collection.hnsw_m ? "hnsw" : "none");
    if (collection.hnsw_m) {
        pgv_write_count(call, "m", (uint64_t)collection.hnsw_m);
        pgv_write_count(call, "ef_construction", (uint64_t)collection.hnsw_ef_construction);
    }
    return SIMPLUGIN_OK;
}
