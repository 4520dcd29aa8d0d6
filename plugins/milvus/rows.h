/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way to the server: from the caller's memory into the request of Insert or
 * Upsert, the vectors copied once.
 */
#ifndef MILVUS_ROWS_H
#define MILVUS_ROWS_H

#include "call.h"

typedef struct milvus_rows {
    const sp_column *ids;       /* NULL: the server makes them */
    const plug_matrix *vectors; /* of a FLOAT_VECTOR field */
    const simplugin_tensor *bits; /* of a BINARY_VECTOR field, instead: uint8, dimension / 8 a row */
    const plug_columns *fields;
    const int64_t *select;      /* count row numbers; NULL: 0..count-1 */
    uint64_t count;
    const char *partition;      /* NULL: the default one */
} milvus_rows;

/* Whether the schema can take these fields; INVALID_ARGUMENT names one that it cannot. */
int32_t milvus_rows_check(milvus_call *call, const milvus_rows *rows);

/*
 * How many rows from first on have at most that many bytes, with a reply that is not too
 * large to be received; one at least.
 */
uint64_t milvus_rows_fit(const milvus_call *call, const milvus_rows *rows, uint64_t first,
                         uint64_t bytes);

/* The request's parts for count rows from first on. */
int32_t milvus_rows_encode(milvus_call *call, const milvus_rows *rows, uint64_t first,
                           uint64_t count, milvus_rpc *rpc);

#endif
