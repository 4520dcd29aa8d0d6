/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way back: what one or several statements have answered becomes the columns of a
 * reply. Statements give "id" first, then "vector" where it is wanted, then fields, then whatever
 * else they count.
 */
#ifndef PGV_ROWS_H
#define PGV_ROWS_H

#include "collection.h"

typedef struct pgv_part {
    PGresult *result;
    int count; /* of its rows, from the first */
} pgv_part;

typedef struct pgv_rows {
    pgv_call *call;
    const pgv_collection *collection;
    int with_vectors;
    const pgv_field **fields; /* that are wanted and there */
    uint64_t field_count;
    pgv_part *parts;
    uint64_t part_count;
    uint64_t part_capacity;
    uint64_t count;
} pgv_rows;

/* names NULL: no fields. */
int32_t pgv_rows_init(pgv_rows *rows, pgv_call *call, const pgv_collection *collection,
                      int with_vectors, const pgv_names *names);
void pgv_rows_clear(pgv_rows *rows);
/* "p.id, p.vector, p."page", ..." */
void pgv_rows_select(const pgv_rows *rows, pgv_sql *sql);
/* The number of the first column behind these. */
int pgv_rows_more(const pgv_rows *rows);
/* Takes the result. */
int32_t pgv_rows_add(pgv_rows *rows, PGresult *result, int count);

/* The keys ids, and vectors and fields where they are wanted. */
int32_t pgv_rows_write(pgv_rows *rows, int with_fields);

#endif
