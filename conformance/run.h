/* SPDX-License-Identifier: Apache-2.0 */
/* A check in its child: what it says, and the records in which that goes to the parent. */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include <pthread.h>

#include "check.h"

/* The first byte of a record; the rest is text. */
#define CONF_SAYS_FAIL 'F'   /* a reason */
#define CONF_SAYS_SKIP 'S'   /* a reason */
#define CONF_SAYS_ASKS 'A'   /* the request, as JSON */
#define CONF_SAYS_FOUND 'J'  /* an object to be merged into what is known of the target */
#define CONF_SAYS_END 'E'    /* the function has returned */

/* Of a record; the kernel takes one of this size at once. */
#define CONF_RECORD_MAX 65536

struct conf_run {
    const conf_target *target;
    const conf_check *check;
    const char *directory;
    int socket;
    pthread_mutex_t lock; /* guards failed and skipped: threads of a check may fail it */
    int failed;
    int skipped;
};

/* Runs the check in this process, the child; the process exits after that. */
void conf_run_check(conf_run *run);
/* Sends a record; one that is too long is cut. */
void conf_run_say(const conf_run *run, char kind, const char *text, size_t size);

#endif
