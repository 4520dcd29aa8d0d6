/* SPDX-License-Identifier: Apache-2.0 */
/* What Search answers: lists of hits, one for each query. */
#ifndef MILVUS_HITS_H
#define MILVUS_HITS_H

#include "page.h"
#include "plug_hits.h"

/* A reply of Search, and its decoded rows; borrows the reply. */
typedef struct milvus_hits {
    sp_arena *memory;
    milvus_page page;
    uint64_t query_count;
    plug_list *lists;
} milvus_hits;

/* PROTOCOL where the reply is not one for that many queries. To be cleared in any case. */
int32_t milvus_hits_read(milvus_call *call, const uint8_t *data, size_t size, uint64_t queries,
                         milvus_hits *hits);
void milvus_hits_clear(milvus_hits *hits);

#endif
