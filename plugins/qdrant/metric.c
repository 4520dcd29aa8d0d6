/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "metric.h"

#include <string.h>
#include <strings.h>

const char *const qdrant_metric_names[] = {"cosine", "dotproduct", "euclidean", "manhattan"};
static const char *const theirs_names[] = {"Cosine", "Dot", "Euclid", "Manhattan"};

const char *qdrant_metric_theirs(const char *ours)
{
    for (int i = 0; i < QDRANT_METRICS; i++)
        if (strcmp(qdrant_metric_names[i], ours) == 0)
            return theirs_names[i];
    return NULL;
}

const char *qdrant_metric_ours(const char *theirs)
{
    for (int i = 0; i < QDRANT_METRICS; i++)
        if (strcasecmp(theirs_names[i], theirs) == 0)
            return qdrant_metric_names[i];
    return NULL;
}

int qdrant_metric_is_similarity(const char *ours)
{
    return strcmp(ours, "cosine") == 0 || strcmp(ours, "dotproduct") == 0;
}

float qdrant_metric_distance(const char *ours, float score)
{
    return strcmp(ours, "cosine") == 0 ? 1 - score : strcmp(ours, "dotproduct") == 0 ? -score : score;
}

double qdrant_metric_score(const char *ours, double distance)
{
    return strcmp(ours, "cosine") == 0       ? 1 - distance
           : strcmp(ours, "dotproduct") == 0 ? -distance
                                             : distance;
}
