/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the backend answers as sklearn_flat does; where it does not, the check fails. */
#ifndef CONFORMANCE_AGREE_H
#define CONFORMANCE_AGREE_H

#include "pair.h"

/* A pair, and what is on its flat side. */
typedef struct agreement {
    pair p;
    const char *metric;
    json_t *points;       /* flat's, as pair_scan gives them; NULL: to be read again */
    size_t found, there;  /* hits of searches that need not be exact: right ones, and all */
} agreement;

/* pair_open with create, in which the metric is named. */
int agreement_open(agreement *a, conf_run *run, const json_t *create);
/* Fails where too few of the hits were right, and closes the pair. */
void agreement_close(agreement *a);

/* The points that are there, from id to {"vector", "fields"}; borrowed until the next write. */
const json_t *agreement_points(agreement *a);

/* index.add, index.remove, index.set_fields. 1: both did it, and say the same of it. */
int agreement_write(agreement *a, const char *method, const json_t *body);
/* index.search, index.radius: the same hits up to ties, and distances up to the tolerance. */
int agreement_search(agreement *a, const char *method, const json_t *body);
/* index.get: the same rows in the same order. */
int agreement_get(agreement *a, const json_t *body);
/* The size, and all points by scans of max_rows. */
int agreement_all(agreement *a, int max_rows);

#endif
