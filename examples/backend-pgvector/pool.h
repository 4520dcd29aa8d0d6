/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of one instance: as many calls at a time as there may be, others wait their turn. */
#ifndef PGV_POOL_H
#define PGV_POOL_H

#include <pthread.h>

#include "connection.h"

typedef struct pgv_slot {
    pgv_connection connection;
    int is_lent;
    int is_open;
} pgv_slot;

typedef struct pgv_pool {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    pgv_slot *slots;
    uint32_t count;
} pgv_pool;

/* 0: no memory. */
int pgv_pool_init(pgv_pool *pool, uint32_t count);
void pgv_pool_clear(pgv_pool *pool);
/* In a forked child, whose other threads are gone in the middle of whatever they did. */
void pgv_pool_drop(pgv_pool *pool);

/* Sets call->connection, and takes it back. */
int32_t pgv_pool_lend(pgv_pool *pool, struct pgv_call *call, const pgv_settings *settings);
void pgv_pool_return(pgv_pool *pool, struct pgv_call *call);

#endif
