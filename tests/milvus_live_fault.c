/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are away, wrong, slow or killed: a clear error, nothing hangs, nothing is lost. */
#include "config.h"

#include "milvus_live.h"

#include <pthread.h>
#include <unistd.h>

#define GRACE 100 /* milliseconds past a deadline */
#define DIMENSION 32

/* ---- no server, or another ------------------------------------------------------------------- */

/* What health says through a connection with these parameters, and how long it takes. */
static int32_t health_of(const char *parameters, int64_t *elapsed)
{
    uint64_t connection = live_connect("%s", parameters);
    int64_t begin = live_now();
    int32_t code = ask(connection, "health", "{}");

    *elapsed = live_now() - begin;
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    return code;
}

static void no_server(void)
{
    char parameters[80];
    int64_t elapsed;

    snprintf(parameters, sizeof parameters, "'uri': 'http://127.0.0.1:%d'", fake_port());
    FAILS(SIMPLUGIN_UNAVAILABLE, "is the server running there", health_of(parameters, &elapsed));
    CU_ASSERT(elapsed < 1000);
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    FAILS(SIMPLUGIN_UNAVAILABLE, "19530",
          ask(session, "index.create",
              "{'collection_name': 'none', 'dimension': 4, 'parameters': {%s}}", parameters));
}

static void no_such_host(void)
{
    int64_t elapsed;

    FAILS(SIMPLUGIN_UNAVAILABLE, "nowhere.invalid",
          health_of("'uri': 'http://nowhere.invalid:19530'", &elapsed));
}

static void http_server(void)
{
    char parameters[80];
    int64_t elapsed;

    snprintf(parameters, sizeof parameters, "'uri': '127.0.0.1:%d'", fake_start(FAKE_HTTP));
    FAILS(SIMPLUGIN_UNAVAILABLE, "is this its gRPC port", health_of(parameters, &elapsed));
    CU_ASSERT(elapsed < 1000);
}

static void silent_server(void)
{
    uint64_t connection =
        live_connect("'uri': 'tcp://127.0.0.1:%d'", fake_start(FAKE_SILENT));
    int64_t begin = live_now();

    rig_options.timeout_ms = 500;
    CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT(live_now() - begin >= 450);
    CU_ASSERT(live_now() - begin < 500 + GRACE);
    rig_options.timeout_ms = 0;
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void tls_against_plain(void)
{
    char parameters[80];
    int64_t elapsed;

    snprintf(parameters, sizeof parameters, "'uri': 'https://127.0.0.1:%d'", server.port);
    FAILS(SIMPLUGIN_UNAVAILABLE, "is https right for this server",
          health_of(parameters, &elapsed));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    CU_ASSERT(elapsed < 1000);
}

static void old_server(void)
{
    char parameters[80];
    int64_t elapsed;

    snprintf(parameters, sizeof parameters, "'uri': 'http://127.0.0.1:%d'", fake_start(FAKE_OLD));
    FAILS(SIMPLUGIN_VERSION_TOO_OLD, "v2.2.16", health_of(parameters, &elapsed));
    CU_ASSERT(live_says("2.3.0"));
}

static void version_told(void)
{
    uint64_t connection = live_connection();

    ASK(connection, "health", "{}");
    CU_ASSERT(strstr(reply_text("version"), server.is_lite ? "milvus_lite" : "v2.3.5") != NULL);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void no_database(void)
{
    FAILS(SIMPLUGIN_NOT_FOUND, "nosuch",
          ask(session, "index.create",
              "{'collection_name': 'none', 'dimension': 4, 'parameters': {'db_name': 'nosuch'}}"));
}

/* ---- limits ------------------------------------------------------------------------------------- */

static void reply_too_large(void)
{
    live_made made = live_create("'dimension': 256, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT', 'max_receive_bytes': 65536}");
    float *rows = live_normal(1, 500, 256);

    MUST(live_add(made.index, rows, 0, 500, 256) == SIMPLUGIN_OK);
    /* in parts that fit */
    ASK(made.index, "index.get", "{}");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 500);
    CU_ASSERT_EQUAL(live_size(made.index), 500);
    live_drop(&made);
    /* one row that does not */
    made = live_create("'dimension': 4096, 'metric': 'cosine', 'parameters': "
                       "{'index_type': 'FLAT', 'max_receive_bytes': 8192}");
    MUST(live_add(made.index, rows, 0, 1, 4096) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "max_receive_bytes", ask(made.index, "index.get", "{}"));
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    free(rows);
    live_drop(&made);
}

/* ---- a server that is stopped --------------------------------------------------------------------- */

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
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
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

static void checked_before_sent(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
    float *rows = live_normal(3, 10, DIMENSION + 1);
    int32_t codes[3];

    MUST(live_search(made.index, rows, 1, DIMENSION, 3, NULL, 0) == SIMPLUGIN_OK);
    /* whatever was sent now would have no answer */
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

/* ---- cancelling -------------------------------------------------------------------------------------- */

static void *cancel_later(void *context)
{
    live_sleep(200);
    simplugin_cancel_fire(*(uint64_t *)context);
    return NULL;
}

static void cancelled_call(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
    float *rows = live_normal(4, 100, DIMENSION);
    int64_t elapsed[3];
    int32_t codes[3];

    MUST(live_add(made.index, rows, 0, 100, DIMENSION) == SIMPLUGIN_OK);
    live_stop();
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        int64_t begin = live_now();

        CU_ASSERT_EQUAL(simplugin_cancel_new(&rig_options.cancel, NULL), SIMPLUGIN_OK);
        if (pthread_create(&thread, NULL, cancel_later, &rig_options.cancel))
            abort();
        codes[i] = i == 0   ? live_search(made.index, rows, 1, DIMENSION, 3, NULL, 0)
                   : i == 1 ? live_add(made.index, rows, 0, 100, DIMENSION)
                            : ask(made.index, "index.get", "{}");
        elapsed[i] = live_now() - begin;
        pthread_join(thread, NULL);
        CU_ASSERT_EQUAL(simplugin_cancel_free(rig_options.cancel), SIMPLUGIN_OK);
        rig_options.cancel = 0;
    }
    live_continue();
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(codes[i], SIMPLUGIN_CANCELLED);
        CU_ASSERT(elapsed[i] >= 150 && elapsed[i] < 200 + GRACE);
    }
    free(rows);
    live_drop(&made);
}

/* ---- a server that is killed --------------------------------------------------------------------------- */

#define NARROW 8

/* What happens to the server once so many rows are written. */
typedef struct blow {
    pthread_mutex_t lock;
    pthread_cond_t reached;
    int is_reached;
    uint64_t count;
    uint64_t impatient; /* an index that waits a second for its server, and not more */
    int32_t code;       /* what it says then */
    int64_t elapsed;
    int is_told;
} blow;

static void rows_written(void *context, uint64_t done, uint64_t total)
{
    blow *b = context;

    if (total != b->count || done < b->count / 5)
        return;
    pthread_mutex_lock(&b->lock);
    b->is_reached = 1;
    pthread_cond_signal(&b->reached);
    pthread_mutex_unlock(&b->lock);
}

static void *kill_and_restart(void *context)
{
    blow *b = context;

    pthread_mutex_lock(&b->lock);
    while (!b->is_reached)
        pthread_cond_wait(&b->reached, &b->lock);
    pthread_mutex_unlock(&b->lock);
    live_kill();
    b->elapsed = -live_now();
    b->code = ask(b->impatient, "index.size", "{}");
    b->elapsed += live_now();
    b->is_told = live_says("is the server running there");
    simplugin_error_free(&rig_error);
    live_restart();
    return NULL;
}

static void killed_server(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'cosine', 'parameters': {'index_type': "
                                 "'FLAT', 'batch_bytes': 65536, 'retry_ms': 60000}", NARROW);
    uint64_t count = live_many(100000, 20000);
    float *rows = live_normal(5, count, NARROW);
    blow b = {.lock = PTHREAD_MUTEX_INITIALIZER, .reached = PTHREAD_COND_INITIALIZER,
              .count = count};
    pthread_t thread;
    int32_t code;

    ASK(session, "index.open",
        "{'collection_name': '%s', 'parameters': {'retry_ms': 1000}}", made.name);
    b.impatient = (uint64_t)reply_int("index");
    CU_ASSERT_EQUAL(live_size(b.impatient), 0);
    if (pthread_create(&thread, NULL, kill_and_restart, &b))
        abort();
    rig_options.timeout_ms = 120000;
    rig_options.progress = rows_written;
    rig_options.progress_context = &b;
    code = live_add(made.index, rows, 0, count, NARROW);
    rig_options.progress = NULL;
    CU_ASSERT(b.is_reached);
    rows_written(&b, count, count);
    pthread_join(thread, NULL);
    MUST(code == SIMPLUGIN_OK || simplugin_error_retryable(rig_error));
    /* Milvus Lite, killed while it writes, forgets rows that it had acknowledged */
    if (code || (server.is_lite && live_size(made.index) < (int64_t)count))
        MUST(live_add(made.index, rows, 0, count, NARROW) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), (int64_t)count);
    CU_ASSERT_EQUAL(b.code, SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT(b.is_told);
    CU_ASSERT(b.elapsed >= 500 && b.elapsed < 1500);
    CU_ASSERT_EQUAL(live_size(b.impatient), (int64_t)count);
    CU_ASSERT_EQUAL(simplugin_close(b.impatient, NULL), SIMPLUGIN_OK);
    /* nothing was taken for another's */
    for (uint64_t row = 7; row < count; row += count / 11) {
        uint64_t *hits;

        MUST(live_search(made.index, rows + row * NARROW, 1, NARROW, 1, NULL, 0) ==
             SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_hits(0, &hits), 1);
        CU_ASSERT_EQUAL(hits[0], row);
        free(hits);
    }
    rig_options.timeout_ms = 0;
    free(rows);
    live_drop(&made);
}

static const unit_case cases[] = {
    UNIT_CASE(version_told, "R260 health tells the server's version"),
    UNIT_CASE(old_server, "R177 R260 a server before 2.3 is refused, and its version named"),
    UNIT_CASE(no_server, "R277 no server: said at once, with what to do"),
    UNIT_CASE(no_such_host, "R277 a host that does not exist"),
    UNIT_CASE(http_server, "R277 a port where an HTTP server answers"),
    UNIT_CASE(tls_against_plain, "R277 TLS against a port without it"),
    UNIT_CASE(silent_server, "R147 R274 a server that says nothing: the deadline ends the call"),
    UNIT_CASE(no_database, "R277 a database that does not exist"),
    UNIT_CASE(reply_too_large, "R277 a reply over max_receive_bytes is refused by that name"),
    UNIT_CASE(stopped_server, "R274 a stopped server: the deadline ends every call in time"),
    UNIT_CASE(checked_before_sent, "R252 what is wrong with a request is found before it is sent"),
    UNIT_CASE(cancelled_call, "R274 a token fired by another thread ends a call at once"),
    UNIT_CASE(killed_server, "R262 R274 killed while 100,000 points are added: all are there, once"),
};

const live_suite live_fault = {"faults", cases, sizeof cases / sizeof cases[0], {NULL}};
