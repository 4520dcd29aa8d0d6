/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

int32_t pgv_rows_init(pgv_rows *rows, pgv_call *call, const pgv_collection *collection,
                      int with_vectors, const pgv_names *names)
{
    memset(rows, 0, sizeof *rows);
    rows->call = call;
    rows->collection = collection;
    rows->with_vectors = with_vectors;
    rows->fields = pgv_take(call, collection->field_count, sizeof *rows->fields);
    if (!rows->fields)
        return pgv_no_memory(call);
    for (uint64_t i = 0; i < collection->field_count; i++) {
        int is_wanted = names->all;

        for (uint64_t j = 0; !is_wanted && j < names->count; j++)
            is_wanted = strcmp(names->names[j], collection->fields[i].name) == 0;
        if (is_wanted)
            rows->fields[rows->field_count++] = &collection->fields[i];
    }
    return SIMPLUGIN_OK;
}

void pgv_rows_clear(pgv_rows *rows)
{
    for (uint64_t i = 0; i < rows->part_count; i++)
        PQclear(rows->parts[i].result);
    free(rows->parts);
    rows->parts = NULL;
    rows->part_count = 0;
}

void pgv_rows_select(const pgv_rows *rows, pgv_sql *sql)
{
    pgv_words(sql, rows->with_vectors ? "p.id, p.vector" : "p.id");
    for (uint64_t i = 0; i < rows->field_count; i++) {
        pgv_words(sql, ", p.");
        pgv_name(sql, rows->fields[i]->column);
    }
}

int pgv_rows_more(const pgv_rows *rows) { return 1 + rows->with_vectors + (int)rows->field_count; }

int32_t pgv_rows_add(pgv_rows *rows, PGresult *result, int count)
{
    uint64_t capacity = rows->part_capacity ? rows->part_capacity * 2 : 8;
    pgv_part *parts;

    if (rows->part_count == rows->part_capacity) {
        parts = realloc(rows->parts, capacity * sizeof *parts);
        if (!parts) {
            PQclear(result);
            return pgv_no_memory(rows->call);
        }
        rows->parts = parts;
        rows->part_capacity = capacity;
    }
    rows->parts[rows->part_count].result = result;
    rows->parts[rows->part_count++].count = count;
    rows->count += (uint64_t)count;
    return SIMPLUGIN_OK;
}

/* ---- walking -------------------------------------------------------------------------------- */

/* One value after the other of a column of the answers. */
typedef struct cells {
    const pgv_rows *rows;
    int column;
    uint64_t part;
    int row;
    /* the current one */
    const char *data; /* NULL: null */
    uint64_t size;
} cells;

static int cells_next(cells *at)
{
    const pgv_part *part;

    while (at->part < at->rows->part_count && at->row >= at->rows->parts[at->part].count) {
        at->part++;
        at->row = 0;
    }
    if (at->part == at->rows->part_count)
        return 0;
    part = &at->rows->parts[at->part];
    at->size = (uint64_t)PQgetlength(part->result, at->row, at->column);
    at->data = PQgetisnull(part->result, at->row, at->column)
                   ? NULL
                   : PQgetvalue(part->result, at->row, at->column);
    at->row++;
    return 1;
}

/* The tables are anybody's to change: a value that is not of the type that the catalogue says. */
static int32_t damaged(const pgv_rows *rows, const cells *at, const char *what, const char *name)
{
    const PGresult *result = rows->parts[at->part].result;

    return pgv_fail(rows->call, SIMPLUGIN_CORRUPT,
                    "%s \"%s\" of the point \"%.*s\" is not as the catalogue says", what, name,
                    PQgetlength(result, at->row - 1, 0), PQgetvalue(result, at->row - 1, 0));
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Offsets and bytes of a column of text, whose rows may be null. */
static int32_t texts_read(const pgv_rows *rows, int column, simplugin_column *out)
{
    int64_t *offsets = pgv_reply_memory(rows->call, rows->count + 1, sizeof *offsets);
    uint64_t i = 0;
    char *values;

    if (!offsets)
        return pgv_no_memory(rows->call);
    for (cells at = {.rows = rows, .column = column}; cells_next(&at); i++)
        offsets[i + 1] = offsets[i] + (int64_t)(at.data ? at.size : 0);
    values = pgv_reply_memory(rows->call, (uint64_t)offsets[rows->count], 1);
    if (!values)
        return pgv_no_memory(rows->call);
    i = 0;
    for (cells at = {.rows = rows, .column = column}; cells_next(&at); i++)
        if (at.data && at.size)
            memcpy(values + offsets[i], at.data, (size_t)at.size);
    out->offsets = offsets;
    out->values = values;
    return SIMPLUGIN_OK;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static uint64_t item_bytes(uint32_t type)
{
    return (type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_BOOL ? 1 : 8;
}

/* A number in its binary form to place i of values. */
static void item_store(uint32_t type, void *values, uint64_t i, const char *data)
{
    switch (type & ~SIMPLUGIN_COLUMN_LIST) {
    case SIMPLUGIN_COLUMN_INT64: ((int64_t *)values)[i] = pgv_read_int64(data); break;
    case SIMPLUGIN_COLUMN_FLOAT64: ((double *)values)[i] = pgv_read_double(data); break;
    default: ((uint8_t *)values)[i] = *data != 0; break;
    }
}

static int32_t numbers_read(const pgv_rows *rows, int column, const pgv_field *field,
                            simplugin_column *out)
{
    uint64_t bytes = item_bytes(field->type), i = 0;
    void *values = pgv_reply_memory(rows->call, rows->count, bytes);

    if (!values)
        return pgv_no_memory(rows->call);
    for (cells at = {.rows = rows, .column = column}; cells_next(&at); i++) {
        if (at.data && at.size != bytes)
            return damaged(rows, &at, "the field", field->name);
        if (at.data)
            item_store(field->type, values, i, at.data);
    }
    out->values = values;
    return SIMPLUGIN_OK;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* The items of an array, one after the other; 0: it is none of one dimension without nulls. */
typedef struct items {
    const char *at;
    const char *end;
    uint64_t left;
} items;

static int items_begin(items *list, const char *data, uint64_t size, uint32_t type)
{
    int32_t dimensions;

    memset(list, 0, sizeof *list);
    if (size < 12)
        return 0;
    dimensions = pgv_read_int32(data);
    if ((uint32_t)pgv_read_int32(data + 8) != type || dimensions < 0 || dimensions > 1 ||
        (dimensions == 1 && (size < 20 || pgv_read_int32(data + 12) < 0)))
        return 0;
    list->end = data + size;
    list->at = dimensions ? data + 20 : list->end;
    list->left = dimensions ? (uint64_t)pgv_read_int32(data + 12) : 0;
    return list->left <= size / 4;
}

static int items_next(items *list, const char **data, uint64_t *size)
{
    int32_t length;

    if (!list->left || list->end - list->at < 4)
        return 0;
    length = pgv_read_int32(list->at);
    if (length < 0 || length > list->end - list->at - 4)
        return 0;
    *data = list->at + 4;
    *size = (uint64_t)length;
    list->at += 4 + length;
    list->left--;
    return 1;
}

/* How many items there are, and how many bytes of text in them. */
static int32_t lists_count(const pgv_rows *rows, int column, const pgv_field *field, int64_t *lists,
                           uint64_t *bytes)
{
    uint64_t i = 0, size;
    const char *data;
    items list;

    *bytes = 0;
    for (cells at = {.rows = rows, .column = column}; cells_next(&at); i++) {
        lists[i + 1] = lists[i];
        if (!at.data)
            continue;
        if (!items_begin(&list, at.data, at.size, pgv_type_item(field->type)))
            return damaged(rows, &at, "the field", field->name);
        lists[i + 1] += (int64_t)list.left;
        while (items_next(&list, &data, &size)) {
            *bytes += size;
            if ((field->type & ~SIMPLUGIN_COLUMN_LIST) != SIMPLUGIN_COLUMN_TEXT &&
                size != item_bytes(field->type))
                return damaged(rows, &at, "the field", field->name);
        }
        if (list.left)
            return damaged(rows, &at, "the field", field->name);
    }
    return SIMPLUGIN_OK;
}

static int32_t lists_read(const pgv_rows *rows, int column, const pgv_field *field,
                          simplugin_column *out)
{
    int is_text = (field->type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_TEXT;
    int64_t *lists = pgv_reply_memory(rows->call, rows->count + 1, sizeof *lists);
    int64_t *offsets = NULL;
    uint64_t bytes, size, i = 0;
    const char *data;
    char *values;
    items list;
    int32_t code;

    if (!lists)
        return pgv_no_memory(rows->call);
    code = lists_count(rows, column, field, lists, &bytes);
    if (code)
        return code;
    values = pgv_reply_memory(rows->call, bytes, 1);
    if (is_text)
        offsets = pgv_reply_memory(rows->call, (uint64_t)lists[rows->count] + 1, sizeof *offsets);
    if (!values || (is_text && !offsets))
        return pgv_no_memory(rows->call);
    for (cells at = {.rows = rows, .column = column}; cells_next(&at);) {
        if (!at.data || !items_begin(&list, at.data, at.size, pgv_type_item(field->type)))
            continue;
        while (items_next(&list, &data, &size)) {
            if (!is_text) {
                item_store(field->type, values, i++, data);
                continue;
            }
            offsets[i + 1] = offsets[i] + (int64_t)size;
            if (size)
                memcpy(values + offsets[i], data, (size_t)size);
            i++;
        }
    }
    out->list_offsets = lists;
    out->offsets = offsets;
    out->values = values;
    return SIMPLUGIN_OK;
}

/* ---- fields --------------------------------------------------------------------------------- */

/* A bit for each row, where one is missing. */
static int32_t valid_read(const pgv_rows *rows, int column, simplugin_column *out)
{
    uint8_t *valid = pgv_reply_memory(rows->call, rows->count / 8 + 1, 1);
    uint64_t i = 0, missing = 0;

    if (!valid)
        return pgv_no_memory(rows->call);
    for (cells at = {.rows = rows, .column = column}; cells_next(&at); i++) {
        if (at.data)
            valid[i / 8] = (uint8_t)(valid[i / 8] | 1u << (i % 8));
        else
            missing++;
    }
    out->valid = missing ? valid : NULL;
    return SIMPLUGIN_OK;
}

static int32_t fields_write(pgv_rows *rows)
{
    int column = 1 + rows->with_vectors;
    int32_t code = SIMPLUGIN_OK;

    simplugin_write_string(&rows->call->out, "fields");
    simplugin_write_map(&rows->call->out, rows->field_count);
    for (uint64_t i = 0; !code && i < rows->field_count; i++, column++) {
        const pgv_field *field = rows->fields[i];
        simplugin_column out = {.type = field->type, .count = rows->count};

        code = valid_read(rows, column, &out);
        if (!code && field->type & SIMPLUGIN_COLUMN_LIST)
            code = lists_read(rows, column, field, &out);
        else if (!code && field->type == SIMPLUGIN_COLUMN_TEXT)
            code = texts_read(rows, column, &out);
        else if (!code)
            code = numbers_read(rows, column, field, &out);
        if (code)
            break;
        simplugin_write_string(&rows->call->out, field->name);
        simplugin_write_column(&rows->call->out, &out);
    }
    return code;
}

/* ---- ids and vectors ------------------------------------------------------------------------ */

static int vector_store(const pgv_collection *collection, const cells *at, float *vector)
{
    uint64_t dimension = collection->dimension, step = collection->vector_type ? 4 : 8;
    uint64_t head = collection->vector_type ? 4 : 20;
    items list;

    if (!at->data || at->size != head + dimension * step)
        return 0;
    if (collection->vector_type ? (uint64_t)pgv_read_int16(at->data) != dimension
                                : !items_begin(&list, at->data, at->size, PGV_FLOAT4))
        return 0;
    /* behind the length of each in an array */
    for (uint64_t i = 0; i < dimension; i++)
        vector[i] = pgv_read_float(at->data + head + i * step + step - 4);
    return 1;
}

static int32_t vectors_write(pgv_rows *rows)
{
    uint64_t dimension = rows->collection->dimension, i = 0;
    float *vectors = pgv_reply_memory(rows->call, rows->count, dimension * sizeof *vectors);
    simplugin_tensor tensor;

    if (!vectors)
        return pgv_no_memory(rows->call);
    for (cells at = {.rows = rows, .column = 1}; cells_next(&at); i++)
        if (!vector_store(rows->collection, &at, vectors + i * dimension))
            return damaged(rows, &at, "the column", "vector");
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, vectors, rows->count, dimension);
    simplugin_write_string(&rows->call->out, "vectors");
    simplugin_write_tensor(&rows->call->out, &tensor);
    return SIMPLUGIN_OK;
}

int32_t pgv_rows_write(pgv_rows *rows, int with_fields)
{
    simplugin_column ids = {.type = SIMPLUGIN_COLUMN_TEXT, .count = rows->count};
    int32_t code = texts_read(rows, 0, &ids);

    if (code)
        return code;
    simplugin_write_string(&rows->call->out, "ids");
    simplugin_write_column(&rows->call->out, &ids);
    if (rows->with_vectors)
        code = vectors_write(rows);
    if (!code && with_fields)
        code = fields_write(rows);
    return code;
}
