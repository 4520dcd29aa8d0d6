/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin index add and remove. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct adding {
    uint64_t index;
    cli_texts ids;          /* of --ids */
    cli_texts sample_ids;   /* of --sample-ids */
    cli_source fields;      /* of --fields-file */
    uint64_t fields_line;
    uint64_t row;           /* over all files */
    uint64_t added;
    uint64_t updated;
    uint64_t skipped;
} adding;

/* Row numbers as ids. */
static int number_ids(cli_texts *ids, uint64_t first, uint64_t count)
{
    char digits[24];

    cli_texts_reset(ids);
    for (uint64_t i = 0; i < count; i++) {
        int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)(first + i));

        if (cli_texts_add(ids, digits, (size_t)size) != 0)
            return -1;
    }
    return 0;
}

/* The ids of rows from a list that has one for each row of all files. */
static int32_t slice(cli *program, const cli_texts *texts, int option, uint64_t first,
                     uint64_t count, int64_t **offsets, simplugin_column *column)
{
    if (first + count > texts->count)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT,
                        "%s has %zu lines, and there are more rows",
                        cli_text(program, option), texts->count);
    return cli_texts_slice(texts, first, count, offsets, column) == 0 ? SIMPLUGIN_OK
                                                                      : cli_no_memory(program);
}

/* The next rows of --fields-file, malloc'd. */
static int32_t read_fields(cli *program, adding *work, uint64_t rows, json_t ***fields)
{
    cli_source *source = &work->fields;
    int32_t code = SIMPLUGIN_OK;

    *fields = calloc((size_t)rows, sizeof(**fields));
    if (!*fields)
        return cli_no_memory(program);
    for (uint64_t i = 0; code == SIMPLUGIN_OK && i < rows; i++) {
        json_error_t problem = {.text = ""};
        const char *line;
        size_t size;

        code = cli_source_line(source, (size_t)64 << 20, &line, &size);
        work->fields_line++;
        if (code == SIMPLUGIN_OK && !line)
            code = cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                                   "it has %llu lines, and there are more rows",
                                   (unsigned long long)work->fields_line - 1);
        else if (code == SIMPLUGIN_OK)
            (*fields)[i] = json_loadb(line, size, JSON_REJECT_DUPLICATES, &problem);
        if (code == SIMPLUGIN_OK && !json_is_object((*fields)[i]))
            code = cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT, "line %llu: %s",
                                   (unsigned long long)work->fields_line,
                                   problem.text[0] ? problem.text : "not a JSON object");
        if (code != SIMPLUGIN_OK)
            cli_fail(program, code, "%s", source->problem);
    }
    return code;
}

static void write_ids(cli_body *body, const char *key, const simplugin_column *column)
{
    simplugin_write_column(cli_body_key(body, key), column);
}

/* "fields": each name that any row has, with a value or nil for every row. */
static int32_t write_fields(cli *program, cli_body *body, json_t *const *fields, uint64_t rows)
{
    json_t *names = json_object();
    simplugin_writer *writer;
    const char *name;
    json_t *value;
    int32_t code = names ? SIMPLUGIN_OK : cli_no_memory(program);

    for (uint64_t i = 0; code == SIMPLUGIN_OK && i < rows; i++) {
        json_object_foreach(fields[i], name, value) {
            if (code == SIMPLUGIN_OK && !json_object_get(names, name) &&
                json_object_set_new(names, name, json_null()) != 0)
                code = cli_no_memory(program);
        }
    }
    if (code == SIMPLUGIN_OK && json_object_size(names)) {
        writer = cli_body_key(body, "fields");
        simplugin_write_map(writer, json_object_size(names));
        json_object_foreach(names, name, value) {
            simplugin_write_string(writer, name);
            simplugin_write_array(writer, rows);
            for (uint64_t i = 0; i < rows; i++)
                cli_write_json(writer, json_object_get(fields[i], name));
        }
    }
    json_decref(names);
    return code;
}

static int32_t add_block(cli *program, adding *work, const cli_block *block)
{
    int64_t *offsets = NULL, *sample_offsets = NULL;
    json_t **fields = NULL;
    simplugin_column ids, sample_ids;
    cli_texts numbers = {0};
    cli_reply reply = {0};
    cli_body body;
    int32_t code = SIMPLUGIN_OK;

    cli_body_init(&body);
    if (cli_has(program, OPT_IDS))
        code = slice(program, &work->ids, OPT_IDS, work->row, block->rows, &offsets, &ids);
    else if (block->has_ids)
        ids = block->ids;
    else if (number_ids(&numbers, program->parsed.values[OPT_FIRST_ID].number + work->row,
                        block->rows) == 0)
        ids = cli_texts_column(&numbers);
    else
        code = cli_no_memory(program);
    if (code == SIMPLUGIN_OK) {
        write_ids(&body, "ids", &ids);
        simplugin_write_tensor(cli_body_key(&body, "vectors"), &block->vectors);
    }
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_SAMPLE_IDS))
        code = slice(program, &work->sample_ids, OPT_SAMPLE_IDS, work->row, block->rows,
                     &sample_offsets, &sample_ids);
    else if (block->has_sample_ids)
        sample_ids = block->sample_ids;
    if (code == SIMPLUGIN_OK && (cli_has(program, OPT_SAMPLE_IDS) || block->has_sample_ids))
        write_ids(&body, "sample_ids", &sample_ids);
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_FIELDS_FILE))
        code = read_fields(program, work, block->rows, &fields);
    if (code == SIMPLUGIN_OK && (fields || block->fields))
        code = write_fields(program, &body, fields ? fields : block->fields, block->rows);
    if (code == SIMPLUGIN_OK) {
        if (cli_has(program, OPT_NO_OVERWRITE) || cli_has(program, OPT_FAIL_EXISTING))
            cli_body_bool(&body, "overwrite", 0);
        if (cli_has(program, OPT_FAIL_EXISTING))
            cli_body_bool(&body, "allow_existing", 0);
        cli_body_text_option(program, &body, "duplicates", OPT_DUPLICATES);
        code = cli_call(program, work->index, "index.add", &body, &reply);
        work->added += cli_reply_int(&reply, "added");
        work->updated += cli_reply_int(&reply, "updated");
        work->skipped += cli_reply_int(&reply, "skipped");
    } else {
        cli_body_clear(&body);
    }
    work->row += block->rows;
    for (uint64_t i = 0; fields && i < block->rows; i++)
        json_decref(fields[i]);
    free(fields);
    free(offsets);
    free(sample_offsets);
    cli_texts_clear(&numbers);
    cli_reply_clear(&reply);
    return code;
}

static int32_t add_file(cli *program, adding *work, const char *path)
{
    cli_input *input = NULL;
    cli_block block;
    uint64_t done, total;
    int is_bytes;
    int32_t code = cli_input_open(path, cli_text(program, OPT_FORMAT),
                                  program->parsed.values[OPT_BATCH].number, cli_interrupt_fd(),
                                  &input);

    if (code == SIMPLUGIN_OK) {
        cli_input_progress(input, &done, &total, &is_bytes);
        cli_progress_start(&program->progress, "adding", is_bytes ? "bytes" : "rows",
                           !cli_has(program, OPT_QUIET));
    }
    while (code == SIMPLUGIN_OK) {
        code = cli_input_next(input, &block);
        if (code != SIMPLUGIN_OK || block.rows == 0)
            break;
        code = add_block(program, work, &block);
        cli_input_progress(input, &done, &total, &is_bytes);
        cli_progress_show(&program->progress, done, total);
    }
    if (code != SIMPLUGIN_OK)
        cli_fail(program, code, "%s", cli_input_problem(input));
    cli_progress_clear(&program->progress);
    cli_input_close(input);
    return code;
}

static void print_summary(cli *program, const adding *work, int32_t code)
{
    if (cli_is_json(program) && code == SIMPLUGIN_OK)
        fprintf(program->out, "{\"added\": %llu, \"updated\": %llu, \"skipped\": %llu}\n",
                (unsigned long long)work->added, (unsigned long long)work->updated,
                (unsigned long long)work->skipped);
    else if (!cli_is_json(program) && !cli_has(program, OPT_QUIET))
        fprintf(code == SIMPLUGIN_OK ? program->out : stderr, "%sadded %llu, updated %llu, skipped %llu\n",
                code == SIMPLUGIN_OK ? "" : "before that: ", (unsigned long long)work->added,
                (unsigned long long)work->updated, (unsigned long long)work->skipped);
}

/* Lists that have a line for each row must not have more of them. */
static int32_t check_lists(cli *program, adding *work)
{
    const char *line = NULL;
    size_t size;

    if (cli_has(program, OPT_IDS) && work->ids.count != work->row)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT, "%s has %zu lines, for %llu rows",
                        cli_text(program, OPT_IDS), work->ids.count,
                        (unsigned long long)work->row);
    if (cli_has(program, OPT_SAMPLE_IDS) && work->sample_ids.count != work->row)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT, "%s has %zu lines, for %llu rows",
                        cli_text(program, OPT_SAMPLE_IDS), work->sample_ids.count,
                        (unsigned long long)work->row);
    if (cli_has(program, OPT_FIELDS_FILE) &&
        cli_source_line(&work->fields, (size_t)64 << 20, &line, &size) == SIMPLUGIN_OK && line)
        return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT, "%s has more lines than the %llu rows",
                        cli_text(program, OPT_FIELDS_FILE), (unsigned long long)work->row);
    return SIMPLUGIN_OK;
}

int32_t cli_index_add(cli *program)
{
    adding work = {0};
    const char *path;
    int32_t code;

    work.fields.fd = -1;
    if (program->parsed.argument_count + (cli_has(program, OPT_COLLECTION) ? 1U : 0U) < 2)
        return cli_fail_usage(program, "which files? simplugin index add KEY FILE...");
    code = cli_open_index(program, &work.index);
    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_IDS, 0, &work.ids);
    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_SAMPLE_IDS, 0, &work.sample_ids);
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_FIELDS_FILE)) {
        code = cli_source_open(&work.fields, cli_text(program, OPT_FIELDS_FILE),
                               cli_interrupt_fd());
        if (code != SIMPLUGIN_OK)
            cli_fail(program, code, "%s", work.fields.problem);
    }
    while (code == SIMPLUGIN_OK && (path = cli_take_argument(program)))
        code = add_file(program, &work, path);
    if (code == SIMPLUGIN_OK)
        code = check_lists(program, &work);
    if (work.index && (code == SIMPLUGIN_OK || work.row))
        print_summary(program, &work, code);
    cli_texts_clear(&work.ids);
    cli_texts_clear(&work.sample_ids);
    cli_source_close(&work.fields);
    return code;
}

int32_t cli_index_remove(cli *program)
{
    cli_texts ids = {0}, sample_ids = {0};
    simplugin_column column, missing;
    uint64_t index = 0;
    cli_reply reply = {0};
    cli_body body;
    int32_t code = cli_open_index(program, &index);

    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_IDS, 1, &ids);
    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_SAMPLE_IDS, 0, &sample_ids);
    if (code == SIMPLUGIN_OK && (ids.count > 0) + cli_has(program, OPT_SAMPLE_IDS) +
                                        cli_has(program, OPT_FILTER) + cli_has(program, OPT_ALL) !=
                                    1)
        code = cli_fail_usage(program,
                              "remove what? ids, or one of --ids, --sample-ids, --filter, --all");
    if (code == SIMPLUGIN_OK) {
        cli_body_init(&body);
        if (ids.count) {
            column = cli_texts_column(&ids);
            write_ids(&body, "ids", &column);
        }
        if (cli_has(program, OPT_SAMPLE_IDS)) {
            column = cli_texts_column(&sample_ids);
            write_ids(&body, "sample_ids", &column);
        }
        cli_body_text_option(program, &body, "filter", OPT_FILTER);
        cli_body_flag_option(program, &body, "all", OPT_ALL);
        if (cli_has(program, OPT_FAIL_MISSING))
            cli_body_bool(&body, "allow_missing", 0);
        code = cli_call(program, index, "index.remove", &body, &reply);
    }
    if (code == SIMPLUGIN_OK && cli_is_json(program)) {
        cli_print_reply(program, &reply, NULL);
    } else if (code == SIMPLUGIN_OK && !cli_has(program, OPT_QUIET)) {
        uint64_t count = cli_reply_column(&reply, "missing", &missing) ? missing.count : 0;

        fprintf(program->out, "removed %llu, missing %llu\n",
                (unsigned long long)cli_reply_int(&reply, "removed"), (unsigned long long)count);
    }
    cli_texts_clear(&ids);
    cli_texts_clear(&sample_ids);
    cli_reply_clear(&reply);
    return code;
}
