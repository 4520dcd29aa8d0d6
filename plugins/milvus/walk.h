/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a collection in the order of its keys, page by page. */
#ifndef MILVUS_WALK_H
#define MILVUS_WALK_H

#include "query.h"

/*
 * The expression for the page that begins behind a key (data NULL: the first), in memory of
 * the call.
 */
int32_t milvus_walk_expr(milvus_call *call, const char *filter, sp_text after, const char **expr);

/* Calls each with pages of keys of all points that the filter ("": all) accepts. */
int32_t milvus_walk(milvus_call *call, const char *filter,
                    int32_t (*each)(void *context, const milvus_page *page), void *context);

/*
 * Writes a page as points.scan answers: ids, and vectors and fields where they are asked
 * for; row_bytes: a cursor too, with what a row holds; 0: it is the last one.
 */
int32_t milvus_page_write(milvus_call *call, const milvus_page *page, int vectors,
                          const plug_names *names, uint64_t row_bytes);

#endif
