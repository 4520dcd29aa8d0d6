/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics: how each is written in SQL, with pgvector and without. */
#ifndef PGV_METRIC_H
#define PGV_METRIC_H

#include "call.h"

#define PGV_METRICS 3

typedef enum pgv_metric { PGV_COSINE, PGV_DOTPRODUCT, PGV_EUCLIDEAN } pgv_metric;

extern const char *const pgv_metric_names[PGV_METRICS];

/* Its place among the names, or -1. */
int pgv_metric_find(const char *name);
/* pgvector's operator and its class of operators for hnsw. */
const char *pgv_metric_operator(pgv_metric metric);
const char *pgv_metric_class(pgv_metric metric);
/*
 * The canonical distance between the column vector of the table p and a query, as an expression
 * that no index answers. type 0: of real[].
 */
void pgv_metric_distance(pgv_call *call, pgv_sql *sql, pgv_metric metric, const float *query,
                         uint64_t dimension, uint32_t type);
/* Distances into scores. */
float pgv_metric_score(pgv_metric metric, float distance);

#endif
