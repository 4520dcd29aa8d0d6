/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PQcancel makes a connection of its own and waits until the server has closed it: with a server
 * that hangs, for ever. A call that has run out of time cannot wait, so a thread does. It knows
 * nothing but what PQgetCancel copied, so that it may outlive connection and instance.
 */
#include "cancel.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* A server that takes no cancellations gets no more of them. */
#define THREADS_MAX 8

static atomic_int threads;
static sem_t ended; /* posted by each at its end */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A child has none of its parent's threads. */
static void forked(void) { atomic_store(&threads, 0); }

static void prepare(void)
{
    sem_init(&ended, 0, 0);
    pthread_atfork(NULL, NULL, forked);
}

static void *run(void *context)
{
    char ignored[256];

    PQcancel(context, ignored, sizeof ignored);
    PQfreeCancel(context);
    atomic_fetch_sub(&threads, 1);
    sem_post(&ended);
    return NULL;
}

/* Signals are for the program's threads. */
static int thread_start(PGcancel *cancel)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int failed;

    if (pthread_attr_init(&attributes))
        return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    failed = pthread_create(&thread, &attributes, run, cancel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

void pgv_cancel(PGconn *pg)
{
    PGcancel *cancel = PQgetCancel(pg);

    if (!cancel)
        return;
    pthread_once(&once, prepare);
    if (atomic_fetch_add(&threads, 1) >= THREADS_MAX || !thread_start(cancel)) {
        atomic_fetch_sub(&threads, 1);
        PQfreeCancel(cancel);
    }
}

void pgv_cancel_settle(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    while (atomic_load(&threads) > 0)
        if (sem_clockwait(&ended, CLOCK_MONOTONIC, &until))
            return; /* the second is over; or a signal, and the program wants to end */
}
