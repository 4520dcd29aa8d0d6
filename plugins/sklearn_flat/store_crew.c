/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads for the length of one bulk operation. */
#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "store_internal.h"

#define THREADS_MAX 8

struct flat_crew {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
    unsigned working;
    uint64_t round;
    int stop;
    void (*fn)(void *context, uint64_t index);
    void *context;
    uint64_t count;
    _Atomic uint64_t next;
};

static void take_shares(flat_crew *crew)
{
    uint64_t index;

    while ((index = atomic_fetch_add(&crew->next, 1)) < crew->count)
        crew->fn(crew->context, index);
}

static void *work(void *argument)
{
    flat_crew *crew = argument;
    uint64_t round = 0;

    pthread_mutex_lock(&crew->lock);
    while (!crew->stop) {
        if (crew->round == round) {
            pthread_cond_wait(&crew->start, &crew->lock);
            continue;
        }
        round = crew->round;
        pthread_mutex_unlock(&crew->lock);
        take_shares(crew);
        pthread_mutex_lock(&crew->lock);
        if (--crew->working == 0)
            pthread_cond_signal(&crew->done);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

flat_crew *flat_crew_new(void)
{
    flat_crew *crew = calloc(1, sizeof(*crew));
    unsigned wanted = 0;
    sigset_t all, old;
    cpu_set_t cpus;

    if (!crew)
        return NULL;
    if (!sched_getaffinity(0, sizeof(cpus), &cpus))
        wanted = (unsigned)CPU_COUNT(&cpus);
    wanted = wanted > THREADS_MAX ? THREADS_MAX - 1 : wanted ? wanted - 1 : 0;
    if (!wanted || pthread_mutex_init(&crew->lock, NULL)) {
        free(crew);
        return NULL;
    }
    pthread_cond_init(&crew->start, NULL);
    pthread_cond_init(&crew->done, NULL);
    /* Signals are the program's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (crew->thread_count < wanted &&
           !pthread_create(&crew->threads[crew->thread_count], NULL, work, crew))
        crew->thread_count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return crew;
}

void flat_crew_free(flat_crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->stop = 1;
    pthread_cond_broadcast(&crew->start);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->thread_count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->start);
    pthread_cond_destroy(&crew->done);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void flat_crew_run(flat_crew *crew, void (*fn)(void *context, uint64_t index), void *context,
                   uint64_t count)
{
    if (!crew || !crew->thread_count || count < 2) {
        for (uint64_t i = 0; i < count; i++)
            fn(context, i);
        return;
    }
    pthread_mutex_lock(&crew->lock);
    crew->fn = fn;
    crew->context = context;
    crew->count = count;
    atomic_store(&crew->next, 0);
    crew->working = crew->thread_count;
    crew->round++;
    pthread_cond_broadcast(&crew->start);
    pthread_mutex_unlock(&crew->lock);
    take_shares(crew);
    pthread_mutex_lock(&crew->lock);
    while (crew->working)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}
