/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics by our names and by Milvus', and what its scores mean. */
#ifndef MILVUS_METRIC_H
#define MILVUS_METRIC_H

#include <stdint.h>

extern const char *const milvus_metric_names[]; /* the first is the default */
#define MILVUS_METRICS 3 /* of vectors of floats */

/* "COSINE" for "cosine"; NULL: it has none. */
const char *milvus_metric_theirs(const char *ours);
/* "cosine" for "COSINE"; NULL: none of ours. Static. */
const char *milvus_metric_ours(const char *theirs);
/* The canonical distance, and the score as it is shown, of a score of Milvus'. */
void milvus_metric_convert(const char *ours, float *score, float *distance);

/* Whether it is one of binary vectors. */
int milvus_metric_is_binary(const char *ours);

#endif
