/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the flat backend through the public interface, beside what bounds it: reading the
 * same bytes, a bare matrix product, writing the same bytes to a file. bench/run.py calls
 * it; each mode prints lines of "name seconds" (the best of its runs).
 *
 *   flat add ROWS.f32 COUNT DIMENSION KEY     makes the index KEY from a raw file
 *   flat search ROWS.f32 COUNT DIMENSION KEY QUERIES.f32
 *   flat fresh KEY QUERIES.f32 DIMENSION      opens the index and answers one query
 *   flat map ROWS.f32                         maps the file and reads it once
 *   flat filter KEY COUNT QUERIES.f32 DIMENSION  gives rows a field; queries that 10 % pass
 *   flat resident KEY QUERIES.f32 DIMENSION   memory after single and batch queries
 *   flat health                               a null call
 */
#include <cblas.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "simplugin.h"
#include "simplugin/envelope.h"

#define BATCH 256
#define K 10
#define ADD_ROWS 10000

static const simplugin_options patient = {.size = sizeof patient,
                                          .timeout_ms = SIMPLUGIN_TIMEOUT_NONE};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what, simplugin_error *error)
{
    fprintf(stderr, "flat: %s: %s\n", what, error ? simplugin_error_message(error, NULL) : "failed");
    exit(1);
}

static float *file_map(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    void *data;

    if (fd < 0 || fstat(fd, &st))
        fail(path, NULL);
    *size = (size_t)st.st_size;
    data = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        fail(path, NULL);
    close(fd);
    return data;
}

/* ---- reading everything on all cores --------------------------------------------------- */

typedef struct piece {
    const uint8_t *data;
    size_t size; /* a multiple of 256 */
    uint64_t sum;
    void (*read)(struct piece *piece);
} piece;

static void read_plain(piece *p)
{
    const uint64_t *words = (const uint64_t *)(const void *)p->data;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (size_t i = 0; i < p->size / 8; i += 4) {
        a ^= words[i];
        b ^= words[i + 1];
        c ^= words[i + 2];
        d ^= words[i + 3];
    }
    p->sum = a ^ b ^ c ^ d;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void read_avx2(piece *p)
{
    __m256i sum[4] = {{0}};

    for (size_t i = 0; i < p->size; i += 128)
        for (int j = 0; j < 4; j++)
            sum[j] = _mm256_xor_si256(
                sum[j], _mm256_loadu_si256((const void *)(p->data + i + 32 * (size_t)j)));
    p->sum = (uint64_t)_mm256_extract_epi64(_mm256_xor_si256(_mm256_xor_si256(sum[0], sum[1]),
                                                             _mm256_xor_si256(sum[2], sum[3])), 0);
}

__attribute__((target("avx512f"))) static void read_avx512(piece *p)
{
    __m512i sum[4] = {{0}};

    for (size_t i = 0; i < p->size; i += 256)
        for (int j = 0; j < 4; j++)
            sum[j] = _mm512_xor_si512(sum[j], _mm512_loadu_si512(p->data + i + 64 * (size_t)j));
    p->sum = (uint64_t)_mm512_reduce_add_epi64(_mm512_xor_si512(_mm512_xor_si512(sum[0], sum[1]),
                                                                _mm512_xor_si512(sum[2], sum[3])));
}
#endif

static void *piece_run(void *argument)
{
    piece *p = argument;

    p->read(p);
    return NULL;
}

static uint64_t read_sink;

static double read_once(void (*read)(piece *), const uint8_t *data, size_t size)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[64];
    piece pieces[64];
    size_t step = size / (size_t)cores / 256 * 256;
    double start = now();

    for (long i = 0; i < cores; i++) {
        pieces[i] = (piece){data + (size_t)i * step,
                            i == cores - 1 ? (size - (size_t)i * step) / 256 * 256 : step, 0, read};
        if (i && pthread_create(&threads[i], NULL, piece_run, &pieces[i]))
            fail("pthread_create", NULL);
    }
    piece_run(&pieces[0]);
    for (long i = 1; i < cores; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < cores; i++)
        read_sink += pieces[i].sum;
    return now() - start;
}

/* The best of every way to read and every run. */
static double read_best(const uint8_t *data, size_t size, int runs)
{
    void (*ways[3])(piece *) = {read_plain};
    int count = 1;
    double best = 1e9;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        ways[count++] = read_avx2;
    if (__builtin_cpu_supports("avx512f"))
        ways[count++] = read_avx512;
#endif
    for (int w = 0; w < count; w++)
        for (int i = 0; i < runs; i++) {
            double t = read_once(ways[w], data, size);

            best = t < best ? t : best;
        }
    return best;
}

/* ---- calls ----------------------------------------------------------------------------- */

static uint64_t index_of(const char *key)
{
    simplugin_error *error = NULL;
    uint64_t index = 0;

    if (simplugin_index_open("bench", key, &index, &patient, &error))
        fail("open", error);
    return index;
}

/* How a query is asked; NULL: as by default. */
typedef struct manner {
    const char *scan;
    const char *filter;
} manner;

static const manner by_default = {NULL, NULL}, by_float32 = {"float32", NULL};

/* One index.search; reply may be NULL. */
static double search_once(uint64_t index, const float *queries, uint64_t count, uint64_t dimension,
                          const manner *how, simplugin_reply *reply)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries, count, dimension);
    simplugin_reply own = {.size = sizeof own};
    simplugin_error *error = NULL;
    simplugin_request request;
    simplugin_writer writer;
    double start;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2 + (uint64_t)(how->scan != NULL) + (uint64_t)(how->filter != NULL));
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "k");
    simplugin_write_uint(&writer, K);
    if (how->scan) {
        simplugin_write_string(&writer, "parameters");
        simplugin_write_map(&writer, 1);
        simplugin_write_string(&writer, "scan");
        simplugin_write_string(&writer, how->scan);
    }
    if (how->filter) {
        simplugin_write_string(&writer, "filter");
        simplugin_write_string(&writer, how->filter);
    }
    request = simplugin_writer_request(&writer);
    start = now();
    if (simplugin_call(index, "index.search", 12, &request, &patient, reply ? reply : &own, &error))
        fail("search", error);
    start = now() - start;
    simplugin_reply_clear(&own);
    simplugin_writer_clear(&writer);
    return start;
}

/* Whether both scans answer with the same hits, in as many queries as there are. */
static int answers_differ(uint64_t index, const float *queries, uint64_t dimension)
{
    int different = 0;

    for (uint64_t q = 0; q < BATCH; q++) {
        simplugin_reply a = {.size = sizeof a}, b = {.size = sizeof b};
        int same;

        search_once(index, queries + q * dimension, 1, dimension, &by_default, &a);
        search_once(index, queries + q * dimension, 1, dimension, &by_float32, &b);
        same = a.body_size == b.body_size && a.tensor_count == b.tensor_count &&
               memcmp(a.body, b.body, a.body_size) == 0;
        for (uint64_t i = 0; same && i < a.tensor_count; i++) {
            const simplugin_tensor *x = &a.tensors[i], *y = &b.tensors[i];

            same = x->dtype == y->dtype && x->rows == y->rows && x->cols == y->cols &&
                   memcmp(x->data, y->data,
                          x->rows * x->cols * simplugin_dtype_size(x->dtype)) == 0;
        }
        different += !same;
        simplugin_reply_clear(&a);
        simplugin_reply_clear(&b);
    }
    return different;
}

static double search_best(uint64_t index, const float *queries, uint64_t count, uint64_t dimension,
                          const manner *how, int runs)
{
    double best = 1e9;

    for (int i = 0; i < runs; i++) {
        const float *q = count == 1 ? queries + (uint64_t)(i % BATCH) * dimension : queries;
        double t = search_once(index, q, count, dimension, how, NULL);

        best = t < best ? t : best;
    }
    return best;
}

static double sgemm_best(const float *rows, uint64_t count, uint64_t dimension,
                         const float *queries, int runs)
{
    float *scores = malloc(count * BATCH * sizeof *scores);
    double best = 1e9;

    if (!scores)
        fail("sgemm", NULL);
    for (int i = 0; i < runs; i++) {
        double start = now();

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, (int)count, (int)dimension, 1,
                    queries, (int)dimension, rows, (int)dimension, 0, scores, (int)count);
        start = now() - start;
        best = start < best ? start : best;
    }
    free(scores);
    return best;
}

/* ---- modes ----------------------------------------------------------------------------- */

static void mode_add(char **arguments)
{
    uint64_t count = strtoull(arguments[1], NULL, 10), dimension = strtoull(arguments[2], NULL, 10);
    simplugin_index_spec spec = {.size = sizeof spec, .dataset = "bench", .brain_key = arguments[3],
                                 .overwrite = 1};
    const char **ids = malloc(count * sizeof *ids);
    char *texts = malloc(count * 32);
    simplugin_error *error = NULL;
    double added = 0, written = 0;
    uint64_t index = 0;
    size_t size;
    float *rows = file_map(arguments[0], &size);
    char path[] = "bench-write-XXXXXX";
    int fd = mkstemp(path);

    if (!ids || !texts || fd < 0 || size < count * dimension * sizeof *rows)
        fail("add", NULL);
    unlink(path);
    read_best((const uint8_t *)rows, size, 1);
    for (uint64_t i = 0; i < count; i++) {
        snprintf(texts + i * 32, 32, "%024llx", (unsigned long long)i);
        ids[i] = texts + i * 32;
    }
    if (simplugin_index_create(&spec, &index, &patient, &error))
        fail("create", error);
    /* block by block in turn, so that both meet the same disk */
    for (uint64_t at = 0; at < count; at += ADD_ROWS) {
        uint64_t n = count - at < ADD_ROWS ? count - at : ADD_ROWS;
        const char *data = (const char *)(rows + at * dimension);
        size_t left = n * dimension * sizeof *rows;
        double start = now();

        while (left) {
            ssize_t wrote = write(fd, data, left);

            if (wrote <= 0)
                fail("write", NULL);
            data += wrote;
            left -= (size_t)wrote;
        }
        if (fsync(fd))
            fail("fsync", NULL);
        written += now() - start;
        start = now();
        if (simplugin_index_add(index, ids + at, rows + at * dimension, n, dimension, &patient,
                                &error))
            fail("add", error);
        added += now() - start;
    }
    printf("add %.6f\nwrite %.6f\n", added, written);
    simplugin_close(index, NULL);
}

static void mode_search(char **arguments)
{
    uint64_t count = strtoull(arguments[1], NULL, 10), dimension = strtoull(arguments[2], NULL, 10);
    size_t size, query_size;
    float *mapped = file_map(arguments[0], &size);
    float *queries = file_map(arguments[4], &query_size);
    float *rows = aligned_alloc(64, size);
    uint64_t index = index_of(arguments[3]);

    if (!rows || query_size < BATCH * dimension * sizeof *queries)
        fail("search", NULL);
    memcpy(rows, mapped, size);
    search_best(index, queries, 1, dimension, &by_float32, 3);
    /* in turns: a machine's quiet moments are then everybody's */
    for (int round = 0; round < 6; round++) {
        printf("read %.6f\n", read_best((const uint8_t *)rows, size, 8));
        printf("one_float32 %.6f\n", search_best(index, queries, 1, dimension, &by_float32, 16));
        printf("one %.6f\n", search_best(index, queries, 1, dimension, &by_default, 40));
        printf("sgemm %.6f\n", sgemm_best(rows, count, dimension, queries, 2));
        printf("batch %.6f\n", search_best(index, queries, BATCH, dimension, &by_default, 3));
    }
    printf("different %d\n", answers_differ(index, queries, dimension));
    simplugin_close(index, NULL);
}

static void mode_fresh(char **arguments)
{
    size_t size;
    float *queries = file_map(arguments[1], &size);
    uint64_t index = index_of(arguments[0]);

    search_once(index, queries, 1, strtoull(arguments[2], NULL, 10), &by_default, NULL);
    _exit(0);
}

static void mode_map(char **arguments)
{
    size_t size;
    float *rows = file_map(arguments[0], &size);

    read_once(read_plain, (const uint8_t *)rows, size);
    _exit(read_sink == 42);
}

/* Gives row i the number i % 100 as its page. */
static void number_pages(uint64_t index, uint64_t count)
{
    char *texts = malloc(count * 24 + 1);
    int64_t *offsets = malloc((count + 1) * sizeof *offsets), *pages = malloc(count * sizeof *pages);
    simplugin_tensor text, places, numbers;
    simplugin_error *error = NULL;
    simplugin_request request;
    simplugin_writer writer;

    if (!texts || !offsets || !pages)
        fail("filter", NULL);
    for (uint64_t i = 0; i <= count; i++)
        offsets[i] = (int64_t)(24 * i);
    for (uint64_t i = 0; i < count; i++) {
        snprintf(texts + 24 * i, 25, "%024llx", (unsigned long long)i);
        pages[i] = (int64_t)(i % 100);
    }
    text = simplugin_tensor_of(SIMPLUGIN_UINT8, texts, 24 * count, 1);
    places = simplugin_tensor_of(SIMPLUGIN_INT64, offsets, count + 1, 1);
    numbers = simplugin_tensor_of(SIMPLUGIN_INT64, pages, count, 1);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "ids");
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "values");
    simplugin_write_tensor(&writer, &text);
    simplugin_write_string(&writer, "offsets");
    simplugin_write_tensor(&writer, &places);
    simplugin_write_string(&writer, "fields");
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "page");
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "type");
    simplugin_write_string(&writer, "int64");
    simplugin_write_string(&writer, "values");
    simplugin_write_tensor(&writer, &numbers);
    request = simplugin_writer_request(&writer);
    if (simplugin_call(index, "index.set_fields", 16, &request, &patient, NULL, &error))
        fail("set_fields", error);
    simplugin_writer_clear(&writer);
    free(texts);
    free(offsets);
    free(pages);
}

static void mode_filter(char **arguments)
{
    uint64_t count = strtoull(arguments[1], NULL, 10), dimension = strtoull(arguments[3], NULL, 10);
    size_t size;
    float *queries = file_map(arguments[2], &size);
    uint64_t index = index_of(arguments[0]);

    number_pages(index, count);
    search_best(index, queries, 1, dimension, &by_default, 20);
    for (int round = 0; round < 3; round++) {
        printf("unfiltered %.6f\n", search_best(index, queries, 1, dimension, &by_default, 30));
        for (int page = 0; page < 90; page++) {
            char text[64];
            const manner how = {NULL, text};

            /* another one each time, so that nothing of it is remembered */
            snprintf(text, sizeof text, "page >= %d and page < %d", page, page + 10);
            printf("filtered %.6f\n", search_once(index, queries, 1, dimension, &how, NULL));
            if (page % 10 == 0)
                printf("filtered_again %.6f\n",
                       search_once(index, queries, 1, dimension, &how, NULL));
        }
    }
    simplugin_close(index, NULL);
}

static long resident_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib * 1024;
}

static void mode_resident(char **arguments)
{
    uint64_t dimension = strtoull(arguments[2], NULL, 10);
    size_t size;
    float *queries = file_map(arguments[1], &size);
    uint64_t index = index_of(arguments[0]);

    search_best(index, queries, 1, dimension, &by_float32, 2);
    search_best(index, queries, 1, dimension, &by_default, 20);
    search_best(index, queries, BATCH, dimension, &by_default, 3);
    printf("resident %ld\n", resident_bytes());
    simplugin_close(index, NULL);
}

static void mode_health(void)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    simplugin_value map;
    int64_t connection = 0;
    double best = 1e9;

    if (simplugin_call(0, "connection.open", 15, NULL, NULL, &reply, &error))
        fail("connection.open", error);
    map = simplugin_body_value(reply.body, reply.body_size);
    simplugin_find_int(&map, "connection", &connection);
    simplugin_reply_clear(&reply);
    for (int run = 0; run < 3; run++) {
        double start = now();

        for (int i = 0; i < 1000000; i++) {
            if (simplugin_call((uint64_t)connection, "health", 6, NULL, NULL, &reply, &error))
                fail("health", error);
            simplugin_reply_clear(&reply);
        }
        start = (now() - start) / 1e6;
        best = start < best ? start : best;
    }
    printf("health %.9f\n", best);
    simplugin_close((uint64_t)connection, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "add"))
        mode_add(argv + 2);
    else if (argc == 7 && !strcmp(argv[1], "search"))
        mode_search(argv + 2);
    else if (argc == 5 && !strcmp(argv[1], "fresh"))
        mode_fresh(argv + 2);
    else if (argc == 3 && !strcmp(argv[1], "map"))
        mode_map(argv + 2);
    else if (argc == 6 && !strcmp(argv[1], "filter"))
        mode_filter(argv + 2);
    else if (argc == 5 && !strcmp(argv[1], "resident"))
        mode_resident(argv + 2);
    else if (argc == 2 && !strcmp(argv[1], "health"))
        mode_health();
    else
        return fprintf(stderr, "flat: wrong arguments; bench/run.py calls it\n"), 2;
    return 0;
}
