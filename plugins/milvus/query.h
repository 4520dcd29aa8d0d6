/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by an expression: what points.get, points.scan, points.count and others ask for. */
#ifndef MILVUS_QUERY_H
#define MILVUS_QUERY_H

#include "consistency.h"
#include "fields.h"
#include "page.h"
#include "partitions.h"

/* Rows of a query that has a limit, at most: Milvus answers no more. */
#define MILVUS_LIMIT_MAX 16384

typedef struct milvus_query {
    const char *expr;
    uint64_t limit;      /* the rows of the smallest keys, in order; 0: all */
    int vectors;
    int fields;          /* those of the schema, and the rest as JSON */
    int is_count;        /* only how many: nothing of the above */
    int level;           /* of consistency; -1: the collection's */
    milvus_partitions partitions;
    int *is_loaded;      /* not NULL: nothing is loaded for it, and where that would have to be
                            the page is empty and this 0 */
} milvus_query;

/* The request for it; to be ended by milvus_rpc_clear. */
int32_t milvus_query_encode(milvus_call *call, const milvus_query *query,
                            const milvus_freshness *fresh, milvus_rpc *rpc);
/* Asks and decodes; page borrows rpc, and both are to be cleared whatever is returned. */
int32_t milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                         milvus_page *page);

/* The same for a query with a limit, which is halved for as long as the reply is too large. */
int32_t milvus_query_fit(milvus_call *call, milvus_query *query, milvus_rpc *rpc,
                         milvus_page *page);

/* How many points the expression accepts ("": all). */
int32_t milvus_count(milvus_call *call, const char *expr, uint64_t *count);
/* All of them, where the collection is loaded; else *is_loaded and *count are 0. */
int32_t milvus_count_loaded(milvus_call *call, uint64_t *count, int *is_loaded);

#endif
