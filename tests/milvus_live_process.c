/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks and exits. gRPC reads its settings once, and a process can end only once: so the
 * program runs itself again, as `milvus_live --child ROLE`.
 */
#include "config.h"

#include "milvus_live.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS 7
#define THREADS 6
#define DIMENSION 64
#define COLLECTION "MILVUS_LIVE_COLLECTION" /* for the child that exits */

/* ---- children --------------------------------------------------------------------------------- */

/* Runs this program in that role; its status, and how long after its last word it ended. */
static int child_run(const char *role, int forks_supported, int64_t *elapsed)
{
    int status;

    unsetenv("GRPC_ENABLE_FORK_SUPPORT");
    if (forks_supported)
        setenv("GRPC_ENABLE_FORK_SUPPORT", "1", 1);
    status = live_child_run(role, elapsed);
    unsetenv("GRPC_ENABLE_FORK_SUPPORT");
    return status;
}

/* ---- forks ---------------------------------------------------------------------------------------- */

static void fork_refused(void)
{
    live_made made = live_create("'dimension': 4, 'parameters': {'index_type': 'FLAT'}");
    uint64_t connection = live_connection();
    int64_t begin = live_now();

    CU_ASSERT_EQUAL(live_forked_call(made.index, "index.size"), SIMPLUGIN_FORKED);
    /* never used: but gRPC runs already, and the child has none of its threads */
    CU_ASSERT_EQUAL(live_forked_call(connection, "health"), SIMPLUGIN_FORKED);
    CU_ASSERT(live_now() - begin < 2000);
    ASK(connection, "health", "{}");
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static void fork_supported(void)
{
    int64_t elapsed;

    CU_ASSERT_EQUAL(child_run("forks", 1, &elapsed), 0);
    CU_ASSERT(elapsed < 15000);
}

static void fork_first(void)
{
    int64_t elapsed;

    CU_ASSERT_EQUAL(child_run("forks-first", 0, &elapsed), 0);
}

/* Before and after a fork, in the parent and in the child, which also writes. */
static void role_forks(void)
{
    /* Strong: what the child writes is not this process's */
    live_made made = live_create("'dimension': 4, 'parameters': {'index_type': 'FLAT', "
                                 "'consistency_level': 'Strong'}");
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(live_forked_call(made.index, "index.size"), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_size(made.index), 0);
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
    live_drop(&made);
}

/* What is opened before the first call costs nothing to fork. */
static void role_forks_first(void)
{
    uint64_t connection = live_connection();

    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(live_forked_call(connection, "health"), SIMPLUGIN_OK);
    ASK(connection, "health", "{}");
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
        CU_ASSERT_EQUAL(live_size(index), 5000);
    }
    live_child_says();
    exit(CU_get_number_of_failures() ? 1 : STATUS);
}

/* Ends itself while some threads search, and one waits for a server that never answers. */
static void role_exits(void)
{
    uint64_t silent = live_connect("'uri': 'http://127.0.0.1:%d'", fake_start(FAKE_SILENT));
    uint64_t index;
    pthread_t thread;

    ASK(session, "index.open", "{'collection_name': '%s'}", getenv(COLLECTION));
    index = (uint64_t)reply_int("index");
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, i ? search_forever : wait_forever,
                                             i ? &index : &silent), 0);
    while (searches < 3)
        live_sleep(1);
    live_child_says();
    exit(STATUS);
}

static void fork_busy(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
    float *rows = live_normal(6, 5000, DIMENSION);

    MUST(live_add(made.index, rows, 0, 5000, DIMENSION) == SIMPLUGIN_OK);
    setenv(COLLECTION, made.name, 1);
    for (int supported = 0; supported < 2; supported++) {
        int64_t elapsed;

        CU_ASSERT_EQUAL(child_run("forks-busy", supported, &elapsed), STATUS);
        CU_ASSERT(elapsed < 1000);
    }
    free(rows);
    live_drop(&made);
}

static void exit_in_flight(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
    float *rows = live_normal(6, 5000, DIMENSION);

    MUST(live_add(made.index, rows, 0, 5000, DIMENSION) == SIMPLUGIN_OK);
    setenv(COLLECTION, made.name, 1);
    for (int i = 0; i < 3; i++) {
        int64_t elapsed;

        CU_ASSERT_EQUAL(child_run("exits", 0, &elapsed), STATUS);
        CU_ASSERT(elapsed < 1000);
    }
    free(rows);
    live_drop(&made);
}

const unit_case live_roles[] = {
    UNIT_CASE(role_forks, "forks"),
    UNIT_CASE(role_forks_first, "forks-first"),
    UNIT_CASE(role_forks_busy, "forks-busy"),
    UNIT_CASE(role_exits, "exits"),
};
const size_t live_role_count = sizeof live_roles / sizeof live_roles[0];

static const unit_case cases[] = {
    UNIT_CASE(fork_refused, "R275 a fork between two calls: the child's are refused as FORKED, at once"),
    UNIT_CASE(fork_supported, "R174 R275 under GRPC_ENABLE_FORK_SUPPORT=1 the child's calls work"),
    UNIT_CASE(fork_first, "R174 R275 forks before the first call"),
    UNIT_CASE(fork_busy, "R174 R275 forks beside threads with calls in flight: never a hang"),
    UNIT_CASE(exit_in_flight, "R277 exit with calls in flight ends the process with its status"),
};

const live_suite live_process = {"processes", cases, sizeof cases / sizeof cases[0], {NULL}};
