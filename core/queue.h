/* SPDX-License-Identifier: Apache-2.0 */
/* A turnstile: one call at a time in an instance, first come first served, with deadlines. */
#ifndef SP_QUEUE_H
#define SP_QUEUE_H

#include <pthread.h>

#include "context.h"

typedef struct sp_queue {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    struct sp_queue_place *first; /* those who wait, in order */
    struct sp_queue_place *last;
    int busy;
    pid_t pid;
} sp_queue;

int sp_queue_init(sp_queue *queue);
void sp_queue_clear(sp_queue *queue);
/* Waits for the caller's turn. FORKED in a child of the process that made the queue. */
int32_t sp_queue_enter(sp_queue *queue, const sp_context *context, const char *what,
                       simplugin_error **error);
void sp_queue_leave(sp_queue *queue);

#endif
