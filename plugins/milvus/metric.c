/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "metric.h"

#include <math.h>
#include <string.h>
#include <strings.h>

const char *const milvus_metric_names[] = {"dotproduct", "cosine", "euclidean"};
static const char *const theirs_names[] = {"IP", "COSINE", "L2"};

const char *milvus_metric_theirs(const char *ours)
{
    for (int i = 0; i < MILVUS_METRICS; i++)
        if (strcmp(milvus_metric_names[i], ours) == 0)
            return theirs_names[i];
    return NULL;
}

const char *milvus_metric_ours(const char *theirs)
{
    for (int i = 0; i < MILVUS_METRICS; i++)
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
    } else {
        /* Milvus leaves the square root out */
        *score = *score > 0 ? sqrtf(*score) : 0;
        *distance = *score;
    }
}
