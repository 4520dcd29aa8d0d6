/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics by our names and Qdrant's, and what its scores are in canonical distances. */
#ifndef QDRANT_METRIC_H
#define QDRANT_METRIC_H

#define QDRANT_METRICS 4
extern const char *const qdrant_metric_names[QDRANT_METRICS]; /* the default is first */

/* NULL: there is none of that name. */
const char *qdrant_metric_theirs(const char *ours);
const char *qdrant_metric_ours(const char *theirs);
/* Whether its scores are the greater the nearer. */
int qdrant_metric_is_similarity(const char *ours);
float qdrant_metric_distance(const char *ours, float score);
/* The score that a distance has. */
double qdrant_metric_score(const char *ours, double distance);

#endif
