/* SPDX-License-Identifier: Apache-2.0 */
/* Which checks are to run, and what has become of them: what the reports are made of. */
#ifndef CONFORMANCE_PLAN_H
#define CONFORMANCE_PLAN_H

#include "check.h"
#include "options.h"
#include "outcome.h"

typedef struct conf_item {
    const conf_check *check;
    int needs_describe;  /* it fails where the backend could not be described */
    conf_outcome outcome;
} conf_item;

typedef struct conf_plan {
    conf_item *items;
    size_t count;
    const conf_target *target;
    const conf_options *options;
    const char *without_describe; /* why it could not be described; else NULL */
    const char *directory;        /* the run's own; checks get theirs in it */
    double seconds;
    int interrupted;              /* the signal; 0: none */
} conf_plan;

typedef struct conf_totals {
    size_t passed, failed, skipped, waiting;
} conf_totals;

/* Adds a check; the pointer is kept. */
void conf_plan_add(conf_plan *plan, const conf_check *check, int needs_describe);
/* Leaves only what --only, --except and --part choose. */
void conf_plan_choose(conf_plan *plan);
void conf_plan_clear(conf_plan *plan);
conf_totals conf_plan_totals(const conf_plan *plan);
/* The command that runs just this check again, for a shell. The caller's. */
char *conf_plan_replay(const conf_plan *plan, const conf_check *check);

/* Runs all of them, some beside each other; tells of each in order. schedule.c */
void conf_plan_run(conf_plan *plan, void (*done)(const conf_plan *plan, size_t i));

#endif
