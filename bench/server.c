/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "simplugin/envelope.h"


const char *bench_backend;
const simplugin_options bench_patient = {.size = sizeof bench_patient,
                                          .timeout_ms = SIMPLUGIN_TIMEOUT_NONE};

double bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6;
}

void bench_fail(const char *what, simplugin_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", bench_backend, what,
            error ? simplugin_error_message(error, NULL) : "failed");
    exit(1);
}

float *bench_read(const char *path, uint64_t floats)
{
    float *data = malloc(floats * sizeof *data);
    FILE *file = fopen(path, "rb");

    if (!data || !file || fread(data, sizeof *data, floats, file) != floats)
        bench_fail(path, NULL);
    fclose(file);
    return data;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double bench_median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

/* ---- indexes ------------------------------------------------------------------------------ */

uint64_t bench_index(const char *collection, uint64_t dimension)
{
    simplugin_index_spec spec = {.size = sizeof spec, .backend = bench_backend, .metric = "cosine",
                                 .collection = collection, .dimension = dimension,
                                 .parameters = getenv("BENCH_PARAMETERS")};
    simplugin_error *error = NULL;
    uint64_t index = 0;

    if (simplugin_index_create(&spec, &index, &bench_patient, &error))
        bench_fail("index.create", error);
    return index;
}

/* "r" and a number of 8 digits, as a text column. */
char *bench_ids(uint64_t count, int64_t **offsets, const char ***texts)
{
    char *values = malloc(count * 10);

    *offsets = malloc((count + 1) * sizeof **offsets);
    *texts = malloc(count * sizeof **texts);
    if (!values || !*offsets || !*texts)
        bench_fail("ids", NULL);
    for (uint64_t i = 0; i <= count; i++)
        (*offsets)[i] = (int64_t)(i * 9);
    for (uint64_t i = 0; i < count; i++) {
        char *id = values + i * 10;

        snprintf(id, 10, "r%08u", (unsigned)i);
        (*texts)[i] = id;
    }
    return values;
}

void bench_upsert(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *rows = bench_read(path, count * dimension);
    uint64_t index = bench_index(collection, dimension);
    const char **texts;
    int64_t *offsets;
    char *values = bench_ids(count, &offsets, &texts);
    simplugin_error *error = NULL;
    double start, busy;

    start = bench_now();
    busy = bench_cpu();
    if (simplugin_index_add(index, texts, rows, count, dimension, &bench_patient, &error))
        bench_fail("index.add", error);
    printf("wall %.6f\ncpu %.6f\n", bench_now() - start, bench_cpu() - busy);
    simplugin_close(index, NULL);
    free(values);
    free(offsets);
    free(texts);
    free(rows);
}

/* ---- searches --------------------------------------------------------------------------------- */

typedef struct searcher {
    pthread_t thread;
    uint64_t index, dimension, count, first;
    const float *queries;
} searcher;

static void search_one(uint64_t index, const float *query, uint64_t dimension)
{
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_error *error = NULL;

    if (simplugin_index_search(index, query, 1, dimension, K, &bench_patient, &hits, &error) ||
        hits.hit_count != K)
        bench_fail("index.search", error);
    simplugin_hits_clear(&hits);
}

static void *searcher_run(void *argument)
{
    const searcher *s = argument;

    for (int i = 0; i < THREAD_RUNS; i++)
        search_one(s->index, s->queries + (s->first + (uint64_t)i) % s->count * s->dimension,
                   s->dimension);
    return NULL;
}

static uint64_t index_open(const char *collection)
{
    return bench_index(collection, 0);
}

void bench_search(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *queries = bench_read(path, count * dimension);
    uint64_t index = index_open(collection);
    double times[SINGLE_RUNS], start, busy;
    searcher searchers[THREADS];

    for (uint64_t i = 0; i < 20; i++)
        search_one(index, queries + i % count * dimension, dimension);
    busy = bench_cpu();
    for (uint64_t i = 0; i < SINGLE_RUNS; i++) {
        start = bench_now();
        search_one(index, queries + i % count * dimension, dimension);
        times[i] = bench_now() - start;
    }
    printf("cpu %.9f\n", (bench_cpu() - busy) / SINGLE_RUNS);
    printf("p50 %.9f\n", bench_median(times, SINGLE_RUNS));
    start = bench_now();
    for (uint64_t i = 0; i < THREADS; i++) {
        searchers[i] = (searcher){.index = index, .dimension = dimension, .count = count,
                                  .first = i * 37, .queries = queries};
        pthread_create(&searchers[i].thread, NULL, searcher_run, &searchers[i]);
    }
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(searchers[i].thread, NULL);
    printf("rate %.6f\n", THREADS * THREAD_RUNS / (bench_now() - start));
    simplugin_close(index, NULL);
    free(queries);
}

/* ---- views --------------------------------------------------------------------------------- */

void bench_view(const char *path, uint64_t count, uint64_t dimension, const char *collection,
                 const char *ids_path, const char *out_path)
{
    /* seconds between searches, in which a server's and our own memory gets old */
    double nap = getenv("BENCH_NAP") ? atof(getenv("BENCH_NAP")) : 0;
    float *queries = bench_read(path, count * dimension);
    uint64_t index = index_open(collection), id_count = 0;
    FILE *in = fopen(ids_path, "r"), *out = fopen(out_path, "w");
    simplugin_reply reply = {.size = sizeof reply};
    double *times = malloc(count * sizeof *times), start;
    simplugin_error *error = NULL;
    simplugin_request request;
    simplugin_writer writer;
    simplugin_value map;
    int64_t handle = 0;
    uint64_t begin;
    char line[300];

    if (!in || !out || !times)
        bench_fail(ids_path, NULL);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    begin = simplugin_write_array_begin(&writer);
    for (; fgets(line, sizeof line, in); id_count++)
        simplugin_write_text(&writer, line, strcspn(line, "\n"));
    simplugin_write_end(&writer, begin, id_count);
    request = simplugin_writer_request(&writer);
    start = bench_now();
    if (simplugin_call(index, "view.create", 11, &request, &bench_patient, &reply, &error))
        bench_fail("view.create", error);
    printf("create %.6f\n", bench_now() - start);
    map = simplugin_body_value(reply.body, reply.body_size);
    simplugin_find_int(&map, "view", &handle);
    simplugin_reply_clear(&reply);
    for (uint64_t i = 0; i < count; i++) {
        simplugin_tensor tensor =
            simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries + i * dimension, 1, dimension);
        simplugin_column ids;
        simplugin_value value;

        simplugin_writer_reset(&writer);
        simplugin_write_map(&writer, 3);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &tensor);
        simplugin_write_string(&writer, "k");
        simplugin_write_uint(&writer, K);
        simplugin_write_string(&writer, "view");
        simplugin_write_int(&writer, handle);
        request = simplugin_writer_request(&writer);
        if (nap)
            nanosleep(&(struct timespec){(time_t)nap, (long)((nap - (double)(time_t)nap) * 1e9)}, NULL);
        start = bench_now();
        if (simplugin_call(index, "index.search", 12, &request, &bench_patient, &reply, &error))
            bench_fail("index.search", error);
        times[i] = bench_now() - start;
        map = simplugin_body_value(reply.body, reply.body_size);
        if (simplugin_find(&map, "ids", &value) &&
            !simplugin_column_read(&value, reply.tensors, reply.tensor_count, &ids))
            for (uint64_t j = 0; j < ids.count; j++) {
                uint64_t size;
                const char *id = simplugin_column_text(&ids, j, &size);

                fprintf(out, "%.*s ", (int)size, id);
            }
        fputs("\n", out);
        simplugin_reply_clear(&reply);
    }
    printf("p50 %.9f\n", bench_median(times, count));
    fclose(in);
    fclose(out);
    simplugin_writer_clear(&writer);
    simplugin_close(index, NULL);
    free(times);
    free(queries);
}

