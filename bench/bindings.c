/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program in C pays for the calls that bench/bindings.py has every binding make:
 *
 *   bindings ROWS.f32 DIRECTORY     100,000 x 512 float32, and where to keep the index
 *
 * prints null_ns (a health call with an empty body), add_s (all rows in one call), search_s (256
 * queries, the median of 20) and peak_kib (what adding took, above what was there before).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "simplugin.h"

#define ROWS 100000
#define DIMENSION 512
#define QUERIES 256
#define K 10
#define CALLS 1000000
#define SEARCHES 20

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
    fprintf(stderr, "bindings: %s\n", error ? simplugin_error_message(error, NULL) : "failed");
    exit(1);
}

/* the error is set before it is looked at */
#define MUST(call)               \
    do {                         \
        int32_t code_ = (call);  \
        must(code_, error);      \
    } while (0)

static void *memory(size_t size)
{
    void *data = malloc(size);

    must(data ? SIMPLUGIN_OK : SIMPLUGIN_OUT_OF_MEMORY, NULL);
    return data;
}

static long peak_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static float *rows_read(const char *path)
{
    size_t size = sizeof(float) * ROWS * DIMENSION;
    float *rows = memory(size);
    FILE *file = fopen(path, "rb");

    if (!file || fread(rows, 1, size, file) != size) {
        fprintf(stderr, "bindings: %s has not %d x %d float32\n", path, ROWS, DIMENSION);
        exit(1);
    }
    fclose(file);
    return rows;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void add(uint64_t index, const float *rows)
{
    const char **ids = memory(sizeof *ids * ROWS);
    char *text = memory(ROWS * 8);
    simplugin_error *error = NULL;
    long before;
    double begin;

    for (int i = 0; i < ROWS; i++) {
        snprintf(text + i * 8, 8, "p%d", i);
        ids[i] = text + i * 8;
    }
    before = peak_kib();
    begin = now();
    MUST(simplugin_index_add(index, ids, rows, ROWS, DIMENSION, NULL, &error));
    printf("add_s %.6f\n", now() - begin);
    printf("peak_kib %ld\n", peak_kib() - before);
    free(ids);
    free(text);
}

static void search(uint64_t index, const float *rows)
{
    double seconds[SEARCHES];
    simplugin_error *error = NULL;

    for (int i = 0; i < SEARCHES; i++) {
        simplugin_hits hits = {.size = sizeof hits};
        double begin = now();

        MUST(simplugin_index_search(index, rows, QUERIES, DIMENSION, K, NULL, &hits, &error));
        seconds[i] = now() - begin;
        simplugin_hits_clear(&hits);
    }
    qsort(seconds, SEARCHES, sizeof *seconds, by_size);
    printf("search_s %.6f\n", seconds[SEARCHES / 2]);
}

static void null(uint64_t index)
{
    simplugin_error *error = NULL;
    double begin = now();

    for (int i = 0; i < CALLS; i++) {
        simplugin_reply reply = {.size = sizeof reply};

        MUST(simplugin_call(index, "health", strlen("health"), NULL, NULL, &reply, &error));
        simplugin_reply_clear(&reply);
    }
    printf("null_ns %.1f\n", (now() - begin) / CALLS * 1e9);
}

int main(int argc, char **argv)
{
    simplugin_index_spec spec = {.size = sizeof spec, .backend = "sklearn", .metric = "cosine"};
    simplugin_error *error = NULL;
    uint64_t index = 0;
    float *rows;

    if (argc != 3 || setenv("SIMPLUGIN_DATA", argv[2], 1)) {
        fprintf(stderr, "usage: bindings ROWS.f32 DIRECTORY\n");
        return 2;
    }
    rows = rows_read(argv[1]);
    MUST(simplugin_index_create(&spec, &index, NULL, &error));
    add(index, rows);
    search(index, rows);
    null(index);
    MUST(simplugin_index_cleanup(index, NULL, &error));
    MUST(simplugin_close(index, &error));
    free(rows);
    return 0;
}
