/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks and exits. A process can end only once: so the program runs itself again, as
 * `qdrant_live --child ROLE`.
 */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>
#include <unistd.h>

#include "qdrant_fake.h"

#define STATUS 7
#define THREADS 6
#define DIMENSION 64
#define COLLECTION "QDRANT_LIVE_COLLECTION" /* for the children */

/* ---- forks ---------------------------------------------------------------------------------------- */

static void fork_between_calls(void)
{
    live_made made = live_create("'dimension': 4, 'metric': 'euclidean'");
    uint64_t unused = live_connection();
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(live_forked_call(made.index, "index.size"), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_size(made.index), 0);
        CU_ASSERT_EQUAL(live_forked_call(unused, "health"), SIMPLUGIN_OK);
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(LIVE_PATIENCE);
        _exit(ask(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 2, 3, 4]]}"));
    }
    CU_ASSERT_EQUAL(live_child_wait(pid), 0);
    ASK(made.index, "index.get", "{'ids': ['a']}");
    REPLY("missing", "[]");
    CU_ASSERT_EQUAL(simplugin_close(unused, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

/* A child that ends as a program does, with everything closed, takes nothing from its parent. */
static void fork_that_closes(void)
{
    live_made made = live_create("'dimension': 4, 'metric': 'euclidean'");
    pid_t pid;

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 2, 3, 4]]}");
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(LIVE_PATIENCE);
        simplugin_close(made.index, NULL);
        simplugin_close(session, NULL);
        exit(STATUS);
    }
    CU_ASSERT_EQUAL(live_child_wait(pid), STATUS);
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    live_drop(&made);
}

/* ---- exits ----------------------------------------------------------------------------------------- */

static atomic_int searches;

static void *search_forever(void *context)
{
    const uint64_t *index = context;
    float *queries = live_normal((uint64_t)pthread_self(), 20, DIMENSION);

    for (;;) {
        if (live_search(*index, queries, 20, DIMENSION, 100, NULL, 0))
            live_sleep(10);
        searches++;
    }
    return NULL;
}

static void *wait_forever(void *context)
{
    for (;;)
        if (ask(*(uint64_t *)context, "health", "{}") != SIMPLUGIN_DEADLINE_EXCEEDED)
            live_sleep(10);
    return NULL;
}

/* Forks while other threads are in the middle of calls: what they hold is nobody's in the child. */
static void role_forks_busy(void)
{
    uint64_t index;
    pthread_t thread;

    ASK(session, "index.open", "{'collection_name': '%s'}", getenv(COLLECTION));
    index = (uint64_t)reply_int("index");
    for (int i = 1; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, search_forever, &index), 0);
    while (searches < 3)
        live_sleep(1);
    for (int i = 0; i < 5; i++) {
        int code = live_forked_call(index, "index.size");

        CU_ASSERT(code == SIMPLUGIN_FORKED || code == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_size(index), 2000);
    }
    live_child_says();
    exit(CU_get_number_of_failures() ? 1 : STATUS);
}

/* Accepts and says nothing. */
static int stay_silent(fake *f, const fake_request *request)
{
    (void)f;
    (void)request;
    for (;;)
        live_sleep(1000);
    return 0;
}

/* Ends itself while some threads search, and one waits for a server that never answers. */
static void role_exits(void)
{
    static fake f;
    uint64_t silent, index;
    pthread_t thread;

    fake_init(&f, stay_silent);
    silent = live_connect("'url': 'http://127.0.0.1:%d'", f.port);
    ASK(session, "index.open", "{'collection_name': '%s'}", getenv(COLLECTION));
    index = (uint64_t)reply_int("index");
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, i ? search_forever : wait_forever,
                                             i ? &index : &silent), 0);
    while (searches < 3 || !atomic_load(&f.requests))
        live_sleep(1);
    live_child_says();
    exit(STATUS);
}

/* Runs the role so many times, on a collection of 2,000 points. */
static void children_run(const char *role, int times)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine'", DIMENSION);
    float *rows = live_normal(6, 2000, DIMENSION);

    MUST(live_add(made.index, rows, 0, 2000, DIMENSION) == SIMPLUGIN_OK);
    setenv(COLLECTION, made.name, 1);
    for (int i = 0; i < times; i++) {
        int64_t elapsed;

        CU_ASSERT_EQUAL(live_child_run(role, &elapsed), STATUS);
        CU_ASSERT(elapsed < 1000);
    }
    free(rows);
    live_drop(&made);
}

static void fork_busy(void)
{
    children_run("forks-busy", 2);
}

static void exit_in_flight(void)
{
    children_run("exits", 3);
}

const unit_case live_roles[] = {
    UNIT_CASE(role_forks_busy, "forks-busy"),
    UNIT_CASE(role_exits, "exits"),
};
const size_t live_role_count = sizeof live_roles / sizeof live_roles[0];

LIVE_SUITE(live_process, "processes",
           UNIT_CASE(fork_between_calls, "R275 forks between calls: the child's work, and so do the parent's"),
           UNIT_CASE(fork_that_closes, "R275 a child that closes everything leaves the parent's alone"),
           UNIT_CASE(fork_busy, "R275 forks beside threads with calls in flight: never a hang"),
           UNIT_CASE(exit_in_flight, "R277 exit with calls in flight ends the process with its status"));
