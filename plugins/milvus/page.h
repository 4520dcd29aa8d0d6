/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that a server sent, as columns: views of the reply where they lie in it as they
 * are, arrays in the page's memory where they do not.
 */
#ifndef MILVUS_PAGE_H
#define MILVUS_PAGE_H

#include "call.h"

typedef struct milvus_page_column {
    const char *name;
    int is_dynamic;    /* JSON objects with the fields that the schema does not name */
    int32_t type;      /* MILVUS_... of the items */
    int is_list;
    uint64_t count;    /* rows */
    uint64_t *lists;   /* count + 1 places among the items; lists only */
    uint8_t *valid;    /* one byte a row; NULL: all are */
    uint64_t item_count;
    sp_text *texts;    /* one of these, by type */
    int64_t *integers; /* BOOL too */
    double *doubles;
} milvus_page_column;

typedef struct milvus_page {
    sp_arena *memory;
    uint64_t count;
    sp_text *ids;           /* keys as text; NULL: not sent */
    uint64_t id_count;
    const uint8_t *vectors; /* float32, perhaps not aligned, or bits; NULL: not sent */
    uint64_t vector_bytes;  /* of one row */
    uint64_t vector_rows;
    uint64_t column_count;
    milvus_page_column *columns;
    int64_t total;          /* of count(*); -1: not sent */
} milvus_page;

void milvus_page_clear(milvus_page *page);
/* How much one of its rows holds: the key, the vector and the fields. */
uint64_t milvus_page_row_bytes(const milvus_page *page, uint64_t row);

/*
 * Decodes the fields of a QueryReply (number 2) or SearchData (number 3). The reply must
 * outlive the page. PROTOCOL where it is not what the schema and the format promise.
 */
int32_t milvus_page_read(milvus_call *call, const uint8_t *data, size_t size, uint32_t number,
                         milvus_page *page);
/* IDs of a search or a write, as text. */
int32_t milvus_ids_read(milvus_call *call, const uint8_t *data, size_t size, sp_arena **memory,
                        sp_text **ids, uint64_t *count);

#endif
