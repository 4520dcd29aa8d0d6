/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct sp_queue_place {
    struct sp_queue_place *next;
} place;

int sp_queue_init(sp_queue *queue)
{
    memset(queue, 0, sizeof *queue);
    queue->pid = getpid();
    if (pthread_mutex_init(&queue->mutex, NULL))
        return 0;
    if (pthread_cond_init(&queue->moved, NULL)) {
        pthread_mutex_destroy(&queue->mutex);
        return 0;
    }
    return 1;
}

void sp_queue_clear(sp_queue *queue)
{
    /* in a forked child somebody may have been inside: destroying would wait for them */
    if (queue->pid != getpid())
        return;
    pthread_cond_destroy(&queue->moved);
    pthread_mutex_destroy(&queue->mutex);
}

static void queue_wake(void *context)
{
    sp_queue *queue = context;

    pthread_mutex_lock(&queue->mutex);
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
}

static void place_remove_locked(sp_queue *queue, place *p)
{
    place **link = &queue->first;
    place *before = NULL;

    while (*link != p) {
        before = *link;
        link = &(*link)->next;
    }
    *link = p->next;
    if (queue->last == p)
        queue->last = before;
}

int32_t sp_queue_enter(sp_queue *queue, const sp_context *context, const char *what,
                       simplugin_error **error)
{
    struct timespec until = sp_clock_timespec(context->deadline);
    place mine = {NULL};
    uint64_t watch = 0;
    int32_t code = SIMPLUGIN_OK;
    int wait = 0;

    if (queue->pid != getpid())
        return sp_error_set(error, SIMPLUGIN_FORKED, "core",
                            "%s: the connection was opened by the parent process: open it again",
                            what);
    pthread_mutex_lock(&queue->mutex);
    if (!queue->busy && !queue->first) {
        queue->busy = 1;
        pthread_mutex_unlock(&queue->mutex);
        return SIMPLUGIN_OK;
    }
    if (queue->last)
        queue->last->next = &mine;
    else
        queue->first = &mine;
    queue->last = &mine;
    pthread_mutex_unlock(&queue->mutex);

    /* outside the lock, which queue_wake takes */
    if (context->cancel && sp_cancel_watch(context->cancel, queue_wake, queue, &watch) ==
                               SIMPLUGIN_OUT_OF_MEMORY)
        code = SIMPLUGIN_OUT_OF_MEMORY; /* nothing would wake us when the token fires */
    pthread_mutex_lock(&queue->mutex);
    while (!code && (queue->busy || queue->first != &mine) && !sp_cancelled(context->cancel) &&
           wait != ETIMEDOUT)
        wait = context->deadline == SP_NO_DEADLINE
                   ? pthread_cond_wait(&queue->moved, &queue->mutex)
                   : pthread_cond_clockwait(&queue->moved, &queue->mutex, CLOCK_MONOTONIC, &until);
    if (!code && !queue->busy && queue->first == &mine && !sp_cancelled(context->cancel))
        queue->busy = 1;
    else if (!code)
        code = SIMPLUGIN_BUSY; /* replaced below */
    place_remove_locked(queue, &mine);
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
    sp_cancel_unwatch(watch);
    if (!code)
        return code;
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return sp_error_no_memory(error);
    code = sp_context_check(context, what, error);
    return code ? code
                : sp_error_set(error, SIMPLUGIN_DEADLINE_EXCEEDED, "core",
                               "%s: the timeout ran out behind other calls", what);
}

void sp_queue_leave(sp_queue *queue)
{
    /* a child forked from inside a call: the lock may be held by a thread that is not here */
    if (queue->pid != getpid())
        return;
    pthread_mutex_lock(&queue->mutex);
    queue->busy = 0;
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
}
