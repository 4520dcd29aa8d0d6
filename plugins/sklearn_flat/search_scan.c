/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search_scan.h"

/* Rows of the product at a time: FLAT_BATCH x so many floats stay in the caches. */
#define PRODUCT_ROWS 512
/* With fewer queries than that, one after the other is faster than matching all at once. */
#define MATCH_FEW 3

/* ---- memory ----------------------------------------------------------------------------- */

static void *room(uint64_t count, uint64_t size)
{
    void *data = NULL;
    uint64_t bytes = count * size;

    if (size && bytes / size != count)
        return NULL;
    bytes = (bytes + 63) / 64 * 64;
    data = aligned_alloc(64, bytes ? bytes : 64);
    return data;
}

uint64_t flat_scan_product_rows(const flat_scan *scan)
{
    const uint64_t dimension = scan->request->dimension;
    uint64_t rows = PRODUCT_ROWS;

    while (rows > 64 && rows * dimension > PRODUCT_ROWS * 2048)
        rows /= 2;
    return rows;
}

int32_t flat_worker_init(flat_worker *worker, const flat_scan *scan)
{
    const uint64_t queries = scan->query_count, padded = (queries + 15) / 16 * 16;
    int failed = 0;

    memset(worker, 0, sizeof(*worker));
    worker->hits = calloc(queries, sizeof(*worker->hits));
    worker->seen = calloc(queries, sizeof(uint64_t));
    worker->passed = calloc(queries, sizeof(uint64_t));
    worker->known = calloc(queries, sizeof(uint32_t));
    for (int i = 0; i < 3; i++) {
        worker->sets[i] = room(queries, sizeof(uint32_t));
        failed |= !worker->sets[i];
    }
    worker->a = room(FLAT_CHUNK, sizeof(float));
    worker->b = room(FLAT_CHUNK, sizeof(float));
    worker->c = room(FLAT_CHUNK, sizeof(float));
    worker->approx = room(FLAT_CHUNK, sizeof(float));
    worker->exact = room(FLAT_CHUNK, sizeof(double));
    worker->index = room(FLAT_CHUNK, sizeof(uint32_t));
    worker->passing = room(FLAT_CHUNK, sizeof(uint32_t));
    if (queries >= MATCH_FEW) {
        worker->panels = room(padded, scan->code_stride);
        worker->s = room(padded, sizeof(float));
        worker->r = room(padded, sizeof(float));
        worker->t = room(padded, sizeof(float));
        worker->thresholds = room(padded, sizeof(double));
        worker->rests = room(padded, sizeof(float));
        worker->matches = room(SP_MATCH_ROWS * padded, sizeof(sp_match));
        failed |= !worker->panels || !worker->s || !worker->r || !worker->t ||
                  !worker->thresholds || !worker->rests || !worker->matches;
    }
    failed |= !worker->hits || !worker->seen || !worker->passed || !worker->known || !worker->a || !worker->b ||
              !worker->c || !worker->approx || !worker->exact || !worker->index ||
              !worker->passing;
    return failed ? SIMPLUGIN_OUT_OF_MEMORY : SIMPLUGIN_OK;
}

void flat_worker_clear(flat_worker *worker, const flat_scan *scan)
{
    for (uint64_t i = 0; worker->hits && i < scan->query_count; i++)
        flat_hits_clear(&worker->hits[i]);
    free(worker->hits);
    free(worker->seen);
    free(worker->passed);
    free(worker->known);
    for (int i = 0; i < 3; i++)
        free(worker->sets[i]);
    free(worker->a);
    free(worker->b);
    free(worker->c);
    free(worker->approx);
    free(worker->exact);
    free(worker->index);
    free(worker->passing);
    free(worker->panels);
    free(worker->s);
    free(worker->r);
    free(worker->t);
    free(worker->thresholds);
    free(worker->rests);
    free(worker->matches);
    free(worker->matrix);
    free(worker->gathered);
    free(worker->product);
    memset(worker, 0, sizeof(*worker));
}

/* ---- stopping --------------------------------------------------------------------------- */

static void fail(flat_scan *scan, int32_t code)
{
    int32_t none = SIMPLUGIN_OK;

    atomic_compare_exchange_strong(&scan->code, &none, code);
}

static int is_stopped(flat_scan *scan)
{
    return atomic_load_explicit(&scan->code, memory_order_relaxed) != SIMPLUGIN_OK;
}

int32_t flat_scan_check(flat_scan *scan)
{
    const flat_search_request *request = scan->request;
    struct timespec now;

    if (request->cancelled && request->cancelled(request->cancel)) {
        fail(scan, SIMPLUGIN_CANCELLED);
    } else if (request->deadline != INT64_MAX) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= request->deadline)
            fail(scan, SIMPLUGIN_DEADLINE_EXCEEDED);
    }
    return atomic_load(&scan->code);
}

/* ---- hits ------------------------------------------------------------------------------- */

static double threshold_of(const flat_query *query)
{
    return atomic_load_explicit(&query->threshold, memory_order_relaxed);
}

static void raise_threshold(flat_query *query, double threshold)
{
    double old = threshold_of(query);

    while (threshold > old &&
           !atomic_compare_exchange_weak_explicit(&query->threshold, &old, threshold,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

static double signed_key(const flat_scan *scan, const flat_query *query, double exact)
{
    double key = flat_metric_key(scan->request->metric, exact, query->length);

    return scan->request->reverse ? 0 - key : key;
}

/* Computes the hits among the first count that are only bounded yet. */
static void compute(flat_scan *scan, flat_worker *worker, const flat_query *query,
                    flat_hits *hits, uint64_t count, double threshold)
{
    const uint64_t dimension = scan->request->dimension;
    const uint64_t ahead = dimension < 1024 ? dimension : 1024;

    for (uint64_t i = 0; i < count; i++) {
        flat_hit *hit = &hits->data[i];
        double exact;

        if (hit->low == hit->high || hit->high < threshold)
            continue;
        if (i + 1 < count)
            for (uint64_t j = 0; j < ahead; j += 16)
                __builtin_prefetch(hit[1].vector + j);
        scan->kernels->exact[scan->request->metric->exact](query->vector, hit->vector, 0, NULL, 1,
                                                           dimension, &exact);
        hit->low = hit->high = signed_key(scan, query, exact);
        worker->rescored++;
        if (i % 1024 == 1023 && flat_scan_check(scan) != SIMPLUGIN_OK)
            break;
    }
}

/* Keeps a list short: it has grown since it was last trimmed. */
static void tidy(flat_scan *scan, flat_worker *worker, flat_query *query, flat_hits *hits)
{
    uint64_t more;

    raise_threshold(query, flat_hits_trim(hits, scan->k, threshold_of(query)));
    if (hits->resolve_at == 0)
        hits->resolve_at = scan->k < (UINT64_C(1) << 40) ? 4096 + 4 * scan->k : 4096;
    if (hits->count >= hits->resolve_at) {
        /* bounds do not tell these apart; keys and row numbers do */
        compute(scan, worker, query, hits, hits->count, threshold_of(query));
        if (is_stopped(scan))
            return;
        flat_hits_drop(hits, threshold_of(query));
        flat_hits_best(hits, scan->k);
        if (hits->count == scan->k)
            raise_threshold(query, hits->data[hits->count - 1].low);
        if (hits->resolve_at < 2 * hits->count)
            hits->resolve_at = 2 * hits->count;
    }
    more = scan->k + 32 > hits->count / 4 ? scan->k + 32 : hits->count / 4;
    hits->trim_at = hits->count + more < hits->resolve_at ? hits->count + more : hits->resolve_at;
}

static void add(flat_scan *scan, flat_worker *worker, uint64_t number, const flat_hit *hit)
{
    flat_query *query = &scan->queries[number];
    flat_hits *hits = &worker->hits[number];

    if (!flat_hits_add(hits, hit))
        fail(scan, SIMPLUGIN_OUT_OF_MEMORY);
    if (hits->trim_at == 0)
        hits->trim_at = scan->k + 32 < 4096 ? scan->k + 32 : 4096;
    if (hits->count >= hits->trim_at)
        tidy(scan, worker, query, hits);
}

/* A row whose key was computed. */
static void add_exact(flat_scan *scan, flat_worker *worker, uint64_t number, double exact,
                      uint64_t row, const float *vector)
{
    const flat_query *query = &scan->queries[number];
    const double key = signed_key(scan, query, exact);
    const flat_hit hit = {key, key, row, vector};

    if (key < threshold_of(query) || row == query->exclude)
        return;
    /* of the least similar, no bound says who is too far away */
    if (scan->request->reverse &&
        (float)flat_metric_distance(scan->request->metric, -key) >
            (float)scan->request->max_distance)
        return;
    add(scan, worker, number, &hit);
}

/* A row that passed the test of a bound. */
static void add_bounded(flat_scan *scan, flat_worker *worker, uint64_t number,
                        const flat_bound *bound, double approx, const flat_block *block,
                        uint64_t slot, int by_codes)
{
    const flat_query *query = &scan->queries[number];
    flat_hit hit = {.row = block->first_row + slot};

    worker->passed[number]++;
    flat_bound_keys(bound, approx, by_codes ? (double)block->scales[slot] : 1,
                    by_codes ? (double)block->errors[slot] : 0, (double)block->norms[slot],
                    &hit.low, &hit.high);
    if (hit.high < threshold_of(query) || hit.row == query->exclude)
        return;
    hit.vector = block->vectors + slot * scan->vector_stride;
    add(scan, worker, number, &hit);
}

/* ---- levels ----------------------------------------------------------------------------- */

/* Sends a query one level down if a level leaves over too much; part: one row in so many. */
static void judge(flat_scan *scan, flat_worker *worker, uint64_t number, uint64_t rows,
                  uint32_t level, uint64_t part)
{
    flat_query *query = &scan->queries[number];
    const uint64_t some = scan->k < UINT64_C(1) << 40 ? 256 + 16 * scan->k : 256;
    uint32_t expected = level;

    worker->seen[number] += rows;
    if (worker->passed[number] <= some + worker->seen[number] / part)
        return;
    if (atomic_compare_exchange_strong(&query->level, &expected, level + 1))
        atomic_fetch_add(&scan->levels, 1);
}

/* Whether the product is one of matrices, rather than of one query after the other. */
static int is_matrix(const flat_scan *scan, const flat_worker *worker)
{
    return scan->may_multiply && worker->set_sizes[FLAT_LEVEL_PRODUCT] >= FLAT_FEW;
}

/* The queries at each level, as this thread sees it now, and what is packed of them. */
static void make_sets(flat_scan *scan, flat_worker *worker)
{
    const uint64_t dimension = scan->request->dimension, stride = scan->code_stride;
    const uint32_t levels = atomic_load(&scan->levels);
    uint64_t codes, padded;

    if (worker->has_sets && worker->levels == levels)
        return;
    worker->has_sets = 1;
    worker->levels = levels;
    memset(worker->set_sizes, 0, sizeof(worker->set_sizes));
    for (uint64_t i = 0; i < scan->query_count; i++) {
        const uint32_t level = atomic_load(&scan->queries[i].level);

        worker->sets[level][worker->set_sizes[level]++] = (uint32_t)i;
        if (worker->known[i] != level)
            worker->seen[i] = worker->passed[i] = 0;
        worker->known[i] = level;
    }

    codes = worker->set_sizes[FLAT_LEVEL_CODES];
    padded = (codes + 15) / 16 * 16;
    if (codes >= MATCH_FEW) {
        const int8_t *list[FLAT_BATCH];

        for (uint64_t j = 0; j < codes; j++)
            list[j] = scan->queries[worker->sets[FLAT_LEVEL_CODES][j]].high;
        sp_pack_queries(list, codes, stride, worker->panels);
        for (uint64_t j = 0; j < padded; j++) {
            worker->s[j] = worker->r[j] = 0;
            worker->t[j] = j < codes ? -INFINITY : INFINITY;
            worker->thresholds[j] = -(double)INFINITY;
            worker->rests[j] = j < codes ? sp_code_rest(list[j], stride) : 0;
        }
    }

    if (is_matrix(scan, worker)) {
        const uint64_t rows = flat_scan_product_rows(scan);

        if (!worker->matrix) {
            worker->matrix = room(scan->query_count * dimension, sizeof(float));
            worker->gathered = room(rows * dimension, sizeof(float));
            worker->product = room(scan->query_count * rows, sizeof(float));
        }
        if (!worker->matrix || !worker->gathered || !worker->product) {
            fail(scan, SIMPLUGIN_OUT_OF_MEMORY);
            return;
        }
        for (uint64_t j = 0; j < worker->set_sizes[FLAT_LEVEL_PRODUCT]; j++)
            memcpy(worker->matrix + j * dimension,
                   scan->queries[worker->sets[FLAT_LEVEL_PRODUCT][j]].unit,
                   dimension * sizeof(float));
    }
}

/* ---- which rows of a chunk -------------------------------------------------------------- */

/* Up to 64 bits of a map that has `rows` bits, from bit `first` on, a multiple of 64. */
static uint64_t bits_at(const uint8_t *map, uint64_t first, uint64_t rows)
{
    const uint64_t bytes = (rows + 7) / 8, from = first / 8;
    uint64_t bits = 0;

    for (uint64_t i = 0; i < 8 && from + i < bytes; i++)
        bits |= (uint64_t)map[from + i] << (8 * i);
    return bits;
}

/* Fills worker->live, and worker->index with the slots in the chunk; returns how many. */
static uint64_t find_live(flat_worker *worker, const flat_chunk *chunk, const uint8_t *dead,
                          const uint8_t *allowed, uint64_t rows)
{
    uint64_t count = 0;

    if (!dead && !allowed && chunk->block != FLAT_TAIL) {
        memset(worker->live, 0xff, sizeof(worker->live));
        return chunk->rows;
    }
    for (uint64_t i = 0; i < chunk->rows; i += 64) {
        const uint64_t some = chunk->rows - i < 64 ? chunk->rows - i : 64;
        uint64_t bits = some < 64 ? (UINT64_C(1) << some) - 1 : ~UINT64_C(0);

        if (dead)
            bits &= ~bits_at(dead, chunk->first + i, rows);
        if (allowed)
            bits &= bits_at(allowed, chunk->first + i, rows);
        worker->live[i / 64] = bits;
        for (; bits; bits &= bits - 1)
            worker->index[count++] = (uint32_t)i + (uint32_t)__builtin_ctzll(bits);
    }
    return count;
}

static int is_live(const flat_worker *worker, uint64_t slot)
{
    return worker->live[slot / 64] >> (slot % 64) & 1;
}

/* Rows of a chunk that are worked on: those in index, or the first count. */
typedef struct selection {
    const flat_block *block;
    uint64_t first;        /* slot of the chunk's first row in the block */
    const uint32_t *index; /* slots in the chunk */
    uint64_t count;
} selection;

static uint64_t slot_of(const selection *rows, uint64_t i)
{
    return rows->index ? rows->index[i] : i;
}

/* Where most rows are alive, reading all of them is faster than picking. */
static selection dense(const selection *rows, uint64_t chunk_rows)
{
    selection all = *rows;

    if (rows->count * 4 >= chunk_rows) {
        all.index = NULL;
        all.count = chunk_rows;
    }
    return all;
}

/* ---- codes ------------------------------------------------------------------------------ */

/* Of count rows from number `from` on: those whose approximate dots pass. a, b and c of the
   worker are those of all rows. */
static void select_hits(flat_scan *scan, flat_worker *worker, uint64_t number,
                        const flat_bound *bound, const selection *rows, uint64_t from,
                        uint64_t count, const float *approx, int by_codes)
{
    const flat_query *query = &scan->queries[number];
    uint64_t step = 32;

    /* few at a time, so that the first ones soon make a threshold for the rest */
    for (uint64_t i = 0; i < count; i += step) {
        const double threshold = threshold_of(query);
        uint64_t passing;
        float s, r, t;

        if (i && step < 256)
            step = threshold > -(double)INFINITY ? 256 : step * 2;
        flat_bound_threshold(bound, threshold, &s, &r, &t);
        passing = scan->kernels->select(approx + i, worker->a + from + i, worker->b + from + i,
                                        worker->c + from + i, count - i < step ? count - i : step,
                                        s, r, t, worker->passing);
        for (uint64_t j = 0; j < passing; j++) {
            const uint64_t at = i + worker->passing[j], slot = slot_of(rows, from + at);

            if (is_live(worker, slot))
                add_bounded(scan, worker, number, bound, (double)approx[at], rows->block,
                            rows->first + slot, by_codes);
        }
    }
}

static void codes_one_by_one(flat_scan *scan, flat_worker *worker, const selection *rows)
{
    const flat_block *block = rows->block;
    const int8_t *codes = block->codes + rows->first * scan->code_stride;

    for (uint64_t j = 0; j < worker->set_sizes[FLAT_LEVEL_CODES] && !is_stopped(scan); j++) {
        const uint64_t number = worker->sets[FLAT_LEVEL_CODES][j];
        const flat_query *query = &scan->queries[number];

        scan->kernels->dot_codes(query->high, query->low, codes, scan->code_stride, rows->index,
                                 rows->count, scan->code_stride, worker->approx);
        select_hits(scan, worker, number, &query->both, rows, 0, rows->count, worker->approx, 1);
        worker->rows_coded += rows->count;
    }
}

static void codes_all_at_once(flat_scan *scan, flat_worker *worker, const selection *rows)
{
    const uint64_t stride = scan->code_stride, count = worker->set_sizes[FLAT_LEVEL_CODES];
    const uint32_t *set = worker->sets[FLAT_LEVEL_CODES];
    const int8_t *codes = rows->block->codes + rows->first * stride;
    sp_match_input input = {
        .stride = stride,
        .queries = worker->panels,
        .query_count = (count + 15) / 16 * 16,
        .s = worker->s,
        .r = worker->r,
        .t = worker->t,
        .length = stride,
        .rests = worker->rests,
    };

    for (uint64_t i = 0; i < rows->count && !is_stopped(scan); i += SP_MATCH_ROWS) {
        const uint64_t some = rows->count - i < SP_MATCH_ROWS ? rows->count - i : SP_MATCH_ROWS;
        uint64_t matches;

        for (uint64_t j = 0; j < count; j++) {
            const double threshold = threshold_of(&scan->queries[set[j]]);

            if (threshold > worker->thresholds[j]) {
                worker->thresholds[j] = threshold;
                flat_bound_threshold(&scan->queries[set[j]].first, threshold, &worker->s[j],
                                     &worker->r[j], &worker->t[j]);
            }
        }
        input.codes = rows->index ? codes : codes + i * stride;
        input.index = rows->index ? rows->index + i : NULL;
        input.a = worker->a + i;
        input.b = worker->b + i;
        input.c = worker->c + i;
        input.row_count = some;
        matches = scan->kernels->match_codes(&input, worker->matches);
        for (uint64_t m = 0; m < matches; m++) {
            const sp_match *match = &worker->matches[m];
            const flat_query *query;
            uint64_t slot;
            float dot;

            if (match->query >= count)
                continue; /* rows without a bound also match what pads the panels */
            query = &scan->queries[set[match->query]];
            slot = slot_of(rows, i + match->row);
            /* the other half of the query's code, while the row's is at hand */
            scan->kernels->dot_codes(query->low, NULL, codes + slot * stride, stride, NULL, 1,
                                     stride, &dot);
            add_bounded(scan, worker, set[match->query], &query->both,
                        (double)match->dot + (double)dot / 254, rows->block, rows->first + slot, 1);
        }
    }
    worker->rows_coded += rows->count * count;
}

static void scan_codes(flat_scan *scan, flat_worker *worker, const selection *live,
                       uint64_t chunk_rows)
{
    const flat_block *block = live->block;
    const uint64_t count = worker->set_sizes[FLAT_LEVEL_CODES];
    const int at_once = count >= MATCH_FEW &&
                        (scan->kernels->fast_match || scan->request->scan == FLAT_SCAN_CODES);
    const selection rows = at_once ? *live : dense(live, chunk_rows);

    flat_bound_rows(scan->request->metric->kind, scan->code_rounding, block->scales + rows.first,
                    block->errors + rows.first, block->norms + rows.first, rows.index, rows.count,
                    worker->a, worker->b, worker->c);
    if (at_once)
        codes_all_at_once(scan, worker, &rows);
    else
        codes_one_by_one(scan, worker, &rows);
    for (uint64_t j = 0; j < count; j++)
        judge(scan, worker, worker->sets[FLAT_LEVEL_CODES][j], live->count, FLAT_LEVEL_CODES,
              at_once ? 20 : 5);
}

/* ---- product ---------------------------------------------------------------------------- */

/* One at a time: OpenBLAS brings threads of its own. */
static pthread_mutex_t blas_lock = PTHREAD_MUTEX_INITIALIZER;

static void product_of_matrices(flat_scan *scan, flat_worker *worker, const selection *rows)
{
    const uint64_t dimension = scan->request->dimension, at_once = flat_scan_product_rows(scan);
    const uint64_t count = worker->set_sizes[FLAT_LEVEL_PRODUCT];
    const float *vectors = rows->block->vectors + rows->first * scan->vector_stride;

    for (uint64_t i = 0; i < rows->count && !is_stopped(scan); i += at_once) {
        const uint64_t some = rows->count - i < at_once ? rows->count - i : at_once;
        const float *matrix = vectors + i * scan->vector_stride;
        uint64_t stride = scan->vector_stride;

        if (rows->index) {
            for (uint64_t j = 0; j < some; j++)
                memcpy(worker->gathered + j * dimension,
                       vectors + rows->index[i + j] * scan->vector_stride,
                       dimension * sizeof(float));
            matrix = worker->gathered;
            stride = dimension;
        }
        pthread_mutex_lock(&blas_lock);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)some,
                    (int)dimension, 1, worker->matrix, (int)dimension, matrix, (int)stride, 0,
                    worker->product, (int)at_once);
        pthread_mutex_unlock(&blas_lock);
        for (uint64_t j = 0; j < count; j++) {
            const uint64_t number = worker->sets[FLAT_LEVEL_PRODUCT][j];

            select_hits(scan, worker, number, &scan->queries[number].product, rows, i, some,
                        worker->product + j * at_once, 0);
        }
        flat_scan_check(scan);
    }
}

static void product_one_by_one(flat_scan *scan, flat_worker *worker, const selection *rows)
{
    const float *vectors = rows->block->vectors + rows->first * scan->vector_stride;

    for (uint64_t j = 0; j < worker->set_sizes[FLAT_LEVEL_PRODUCT] && !is_stopped(scan); j++) {
        const uint64_t number = worker->sets[FLAT_LEVEL_PRODUCT][j];
        const flat_query *query = &scan->queries[number];

        scan->kernels->dot(query->unit, vectors, scan->vector_stride, rows->index, rows->count,
                           scan->request->dimension, worker->approx);
        select_hits(scan, worker, number, &query->product, rows, 0, rows->count, worker->approx,
                    0);
    }
}

static void scan_product(flat_scan *scan, flat_worker *worker, const selection *live,
                         uint64_t chunk_rows)
{
    const uint64_t count = worker->set_sizes[FLAT_LEVEL_PRODUCT];
    const selection rows = dense(live, chunk_rows);

    flat_bound_rows(scan->request->metric->kind, scan->product_rounding, NULL, NULL,
                    rows.block->norms + rows.first, rows.index, rows.count, worker->a, worker->b,
                    worker->c);
    if (is_matrix(scan, worker))
        product_of_matrices(scan, worker, &rows);
    else
        product_one_by_one(scan, worker, &rows);
    worker->rows_product += rows.count * count;
    for (uint64_t j = 0; j < count; j++)
        judge(scan, worker, worker->sets[FLAT_LEVEL_PRODUCT][j], live->count, FLAT_LEVEL_PRODUCT,
              4);
}

/* ---- direct ----------------------------------------------------------------------------- */

static void scan_direct(flat_scan *scan, flat_worker *worker, const selection *live,
                        uint64_t chunk_rows)
{
    const uint64_t dimension = scan->request->dimension;
    const uint64_t count = worker->set_sizes[FLAT_LEVEL_DIRECT];
    const selection rows = dense(live, chunk_rows);
    const float *vectors = rows.block->vectors + rows.first * scan->vector_stride;
    const sp_rows_f64_fn exact = scan->kernels->exact[scan->request->metric->exact];
    uint64_t at_once = (1 << 15) / dimension;

    /* as many rows as stay in the caches until all queries have seen them */
    at_once = at_once < 8 ? 8 : at_once > 256 ? 256 : at_once;
    for (uint64_t i = 0; i < rows.count; i += at_once) {
        const uint64_t some = rows.count - i < at_once ? rows.count - i : at_once;

        for (uint64_t j = 0; j < count; j++) {
            const uint64_t number = worker->sets[FLAT_LEVEL_DIRECT][j];

            exact(scan->queries[number].vector,
                  rows.index ? vectors : vectors + i * scan->vector_stride, scan->vector_stride,
                  rows.index ? rows.index + i : NULL, some, dimension, worker->exact);
            for (uint64_t m = 0; m < some; m++) {
                const uint64_t slot = slot_of(&rows, i + m);

                if (is_live(worker, slot))
                    add_exact(scan, worker, number, worker->exact[m],
                              rows.block->first_row + rows.first + slot,
                              vectors + slot * scan->vector_stride);
            }
        }
        worker->rows_direct += some * count;
        if (is_stopped(scan) || (count > 1 && flat_scan_check(scan) != SIMPLUGIN_OK))
            return;
    }
}

/* Rows of the tail are few, and lie apart. */
static void scan_tail(flat_scan *scan, flat_worker *worker, const flat_chunk *chunk,
                      uint64_t count)
{
    const uint64_t dimension = scan->request->dimension;
    const sp_rows_f64_fn exact = scan->kernels->exact[scan->request->metric->exact];

    for (uint64_t i = 0; i < count; i++) {
        const flat_tail_row *row = &scan->tail[chunk->first + worker->index[i]];

        for (uint64_t j = 0; j < scan->query_count; j++) {
            double value;

            exact(scan->queries[j].vector, row->vector, 0, NULL, 1, dimension, &value);
            add_exact(scan, worker, j, value, row->row, row->vector);
        }
        if (is_stopped(scan) || (i % 64 == 63 && flat_scan_check(scan) != SIMPLUGIN_OK))
            return;
    }
    worker->rows_direct += count * scan->query_count;
}

/* ---- the pass --------------------------------------------------------------------------- */

static void scan_chunk(flat_scan *scan, flat_worker *worker, const flat_chunk *chunk)
{
    const flat_mask *mask = scan->request->mask;
    selection live = {.first = chunk->first};

    if (chunk->block == FLAT_TAIL) {
        if (mask && !mask->tail)
            return;
        live.count = find_live(worker, chunk, NULL, mask ? mask->tail : NULL,
                               (uint64_t)chunk->first + chunk->rows);
        scan_tail(scan, worker, chunk, live.count);
        return;
    }
    live.block = &scan->blocks[chunk->block];
    if (mask && !mask->blocks[chunk->block])
        return;
    live.count = find_live(worker, chunk, live.block->dead,
                           mask ? mask->blocks[chunk->block] : NULL, live.block->rows);
    if (live.count == 0)
        return;
    live.index = live.count < chunk->rows ? worker->index : NULL;
    if (worker->set_sizes[FLAT_LEVEL_CODES])
        scan_codes(scan, worker, &live, chunk->rows);
    if (worker->set_sizes[FLAT_LEVEL_PRODUCT] && !is_stopped(scan))
        scan_product(scan, worker, &live, chunk->rows);
    if (worker->set_sizes[FLAT_LEVEL_DIRECT] && !is_stopped(scan))
        scan_direct(scan, worker, &live, chunk->rows);
}

void flat_scan_chunks(void *context, uint32_t number)
{
    flat_scan *scan = context;
    flat_worker *worker = &scan->workers[number];

    if (flat_worker_init(worker, scan) != SIMPLUGIN_OK) {
        fail(scan, SIMPLUGIN_OUT_OF_MEMORY);
        return;
    }
    while (flat_scan_check(scan) == SIMPLUGIN_OK) {
        const uint64_t next = atomic_fetch_add(&scan->next_chunk, 1);

        if (next >= scan->chunk_count)
            break;
        make_sets(scan, worker);
        if (!is_stopped(scan))
            scan_chunk(scan, worker, &scan->chunks[next]);
    }
}

void flat_scan_borders(void *context, uint32_t number)
{
    flat_scan *scan = context;
    const flat_hits **lists = malloc(scan->worker_count * sizeof(*lists));

    (void)number;
    if (!lists)
        fail(scan, SIMPLUGIN_OUT_OF_MEMORY);
    while (!is_stopped(scan)) {
        const uint64_t query = atomic_fetch_add(&scan->next_border, 1);
        uint64_t count = 0;
        double border;

        if (query >= scan->query_count)
            break;
        for (uint32_t i = 0; i < scan->worker_count; i++)
            if (scan->workers[i].hits)
                lists[count++] = &scan->workers[i].hits[query];
        if (!flat_hits_border(lists, count, scan->k, &border))
            fail(scan, SIMPLUGIN_OUT_OF_MEMORY);
        else
            raise_threshold(&scan->queries[query], border);
    }
    free(lists);
}

void flat_scan_rescore(void *context, uint32_t number)
{
    flat_scan *scan = context;
    const uint64_t lists = scan->query_count * scan->worker_count;

    while (!is_stopped(scan)) {
        const uint64_t next = atomic_fetch_add(&scan->next_list, 1);
        flat_query *query;
        flat_hits *hits;

        if (next >= lists)
            break;
        query = &scan->queries[next / scan->worker_count];
        if (!scan->workers[next % scan->worker_count].hits)
            continue; /* that thread never came */
        hits = &scan->workers[next % scan->worker_count].hits[next / scan->worker_count];
        flat_hits_drop(hits, threshold_of(query));
        /* the most promising ones first: they may save us the others */
        flat_hits_promising_first(hits, scan->k);
        compute(scan, &scan->workers[number], query, hits,
                scan->k < hits->count ? scan->k : hits->count, threshold_of(query));
        raise_threshold(query, flat_hits_trim(hits, scan->k, threshold_of(query)));
        compute(scan, &scan->workers[number], query, hits, hits->count, threshold_of(query));
    }
}
