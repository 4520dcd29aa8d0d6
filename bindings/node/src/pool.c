/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#define WIDTH_MIN 4
#define THREADS_MAX 256
#define PATIENCE INT64_C(2000000)
#define IDLE INT64_C(5000000000)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pool_task *first;
    pool_task *last;
    unsigned int threads;
    unsigned int idle;     /* of these, waiting for work */
    unsigned int waking;   /* signalled or started, and not up yet */
    unsigned int watching; /* of these, waiting for the head of the queue to grow old */
    unsigned int running;  /* tasks */
    unsigned int width;    /* how many may run without one having waited */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .width = WIDTH_MIN};

static void prepare(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool.work, &attributes);
    pthread_condattr_destroy(&attributes);
}

int64_t pool_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void unlink_locked(pool_task *task)
{
    if (task->previous)
        task->previous->next = task->next;
    else
        pool.first = task->next;
    if (task->next)
        task->next->previous = task->previous;
    else
        pool.last = task->previous;
    task->next = task->previous = NULL;
    task->is_queued = 0;
}

static void append_locked(pool_task *task)
{
    task->previous = pool.last;
    if (pool.last)
        pool.last->next = task;
    else
        pool.first = task;
    pool.last = task;
    task->is_queued = 1;
}

static void prepend_locked(pool_task *task)
{
    task->next = pool.first;
    if (pool.first)
        pool.first->previous = task;
    else
        pool.last = task;
    pool.first = task;
    task->is_queued = 1;
}

/* Waits for a signal until then; 0 when the time is up. */
static int wait_locked(int64_t until)
{
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    int result;

    pool.idle++;
    result = pthread_cond_timedwait(&pool.work, &pool.lock, &at);
    pool.idle--;
    /* also when the time was up: the signal may have come just then, and is gone */
    if (pool.waking)
        pool.waking--;
    return result == 0;
}

static void *work(void *unused);

static void spawn_locked(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int failed;

    /* signals are for the threads that expect them */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    failed = pthread_create(&thread, &attributes, work, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) {
        pool.threads++;
        pool.waking++;
    }
}

/* Somebody takes what is queued, or watches that it does not wait too long. */
static void summon_locked(void)
{
    if (!pool.first || pool.waking)
        return;
    if (pool.idle == 0) {
        if (pool.threads < THREADS_MAX || pool.first->is_hurried)
            spawn_locked();
    } else if (pool.running < pool.width || pool.first->is_hurried || !pool.watching) {
        pool.waking++;
        pthread_cond_signal(&pool.work);
    }
}

static void take_locked(void)
{
    pool_task *task = pool.first;

    unlink_locked(task);
    pool.running++;
    if (pool.running > pool.width && pool.width < THREADS_MAX)
        pool.width++;
    summon_locked();
    pthread_mutex_unlock(&pool.lock);
    task->run(task);
    pthread_mutex_lock(&pool.lock);
    pool.running--;
}

static void *work(void *unused)
{
    pthread_mutex_lock(&pool.lock);
    if (pool.waking)
        pool.waking--;
    for (;;) {
        if (!pool.first) {
            if (!wait_locked(pool_now() + IDLE) && !pool.first)
                break;
        } else if (pool.running < pool.width || pool.first->is_hurried ||
                   pool_now() - pool.first->since >= PATIENCE) {
            take_locked();
        } else {
            pool.watching++;
            wait_locked(pool.first->since + PATIENCE);
            pool.watching--;
        }
    }
    pool.threads--;
    if (pool.width > WIDTH_MIN)
        pool.width--;
    pthread_mutex_unlock(&pool.lock);
    return unused;
}

int pool_submit(pool_task *task)
{
    int has_thread;

    pthread_once(&once, prepare);
    task->since = pool_now();
    pthread_mutex_lock(&pool.lock);
    append_locked(task);
    summon_locked();
    has_thread = pool.threads > 0;
    if (!has_thread)
        unlink_locked(task);
    pthread_mutex_unlock(&pool.lock);
    return has_thread;
}

void pool_hurry(pool_task *task)
{
    pthread_mutex_lock(&pool.lock);
    if (task->is_queued) {
        unlink_locked(task);
        task->is_hurried = 1;
        prepend_locked(task);
        summon_locked();
    }
    pthread_mutex_unlock(&pool.lock);
}
