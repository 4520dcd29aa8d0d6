/* SPDX-License-Identifier: Apache-2.0 */
/* Setting fields of rows that are there. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

/* A row of the snapshot and which of the caller's rows sets it. */
typedef struct target {
    uint64_t row;
    uint64_t input;
} target;

typedef struct setting {
    const flat_rows *rows;
    uint64_t updated;
    /* Of the transaction at work. */
    flat_snapshot *snapshot;
    target *targets;
    uint64_t count;
    uint32_t *numbers; /* of the caller's columns; UINT32_MAX: a field nobody has */
} setting;

static uint64_t input_row(const flat_rows *rows, uint64_t i)
{
    return rows->select ? (uint64_t)rows->select[i] : i;
}

static int by_row(const void *a, const void *b)
{
    const target *x = a, *y = b;

    return (x->row > y->row) - (x->row < y->row);
}

static int32_t find_targets(setting *set, simplugin_error **error)
{
    for (uint64_t i = 0; i < set->rows->count; i++) {
        uint64_t input = input_row(set->rows, i), row = 0;
        int found = flat_snapshot_find(set->snapshot, sp_column_text(set->rows->ids, input), &row);

        if (found < 0)
            return flat_corrupt(set->snapshot->env, "an id leads to nothing", error);
        if (found)
            set->targets[set->count++] = (target){row, input};
    }
    if (set->count > 1)
        qsort(set->targets, (size_t)set->count, sizeof(*set->targets), by_row);
    return SIMPLUGIN_OK;
}

static int32_t number_fields(flat_writer *writer, setting *set, simplugin_error **error)
{
    const flat_rows *rows = set->rows;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t f = 0; f < rows->field_count && code == SIMPLUGIN_OK; f++) {
        const sp_column *column = &rows->field_columns[f];
        const char *name = rows->field_names[f];
        uint64_t known = flat_fields_find(&writer->fields, name);
        int any = 0;

        for (uint64_t i = 0; i < rows->count && !any; i++)
            any = sp_column_is_valid(column, input_row(rows, i));
        set->numbers[f] = known < writer->fields.count ? (uint32_t)known : UINT32_MAX;
        if (!flat_type_valid(column->type))
            code = plug_error_argument(error, name, "field \"%s\" has no known type", name);
        else if (!*name || strlen(name) > FLAT_NAME_MAX)
            code = plug_error_argument(error, name, "a field's name has 1 to %d bytes", FLAT_NAME_MAX);
        else if (any)
            code = flat_writer_field(writer, name, column->type, &set->numbers[f], error);
    }
    return code;
}

/* ---- blocks -------------------------------------------------------------------------- */

/* One field of one block, of which the targets from..to set some rows. */
static int32_t set_column(flat_writer *writer, setting *set, uint64_t block, uint64_t f,
                          uint64_t from, uint64_t to, simplugin_error **error)
{
    const flat_table *table = set->snapshot->table;
    const flat_field *field = &writer->fields.items[set->numbers[f]];
    uint64_t first = table->blocks[block].first_row;
    flat_builder builder;
    sp_column old;
    int present = 0;
    int32_t code = flat_snapshot_column(set->snapshot, block, field->name, &old, &present, error);

    if (code != SIMPLUGIN_OK)
        return code;
    flat_builder_init(&builder, field->type);
    for (uint32_t slot = 0; slot < table->blocks[block].rows; slot++) {
        const sp_column *column = present ? &old : NULL;
        uint64_t row = slot;

        for (; from < to && set->targets[from].row == first + slot; from++) {
            column = &set->rows->field_columns[f];
            row = set->targets[from].input;
        }
        if (column && sp_column_is_valid(column, row))
            flat_builder_append(&builder, column, row);
        else
            flat_builder_append_null(&builder);
    }
    code = flat_column_write(writer, table->places[block].number, set->numbers[f], &builder, error);
    flat_builder_clear(&builder);
    return code;
}

/* ---- the tail ------------------------------------------------------------------------ */

/* Position of the caller's column for that field, or field_count. */
static uint64_t given(const setting *set, uint32_t field)
{
    uint64_t f = 0;

    while (f < set->rows->field_count && set->numbers[f] != field)
        f++;
    return f;
}

static int32_t set_tail_row(flat_writer *writer, setting *set, const target *one,
                            simplugin_error **error)
{
    const flat_table *table = set->snapshot->table;
    const flat_shape *shape = &writer->env->view.shape;
    uint64_t index = one->row - table->block_count * shape->block_rows;
    const flat_tail_view *view = &table->extras[index].view;
    MDB_val key = {table->tail[index].id.size, (void *)(uintptr_t)table->tail[index].id.data};
    MDB_val value;
    size_t position = 0, size = 0;
    const void *bytes = NULL;
    uint32_t field = 0, count = 0;
    sp_buffer fields, out;
    int32_t code = SIMPLUGIN_OK;
    int more = 0, rc;

    sp_buffer_init(&fields);
    sp_buffer_init(&out);
    while ((more = flat_tail_next(view, &position, &field, &bytes, &size)) > 0) {
        sp_buffer column = {(uint8_t *)(uintptr_t)bytes, size, size, 0};

        if (given(set, field) < set->rows->field_count)
            continue;
        flat_tail_field(&fields, field, &column);
        count++;
    }
    if (more < 0)
        code = flat_corrupt(writer->env, "the fields of a row of the tail are cut short", error);
    for (uint64_t f = 0; f < set->rows->field_count && code == SIMPLUGIN_OK; f++) {
        const sp_column *column = &set->rows->field_columns[f];
        flat_builder builder;
        sp_buffer encoded;

        if (!sp_column_is_valid(column, one->input))
            continue;
        flat_builder_init(&builder, column->type);
        sp_buffer_init(&encoded);
        flat_builder_append(&builder, column, one->input);
        if (!flat_builder_finish(&builder, &encoded))
            fields.failed = 1;
        flat_tail_field(&fields, set->numbers[f], &encoded);
        flat_builder_clear(&builder);
        sp_buffer_clear(&encoded);
        count++;
    }
    flat_tail_encode(&out, shape, view->sequence, table->tail[index].vector, count);
    sp_buffer_append(&out, fields.data, fields.size);
    if (code == SIMPLUGIN_OK && (fields.failed || out.failed))
        code = plug_error_no_memory(error);
    value.mv_size = out.size;
    value.mv_data = out.data;
    if (code == SIMPLUGIN_OK) {
        rc = mdb_put(writer->txn, writer->env->tail, &key, &value, 0);
        if (rc)
            code = flat_writer_error(writer, rc, "write", error);
    }
    sp_buffer_clear(&fields);
    sp_buffer_clear(&out);
    return code;
}

/* ---- all ----------------------------------------------------------------------------- */

static int32_t set_targets(flat_writer *writer, setting *set, simplugin_error **error)
{
    const flat_table *table = set->snapshot->table;
    uint64_t block_rows = writer->env->view.shape.block_rows;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t from = 0, to; from < set->count && code == SIMPLUGIN_OK; from = to) {
        uint64_t block = set->targets[from].row / block_rows;

        code = flat_wait_check(writer->wait, error);
        to = from + 1;
        if (block >= table->block_count) {
            if (to == set->count || set->targets[to].row != set->targets[from].row)
                code = code == SIMPLUGIN_OK ? set_tail_row(writer, set, &set->targets[from], error)
                                            : code;
            continue;
        }
        while (to < set->count && set->targets[to].row / block_rows == block)
            to++;
        for (uint64_t f = 0; f < set->rows->field_count && code == SIMPLUGIN_OK; f++)
            if (set->numbers[f] != UINT32_MAX)
                code = set_column(writer, set, block, f, from, to, error);
    }
    return code;
}

static int32_t set_step(flat_writer *writer, void *context, simplugin_error **error)
{
    setting *set = context;
    int32_t code = SIMPLUGIN_OK;

    set->count = 0;
    set->targets = calloc((size_t)set->rows->count, sizeof(*set->targets));
    set->numbers = calloc((size_t)set->rows->field_count + 1, sizeof(*set->numbers));
    if (!set->targets || !set->numbers)
        code = plug_error_no_memory(error);
    if (code == SIMPLUGIN_OK)
        code = flat_snapshot_of(writer->env, &set->snapshot, error);
    if (code == SIMPLUGIN_OK)
        code = find_targets(set, error);
    if (code == SIMPLUGIN_OK)
        code = number_fields(writer, set, error);
    if (code == SIMPLUGIN_OK)
        code = set_targets(writer, set, error);
    set->updated = set->count;
    if (set->snapshot)
        flat_snapshot_end(set->snapshot);
    set->snapshot = NULL;
    free(set->targets);
    free(set->numbers);
    return code;
}

int32_t flat_store_set_fields(flat_store *store, const flat_rows *rows, const flat_wait *wait,
                              uint64_t *updated, simplugin_error **error)
{
    setting set = {.rows = rows};
    flat_writer writer;
    int32_t code = SIMPLUGIN_OK;

    *updated = 0;
    if (rows->count == 0 || rows->field_count == 0)
        return SIMPLUGIN_OK;
    code = flat_writer_begin(store, wait, &writer, error);
    if (code == SIMPLUGIN_OK)
        code = flat_writer_run(&writer, set_step, &set, rows->count * 256, error);
    if (code == SIMPLUGIN_OK)
        *updated = set.updated;
    flat_writer_end(&writer);
    return code;
}
