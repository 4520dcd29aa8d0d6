/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host of our own, whose services note how they are used. It has no state but the process's:
 * there is one check in each.
 *
 *   replies   every allocation is known, so that what a reply points to can be looked up
 *   errors    keep everything that was said of them
 *   tokens    cancel, from any thread
 */
#ifndef CONFORMANCE_HOST_H
#define CONFORMANCE_HOST_H

#include "check.h"

/* The table, of today's size and versions. Followed by other memory, unlike host_guarded's. */
extern const simplugin_host conf_host;

/* ---- replies ----------------------------------------------------------------------------- */

/* From now on allocations are of these kinds of guard.h, none at first. */
void conf_host_guard(unsigned int kinds);
simplugin_reply conf_reply_new(void);
void conf_reply_clear(simplugin_reply *reply);
/* Whether all these bytes lie in one allocation of the reply. */
int conf_reply_owns(const simplugin_reply *reply, const void *data, uint64_t size);
/* How many bytes behind what it asked for the backend has spoilt, in any allocation. */
uint64_t conf_reply_spoilt(const simplugin_reply *reply);

/* ---- errors ------------------------------------------------------------------------------ */

struct simplugin_error {
    int32_t code;
    char *message; /* zero-terminated */
    uint64_t message_size;
    int64_t backend_code;
    char *backend_message; /* NULL: not set */
    int32_t retryable;     /* -1: not set */
    json_t *details;       /* object: key to value */
    int is_utf8;           /* of everything that was told */
};

void conf_error_free(simplugin_error **error);
/* The message, "" where there is none. */
const char *conf_error_text(const simplugin_error *error);

/* ---- cancel tokens ----------------------------------------------------------------------- */

uint64_t conf_token_new(void);
/* Runs what watches it, on this thread. */
void conf_token_fire(uint64_t token);
/* How many watches of all tokens have not been taken back. */
uint64_t conf_host_watches(void);

#endif
