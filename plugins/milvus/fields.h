/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of points on their way back: those of the schema and those in JSON, row by row
 * from any pages, become the columns of a reply.
 */
#ifndef MILVUS_FIELDS_H
#define MILVUS_FIELDS_H

#include "page.h"
#include "plug_fields.h"

/* One row of the reply. */
typedef struct milvus_row {
    const milvus_page *page; /* NULL: a row without any values */
    uint64_t row;
} milvus_row;

/*
 * A column for each of the names (or all there are) that any of the rows has; in memory of
 * the reply. Rows keep their order.
 */
int32_t milvus_fields_read(milvus_call *call, const milvus_row *rows, uint64_t count,
                           const plug_names *names, plug_columns *columns);
/* The same, written under the key "fields". */
int32_t milvus_fields_write(milvus_call *call, const milvus_row *rows, uint64_t count,
                            const plug_names *names);

/* What the rows of a page have beside the schema's fields; in memory of the call. */
int32_t milvus_fields_see(milvus_call *call, const milvus_page *page, plug_seen *seen);

/* The type of a field that was declared when the collection was made; 0: it was not. */
uint32_t milvus_declared_type(const milvus_schema *schema, const char *name);
/* Whether a field of the schema is one of those that points carry. */
int milvus_field_is_shown(const milvus_schema *schema, const char *name);

#endif
