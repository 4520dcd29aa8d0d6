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
    flat_job *job;
};

static void take_shares(flat_job *job)
{
    uint64_t index;

    while ((index = atomic_fetch_add(&job->next, 1)) < job->count)
        job->fn(job->context, index);
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
        flat_job *job = crew->job;

        round = crew->round;
        pthread_mutex_unlock(&crew->lock);
        take_shares(job);
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

void flat_crew_start(flat_crew *crew, flat_job *job)
{
    atomic_store(&job->next, 0);
    if (!crew || !crew->thread_count || job->count < 2)
        return;
    pthread_mutex_lock(&crew->lock);
    while (crew->working)
        pthread_cond_wait(&crew->done, &crew->lock);
    crew->job = job;
    crew->working = crew->thread_count;
    crew->round++;
    pthread_cond_broadcast(&crew->start);
    pthread_mutex_unlock(&crew->lock);
}

void flat_crew_finish(flat_crew *crew, flat_job *job)
{
    take_shares(job);
    if (!crew || !crew->thread_count)
        return;
    pthread_mutex_lock(&crew->lock);
    while (crew->job == job && crew->working)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}
