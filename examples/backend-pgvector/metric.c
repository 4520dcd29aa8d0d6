/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

const char *const pgv_metric_names[PGV_METRICS] = {"cosine", "dotproduct", "euclidean"};

static const char *const operators[PGV_METRICS] = {"<=>", "<#>", "<->"};
static const char *const classes[PGV_METRICS] = {"vector_cosine_ops", "vector_ip_ops",
                                                 "vector_l2_ops"};

int pgv_metric_find(const char *name)
{
    for (int i = 0; i < PGV_METRICS; i++)
        if (strcmp(pgv_metric_names[i], name) == 0)
            return i;
    return -1;
}

const char *pgv_metric_operator(pgv_metric metric) { return operators[metric]; }

const char *pgv_metric_class(pgv_metric metric) { return classes[metric]; }

/* Of two arrays of numbers, item by item, as double precision. */
static void array_distance(pgv_sql *sql, pgv_metric metric, const float *query, uint64_t dimension)
{
    static const char *const sums[PGV_METRICS] = {
        /* 1 where a vector is zero and has no direction */
        "coalesce(1 - sum(x * y) / nullif(sqrt(sum(x * x)) * sqrt(sum(y * y)), 0), 1)",
        "- sum(x * y)",
        "sqrt(sum((x - y) * (x - y)))",
    };

    pgv_words(sql, "(SELECT ");
    pgv_words(sql, sums[metric]);
    pgv_words(sql, " FROM (SELECT unnest(p.vector)::float8 AS x, unnest(");
    pgv_bind_vector(sql, query, dimension, 0);
    pgv_words(sql, ")::float8 AS y) AS items)");
}

void pgv_metric_distance(pgv_call *call, pgv_sql *sql, pgv_metric metric, const float *query,
                         uint64_t dimension, uint32_t type)
{
    if (!type) {
        array_distance(sql, metric, query, dimension);
        return;
    }
    /* pgvector's cosine distance of a zero vector is NaN; with either an index is not thought of */
    pgv_words(sql,
              metric == PGV_COSINE ? "coalesce(nullif(p.vector OPERATOR(" : "((p.vector OPERATOR(");
    pgv_name(sql, call->connection->vector_schema);
    pgv_words(sql, ".");
    pgv_words(sql, operators[metric]);
    pgv_words(sql, ") ");
    pgv_bind_vector(sql, query, dimension, type);
    pgv_words(sql, metric == PGV_COSINE ? ", 'NaN'), 1)" : ") + 0)");
}

float pgv_metric_score(pgv_metric metric, float distance)
{
    return metric == PGV_COSINE ? 1 - distance : metric == PGV_DOTPRODUCT ? 0 - distance : distance;
}
