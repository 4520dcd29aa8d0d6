/* SPDX-License-Identifier: Apache-2.0 */
/* Points as the JSON that Qdrant takes, written from where the caller has them. */
#ifndef QDRANT_ROWS_H
#define QDRANT_ROWS_H

#include "buffer.h"
#include "upsert.h"

/*
 * The body of an upsert: rows from first on, as many as max_bytes hold and at most max_rows;
 * one at least. *count says how many these are.
 */
int32_t qdrant_rows_encode(qdrant_call *call, const qdrant_rows *rows, uint64_t first,
                           uint64_t max_rows, uint64_t max_bytes, sp_buffer *body, uint64_t *count);

/* Members of a payload, each with its comma: what a row has in these columns. */
void qdrant_cells_put(sp_buffer *out, int *is_first, const plug_columns *fields,
                      const char *const *members, uint64_t row);
/* The members of payloads that hold these fields. */
int32_t qdrant_members_make(qdrant_call *call, const plug_columns *fields, const char ***members);
/* Whether a row has an empty list in a column. */
int qdrant_cell_is_empty(const sp_column *column, uint64_t row);

#endif
