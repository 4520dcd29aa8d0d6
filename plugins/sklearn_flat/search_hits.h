/* SPDX-License-Identifier: Apache-2.0 */
/* The rows one thread has found for one query, that may be among the k nearest. */
#ifndef FLAT_SEARCH_HITS_H
#define FLAT_SEARCH_HITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct flat_hit {
    double low, high;    /* what the key is between; equal once it is known */
    uint64_t row;
    const float *vector; /* borrowed from the snapshot */
} flat_hit;

typedef struct flat_hits {
    flat_hit *data;
    uint64_t count;
    uint64_t capacity;
    uint64_t trim_at;    /* the count at which trimming pays again */
    uint64_t resolve_at; /* the count at which hits are computed rather than kept waiting */
    double *keys;      /* scratch of trim, of the same capacity */
} flat_hits;

/* All zero is an empty list. */
void flat_hits_clear(flat_hits *hits);
/* 0: no memory. */
int flat_hits_add(flat_hits *hits, const flat_hit *hit);
/*
 * Drops what is below the threshold, and returns it, raised to the k-th largest low if
 * there are k: at least k rows have keys that large.
 */
double flat_hits_trim(flat_hits *hits, uint64_t k, double threshold);
/*
 * The same over several lists of one query: the k-th largest low of all of them, or
 * -INFINITY if there are fewer than k. Drops nothing. 0: no memory.
 */
int flat_hits_border(const flat_hits *const *lists, uint64_t count, uint64_t k, double *border);
/* Drops what is below the threshold and nothing else. */
void flat_hits_drop(flat_hits *hits, double threshold);
/* Of exact hits: keeps the first k, the largest keys first, lower row numbers before higher. */
void flat_hits_best(flat_hits *hits, uint64_t k);
/* Moves the k hits with the largest highs to the front (all of them if there are fewer). */
void flat_hits_promising_first(flat_hits *hits, uint64_t k);

#endif
