/* SPDX-License-Identifier: Apache-2.0 */
/* A filter's value beside a column of a given type: what is left to compare. */
#ifndef PGV_FILTER_VALUE_H
#define PGV_FILTER_VALUE_H

#include "call.h"

typedef enum pgv_compare {
    PGV_EQ,
    PGV_LT,
    PGV_LE,
    PGV_GT,
    PGV_GE,
    PGV_NEVER,
    PGV_ALWAYS
} pgv_compare;

/* The comparison with a value of the column's own type that is true of the same fields. */
typedef struct pgv_term {
    pgv_compare compare; /* PGV_ALWAYS: of every value there is */
    const char *text;
    uint64_t size;
    int64_t integer;
    double number;
} pgv_term;

/* type: of the column, without SIMPLUGIN_COLUMN_LIST. */
pgv_term pgv_term_of(pgv_compare compare, const simplugin_value *value, uint32_t type);

#endif
