/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way in: COPY puts them into a temporary table of the session, from which one
 * statement writes them where they belong. Its columns are n (their numbers in the request), id,
 * v (the vectors, where there are any) and f0, f1, ... (fields).
 */
#ifndef PGV_STAGING_H
#define PGV_STAGING_H

#include "collection.h"

#define PGV_STAGED "pg_temp.simplugin_rows"

typedef struct pgv_staged {
    const simplugin_column *ids;
    const pgv_matrix *vectors; /* NULL: none */
    const pgv_selection *rows;
    const pgv_column *columns; /* of the request */
    uint64_t column_count;
} pgv_staged;

/* In a transaction, at whose end they are gone from the table. An id that comes twice is refused.
 */
int32_t pgv_stage(pgv_call *call, const pgv_collection *collection, const pgv_staged *staged);

#endif
