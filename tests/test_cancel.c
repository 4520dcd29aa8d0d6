/* SPDX-License-Identifier: Apache-2.0 */
/* Cancel tokens from many threads. No test waits for a time: each waits for what it needs. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancel.h"
#include "simplugin.h"
#include "unit.h"

static void count_up(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static uint64_t token_new(void)
{
    uint64_t token = 0;

    if (simplugin_cancel_new(&token, NULL))
        abort();
    return token;
}

static void life(void)
{
    simplugin_error *error = NULL;
    uint64_t token = 0;

    CU_ASSERT_EQUAL(simplugin_cancel_new(&token, &error), SIMPLUGIN_OK);
    CU_ASSERT_NOT_EQUAL(token, 0);
    CU_ASSERT(sp_cancel_exists(token));
    CU_ASSERT_FALSE(sp_cancelled(token));
    CU_ASSERT_EQUAL(simplugin_cancel_fire(token), SIMPLUGIN_OK);
    CU_ASSERT(sp_cancelled(token));
    CU_ASSERT_EQUAL(simplugin_cancel_fire(token), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_cancel_free(token), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(sp_cancelled(token));
    CU_ASSERT_FALSE(sp_cancel_exists(token));
    CU_ASSERT_EQUAL(simplugin_cancel_new(NULL, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_INVALID_ARGUMENT);
    simplugin_error_free(&error);
}

static void stale(void)
{
    static const uint64_t never[] = {0, 1, UINT64_MAX, UINT64_C(1) << 32, UINT64_C(0xffff) << 32 | 1,
                                     UINT64_C(0x10000) << 32 | 1, UINT64_C(0x12345678) << 32 | 5};
    uint64_t token = token_new(), watch = 9;
    atomic_int ran = 0;

    simplugin_cancel_free(token);
    CU_ASSERT_EQUAL(simplugin_cancel_fire(token), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(simplugin_cancel_free(token), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &ran, &watch), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(watch, 0);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (never[i] == token)
            continue;
        CU_ASSERT_FALSE(sp_cancelled(never[i]));
        CU_ASSERT_FALSE(sp_cancel_exists(never[i]));
        CU_ASSERT_EQUAL(simplugin_cancel_fire(never[i]), SIMPLUGIN_STALE_HANDLE);
        CU_ASSERT_EQUAL(sp_cancel_watch(never[i], count_up, &ran, &watch), SIMPLUGIN_STALE_HANDLE);
        sp_cancel_unwatch(never[i]);
    }
    CU_ASSERT_EQUAL(atomic_load(&ran), 0);
}

/* All tokens there can be; then one goes and one comes, under another number. */
static void exhaustion(void)
{
    static uint64_t tokens[70000];
    simplugin_error *error = NULL;
    uint64_t again = 0;
    int32_t code = SIMPLUGIN_OK;
    int count = 0;

    while (count < 70000 && !(code = simplugin_cancel_new(&tokens[count], &error)))
        count++;
    CU_ASSERT_EQUAL(code, SIMPLUGIN_RESOURCE_EXHAUSTED);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_RESOURCE_EXHAUSTED);
    CU_ASSERT_EQUAL(count, 65536);
    simplugin_error_free(&error);
    simplugin_cancel_free(tokens[777]);
    CU_ASSERT_EQUAL(simplugin_cancel_new(&again, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(again >> 32, tokens[777] >> 32);
    CU_ASSERT_NOT_EQUAL(again, tokens[777]);
    CU_ASSERT_FALSE(sp_cancel_exists(tokens[777]));
    CU_ASSERT_FALSE(sp_cancelled(again));
    tokens[777] = again;
    for (int i = 0; i < count; i++)
        if (simplugin_cancel_free(tokens[i]))
            code = SIMPLUGIN_OK;
    CU_ASSERT_EQUAL(code, SIMPLUGIN_RESOURCE_EXHAUSTED);
}

static void watching(void)
{
    uint64_t token = token_new(), first = 0, second = 0, third = 0;
    atomic_int ran = 0, other = 0;

    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &ran, &first), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &other, &second), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &ran, &third), SIMPLUGIN_OK);
    CU_ASSERT(first && second && third && first != second && second != third && first != third);
    sp_cancel_unwatch(second);
    sp_cancel_unwatch(second);
    sp_cancel_unwatch(0);
    simplugin_cancel_fire(token);
    CU_ASSERT_EQUAL(atomic_load(&ran), 2);
    CU_ASSERT_EQUAL(atomic_load(&other), 0);
    /* once, however often the token is fired */
    simplugin_cancel_fire(token);
    CU_ASSERT_EQUAL(atomic_load(&ran), 2);
    /* after it was fired: at once */
    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &other, &second), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&other), 1);
    simplugin_cancel_fire(token);
    CU_ASSERT_EQUAL(atomic_load(&other), 1);
    sp_cancel_unwatch(first);
    sp_cancel_unwatch(second);
    sp_cancel_unwatch(third);
    simplugin_cancel_free(token);
}

/* A watch outlives its token without being run, and its slot is not given away meanwhile. */
static void freed_under_a_watch(void)
{
    uint64_t token = token_new(), watch = 0;
    atomic_int ran = 0;

    CU_ASSERT_EQUAL(sp_cancel_watch(token, count_up, &ran, &watch), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_cancel_free(token), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_cancel_fire(token), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(atomic_load(&ran), 0);
    sp_cancel_unwatch(watch);
}

/* ---- from inside ---------------------------------------------------------------------- */

typedef struct inside {
    uint64_t token;
    uint64_t own;
    uint64_t other;
    atomic_int ran;
    atomic_int other_ran;
    int seen_fired;
} inside;

static void from_inside(void *context)
{
    inside *in = context;

    atomic_fetch_add(&in->ran, 1);
    in->seen_fired = sp_cancelled(in->token);
    sp_cancel_unwatch(in->own);
    /* the token was fired, so this runs before it returns */
    sp_cancel_watch(in->token, count_up, &in->other_ran, &in->other);
    simplugin_cancel_fire(in->token);
    sp_cancel_unwatch(in->other);
}

static void watch_from_inside(void)
{
    inside in = {.token = token_new()};

    CU_ASSERT_EQUAL(sp_cancel_watch(in.token, from_inside, &in, &in.own), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_cancel_fire(in.token), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&in.ran), 1);
    CU_ASSERT_EQUAL(atomic_load(&in.other_ran), 1);
    CU_ASSERT(in.seen_fired);
    /* and when the watch runs before sp_cancel_watch returns */
    CU_ASSERT_EQUAL(sp_cancel_watch(in.token, from_inside, &in, &in.own), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&in.ran), 2);
    sp_cancel_unwatch(in.own);
    simplugin_cancel_free(in.token);
}

static void free_inside(void *context)
{
    inside *in = context;

    simplugin_cancel_free(in->token);
    sp_cancel_unwatch(in->own);
    atomic_fetch_add(&in->ran, 1);
}

static void token_freed_from_inside(void)
{
    inside in = {.token = token_new()};

    sp_cancel_watch(in.token, free_inside, &in, &in.own);
    CU_ASSERT_EQUAL(simplugin_cancel_fire(in.token), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&in.ran), 1);
    CU_ASSERT_FALSE(sp_cancel_exists(in.token));
}

/* ---- unwatch waits -------------------------------------------------------------------- */

typedef struct slow {
    sem_t entered;
    sem_t leave;
    atomic_int unwatch_began;
    atomic_int ended;
    atomic_int ended_before_unwatch_returned;
    uint64_t token;
    uint64_t watch;
} slow;

static void slow_watch(void *context)
{
    slow *s = context;

    sem_post(&s->entered);
    sem_wait(&s->leave);
    atomic_store(&s->ended, 1);
}

static void *fire_thread(void *context)
{
    slow *s = context;

    simplugin_cancel_fire(s->token);
    return NULL;
}

static void *unwatch_thread(void *context)
{
    slow *s = context;

    atomic_store(&s->unwatch_began, 1);
    sp_cancel_unwatch(s->watch);
    atomic_store(&s->ended_before_unwatch_returned, atomic_load(&s->ended));
    return NULL;
}

static void unwatch_waits(void)
{
    pthread_t fire, unwatch;
    slow s = {.token = token_new()};
    atomic_int ran = 0;
    uint64_t other, watch = 0;

    sem_init(&s.entered, 0, 0);
    sem_init(&s.leave, 0, 0);
    sp_cancel_watch(s.token, slow_watch, &s, &s.watch);
    if (pthread_create(&fire, NULL, fire_thread, &s))
        abort();
    sem_wait(&s.entered);
    if (pthread_create(&unwatch, NULL, unwatch_thread, &s))
        abort();
    /* a watch that runs holds up nobody else */
    other = token_new();
    sp_cancel_watch(other, count_up, &ran, &watch);
    simplugin_cancel_fire(other);
    CU_ASSERT_EQUAL(atomic_load(&ran), 1);
    sp_cancel_unwatch(watch);
    simplugin_cancel_free(other);
    while (!atomic_load(&s.unwatch_began))
        sched_yield();
    sem_post(&s.leave);
    pthread_join(unwatch, NULL);
    pthread_join(fire, NULL);
    CU_ASSERT(atomic_load(&s.ended_before_unwatch_returned));
    simplugin_cancel_free(s.token);
    sem_destroy(&s.entered);
    sem_destroy(&s.leave);
}

/* ---- races ---------------------------------------------------------------------------- */

#define ROUNDS 400
#define WATCHERS 4

static pthread_barrier_t barrier;
static _Atomic uint64_t race_token;
static atomic_int ran_total, late;

typedef struct watched {
    atomic_int ran;
    atomic_int alive;
} watched;

static void watched_run(void *context)
{
    watched *w = context;

    if (!atomic_load(&w->alive))
        atomic_fetch_add(&late, 1);
    atomic_fetch_add(&w->ran, 1);
    atomic_fetch_add(&ran_total, 1);
}

/* Watches and takes back, again and again; what it watched with dies each time. */
static void *watcher(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t token;

        pthread_barrier_wait(&barrier);
        token = atomic_load(&race_token);
        for (int i = 0; i < 10; i++) {
            watched *w = calloc(1, sizeof *w);
            uint64_t watch = 0;

            if (!w)
                abort();
            atomic_store(&w->alive, 1);
            sp_cancel_watch(token, watched_run, w, &watch);
            (void)sp_cancelled(token);
            sp_cancel_unwatch(watch);
            if (atomic_load(&w->ran) > 1)
                atomic_fetch_add(&late, 1);
            atomic_store(&w->alive, 0);
            free(w);
        }
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

static void races(void)
{
    pthread_t threads[WATCHERS + 1];
    slow s = {.token = 0};

    pthread_barrier_init(&barrier, NULL, WATCHERS + 1);
    for (int i = 0; i < WATCHERS; i++)
        if (pthread_create(&threads[i], NULL, watcher, NULL))
            abort();
    for (int round = 0; round < ROUNDS; round++) {
        s.token = token_new();
        atomic_store(&race_token, s.token);
        if (pthread_create(&threads[WATCHERS], NULL, fire_thread, &s))
            abort();
        pthread_barrier_wait(&barrier);
        /* two fire at once, and every other time the token goes under the watchers */
        simplugin_cancel_fire(s.token);
        if (round % 2)
            simplugin_cancel_free(s.token);
        pthread_barrier_wait(&barrier);
        pthread_join(threads[WATCHERS], NULL);
        CU_ASSERT_EQUAL(simplugin_cancel_free(s.token),
                        round % 2 ? SIMPLUGIN_STALE_HANDLE : SIMPLUGIN_OK);
    }
    for (int i = 0; i < WATCHERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    CU_ASSERT_EQUAL(atomic_load(&late), 0);
    CU_ASSERT(atomic_load(&ran_total) > 0);
}

/* Tokens made and freed by many threads are never the same, while one asks for all of them. */
static _Atomic uint64_t asked;
static atomic_int asking, wrong;

static void *maker(void *endless)
{
    for (int i = 0; endless ? atomic_load(&asking) : i < 3000; i++) {
        uint64_t token = token_new();

        atomic_store(&asked, token);
        if (sp_cancelled(token) || !sp_cancel_exists(token))
            atomic_fetch_add(&wrong, 1);
        if (i % 2 && simplugin_cancel_fire(token))
            atomic_fetch_add(&wrong, 1);
        if (sp_cancelled(token) != i % 2 || simplugin_cancel_free(token))
            atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void *asker(void *unused)
{
    while (atomic_load(&asking))
        (void)sp_cancelled(atomic_load(&asked));
    return unused;
}

static void many_makers(void)
{
    pthread_t makers[4], ask;

    atomic_store(&asking, 1);
    if (pthread_create(&ask, NULL, asker, NULL))
        abort();
    for (int i = 0; i < 4; i++)
        if (pthread_create(&makers[i], NULL, maker, NULL))
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(makers[i], NULL);
    atomic_store(&asking, 0);
    pthread_join(ask, NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

static void forked(void)
{
    pthread_t makers[2];

    atomic_store(&asking, 1);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&makers[i], NULL, maker, &asking))
            abort();
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0) {
            uint64_t token = 0;
            int32_t code;

            alarm(20);
            code = simplugin_cancel_new(&token, NULL);
            code |= simplugin_cancel_fire(token);
            _exit(code || !sp_cancelled(token) || simplugin_cancel_free(token));
        }
        CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&asking, 0);
    for (int i = 0; i < 2; i++)
        pthread_join(makers[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

static const unit_case cases[] = {
    UNIT_CASE(life, "a token is made, fired and freed"),
    UNIT_CASE(stale, "tokens that are gone or never were"),
    UNIT_CASE(exhaustion, "65536 tokens, and none is given twice"),
    UNIT_CASE(watching, "a watch runs once, and at once if the token was fired before"),
    UNIT_CASE(freed_under_a_watch, "a token freed under a watch"),
    UNIT_CASE(watch_from_inside, "watching, firing and taking back from inside a watch"),
    UNIT_CASE(token_freed_from_inside, "freeing the token from inside a watch"),
    UNIT_CASE(unwatch_waits, "taking back waits for a watch that runs"),
    UNIT_CASE(races, "R274 many threads watch and take back while others fire and free"),
    UNIT_CASE(many_makers, "many threads make and free tokens"),
    UNIT_CASE(forked, "R275 a child forked meanwhile has tokens that work"),
};

UNIT_MAIN("cancel", cases)
