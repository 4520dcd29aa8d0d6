/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads that help with searches. They are started by the first search that is
 * large enough, and shared by all searches of an instance; the thread that asks always
 * works itself, so that a search never waits for another one's helpers.
 */
#ifndef FLAT_SEARCH_POOL_H
#define FLAT_SEARCH_POOL_H

#include <stdint.h>

typedef struct flat_pool flat_pool;

/* threads: the caller's included; 0: as many as CPUs are allowed. NULL without memory. */
flat_pool *flat_pool_new(uint32_t threads);
/* Stops the threads; nobody may be in flat_pool_run. In a forked child it only frees. */
void flat_pool_free(flat_pool *pool);

/* Whether this process is not the one that made the pool. */
int flat_pool_is_forked(const flat_pool *pool);
/* How many may take part in one run. 1 in a forked child. */
uint32_t flat_pool_size(const flat_pool *pool);

/*
 * Calls work(context, worker) with worker = 0 on this thread, and with 1, 2, ... on up to
 * helpers threads that are free meanwhile; returns when all have returned.
 */
void flat_pool_run(flat_pool *pool, uint32_t helpers, void (*work)(void *context, uint32_t worker),
                   void *context);

#endif
