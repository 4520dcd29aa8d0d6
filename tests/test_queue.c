/* SPDX-License-Identifier: Apache-2.0 */
/* The turnstile. That a thread waits inside is seen in the queue itself, under its lock. */
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue.h"
#include "unit.h"

#define WAITERS 6

static sp_queue queue;

static sp_context forever(void)
{
    return (sp_context){.deadline = SP_NO_DEADLINE};
}

/* The one who came last; it changes with every arrival, the list is empty when it is NULL. */
static void *last_place(void)
{
    void *last;

    pthread_mutex_lock(&queue.mutex);
    last = queue.last;
    pthread_mutex_unlock(&queue.mutex);
    return last;
}

static void await_arrival(const void *before)
{
    while (last_place() == before)
        sched_yield();
}

static void await_empty(void)
{
    while (last_place())
        sched_yield();
}

typedef struct waiter {
    pthread_t thread;
    sp_context context;
    int number;
    int32_t code;
    simplugin_error *error;
} waiter;

static atomic_int inside_now, most_inside, turn;
static int order[64];

static void *wait_turn(void *context)
{
    waiter *w = context;

    w->code = sp_queue_enter(&queue, &w->context, "search", &w->error);
    if (!w->code) {
        if (atomic_fetch_add(&inside_now, 1))
            atomic_store(&most_inside, 2);
        order[atomic_fetch_add(&turn, 1)] = w->number;
        atomic_fetch_sub(&inside_now, 1);
        sp_queue_leave(&queue);
    }
    return NULL;
}

static void start_unseen(waiter *w, int number, sp_context context)
{
    memset(w, 0, sizeof *w);
    w->context = context;
    w->number = number;
    if (pthread_create(&w->thread, NULL, wait_turn, w))
        abort();
}

/* Returns when the thread is in the line. */
static void start(waiter *w, int number, sp_context context)
{
    void *before = last_place();

    start_unseen(w, number, context);
    await_arrival(before);
}

static void setup(void)
{
    if (!sp_queue_init(&queue))
        abort();
    atomic_store(&turn, 0);
    atomic_store(&most_inside, 0);
}

static void in_order(void)
{
    sp_context context = forever();
    waiter waiters[WAITERS];

    setup();
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &context, "x", NULL), SIMPLUGIN_OK);
    for (int i = 0; i < WAITERS; i++)
        start(&waiters[i], i, context);
    sp_queue_leave(&queue);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        CU_ASSERT_EQUAL(waiters[i].code, SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(order[i], i);
    }
    CU_ASSERT_EQUAL(atomic_load(&most_inside), 0);
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &context, "x", NULL), SIMPLUGIN_OK);
    sp_queue_leave(&queue);
    sp_queue_clear(&queue);
}

static void deadline(void)
{
    sp_context context = forever(), soon = forever(), past = forever();
    waiter waiters[3];

    setup();
    soon.deadline = sp_clock_deadline(20);
    past.deadline = 1;
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &context, "x", NULL), SIMPLUGIN_OK);
    start(&waiters[0], 0, context);
    start(&waiters[2], 2, context);
    /* it may have come and gone before anybody looks */
    start_unseen(&waiters[1], 1, soon);
    pthread_join(waiters[1].thread, NULL);
    CU_ASSERT(sp_clock_now() >= soon.deadline);
    CU_ASSERT_EQUAL(waiters[1].code, SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(simplugin_error_code(waiters[1].error), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(strncmp(simplugin_error_message(waiters[1].error, NULL), "search: ", 8), 0);
    simplugin_error_free(&waiters[1].error);
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &past, "x", NULL), SIMPLUGIN_DEADLINE_EXCEEDED);
    sp_queue_leave(&queue);
    pthread_join(waiters[0].thread, NULL);
    pthread_join(waiters[2].thread, NULL);
    CU_ASSERT_EQUAL(waiters[0].code, SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(waiters[2].code, SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(order[0], 0);
    CU_ASSERT_EQUAL(order[1], 2);
    sp_queue_clear(&queue);
}

static void cancelled(void)
{
    sp_context context = forever(), with_token = forever();
    waiter waiters[4];

    setup();
    if (simplugin_cancel_new(&with_token.cancel, NULL))
        abort();
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &context, "x", NULL), SIMPLUGIN_OK);
    /* the first, one between and the last in the line go */
    start(&waiters[0], 0, with_token);
    start(&waiters[1], 1, context);
    start(&waiters[2], 2, with_token);
    start(&waiters[3], 3, with_token);
    simplugin_cancel_fire(with_token.cancel);
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        pthread_join(waiters[i].thread, NULL);
        CU_ASSERT_EQUAL(waiters[i].code, SIMPLUGIN_CANCELLED);
        CU_ASSERT_EQUAL(simplugin_error_code(waiters[i].error), SIMPLUGIN_CANCELLED);
        simplugin_error_free(&waiters[i].error);
    }
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &with_token, "x", NULL), SIMPLUGIN_CANCELLED);
    sp_queue_leave(&queue);
    pthread_join(waiters[1].thread, NULL);
    CU_ASSERT_EQUAL(waiters[1].code, SIMPLUGIN_OK);
    await_empty();
    simplugin_cancel_free(with_token.cancel);
    sp_queue_clear(&queue);
}

/* Thousands of turns by threads with and without deadlines and tokens: one inside at a time. */
static atomic_int cancelled_turns;

static void *crowd(void *context)
{
    waiter *w = context;

    for (int i = 0; i < 500; i++) {
        sp_context own = forever();
        uint64_t token = 0;
        int32_t code;

        if (w->number % 2) {
            own.deadline = sp_clock_now() + 2000 * (i % 50);
            if (simplugin_cancel_new(&token, NULL))
                abort();
            own.cancel = token;
            if (i % 5 == 0)
                simplugin_cancel_fire(token);
        }
        code = sp_queue_enter(&queue, &own, "x", NULL);
        if (!code) {
            if (atomic_fetch_add(&inside_now, 1))
                atomic_store(&most_inside, 2);
            atomic_fetch_sub(&inside_now, 1);
            sp_queue_leave(&queue);
        } else {
            atomic_fetch_add(&cancelled_turns, 1);
            w->code |= code != SIMPLUGIN_CANCELLED && code != SIMPLUGIN_DEADLINE_EXCEEDED;
        }
        if (token)
            simplugin_cancel_free(token);
    }
    return NULL;
}

static void crowds(void)
{
    waiter waiters[WAITERS];

    setup();
    for (int i = 0; i < WAITERS; i++) {
        memset(&waiters[i], 0, sizeof waiters[i]);
        waiters[i].number = i;
        if (pthread_create(&waiters[i].thread, NULL, crowd, &waiters[i]))
            abort();
    }
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        CU_ASSERT_EQUAL(waiters[i].code, 0);
    }
    CU_ASSERT_EQUAL(atomic_load(&most_inside), 0);
    CU_ASSERT_PTR_NULL(queue.first);
    CU_ASSERT_PTR_NULL(queue.last);
    sp_queue_clear(&queue);
}

static void forked(void)
{
    sp_context context = forever();
    waiter other;
    int status = -1;
    pid_t child;

    setup();
    /* somebody is inside and somebody waits: in the child neither is there any more */
    CU_ASSERT_EQUAL(sp_queue_enter(&queue, &context, "x", NULL), SIMPLUGIN_OK);
    start(&other, 0, context);
    child = fork();
    if (child == 0) {
        simplugin_error *error = NULL;
        int32_t code;

        alarm(20);
        code = sp_queue_enter(&queue, &context, "index.search", &error);
        if (code != SIMPLUGIN_FORKED || simplugin_error_code(error) != SIMPLUGIN_FORKED ||
            !strstr(simplugin_error_message(error, NULL), "index.search"))
            _exit(1);
        simplugin_error_free(&error);
        sp_queue_leave(&queue);
        sp_queue_clear(&queue);
        _exit(0);
    }
    CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    sp_queue_leave(&queue);
    pthread_join(other.thread, NULL);
    CU_ASSERT_EQUAL(other.code, SIMPLUGIN_OK);
    sp_queue_clear(&queue);
}

static const unit_case cases[] = {
    UNIT_CASE(in_order, "first come, first served, one at a time"),
    UNIT_CASE(deadline, "R274 a deadline ends the wait"),
    UNIT_CASE(cancelled, "R274 a fired token ends the wait, wherever in the line"),
    UNIT_CASE(crowds, "a crowd with deadlines and tokens"),
    UNIT_CASE(forked, "R275 a forked child is told, and never waits"),
};

UNIT_MAIN("queue", cases)
