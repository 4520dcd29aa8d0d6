/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "fields.h"

#include <stdlib.h>

#include "buffer.h"
#include "zeros.h"

#define ANY_LIST SP_LIST /* an empty list: of what, another row may tell */
#define ROWS_PER_CHECK 1024

/* A column while it is found out what is in it, and then filled. */
typedef struct builder {
    const char *name;
    uint32_t type;   /* 0: no value yet */
    int is_mixed;    /* values of several types: all of them as the text of JSON */
    uint64_t rows;   /* of the reply, filled so far */
    uint64_t items;
    sp_buffer values, offsets, lists, valid;
} builder;

typedef struct table {
    milvus_call *call;
    const plug_names *names;
    builder *builders;
    uint64_t count, capacity;
    json_t **json;   /* of each row, NULL where it has none */
    uint64_t last;   /* where the name before was found: the next is often behind it */
} table;

uint32_t milvus_declared_type(const milvus_schema *schema, const char *name)
{
    for (uint64_t i = 0; i < schema->declared_count; i++)
        if (strcmp(schema->declared[i].name, name) == 0)
            return (uint32_t)schema->declared[i].type;
    return 0;
}

int milvus_field_is_shown(const milvus_schema *schema, const char *name)
{
    const milvus_field *field = milvus_schema_field(schema, name);

    if (strcmp(name, MILVUS_ZERO_MARK) == 0)
        return 0;
    return !field || (field != schema->key && field != schema->vector &&
                      milvus_field_column(field) &&
                      !(schema->has_sample_id && schema->is_ours && !schema->is_patches &&
                        strcmp(name, MILVUS_SAMPLE_ID) == 0));
}

/* ---- types ---------------------------------------------------------------------------- */

static uint32_t item_type(const json_t *value)
{
    if (json_is_string(value))
        return SP_TEXT;
    if (json_is_integer(value))
        return SP_INT64;
    if (json_is_real(value))
        return SP_FLOAT64;
    return json_is_boolean(value) ? SP_BOOL : 0;
}

/* 0: no value; SP_LIST alone: an empty list; UINT32_MAX: nothing of ours. */
static uint32_t value_type(const json_t *value)
{
    uint32_t type = item_type(value);
    uint32_t item = 0;

    if (type || json_is_null(value))
        return type;
    if (!json_is_array(value))
        return UINT32_MAX;
    for (size_t i = 0; i < json_array_size(value); i++) {
        uint32_t next = item_type(json_array_get(value, i));

        if (next == SP_FLOAT64 && item == SP_INT64)
            item = SP_FLOAT64;
        else if (!(next == SP_INT64 && item == SP_FLOAT64) && item && item != next)
            return UINT32_MAX;
        else if (!item)
            item = next;
        if (!next)
            return UINT32_MAX;
    }
    return SP_LIST | item;
}

static void type_join(builder *b, uint32_t type)
{
    if (!type || b->is_mixed || type == b->type)
        return;
    if (type == UINT32_MAX)
        b->is_mixed = 1;
    else if (!b->type || b->type == ANY_LIST)
        b->is_mixed = b->type == ANY_LIST && !(type & SP_LIST);
    else if (type == ANY_LIST)
        b->is_mixed = !(b->type & SP_LIST);
    else if ((type ^ b->type) == (SP_INT64 ^ SP_FLOAT64)) {
        type = SP_FLOAT64 | (type & SP_LIST);
        b->is_mixed = (type & SP_LIST) != (b->type & SP_LIST);
    } else
        b->is_mixed = 1;
    if (b->is_mixed)
        b->type = SP_TEXT;
    else if (type != ANY_LIST || !b->type)
        b->type = type;
}

/* The type of a page's column. Where all of its lists are empty the schema knows it better. */
static uint32_t column_type(const table *t, const milvus_page_column *column)
{
    const milvus_field *field = milvus_schema_field(t->call->schema, column->name);
    uint32_t wanted = field ? milvus_field_column(field) : 0;
    uint32_t item = column->texts      ? SP_TEXT
                    : column->doubles  ? SP_FLOAT64
                    : column->integers ? SP_INT64
                                       : 0;

    if (column->type == MILVUS_BOOL && column->integers)
        item = SP_BOOL;
    if (column->is_list && !column->item_count)
        return wanted & SP_LIST ? wanted : column->type ? item | SP_LIST : ANY_LIST;
    return column->is_list ? item | SP_LIST : item;
}

/* ---- which columns there are ----------------------------------------------------------- */

static int is_wanted(const table *t, const char *name)
{
    if (t->names->all)
        return milvus_field_is_shown(t->call->schema, name);
    for (uint64_t i = 0; i < t->names->count; i++)
        if (strcmp(t->names->names[i], name) == 0)
            return milvus_field_is_shown(t->call->schema, name);
    return 0;
}

static builder *builder_find(table *t, const char *name)
{
    for (uint64_t i = 0; i < t->count; i++) {
        uint64_t at = (t->last + 1 + i) % t->count;

        if (strcmp(t->builders[at].name, name) == 0) {
            t->last = at;
            return &t->builders[at];
        }
    }
    return NULL;
}

/* One more column; NULL: no memory. */
static builder *builder_add(table *t, const char *name)
{
    builder *b;

    if (t->count == t->capacity) {
        uint64_t capacity = t->capacity ? t->capacity * 2 : 8;
        builder *more = realloc(t->builders, (size_t)capacity * sizeof *more);

        if (!more)
            return NULL;
        t->builders = more;
        t->capacity = capacity;
    }
    b = &t->builders[t->count];
    memset(b, 0, sizeof *b);
    sp_buffer_init(&b->values);
    sp_buffer_init(&b->offsets);
    sp_buffer_init(&b->lists);
    sp_buffer_init(&b->valid);
    b->name = sp_arena_text(&t->call->base.scratch, name, strlen(name));
    if (!b->name)
        return NULL;
    t->last = t->count++;
    return b;
}

static int32_t type_note(table *t, const char *name, uint32_t type)
{
    builder *b;

    if (!is_wanted(t, name))
        return SIMPLUGIN_OK;
    b = builder_find(t, name);
    if (!b)
        b = builder_add(t, name);
    if (!b)
        return plug_no_memory(&t->call->base);
    type_join(b, type);
    return SIMPLUGIN_OK;
}

/* Whether a key of the JSON is none of the schema's fields, which other clients may write there. */
static int is_dynamic(const table *t, const char *key)
{
    return !milvus_schema_field(t->call->schema, milvus_dynamic_name(key));
}

/* *json is NULL where a row has nothing beside the schema's fields, and where that is no object. */
static int32_t row_json(milvus_call *call, const milvus_page_column *column, uint64_t row,
                        json_t **json)
{
    const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
    json_error_t error;
    const sp_text *text;
    enum json_error_code code;

    if (!column->texts || column->is_list || row >= column->count || column->texts[row].size <= 2)
        return SIMPLUGIN_OK;
    text = &column->texts[row];
    *json = json_loadb(text->data, text->size, flags, &error);
    /* integers that no int64 holds, of other clients: better as floats than not at all */
    if (!*json && json_error_code(&error) == json_error_numeric_overflow)
        *json = json_loadb(text->data, text->size, flags | JSON_DECODE_INT_AS_REAL, &error);
    if (!*json) {
        code = json_error_code(&error);
        /* where it has no memory jansson mostly says nothing */
        return code == json_error_unknown || code == json_error_out_of_memory
                   ? plug_no_memory(&call->base)
                   : SIMPLUGIN_OK;
    }
    if (!json_is_object(*json)) {
        json_decref(*json);
        *json = NULL;
    }
    return SIMPLUGIN_OK;
}

/* The first time through: parses, and finds out which columns of which types there are. */
static int32_t row_look(table *t, const milvus_row *row, uint64_t i)
{
    uint64_t columns = row->page ? row->page->column_count : 0;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t c = 0; !code && c < columns; c++) {
        const milvus_page_column *column = &row->page->columns[c];
        const char *key;
        json_t *value;

        if (!column->is_dynamic) {
            if (column->count && !(column->valid && !column->valid[row->row]))
                code = type_note(t, column->name, column_type(t, column));
            continue;
        }
        if (t->json[i])
            continue; /* one has all of them */
        code = row_json(t->call, column, row->row, &t->json[i]);
        json_object_foreach(t->json[i], key, value)
            if (!code && is_dynamic(t, key))
                code = type_note(t, milvus_dynamic_name(key), value_type(value));
    }
    return code;
}

/* ---- filling ------------------------------------------------------------------------------- */

static void offset_put(sp_buffer *offsets, uint64_t value)
{
    int64_t number = (int64_t)value;

    sp_buffer_append(offsets, &number, sizeof number);
}

static void text_put(builder *b, const char *data, size_t size)
{
    if (size)
        sp_buffer_append(&b->values, data, size);
    offset_put(&b->offsets, b->values.size);
    b->items++;
}

static void integer_put(builder *b, int64_t value)
{
    double number = (double)value;
    uint8_t byte = value != 0;

    if ((b->type & ~SP_LIST) == SP_BOOL)
        sp_buffer_append(&b->values, &byte, 1);
    else if ((b->type & ~SP_LIST) == SP_FLOAT64)
        sp_buffer_append(&b->values, &number, sizeof number);
    else
        sp_buffer_append(&b->values, &value, sizeof value);
    b->items++;
}

static void double_put(builder *b, double value)
{
    sp_buffer_append(&b->values, &value, sizeof value);
    b->items++;
}

/* What stands in the place of a missing value. */
static void filler_put(builder *b)
{
    if (b->type & SP_LIST)
        return;
    if (b->type == SP_TEXT)
        text_put(b, NULL, 0);
    else
        integer_put(b, 0);
}

/* Ends rows without a value up to the one before i. */
static void rows_pad(builder *b, uint64_t i)
{
    for (; b->rows < i; b->rows++) {
        filler_put(b);
        if (b->type & SP_LIST)
            offset_put(&b->lists, b->items);
    }
}

/* Begins row i, which has a value. */
static void row_begin(builder *b, uint64_t i)
{
    rows_pad(b, i);
    while (b->valid.size <= i / 8 && !b->valid.failed)
        sp_buffer_append(&b->valid, "", 1);
    if (!b->valid.failed)
        b->valid.data[i / 8] |= (uint8_t)(1 << i % 8);
}

static void row_end(builder *b)
{
    b->rows++;
    if (b->type & SP_LIST)
        offset_put(&b->lists, b->items);
}

static void json_item_put(builder *b, const json_t *value)
{
    if (json_is_string(value))
        text_put(b, json_string_value(value), json_string_length(value));
    else if (json_is_real(value))
        double_put(b, json_real_value(value));
    else
        integer_put(b, json_is_integer(value) ? json_integer_value(value) : json_is_true(value));
}

static void json_put(builder *b, uint64_t i, const json_t *value)
{
    if (json_is_null(value))
        return;
    row_begin(b, i);
    if (b->is_mixed && !json_is_string(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        text_put(b, text, text ? strlen(text) : 0);
        b->values.failed |= !text;
        free(text);
    } else if (json_is_array(value)) {
        for (size_t j = 0; j < json_array_size(value); j++)
            json_item_put(b, json_array_get(value, j));
    } else {
        json_item_put(b, value);
    }
    row_end(b);
}

static void cell_put(builder *b, uint64_t i, const milvus_page_column *column, uint64_t row)
{
    uint64_t first = row, last = row + 1;

    if (column->is_list) {
        first = column->lists[row];
        last = column->lists[row + 1];
    }
    row_begin(b, i);
    for (uint64_t j = first; j < last; j++) {
        if (column->texts)
            text_put(b, column->texts[j].data, column->texts[j].size);
        else if (column->doubles)
            double_put(b, column->doubles[j]);
        else if (column->integers)
            integer_put(b, column->integers[j]);
    }
    row_end(b);
}

static void row_fill(table *t, const milvus_row *row, uint64_t i)
{
    uint64_t columns = row->page ? row->page->column_count : 0;
    const char *key;
    json_t *value;
    builder *b;

    for (uint64_t c = 0; c < columns; c++) {
        const milvus_page_column *column = &row->page->columns[c];

        if (column->is_dynamic || !column->count || (column->valid && !column->valid[row->row]))
            continue;
        b = builder_find(t, column->name);
        /* two columns of one name, of which no server knows */
        if (b && b->rows <= i && !b->is_mixed)
            cell_put(b, i, column, row->row);
    }
    json_object_foreach(t->json[i], key, value) {
        b = is_dynamic(t, key) ? builder_find(t, milvus_dynamic_name(key)) : NULL;
        if (b && b->rows <= i)
            json_put(b, i, value);
    }
}

/* ---- the columns -------------------------------------------------------------------------- */

static void builder_clear(builder *b)
{
    sp_buffer_clear(&b->values);
    sp_buffer_clear(&b->offsets);
    sp_buffer_clear(&b->lists);
    sp_buffer_clear(&b->valid);
}

/* Bytes in memory of the reply, zeroes where there are too few. */
static void *reply_copy(plug_call *call, const sp_buffer *from, uint64_t size)
{
    uint8_t *copy = plug_reply_array(call, size + 1, 1);

    if (copy && from->size)
        memcpy(copy, from->data, from->size < size ? from->size : (size_t)size);
    return copy;
}

static int32_t column_finish(table *t, builder *b, uint64_t count, sp_column *column)
{
    plug_call *call = &t->call->base;

    rows_pad(b, count);
    memset(column, 0, sizeof *column);
    column->count = count;
    column->type = b->type;
    if (b->values.failed || b->offsets.failed || b->lists.failed || b->valid.failed)
        return plug_no_memory(call);
    column->values = reply_copy(call, &b->values, b->values.size);
    column->valid = reply_copy(call, &b->valid, count / 8 + 1);
    if ((b->type & ~SP_LIST) == SP_TEXT)
        column->offsets = reply_copy(call, &b->offsets, b->offsets.size);
    if (b->type & SP_LIST)
        column->list_offsets = reply_copy(call, &b->lists, b->lists.size);
    return column->values && column->valid &&
                   ((b->type & ~SP_LIST) != SP_TEXT || column->offsets) &&
                   (!(b->type & SP_LIST) || column->list_offsets)
               ? SIMPLUGIN_OK
               : plug_no_memory(call);
}

static void table_clear(table *t, uint64_t rows)
{
    for (uint64_t i = 0; i < t->count; i++)
        builder_clear(&t->builders[i]);
    free(t->builders);
    for (uint64_t i = 0; t->json && i < rows; i++)
        json_decref(t->json[i]);
}

/* A column that no value gave a type: the declared one, where its rows can have that. */
static void type_settle(const table *t, builder *b)
{
    uint32_t declared = milvus_declared_type(t->call->schema, b->name);

    if (!b->type)
        b->type = declared ? declared : SP_TEXT;
    else if (b->type == ANY_LIST)
        b->type = declared & SP_LIST ? declared : SP_TEXT | SP_LIST;
}

/* The second time through, with all types known. */
static int32_t table_fill(table *t, const milvus_row *rows, uint64_t count, plug_columns *columns)
{
    plug_call *call = &t->call->base;
    int32_t code = SIMPLUGIN_OK;

    columns->names = plug_scratch(call, t->count + 1, sizeof *columns->names);
    columns->columns = plug_scratch(call, t->count + 1, sizeof *columns->columns);
    if (!columns->names || !columns->columns)
        return plug_no_memory(call);
    for (uint64_t i = 0; i < t->count; i++) {
        builder *b = &t->builders[i];

        type_settle(t, b);
        /* offsets begin with a zero */
        if ((b->type & ~SP_LIST) == SP_TEXT)
            offset_put(&b->offsets, 0);
        if (b->type & SP_LIST)
            offset_put(&b->lists, 0);
    }
    for (uint64_t i = 0; i < count; i++)
        row_fill(t, &rows[i], i);
    for (uint64_t i = 0; !code && i < t->count; i++) {
        columns->names[i] = t->builders[i].name;
        code = column_finish(t, &t->builders[i], count, &columns->columns[i]);
        columns->count++;
    }
    return code;
}

int32_t milvus_fields_read(milvus_call *call, const milvus_row *rows, uint64_t count,
                           const plug_names *names, plug_columns *columns)
{
    table t = {.call = call, .names = names};
    int32_t code = SIMPLUGIN_OK;

    memset(columns, 0, sizeof *columns);
    t.json = plug_scratch(&call->base, count + 1, sizeof *t.json);
    if (!t.json)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; !code && i < count; i++) {
        code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);
        if (!code)
            code = row_look(&t, &rows[i], i);
    }
    if (!code)
        code = table_fill(&t, rows, count, columns);
    table_clear(&t, count);
    return code;
}

int32_t milvus_fields_write(milvus_call *call, const milvus_row *rows, uint64_t count,
                            const plug_names *names)
{
    plug_columns columns;
    int32_t code = milvus_fields_read(call, rows, count, names, &columns);

    if (code)
        return code;
    simplugin_write_string(&call->base.out, "fields");
    simplugin_write_map(&call->base.out, columns.count);
    for (uint64_t i = 0; i < columns.count; i++) {
        simplugin_write_string(&call->base.out, columns.names[i]);
        simplugin_write_column(&call->base.out, &columns.columns[i]);
    }
    return SIMPLUGIN_OK;
}

int32_t milvus_fields_see(milvus_call *call, const milvus_page *page, milvus_seen *seen)
{
    static const plug_names all = {.all = 1};
    table t = {.call = call, .names = &all};
    int32_t code = SIMPLUGIN_OK;

    memset(seen, 0, sizeof *seen);
    t.json = plug_scratch(&call->base, page->count + 1, sizeof *t.json);
    if (!t.json)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; !code && i < page->count; i++) {
        milvus_row row = {page, i};

        code = row_look(&t, &row, i);
    }
    seen->names = plug_scratch(&call->base, t.count + 1, sizeof *seen->names);
    seen->types = plug_scratch(&call->base, t.count + 1, sizeof *seen->types);
    if (!code && (!seen->names || !seen->types))
        code = plug_no_memory(&call->base);
    for (uint64_t i = 0; !code && i < t.count; i++)
        if (t.builders[i].type && t.builders[i].type != ANY_LIST &&
            !milvus_schema_field(call->schema, t.builders[i].name)) {
            seen->names[seen->count] = t.builders[i].name;
            seen->types[seen->count++] = t.builders[i].type;
        }
    table_clear(&t, page->count);
    return code;
}
