/* SPDX-License-Identifier: Apache-2.0 */
/* One check in a process of its own, as the parent sees it. */
#ifndef CONFORMANCE_CHILD_H
#define CONFORMANCE_CHILD_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "check.h"
#include "outcome.h"

/* Of its stdout and stderr the last bytes are kept. */
#define CONF_OUTPUT_KEPT 16384

typedef struct conf_child {
    pid_t pid;            /* and its process group; 0: none */
    int says;             /* records of run.h; -1: ended */
    int output;           /* -1: ended */
    int64_t began;        /* CLOCK_MONOTONIC nanoseconds */
    int64_t deadline;
    int killed;           /* by us, as it ran out of time or was interrupted */
    int returned;         /* the check's function has */
    int failed, skipped;
    char *reason;
    char *request;
    json_t *found;        /* what CONF_SAYS_FOUND told; or NULL */
    char tail[CONF_OUTPUT_KEPT];
    uint64_t written;     /* bytes of output in all; the last of them are in tail, as a ring */
    unsigned int seconds; /* what it was given */
} conf_child;

int64_t conf_now(void);
/* Ctrl-C and its like wait, with the ends of children, until they are looked for. */
void conf_signals_block(void);
/* One of them that waits; 0: none does. */
int conf_interrupted(void);
/* Until one of them has something, a child has ended, or a moment has passed. */
void conf_wait(struct pollfd *fds, nfds_t count);
/*
 * Starts the check; directory is its own, absolute; seconds: instead of those of the check, if not
 * 0. Returns 0 with errno if it cannot.
 */
int conf_child_start(conf_child *child, const conf_target *target, const conf_check *check,
                     const char *directory, unsigned int seconds);
/* Takes what has been said and written so far. */
void conf_child_read(conf_child *child);
/* Ends it and all of its group. */
void conf_child_kill(conf_child *child);
/*
 * Whether it has ended; then everything of it is gone, and outcome says how it went. found, if
 * not NULL, receives what it told of the target.
 */
int conf_child_reap(conf_child *child, conf_outcome *outcome, json_t **found);
/* Starts a check, waits for its end and cleans up. For what comes before the checks. */
void conf_child_once(const conf_target *target, const conf_check *check, const char *directory,
                     conf_outcome *outcome, json_t **found);

#endif
