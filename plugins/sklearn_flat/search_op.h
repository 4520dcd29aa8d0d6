/* SPDX-License-Identifier: Apache-2.0 */
/* What the searching methods share: from a call to the exact search. */
#ifndef FLAT_SEARCH_OP_H
#define FLAT_SEARCH_OP_H

#include "call.h"
#include "search.h"

/* Everything but queries, k, distance and mask, "parameters" of the request included. */
int32_t flat_search_prepare(flat_call *call, flat_search_request *request);
/* flat_search with its error set. */
int32_t flat_search_run(flat_call *call, const flat_snapshot *snapshot,
                        const flat_search_request *request, flat_search_result *result);
/* A copy of an array in memory of the reply, written under key. */
int32_t flat_write_copy(flat_call *call, const char *key, uint32_t dtype, const void *data,
                        uint64_t count);
/* Tells whoever listens how far the call is. */
void flat_progress(void *call, uint64_t done, uint64_t total);

#endif
