/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's search, over a snapshot made of plain arrays, against brute force. */
#include "config.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernels.h"
#include "plugins/sklearn_flat/search.h"
#include "plugins/sklearn_flat/search_bound.h"
#include "plugins/sklearn_flat/search_scan.h"
#include "unit.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define MOST_BLOCKS 8
#define TAIL_ROW 1000000 /* rows of the tail have numbers from there on */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(UNDER_TSAN)
/* OpenBLAS was not built with the sanitizer, which cannot see how its threads wait. */
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void)
{
    return "race:libopenblas\ncalled_from_lib:libopenblas\n";
}
#endif

/* ---- the snapshot ----------------------------------------------------------------------- */

struct flat_snapshot {
    uint64_t dimension, vector_stride, code_stride;
    uint64_t block_count, tail_count, rows, live;
    flat_block blocks[MOST_BLOCKS];
    uint8_t *dead[MOST_BLOCKS + 1]; /* of each block; the tail's rows are all alive */
    flat_tail_row *tail;
    float *tail_memory;
};

uint64_t flat_snapshot_count(const flat_snapshot *snapshot)
{
    return snapshot->live;
}

uint64_t flat_snapshot_vector_stride(const flat_snapshot *snapshot)
{
    return snapshot->vector_stride;
}

uint64_t flat_snapshot_code_stride(const flat_snapshot *snapshot)
{
    return snapshot->code_stride;
}

const flat_block *flat_snapshot_blocks(const flat_snapshot *snapshot, uint64_t *count)
{
    *count = snapshot->block_count;
    return snapshot->blocks;
}

const flat_tail_row *flat_snapshot_tail(const flat_snapshot *snapshot, uint64_t *count)
{
    *count = snapshot->tail_count;
    return snapshot->tail;
}

static uint64_t state = 1;

static uint64_t random_below(uint64_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % n;
}

static double gauss(void)
{
    double sum = 0;

    for (int i = 0; i < 6; i++)
        sum += (double)random_below(1 << 30) / (double)(1 << 30) - 0.5;
    return sum * 1.4142135623730951;
}

static void *allocate(uint64_t size)
{
    void *data = aligned_alloc(64, (size + 127) / 64 * 64);

    if (!data)
        abort();
    memset(data, 0, (size + 127) / 64 * 64);
    return data;
}

/* rows x dimension floats, of a kind that makes trouble of its own. */
static float *make_rows(uint64_t rows, uint64_t dimension, int kind)
{
    float *data = allocate(rows * dimension * sizeof(float));
    float *centers = allocate(16 * dimension * sizeof(float));

    for (uint64_t j = 0; j < 16 * dimension; j++)
        centers[j] = (float)(gauss() * 3);
    for (uint64_t i = 0; i < rows; i++) {
        const uint64_t center = random_below(16);
        const double length = exp(gauss());

        for (uint64_t j = 0; j < dimension; j++) {
            float *x = &data[i * dimension + j];

            switch (kind) {
            case 0: /* nothing special */
                *x = (float)gauss();
                break;
            case 1: /* whole numbers: many equal distances, and sums without rounding */
                *x = (float)((int)random_below(5) - 2);
                break;
            case 2: /* clusters of rows of different lengths, three dimensions outlying */
                *x = (float)((centers[center * dimension + j] + gauss() / 5) * length *
                             (j < 3 ? 10 : 1));
                break;
            case 3: /* far from the origin */
                *x = (float)(1000 + gauss());
                break;
            default: /* zero rows, equal rows, enormous and vanishing ones */
                *x = i % 7 == 0 ? 0
                     : i % 7 == 1 ? (float)(j + 1)
                     : i % 7 == 2 ? (float)(gauss() * 1e-30)
                     : i % 7 == 3 ? (float)(gauss() * 1e30)
                     : i % 7 == 4 ? (float)(gauss() * 1e-42)
                                  : (float)gauss();
                break;
            }
        }
    }
    free(centers);
    return data;
}

/* Blocks of block_rows, and the last tail_count rows in the tail; one row in dead_part dies. */
static flat_snapshot *make_snapshot(const float *data, uint64_t rows, uint64_t dimension,
                                    uint64_t block_rows, uint64_t tail_count, uint64_t dead_part)
{
    flat_snapshot *made = allocate(sizeof(*made));
    sp_codes *codes = sp_codes_new(dimension);
    uint64_t next = 0;

    if (!codes)
        abort();
    made->dimension = dimension;
    made->rows = made->live = rows;
    made->vector_stride = (dimension + 15) / 16 * 16;
    made->code_stride = sp_codes_stride(dimension);
    while (next < rows - tail_count) {
        const uint64_t count = rows - tail_count - next < block_rows ? rows - tail_count - next
                                                                     : block_rows;
        flat_block *block = &made->blocks[made->block_count];
        float *vectors = allocate(count * made->vector_stride * sizeof(float));
        int8_t *code = allocate(count * made->code_stride);
        float *numbers = allocate(3 * count * sizeof(float));
        uint8_t *dead = allocate((count + 7) / 8);

        for (uint64_t i = 0; i < count; i++) {
            memcpy(vectors + i * made->vector_stride, data + (next + i) * dimension,
                   dimension * sizeof(float));
            if (dead_part && random_below(dead_part) == 0) {
                dead[i / 8] = (uint8_t)(dead[i / 8] | 1 << (i % 8));
                block->dead_count++;
                made->live--;
            }
        }
        sp_codes_encode(codes, vectors, made->vector_stride, count, code, made->code_stride,
                        numbers, numbers + count, numbers + 2 * count);
        block->first_row = next;
        block->rows = (uint32_t)count;
        block->dead = block->dead_count ? dead : NULL;
        block->vectors = vectors;
        block->codes = code;
        block->scales = numbers;
        block->errors = numbers + count;
        block->norms = numbers + 2 * count;
        made->dead[made->block_count++] = dead;
        next += count;
        if (made->block_count == MOST_BLOCKS && next < rows - tail_count)
            abort();
    }
    made->tail = allocate((tail_count + 1) * sizeof(flat_tail_row));
    made->tail_memory = allocate((tail_count * dimension + 1) * sizeof(float));
    for (uint64_t i = 0; i < tail_count; i++) {
        float *vector = made->tail_memory + 1 + i * dimension; /* aligned to 4 only */

        memcpy(vector, data + (next + i) * dimension, dimension * sizeof(float));
        made->tail[i].row = next + i + TAIL_ROW;
        made->tail[i].vector = vector;
    }
    made->tail_count = tail_count;
    sp_codes_free(codes);
    return made;
}

static void forget(const flat_snapshot *snapshot);

static void free_snapshot(flat_snapshot *made)
{
    forget(made);
    for (uint64_t i = 0; i < made->block_count; i++) {
        free((void *)made->blocks[i].vectors);
        free((void *)made->blocks[i].codes);
        free((void *)made->blocks[i].scales);
        free(made->dead[i]);
    }
    free(made->tail);
    free(made->tail_memory);
    free(made);
}

/* ---- brute force ------------------------------------------------------------------------ */

typedef struct candidate {
    double distance;
    uint64_t row;
} candidate;

/* Cosine, or with centered set the coefficient of correlation. */
static double cosine_of(const float *q, const float *x, uint64_t n, int centered)
{
    double mean_q = 0, mean_x = 0, qx = 0, qq = 0, xx = 0;

    for (uint64_t i = 0; centered && i < n; i++) {
        mean_q += (double)q[i] / (double)n;
        mean_x += (double)x[i] / (double)n;
    }
    for (uint64_t i = 0; i < n; i++) {
        const double a = (double)q[i] - mean_q, b = (double)x[i] - mean_x;

        qx += a * b;
        qq += a * a;
        xx += b * b;
    }
    return qq > 0 && xx > 0 ? qx / (sqrt(qq) * sqrt(xx)) : 0;
}

static double distance_of(const char *metric, const float *q, const float *x, uint64_t n)
{
    const char first = metric[0], second = metric[1];
    double sum = 0, below = 0;

    if (first == 'c' && second == 'o')
        return 1 - cosine_of(q, x, n, metric[2] == 'r');
    for (uint64_t i = 0; i < n; i++) {
        const double a = (double)q[i], b = (double)x[i], d = fabs(a - b), m = fabs(a) + fabs(b);

        if (first == 'd') /* dotproduct */
            sum -= a * b;
        else if (first == 'e' || first == 's') /* euclidean, sqeuclidean */
            sum += d * d;
        else if (first == 'c' && second == 'h') /* chebyshev */
            sum = d > sum ? d : sum;
        else if (first == 'c') /* canberra */
            sum += m > 0 ? d / m : 0;
        else /* manhattan, braycurtis */
            sum += d;
        below += fabs(a + b);
    }
    if (first == 'b')
        return below > 0 ? sum / below : sum > 0 ? (double)INFINITY : 0;
    return first == 'e' ? sqrt(sum) : sum;
}

static int by_distance(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_distance_down(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance > y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int bit(const uint8_t *map, uint64_t i)
{
    return map[i / 8] >> (i % 8) & 1;
}

/* All live, allowed rows in order; the caller frees. */
static candidate *brute_force(const flat_snapshot *snapshot, const flat_search_request *request,
                         uint64_t query, uint64_t *count)
{
    candidate *all = allocate((snapshot->rows + 1) * sizeof(*all));
    const float *q = request->queries + query * request->query_stride;
    const char *metric = request->metric->name;

    *count = 0;
    for (uint64_t b = 0; b < snapshot->block_count; b++)
        for (uint64_t i = 0; i < snapshot->blocks[b].rows; i++) {
            const flat_block *block = &snapshot->blocks[b];

            if (block->dead && bit(block->dead, i))
                continue;
            if (request->mask && !(request->mask->blocks[b] && bit(request->mask->blocks[b], i)))
                continue;
            if (request->exclude && request->exclude[query] == block->first_row + i)
                continue;
            all[*count].row = block->first_row + i;
            all[(*count)++].distance = distance_of(
                metric, q, block->vectors + i * snapshot->vector_stride, snapshot->dimension);
        }
    for (uint64_t i = 0; i < snapshot->tail_count; i++) {
        const flat_tail_row *row = &snapshot->tail[i];

        if (request->mask && !(request->mask->tail && bit(request->mask->tail, i)))
            continue;
        if (request->exclude && request->exclude[query] == row->row)
            continue;
        all[*count].row = row->row;
        all[(*count)++].distance = distance_of(metric, q, row->vector, snapshot->dimension);
    }
    qsort(all, *count, sizeof(*all), request->reverse ? by_distance_down : by_distance);
    return all;
}

/*
 * The same; what is asked of one snapshot again and again, by every way through it, is worked out
 * once.
 */
static struct known {
    const flat_snapshot *snapshot;
    const float *query;
    const char *metric;
    int reverse;
    uint64_t count;
    candidate *all;
} known[128];
static size_t known_count;

static void forget(const flat_snapshot *snapshot)
{
    size_t kept = 0;

    for (size_t i = 0; i < known_count; i++)
        if (known[i].snapshot == snapshot)
            free(known[i].all);
        else
            known[kept++] = known[i];
    known_count = kept;
}

static candidate *all_of(const flat_snapshot *snapshot, const flat_search_request *request,
                         uint64_t query, uint64_t *count)
{
    const struct known wanted = {snapshot, request->queries + query * request->query_stride,
                                 request->metric->name, request->reverse, 0, NULL};
    struct known *one = known;
    candidate *all;

    if (request->mask || request->exclude)
        return brute_force(snapshot, request, query, count);
    while (one < known + known_count &&
           (one->snapshot != wanted.snapshot || one->query != wanted.query ||
            one->metric != wanted.metric || one->reverse != wanted.reverse))
        one++;
    if (one == known + known_count) {
        all = brute_force(snapshot, request, query, count);
        if (known_count == COUNT_OF(known))
            return all;
        *one = wanted;
        one->count = *count;
        one->all = all;
        known_count++;
    }
    *count = one->count;
    all = allocate((snapshot->rows + 1) * sizeof(*all));
    memcpy(all, one->all, one->count * sizeof(*all));
    return all;
}

/* The distance of a row the search has found; NaN if it may not be found at all. */
static double distance_in(const double *by_row, const flat_snapshot *snapshot, uint64_t row)
{
    return row % TAIL_ROW < snapshot->rows ? by_row[row % TAIL_ROW] : (double)NAN;
}

static double score_of(const char *metric, double distance)
{
    return strcmp(metric, "cosine") == 0 ? 1 - distance
           : strcmp(metric, "dotproduct") == 0 ? -distance
                                               : distance;
}

/* Runs the search and compares it; strict: to the last row number, ties included. */
static void compare(flat_searcher *searcher, const flat_snapshot *snapshot,
                    const flat_search_request *request, int strict)
{
    flat_search_result result;

    CU_ASSERT_EQUAL_FATAL(flat_search(searcher, snapshot, request, &result), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(result.query_count, request->query_count);
    CU_ASSERT_EQUAL(result.offsets[0], 0);
    /* of many queries, some */
    for (uint64_t q = 0; q < request->query_count; q += 1 + request->query_count / 4) {
        uint64_t count, expected, from = (uint64_t)result.offsets[q];
        uint64_t found = (uint64_t)result.offsets[q + 1] - from;
        candidate *all = all_of(snapshot, request, q, &count);
        double *by_row = allocate(snapshot->rows * sizeof(double));

        for (uint64_t i = 0; i < snapshot->rows; i++)
            by_row[i] = (double)NAN;
        if (request->max_distance < (double)INFINITY) {
            uint64_t within = 0;

            for (uint64_t i = 0; i < count; i++)
                if ((float)all[i].distance <= (float)request->max_distance)
                    all[within++] = all[i];
            count = within;
        }
        for (uint64_t i = 0; i < count; i++)
            by_row[all[i].row % TAIL_ROW] = all[i].distance;
        expected = count < request->k ? count : request->k;
        CU_ASSERT_EQUAL(found, expected);
        for (uint64_t i = 0; i < found && i < expected; i++) {
            const double is = (double)result.distances[from + i], should = all[i].distance;
            const double own = distance_in(by_row, snapshot, result.rows[from + i]);
            const double scale = 1e-6 * (1 + fabs(should));

            CU_ASSERT((isinf(is) && !(fabs(should) < 3e38)) || fabs(is - should) <= scale);
            CU_ASSERT(isinf(own) || fabs(own - should) <= 1e-12 * (1 + fabs(should)) ||
                      (request->metric->squared && fabs(own - should) <= 1e-12 * should));
            if (strict)
                CU_ASSERT_EQUAL(result.rows[from + i], all[i].row);
            CU_ASSERT(fabs((double)result.scores[from + i] -
                           score_of(request->metric->name, is)) <= scale || isinf(is));
        }
        free(all);
        free(by_row);
    }
    flat_search_result_clear(&result);
}

static flat_search_request request_of(const char *metric, const flat_snapshot *snapshot,
                                      const float *queries, uint64_t count, uint64_t k)
{
    flat_search_request request = {
        .metric = flat_metric_find(metric, strlen(metric)),
        .dimension = snapshot->dimension,
        .queries = queries,
        .query_count = count,
        .query_stride = snapshot->dimension,
        .k = k,
        .max_distance = (double)INFINITY,
        .deadline = INT64_MAX,
    };

    CU_ASSERT_PTR_NOT_NULL_FATAL(request.metric);
    return request;
}

/* ---- the answers ------------------------------------------------------------------------ */

static const char *const metrics[] = {"cosine",      "dotproduct", "euclidean",
                                      "sqeuclidean", "manhattan",  "chebyshev",
                                      "canberra",    "braycurtis", "correlation"};
static const char *const bounded_metrics[] = {"cosine", "dotproduct", "euclidean"};
static const uint32_t scans[] = {FLAT_SCAN_AUTO, FLAT_SCAN_FLOAT32, FLAT_SCAN_CODES,
                                 FLAT_SCAN_DIRECT};

static void test_metrics(void)
{
    static const uint64_t dimensions[] = {1, 3, 20, 64};
    flat_searcher *searcher = flat_searcher_new(3);

    for (size_t d = 0; d < COUNT_OF(dimensions); d++)
        for (int kind = 0; kind < 4; kind++) {
            const uint64_t n = dimensions[d];
            float *data = make_rows(800, n, kind), *queries = make_rows(12, n, kind);
            flat_snapshot *snapshot = make_snapshot(data, 800, n, 300, 37, 11);

            memcpy(queries, data + 40 * n, n * sizeof(float));
            memset(queries + n, 0, n * sizeof(float));
            for (size_t m = 0; m < COUNT_OF(metrics); m++)
                for (int reverse = 0; reverse < 2; reverse++)
                    for (uint64_t count = 1; count <= 12; count += 11) {
                        flat_search_request request =
                            request_of(metrics[m], snapshot, queries, count, 10);

                        request.reverse = reverse;
                        compare(searcher, snapshot, &request, 0);
                        request.query_count = 2 < count ? 2 : count;
                        request.k = 1000;
                        compare(searcher, snapshot, &request, 0);
                    }
            free_snapshot(snapshot);
            free(data);
            free(queries);
        }
    flat_searcher_free(searcher);
}

/* Every way through the search, of every table of kernels. */
static void test_scans(void)
{
    static const char *const tables[] = {"scalar", "avx2", "avx512", "neon"};
    static const uint64_t counts[] = {1, 2, 5, 20, 70};

    for (int kind = 0; kind < 5; kind++) {
        /* a sanitizer takes its time, and sees as much in a block of two chunks and a piece of another */
        const uint64_t n = kind == 2 ? 100 : 48, rows = UNIT_IS_SANITIZED ? FLAT_CHUNK + 116 : 2500;
        const uint64_t block = UNIT_IS_SANITIZED ? FLAT_CHUNK + 16 : 1400;
        float *data = make_rows(rows, n, kind), *queries = make_rows(70, n, kind);
        flat_snapshot *snapshot = make_snapshot(data, rows, n, block, 50, 20);

        for (uint64_t i = 0; i < 35; i++) /* half of them are rows */
            memcpy(queries + 2 * i * n, data + rows / 36 * i * n, n * sizeof(float));
        for (size_t table = 0; table < COUNT_OF(tables); table++) {
            const sp_kernels *kernels = sp_kernels_named(tables[table]);
            flat_searcher *searcher = kernels ? flat_searcher_new(2) : NULL;

            if (!kernels)
                continue;
            sp_kernels_force(kernels);
            for (size_t m = 0; m < COUNT_OF(bounded_metrics); m++)
                for (size_t s = 0; s < COUNT_OF(scans); s++)
                    for (size_t c = 0; c < COUNT_OF(counts); c++)
                        for (int reverse = 0; reverse < 2; reverse++) {
                            flat_search_request request = request_of(
                                bounded_metrics[m], snapshot, queries, counts[c], 10);

                            request.scan = scans[s];
                            request.reverse = reverse;
                            compare(searcher, snapshot, &request, 0);
                        }
            flat_searcher_free(searcher);
            sp_kernels_force(NULL);
        }
        free_snapshot(snapshot);
        free(data);
        free(queries);
    }
}

/* Where sums are exact, ties go to the lower row number, whatever the way. */
static void test_ties(void)
{
    static const char *const exact_metrics[] = {"dotproduct", "euclidean", "manhattan",
                                                "chebyshev"};
    const uint64_t n = 16, rows = 8000;
    float *data = make_rows(rows, n, 1), *queries = make_rows(40, n, 1);
    flat_snapshot *snapshot;
    flat_searcher *searcher = flat_searcher_new(3);

    for (uint64_t i = 2000; i < 7000; i++) /* thousands of equal rows */
        memcpy(data + i * n, data, n * sizeof(float));
    memcpy(queries, data, n * sizeof(float));
    snapshot = make_snapshot(data, rows, n, 1024, 100, 50);
    for (size_t m = 0; m < COUNT_OF(exact_metrics); m++)
        for (size_t s = 0; s < COUNT_OF(scans); s++)
            for (uint64_t count = 1; count <= 40; count += 39)
                for (uint64_t k = 1; k <= 100; k += 33) {
                    flat_search_request request =
                        request_of(exact_metrics[m], snapshot, queries, count, k);

                    request.scan = scans[s];
                    compare(searcher, snapshot, &request, 1);
                }
    free_snapshot(snapshot);
    free(data);
    free(queries);
    flat_searcher_free(searcher);
}

/* Masks of every density, of some blocks only, and rows left out one by one. */
static void test_masks(void)
{
    static const uint64_t parts[] = {1, 2, 10, 300};
    const uint64_t n = 32, rows = 4000;
    float *data = make_rows(rows, n, 0), *queries = make_rows(30, n, 0);
    flat_snapshot *snapshot = make_snapshot(data, rows, n, 1100, 1110, 9);
    flat_searcher *searcher = flat_searcher_new(2);
    uint64_t exclude[30];

    for (uint64_t i = 0; i < 30; i++)
        exclude[i] = i % 3 ? i * 7 : i % 2 ? UINT64_MAX : snapshot->tail[i].row;
    for (size_t p = 0; p < COUNT_OF(parts); p++) {
        const uint8_t *blocks[MOST_BLOCKS] = {NULL};
        uint8_t *memory[MOST_BLOCKS + 1];
        flat_mask mask = {blocks, NULL};

        for (uint64_t b = 0; b <= snapshot->block_count; b++) {
            memory[b] = allocate(140);
            for (uint64_t i = 0; i < 140 * 8; i++)
                if (random_below(parts[p]) == 0)
                    memory[b][i / 8] = (uint8_t)(memory[b][i / 8] | 1 << (i % 8));
            if (b != 1 && b < snapshot->block_count)
                blocks[b] = memory[b];
        }
        if (p != 1)
            mask.tail = memory[snapshot->block_count];
        for (size_t m = 0; m < COUNT_OF(bounded_metrics); m++)
            for (size_t s = 0; s < COUNT_OF(scans); s++)
                for (uint64_t count = 1; count <= 30; count += 29) {
                    flat_search_request request =
                        request_of(bounded_metrics[m], snapshot, queries, count, 12);

                    request.scan = scans[s];
                    request.mask = &mask;
                    compare(searcher, snapshot, &request, 0);
                    request.exclude = exclude;
                    compare(searcher, snapshot, &request, 0);
                }
        for (uint64_t b = 0; b <= snapshot->block_count; b++)
            free(memory[b]);
    }
    free_snapshot(snapshot);
    free(data);
    free(queries);
    flat_searcher_free(searcher);
}

/* R271: everything within a distance, the rows exactly on its border included. */
static void test_radius(void)
{
    const uint64_t n = 24, rows = 1500;
    flat_searcher *searcher = flat_searcher_new(2);

    for (int kind = 0; kind < 4; kind++) {
        float *data = make_rows(rows, n, kind), *queries = make_rows(20, n, kind);
        flat_snapshot *snapshot = make_snapshot(data, rows, n, 500, 40, 13);

        for (size_t m = 0; m < COUNT_OF(metrics); m++)
            for (uint64_t rank = 0; rank <= 1200; rank = rank ? rank * 20 : 3)
                for (uint64_t count = 1; count <= 20; count += 19)
                    for (int reverse = 0; reverse < 2; reverse++) {
                        flat_search_request request =
                            request_of(metrics[m], snapshot, queries, count, UINT64_MAX);
                        uint64_t all_count;
                        candidate *all = all_of(snapshot, &request, 0, &all_count);

                        CU_ASSERT_FATAL(rank < all_count);
                        request.max_distance = (double)(float)all[rank].distance;
                        request.reverse = reverse;
                        compare(searcher, snapshot, &request, 0);
                        request.k = 5;
                        compare(searcher, snapshot, &request, 0);
                        free(all);
                    }
        free_snapshot(snapshot);
        free(data);
        free(queries);
    }
    flat_searcher_free(searcher);
}

static void test_nothing(void)
{
    const uint64_t n = 8;
    float *data = make_rows(20, n, 0);
    flat_snapshot *empty = make_snapshot(data, 0, n, 10, 0, 0);
    flat_snapshot *some = make_snapshot(data, 20, n, 10, 10, 0);
    flat_searcher *searcher = flat_searcher_new(0);
    flat_search_request request = request_of("cosine", empty, data, 3, 5);

    compare(searcher, empty, &request, 1);
    compare(searcher, some, &request, 0);
    request.k = 0;
    compare(searcher, some, &request, 0);
    request.k = UINT64_MAX;
    compare(searcher, some, &request, 0);
    request.query_count = 0;
    compare(searcher, some, &request, 0);
    request = request_of("dotproduct", some, data, 3, 5);
    request.max_distance = -1e30;
    compare(searcher, some, &request, 0);
    free_snapshot(empty);
    free_snapshot(some);
    free(data);
    flat_searcher_free(searcher);
    flat_searcher_free(NULL);
}

/* ---- the bounds ------------------------------------------------------------------------- */

static double dot_of(const double *a, const double *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Takes off x a part of the given length, towards `where` as far as what is left over
   stands upright on it: as the best scale of a code does. */
static void code_of(const double *x, const double *where, double length, int n, double *code)
{
    double norm = sqrt(dot_of(x, x, n)), along = dot_of(x, where, n) / (norm * norm);
    double upright[3], size, angle = asin(length / norm);

    for (int i = 0; i < n; i++)
        upright[i] = where[i] - along * x[i];
    size = sqrt(dot_of(upright, upright, n));
    for (int i = 0; i < n; i++)
        code[i] = cos(angle) * (cos(angle) * x[i] + sin(angle) * upright[i] / size * norm);
}

/*
 * In the plane of the query and the row, errors that point at the query or away from it
 * reach what the bounds allow: the key is inside, the row passes for its own key, and it
 * does not for one that lies somewhat above.
 */
static void test_bounds(void)
{
    for (int round = 0; round < 20000; round++) {
        const uint32_t kind = (uint32_t)random_below(3);
        const int n = 3;
        double q[3], x[3], opposite[3], xc[3], qc[3], length, e, qe, key, low, high, slack;
        float scale = 1, error, norm, a, b, c, s, r, t;
        flat_bound bound = {.kind = kind, .factor = 1, .rounding = flat_bound_rounding(3)};

        for (int i = 0; i < n; i++) {
            q[i] = gauss();
            x[i] = gauss();
        }
        if (random_below(2)) /* near each other */
            for (int i = 0; i < n; i++)
                x[i] = q[i] + x[i] / 20;
        bound.norm = sqrt(dot_of(q, q, n));
        if (kind != FLAT_EUCLIDEAN)
            for (int i = 0; i < n; i++)
                q[i] /= bound.norm;
        length = sqrt(dot_of(x, x, n));
        e = length * (double)random_below(1000) / 11000;
        qe = sqrt(dot_of(q, q, n)) * (double)random_below(1000) / 11000;
        for (int i = 0; i < n; i++)
            opposite[i] = -q[i];
        code_of(x, random_below(2) ? q : opposite, e, n, xc);
        for (int i = 0; i < n; i++)
            opposite[i] = -x[i];
        code_of(q, random_below(2) ? x : opposite, qe, n, qc);
        bound.error = qe;
        bound.length = sqrt(dot_of(qc, qc, n));
        if (kind == FLAT_COSINE)
            bound.factor = 1 / bound.length;
        error = (float)(e * (1 + 1e-7));
        norm = (float)length;
        key = kind == FLAT_COSINE ? dot_of(q, x, n) / length
              : kind == FLAT_DOT  ? dot_of(q, x, n) * bound.norm
                                  : -sqrt(dot_of(q, q, n) + dot_of(x, x, n) - 2 * dot_of(q, x, n));
        flat_bound_keys(&bound, dot_of(qc, xc, n), 1, (double)error, (double)norm, &low, &high);
        CU_ASSERT(low <= key && key <= high);
        flat_bound_rows(kind, bound.rounding, &scale, &error, &norm, NULL, 1, &a, &b, &c);
        flat_bound_threshold(&bound, key, &s, &r, &t);
        CU_ASSERT(!((float)dot_of(qc, xc, n) * a + (b * s + (c * r - t)) < 0));
        /* for a key that it cannot have it does not pass: the test is as good as the bound */
        slack = kind == FLAT_COSINE ? 1e-3 : 1e-2 * (1 + bound.norm * length);
        if (kind == FLAT_EUCLIDEAN)
            slack = 0.02;
        if (high + slack < (kind == FLAT_COSINE ? 1 : kind == FLAT_DOT ? 1e9 : 0) &&
            high + slack > (kind == FLAT_COSINE ? -0.5 : -1e9)) {
            flat_bound_threshold(&bound, high + slack, &s, &r, &t);
            CU_ASSERT((float)dot_of(qc, xc, n) * a + (b * s + (c * r - t)) < 0);
        }
    }
}

/* Rows whose squares float32 cannot hold, and codes that miss too much, always pass. */
static void test_unbounded(void)
{
    const float scales[] = {1, 1, 1, 1, 1}, errors[] = {0, 0, 0, 0.2f, 0};
    const float norms[] = {1e-20f, 1e20f, INFINITY, 1, 1};

    for (uint32_t kind = FLAT_COSINE; kind <= FLAT_EUCLIDEAN; kind++) {
        const flat_bound bound = {kind, 1, 0, 1, 1, 1e-6};
        float a[5], b[5], c[5];

        flat_bound_rows(kind, 1e-6, scales, errors, norms, NULL, 5, a, b, c);
        for (int i = 0; i < 4; i++) {
            double low, high;

            CU_ASSERT(isnan(a[i]));
            flat_bound_keys(&bound, 1, 1, (double)errors[i], (double)norms[i], &low, &high);
            CU_ASSERT(isinf(low) && low < 0 && isinf(high) && high > 0);
        }
        CU_ASSERT(!isnan(a[4]));
    }
}

/* ---- the work --------------------------------------------------------------------------- */

/* Good data is answered from codes, bad data by computing everything once. */
static void test_work(void)
{
    const uint64_t n = 256, rows = 8000;
    flat_searcher *searcher = flat_searcher_new(2);

    for (int kind = 0; kind < 4; kind += 3) {
        float *data = make_rows(rows, n, kind), *queries = make_rows(32, n, kind);
        flat_snapshot *snapshot = make_snapshot(data, rows, n, rows, 0, 0);

        for (uint64_t count = 1; count <= 32; count += 31) {
            flat_search_request request = request_of("cosine", snapshot, queries, count, 10);
            flat_search_result result;
            double pairs = (double)(rows * count);

            request.scan = FLAT_SCAN_CODES;
            CU_ASSERT_EQUAL(flat_search(searcher, snapshot, &request, &result), SIMPLUGIN_OK);
            if (kind == 0) {
                CU_ASSERT_EQUAL(result.work.rows_coded, rows * count);
                CU_ASSERT_EQUAL(result.work.rows_direct, 0);
                CU_ASSERT((double)result.work.rescored < pairs / 50);
            } else { /* all rows look alike: 1000 + noise */
                CU_ASSERT((double)result.work.rows_coded < pairs * 0.8);
                CU_ASSERT((double)(result.work.rows_direct + result.work.rows_product) >
                          pairs * 0.3);
            }
            flat_search_result_clear(&result);
        }
        free_snapshot(snapshot);
        free(data);
        free(queries);
    }
    flat_searcher_free(searcher);
}

/* ---- stopping --------------------------------------------------------------------------- */

static _Atomic int asked;

static int32_t cancelled_at_once(uint64_t cancel)
{
    return cancel == 17;
}

static int32_t cancelled_later(uint64_t cancel)
{
    (void)cancel;
    return atomic_fetch_add(&asked, 1) >= 3;
}

static int32_t never_cancelled(uint64_t cancel)
{
    (void)cancel;
    return 0;
}

/* R274 */
static void test_stopping(void)
{
    const uint64_t n = 64, rows = 6000;
    float *data = make_rows(rows, n, 0);
    flat_snapshot *snapshot = make_snapshot(data, rows, n, 2000, 10, 0);
    flat_searcher *searcher = flat_searcher_new(2);

    for (size_t s = 0; s < COUNT_OF(scans); s++)
        for (uint64_t count = 1; count <= 600; count += 599) {
            flat_search_request request = request_of("euclidean", snapshot, data, count, 10);
            flat_search_result result;

            request.scan = scans[s];
            request.cancel = 17;
            request.cancelled = cancelled_at_once;
            CU_ASSERT_EQUAL(flat_search(searcher, snapshot, &request, &result),
                            SIMPLUGIN_CANCELLED);
            CU_ASSERT_PTR_NULL(result.offsets);
            CU_ASSERT_PTR_NULL(result.rows);
            atomic_store(&asked, 0);
            request.cancelled = cancelled_later;
            CU_ASSERT_EQUAL(flat_search(searcher, snapshot, &request, &result),
                            SIMPLUGIN_CANCELLED);
            request.cancelled = never_cancelled;
            request.deadline = 1; /* long ago */
            CU_ASSERT_EQUAL(flat_search(searcher, snapshot, &request, &result),
                            SIMPLUGIN_DEADLINE_EXCEEDED);
            request.deadline = INT64_MAX - 1;
            CU_ASSERT_EQUAL(flat_search(searcher, snapshot, &request, &result), SIMPLUGIN_OK);
            flat_search_result_clear(&result);
        }
    free_snapshot(snapshot);
    free(data);
    flat_searcher_free(searcher);
}

/* ---- threads and processes -------------------------------------------------------------- */

typedef struct shared {
    flat_searcher *searcher;
    const flat_snapshot *snapshot;
    const float *queries;
    const uint64_t *expected; /* 10 rows a query */
    _Atomic int wrong;
} shared;

#define SHARED_QUERIES 24

static void *search_many(void *argument)
{
    shared *all = argument;

    for (uint64_t round = 0; round < 30; round++) {
        const uint64_t count = round % 3 == 0 ? SHARED_QUERIES : 1;
        const uint64_t first = count == 1 ? round % SHARED_QUERIES : 0;
        flat_search_request request = {
            .metric = flat_metric_find("cosine", 6),
            .dimension = all->snapshot->dimension,
            .queries = all->queries + first * all->snapshot->dimension,
            .query_count = count,
            .query_stride = all->snapshot->dimension,
            .k = 10,
            .max_distance = (double)INFINITY,
            .deadline = INT64_MAX,
            .scan = round % 2 ? FLAT_SCAN_AUTO : FLAT_SCAN_FLOAT32,
        };
        flat_search_result result;

        if (flat_search(all->searcher, all->snapshot, &request, &result) != SIMPLUGIN_OK ||
            result.offsets[count] != (int64_t)(10 * count) ||
            memcmp(result.rows, all->expected + 10 * first, 10 * count * sizeof(uint64_t)) != 0)
            atomic_fetch_add(&all->wrong, 1);
        flat_search_result_clear(&result);
    }
    return NULL;
}

static void test_many_searches(void)
{
    const uint64_t n = 64, rows = 6000;
    float *data = make_rows(rows, n, 0), *queries = make_rows(SHARED_QUERIES, n, 0);
    flat_snapshot *snapshot = make_snapshot(data, rows, n, 2000, 10, 30);
    shared all = {.searcher = flat_searcher_new(3), .snapshot = snapshot, .queries = queries};
    flat_search_request request = request_of("cosine", snapshot, queries, SHARED_QUERIES, 10);
    flat_search_result result;
    pthread_t threads[8];
    int status = 0;
    pid_t child;

    request.scan = FLAT_SCAN_DIRECT;
    CU_ASSERT_EQUAL_FATAL(flat_search(all.searcher, snapshot, &request, &result), SIMPLUGIN_OK);
    all.expected = result.rows;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, search_many, &all), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&all.wrong), 0);

    /* R275: a child process has none of the threads, and goes on without them */
    child = fork();
    if (child == 0) {
        search_many(&all);
        flat_searcher_free(all.searcher);
        _exit(atomic_load(&all.wrong) ? 1 : 0);
    }
    CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    flat_search_result_clear(&result);
    flat_searcher_free(all.searcher);
    free_snapshot(snapshot);
    free(data);
    free(queries);
}

static void test_metric_names(void)
{
    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        const flat_metric *metric = flat_metric_find(metrics[i], strlen(metrics[i]));

        CU_ASSERT_PTR_NOT_NULL_FATAL(metric);
        CU_ASSERT_STRING_EQUAL(metric->name, metrics[i]);
    }
    CU_ASSERT_PTR_NULL(flat_metric_find("cosin", 5));
    CU_ASSERT_PTR_NULL(flat_metric_find("cosine", 5));
    CU_ASSERT_PTR_NULL(flat_metric_find("", 0));
}

static const unit_case cases[] = {
    UNIT_CASE(test_metric_names, "the metrics have their names"),
    UNIT_CASE(test_nothing, "nothing stored, nothing asked for"),
    UNIT_CASE(test_metrics, "every metric agrees with brute force"),
    UNIT_CASE(test_scans, "every way through the rows gives the same answers"),
    UNIT_CASE(test_ties, "equal distances are ordered by row number"),
    UNIT_CASE(test_masks, "R90 masks and rows left out"),
    UNIT_CASE(test_radius, "R271 radius search, also of the least similar"),
    UNIT_CASE(test_bounds, "the bounds hold where errors are the worst possible"),
    UNIT_CASE(test_unbounded, "rows without a bound are never passed over"),
    UNIT_CASE(test_work, "codes save the work where they can"),
    UNIT_CASE(test_stopping, "R274 deadlines and cancelling stop a search"),
    UNIT_CASE(test_many_searches, "R275 many searches at once, and in a child process"),
};

UNIT_MAIN("flat search", cases)
