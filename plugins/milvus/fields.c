/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "fields.h"

#include "plug_fields_json.h"
#include "zeros.h"

#define ROWS_PER_CHECK 1024

typedef struct table {
    milvus_call *call;
    plug_fields_rules rules;
    plug_fields fields;
    sp_text *json; /* of each row, an object; no data where it has none */
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

/* ---- names ------------------------------------------------------------------------------ */

static int is_shown(const void *context, const char *name)
{
    return milvus_field_is_shown(context, name);
}

static uint32_t declared(const void *context, const char *name)
{
    return milvus_declared_type(context, name);
}

/* A key that is one of the schema's fields, which other clients may write there, holds none. */
static int key_name(const void *context, sp_text key, sp_text *name)
{
    const milvus_schema *schema = context;
    size_t skip = milvus_dynamic_skip(key.data, key.size);

    name->data = key.data + skip;
    name->size = key.size - skip;
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (plug_text_is(*name, schema->fields[i].name))
            return 0;
    return 1;
}

/* ---- types ------------------------------------------------------------------------------ */

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
        return wanted & SP_LIST ? wanted : column->type ? item | SP_LIST : PLUG_EMPTY_LIST;
    return column->is_list ? item | SP_LIST : item;
}

/* The first time through: finds out which columns of which types there are. */
static int32_t row_look(table *t, const milvus_row *row, uint64_t i)
{
    uint64_t columns = row->page ? row->page->column_count : 0;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t c = 0; !code && c < columns; c++) {
        const milvus_page_column *column = &row->page->columns[c];
        int is_object = 0;

        if (!column->is_dynamic) {
            if (column->count && !(column->valid && !column->valid[row->row]))
                code = plug_fields_note(&t->fields, column->name, strlen(column->name),
                                        column_type(t, column));
            continue;
        }
        /* one has all of them; "{}" has none */
        if (t->json[i].data || !column->texts || column->is_list || row->row >= column->count ||
            column->texts[row->row].size <= 2)
            continue;
        code = plug_fields_note_json(&t->fields, column->texts[row->row], key_name, &is_object);
        if (is_object)
            t->json[i] = column->texts[row->row];
    }
    return code;
}

/* ---- filling ------------------------------------------------------------------------------- */

static void cell_put(plug_field *field, uint64_t i, const milvus_page_column *column, uint64_t row)
{
    uint64_t first = row, last = row + 1;

    int has_values = column->texts || column->doubles || column->integers || column->is_list;

    /* a column has one type, and a row one column of a name: no server does otherwise */
    if (field->is_mixed || !has_values || !plug_field_begin(field, i))
        return;
    if (column->is_list) {
        first = column->lists[row];
        last = column->lists[row + 1];
    }
    for (uint64_t j = first; j < last; j++) {
        if (column->texts)
            plug_field_text(field, column->texts[j].data, column->texts[j].size);
        else if (column->doubles)
            plug_field_double(field, column->doubles[j]);
        else if (column->integers)
            plug_field_int64(field, column->integers[j]);
    }
    plug_field_end(field);
}

static int32_t row_fill(table *t, const milvus_row *row, uint64_t i)
{
    uint64_t columns = row->page ? row->page->column_count : 0;

    for (uint64_t c = 0; c < columns; c++) {
        const milvus_page_column *column = &row->page->columns[c];
        plug_field *field;

        if (column->is_dynamic || !column->count || (column->valid && !column->valid[row->row]))
            continue;
        field = plug_fields_find(&t->fields, column->name, strlen(column->name));
        if (field)
            cell_put(field, i, column, row->row);
    }
    return t->json[i].data ? plug_fields_put_json(&t->fields, i, t->json[i], key_name)
                           : SIMPLUGIN_OK;
}

/* ---- the columns -------------------------------------------------------------------------- */

static int32_t table_init(table *t, milvus_call *call, const plug_names *names, uint64_t count)
{
    t->call = call;
    t->rules.context = call->schema;
    t->rules.names = names;
    t->rules.is_shown = is_shown;
    t->rules.declared = declared;
    plug_fields_init(&t->fields, &call->base, &t->rules);
    t->json = plug_scratch(&call->base, count + 1, sizeof *t->json);
    return t->json ? SIMPLUGIN_OK : plug_no_memory(&call->base);
}

int32_t milvus_fields_read(milvus_call *call, const milvus_row *rows, uint64_t count,
                           const plug_names *names, plug_columns *columns)
{
    table t;
    int32_t code = table_init(&t, call, names, count);

    memset(columns, 0, sizeof *columns);
    for (uint64_t i = 0; !code && i < count; i++) {
        code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);
        if (!code)
            code = row_look(&t, &rows[i], i);
    }
    if (!code)
        plug_fields_settle(&t.fields);
    for (uint64_t i = 0; !code && i < count; i++)
        code = row_fill(&t, &rows[i], i);
    if (!code)
        code = plug_fields_finish(&t.fields, count, columns);
    plug_fields_clear(&t.fields);
    return code;
}

int32_t milvus_fields_write(milvus_call *call, const milvus_row *rows, uint64_t count,
                            const plug_names *names)
{
    plug_columns columns;
    int32_t code = milvus_fields_read(call, rows, count, names, &columns);

    if (!code)
        plug_columns_write(&call->base, &columns);
    return code;
}

int32_t milvus_fields_see(milvus_call *call, const milvus_page *page, plug_seen *seen)
{
    static const plug_names all = {.all = 1};
    uint64_t kept = 0;
    table t;
    int32_t code = table_init(&t, call, &all, page->count);

    memset(seen, 0, sizeof *seen);
    for (uint64_t i = 0; !code && i < page->count; i++) {
        milvus_row row = {page, i};

        code = row_look(&t, &row, i);
    }
    if (!code)
        code = plug_fields_seen(&t.fields, seen);
    for (uint64_t i = 0; i < seen->count; i++) {
        if (milvus_schema_field(call->schema, seen->names[i]))
            continue;
        seen->names[kept] = seen->names[i];
        seen->types[kept++] = seen->types[i];
    }
    seen->count = kept;
    plug_fields_clear(&t.fields);
    return code;
}
