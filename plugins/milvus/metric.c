/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "metric.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The last two are those of binary vectors, for native methods. */
const char *const milvus_metric_names[] = {"dotproduct", "cosine", "euclidean", "hamming",
                                           "jaccard"};
static const char *const theirs_names[] = {"IP", "COSINE", "L2", "HAMMING", "JACCARD"};

#define ALL (sizeof theirs_names / sizeof theirs_names[0])

const char *milvus_metric_theirs(const char *ours)
{
    for (size_t i = 0; i < ALL; i++)
        if (strcmp(milvus_metric_names[i], ours) == 0)
            return theirs_names[i];
    return NULL;
}

const char *milvus_metric_ours(const char *theirs)
{
    for (size_t i = 0; i < ALL; i++)
        if (strcasecmp(theirs_names[i], theirs) == 0)
            return milvus_metric_names[i];
    return NULL;
}

void milvus_metric_convert(const char *ours, float *score, float *distance)
{
    if (strcmp(ours, "cosine") == 0) {
        /* of a vector of zeros */
        if (isnan(*score))
            *score = 0;
        *distance = 1 - *score;
    } else if (strcmp(ours, "dotproduct") == 0) {
        *distance = -*score;
    } else if (strcmp(ours, "euclidean") != 0) {
        *distance = *score;
    } else {
        /* Milvus leaves the square root out */
        *score = *score > 0 ? sqrtf(*score) : 0;
        *distance = *score;
    }
}

int milvus_metric_is_binary(const char *ours)
{
    return strcmp(ours, "hamming") == 0 || strcmp(ours, "jaccard") == 0;
}
