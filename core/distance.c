/* SPDX-License-Identifier: Apache-2.0 */
#include "distance.h"

#include <math.h>
#include <string.h>

#include "kernels.h"

static const char *const names[] = {"cosine",    "dotproduct", "euclidean",  "sqeuclidean",
                                    "manhattan", "chebyshev",  "canberra",   "braycurtis",
                                    "correlation"};

int sp_metric_named(const char *name)
{
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return SP_METRIC_UNKNOWN;
}

void sp_distances(int metric, const float *query, const float *rows, uint64_t stride,
                  uint64_t count, uint64_t dimension, double *out)
{
    static const int exact[] = {SP_EXACT_COSINE,    SP_EXACT_DOT,        SP_EXACT_SQUARED,
                                SP_EXACT_SQUARED,   SP_EXACT_MANHATTAN,  SP_EXACT_CHEBYSHEV,
                                SP_EXACT_CANBERRA,  SP_EXACT_BRAYCURTIS, SP_EXACT_CORRELATION};
    const sp_kernels *kernels = sp_kernels_get();
    double norm = metric == SP_METRIC_COSINE ? sqrt(kernels->square(query, dimension)) : 0;

    kernels->exact[exact[metric]](query, rows, stride, NULL, count, dimension, out);
    for (uint64_t i = 0; i < count; i++) {
        switch (metric) {
        case SP_METRIC_COSINE: out[i] = norm > 0 ? 1 - out[i] / norm : 1; break;
        case SP_METRIC_DOTPRODUCT: out[i] = -out[i]; break;
        case SP_METRIC_EUCLIDEAN: out[i] = sqrt(out[i]); break;
        case SP_METRIC_CORRELATION: out[i] = 1 - out[i]; break;
        default: break;
        }
    }
}

double sp_distance_score(int metric, double distance)
{
    return metric == SP_METRIC_COSINE ? 1 - distance
           : metric == SP_METRIC_DOTPRODUCT ? -distance
                                            : distance;
}

double sp_cosine(const float *a, const float *b, uint64_t dimension)
{
    double distance;

    sp_distances(SP_METRIC_COSINE, a, b, dimension, 1, dimension, &distance);
    return 1 - distance;
}
