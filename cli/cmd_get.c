/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin index get: points by id, or all of them in constant memory. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows.h"

#define TABLE_ROWS 100

/* Where points go, and in which form. */
typedef struct sink {
    FILE *out;         /* the program's, or the file's below */
    char *path;        /* a file that is written beside the one wanted, then renamed */
    const char *final_path;
    FILE *ids;         /* --output-ids */
    int is_lines;      /* JSON Lines */
    int is_npy;
    int is_table;
    uint64_t limit;
    uint64_t rows;
    uint64_t dimension;
    cli_cells cells;
    int has_titles;
} sink;

#define NPY_HEADER 128

/* A header of NPY_HEADER bytes whatever the shape, so that it can be written again. */
static void write_npy_header(FILE *out, uint64_t rows, uint64_t dimension)
{
    char header[NPY_HEADER + 1];
    int size;

    memset(header, ' ', sizeof(header));
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = NPY_HEADER - 10;
    header[9] = 0;
    size = snprintf(header + 10, sizeof(header) - 10,
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %llu), }",
                    (unsigned long long)rows, (unsigned long long)dimension);
    header[10 + size] = ' ';
    header[NPY_HEADER - 1] = '\n';
    fwrite(header, 1, NPY_HEADER, out);
}

static int has_suffix(const char *name, const char *suffix)
{
    size_t size = strlen(name), length = strlen(suffix);

    return size >= length && strcmp(name + size - length, suffix) == 0;
}

static int32_t open_sink(cli *program, sink *to)
{
    const char *path = cli_text(program, OPT_OUTPUT);
    const char *ids = cli_text(program, OPT_OUTPUT_IDS);

    memset(to, 0, sizeof(*to));
    to->out = program->out;
    to->is_lines = cli_has(program, OPT_LINES);
    to->is_table = !path && !to->is_lines && !cli_is_json(program);
    to->limit = cli_has(program, OPT_LIMIT) ? program->parsed.values[OPT_LIMIT].number
                : to->is_table              ? TABLE_ROWS
                                            : UINT64_MAX;
    if (path) {
        to->is_npy = has_suffix(path, ".npy");
        to->is_lines = has_suffix(path, ".jsonl") || has_suffix(path, ".ndjson");
        if (!to->is_npy && !to->is_lines)
            return cli_fail_usage(program, "--output takes a FILE named .npy or .jsonl");
        if (to->is_npy && cli_has(program, OPT_NO_VECTORS))
            return cli_fail_usage(program, "--no-vectors leaves nothing for a .npy file");
        to->final_path = path;
        if (asprintf(&to->path, "%s.partial", path) < 0) {
            to->path = NULL;
            return cli_no_memory(program);
        }
        to->out = fopen(to->path, "wb");
        if (!to->out)
            return cli_fail(program, SIMPLUGIN_IO, "cannot write %s: %s", to->path,
                            strerror(errno));
    }
    if (ids) {
        to->ids = fopen(ids, "wb");
        if (!to->ids)
            return cli_fail(program, SIMPLUGIN_IO, "cannot write %s: %s", ids, strerror(errno));
    }
    if (to->is_npy)
        write_npy_header(to->out, 0, 0);
    else if (cli_is_json(program) && !path)
        fputs("{\"points\": [", to->out);
    return SIMPLUGIN_OK;
}

static int32_t write_npy_rows(cli *program, sink *to, const cli_rows *rows, uint64_t count)
{
    uint64_t stride;

    if (!rows->vectors || rows->vectors->dtype != SIMPLUGIN_FLOAT32)
        return cli_fail(program, SIMPLUGIN_PROTOCOL, "the reply has no float32 vectors");
    to->dimension = rows->vectors->cols;
    stride = simplugin_tensor_stride(rows->vectors);
    for (uint64_t i = 0; i < count; i++)
        fwrite((const uint8_t *)rows->vectors->data + i * stride, sizeof(float),
               (size_t)rows->vectors->cols, to->out);
    return SIMPLUGIN_OK;
}

static int32_t write_rows(cli *program, sink *to, const cli_reply *reply)
{
    cli_rows rows;
    uint64_t count;
    int32_t code = cli_rows_read(program, reply, &rows);

    if (code != SIMPLUGIN_OK)
        return code;
    count = rows.count < to->limit - to->rows ? rows.count : to->limit - to->rows;
    if (to->is_npy)
        code = write_npy_rows(program, to, &rows, count);
    if (to->is_table && !to->has_titles) {
        cli_rows_begin(&rows, "", &to->cells);
        to->has_titles = 1;
    }
    for (uint64_t i = 0; code == SIMPLUGIN_OK && i < count; i++) {
        if (to->ids) {
            uint64_t size;
            const char *id = simplugin_column_text(&rows.ids, i, &size);

            fwrite(id, 1, (size_t)size, to->ids);
            fputc('\n', to->ids);
        }
        if (to->is_table) {
            cli_rows_add(&rows, i, &to->cells);
        } else if (!to->is_npy) {
            if (!to->is_lines && to->rows + i)
                fputs(", ", to->out);
            cli_rows_json(to->out, &rows, i);
            if (to->is_lines)
                fputc('\n', to->out);
        }
    }
    to->rows += count;
    return code;
}

static int32_t finish_file(cli *program, sink *to)
{
    int is_bad = 0;

    if (to->is_npy && fseek(to->out, 0, SEEK_SET) == 0)
        write_npy_header(to->out, to->rows, to->dimension);
    if (to->path) {
        is_bad = fflush(to->out) != 0 || ferror(to->out) || fsync(fileno(to->out)) != 0;
        is_bad |= fclose(to->out) != 0;
        to->out = NULL;
        if (!is_bad)
            is_bad = rename(to->path, to->final_path) != 0;
    }
    if (to->ids) {
        is_bad |= fflush(to->ids) != 0 || ferror(to->ids);
        is_bad |= fclose(to->ids) != 0;
        to->ids = NULL;
    }
    if (is_bad)
        return cli_fail(program, errno == ENOSPC ? SIMPLUGIN_NO_SPACE : SIMPLUGIN_IO,
                        "cannot write %s: %s",
                        to->final_path ? to->final_path : cli_text(program, OPT_OUTPUT_IDS),
                        strerror(errno));
    return SIMPLUGIN_OK;
}

/* The ends of documents and files; missing: a reply with ids that are not there, or NULL. */
static int32_t finish(cli *program, sink *to, const cli_reply *missing, int has_more)
{
    simplugin_column column = {0};
    int32_t code = SIMPLUGIN_OK;

    if (missing)
        cli_reply_column(missing, "missing", &column);
    if (to->is_table && to->has_titles)
        code = cli_cells_print(&to->cells, to->out);
    if (cli_is_json(program) && !to->path && !to->is_lines) {
        fputs("], \"missing\": [", to->out);
        for (uint64_t i = 0; i < column.count; i++) {
            fputs(i ? ", " : "", to->out);
            cli_json_cell(to->out, &column, i);
        }
        fputs("]}\n", to->out);
    } else if (!cli_has(program, OPT_QUIET)) {
        for (uint64_t i = 0; i < column.count; i++) {
            uint64_t size;
            const char *id = simplugin_column_text(&column, i, &size);

            fputs("missing: ", stderr);
            cli_print_text(stderr, id, size);
            fputc('\n', stderr);
        }
        if (has_more && !cli_has(program, OPT_LIMIT))
            fprintf(stderr, "only the first %llu are shown; --limit shows more, --lines all\n",
                    (unsigned long long)to->rows);
    }
    if (code == SIMPLUGIN_OK)
        code = finish_file(program, to);
    return code;
}

static void close_sink(sink *to)
{
    if (to->path && to->out)
        fclose(to->out);
    if (to->path)
        unlink(to->path);
    if (to->ids)
        fclose(to->ids);
    free(to->path);
    cli_cells_clear(&to->cells);
}

static int32_t get_some(cli *program, uint64_t index, sink *to, const cli_texts *ids,
                        const cli_texts *sample_ids)
{
    simplugin_column column;
    cli_reply reply;
    cli_body body;
    int32_t code;

    cli_body_init(&body);
    column = cli_texts_column(cli_has(program, OPT_SAMPLE_IDS) ? sample_ids : ids);
    simplugin_write_column(
        cli_body_key(&body, cli_has(program, OPT_SAMPLE_IDS) ? "sample_ids" : "ids"), &column);
    if (cli_has(program, OPT_NO_VECTORS))
        cli_body_bool(&body, "vectors", 0);
    cli_body_names_option(program, &body, "fields", OPT_FIELDS);
    if (cli_has(program, OPT_FAIL_MISSING))
        cli_body_bool(&body, "allow_missing", 0);
    code = cli_call(program, index, "index.get", &body, &reply);
    if (code == SIMPLUGIN_OK)
        code = write_rows(program, to, &reply);
    if (code == SIMPLUGIN_OK)
        code = finish(program, to, &reply, 0);
    cli_reply_clear(&reply);
    return code;
}

static int32_t get_all(cli *program, uint64_t index, sink *to)
{
    uint64_t scan = 0, size = 0;
    int done = 0;
    cli_reply reply;
    cli_body body;
    int32_t code;

    cli_body_init(&body);
    cli_body_text_option(program, &body, "filter", OPT_FILTER);
    code = cli_call(program, index, "index.size", &body, &reply);
    size = cli_reply_int(&reply, "size");
    cli_reply_clear(&reply);
    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    if (cli_has(program, OPT_NO_VECTORS))
        cli_body_bool(&body, "vectors", 0);
    cli_body_names_option(program, &body, "fields", OPT_FIELDS);
    cli_body_text_option(program, &body, "filter", OPT_FILTER);
    if (to->limit < 10000)
        cli_body_int(&body, "max_rows", to->limit ? to->limit : 1);
    code = cli_call(program, index, "scan.open", &body, &reply);
    scan = cli_reply_int(&reply, "scan");
    cli_reply_clear(&reply);
    cli_progress_start(&program->progress, "reading", "rows",
                       to->path != NULL && !cli_has(program, OPT_QUIET));
    while (code == SIMPLUGIN_OK && !done && to->rows < to->limit) {
        code = cli_call(program, scan, "scan.next", NULL, &reply);
        if (code == SIMPLUGIN_OK && simplugin_find_bool(&reply.body, "done", &done) != 1)
            done = 0;
        if (code == SIMPLUGIN_OK)
            code = write_rows(program, to, &reply);
        cli_progress_show(&program->progress, to->rows, size);
        cli_reply_clear(&reply);
        if (ferror(to->out))
            break;
    }
    cli_progress_clear(&program->progress);
    if (code == SIMPLUGIN_OK)
        code = finish(program, to, NULL, to->rows < size);
    return code;
}

int32_t cli_index_get(cli *program)
{
    cli_texts ids = {0}, sample_ids = {0};
    uint64_t index = 0;
    sink to = {0};
    int32_t code = cli_open_index(program, &index);

    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_IDS, 1, &ids);
    if (code == SIMPLUGIN_OK)
        code = cli_read_ids(program, OPT_SAMPLE_IDS, 0, &sample_ids);
    if (code == SIMPLUGIN_OK && (ids.count || cli_has(program, OPT_IDS)) +
                                        cli_has(program, OPT_SAMPLE_IDS) +
                                        cli_has(program, OPT_FILTER) >
                                    1)
        code = cli_fail_usage(program, "give ids, --sample-ids or --filter, and only one of them");
    if (code == SIMPLUGIN_OK)
        code = open_sink(program, &to);
    if (code == SIMPLUGIN_OK && (ids.count || cli_has(program, OPT_IDS) ||
                                 cli_has(program, OPT_SAMPLE_IDS)))
        code = get_some(program, index, &to, &ids, &sample_ids);
    else if (code == SIMPLUGIN_OK)
        code = get_all(program, index, &to);
    close_sink(&to);
    cli_texts_clear(&ids);
    cli_texts_clear(&sample_ids);
    return code;
}
