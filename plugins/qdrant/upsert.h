/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: batches of points, cut by their bytes, several of them in flight; deletions. */
#ifndef QDRANT_UPSERT_H
#define QDRANT_UPSERT_H

#include "call.h"

/* Points to write. */
typedef struct qdrant_rows {
    const sp_column *ids;
    const plug_matrix *vectors;
    const plug_columns *fields;
    const char *const *members; /* of payloads, one for each field: rows.h */
    const int64_t *select; /* these rows, in this order; NULL: all */
    uint64_t count;
} qdrant_rows;

/* INVALID_ARGUMENT for what cannot be stored: ids, names and types of fields. */
int32_t qdrant_rows_check(qdrant_call *call, const qdrant_rows *rows);
/* Writes the rows, replacing those that are there. Doing it again changes nothing. */
int32_t qdrant_upsert(qdrant_call *call, const qdrant_rows *rows);

/* Ids that are not there are harmless. */
int32_t qdrant_delete_ids(qdrant_call *call, const sp_column *ids);
/* All that the condition accepts; "": everything. */
int32_t qdrant_delete_matching(qdrant_call *call, const char *condition);

/* Something was, or may have been, written to the call's collection. */
void qdrant_written(qdrant_call *call);

#endif
