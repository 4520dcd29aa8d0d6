/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that tells on whoever misuses it: copies of what a backend is given, in pages of their
 * own that cannot be written, read past or touched later. A touch ends the process; before that
 * the check is failed with a sentence that says which memory it was and whose.
 */
#ifndef CONFORMANCE_GUARD_H
#define CONFORMANCE_GUARD_H

#include <stddef.h>

#include "check.h"

/* Of which kinds of misuse a copy tells. */
#define CONF_GUARD_WRITES 1u /* its pages are read-only */
#define CONF_GUARD_END 2u    /* behind its last byte lies a page that cannot be touched */
#define CONF_GUARD_LATER 4u  /* once buried it cannot be touched at all */

/* From now on a touch of such memory fails this check, in any thread. */
void conf_guard_watch(conf_run *run);
/* size bytes, zeroed where data is NULL. what says whose they are, as in "the ids of search". */
void *conf_guard_new(const void *data, size_t size, unsigned int kinds, const char *what);
/*
 * The call that it was for has ended. With CONF_GUARD_LATER its addresses are never used again;
 * otherwise it becomes ordinary memory, so that only the kinds that were asked for are told of.
 */
void conf_guard_bury(const void *memory);

/* A copy of a request with body, list of tensors and each tensor's data in such memory. */
typedef struct conf_guarded {
    simplugin_request request;
    simplugin_tensor *tensors;
} conf_guarded;

void conf_guarded_init(conf_guarded *guarded, const simplugin_request *request, unsigned int kinds,
                       const char *method);
/* Buries it all. */
void conf_guarded_clear(conf_guarded *guarded);
/* How many bytes a tensor's data spans. */
size_t conf_tensor_bytes(const simplugin_tensor *tensor);

#endif
