/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact search over one snapshot.
 *
 * Every row's distance is bounded first, by its int8 code or by a dot product in float32;
 * what could still be among the k nearest is computed in double from the row itself. The
 * answers are those of computing everything in double, ties going to the lower row number.
 *
 *     flat_searcher *searcher = flat_searcher_new(0);
 *     flat_search_result result = {0};
 *     flat_search_request request = {
 *         .metric = flat_metric_find("cosine", 6), .dimension = 512,
 *         .queries = vectors, .query_count = 3, .query_stride = 512,
 *         .k = 10, .max_distance = INFINITY, .deadline = INT64_MAX,
 *     };
 *     code = flat_search(searcher, snapshot, &request, &result);
 *     ...
 *     flat_search_result_clear(&result);
 *     flat_searcher_free(searcher);
 */
#ifndef FLAT_SEARCH_H
#define FLAT_SEARCH_H

#include "distance.h"
#include "store.h"

/* The threads of an instance. Any number of searches may use it at a time. */
typedef struct flat_searcher flat_searcher;

/* threads: 0: as many as CPUs are allowed. Starts none yet. NULL without memory. */
flat_searcher *flat_searcher_new(uint32_t threads);
/* Stops its threads; no search may be running. NULL is harmless. In a forked child it only
   frees memory. */
void flat_searcher_free(flat_searcher *searcher);

/* Which rows may be found: a bit a slot, least significant first, as flat_block.dead. */
typedef struct flat_mask {
    const uint8_t *const *blocks; /* one bitmap a block; an entry NULL: none of its rows */
    const uint8_t *tail;          /* in the order of flat_snapshot_tail; NULL: none */
} flat_mask;

/* How rows are looked through; the answers are the same. */
#define FLAT_SCAN_AUTO 0    /* whatever is fastest */
#define FLAT_SCAN_FLOAT32 1 /* never the int8 codes */
#define FLAT_SCAN_CODES 2   /* the int8 codes also where this CPU is slow with them */
#define FLAT_SCAN_DIRECT 3  /* everything in double */

typedef struct flat_search_request {
    const flat_metric *metric;
    uint64_t dimension;
    const float *queries;      /* finite */
    uint64_t query_count;
    uint64_t query_stride;     /* floats from one to the next */
    uint64_t k;                /* at most so many for each query; UINT64_MAX: all */
    double max_distance;       /* canonical, compared as float32 numbers; INFINITY: any */
    int reverse;               /* the least similar first */
    const flat_mask *mask;     /* NULL: all live rows */
    const uint64_t *exclude;   /* for each query a row that is left out, or UINT64_MAX; or NULL */
    uint32_t scan;             /* FLAT_SCAN_... */
    int64_t deadline;          /* CLOCK_MONOTONIC nanoseconds, INT64_MAX: none */
    uint64_t cancel;           /* token for cancelled */
    int32_t (*cancelled)(uint64_t cancel); /* may be NULL; is called from several threads */
} flat_search_request;

/* Query i has the entries offsets[i] to offsets[i + 1] - 1, nearest first. */
typedef struct flat_search_result {
    uint64_t query_count;
    int64_t *offsets;  /* query_count + 1 */
    uint64_t *rows;    /* numbers in the snapshot */
    float *distances;  /* canonical */
    float *scores;     /* the metric's own: the cosine, the dot product, or the distance */
    struct {
        uint64_t rows_coded;   /* pairs of a row and a query that were bounded by codes */
        uint64_t rows_product; /* ... by a dot product in float32 */
        uint64_t rows_direct;  /* ... that were computed right away */
        uint64_t rescored;     /* ... that were computed after they had been bounded */
    } work;
} flat_search_result;

/*
 * OK and *result, which the caller clears; otherwise *result is left empty:
 * DEADLINE_EXCEEDED, CANCELLED, OUT_OF_MEMORY. May be called from any thread.
 */
int32_t flat_search(flat_searcher *searcher, const flat_snapshot *snapshot,
                    const flat_search_request *request, flat_search_result *result);
void flat_search_result_clear(flat_search_result *result);

#endif
