/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a request holds. Each sets an error that names the argument. */
#ifndef PGV_ARGS_H
#define PGV_ARGS_H

#include "call.h"

/* What docs/protocol.md does not list for the method is refused; known: words and spaces. */
int32_t pgv_args_check(pgv_call *call, const simplugin_value *map, int32_t code, const char *known);
/* The map under "parameters", of which only those words are known. */
int32_t pgv_arg_parameters(pgv_call *call, const char *known, simplugin_value *map);

int32_t pgv_arg_collection(pgv_call *call);
/* Absent: the value stays as it is. Text is a copy in scratch, and holds no U+0000. */
int32_t pgv_arg_string(pgv_call *call, const char *key, const char **text);
int32_t pgv_arg_int(pgv_call *call, const char *key, int64_t min, int64_t max, int64_t *number);
int32_t pgv_arg_bool(pgv_call *call, const char *key, int *flag);
int32_t pgv_arg_double(pgv_call *call, const char *key, double *number, int *present);

/* present may be NULL: then they are needed. */
int32_t pgv_arg_ids(pgv_call *call, simplugin_column *ids, int *present);

typedef struct pgv_matrix {
    const float *data;
    uint64_t rows;
    uint64_t stride; /* floats */
} pgv_matrix;

int32_t pgv_arg_vectors(pgv_call *call, uint64_t dimension, pgv_matrix *vectors);

/* The rows to write: the numbers in "rows", or all. */
typedef struct pgv_selection {
    const simplugin_tensor *numbers; /* NULL: all */
    uint64_t count;
} pgv_selection;

int32_t pgv_arg_rows(pgv_call *call, uint64_t rows, pgv_selection *selection);
uint64_t pgv_selected(const pgv_selection *selection, uint64_t i);

/* Fields to write. */
typedef struct pgv_column {
    const char *name;
    simplugin_column values;
} pgv_column;

int32_t pgv_arg_columns(pgv_call *call, uint64_t rows, pgv_column **columns, uint64_t *count);

/* Fields to read. */
typedef struct pgv_names {
    int all;
    const char **names;
    uint64_t count;
} pgv_names;

int32_t pgv_arg_names(pgv_call *call, pgv_names *names);

#endif
