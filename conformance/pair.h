/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index on the backend under test and one on sklearn_flat, asked the same: what both of them
 * answer has to agree. For checks that run through the core.
 */
#ifndef CONFORMANCE_PAIR_H
#define CONFORMANCE_PAIR_H

#include "core.h"

typedef struct pair {
    conf_run *run;
    const conf_target *target;
    uint64_t index;       /* on the target; 0: not made */
    uint64_t flat;
    int as_columns;       /* how the target is sent arrays from now on; flat gets them plain */
    core_answer answer;   /* the target's last */
    core_answer truth;    /* flat's last */
} pair;

/*
 * Opens sessions and makes an index on each side; create is the body of index.create. 0: the check has
 * failed or was skipped.
 */
int pair_open(pair *p, conf_run *run, const json_t *create);
/* Drops both collections. */
void pair_close(pair *p);
/*
 * Asks both. 1: both succeeded, and answer and truth have their replies. 0: both failed with the
 * same code, or the check fails, as only one did or their codes differ.
 */
int pair_ask(pair *p, const char *method, const json_t *body);
/* The same for what names a handle that each side has of its own, such as a scan. */
int pair_ask_of(pair *p, uint64_t handle, uint64_t flat_handle, const char *method,
                const json_t *body);
/*
 * Reads all of both by scans: objects from id to {"vector", "fields": {name: value}}. Fails the check
 * where an id comes twice. The caller's. 0: failed.
 */
int pair_scan(pair *p, const json_t *body, json_t **points, json_t **truth);

#endif
