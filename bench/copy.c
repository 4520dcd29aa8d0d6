/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a copy costs beside adding the same rows from memory, and how much memory it takes:
 *
 *   copy COUNT DIMENSION BACKEND [PARAMETERS [BATCH_BYTES]]   from the default backend into
 *                                     BACKEND, whose parameters are a JSON object
 *
 * SIMPLUGIN_DATA, SIMPLUGIN_PATH and the like say where things are. Each of three rounds adds
 * the rows to a new collection, in one call, and copies them into another; each does so in a
 * process of its own, so that the peaks of memory are theirs.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "simplugin.h"

#define ROUNDS 3

static const simplugin_options patient = {.size = sizeof patient,
                                          .timeout_ms = SIMPLUGIN_TIMEOUT_NONE};
static uint64_t count, dimension, batch_bytes;
static const char *backend, *parameters;

/* What a child leaves for its parent. */
typedef struct figures {
    double seconds;
    long base_kib; /* memory of its own, before */
    long peak_kib; /* and at most */
} figures;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(int32_t code, simplugin_error *error)
{
    if (!code)
        return;
    fprintf(stderr, "copy: %s\n", simplugin_error_message(error, NULL));
    exit(1);
}

/* the error is set before it is looked at */
#define MUST(call)               \
    do {                         \
        int32_t code_ = (call);  \
        must(code_, error);      \
    } while (0)

/* Memory that is no file's: what is mapped of a store is the system's to keep or drop. */
static long memory_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

static atomic_int watching;

static void *watch(void *context)
{
    figures *f = context;

    while (atomic_load(&watching)) {
        long kib = memory_kib();

        if (kib > f->peak_kib)
            f->peak_kib = kib;
        usleep(2000);
    }
    return NULL;
}

static uint64_t index_make(const char *name, const char *collection, const char *with)
{
    simplugin_index_spec spec = {.size = sizeof spec, .backend = name, .collection = collection,
                                 .dimension = dimension, .metric = "cosine", .parameters = with};
    simplugin_error *error = NULL;
    uint64_t index = 0;

    MUST(simplugin_index_create(&spec, &index, &patient, &error));
    return index;
}

/* All rows in one call. */
static double rows_add(uint64_t index)
{
    float *rows = malloc(count * dimension * sizeof *rows);
    const char **ids = malloc(count * sizeof *ids);
    char *texts = malloc(count * 24);
    simplugin_error *error = NULL;
    uint64_t state = 276;
    double begin;

    if (!rows || !ids || !texts)
        exit(1);
    for (uint64_t i = 0; i < count * dimension; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        rows[i] = (float)(int32_t)(state >> 32) / 2147483648.0f;
    }
    for (uint64_t i = 0; i < count; i++) {
        ids[i] = texts + 24 * i;
        snprintf(texts + 24 * i, 24, "%09llu", (unsigned long long)i);
    }
    begin = now();
    MUST(simplugin_index_add(index, ids, rows, count, dimension, &patient, &error));
    begin = now() - begin;
    free(rows);
    free(ids);
    free(texts);
    return begin;
}

static void add_run(figures *f)
{
    double begin = now();
    uint64_t index = index_make(backend, "bench_copy_added", parameters);

    /* a copy makes its collection as well */
    f->seconds = now() - begin;
    f->seconds += rows_add(index);
    simplugin_index_cleanup(index, &patient, NULL);
}

static void source_run(figures *f)
{
    f->seconds = rows_add(index_make(NULL, "bench_copy_source", NULL));
}

static void copy_run(figures *f)
{
    simplugin_index_spec target = {.size = sizeof target, .backend = backend,
                                   .collection = "bench_copy_copied", .parameters = parameters,
                                   .overwrite = 1};
    simplugin_copy_spec spec = {.size = sizeof spec, .target = &target,
                                .verify = SIMPLUGIN_VERIFY_NONE, .restart = 1,
                                .batch_bytes = batch_bytes};
    simplugin_error *error = NULL;
    uint64_t index = 0;
    pthread_t thread;

    spec.source = index_make(NULL, "bench_copy_source", NULL);
    f->base_kib = f->peak_kib = memory_kib();
    atomic_store(&watching, 1);
    if (pthread_create(&thread, NULL, watch, f))
        exit(1);
    f->seconds = now();
    MUST(simplugin_copy(&spec, &index, NULL, &patient, &error));
    f->seconds = now() - f->seconds;
    atomic_store(&watching, 0);
    pthread_join(thread, NULL);
    simplugin_index_cleanup(index, &patient, NULL);
}

static figures child_run(void (*run)(figures *f))
{
    figures *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
    figures result = {0};
    int status = 1;
    pid_t child = shared == MAP_FAILED ? -1 : fork();

    if (child == 0) {
        run(shared);
        fflush(NULL);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status) {
        fprintf(stderr, "copy: a round failed\n");
        exit(1);
    }
    result = *shared;
    munmap(shared, sizeof *shared);
    return result;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    double added[ROUNDS], copied[ROUNDS];
    figures f = {0};
    long peak = 0;

    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: copy COUNT DIMENSION BACKEND [PARAMETERS [BATCH_BYTES]]\n");
        return 2;
    }
    count = strtoull(argv[1], NULL, 10);
    dimension = strtoull(argv[2], NULL, 10);
    backend = argv[3];
    parameters = argc > 4 ? argv[4] : NULL;
    batch_bytes = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    child_run(source_run);
    for (int i = 0; i < ROUNDS; i++) {
        added[i] = child_run(add_run).seconds;
        f = child_run(copy_run);
        copied[i] = f.seconds;
        peak = f.peak_kib - f.base_kib > peak ? f.peak_kib - f.base_kib : peak;
    }
    qsort(added, ROUNDS, sizeof *added, by_value);
    qsort(copied, ROUNDS, sizeof *copied, by_value);
    printf("added from memory  %8.3f s  %9.0f rows/s\n", added[ROUNDS / 2],
           (double)count / added[ROUNDS / 2]);
    printf("copied             %8.3f s  %9.0f rows/s\n", copied[ROUNDS / 2],
           (double)count / copied[ROUNDS / 2]);
    printf("ratio              %8.3f\n", copied[ROUNDS / 2] / added[ROUNDS / 2]);
    printf("memory of a copy   %8.1f MiB beside what was there before\n", (double)peak / 1024);
    return 0;
}
