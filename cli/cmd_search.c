/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin index search. */
#include "config.h"

#include <string.h>

#include "rows.h"

/* What is searched for: exactly one of these. */
typedef struct queries {
    cli_texts ids;
    cli_input *input;
    cli_block block;
} queries;

static int32_t read_input(cli *program, queries *from)
{
    const char *path = cli_text(program, OPT_INPUT);
    int32_t code = cli_input_open(path, cli_text(program, OPT_FORMAT), UINT64_MAX,
                                  cli_interrupt_fd(), &from->input);

    if (code == SIMPLUGIN_OK)
        code = cli_input_next(from->input, &from->block);
    if (code != SIMPLUGIN_OK)
        return cli_fail(program, code, "%s", cli_input_problem(from->input));
    if (from->block.rows == 0)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT, "%s: there is no vector in it", path);
    /* a block is as large as a call may be */
    if (from->input->has_more)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT,
                        "%s: more vectors than one call may carry", path);
    return SIMPLUGIN_OK;
}

/* --vector, each a JSON array, as an array of arrays. */
static int32_t write_vectors(cli *program, cli_body *body)
{
    const cli_value *value = &program->parsed.values[OPT_VECTOR];
    simplugin_writer *writer = cli_body_key(body, "vectors");

    simplugin_write_array(writer, value->count);
    for (size_t i = 0; i < value->count; i++) {
        json_t *vector = json_loads(value->list[i], 0, NULL);

        if (!json_is_array(vector)) {
            json_decref(vector);
            return cli_fail_usage(program, "--vector takes a JSON array of numbers");
        }
        cli_write_json(writer, vector);
        json_decref(vector);
    }
    return SIMPLUGIN_OK;
}

static int32_t open_view(cli *program, uint64_t index, uint64_t *view)
{
    cli_texts ids = {0};
    simplugin_column column;
    cli_reply reply;
    cli_body body;
    int32_t code = cli_read_ids(program, OPT_VIEW, 0, &ids);

    if (code == SIMPLUGIN_OK) {
        cli_body_init(&body);
        column = cli_texts_column(&ids);
        simplugin_write_column(cli_body_key(&body, "ids"), &column);
        code = cli_call(program, index, "view.create", &body, &reply);
        *view = cli_reply_int(&reply, "view");
        cli_reply_clear(&reply);
    }
    cli_texts_clear(&ids);
    return code;
}

static int32_t write_request(cli *program, const queries *from, uint64_t view, cli_body *body)
{
    simplugin_column column;
    int32_t code = SIMPLUGIN_OK;

    if (from->input) {
        simplugin_write_tensor(cli_body_key(body, "vectors"), &from->block.vectors);
    } else if (cli_has(program, OPT_VECTOR)) {
        code = write_vectors(program, body);
    } else if (!cli_has(program, OPT_TEXT)) {
        column = cli_texts_column(&from->ids);
        simplugin_write_column(cli_body_key(body, "ids"), &column);
    }
    cli_body_text_option(program, body, "text", OPT_TEXT);
    cli_body_int_option(program, body, "k", OPT_K);
    cli_body_text_option(program, body, "filter", OPT_FILTER);
    if (cli_has(program, OPT_VIEW))
        cli_body_int(body, "view", view);
    cli_body_flag_option(program, body, "reverse", OPT_REVERSE);
    cli_body_text_option(program, body, "aggregation", OPT_AGGREGATION);
    cli_body_flag_option(program, body, "exclude_self", OPT_EXCLUDE_SELF);
    cli_body_real_option(program, body, "max_distance", OPT_MAX_DISTANCE);
    cli_body_real_option(program, body, "min_score", OPT_MIN_SCORE);
    if (cli_has(program, OPT_MMR)) {
        simplugin_writer *writer = cli_body_key(body, "mmr");

        simplugin_write_map(writer, cli_has(program, OPT_FETCH_K) ? 2 : 1);
        simplugin_write_string(writer, "lambda");
        simplugin_write_double(writer, program->parsed.values[OPT_MMR].real);
        if (cli_has(program, OPT_FETCH_K)) {
            simplugin_write_string(writer, "fetch_k");
            simplugin_write_uint(writer, program->parsed.values[OPT_FETCH_K].number);
        }
    }
    cli_body_names_option(program, body, "fields", OPT_FIELDS);
    cli_body_flag_option(program, body, "with_vectors", OPT_WITH_VECTORS);
    return code;
}

/* Position q of the hits' offsets. */
static uint64_t offset(const simplugin_tensor *offsets, uint64_t q)
{
    int64_t value;

    memcpy(&value, (const uint8_t *)offsets->data + q * simplugin_tensor_stride(offsets),
           sizeof(value));
    return (uint64_t)value;
}

static void print_json(FILE *out, const cli_rows *rows, const simplugin_tensor *offsets)
{
    fputs("{\"queries\": [", out);
    for (uint64_t q = 0; q + 1 < offsets->rows; q++) {
        fputs(q ? ", {\"hits\": [" : "{\"hits\": [", out);
        for (uint64_t i = offset(offsets, q); i < offset(offsets, q + 1); i++) {
            fputs(i > offset(offsets, q) ? ", " : "", out);
            cli_rows_json(out, rows, i);
        }
        fputs("]}", out);
    }
    fputs("]}\n", out);
}

static int32_t print_table(cli *program, const cli_rows *rows, const simplugin_tensor *offsets)
{
    int is_many = offsets->rows > 2;
    cli_cells cells;
    int32_t code;

    cli_rows_begin(rows, is_many ? "QUERY RANK" : "RANK", &cells);
    for (uint64_t q = 0; q + 1 < offsets->rows; q++)
        for (uint64_t i = offset(offsets, q); i < offset(offsets, q + 1); i++) {
            if (is_many)
                cli_cells_addf(&cells, "%llu", (unsigned long long)q);
            cli_cells_addf(&cells, "%llu", (unsigned long long)(i - offset(offsets, q) + 1));
            cli_rows_add(rows, i, &cells);
        }
    code = cli_cells_print(&cells, program->out);
    return code == SIMPLUGIN_OK ? code : cli_no_memory(program);
}

static int32_t print_hits(cli *program, const cli_reply *reply)
{
    const simplugin_tensor *offsets = cli_reply_tensor(reply, "offsets");
    cli_rows rows;
    int32_t code = cli_rows_read(program, reply, &rows);

    if (code != SIMPLUGIN_OK)
        return code;
    if (!offsets || offsets->dtype != SIMPLUGIN_INT64 || offsets->cols != 1 || offsets->rows < 1)
        return cli_fail(program, SIMPLUGIN_PROTOCOL, "the reply has no offsets");
    for (uint64_t q = 0; q < offsets->rows; q++)
        if (offset(offsets, q) > rows.count || (q && offset(offsets, q) < offset(offsets, q - 1)))
            return cli_fail(program, SIMPLUGIN_PROTOCOL, "the reply's offsets do not fit its ids");
    if (!cli_is_json(program))
        return print_table(program, &rows, offsets);
    print_json(program->out, &rows, offsets);
    return code;
}

int32_t cli_index_search(cli *program)
{
    queries from = {0};
    uint64_t index = 0, view = 0;
    cli_reply reply = {0};
    cli_body body;
    int32_t code = cli_open_index(program, &index);

    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_IDS, 1, &from.ids);
    if (code == SIMPLUGIN_OK && (from.ids.count || cli_has(program, OPT_IDS)) +
                                        cli_has(program, OPT_VECTOR) + cli_has(program, OPT_INPUT) +
                                        cli_has(program, OPT_TEXT) !=
                                    1)
        code = cli_fail_usage(program, "search for what? ids, --ids, --vector, --input or --text, "
                                       "and only one of them");
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_INPUT))
        code = read_input(program, &from);
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_VIEW))
        code = open_view(program, index, &view);
    if (code == SIMPLUGIN_OK) {
        cli_body_init(&body);
        code = write_request(program, &from, view, &body);
        if (code == SIMPLUGIN_OK)
            code = cli_call(program, index, "index.search", &body, &reply);
        else
            cli_body_clear(&body);
    }
    if (code == SIMPLUGIN_OK)
        code = print_hits(program, &reply);
    cli_reply_clear(&reply);
    cli_texts_clear(&from.ids);
    cli_input_close(from.input);
    return code;
}
