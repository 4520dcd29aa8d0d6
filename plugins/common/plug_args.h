/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading requests: each argument by its key, checked, errors naming it. What the core
 * sends has been checked before; a program's backend.call has not.
 */
#ifndef PLUG_ARGS_H
#define PLUG_ARGS_H

#include "plug_call.h"

/* Float32 rows with gaps allowed between them. */
typedef struct plug_matrix {
    const float *data;
    uint64_t rows;
    uint64_t stride; /* floats */
} plug_matrix;

/* Columns of points to write. */
typedef struct plug_columns {
    uint64_t count;
    const char **names;
    sp_column *columns;
} plug_columns;

/* Which fields a reply is to hold. */
typedef struct plug_names {
    int all;
    uint64_t count;
    const char **names;
} plug_names;

/* Every key of the request must be one of the space-separated known ones. */
int32_t plug_args_check(plug_call *call, const char *known);
/* UNKNOWN_METHOD for the call's method, with the nearest of the known ones. */
int32_t plug_unknown_method(plug_call *call, const char *const *known, uint64_t count);
/* code, saying which names there are and which one was probably meant. */
int32_t plug_unknown_name(plug_call *call, int32_t code, const char *what, const char *name,
                          const char *const *known, uint64_t count);

/* "collection", required, into the call's name. */
int32_t plug_arg_collection(plug_call *call);
/* A text, zero-terminated until the call ends; absent or with U+0000: an error or NULL. */
int32_t plug_arg_string(plug_call *call, const char *key, const char **text);

/* Absent: what is behind the pointer stays as it is. */
int32_t plug_arg_int(plug_call *call, const char *key, int64_t min, int64_t max, int64_t *number);
int32_t plug_arg_bool(plug_call *call, const char *key, int *flag);
/* A finite number. */
int32_t plug_arg_double(plug_call *call, const char *key, double *number, int *present);
/* An array of int64, contiguous; absent: NULL. */
int32_t plug_arg_int64s(plug_call *call, const char *key, const int64_t **data, uint64_t *count);
/* Ids, each checked; absent: *present is 0. */
int32_t plug_arg_ids(plug_call *call, sp_column *ids, int *present);
/* "vectors", required: float32 of that dimension. Not looked into yet. */
int32_t plug_arg_vectors(plug_call *call, uint64_t dimension, plug_matrix *vectors);
/* Whether the rows (of those in select, if not NULL) are finite. */
int32_t plug_check_finite(plug_call *call, const plug_matrix *vectors, uint64_t dimension,
                          const int64_t *select, uint64_t count);
/* "fields" of points to write: columns of `rows` rows. */
int32_t plug_arg_columns(plug_call *call, uint64_t rows, plug_columns *out);
/*
 * "fields" of a collection to be made: a map from name to type, each given to take, which
 * returns 0 when memory is short. Absent: none.
 */
int32_t plug_arg_declared(plug_call *call,
                          int (*take)(void *context, const char *name, uint32_t type),
                          void *context);
/* "fields" to answer with: names, or true for all. */
int32_t plug_arg_names(plug_call *call, plug_names *names);
/* Every key of the map "parameters" must be one of the known ones; *map may be empty. */
int32_t plug_arg_parameters(plug_call *call, const char *const *known, uint64_t count,
                            simplugin_value *map);

#endif
