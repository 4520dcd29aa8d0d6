/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <time.h>

#include "call.h"
#include "cancel.h"

int pgv_pool_init(pgv_pool *pool, uint32_t count)
{
    pthread_condattr_t attributes;
    int failed;

    pool->slots = calloc(count, sizeof *pool->slots);
    if (!pool->slots || pthread_mutex_init(&pool->lock, NULL)) {
        free(pool->slots);
        return 0;
    }
    pool->count = count;
    failed = pthread_condattr_init(&attributes);
    if (!failed) {
        failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) ||
                 pthread_cond_init(&pool->freed, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    if (failed) {
        pthread_mutex_destroy(&pool->lock);
        free(pool->slots);
    }
    return !failed;
}

void pgv_pool_clear(pgv_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->slots[i].is_open)
            pgv_connection_close(&pool->slots[i].connection);
    pgv_cancel_settle();
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->slots);
}

void pgv_pool_drop(pgv_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->slots[i].is_open && !pool->slots[i].is_lent)
            pgv_connection_drop(&pool->slots[i].connection);
    free(pool->slots);
}

static void wake_all(void *context)
{
    pgv_pool *pool = context;

    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}

/* An open one that nobody has, else one that can be opened. */
static pgv_slot *slot_find(pgv_pool *pool)
{
    pgv_slot *found = NULL;

    for (uint32_t i = 0; i < pool->count; i++) {
        pgv_slot *slot = &pool->slots[i];

        if (!slot->is_lent && (!found || (slot->is_open && !found->is_open)))
            found = slot;
    }
    return found;
}

static int32_t slot_wait(pgv_pool *pool, pgv_call *call, pgv_slot **slot)
{
    struct timespec until = {.tv_sec = call->info->deadline / 1000000000,
                             .tv_nsec = call->info->deadline % 1000000000};
    uint64_t watch = 0;
    int32_t code = SIMPLUGIN_OK;

    *slot = NULL;
    if (call->info->cancel && pgv_host->cancel_watch(call->info->cancel, wake_all, pool, &watch))
        watch = 0;
    pthread_mutex_lock(&pool->lock);
    while (!code && !(*slot = slot_find(pool))) {
        code = pgv_check(call);
        if (!code && call->info->deadline == INT64_MAX)
            pthread_cond_wait(&pool->freed, &pool->lock);
        else if (!code)
            pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
    }
    if (*slot)
        (*slot)->is_lent = 1;
    pthread_mutex_unlock(&pool->lock);
    if (watch)
        pgv_host->cancel_unwatch(watch);
    return code;
}

static void slot_return(pgv_pool *pool, pgv_slot *slot)
{
    pthread_mutex_lock(&pool->lock);
    slot->is_lent = 0;
    pthread_cond_broadcast(&pool->freed); /* one that was cancelled passes nothing on */
    pthread_mutex_unlock(&pool->lock);
}

int32_t pgv_pool_lend(pgv_pool *pool, pgv_call *call, const pgv_settings *settings)
{
    pgv_slot *slot;
    int32_t code = slot_wait(pool, call, &slot);

    if (code)
        return code;
    if (slot->is_open && !pgv_connection_lend(&slot->connection, call->info)) {
        pgv_connection_close(&slot->connection);
        slot->is_open = 0;
    }
    if (!slot->is_open) {
        code = pgv_connection_open(call, settings, &slot->connection);
        slot->is_open = !code;
    }
    if (code)
        slot_return(pool, slot);
    else
        call->connection = &slot->connection;
    return code;
}

void pgv_pool_return(pgv_pool *pool, pgv_call *call)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        pgv_slot *slot = &pool->slots[i];

        if (&slot->connection != call->connection)
            continue;
        pgv_connection_return(&slot->connection);
        if (slot->connection.is_broken) {
            pgv_connection_close(&slot->connection);
            slot->is_open = 0;
        }
        slot_return(pool, slot);
    }
    call->connection = NULL;
}
