/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "search_pool.h"

#define MOST_THREADS 256
/* A run usually ends within this many looks; sleeping and waking would take longer. */
#define LOOKS 4000

/* One flat_pool_run that still takes helpers. */
typedef struct job {
    void (*work)(void *context, uint32_t worker);
    void *context;
    uint32_t joined;        /* under the lock */
    uint32_t wanted;        /* under the lock */
    _Atomic uint32_t running; /* helpers inside work */
    struct job *next;
} job;

struct flat_pool {
    pid_t owner;
    uint32_t size;
    uint32_t started;
    int start_failed;
    int stopping;
    job *jobs;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a job came, or the end */
    pthread_cond_t done; /* a helper left a job */
    pthread_t threads[];
};

static uint32_t allowed_cpus(void)
{
    cpu_set_t set;
    int count = 1;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        count = CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (uint32_t)count;
}

flat_pool *flat_pool_new(uint32_t threads)
{
    flat_pool *pool = NULL;

    if (threads == 0)
        threads = allowed_cpus();
    if (threads > MOST_THREADS)
        threads = MOST_THREADS;
    pool = calloc(1, sizeof(*pool) + threads * sizeof(pthread_t));
    if (!pool)
        return NULL;
    pool->owner = getpid();
    pool->size = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    return pool;
}

static void *help(void *argument)
{
    flat_pool *pool = argument;

    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        job *found = pool->jobs;
        uint32_t worker;

        while (found && found->joined == found->wanted)
            found = found->next;
        if (!found) {
            pthread_cond_wait(&pool->wake, &pool->lock);
            continue;
        }
        worker = ++found->joined;
        atomic_fetch_add(&found->running, 1);
        pthread_mutex_unlock(&pool->lock);
        found->work(found->context, worker);
        pthread_mutex_lock(&pool->lock);
        /* under the lock: its owner may free the job as soon as nobody runs */
        if (atomic_fetch_sub(&found->running, 1) == 1)
            pthread_cond_broadcast(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Missing threads are no error: then there is less help. */
static void start_locked(flat_pool *pool)
{
    sigset_t all, old;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
        return;
    while (pool->started + 1 < pool->size && !pool->start_failed) {
        if (pthread_create(&pool->threads[pool->started], NULL, help, pool) == 0)
            pool->started++;
        else
            pool->start_failed = 1;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void flat_pool_free(flat_pool *pool)
{
    if (!pool)
        return;
    if (!flat_pool_is_forked(pool)) {
        pthread_mutex_lock(&pool->lock);
        pool->stopping = 1;
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        for (uint32_t i = 0; i < pool->started; i++)
            pthread_join(pool->threads[i], NULL);
        pthread_cond_destroy(&pool->done);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->lock);
    }
    free(pool);
}

int flat_pool_is_forked(const flat_pool *pool)
{
    return pool->owner != getpid();
}

uint32_t flat_pool_size(const flat_pool *pool)
{
    return flat_pool_is_forked(pool) ? 1 : pool->size;
}

void flat_pool_run(flat_pool *pool, uint32_t helpers, void (*work)(void *context, uint32_t worker),
                   void *context)
{
    job mine = {.work = work, .context = context, .wanted = helpers};

    /* in a forked child the helpers are gone, and the lock may be held by one of them */
    if (helpers == 0 || flat_pool_size(pool) == 1) {
        work(context, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    start_locked(pool);
    mine.next = pool->jobs;
    pool->jobs = &mine;
    if (helpers == 1)
        pthread_cond_signal(&pool->wake);
    else
        pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);

    work(context, 0);

    pthread_mutex_lock(&pool->lock);
    for (job **at = &pool->jobs; *at; at = &(*at)->next)
        if (*at == &mine) {
            *at = mine.next;
            break;
        }
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < LOOKS && atomic_load(&mine.running); i++)
        sched_yield();
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&mine.running))
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
