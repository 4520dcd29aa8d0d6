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
    int as_columns;       /* how the target is sent arrays; flat gets them plain */
    int may_fail;         /* where both fail alike, it is what was expected */
    core_answer answer;   /* the target's last */
    core_answer truth;    /* flat's last */
} pair;

/*
 * Opens sessions and makes an index on each side; create is the body of index.create. 0: the check
 * has failed.
 */
int pair_open(pair *p, conf_run *run, const json_t *create);
/* Drops both collections. */
void pair_close(pair *p);
/*
 * Asks both. 1: both succeeded, and answer and truth have their replies. 0: the check fails, unless
 * both failed with the same code and may_fail is set.
 */
int pair_ask(pair *p, const char *method, const json_t *body);
/* The same for what both have been asked in other words. */
int pair_codes_agree(const pair *p, const char *method);
/*
 * Reads all of an index by a scan: an object from id to {"vector", "fields": {name: value}}, the
 * caller's. Fails the check, and returns 0, where an id comes twice or the scan does not end.
 */
int pair_scan_one(pair *p, uint64_t index, const char *whose, const json_t *body, json_t **points);
/* Both, each by itself. */
int pair_scan(pair *p, const json_t *body, json_t **points, json_t **truth);

#endif
