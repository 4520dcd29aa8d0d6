/* SPDX-License-Identifier: Apache-2.0 */
/* search: one statement a query, in one snapshot. */
#include <stdio.h>

#include "filter.h"
#include "hnsw.h"
#include "instance.h"
#include "rows.h"

#define EF_SEARCH 40
#define EF_SEARCH_MAX 1000
/* pgvector's 0.8, with which its index goes on until enough rows have passed the filter. */
#define ITERATIVE_VERSION 8

typedef struct search_request {
    pgv_collection collection;
    pgv_matrix vectors;
    pgv_rows rows;
    int64_t k;
    int64_t ef_search;
    double max_distance;
    int is_limited;
    int reverse;
    int with_index;
} search_request;

static int32_t parameters_read(pgv_call *call, search_request *request)
{
    simplugin_value parameters = {0};
    int exact = 0, found;
    int32_t code = pgv_arg_parameters(call, pgv_search_keys, &parameters);

    if (code)
        return code;
    request->ef_search = EF_SEARCH;
    found = simplugin_find_int(&parameters, "ef_search", &request->ef_search);
    if (found < 0 || request->ef_search < 1 || request->ef_search > EF_SEARCH_MAX)
        return pgv_fail_argument(call, "ef_search", "ef_search is an int from 1 to %d",
                                 EF_SEARCH_MAX);
    if (simplugin_find_bool(&parameters, "exact", &exact) < 0)
        return pgv_fail_argument(call, "exact", "exact is a bool");
    if (request->ef_search < request->k)
        request->ef_search = request->k < EF_SEARCH_MAX ? request->k : EF_SEARCH_MAX;
    request->with_index = request->collection.hnsw_m && !exact && !request->reverse;
    return SIMPLUGIN_OK;
}

static int32_t request_read(pgv_call *call, search_request *request, pgv_names *names)
{
    int with_vectors = 0;
    int32_t code = pgv_arg_int(call, "k", 1, INT64_MAX, &request->k);

    if (!code)
        code = pgv_arg_bool(call, "reverse", &request->reverse);
    if (!code)
        code = pgv_arg_double(call, "max_distance", &request->max_distance, &request->is_limited);
    if (!code)
        code = pgv_arg_bool(call, "with_vectors", &with_vectors);
    if (!code)
        code = pgv_arg_names(call, names);
    if (!code)
        code = pgv_collection_find(call, &request->collection);
    if (!code)
        code = pgv_arg_vectors(call, request->collection.dimension, &request->vectors);
    if (!code)
        code = parameters_read(call, request);
    return code ? code
                : pgv_rows_init(&request->rows, call, &request->collection, with_vectors, names);
}

/* "SELECT ..., distance FROM ... WHERE ...", the beginning of both kinds. */
static int32_t select_begin(pgv_call *call, const search_request *request, const float *query,
                            pgv_sql *sql)
{
    const pgv_collection *collection = &request->collection;

    pgv_words(sql, "SELECT ");
    pgv_rows_select(&request->rows, sql);
    pgv_words(sql, ", m.distance FROM ");
    pgv_points_table(call, sql, collection);
    pgv_words(sql, " CROSS JOIN LATERAL (SELECT ");
    pgv_metric_distance(call, sql, collection->metric, query, collection->dimension,
                        collection->vector_type);
    pgv_words(sql, " AS distance) AS m WHERE TRUE");
    return pgv_where(call, collection, 0, sql);
}

/* Every point is looked at. */
static int32_t exact(pgv_call *call, const search_request *request, const float *query,
                     PGresult **result)
{
    pgv_sql sql = {0};
    int32_t code = select_begin(call, request, query, &sql);

    if (request->is_limited) {
        pgv_words(&sql, " AND m.distance <= ");
        pgv_bind_double(&sql, request->max_distance);
    }
    pgv_words(&sql, request->reverse ? " ORDER BY m.distance DESC, p.id LIMIT "
                                     : " ORDER BY m.distance, p.id LIMIT ");
    pgv_bind_int64(&sql, request->k);
    if (!code)
        code = pgv_run(call, &sql, result);
    pgv_sql_clear(&sql);
    return code;
}

/* The same with the index: its ORDER BY is the one that it answers. */
static int32_t approximate(pgv_call *call, const search_request *request, const float *query,
                           PGresult **result)
{
    const pgv_collection *collection = &request->collection;
    pgv_sql sql = {0};
    int32_t code = select_begin(call, request, query, &sql);

    pgv_words(&sql, " ORDER BY p.vector OPERATOR(");
    pgv_name(&sql, call->connection->vector_schema);
    pgv_words(&sql, ".");
    pgv_words(&sql, pgv_metric_operator(collection->metric));
    pgv_words(&sql, ") ");
    pgv_bind_vector(&sql, query, collection->dimension, collection->vector_type);
    pgv_words(&sql, " LIMIT ");
    pgv_bind_int64(&sql, request->k);
    if (!code)
        code = pgv_run(call, &sql, result);
    pgv_sql_clear(&sql);
    return code;
}

/* How long the index looks around, for this transaction. */
static int32_t index_set(pgv_call *call, const search_request *request)
{
    char number[24];
    pgv_sql sql = {0};

    snprintf(number, sizeof number, "%lld", (long long)request->ef_search);
    pgv_words(&sql, "SELECT set_config('hnsw.ef_search', ");
    pgv_bind_string(&sql, number);
    pgv_words(&sql, call->connection->vector_version >= ITERATIVE_VERSION
                        ? ", true), set_config('hnsw.iterative_scan', 'strict_order', true)"
                        : ", true)");
    return pgv_run(call, &sql, NULL);
}

static double distance_at(const search_request *request, const PGresult *result, int row)
{
    return pgv_read_double(PQgetvalue(result, row, pgv_rows_more(&request->rows)));
}

/*
 * The index may give up before it has found k, and knows no zero vectors: where it is short of
 * hits, every point is looked at after all.
 */
static int32_t query_run(pgv_call *call, search_request *request, const float *query)
{
    PGresult *result = NULL;
    int count;
    int32_t code = SIMPLUGIN_OK;

    if (request->with_index)
        code = approximate(call, request, query, &result);
    if (!code && result && PQntuples(result) < request->k) {
        PQclear(result);
        result = NULL;
    }
    if (!code && !result)
        code = exact(call, request, query, &result);
    if (code)
        return code;
    count = PQntuples(result);
    while (request->is_limited && count &&
           distance_at(request, result, count - 1) > request->max_distance && !request->reverse)
        count--;
    return pgv_rows_add(&request->rows, result, count);
}

static int32_t hits_write(pgv_call *call, search_request *request, int with_fields)
{
    const pgv_rows *rows = &request->rows;
    int64_t *offsets = pgv_reply_memory(call, rows->part_count + 1, sizeof *offsets);
    float *distances = pgv_reply_memory(call, rows->count, sizeof *distances);
    float *scores = pgv_reply_memory(call, rows->count, sizeof *scores);
    uint64_t at = 0;

    if (!offsets || !distances || !scores)
        return pgv_no_memory(call);
    for (uint64_t i = 0; i < rows->part_count; i++) {
        for (int j = 0; j < rows->parts[i].count; j++, at++) {
            distances[at] = (float)distance_at(request, rows->parts[i].result, j);
            scores[at] = pgv_metric_score(request->collection.metric, distances[at]);
        }
        offsets[i + 1] = (int64_t)at;
    }
    simplugin_write_map(&call->out, 4 + (uint64_t)rows->with_vectors + (uint64_t)with_fields);
    pgv_write_numbers(call, "offsets", SIMPLUGIN_INT64, offsets, rows->part_count + 1);
    pgv_write_numbers(call, "distances", SIMPLUGIN_FLOAT32, distances, rows->count);
    pgv_write_numbers(call, "scores", SIMPLUGIN_FLOAT32, scores, rows->count);
    return pgv_rows_write(&request->rows, with_fields);
}

int32_t pgv_search(pgv_call *call)
{
    search_request request = {.k = 10};
    pgv_names names;
    int is_transaction;
    int32_t code = request_read(call, &request, &names);

    if (code)
        return code;
    is_transaction = request.with_index || request.vectors.rows > 1;
    if (is_transaction)
        code = pgv_command(call, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (!code && request.with_index)
        code = index_set(call, &request);
    for (uint64_t i = 0; !code && i < request.vectors.rows; i++)
        code = query_run(call, &request, request.vectors.data + i * request.vectors.stride);
    if (!code && is_transaction)
        code = pgv_command(call, "COMMIT");
    if (!code)
        code = hits_write(call, &request, names.all || names.count);
    pgv_rows_clear(&request.rows);
    return code;
}
