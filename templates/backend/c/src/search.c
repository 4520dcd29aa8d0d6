/* SPDX-License-Identifier: Apache-2.0 */
/* search: every point against every query. A database has a faster way. */
#include "backend.h"

#include <math.h>

/* Time is looked at once in so many numbers that were multiplied. */
#define BLOCK (1 << 18)

struct hit {
    double distance; /* smaller is nearer: what docs/protocol.md of simplugin calls canonical */
    double score;    /* the backend's own figure */
    const struct point *point;
};

static struct hit measure(const struct collection *collection, const float *query,
                          const struct point *point)
{
    double dot = 0, squares = 0, q = 0, x = 0;
    struct hit hit = {.point = point};

    for (uint64_t i = 0; i < collection->dimension; i++) {
        double a = (double)query[i], b = (double)point->vector[i];

        dot += a * b;
        squares += (a - b) * (a - b);
        q += a * a;
        x += b * b;
    }
    switch (collection->metric) {
    case METRIC_EUCLIDEAN:
        hit.score = hit.distance = sqrt(squares);
        break;
    case METRIC_DOTPRODUCT:
        hit.score = dot;
        hit.distance = -dot;
        break;
    default: /* a zero vector is at distance 1 of everything */
        hit.score = q > 0 && x > 0 ? dot / sqrt(q) / sqrt(x) : 0;
        hit.distance = 1 - hit.score;
    }
    return hit;
}

/* Points at the same distance come in the order in which they were added. */
static int compare_hits(const void *left, const void *right)
{
    const struct hit *a = left, *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->point->number < b->point->number ? -1 : a->point->number > b->point->number;
}

static int32_t measure_all(struct call *call, const float *query, const struct point *const *points,
                           uint64_t count, struct hit *hits)
{
    uint64_t block = BLOCK / call->collection->dimension + 1;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < count; i++) {
        if (i % block == 0)
            code = check_time(call);
        hits[i] = measure(call->collection, query, points[i]);
    }
    return code;
}

/* The nearest of each query, one query's after the other's. */
struct found {
    int64_t *offsets; /* queries + 1 */
    const struct point **points;
    float *distances;
    float *scores;
};

static int32_t find_nearest(struct call *call, const simplugin_tensor *queries,
                            const struct point *const *points, uint64_t count, uint64_t take,
                            struct found *found)
{
    struct hit *hits = malloc(((size_t)count + 1) * sizeof *hits);
    int32_t code = hits ? SIMPLUGIN_OK : fail_no_memory(call);
    uint64_t at = 0;

    for (uint64_t i = 0; !code && i < queries->rows; i++) {
        code = measure_all(call, vector_at(queries, i), points, count, hits);
        if (code)
            break;
        qsort(hits, (size_t)count, sizeof *hits, compare_hits);
        for (uint64_t j = 0; j < take; j++, at++) {
            found->points[at] = hits[j].point;
            found->distances[at] = (float)hits[j].distance;
            found->scores[at] = (float)hits[j].score;
        }
        found->offsets[i + 1] = (int64_t)at;
    }
    free(hits);
    return code;
}

int32_t search(struct call *call)
{
    const simplugin_tensor *queries;
    const struct point *const *points;
    uint64_t k = 10, count, take, total;
    struct found found;
    int with_vectors = 0;
    int32_t code = read_vectors(call, &queries);

    if (!code)
        code = read_count(call, "k", &k);
    if (!code)
        code = read_flag(call, "with_vectors", &with_vectors);
    if (code)
        return code;
    points = (const struct point *const *)call->collection->points;
    count = call->collection->point_count;
    take = k < count ? k : count;
    total = queries->rows * take;
    found.offsets = host->reply_alloc(call->reply, (queries->rows + 1) * sizeof *found.offsets);
    found.points = host->reply_alloc(call->reply, (total + 1) * sizeof *found.points);
    found.distances = host->reply_alloc(call->reply, (total + 1) * sizeof *found.distances);
    found.scores = host->reply_alloc(call->reply, (total + 1) * sizeof *found.scores);
    if (!found.offsets || !found.points || !found.distances || !found.scores)
        return fail_no_memory(call);
    code = find_nearest(call, queries, points, count, take, &found);
    if (code)
        return code;
    reply_numbers(call, "offsets", SIMPLUGIN_INT64, found.offsets, queries->rows + 1);
    reply_numbers(call, "distances", SIMPLUGIN_FLOAT32, found.distances, total);
    reply_numbers(call, "scores", SIMPLUGIN_FLOAT32, found.scores, total);
    return reply_points(call, found.points, total, with_vectors);
}
