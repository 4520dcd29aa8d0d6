/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "expr.h"
#include "instance.h"
#include "json_read.h"
#include "json_write.h"
#include "numbers.h"
#include "pb.h"
#include "zeros.h"

/* What a row costs beside its own bytes: heads and lengths. */
#define ROW_OVERHEAD 24
#define CELL_OVERHEAD 8
/* Of the reply, which repeats the keys and counts the rows: what it costs at most. */
#define REPLY_OVERHEAD 512
#define REPLY_ROW_BYTES 16
/* Of an item in JSON, with quotes and comma; in a field of the schema it has fewer. */
#define TEXT_OVERHEAD 3
#define BOOL_BYTES 6
#define NUMBER_BYTES 25

static uint64_t row_of(const milvus_rows *rows, uint64_t i)
{
    return rows->select ? (uint64_t)rows->select[i] : i;
}

/* The column for a field of the schema; NULL: none is given. */
static const sp_column *column_for(const milvus_rows *rows, const char *name)
{
    for (uint64_t i = 0; i < rows->fields->count; i++)
        if (strcmp(rows->fields->names[i], name) == 0)
            return &rows->fields->columns[i];
    return NULL;
}

/* ---- what the schema takes ---------------------------------------------------------------- */

static int is_finite_column(const sp_column *column)
{
    uint64_t count = column->count;

    if ((column->type & ~SP_LIST) != SP_FLOAT64)
        return 1;
    if (column->type & SP_LIST)
        count = (uint64_t)column->list_offsets[count];
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(((const double *)column->values)[i]) &&
            (column->type & SP_LIST || sp_column_is_valid(column, i)))
            return 0;
    return 1;
}

static int has_values(const milvus_rows *rows, const sp_column *column)
{
    for (uint64_t i = 0; i < rows->count; i++)
        if (sp_column_is_valid(column, row_of(rows, i)))
            return 1;
    return 0;
}

/* Whether a column's item is a number that the type holds. */
static int item_fits(int32_t type, const sp_column *column, uint64_t i)
{
    int64_t high = type == MILVUS_INT8 ? INT8_MAX : type == MILVUS_INT16 ? INT16_MAX : INT32_MAX;
    int64_t integer;

    if (type == MILVUS_FLOAT) {
        double number = ((const double *)column->values)[i];

        return !isfinite(number) || isfinite((float)number);
    }
    integer = ((const int64_t *)column->values)[i];
    return integer <= high && integer >= -high - 1;
}

static int32_t range_fail(milvus_call *call, const milvus_field *field, int32_t type,
                          const sp_column *column, uint64_t i)
{
    char text[40];

    if (type == MILVUS_FLOAT)
        snprintf(text, sizeof text, "%g", ((const double *)column->values)[i]);
    else
        snprintf(text, sizeof text, "%" PRId64, ((const int64_t *)column->values)[i]);
    return plug_fail_argument(&call->base, "fields",
                              "fields: \"%s\" is %s in the collection, which holds no %s",
                              field->name, milvus_type_name(type), text);
}

/* Small types: on its way to the server a number that is too large would become another one. */
static int32_t range_check(milvus_call *call, const milvus_rows *rows, const milvus_field *field,
                           const sp_column *column)
{
    int32_t type = field->type == MILVUS_ARRAY ? field->element_type : field->type;

    if (type != MILVUS_INT8 && type != MILVUS_INT16 && type != MILVUS_INT32 && type != MILVUS_FLOAT)
        return SIMPLUGIN_OK;
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = row_of(rows, i), first = row, last = row + 1;

        if (!sp_column_is_valid(column, row))
            continue;
        if (column->type & SP_LIST) {
            first = (uint64_t)column->list_offsets[row];
            last = (uint64_t)column->list_offsets[row + 1];
        }
        for (uint64_t j = first; j < last; j++)
            if (!item_fits(type, column, j))
                return range_fail(call, field, type, column, j);
    }
    return SIMPLUGIN_OK;
}

/* Milvus counts bytes, Milvus Lite characters. */
static uint64_t text_length(const milvus_call *call, sp_text text)
{
    uint64_t length = 0;

    if (!call->instance->is_lite)
        return text.size;
    for (size_t i = 0; i < text.size; i++)
        length += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return length;
}

/* Texts that are too long, which Milvus refuses when other rows are written already. */
static int32_t texts_check(milvus_call *call, const milvus_rows *rows, const milvus_field *field,
                           const sp_column *column, const char *argument)
{
    if (!field->max_length || (column->type & SP_LIST && call->instance->is_lite))
        return SIMPLUGIN_OK;
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = row_of(rows, i), first = row, last = row + 1;

        if (!sp_column_is_valid(column, row))
            continue;
        if (column->type & SP_LIST) {
            first = (uint64_t)column->list_offsets[row];
            last = (uint64_t)column->list_offsets[row + 1];
        }
        for (uint64_t j = first; j < last; j++) {
            uint64_t length = text_length(call, sp_column_text(column, j));

            if (length > field->max_length)
                return plug_fail_argument(&call->base, argument,
                                          "%s: \"%s\" has %llu %s in row %llu, and the collection "
                                          "takes %llu at most (its max_length)",
                                          argument, field->name, (unsigned long long)length,
                                          call->instance->is_lite ? "characters" : "bytes",
                                          (unsigned long long)row,
                                          (unsigned long long)field->max_length);
        }
    }
    return SIMPLUGIN_OK;
}

static int32_t json_check(milvus_call *call, const milvus_rows *rows, const milvus_field *field,
                          const sp_column *column)
{
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = row_of(rows, i);
        sp_text text;
        plug_json json;

        if (!sp_column_is_valid(column, row))
            continue;
        text = sp_column_text(column, row);
        plug_json_init(&json, text.data, text.size);
        plug_json_skip(&json);
        /* how deep it may be is the server's affair */
        if (!plug_json_end(&json) && json.depth < PLUG_JSON_DEPTH)
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%s\" is no JSON in row %llu: %s at byte %llu",
                                      field->name, (unsigned long long)row, json.problem,
                                      (unsigned long long)json.offset);
    }
    return SIMPLUGIN_OK;
}

/* A field of the schema wants a value of its type in every row, unless it is nullable. */
static int32_t schema_field_check(milvus_call *call, const milvus_rows *rows,
                                  const milvus_field *field)
{
    const sp_column *column = column_for(rows, field->name);
    uint32_t type = milvus_field_column(field);

    if (field == call->schema->key || field == call->schema->vector)
        return column ? plug_fail_argument(&call->base, "fields",
                                           "fields: \"%s\" is the collection's %s", field->name,
                                           field == call->schema->key ? "key" : "vector")
                      : SIMPLUGIN_OK;
    /* the id stands in for it */
    if (call->schema->has_sample_id && strcmp(field->name, MILVUS_SAMPLE_ID) == 0 && !column)
        return rows->ids ? texts_check(call, rows, field, rows->ids, "ids") : SIMPLUGIN_OK;
    if (!type)
        return field->nullable && !(column && has_values(rows, column))
                   ? SIMPLUGIN_OK
                   : plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                               "its field \"%s\" is of type %s, which cannot be written here",
                               field->name, milvus_type_name(field->type));
    if (column && column->type != type && has_values(rows, column))
        return plug_fail_argument(&call->base, "fields", "fields: \"%s\" is %s in the collection, not %s",
                                  field->name, sp_column_type_name(type),
                                  sp_column_type_name(column->type));
    for (uint64_t i = 0; i < rows->count && !field->nullable; i++)
        if (!column || !sp_column_is_valid(column, row_of(rows, i)))
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%s\" has no value in row %llu, and the collection "
                                      "wants one in every row",
                                      field->name, (unsigned long long)row_of(rows, i));
    if (!column || column->type != type)
        return SIMPLUGIN_OK;
    return field->type == MILVUS_JSON ? json_check(call, rows, field, column)
           : (type & ~SP_LIST) == SP_TEXT
               ? texts_check(call, rows, field, column, "fields")
               : range_check(call, rows, field, column);
}

int32_t milvus_rows_check(milvus_call *call, const milvus_rows *rows)
{
    const milvus_schema *schema = call->schema;

    for (uint64_t i = 0; i < schema->field_count; i++) {
        int32_t code = schema_field_check(call, rows, &schema->fields[i]);

        if (code)
            return code;
    }
    if (rows->ids && schema->key->type == MILVUS_VARCHAR) {
        int32_t code = texts_check(call, rows, schema->key, rows->ids, "ids");

        if (code)
            return code;
    }
    for (uint64_t i = 0; i < rows->fields->count; i++) {
        const char *name = rows->fields->names[i];

        if (!is_finite_column(&rows->fields->columns[i]))
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%s\" holds NaN or an infinity, which Milvus cannot "
                                      "store",
                                      name);
        if (strcmp(name, MILVUS_ZERO_MARK) == 0)
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%s\" marks vectors of zeros: give the field "
                                      "another name",
                                      name);
        if (!schema->has_dynamic && !milvus_schema_field(schema, name))
            return plug_fail_argument(&call->base, "fields",
                                      "fields: the collection has no field \"%s\", and takes none "
                                      "that is not in its schema",
                                      name);
    }
    return SIMPLUGIN_OK;
}

/* ---- how large they are -------------------------------------------------------------------- */

static uint64_t cell_bytes(const sp_column *column, uint64_t row)
{
    int64_t first = (int64_t)row, last = (int64_t)row + 1;
    uint64_t items;

    if (!sp_column_is_valid(column, row))
        return 0;
    if (column->type & SP_LIST) {
        first = column->list_offsets[row];
        last = column->list_offsets[row + 1];
    }
    items = (uint64_t)(last - first);
    switch (column->type & ~SP_LIST) {
    case SP_TEXT:
        return CELL_OVERHEAD + items * TEXT_OVERHEAD +
               (uint64_t)(column->offsets[last] - column->offsets[first]);
    case SP_BOOL: return CELL_OVERHEAD + items * BOOL_BYTES;
    default: return CELL_OVERHEAD + items * NUMBER_BYTES;
    }
}

static uint64_t vector_bytes(const milvus_field *vector)
{
    return vector->type == MILVUS_BINARY_VECTOR ? vector->dimension / 8
                                                : vector->dimension * sizeof(float);
}

uint64_t milvus_rows_fit(const milvus_call *call, const milvus_rows *rows, uint64_t first,
                         uint64_t bytes)
{
    int64_t receive = call->instance->settings.max_receive_bytes;
    uint64_t answers = receive > REPLY_OVERHEAD ? (uint64_t)(receive - REPLY_OVERHEAD) : 0;
    uint64_t size = 0, count = 0, answer = 0;

    while (first + count < rows->count) {
        uint64_t row = row_of(rows, first + count);

        answer += REPLY_ROW_BYTES;
        if (rows->ids)
            answer += sp_column_text(rows->ids, row).size;
        size += vector_bytes(call->schema->vector) + ROW_OVERHEAD;
        if (rows->ids)
            size += 2 * sp_column_text(rows->ids, row).size;
        for (uint64_t i = 0; i < rows->fields->count; i++)
            size += cell_bytes(&rows->fields->columns[i], row) + strlen(rows->fields->names[i]);
        if (count && (size > bytes || answer > answers))
            break;
        count++;
    }
    return count;
}

/* ---- the request ------------------------------------------------------------------------- */

typedef struct encoder {
    milvus_call *call;
    const milvus_rows *rows;
    uint64_t first, count;
    sp_buffer out;
} encoder;

static void field_begin(encoder *e, int32_t type, const char *name, size_t *begin)
{
    *begin = pb_begin(&e->out, REQUEST_FIELDS);
    pb_uint(&e->out, FIELD_TYPE, (uint64_t)type);
    pb_text(&e->out, FIELD_NAME, name);
}

/* Which rows of a nullable field have a value. Those that have none take up no place in its
   data, and are told from the others by this alone. */
static void field_end(encoder *e, const milvus_field *field, const sp_column *column, size_t begin)
{
    if (field->nullable) {
        size_t packed = pb_begin(&e->out, FIELD_VALID);

        for (uint64_t i = 0; i < e->count; i++)
            pb_varint(&e->out, (uint64_t)sp_column_is_valid(column, row_of(e->rows, e->first + i)));
        pb_end(&e->out, packed);
    }
    pb_end(&e->out, begin);
}

/* The next row that has a value, from *i on; 0: there is none. */
static int next_row(const encoder *e, const sp_column *column, uint64_t *i, uint64_t *row)
{
    while (*i < e->count) {
        *row = row_of(e->rows, e->first + (*i)++);
        if (sp_column_is_valid(column, *row))
            return 1;
    }
    return 0;
}

/* Texts straight from a column: their sizes are known, so that lengths are written first. */
static void texts_field(encoder *e, const milvus_field *field, const sp_column *column)
{
    uint32_t kind = field->type == MILVUS_JSON ? SCALARS_JSON : SCALARS_STRING;
    size_t begin, size = 0;
    uint64_t row;

    for (uint64_t i = 0; next_row(e, column, &i, &row);)
        size += pb_field_size(DATA, sp_column_text(column, row).size);
    field_begin(e, field->type, field->name, &begin);
    pb_head(&e->out, FIELD_SCALARS, pb_field_size(kind, size));
    pb_head(&e->out, kind, size);
    for (uint64_t i = 0; next_row(e, column, &i, &row);) {
        sp_text text = sp_column_text(column, row);

        pb_bytes(&e->out, DATA, text.data, text.size);
    }
    field_end(e, field, column, begin);
}

/* Keys that are numbers, and shown as text. */
static int32_t keys_field(encoder *e, const char *name)
{
    size_t begin, inner, kind, packed;

    field_begin(e, MILVUS_INT64, name, &begin);
    inner = pb_begin(&e->out, FIELD_SCALARS);
    kind = pb_begin(&e->out, SCALARS_LONG);
    packed = pb_begin(&e->out, DATA);
    for (uint64_t i = 0; i < e->count; i++) {
        sp_text id = sp_column_text(e->rows->ids, row_of(e->rows, e->first + i));
        int64_t key;
        int32_t code = milvus_key_number(&e->call->base, id, &key);

        if (code)
            return code;
        pb_varint(&e->out, (uint64_t)key);
    }
    pb_end(&e->out, packed);
    pb_end(&e->out, kind);
    pb_end(&e->out, inner);
    pb_end(&e->out, begin);
    return SIMPLUGIN_OK;
}

/* The items of a scalar's data, from `from` to `to`; which packed form the type has. */
static void items_write(encoder *e, int32_t type, const sp_column *column, uint64_t from,
                        uint64_t to)
{
    size_t begin = 0, packed;

    switch (type) {
    case MILVUS_BOOL: begin = pb_begin(&e->out, SCALARS_BOOL); break;
    case MILVUS_INT64: begin = pb_begin(&e->out, SCALARS_LONG); break;
    case MILVUS_FLOAT: begin = pb_begin(&e->out, SCALARS_FLOAT); break;
    case MILVUS_DOUBLE: begin = pb_begin(&e->out, SCALARS_DOUBLE); break;
    case MILVUS_VARCHAR:
    case MILVUS_STRING: begin = pb_begin(&e->out, SCALARS_STRING); break;
    default: begin = pb_begin(&e->out, SCALARS_INT);
    }
    if (type == MILVUS_VARCHAR || type == MILVUS_STRING) {
        for (uint64_t i = from; i < to; i++)
            pb_bytes(&e->out, DATA, sp_column_text(column, i).data, sp_column_text(column, i).size);
        pb_end(&e->out, begin);
        return;
    }
    packed = pb_begin(&e->out, DATA);
    for (uint64_t i = from; i < to; i++) {
        if (type == MILVUS_BOOL) {
            pb_varint(&e->out, ((const uint8_t *)column->values)[i] != 0);
        } else if (type == MILVUS_FLOAT) {
            float value = (float)((const double *)column->values)[i];

            sp_buffer_append(&e->out, &value, sizeof value);
        } else if (type == MILVUS_DOUBLE) {
            sp_buffer_append(&e->out, &((const double *)column->values)[i], sizeof(double));
        } else {
            pb_varint(&e->out, (uint64_t)((const int64_t *)column->values)[i]);
        }
    }
    pb_end(&e->out, packed);
    pb_end(&e->out, begin);
}

/* Numbers and booleans, row by row. */
static void numbers_field(encoder *e, const milvus_field *field, const sp_column *column)
{
    size_t begin, inner, kind, packed;
    uint64_t row;

    field_begin(e, field->type, field->name, &begin);
    inner = pb_begin(&e->out, FIELD_SCALARS);
    kind = pb_begin(&e->out, field->type == MILVUS_BOOL     ? SCALARS_BOOL
                             : field->type == MILVUS_INT64  ? SCALARS_LONG
                             : field->type == MILVUS_FLOAT  ? SCALARS_FLOAT
                             : field->type == MILVUS_DOUBLE ? SCALARS_DOUBLE
                                                            : SCALARS_INT);
    packed = pb_begin(&e->out, DATA);
    for (uint64_t i = 0; next_row(e, column, &i, &row);) {
        if (field->type == MILVUS_FLOAT) {
            float value = (float)((const double *)column->values)[row];

            sp_buffer_append(&e->out, &value, sizeof value);
        } else if (field->type == MILVUS_DOUBLE) {
            sp_buffer_append(&e->out, &((const double *)column->values)[row], sizeof(double));
        } else if (field->type == MILVUS_BOOL) {
            pb_varint(&e->out, ((const uint8_t *)column->values)[row] != 0);
        } else {
            pb_varint(&e->out, (uint64_t)((const int64_t *)column->values)[row]);
        }
    }
    pb_end(&e->out, packed);
    pb_end(&e->out, kind);
    pb_end(&e->out, inner);
    field_end(e, field, column, begin);
}

static void lists_field(encoder *e, const milvus_field *field, const sp_column *column)
{
    size_t begin, inner, kind, item;
    uint64_t row;

    field_begin(e, field->type, field->name, &begin);
    inner = pb_begin(&e->out, FIELD_SCALARS);
    kind = pb_begin(&e->out, SCALARS_ARRAY);
    for (uint64_t i = 0; next_row(e, column, &i, &row);) {
        item = pb_begin(&e->out, DATA);
        items_write(e, field->element_type, column, (uint64_t)column->list_offsets[row],
                    (uint64_t)column->list_offsets[row + 1]);
        pb_end(&e->out, item);
    }
    pb_uint(&e->out, ELEMENT_TYPE, (uint64_t)field->element_type);
    pb_end(&e->out, kind);
    pb_end(&e->out, inner);
    field_end(e, field, column, begin);
}

static void schema_field_write(encoder *e, const milvus_field *field)
{
    const sp_column *column = column_for(e->rows, field->name);

    if (!column && e->call->schema->has_sample_id && strcmp(field->name, MILVUS_SAMPLE_ID) == 0)
        column = e->rows->ids;
    if (!column || !milvus_field_column(field))
        return;
    if (field->type == MILVUS_VARCHAR || field->type == MILVUS_STRING || field->type == MILVUS_JSON)
        texts_field(e, field, column);
    else if (field->type == MILVUS_ARRAY)
        lists_field(e, field, column);
    else
        numbers_field(e, field, column);
}

static int is_zero(const encoder *e, uint64_t i)
{
    uint64_t row = row_of(e->rows, e->first + i);

    return !e->rows->bits && milvus_zeros_mark(e->call, e->rows->vectors->data + row * e->rows->vectors->stride);
}

/* All that the schema does not name, a JSON object for each row. */
static void dynamic_field(encoder *e)
{
    const plug_columns *fields = e->rows->fields;
    const char **keys;
    uint64_t extra = 0;
    size_t begin, inner, kind, row_begin;

    for (uint64_t i = 0; i < fields->count; i++)
        extra += !milvus_schema_field(e->call->schema, fields->names[i]);
    for (uint64_t i = 0; !extra && i < e->count; i++)
        extra += (uint64_t)is_zero(e, i);
    if (!extra)
        return;
    keys = plug_scratch(&e->call->base, fields->count + 1, sizeof *keys);
    e->out.failed |= !keys;
    for (uint64_t i = 0; keys && i < fields->count; i++) {
        keys[i] = milvus_dynamic_key(&e->call->base, fields->names[i], strlen(fields->names[i]));
        e->out.failed |= !keys[i];
    }
    if (e->out.failed)
        return;
    field_begin(e, MILVUS_JSON, NULL, &begin);
    pb_uint(&e->out, FIELD_DYNAMIC, 1);
    inner = pb_begin(&e->out, FIELD_SCALARS);
    kind = pb_begin(&e->out, SCALARS_JSON);
    for (uint64_t i = 0; i < e->count; i++) {
        uint64_t row = row_of(e->rows, e->first + i);
        int is_first = 1;

        row_begin = pb_begin(&e->out, DATA);
        sp_buffer_append(&e->out, "{", 1);
        for (uint64_t j = 0; j < fields->count; j++)
            if (!milvus_schema_field(e->call->schema, fields->names[j]) &&
                sp_column_is_valid(&fields->columns[j], row))
                plug_json_cell(&e->out, &is_first, keys[j], &fields->columns[j], row);
        if (is_zero(e, i))
            sp_buffer_printf(&e->out, "%s\"" MILVUS_ZERO_MARK "\":true", is_first ? "" : ",");
        sp_buffer_append(&e->out, "}", 1);
        pb_end(&e->out, row_begin);
    }
    pb_end(&e->out, kind);
    pb_end(&e->out, inner);
    pb_end(&e->out, begin);
}

/* The heads of the vector field; its numbers are the request's second part. */
static void vector_head(encoder *e, size_t bytes)
{
    const milvus_field *field = e->call->schema->vector;
    uint32_t kind = e->rows->bits ? VECTORS_BINARY : VECTORS_FLOAT;
    /* binary vectors are bytes, floats stand in a message of their own */
    size_t inner = e->rows->bits ? bytes : pb_field_size(DATA, bytes);
    size_t vectors = pb_field_size(kind, inner) + 1 + pb_varint_size(field->dimension);
    size_t name = strlen(field->name);

    pb_head(&e->out, REQUEST_FIELDS,
            1 + pb_varint_size((uint64_t)field->type) + pb_field_size(FIELD_NAME, name) +
                pb_field_size(FIELD_VECTORS, vectors));
    pb_uint(&e->out, FIELD_TYPE, (uint64_t)field->type);
    pb_bytes(&e->out, FIELD_NAME, field->name, name);
    pb_head(&e->out, FIELD_VECTORS, vectors);
    pb_uint(&e->out, VECTORS_DIM, field->dimension);
    pb_head(&e->out, kind, inner);
    if (!e->rows->bits)
        pb_head(&e->out, DATA, bytes);
}

/* All at once where the rows follow each other. */
static void vectors_copy(const encoder *e, uint8_t *to)
{
    uint64_t bytes = vector_bytes(e->call->schema->vector);
    const uint8_t *from = e->rows->bits ? e->rows->bits->data
                                        : (const uint8_t *)e->rows->vectors->data;
    uint64_t stride = e->rows->bits ? simplugin_tensor_stride(e->rows->bits)
                                    : e->rows->vectors->stride * sizeof(float);

    if (!e->rows->select && stride == bytes) {
        memcpy(to, from + e->first * bytes, (size_t)(e->count * bytes));
        return;
    }
    for (uint64_t i = 0; i < e->count; i++)
        memcpy(to + i * bytes, from + row_of(e->rows, e->first + i) * stride, (size_t)bytes);
}

int32_t milvus_rows_encode(milvus_call *call, const milvus_rows *rows, uint64_t first,
                           uint64_t count, milvus_rpc *rpc)
{
    const milvus_schema *schema = call->schema;
    encoder e = {.call = call, .rows = rows, .first = first, .count = count};
    size_t bytes = (size_t)(count * vector_bytes(schema->vector));
    uint8_t *numbers = malloc(bytes + 1);
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&e.out);
    pb_text(&e.out, REQUEST_DB, call->instance->settings.db_name);
    pb_text(&e.out, REQUEST_COLLECTION, call->collection);
    pb_text(&e.out, REQUEST_PARTITION, rows->partition);
    pb_uint(&e.out, REQUEST_ROWS, count);
    if (rows->ids && schema->key->type == MILVUS_INT64)
        code = keys_field(&e, schema->key->name);
    else if (rows->ids)
        texts_field(&e, schema->key, rows->ids);
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (&schema->fields[i] != schema->key && &schema->fields[i] != schema->vector)
            schema_field_write(&e, &schema->fields[i]);
    if (schema->has_dynamic)
        dynamic_field(&e);
    vector_head(&e, bytes);
    if (!code && (!numbers || e.out.failed))
        code = plug_no_memory(&call->base);
    if (code) {
        free(numbers);
        sp_buffer_clear(&e.out);
        return code;
    }
    vectors_copy(&e, numbers);
    milvus_rpc_take(rpc, e.out.data, e.out.size);
    milvus_rpc_take(rpc, numbers, bytes);
    return SIMPLUGIN_OK;
}
