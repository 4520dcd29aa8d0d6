/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rows.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 4 /* elements of a vector that a table shows */

static int32_t wrong(cli *program, const char *what)
{
    return cli_fail(program, SIMPLUGIN_PROTOCOL, "the reply's %s do not fit its ids", what);
}

int32_t cli_rows_read(cli *program, const cli_reply *reply, cli_rows *rows)
{
    simplugin_value fields, name, value;
    simplugin_iter iter;

    memset(rows, 0, sizeof(*rows));
    if (!cli_reply_column(reply, "ids", &rows->ids) || rows->ids.type != SIMPLUGIN_COLUMN_TEXT)
        return cli_fail(program, SIMPLUGIN_PROTOCOL, "the reply has no ids");
    rows->count = rows->ids.count;
    rows->has_sample_ids = cli_reply_column(reply, "sample_ids", &rows->sample_ids);
    if (rows->has_sample_ids &&
        (rows->sample_ids.count != rows->count || rows->sample_ids.type != SIMPLUGIN_COLUMN_TEXT))
        return wrong(program, "sample ids");
    rows->vectors = cli_reply_tensor(reply, "vectors");
    rows->distances = cli_reply_tensor(reply, "distances");
    rows->scores = cli_reply_tensor(reply, "scores");
    if ((rows->vectors && rows->vectors->rows != rows->count) ||
        (rows->distances && (rows->distances->rows != rows->count || rows->distances->cols != 1)) ||
        (rows->scores && (rows->scores->rows != rows->count || rows->scores->cols != 1)))
        return wrong(program, "vectors or distances");
    if (!simplugin_find(&reply->body, "fields", &fields))
        return SIMPLUGIN_OK;
    iter = simplugin_iterate(&fields);
    while (rows->field_count < CLI_MAX_FIELDS && simplugin_next(&iter, &name) &&
           simplugin_next(&iter, &value)) {
        cli_field *field = &rows->fields[rows->field_count++];

        field->name = (const char *)name.data;
        field->size = name.size;
        if (simplugin_column_read(&value, reply->raw.tensors, reply->raw.tensor_count,
                                  &field->column) ||
            field->column.count != rows->count)
            return wrong(program, "fields");
    }
    return SIMPLUGIN_OK;
}

static void print_column_text(FILE *out, const simplugin_column *column, uint64_t row)
{
    uint64_t size;
    const char *text = simplugin_column_text(column, row, &size);

    cli_json_text(out, text, size);
}

void cli_rows_json(FILE *out, const cli_rows *rows, uint64_t row)
{
    fputs("{\"id\": ", out);
    print_column_text(out, &rows->ids, row);
    if (rows->has_sample_ids) {
        fputs(", \"sample_id\": ", out);
        cli_json_cell(out, &rows->sample_ids, row);
    }
    if (rows->distances) {
        fputs(", \"distance\": ", out);
        cli_json_element(out, rows->distances, row, 0);
    }
    if (rows->scores) {
        fputs(", \"score\": ", out);
        cli_json_element(out, rows->scores, row, 0);
    }
    if (rows->vectors) {
        fputs(", \"vector\": ", out);
        cli_json_row(out, rows->vectors, row);
    }
    if (rows->field_count) {
        fputs(", \"fields\": {", out);
        for (size_t i = 0; i < rows->field_count; i++) {
            fputs(i ? ", " : "", out);
            cli_json_text(out, rows->fields[i].name, rows->fields[i].size);
            fputs(": ", out);
            cli_json_cell(out, &rows->fields[i].column, row);
        }
        fputc('}', out);
    }
    fputc('}', out);
}

void cli_rows_begin(const cli_rows *rows, const char *before, cli_cells *cells)
{
    uint64_t numbers = 0;
    size_t columns;

    cli_cells_init(cells, before, 0);
    columns = cells->columns;
    numbers = (UINT64_C(1) << columns) - 1;
    cli_cells_title(cells, "ID", 2);
    columns++;
    if (rows->has_sample_ids) {
        cli_cells_title(cells, "SAMPLE", 6);
        columns++;
    }
    if (rows->distances) {
        cli_cells_title(cells, "DISTANCE", 8);
        numbers |= UINT64_C(1) << columns++;
    }
    if (rows->scores) {
        cli_cells_title(cells, "SCORE", 5);
        numbers |= UINT64_C(1) << columns++;
    }
    if (rows->vectors)
        cli_cells_title(cells, "VECTOR", 6);
    for (size_t i = 0; i < rows->field_count; i++)
        cli_cells_title(cells, rows->fields[i].name, rows->fields[i].size);
    cells->numbers = numbers;
}

typedef struct cell {
    const cli_rows *rows;
    uint64_t row;
    const simplugin_column *column;
} cell;

static void print_cell(FILE *out, const void *context)
{
    const cell *what = context;
    uint64_t size;
    const char *text;

    if (!simplugin_column_is_valid(what->column, what->row))
        return;
    if (what->column->type != SIMPLUGIN_COLUMN_TEXT) {
        cli_json_cell(out, what->column, what->row);
        return;
    }
    text = simplugin_column_text(what->column, what->row, &size);
    cli_print_text(out, text, size);
}

static void print_vector(FILE *out, const void *context)
{
    const cell *what = context;
    const simplugin_tensor *vectors = what->rows->vectors;

    for (uint64_t i = 0; i < vectors->cols && i < SHOWN; i++) {
        fputs(i ? ", " : "", out);
        cli_json_element(out, vectors, what->row, i);
    }
    if (vectors->cols > SHOWN)
        fprintf(out, ", ... (%llu)", (unsigned long long)vectors->cols);
}

static void add_number(cli_cells *cells, const simplugin_tensor *tensor, uint64_t row)
{
    float value = 0;

    if (tensor->dtype == SIMPLUGIN_FLOAT32)
        memcpy(&value, (const uint8_t *)tensor->data + row * simplugin_tensor_stride(tensor),
               sizeof(value));
    cli_cells_addf(cells, "%.6f", (double)value);
}

void cli_rows_add(const cli_rows *rows, uint64_t row, cli_cells *cells)
{
    cell what = {rows, row, &rows->ids};

    cli_cells_add_printed(cells, print_cell, &what);
    if (rows->has_sample_ids) {
        what.column = &rows->sample_ids;
        cli_cells_add_printed(cells, print_cell, &what);
    }
    if (rows->distances)
        add_number(cells, rows->distances, row);
    if (rows->scores)
        add_number(cells, rows->scores, row);
    if (rows->vectors)
        cli_cells_add_printed(cells, print_vector, &what);
    for (size_t i = 0; i < rows->field_count; i++) {
        what.column = &rows->fields[i].column;
        cli_cells_add_printed(cells, print_cell, &what);
    }
}
