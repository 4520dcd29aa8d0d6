/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simplugin-conformance: what one check is, and what it is given.
 *
 * The program never loads the plugin itself. Every check runs in a child process of its own, so
 * that one that crashes, hangs, exits or spoils its memory fails alone: the parent ends it after
 * its time and says how it ended. What a check has to say goes to the parent through a socket.
 *
 *   target    the plugin file, how to reach what is behind it, what it declares
 *   check     a name such as "memory/inputs-not-kept", a line that says what is shown, a function
 *   run       one check under way: where it tells that it failed, and with what request
 *
 * The child begins its own process group, which is killed at its end with whatever a check has
 * forked; HOME and TMPDIR are private and removed; no FIFTYONE_ or SIMPLUGIN_ variable is set; it
 * leaves no core file. Returning from the function is passing, unless it failed or was skipped; then
 * the process exits as any other, so that a plugin that crashes only at its exit is found out too.
 */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <jansson.h>
#include <stdint.h>

#include "simplugin/plugin.h"

typedef struct conf_target {
    const char *name;        /* the backend's, [a-z0-9_]+ */
    const char *file;        /* absolute; NULL: registered in this program */
    simplugin_backend_entry_fn entry; /* of a registered one; NULL for a file */
    json_t *parameters;      /* object: what the configuration file says for open */
    int approximate;         /* its searches need not be exact, */
    double recall;           /* then the least share of true neighbors */
    json_t *describe;        /* its reply to describe as JSON; NULL in checks before it is known */
    uint64_t seed;           /* of everything random */
} conf_target;

typedef struct conf_run conf_run;

typedef struct conf_check {
    const char *name;        /* "group/what": the group is the file's in conformance/ */
    const char *says;        /* one line, present tense: what a backend that passes does */
    void (*run)(conf_run *run);
    unsigned int seconds;    /* it is ended after this time; 0: 60 */
    unsigned int alone;      /* 1: nothing runs beside it, as it measures time or memory */
    const void *subject;     /* what it is about, of checks that share their function; or NULL */
} conf_check;

/* The tables of checks, each ended by one without a name; tables.c lists them in order. */
extern const conf_check conf_abi[], conf_describe[], conf_methods[], conf_optional[], conf_points[],
    conf_memory[], conf_semantics[], conf_filters[], conf_time[], conf_threads[], conf_malformed[], conf_cycles[], conf_fork[];

/* ---- run.c: for a check -------------------------------------------------------------------- */

/* All but conf_fail, conf_asks and conf_failed from the check's own thread only. */

const conf_target *conf_run_target(const conf_run *run);
const void *conf_run_subject(const conf_run *run);
/* An empty directory of its own, absolute; also $TMPDIR. Removed when the check has ended. */
const char *conf_run_directory(const conf_run *run);
/* The check has failed; the first reason is the one that is printed. It goes on or returns. */
void conf_fail(conf_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The check does not apply to this backend; it returns after that. Printed as "# SKIP reason". */
void conf_skip(conf_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
int conf_failed(const conf_run *run);
/*
 * What is being asked, for the report: kept when the check fails, or dies, before the next one.
 * body (borrowed; may be NULL) is the request with its tensors and columns as plain arrays; of
 * long arrays and texts only the beginning is shown, so that telling of each request is cheap.
 */
void conf_asks(conf_run *run, const char *method, const json_t *body);

#endif
