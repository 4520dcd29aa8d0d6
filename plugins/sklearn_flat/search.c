/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"
#include "search_scan.h"

/* Below so many multiplications, waking a thread takes longer than it saves. */
#define WORTH_A_THREAD 400000
/* Bytes that the hits of one batch, and its queries, may roughly take. */
#define BATCH_BYTES (UINT64_C(16) << 20)
/* A radius is first taken to hold one row in so many. */
#define WITHIN_RADIUS 16
/* With less than so many rows for each wanted one, bounds save nothing. */
#define ROWS_FOR_ONE 8

struct flat_searcher {
    flat_pool *pool;
};

flat_searcher *flat_searcher_new(uint32_t threads)
{
    flat_searcher *searcher = malloc(sizeof(*searcher));

    if (!searcher)
        return NULL;
    searcher->pool = flat_pool_new(threads);
    if (!searcher->pool) {
        free(searcher);
        return NULL;
    }
    return searcher;
}

void flat_searcher_free(flat_searcher *searcher)
{
    if (!searcher)
        return;
    flat_pool_free(searcher->pool);
    free(searcher);
}

void flat_search_result_clear(flat_search_result *result)
{
    free(result->offsets);
    free(result->rows);
    free(result->distances);
    free(result->scores);
    memset(result, 0, sizeof(*result));
}

/* ---- what is to be looked at ------------------------------------------------------------ */

/* The rows in pieces, *chunks malloc'd; 0: no memory. */
static int cut(const flat_block *blocks, uint64_t block_count, uint64_t tail_count,
               uint64_t dimension, flat_chunk **chunks, uint64_t *chunk_count)
{
    uint64_t size = FLAT_CHUNK, count = 0, at = 0;

    while (size > 64 && size * dimension > FLAT_CHUNK * 1024)
        size /= 2;
    for (uint64_t i = 0; i < block_count; i++)
        count += (blocks[i].rows + size - 1) / size;
    count += (tail_count + size - 1) / size;
    *chunks = calloc(count ? count : 1, sizeof(**chunks));
    if (!*chunks)
        return 0;
    for (uint64_t i = 0; i <= block_count; i++) {
        const uint64_t rows = i < block_count ? blocks[i].rows : tail_count;

        for (uint64_t first = 0; first < rows; first += size) {
            (*chunks)[at].block = i < block_count ? (uint32_t)i : FLAT_TAIL;
            (*chunks)[at].first = (uint32_t)first;
            (*chunks)[at++].rows = (uint32_t)(rows - first < size ? rows - first : size);
        }
    }
    *chunk_count = count;
    return 1;
}

/* ---- queries ---------------------------------------------------------------------------- */

/* What one pass needs for its queries, in few pieces. */
typedef struct batch {
    flat_scan *scan;
    const sp_codes *codes;
    float *units;
    int8_t *highs, *lows;
    uint64_t first; /* number of its first query in the request */
    int direct;     /* nothing but the lowest level */
} batch;

static void prepare(batch *all, uint64_t i)
{
    flat_scan *scan = all->scan;
    const flat_search_request *request = scan->request;
    const uint64_t dimension = request->dimension;
    const uint32_t kind = request->metric->kind;
    flat_query *query = &scan->queries[i];
    float *unit = all->units + i * dimension;
    sp_query_code code;
    double factor;

    query->vector = request->queries + (all->first + i) * request->query_stride;
    query->unit = unit;
    query->high = all->highs + i * scan->code_stride;
    query->low = all->lows + i * scan->code_stride;
    query->length = sqrt(scan->kernels->square(query->vector, dimension));
    query->exclude = request->exclude ? request->exclude[all->first + i] : UINT64_MAX;
    atomic_store(&query->threshold, request->reverse
                                        ? -(double)INFINITY
                                        : flat_metric_limit(request->metric,
                                                            request->max_distance));
    atomic_store(&query->level, FLAT_LEVEL_DIRECT);
    if (all->direct || !(query->length > 0) || !isfinite(query->length))
        return;

    factor = kind == FLAT_EUCLIDEAN ? 1 : (request->reverse ? -1 : 1) / query->length;
    for (uint64_t j = 0; j < dimension; j++)
        unit[j] = (float)((double)query->vector[j] * factor);
    if (!sp_codes_query(all->codes, unit, scan->code_stride, query->high, query->low, &code))
        return;
    query->both = (flat_bound){
        .kind = kind, .factor = code.scale, .error = code.error, .length = code.length,
        .norm = query->length, .rounding = scan->code_rounding,
    };
    query->first = query->both;
    query->first.error = code.high_error;
    query->first.length = code.high_length;
    query->product = query->both;
    query->product.factor = 1;
    query->product.error = 0;
    query->product.length = kind == FLAT_EUCLIDEAN ? query->length : 1;
    query->product.rounding = scan->product_rounding;
    if (kind == FLAT_COSINE) { /* the directions of codes are compared */
        query->both.factor /= query->both.length;
        query->first.factor /= query->first.length;
    }
    if (request->scan != FLAT_SCAN_FLOAT32 && scan->code_stride <= SP_CODES_MAX &&
        code.high_error < 0.1 * code.high_length &&
        (request->scan == FLAT_SCAN_CODES || scan->query_count < FLAT_FEW ||
         scan->kernels->fast_match))
        atomic_store(&query->level, FLAT_LEVEL_CODES);
    else
        atomic_store(&query->level, FLAT_LEVEL_PRODUCT);
}

static void prepare_some(void *context, uint32_t worker)
{
    batch *all = context;

    (void)worker;
    for (;;) {
        const uint64_t i = atomic_fetch_add(&all->scan->next_query, 1);

        if (i >= all->scan->query_count)
            break;
        prepare(all, i);
    }
}

/* ---- results ---------------------------------------------------------------------------- */

/* Room for more entries behind those there are. */
static int reserve(flat_search_result *result, uint64_t *capacity, uint64_t more)
{
    uint64_t need = (uint64_t)result->offsets[result->query_count] + more;
    uint64_t *rows;
    float *distances, *scores;

    if (need <= *capacity && result->rows)
        return 1;
    if (need < *capacity * 2)
        need = *capacity * 2;
    if (need > SIZE_MAX / sizeof(uint64_t))
        return 0;
    need = need ? need : 1;
    rows = realloc(result->rows, need * sizeof(*rows));
    if (rows)
        result->rows = rows;
    distances = realloc(result->distances, need * sizeof(*distances));
    if (distances)
        result->distances = distances;
    scores = realloc(result->scores, need * sizeof(*scores));
    if (scores)
        result->scores = scores;
    if (!rows || !distances || !scores)
        return 0;
    *capacity = need;
    return 1;
}

/* Appends what all workers have found for a query of the batch; 0: no memory. */
static int gather(flat_scan *scan, uint64_t number, flat_search_result *result,
                  uint64_t *capacity)
{
    const flat_search_request *request = scan->request;
    const double threshold = atomic_load(&scan->queries[number].threshold);
    flat_hits all = {0};
    int ok = 1;

    for (uint32_t i = 0; i < scan->worker_count; i++) {
        const flat_hits *hits = scan->workers[i].hits ? &scan->workers[i].hits[number] : NULL;

        for (uint64_t j = 0; ok && hits && j < hits->count; j++)
            if (!(hits->data[j].high < threshold))
                ok = flat_hits_add(&all, &hits->data[j]);
    }
    flat_hits_best(&all, scan->k);
    ok = ok && reserve(result, capacity, all.count);
    if (ok) {
        uint64_t at = (uint64_t)result->offsets[result->query_count];

        for (uint64_t j = 0; j < all.count; j++) {
            const double key = request->reverse ? 0 - all.data[j].low : all.data[j].low;
            const float distance = (float)flat_metric_distance(request->metric, key);

            if (distance > (float)request->max_distance)
                continue;
            result->rows[at] = all.data[j].row;
            result->distances[at] = distance;
            result->scores[at++] = (float)flat_metric_score(request->metric, key);
        }
        result->offsets[++result->query_count] = (int64_t)at;
    }
    flat_hits_clear(&all);
    return ok;
}

/* ---- the search ------------------------------------------------------------------------- */

/* Queries whose vectors, and hits if each has so many, fit into a batch. */
static uint64_t batch_size(const flat_scan *scan, uint32_t threads, uint64_t hits)
{
    const uint64_t of_hits = BATCH_BYTES / (threads * sizeof(flat_hit));
    const uint64_t of_vectors = BATCH_BYTES / (threads * sizeof(float));
    uint64_t size = FLAT_BATCH;

    if (size > of_hits / hits)
        size = of_hits / hits;
    if (size > of_vectors / scan->request->dimension)
        size = of_vectors / scan->request->dimension;
    /* four panels of queries are matched at once */
    if (size > 64)
        size -= size % 64;
    return size < 16 ? 16 : size;
}

/* How many hits a query of the first batch may have: a radius alone says nothing, mostly a few. */
static uint64_t hits_expected(const flat_scan *scan, uint64_t rows)
{
    if (scan->k < rows || !(scan->request->max_distance < (double)INFINITY))
        return scan->k;
    return scan->k / WITHIN_RADIUS + 1;
}

static uint32_t helpers(const flat_scan *scan, uint32_t threads, double work)
{
    uint64_t most = threads - 1;

    if (scan->chunk_count && most > scan->chunk_count - 1)
        most = scan->chunk_count - 1;
    if ((double)most > work / WORTH_A_THREAD)
        most = (uint64_t)(work / WORTH_A_THREAD);
    return (uint32_t)most;
}

static int32_t run_batch(flat_pool *pool, uint32_t threads, double rows, batch *all,
                         flat_search_result *result, uint64_t *capacity)
{
    flat_scan *scan = all->scan;
    const double pair = (double)scan->request->dimension;
    const double queries = (double)scan->query_count;
    int32_t code;

    scan->worker_count = 1 + helpers(scan, threads, rows * queries * pair);
    memset(scan->workers, 0, scan->worker_count * sizeof(*scan->workers));
    atomic_store(&scan->next_query, 0);
    atomic_store(&scan->next_chunk, 0);
    atomic_store(&scan->next_border, 0);
    atomic_store(&scan->next_list, 0);
    atomic_store(&scan->levels, 0);
    flat_pool_run(pool, helpers(scan, threads, queries * pair * 16), prepare_some, all);
    flat_pool_run(pool, scan->worker_count - 1, flat_scan_chunks, scan);
    flat_pool_run(pool, queries > 1 ? scan->worker_count - 1 : 0, flat_scan_borders, scan);
    /* each needs a worker's memory */
    flat_pool_run(pool, queries > 1 ? scan->worker_count - 1 : 0, flat_scan_rescore, scan);
    code = atomic_load(&scan->code);
    for (uint64_t i = 0; code == SIMPLUGIN_OK && i < scan->query_count; i++)
        if (!gather(scan, i, result, capacity))
            code = SIMPLUGIN_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < scan->worker_count; i++) {
        result->work.rows_coded += scan->workers[i].rows_coded;
        result->work.rows_product += scan->workers[i].rows_product;
        result->work.rows_direct += scan->workers[i].rows_direct;
        result->work.rescored += scan->workers[i].rescored;
        flat_worker_clear(&scan->workers[i], scan);
    }
    return code;
}

int32_t flat_search(flat_searcher *searcher, const flat_snapshot *snapshot,
                    const flat_search_request *request, flat_search_result *result)
{
    const uint32_t threads = flat_pool_size(searcher->pool);
    const uint64_t dimension = request->dimension;
    uint64_t block_count, tail_count, rows, size, most, capacity = 0;
    flat_scan scan = {.request = request, .kernels = sp_kernels_get()};
    batch all = {.scan = &scan};
    flat_chunk *chunks = NULL;
    sp_codes *codes = NULL;
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;

    memset(result, 0, sizeof(*result));
    if (dimension == 0 || request->query_count > SIZE_MAX / sizeof(int64_t) - 1)
        return SIMPLUGIN_INVALID_ARGUMENT;
    scan.blocks = flat_snapshot_blocks(snapshot, &block_count);
    scan.tail = flat_snapshot_tail(snapshot, &tail_count);
    scan.vector_stride = flat_snapshot_vector_stride(snapshot);
    scan.code_stride = flat_snapshot_code_stride(snapshot);
    scan.code_rounding = flat_bound_rounding(dimension);
    scan.product_rounding = scan.code_rounding + (double)(dimension + 16) * 0x1.1p-24;
    /* a child process may have got the lock around the product locked */
    scan.may_multiply = !flat_pool_is_forked(searcher->pool);
    rows = flat_snapshot_count(snapshot);
    scan.k = request->k < rows ? request->k : rows;
    result->offsets = calloc(request->query_count + 1, sizeof(int64_t));
    if (!result->offsets)
        goto out;
    if (scan.k == 0 || request->query_count == 0) {
        result->query_count = request->query_count;
        code = SIMPLUGIN_OK;
        goto out;
    }

    all.direct = request->scan == FLAT_SCAN_DIRECT || request->metric->kind == FLAT_OTHER ||
                 (request->reverse && (request->metric->kind == FLAT_EUCLIDEAN ||
                                       request->max_distance < (double)INFINITY)) ||
                 (scan.k == request->k && scan.k > rows / ROWS_FOR_ONE);
    most = batch_size(&scan, threads, 1);
    if (most > request->query_count)
        most = request->query_count;
    size = batch_size(&scan, threads, hits_expected(&scan, rows));
    all.codes = codes = sp_codes_new(dimension);
    all.units = calloc(most * dimension, sizeof(float));
    all.highs = aligned_alloc(64, most * scan.code_stride);
    all.lows = aligned_alloc(64, most * scan.code_stride);
    scan.queries = calloc(most, sizeof(*scan.queries));
    scan.workers = calloc(threads, sizeof(*scan.workers));
    if (!codes || !all.units || !all.highs || !all.lows || !scan.queries || !scan.workers ||
        !cut(scan.blocks, block_count, tail_count, dimension, &chunks, &scan.chunk_count))
        goto out;
    scan.chunks = chunks;
    code = SIMPLUGIN_OK;
    for (; all.first < request->query_count && code == SIMPLUGIN_OK; all.first += scan.query_count) {
        const int64_t before = result->offsets[result->query_count];

        scan.query_count = request->query_count - all.first;
        if (scan.query_count > size)
            scan.query_count = size;
        code = run_batch(searcher->pool, threads, (double)rows, &all, result, &capacity);
        /* what a radius holds is known once some queries have been answered */
        if (code == SIMPLUGIN_OK && hits_expected(&scan, rows) != scan.k)
            size = batch_size(&scan, threads,
                              (uint64_t)(result->offsets[result->query_count] - before) /
                                      scan.query_count * 2 + 64);
    }
out:
    free(chunks);
    free(scan.queries);
    free(scan.workers);
    free(all.units);
    free(all.highs);
    free(all.lows);
    sp_codes_free(codes);
    if (code != SIMPLUGIN_OK)
        flat_search_result_clear(result);
    return code;
}
