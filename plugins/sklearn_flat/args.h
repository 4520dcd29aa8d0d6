/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading requests: each argument by its key, checked, errors naming it. What the core
 * sends has been checked before; a program's backend.call has not.
 */
#ifndef FLAT_ARGS_H
#define FLAT_ARGS_H

#include "call.h"

/* Float32 rows with gaps allowed between them. */
typedef struct flat_matrix {
    const float *data;
    uint64_t rows;
    uint64_t stride; /* floats */
} flat_matrix;

/* Which fields a reply is to hold. */
typedef struct flat_names {
    int all;
    uint64_t count;
    const char **names;
} flat_names;

/* Every key of the request must be one of the space-separated known ones. */
int32_t flat_args_check(flat_call *call, const char *known);

/* Absent: what is behind the pointer stays as it is. */
int32_t flat_arg_int(flat_call *call, const char *key, int64_t min, int64_t max, int64_t *number);
int32_t flat_arg_bool(flat_call *call, const char *key, int *flag);
/* A finite number. */
int32_t flat_arg_double(flat_call *call, const char *key, double *number, int *present);
/* An array of int64, contiguous; absent: NULL. */
int32_t flat_arg_int64s(flat_call *call, const char *key, const int64_t **data, uint64_t *count);
/* Ids, each checked; absent: *present is 0. */
int32_t flat_arg_ids(flat_call *call, sp_column *ids, int *present);
/* "vectors", required: float32 of the store's dimension. Not looked into yet. */
int32_t flat_arg_vectors(flat_call *call, flat_matrix *vectors);
/* Whether the rows (of those in select, if not NULL) are finite. */
int32_t flat_check_finite(flat_call *call, const flat_matrix *vectors, const int64_t *select,
                          uint64_t count);
/* "fields" of points to write: columns of `rows` rows, into the three members of out. */
int32_t flat_arg_columns(flat_call *call, uint64_t rows, flat_rows *out);
/* "fields" to answer with: names, or true for all. */
int32_t flat_arg_names(flat_call *call, flat_names *names);
/* Every key of the map "parameters" must be one of the known ones; *map may be empty. */
int32_t flat_arg_parameters(flat_call *call, const char *const *known, uint64_t count,
                            simplugin_value *map);

#endif
