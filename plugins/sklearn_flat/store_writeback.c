/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While LMDB copies a large transaction to the file, a thread tells the kernel to start
 * writing what is there: the disk then works beside the copying and not only after it.
 * Nothing depends on that; what is durable is still decided by LMDB's own sync.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "clock.h"
#include "store_internal.h"

#define EVERY 200000

struct flat_writeback {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int fd;
    int active;
    int stop;
};

static void *work(void *argument)
{
    flat_writeback *writeback = argument;

    pthread_mutex_lock(&writeback->lock);
    while (!writeback->stop) {
        struct timespec until = sp_clock_timespec(sp_clock_now() + EVERY);

        if (!writeback->active) {
            pthread_cond_wait(&writeback->changed, &writeback->lock);
            continue;
        }
        pthread_mutex_unlock(&writeback->lock);
        sync_file_range(writeback->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        pthread_mutex_lock(&writeback->lock);
        pthread_cond_timedwait(&writeback->changed, &writeback->lock, &until);
    }
    pthread_mutex_unlock(&writeback->lock);
    return NULL;
}

flat_writeback *flat_writeback_new(const flat_env *env)
{
    flat_writeback *writeback = calloc(1, sizeof(*writeback));
    pthread_condattr_t attributes;
    sigset_t all, old;
    int failed = 0;

    if (!writeback)
        return NULL;
    if (mdb_env_get_fd(env->mdb, &writeback->fd) || pthread_condattr_init(&attributes)) {
        free(writeback);
        return NULL;
    }
    pthread_mutex_init(&writeback->lock, NULL);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writeback->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    /* Signals are the program's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&writeback->thread, NULL, work, writeback);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed) {
        pthread_cond_destroy(&writeback->changed);
        pthread_mutex_destroy(&writeback->lock);
        free(writeback);
        return NULL;
    }
    return writeback;
}

void flat_writeback_set(flat_writeback *writeback, int active)
{
    if (!writeback)
        return;
    pthread_mutex_lock(&writeback->lock);
    writeback->active = active;
    pthread_cond_signal(&writeback->changed);
    pthread_mutex_unlock(&writeback->lock);
}

void flat_writeback_free(flat_writeback *writeback)
{
    if (!writeback)
        return;
    pthread_mutex_lock(&writeback->lock);
    writeback->stop = 1;
    pthread_cond_signal(&writeback->changed);
    pthread_mutex_unlock(&writeback->lock);
    pthread_join(writeback->thread, NULL);
    pthread_cond_destroy(&writeback->changed);
    pthread_mutex_destroy(&writeback->lock);
    free(writeback);
}
