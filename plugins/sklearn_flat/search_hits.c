/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search_hits.h"

#define FEW 32

void flat_hits_clear(flat_hits *hits)
{
    free(hits->data);
    free(hits->keys);
    memset(hits, 0, sizeof(*hits));
}

int flat_hits_add(flat_hits *hits, const flat_hit *hit)
{
    if (hits->count == hits->capacity) {
        uint64_t capacity = hits->capacity ? 2 * hits->capacity : 2 * FEW;
        flat_hit *data;
        double *keys;

        if (capacity > SIZE_MAX / sizeof(flat_hit))
            return 0;
        data = realloc(hits->data, capacity * sizeof(flat_hit));
        if (!data)
            return 0;
        hits->data = data;
        keys = realloc(hits->keys, capacity * sizeof(double));
        if (!keys)
            return 0;
        hits->keys = keys;
        hits->capacity = capacity;
    }
    hits->data[hits->count++] = *hit;
    return 1;
}

/* The k-th largest of n numbers, 1 <= k <= n, which are moved about. */
static double kth_largest(double *keys, uint64_t n, uint64_t k)
{
    int64_t from = 0, to = (int64_t)n - 1, want = (int64_t)k - 1;

    while (from < to) {
        double x = keys[from], y = keys[from + (to - from) / 2], z = keys[to], swap;
        double pivot = x < y ? (y < z ? y : x < z ? z : x) : (x < z ? x : y < z ? z : y);
        int64_t i = from, j = to;

        /* larger ones to the left, smaller ones to the right, equal ones to both sides */
        while (i <= j) {
            while (keys[i] > pivot)
                i++;
            while (keys[j] < pivot)
                j--;
            if (i <= j) {
                swap = keys[i];
                keys[i++] = keys[j];
                keys[j--] = swap;
            }
        }
        if (want <= j)
            to = j;
        else if (want >= i)
            from = i;
        else
            return keys[want];
    }
    return keys[from];
}

void flat_hits_drop(flat_hits *hits, double threshold)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < hits->count; i++)
        if (!(hits->data[i].high < threshold))
            hits->data[kept++] = hits->data[i];
    hits->count = kept;
}

double flat_hits_trim(flat_hits *hits, uint64_t k, double threshold)
{
    double low;

    if (k && k <= hits->count) {
        for (uint64_t i = 0; i < hits->count; i++)
            hits->keys[i] = hits->data[i].low;
        low = kth_largest(hits->keys, hits->count, k);
        if (low > threshold)
            threshold = low;
    }
    flat_hits_drop(hits, threshold);
    return threshold;
}

int flat_hits_border(const flat_hits *const *lists, uint64_t count, uint64_t k, double *border)
{
    uint64_t total = 0, at = 0;
    double *keys = NULL;

    *border = -(double)INFINITY;
    for (uint64_t i = 0; i < count; i++)
        total += lists[i]->count;
    if (k == 0 || total < k)
        return 1;
    keys = malloc(total * sizeof(*keys));
    if (!keys)
        return 0;
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t j = 0; j < lists[i]->count; j++)
            keys[at++] = lists[i]->data[j].low;
    *border = kth_largest(keys, total, k);
    free(keys);
    return 1;
}

static int by_key(const void *a, const void *b)
{
    const flat_hit *x = a, *y = b;

    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

void flat_hits_best(flat_hits *hits, uint64_t k)
{
    if (hits->count > 1)
        qsort(hits->data, hits->count, sizeof(*hits->data), by_key);
    if (hits->count > k)
        hits->count = k;
}

void flat_hits_promising_first(flat_hits *hits, uint64_t k)
{
    double border;
    uint64_t front = 0;

    if (k >= hits->count)
        return;
    for (uint64_t i = 0; i < hits->count; i++)
        hits->keys[i] = hits->data[i].high;
    border = kth_largest(hits->keys, hits->count, k);
    for (uint64_t i = 0; i < hits->count && front < k; i++)
        if (hits->data[i].high >= border) {
            flat_hit swap = hits->data[front];

            hits->data[front++] = hits->data[i];
            hits->data[i] = swap;
        }
}
