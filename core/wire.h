/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what programs send to what backends get: arguments read and checked by name, ids
 * and vectors in any of their forms turned into columns and float32, JSON both ways.
 */
#ifndef SP_WIRE_H
#define SP_WIRE_H

#include <jansson.h>

#include "arena.h"
#include "column.h"
#include "error.h"

/* The request of one call of the application protocol. */
typedef struct sp_args {
    const char *method;
    simplugin_value map;
    const simplugin_tensor *tensors;
    uint64_t tensor_count;
    sp_arena **arena; /* for what is converted; freed when the call ends */
} sp_args;

typedef struct sp_columns {
    uint64_t count;
    const char **names;
    sp_column *columns;
} sp_columns;

/* Which fields a program asks for. */
typedef struct sp_names {
    int all;
    uint64_t count;
    const char **names;
} sp_names;

/* INVALID_ARGUMENT with the detail "argument". */
int32_t sp_arg_error(const sp_args *args, simplugin_error **error, const char *key,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Every key of the request must be one of the space-separated known ones. */
int32_t sp_args_check_keys(const sp_args *args, const char *known, simplugin_error **error);
int sp_arg_present(const sp_args *args, const char *key);

/* Absent: *text gets data NULL. */
int32_t sp_arg_text(const sp_args *args, const char *key, sp_text *text, simplugin_error **error);
/* The same, zero-terminated (so U+0000 is refused); absent: NULL. */
int32_t sp_arg_string(const sp_args *args, const char *key, const char **string,
                      simplugin_error **error);
/* Absent: *number stays as it is. */
int32_t sp_arg_int(const sp_args *args, const char *key, int64_t min, int64_t max,
                   int64_t *number, simplugin_error **error);
int32_t sp_arg_bool(const sp_args *args, const char *key, int *flag, simplugin_error **error);
/* A finite number. */
int32_t sp_arg_double(const sp_args *args, const char *key, double *number,
                      simplugin_error **error);
/* A map, as a JSON object; absent: *json is NULL. The caller's to json_decref. */
int32_t sp_arg_json(const sp_args *args, const char *key, json_t **json, simplugin_error **error);

#define SP_IDS_REPEATED 1 /* an id may come more than once */
/* Ids as a column; absent: *present is 0. Checks UTF-8, 1 to 255 bytes, no U+0000. */
int32_t sp_arg_ids(const sp_args *args, const char *key, int flags, sp_column *ids, int *present,
                   simplugin_error **error);
/*
 * A matrix as float32 rows, finite; dimension 0: any. Absent: *present is 0. The tensor is
 * the caller's own where it already is float32, so its rows may have gaps.
 */
int32_t sp_arg_matrix(const sp_args *args, const char *key, uint64_t dimension,
                      simplugin_tensor *matrix, int *present, simplugin_error **error);
/* Columns of `rows` rows each, at most 200, with room for one more; absent: count 0. */
int32_t sp_arg_columns(const sp_args *args, const char *key, uint64_t rows, sp_columns *columns,
                       simplugin_error **error);
/* Each name once, at most 200 of them; absent: count 0. */
int32_t sp_arg_names(const sp_args *args, const char *key, sp_names *names,
                     simplugin_error **error);

/* Ids from an array of texts (or a column), as sp_arg_ids reads them. */
int32_t sp_wire_text_column(const simplugin_value *value, const simplugin_tensor *tensors,
                            uint64_t tensor_count, sp_arena **arena, sp_column *column,
                            const char **wrong);

/*
 * code with "method: id "a" and 2 others <what>", and the first of them as details "id".
 * rows NULL: all of them.
 */
int32_t sp_error_ids(simplugin_error **error, int32_t code, const char *method, const char *what,
                     const sp_column *ids, const uint64_t *rows, uint64_t count);

/* ---- JSON ---------------------------------------------------------------------------- */

/* NULL when memory is short or the value holds bytes, tensors or numbers JSON lacks. */
json_t *sp_json_from_value(const simplugin_value *value);
/* Which of the two it was: 1 if JSON has all that is in the value. */
int sp_json_fits(const simplugin_value *value);
void sp_json_write(simplugin_writer *writer, const json_t *json);

/* ---- writing ------------------------------------------------------------------------- */

void sp_write_columns(simplugin_writer *writer, const sp_columns *columns);
void sp_write_names(simplugin_writer *writer, const sp_names *names);
/* A column of ids that has none: replies hold columns, never arrays. */
void sp_write_no_ids(simplugin_writer *writer);
/* A float32 or int64 or other column of numbers as a tensor. */
void sp_write_array(simplugin_writer *writer, uint32_t dtype, const void *data, uint64_t count);

#endif
