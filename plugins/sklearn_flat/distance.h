/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics: their names, which kernel serves them, and the key by which a search ranks.
 *
 * A key is a double that is larger for what is nearer: the cosine, the dot product, the
 * coefficient of correlation, and for everything else the distance negated.
 */
#ifndef FLAT_DISTANCE_H
#define FLAT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* What is known about a metric beyond its kernel: how codes and products bound it. */
#define FLAT_COSINE 0
#define FLAT_DOT 1
#define FLAT_EUCLIDEAN 2
#define FLAT_OTHER 3 /* nothing: every row is looked at */

typedef struct flat_metric {
    const char *name;
    uint32_t kind;
    uint32_t exact;      /* SP_EXACT_... */
    int squared;         /* the distance is the square of the key */
    int scored_by_key;   /* the raw score is the key; otherwise it is the distance */
} flat_metric;

/* The metric of that name (of metric.h); NULL: unknown. */
const flat_metric *flat_metric_find(const char *name, size_t size);

/* The key of what the exact kernel answered for a query of that length. */
double flat_metric_key(const flat_metric *metric, double exact, double query_length);
/* Canonical, smaller is nearer. */
double flat_metric_distance(const flat_metric *metric, double key);
/* What the metric itself says: the cosine, the dot product, or the distance. */
double flat_metric_score(const flat_metric *metric, double key);
/* Rows within that distance, as float32 numbers compare, have at least this key. */
double flat_metric_limit(const flat_metric *metric, double max_distance);

#endif
