/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement: its words, and the values bound to it. Words are ours or quoted identifiers;
 * whatever a program or a stored row says is a value, $1, $2, ..., in PostgreSQL's binary form.
 */
#ifndef PGV_SQL_H
#define PGV_SQL_H

#include <simplugin/envelope.h>

#include "buffer.h"

/* Types of PostgreSQL, whose numbers never change. */
#define PGV_BOOL 16u
#define PGV_INT8 20u
#define PGV_TEXT 25u
#define PGV_FLOAT4 700u
#define PGV_FLOAT8 701u
#define PGV_BOOLS 1000u
#define PGV_TEXTS 1009u
#define PGV_INT8S 1016u
#define PGV_FLOAT4S 1021u
#define PGV_FLOAT8S 1022u

/* What libpq takes at most in one statement. */
#define PGV_VALUES_MAX 65535

typedef struct pgv_bound {
    uint32_t type;
    size_t begin; /* in values */
    size_t size;
} pgv_bound;

typedef struct pgv_sql {
    pgv_buffer words;
    pgv_buffer values;
    pgv_bound *bound;
    size_t count;
    size_t capacity;
    int too_many; /* values, or bytes of one */
} pgv_sql;

void pgv_sql_clear(pgv_sql *sql);

/* Words as they are: never anything that came from outside. */
void pgv_words(pgv_sql *sql, const char *words);
/* A quoted identifier. */
void pgv_name(pgv_sql *sql, const char *name);

/* Each of these writes the next $n and binds it. */
void pgv_bind_text(pgv_sql *sql, const char *data, uint64_t size);
void pgv_bind_string(pgv_sql *sql, const char *text);
void pgv_bind_int64(pgv_sql *sql, int64_t value);
void pgv_bind_double(pgv_sql *sql, double value);
void pgv_bind_bool(pgv_sql *sql, int value);
void pgv_bind_ids(pgv_sql *sql, const simplugin_column *ids);
/* type 0: real[], else the number of the type vector. */
void pgv_bind_vector(pgv_sql *sql, const float *vector, uint64_t dimension, uint32_t type);
/* Bytes that are encoded already. */
void pgv_bind_raw(pgv_sql *sql, uint32_t type, const void *data, size_t size);

/* ---- values in binary form, without their length ------------------------------------------- */

void pgv_encode_array_head(pgv_buffer *out, uint32_t item, uint64_t count);
void pgv_encode_vector(pgv_buffer *out, const float *vector, uint64_t dimension, uint32_t type);
void pgv_encode_ids(pgv_buffer *out, const simplugin_column *ids);
/* Of a column of any type, the value of a row; there is one. */
void pgv_encode_value(pgv_buffer *out, const simplugin_column *column, uint64_t row);

/* ---- column types --------------------------------------------------------------------------- */

/* "bigint[]" and its like, in DDL; "list<int64>" and its like; 0 for a name that is none. */
const char *pgv_type_sql(uint32_t type);
const char *pgv_type_name(uint32_t type);
uint32_t pgv_type_of_name(const char *data, uint64_t size);
/* The type of one item, PGV_... */
uint32_t pgv_type_item(uint32_t type);

#endif
