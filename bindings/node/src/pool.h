/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that run calls. A call may wait for a server for a minute, so neither libuv's
 * four threads nor any fixed number will do: files and names would wait behind it.
 *
 * A few threads take what is queued. While all of them are busy one more stands by; when
 * the task at the head of the queue has waited for 2 ms, it takes that, another thread
 * stands by, and from then on one more may run. Threads that find nothing for 5 s end.
 */
#ifndef POOL_H
#define POOL_H

#include <stdint.h>

typedef struct pool_task {
    struct pool_task *next;
    struct pool_task *previous;
    void (*run)(struct pool_task *task); /* on a thread of the pool; may free the task */
    int64_t since;                       /* when it was submitted */
    int is_queued;
    int is_hurried;
} pool_task;

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t pool_now(void);

/* Runs the task soon, if not now. 0 where no thread can be had. */
int pool_submit(pool_task *task);

/* Runs a task that is still queued before all others, on one thread more if need be. */
void pool_hurry(pool_task *task);

#endif
