/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "distance.h"
#include "kernels.h"

static const flat_metric metrics[] = {
    {"cosine", FLAT_COSINE, SP_EXACT_COSINE, 0, 1},
    {"dotproduct", FLAT_DOT, SP_EXACT_DOT, 0, 1},
    {"euclidean", FLAT_EUCLIDEAN, SP_EXACT_SQUARED, 0, 0},
    {"sqeuclidean", FLAT_EUCLIDEAN, SP_EXACT_SQUARED, 1, 0},
    {"manhattan", FLAT_OTHER, SP_EXACT_MANHATTAN, 0, 0},
    {"chebyshev", FLAT_OTHER, SP_EXACT_CHEBYSHEV, 0, 0},
    {"canberra", FLAT_OTHER, SP_EXACT_CANBERRA, 0, 0},
    {"braycurtis", FLAT_OTHER, SP_EXACT_BRAYCURTIS, 0, 0},
    {"correlation", FLAT_OTHER, SP_EXACT_CORRELATION, 0, 0},
};

const flat_metric *flat_metric_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        if (strlen(metrics[i].name) == size && memcmp(metrics[i].name, name, size) == 0)
            return &metrics[i];
    return NULL;
}

static double clamp(double cosine)
{
    return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

double flat_metric_key(const flat_metric *metric, double exact, double query_length)
{
    switch (metric->exact) {
    case SP_EXACT_COSINE:
        return query_length > 0 ? clamp(exact / query_length) : 0;
    case SP_EXACT_CORRELATION:
        return clamp(exact);
    case SP_EXACT_DOT:
        return exact;
    case SP_EXACT_SQUARED:
        return -sqrt(exact);
    default:
        return -exact;
    }
}

double flat_metric_distance(const flat_metric *metric, double key)
{
    if (metric->exact == SP_EXACT_COSINE || metric->exact == SP_EXACT_CORRELATION)
        return 1 - key;
    return metric->squared ? key * key : 0 - key;
}

double flat_metric_score(const flat_metric *metric, double key)
{
    return metric->scored_by_key ? key : flat_metric_distance(metric, key);
}

double flat_metric_limit(const flat_metric *metric, double max_distance)
{
    /* what rounds down to it as a float32 is within it too */
    double limit = max_distance + fabs(max_distance) * 0x1p-22 + 1e-37;

    if (isinf(max_distance) && max_distance > 0)
        return -(double)INFINITY;
    if (metric->exact == SP_EXACT_COSINE || metric->exact == SP_EXACT_CORRELATION)
        return 1 - limit - 0x1p-50;
    if (metric->squared)
        return limit < 0 ? 1 : -sqrt(limit);
    return 0 - limit;
}
