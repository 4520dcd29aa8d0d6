/* SPDX-License-Identifier: Apache-2.0 */
/* A server that is stopped, and one that is killed: nothing hangs, nothing is lost or doubled. */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>

#define DIMENSION 32

/* A call to a stopped server: its code, and whether it ended in time. */
static int32_t call_stopped(uint64_t index, int which, const float *rows, int *in_time)
{
    int64_t begin = live_now();
    int32_t code;

    rig_options.timeout_ms = 400;
    code = which == 0   ? live_search(index, rows, 1, DIMENSION, 3, NULL, 0)
           : which == 1 ? live_add(index, rows, 0, 100, DIMENSION)
           : which == 2 ? ask(index, "index.size", "{}")
                        : ask(index, "index.remove", "{'ids': ['p000001']}");
    *in_time = live_now() - begin >= 350 && live_now() - begin < 400 + GRACE;
    rig_options.timeout_ms = 0;
    return code;
}

static void stopped_server(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine'", DIMENSION);
    float *rows = live_normal(2, 100, DIMENSION);
    int32_t codes[4];
    int in_time[4];

    MUST(live_add(made.index, rows, 0, 100, DIMENSION) == SIMPLUGIN_OK);
    live_stop();
    for (int i = 0; i < 4; i++)
        codes[i] = call_stopped(made.index, i, rows, &in_time[i]);
    live_continue();
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(codes[i], SIMPLUGIN_DEADLINE_EXCEEDED);
        CU_ASSERT(in_time[i]);
    }
    /* and it goes on as if nothing had been */
    MUST(live_add(made.index, rows, 0, 100, DIMENSION) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 100);
    free(rows);
    live_drop(&made);
}

/* What is wrong with a request is found before it is sent: whatever was sent has no answer. */
static void checked_before_sent(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine'", DIMENSION);
    float *rows = live_normal(3, 10, DIMENSION + 1);
    int32_t codes[3];

    MUST(live_add(made.index, rows, 0, 10, DIMENSION) == SIMPLUGIN_OK);
    MUST(live_search(made.index, rows, 1, DIMENSION, 3, NULL, 0) == SIMPLUGIN_OK);
    live_stop();
    rig_options.timeout_ms = 2000;
    codes[0] = live_add(made.index, rows, 0, 10, DIMENSION + 1);
    CU_ASSERT(live_says("32"));
    CU_ASSERT(live_says("33"));
    codes[1] = live_search(made.index, rows, 1, DIMENSION + 1, 3, NULL, 0);
    CU_ASSERT(live_says("33"));
    codes[2] = live_call(&made, "search", "'k': 3, 'vectors': "
                         "{'$tensor': {'dtype': 'float32', 'data': [[1, 2, 3]]}}");
    CU_ASSERT(live_says("32"));
    rig_options.timeout_ms = 0;
    live_continue();
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(codes[i], SIMPLUGIN_DIMENSION_MISMATCH);
    free(rows);
    live_drop(&made);
}

/* ---- a server that is killed --------------------------------------------------------------------- */

#define COUNT 100000
#define NARROW 4

typedef struct blow {
    uint64_t witness; /* an index on the same collection, to see how far it is */
    int64_t written;  /* when the server was killed */
    uint64_t impatient; /* one that waits half a second for its server, and not more */
    int32_t code;     /* what it says then */
    int64_t elapsed;
    int is_told;
} blow;

static void *kill_and_restart(void *context)
{
    blow *b = context;

    do
        b->written = ask(b->witness, "index.size", "{}") ? -1 : reply_int("size");
    while (b->written >= 0 && b->written < COUNT / 5);
    live_kill();
    b->elapsed = -live_now();
    b->code = ask(b->impatient, "index.size", "{}");
    b->elapsed += live_now();
    b->is_told = live_says("is the server running there");
    simplugin_error_free(&rig_error);
    live_restart();
    json_decref(rig_reply);
    rig_reply = NULL;
    return NULL;
}

static uint64_t opened(const live_made *made, int retry_ms)
{
    ASK(session, "index.open",
        "{'backend': 'qdrant', 'collection_name': '%s', 'parameters': {'retry_ms': %d}}", made->name,
        retry_ms);
    return (uint64_t)reply_int("index");
}

static void killed_server(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'euclidean', 'parameters': "
                                 "{'batch_bytes': 65536, 'retry_ms': 60000}", NARROW);
    float *rows = live_normal(5, COUNT, NARROW);
    uint64_t *hits;
    pthread_t thread;
    int32_t code;
    blow b = {0};

    b.witness = opened(&made, 0);
    b.impatient = opened(&made, 500);
    CU_ASSERT_EQUAL(live_size(b.impatient), 0);
    if (pthread_create(&thread, NULL, kill_and_restart, &b))
        abort();
    rig_options.timeout_ms = 120000;
    code = live_add(made.index, rows, 0, COUNT, NARROW);
    pthread_join(thread, NULL);
    CU_ASSERT(b.written >= COUNT / 5 && b.written < COUNT);
    MUST(code == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), COUNT);
    CU_ASSERT_EQUAL(b.code, SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT(b.is_told);
    CU_ASSERT(b.elapsed >= 250 && b.elapsed < 1000);
    CU_ASSERT_EQUAL(live_size(b.impatient), COUNT);
    /* again: nothing is doubled */
    MUST(live_add(made.index, rows, 0, 5000, NARROW) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), COUNT);
    /* nothing was taken for another's */
    MUST(live_search(made.index, rows, 500, NARROW, 1, "{'exact': true}", 0) == SIMPLUGIN_OK);
    for (uint64_t q = 0; q < 500; q++) {
        CU_ASSERT_EQUAL(live_hits(q, &hits), 1);
        CU_ASSERT_EQUAL(hits[0], q);
        free(hits);
    }
    rig_options.timeout_ms = 0;
    CU_ASSERT_EQUAL(simplugin_close(b.witness, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(b.impatient, NULL), SIMPLUGIN_OK);
    free(rows);
    live_drop(&made);
}

/* One that is away for longer than retry_ms: the call fails, and the same again completes it. */
static void away_for_long(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'euclidean', 'parameters': "
                                 "{'retry_ms': 300}", NARROW);
    float *rows = live_normal(7, 1000, NARROW);
    int64_t begin;

    MUST(live_add(made.index, rows, 0, 500, NARROW) == SIMPLUGIN_OK);
    live_kill();
    begin = live_now();
    FAILS(SIMPLUGIN_UNAVAILABLE, "is the server running there",
          live_add(made.index, rows, 0, 1000, NARROW));
    CU_ASSERT(live_now() - begin < 1000);
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    live_restart();
    MUST(live_add(made.index, rows, 0, 1000, NARROW) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 1000);
    free(rows);
    live_drop(&made);
}

static const unit_case live_killed_cases[] = {
    UNIT_CASE(stopped_server, "R274 a stopped server: the deadline ends every call in time"),
    UNIT_CASE(checked_before_sent, "R252 what is wrong with a request is found before it is sent"),
    UNIT_CASE(killed_server, "R262 R274 killed while 100,000 points are added: all are there, once"),
    UNIT_CASE(away_for_long, "R262 R274 away for too long: said so, and the same call completes it"),
};
const live_suite live_killed = {"killed servers", live_killed_cases,
                              sizeof live_killed_cases / sizeof live_killed_cases[0],
                              {"PID", "RESTART"}};
