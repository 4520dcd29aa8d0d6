/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics the core computes itself, with the canonical distance of docs/protocol.md. */
#ifndef SP_DISTANCE_H
#define SP_DISTANCE_H

#include <stdint.h>

#define SP_METRIC_COSINE 0
#define SP_METRIC_DOTPRODUCT 1
#define SP_METRIC_EUCLIDEAN 2
#define SP_METRIC_SQEUCLIDEAN 3
#define SP_METRIC_MANHATTAN 4
#define SP_METRIC_CHEBYSHEV 5
#define SP_METRIC_CANBERRA 6
#define SP_METRIC_BRAYCURTIS 7
#define SP_METRIC_CORRELATION 8
#define SP_METRIC_UNKNOWN (-1)

/* The metric of that name; SP_METRIC_UNKNOWN: the core cannot compute it. */
int sp_metric_named(const char *name);
/* out[i] = the distance of query and row i; rows have stride floats. */
void sp_distances(int metric, const float *query, const float *rows, uint64_t stride,
                  uint64_t count, uint64_t dimension, double *out);
/* The raw score that goes with a distance. */
double sp_distance_score(int metric, double distance);
/* cos of two vectors, 0 if one is zero. */
double sp_cosine(const float *a, const float *b, uint64_t dimension);

#endif
