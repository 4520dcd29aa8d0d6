/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PQcancel makes a connection of its own and waits until the server has closed it: with a server
 * that hangs, for ever. A call that has run out of time cannot wait, so a thread does. It knows
 * nothing but what PQgetCancel copied, so that it may outlive connection and instance.
 */
#include "cancel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* A server that takes no cancellations gets no more of them. */
#define THREADS_MAX 8

static atomic_int threads;

static void *cancel_run(void *context)
{
    char ignored[256];

    PQcancel(context, ignored, sizeof ignored);
    PQfreeCancel(context);
    atomic_fetch_sub(&threads, 1);
    return NULL;
}

void pgv_cancel(PGconn *pg)
{
    PGcancel *cancel = PQgetCancel(pg);
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int failed = 1;

    if (!cancel)
        return;
    if (atomic_fetch_add(&threads, 1) < THREADS_MAX && pthread_attr_init(&attributes) == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        /* signals are for the program's threads */
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        failed = pthread_create(&thread, &attributes, cancel_run, cancel);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (failed) {
        atomic_fetch_sub(&threads, 1);
        PQfreeCancel(cancel);
    }
}
