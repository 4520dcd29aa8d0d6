/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass of a batch of queries over a snapshot, by several threads. What is inside is
 * for search.c, which makes passes, and search_scan.c, where the threads are.
 *
 * Each query is at a level. It starts at the cheapest that can serve it, and goes down
 * where that leaves too many rows over:
 *
 *   codes    int8 codes, a quarter of the memory
 *   product  dot products in float32, of many queries as a matrix product
 *   direct   every row in double
 *
 * Hits stay valid over a change of level: a row is looked at once.
 */
#ifndef FLAT_SEARCH_SCAN_H
#define FLAT_SEARCH_SCAN_H

#include <stdatomic.h>

#include "kernels.h"
#include "search.h"
#include "search_bound.h"
#include "search_hits.h"
#include "search_pool.h"

#define FLAT_LEVEL_CODES 0
#define FLAT_LEVEL_PRODUCT 1
#define FLAT_LEVEL_DIRECT 2

/* Queries of one pass. */
#define FLAT_BATCH SP_MATCH_QUERIES
/* Of fewer queries, a matrix product is not worth its while. */
#define FLAT_FEW 8
/* The largest number of rows that are worked on at once. */
#define FLAT_CHUNK 1024
/* The block of a chunk of the tail. */
#define FLAT_TAIL UINT32_MAX

typedef struct flat_chunk {
    uint32_t block;
    uint32_t first; /* slot; a multiple of 64 */
    uint32_t rows;
} flat_chunk;

typedef struct flat_query {
    const float *vector;   /* as it came */
    const float *unit;     /* of length 1 for cosine and dotproduct; negated for reverse */
    int8_t *high, *low;    /* its code */
    double length;
    uint64_t exclude;
    flat_bound both;       /* by high and low */
    flat_bound first;      /* by high alone */
    flat_bound product;
    _Atomic double threshold; /* at least k rows have keys that large, or it is the limit */
    _Atomic uint32_t level;
} flat_query;

struct flat_worker;

typedef struct flat_scan {
    const flat_search_request *request;
    const sp_kernels *kernels;
    const flat_block *blocks;
    const flat_tail_row *tail;
    uint64_t vector_stride, code_stride;
    const flat_chunk *chunks;
    uint64_t chunk_count;
    uint64_t k;            /* at most the number of rows */
    double product_rounding, code_rounding;
    int may_multiply;      /* matrices */

    flat_query *queries;   /* of the batch */
    uint64_t query_count;

    struct flat_worker *workers;
    uint32_t worker_count;

    _Atomic uint64_t next_query;  /* to be prepared */
    _Atomic uint64_t next_chunk;
    _Atomic uint64_t next_border; /* queries whose threshold may rise */
    _Atomic uint64_t next_list;   /* hits to be computed */
    _Atomic uint32_t levels;      /* counts changes of level */
    _Atomic int32_t code;         /* of the first failure */
} flat_scan;

/* The memory one thread works in. */
typedef struct flat_worker {
    flat_hits *hits;       /* one list a query */
    uint64_t *seen, *passed; /* since the query's level began: rows, and those left over */
    uint32_t *known;       /* that level */
    uint32_t levels;       /* flat_scan.levels when the sets below were made */
    int has_sets;
    uint32_t *sets[3];     /* queries at each level */
    uint64_t set_sizes[3];

    float *a, *b, *c, *approx; /* FLAT_CHUNK each */
    double *exact;
    uint32_t *index, *passing;
    uint64_t live[FLAT_CHUNK / 64];

    uint8_t *panels;       /* packed queries at the level of codes */
    float *s, *r, *t;
    double *thresholds;    /* that s, r and t are for */
    float *rests;          /* of the queries' codes */
    sp_match *matches;

    float *matrix;         /* queries at the level of the product */
    float *gathered, *product;

    uint64_t rows_coded, rows_product, rows_direct, rescored;
} flat_worker;

/* OK or OUT_OF_MEMORY; in both cases flat_worker_clear ends it. */
int32_t flat_worker_init(flat_worker *worker, const flat_scan *scan);
void flat_worker_clear(flat_worker *worker, const flat_scan *scan);

/* For flat_pool_run, with a flat_scan: look at all chunks; raise the thresholds to what all
   threads together have found; compute what is left over. */
void flat_scan_chunks(void *context, uint32_t worker);
void flat_scan_borders(void *context, uint32_t worker);
void flat_scan_rescore(void *context, uint32_t worker);

/* Rows of the matrix product at a time. */
uint64_t flat_scan_product_rows(const flat_scan *scan);
/* CANCELLED or DEADLINE_EXCEEDED, which everything then stops for; or OK. */
int32_t flat_scan_check(flat_scan *scan);

#endif
