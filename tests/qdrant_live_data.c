/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is what is read: at once, by everybody. */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>

static void reads_its_writes(void)
{
    live_made made = live_create("'dimension': 4, 'metric': 'euclidean'");

    for (int i = 0; i < 20; i++) {
        ASK(made.index, "index.add",
            "{'ids': ['a%d', 'b'], 'vectors': [[%d, 0, 0, 0], [0, %d, 0, 0]], 'fields': {'n': [%d, %d]}}",
            i, i + 1, i + 1, i, i);
        switch (i % 4) { /* each as the first to read */
        case 0: CU_ASSERT_EQUAL(live_size(made.index), i + 2); break;
        case 1:
            ASK(made.index, "index.get", "{'ids': ['a%d'], 'fields': ['n']}", i);
            REPLY("missing", "[]");
            break;
        case 2:
            ASK(made.index, "index.search", "{'vectors': [[0, %d, 0, 0]], 'k': 1, 'fields': ['n']}",
                i + 1);
            REPLY("ids", "['b']");
            REPLY("distances", "[0.0]");
            break;
        default: ASK(made.index, "index.size", "{'filter': 'n == %d'}", i); REPLY("size", "2");
        }
    }
    for (int i = 0; i < 10; i++) {
        ASK(made.index, "index.remove", "{'ids': ['a%d', 'nobody']}", i);
        REPLY("removed", "1");
        CU_ASSERT_EQUAL(live_size(made.index), 20 - i);
    }
    ASK(made.index, "index.remove", "{'filter': 'n >= 19'}");
    CU_ASSERT_EQUAL(live_size(made.index), 9);
    ASK(made.index, "index.remove", "{'all': true}");
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    live_drop(&made);
}

/* The example of the documents: 200, minus 10, plus 20. */
static void removes_and_adds(void)
{
    live_made made = live_create("'dimension': 512, 'metric': 'cosine'");
    float *rows = live_normal(11, 220, 512);

    MUST(live_add(made.index, rows, 0, 200, 512) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 200);
    MUST(live_remove(made.index, 0, 10, 1) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 190);
    MUST(live_add(made.index, rows + 200 * 512, 200, 20, 512) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 210);
    free(rows);
    live_drop(&made);
}

/* ---- threads -------------------------------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS 6
#define PER_ROUND 100
#define DIMENSION 16

typedef struct worker {
    pthread_t thread;
    uint64_t index, number;
    int failures;
} worker;

static void *worker_run(void *context)
{
    worker *w = context;
    uint64_t first = w->number * ROUNDS * PER_ROUND;
    float *rows = live_normal(100 + w->number, ROUNDS * PER_ROUND, DIMENSION);

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const float *part = rows + round * PER_ROUND * DIMENSION;
        uint64_t *hits;

        w->failures +=
            live_add(w->index, part, first + round * PER_ROUND, PER_ROUND, DIMENSION) != 0;
        w->failures += live_search(w->index, part, 5, DIMENSION, 3, NULL, 0) != 0;
        for (uint64_t q = 0; rig_reply && q < 5; q++) {
            w->failures += live_hits(q, &hits) != 3 || hits[0] != first + round * PER_ROUND + q;
            free(hits);
        }
    }
    free(rows);
    json_decref(rig_reply);
    simplugin_error_free(&rig_error);
    return NULL;
}

static void threads_together(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'euclidean'", DIMENSION);
    worker workers[THREADS] = {{0}};

    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i].index = made.index;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CU_ASSERT_EQUAL(workers[i].failures, 0);
    }
    CU_ASSERT_EQUAL(live_size(made.index), THREADS * ROUNDS * PER_ROUND);
    live_drop(&made);
}

/* ---- connections ------------------------------------------------------------------------------------ */

static int number_compare(const void *a, const void *b)
{
    json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

    return (x > y) - (x < y);
}

/* How many connections the requests came over whose path ends so. */
static size_t connections_of(const char *end, size_t *requests)
{
    json_t *log = asked_log(), *one;
    json_int_t *ports = calloc(json_array_size(log) + 1, sizeof *ports);
    size_t i, different = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(ports);
    *requests = 0;
    json_array_foreach(log, i, one) {
        const char *path = json_string_value(json_object_get(one, "path"));
        size_t size = strlen(path);

        if (size >= strlen(end) && strcmp(path + size - strlen(end), end) == 0)
            ports[(*requests)++] = json_integer_value(json_object_get(one, "client"));
    }
    qsort(ports, *requests, sizeof *ports, number_compare);
    for (i = 0; i < *requests; i++)
        different += i == 0 || ports[i] != ports[i - 1];
    free(ports);
    json_decref(log);
    return different;
}

static void one_connection(void)
{
    live_made made = live_create("'dimension': 8, 'metric': 'cosine'");
    float *rows = live_normal(41, 100, 8);
    size_t requests;

    MUST(live_add(made.index, rows, 0, 100, 8) == SIMPLUGIN_OK);
    fault_end();
    for (uint64_t i = 0; i < 1000; i++)
        MUST(live_search(made.index, rows + i % 100 * 8, 1, 8, 3, NULL, 0) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(connections_of("/points/query", &requests), 1);
    CU_ASSERT_EQUAL(requests, 1000); /* and nothing is asked beside them */
    fault_end();
    free(rows);
    live_drop(&made);
}

/* Many queries are one request. */
static void one_request(void)
{
    live_made made = live_create("'dimension': 8, 'metric': 'cosine'");
    float *rows = live_normal(42, 200, 8);
    uint64_t *hits;

    MUST(live_add(made.index, rows, 0, 200, 8) == SIMPLUGIN_OK);
    fault_end();
    MUST(live_search(made.index, rows, 200, 8, 3, NULL, 0) == SIMPLUGIN_OK);
    for (uint64_t q = 0; q < 200; q++) {
        CU_ASSERT_EQUAL(live_hits(q, &hits), 3);
        CU_ASSERT_EQUAL(hits[0], q);
        free(hits);
    }
    CU_ASSERT_EQUAL(asked("POST", "/points/query/batch"), 1);
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 0);
    fault_end();
    free(rows);
    live_drop(&made);
}

/* A large add is cut by bytes, and several requests are under way at once. */
static void batches_cut(void)
{
    live_made made = live_create("'dimension': 128, 'metric': 'cosine', 'parameters': "
                                 "{'batch_bytes': 100000, 'batches_in_flight': 3}");
    float *rows = live_normal(43, 2000, 128);
    size_t requests, connections;
    json_t *log, *one;
    size_t i;

    fault_end();
    MUST(live_add(made.index, rows, 0, 2000, 128) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 2000);
    connections = connections_of("/points", &requests);
    CU_ASSERT(requests >= 20);
    CU_ASSERT(connections >= 2 && connections <= 3);
    log = asked_log();
    json_array_foreach(log, i, one)
        if (strcmp(json_string_value(json_object_get(one, "method")), "PUT") == 0) {
            const char *size = json_string_value(
                json_object_get(json_object_get(one, "headers"), "content-length"));

            CU_ASSERT(size && atoi(size) <= 100000);
            CU_ASSERT_PTR_NOT_NULL(
                strstr(json_string_value(json_object_get(one, "query")), "wait=true"));
        }
    json_decref(log);
    fault_end();
    free(rows);
    live_drop(&made);
}

/* Searches of one small view that come quickly are answered by a copy of it, all the same. */
static void view_copied(void)
{
    static const char *const metrics[] = {"cosine", "dotproduct", "euclidean", "manhattan"};
    float *rows = live_normal(47, 40, 8);
    uint64_t picked[] = {3, 5, 8, 13, 21, 34, 39};
    char id[16];

    live_id(id, 3);
    for (size_t m = 0; m < 4; m++) {
        live_made made = live_create("'dimension': 8, 'metric': '%s'", metrics[m]);
        uint64_t view;
        json_t *first, *reversed = NULL;

        MUST(live_add(made.index, rows, 0, 40, 8) == SIMPLUGIN_OK);
        view = live_view(made.index, picked, 7);
        fault_end();
        MUST(live_search(made.index, rows, 2, 8, 5, NULL, view) == SIMPLUGIN_OK);
        first = json_deep_copy(rig_reply);
        CU_ASSERT_EQUAL(asked("POST", "/points/query/batch"), 1);
        for (int i = 0; i < 5; i++) {
            MUST(live_search(made.index, rows, 2, 8, 5, NULL, view) == SIMPLUGIN_OK);
            CU_ASSERT(json_equal(json_object_get(first, "ids"), json_object_get(rig_reply, "ids")));
            for (size_t j = 0; j < 10; j++)
                CU_ASSERT_DOUBLE_EQUAL(
                    json_number_value(json_array_get(json_object_get(first, "scores"), j)),
                    json_number_value(json_array_get(json_object_get(rig_reply, "scores"), j)), 1e-5);
        }
        CU_ASSERT_EQUAL(asked("POST", "/points/query/batch"), 1);
        if (m < 2) { /* the others cannot */
            ASK(made.index, "index.search",
                "{'ids': ['%s'], 'k': 7, 'reverse': true, 'view': %llu}", id,
                (unsigned long long)view);
            reversed = json_object_get(rig_reply, "ids");
            CU_ASSERT_EQUAL(json_array_size(reversed), 7);
            CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(reversed, 6)), id);
        }
        /* what was written shows at once */
        MUST(live_remove(made.index, 3, 1, 1) == SIMPLUGIN_OK);
        MUST(live_search(made.index, rows, 2, 8, 7, NULL, view) == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 12);
        CU_ASSERT_EQUAL(asked("POST", "/points/query/batch"), 2);
        json_decref(first);
        live_drop(&made);
    }
    fault_end();
    free(rows);
}

/* A copy that cannot be had in time is no error of the searches that would have liked one. */
static void view_not_copied(void)
{
    live_made made = live_create("'dimension': 8, 'metric': 'cosine'");
    float *rows = live_normal(53, 40, 8);
    uint64_t picked[] = {3, 5, 8}, view;

    MUST(live_add(made.index, rows, 0, 40, 8) == SIMPLUGIN_OK);
    view = live_view(made.index, picked, 3);
    fault_end();
    fault("{'method': 'POST', 'path': '/collections/[^/]*/points', 'times': null, 'action': {'delay_ms': 3000}}");
    rig_options.timeout_ms = 1000;
    for (int i = 0; i < 10; i++) {
        MUST(live_search(made.index, rows, 1, 8, 3, NULL, view) == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 3);
    }
    rig_options.timeout_ms = 0;
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 10);
    CU_ASSERT_EQUAL(asked("POST", "/points"), 1); /* and it was tried once */
    fault_end();
    live_drop(&made);
    free(rows);
}

LIVE_SUITE(live_data, "data",
           UNIT_CASE(reads_its_writes, "R261 R265 a handle reads what it wrote, and counts exactly"),
           UNIT_CASE(removes_and_adds, "R261 200 points, 10 less, 20 more: 210"),
           UNIT_CASE(threads_together, "R267 eight threads add and search at once"));

static const unit_case connections_cases[] = {
    UNIT_CASE(one_connection, "R267 1,000 searches are 1,000 requests over one connection"),
    UNIT_CASE(one_request, "R267 200 queries are one request"),
    UNIT_CASE(view_copied, "R270 searches of a small view that come quickly are answered by a copy"),
    UNIT_CASE(view_not_copied, "R274 where that would take too long the server is asked"),
    UNIT_CASE(batches_cut, "R273 an add is cut by bytes into requests, three at a time"),
};
const live_suite live_connections = {"connections", connections_cases,
                                     sizeof connections_cases / sizeof connections_cases[0],
                                     {"FAULTS"}};
