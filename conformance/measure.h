/* SPDX-License-Identifier: Apache-2.0 */
/* Distances in double, and what a search has to find by them. */
#ifndef CONFORMANCE_MEASURE_H
#define CONFORMANCE_MEASURE_H

#include "rig.h"

/* NAN for metrics that this program does not know. a and b are arrays of as many numbers. */
double conf_distance(const char *metric, const json_t *a, const json_t *b);
/* By how much a backend's may differ: 1e-4 times the scale of docs/protocol.md. */
double conf_tolerance(const char *metric, const json_t *a, const json_t *b);

/* What a collection holds: row i of vectors belongs to ids[i]. Borrowed. */
typedef struct conf_truth {
    const char *metric;
    const json_t *ids, *vectors;
} conf_truth;

/* How many of the nearest were looked for and found, over several searches. */
typedef struct conf_found {
    size_t wanted, found;
} conf_found;

/* The hits of one query: where they begin and end; 0 after failing the check. */
int conf_hits_range(conf_rig *rig, const json_t *reply, size_t query, size_t *begin, size_t *end);
/*
 * Hits of the query with that number: known ids, none twice, each with its own distance, nearest
 * (with reverse farthest) first, and the first k of them the true ones. Counts into found what an
 * approximate backend has found; fails the check for all else.
 */
void conf_hits_check(conf_rig *rig, const json_t *reply, size_t query, const json_t *vector,
                     const conf_truth *truth, size_t k, int reverse, conf_found *found);
/* Fails the check where fewer were found than the backend or the configuration says. */
void conf_found_check(conf_rig *rig, const conf_found *found);

#endif
