/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the nearest points: by the backend where it can, and where it cannot by a
 * streaming exact pass over the index.
 */
#ifndef SP_SEARCH_H
#define SP_SEARCH_H

#include "hits.h"

#define SP_AGGREGATE_NONE 0
#define SP_AGGREGATE_MEAN 1      /* of the query vectors */
#define SP_AGGREGATE_POST_MEAN 2 /* of a point's distances to the queries */
#define SP_AGGREGATE_POST_MIN 3
#define SP_AGGREGATE_POST_MAX 4

/* What to find. All is borrowed. */
typedef struct sp_query {
    simplugin_tensor vectors; /* float32, one query a row */
    const sp_column *self;    /* ids of the queries, left out of their own lists; or NULL */
    const sp_idmap *self_shared; /* all of them are left out of every list; or NULL */
    uint64_t k;               /* UINT64_MAX: all within max_distance */
    int reverse;
    int aggregation;          /* one of the post ones, or none: a mean was taken before */
    double max_distance;      /* INFINITY: any */
    const sp_filter *filter;  /* or NULL */
    const sp_view *view;      /* or NULL */
    const json_t *parameters; /* of the backend's search, or NULL */
} sp_query;

/* hits has a list for each query (one with an aggregation), and is empty. */
int32_t sp_search(sp_index *index, const sp_context *context, const sp_query *query, sp_hits *hits,
                  simplugin_error **error);
/* The exact pass. UNIMPLEMENTED for a metric that the core does not know. */
int32_t sp_search_exact(sp_index *index, const sp_context *context, const sp_query *query,
                        sp_hits *hits, simplugin_error **error);

/* Whether an id is to be left out of a list. */
int sp_query_is_self(const sp_query *query, uint64_t list, sp_text id);

/* How many lists a query makes. */
static inline uint64_t sp_query_lists(const sp_query *query)
{
    return query->aggregation >= SP_AGGREGATE_POST_MEAN ? 1 : query->vectors.rows;
}

static inline const float *sp_query_vector(const sp_query *query, uint64_t row)
{
    return (const float *)(const void *)((const uint8_t *)query->vectors.data +
                                         row * simplugin_tensor_stride(&query->vectors));
}

/* Reads the query vectors: those under "vectors", or of the points under "ids", in the
   arena. self gets the ids. present: whether there are any. NOT_FOUND names ids. */
int32_t sp_arg_queries(sp_index *index, sp_request *request, simplugin_tensor *vectors,
                       sp_column *self, int *by_id, simplugin_error **error);

#endif
