/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

void pgv_sql_clear(pgv_sql *sql)
{
    pgv_buffer_clear(&sql->words);
    pgv_buffer_clear(&sql->values);
    free(sql->bound);
    memset(sql, 0, sizeof *sql);
}

void pgv_words(pgv_sql *sql, const char *words) { pgv_append(&sql->words, words, strlen(words)); }

void pgv_name(pgv_sql *sql, const char *name)
{
    pgv_append(&sql->words, "\"", 1);
    for (; *name; name++)
        pgv_append(&sql->words, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    pgv_append(&sql->words, "\"", 1);
}

/* What stands in values from begin on is the next $n. */
static void bound_add(pgv_sql *sql, uint32_t type, size_t begin)
{
    size_t capacity = sql->capacity ? sql->capacity * 2 : 8;
    char place[16];
    pgv_bound *bound;

    if (sql->count == PGV_VALUES_MAX || sql->values.size - begin > INT32_MAX) {
        sql->too_many = 1;
        return;
    }
    if (sql->count == sql->capacity) {
        bound = realloc(sql->bound, capacity * sizeof *bound);
        if (!bound) {
            sql->words.failed = 1;
            return;
        }
        sql->bound = bound;
        sql->capacity = capacity;
    }
    sql->bound[sql->count].type = type;
    sql->bound[sql->count].begin = begin;
    sql->bound[sql->count++].size = sql->values.size - begin;
    snprintf(place, sizeof place, "$%zu", sql->count);
    pgv_words(sql, place);
}

void pgv_bind_raw(pgv_sql *sql, uint32_t type, const void *data, size_t size)
{
    size_t begin = sql->values.size;

    pgv_append(&sql->values, data, size);
    bound_add(sql, type, begin);
}

void pgv_bind_text(pgv_sql *sql, const char *data, uint64_t size)
{
    pgv_bind_raw(sql, PGV_TEXT, data, (size_t)size);
}

void pgv_bind_string(pgv_sql *sql, const char *text)
{
    pgv_bind_raw(sql, PGV_TEXT, text, strlen(text));
}

void pgv_bind_int64(pgv_sql *sql, int64_t value)
{
    size_t begin = sql->values.size;

    pgv_append_int64(&sql->values, value);
    bound_add(sql, PGV_INT8, begin);
}

void pgv_bind_double(pgv_sql *sql, double value)
{
    size_t begin = sql->values.size;

    pgv_append_double(&sql->values, value);
    bound_add(sql, PGV_FLOAT8, begin);
}

void pgv_bind_bool(pgv_sql *sql, int value) { pgv_bind_raw(sql, PGV_BOOL, value ? "\1" : "\0", 1); }

void pgv_bind_ids(pgv_sql *sql, const simplugin_column *ids)
{
    size_t begin = sql->values.size;

    pgv_encode_ids(&sql->values, ids);
    bound_add(sql, PGV_TEXTS, begin);
}

void pgv_bind_vector(pgv_sql *sql, const float *vector, uint64_t dimension, uint32_t type)
{
    size_t begin = sql->values.size;

    pgv_encode_vector(&sql->values, vector, dimension, type);
    bound_add(sql, type ? type : PGV_FLOAT4S, begin);
}

/* ---- values --------------------------------------------------------------------------------- */

/* One dimension that begins at 1, or none where there is nothing; never a null among the items. */
void pgv_encode_array_head(pgv_buffer *out, uint32_t item, uint64_t count)
{
    pgv_append_int32(out, count ? 1 : 0);
    pgv_append_int32(out, 0);
    pgv_append_int32(out, item);
    if (!count)
        return;
    pgv_append_int32(out, (int64_t)count);
    pgv_append_int32(out, 1);
}

void pgv_encode_vector(pgv_buffer *out, const float *vector, uint64_t dimension, uint32_t type)
{
    if (type) {
        pgv_append_int16(out, (int32_t)dimension);
        pgv_append_int16(out, 0);
    } else {
        pgv_encode_array_head(out, PGV_FLOAT4, dimension);
    }
    for (uint64_t i = 0; i < dimension; i++) {
        uint32_t bits;

        memcpy(&bits, &vector[i], sizeof bits);
        if (!type)
            pgv_append_int32(out, 4);
        pgv_append_int32(out, bits);
    }
}

void pgv_encode_ids(pgv_buffer *out, const simplugin_column *ids)
{
    pgv_encode_array_head(out, PGV_TEXT, ids->count);
    for (uint64_t i = 0; i < ids->count; i++) {
        uint64_t size;
        const char *id = simplugin_column_text(ids, i, &size);

        pgv_append_int32(out, (int64_t)size);
        pgv_append(out, id, (size_t)size);
    }
}

static uint64_t item_size(const simplugin_column *column, uint64_t i)
{
    uint64_t size = 8;

    if ((column->type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_TEXT)
        simplugin_column_text(column, i, &size);
    else if ((column->type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_BOOL)
        size = 1;
    return size;
}

static void encode_item(pgv_buffer *out, const simplugin_column *column, uint64_t i)
{
    uint64_t size;
    const char *text;

    switch (column->type & ~SIMPLUGIN_COLUMN_LIST) {
    case SIMPLUGIN_COLUMN_TEXT:
        text = simplugin_column_text(column, i, &size);
        pgv_append(out, text, (size_t)size);
        break;
    case SIMPLUGIN_COLUMN_INT64: pgv_append_int64(out, ((const int64_t *)column->values)[i]); break;
    case SIMPLUGIN_COLUMN_FLOAT64:
        pgv_append_double(out, ((const double *)column->values)[i]);
        break;
    default: pgv_append(out, ((const uint8_t *)column->values)[i] ? "\1" : "\0", 1);
    }
}

void pgv_encode_value(pgv_buffer *out, const simplugin_column *column, uint64_t row)
{
    uint64_t begin, end;

    if (!(column->type & SIMPLUGIN_COLUMN_LIST)) {
        encode_item(out, column, row);
        return;
    }
    begin = (uint64_t)column->list_offsets[row];
    end = (uint64_t)column->list_offsets[row + 1];
    pgv_encode_array_head(out, pgv_type_item(column->type), end - begin);
    for (uint64_t i = begin; i < end; i++) {
        pgv_append_int32(out, (int64_t)item_size(column, i));
        encode_item(out, column, i);
    }
}

/* ---- column types --------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    uint32_t item;
    const char *name;
    const char *sql;
} types[] = {
    /* by bytes, as filters compare, whatever the database's own order of texts is */
    {SIMPLUGIN_COLUMN_TEXT, PGV_TEXT, "text", "text COLLATE \"C\""},
    {SIMPLUGIN_COLUMN_INT64, PGV_INT8, "int64", "bigint"},
    {SIMPLUGIN_COLUMN_FLOAT64, PGV_FLOAT8, "float64", "double precision"},
    {SIMPLUGIN_COLUMN_BOOL, PGV_BOOL, "bool", "boolean"},
    {SIMPLUGIN_COLUMN_LIST | SIMPLUGIN_COLUMN_TEXT, PGV_TEXT, "list<text>", "text[] COLLATE \"C\""},
    {SIMPLUGIN_COLUMN_LIST | SIMPLUGIN_COLUMN_INT64, PGV_INT8, "list<int64>", "bigint[]"},
    {SIMPLUGIN_COLUMN_LIST | SIMPLUGIN_COLUMN_FLOAT64, PGV_FLOAT8, "list<float64>",
     "double precision[]"},
    {SIMPLUGIN_COLUMN_LIST | SIMPLUGIN_COLUMN_BOOL, PGV_BOOL, "list<bool>", "boolean[]"},
};

#define TYPES (sizeof types / sizeof types[0])

static size_t type_find(uint32_t type)
{
    size_t i = 0;

    while (i < TYPES - 1 && types[i].type != type)
        i++;
    return i;
}

const char *pgv_type_sql(uint32_t type) { return types[type_find(type)].sql; }

const char *pgv_type_name(uint32_t type) { return types[type_find(type)].name; }

uint32_t pgv_type_item(uint32_t type) { return types[type_find(type)].item; }

uint32_t pgv_type_of_name(const char *data, uint64_t size)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strlen(types[i].name) == size && memcmp(types[i].name, data, (size_t)size) == 0)
            return types[i].type;
    return 0;
}
