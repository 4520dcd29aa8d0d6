/* SPDX-License-Identifier: Apache-2.0 */
/* pgvector's index, which answers approximately and quickly. */
#ifndef PGV_HNSW_H
#define PGV_HNSW_H

#include "collection.h"

typedef struct pgv_hnsw {
    int64_t m; /* 0: no index */
    int64_t ef_construction;
} pgv_hnsw;

/* Out of parameters: index_type, m, ef_construction. standard: where they do not say, an index. */
int32_t pgv_hnsw_read(pgv_call *call, const simplugin_value *parameters, int standard,
                      pgv_hnsw *hnsw);
/* Whether there can be one. */
int32_t pgv_hnsw_check(pgv_call *call, const pgv_hnsw *hnsw, int is_vector, uint64_t dimension);
/* In a transaction: builds it, and notes it in the catalogue. */
int32_t pgv_hnsw_build(pgv_call *call, const pgv_collection *collection, const pgv_hnsw *hnsw);

#endif
