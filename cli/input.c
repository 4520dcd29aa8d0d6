/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "input.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_ROWS 10000
#define DEFAULT_BYTES (UINT64_C(64) << 20)

static int has_suffix(const char *name, const char *suffix)
{
    size_t size = strlen(name), length = strlen(suffix);

    return size >= length && strcasecmp(name + size - length, suffix) == 0;
}

/* "npy" and "jsonl" by what the file begins with, the rest by its name. */
static int32_t guess_format(cli_input *input, const char **format)
{
    const uint8_t *data;
    size_t got, i = 0;
    int32_t code = cli_source_peek(&input->source, 16, &data, &got);

    *format = NULL;
    if (code != SIMPLUGIN_OK)
        return code;
    while (i < got && isspace(data[i]))
        i++;
    if (got >= 6 && memcmp(data, "\x93NUMPY", 6) == 0)
        *format = "npy";
    else if (has_suffix(input->source.name, ".fvecs"))
        *format = "fvecs";
    else if (has_suffix(input->source.name, ".jsonl") ||
             has_suffix(input->source.name, ".ndjson") || (i < got && data[i] == '{'))
        *format = "jsonl";
    else if (has_suffix(input->source.name, ".npy"))
        *format = "npy";
    else if (got == 0)
        return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT, "it is empty");
    else
        return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                               "neither .npy, .fvecs nor JSON Lines; say which with --format");
    return SIMPLUGIN_OK;
}

int32_t cli_input_open(const char *path, const char *format, uint64_t batch, int wakeup,
                       cli_input **input)
{
    cli_input *opened = calloc(1, sizeof(*opened));
    int32_t code;

    *input = opened;
    if (!opened)
        return SIMPLUGIN_OUT_OF_MEMORY;
    opened->batch = batch;
    opened->total_rows = UINT64_MAX;
    opened->has_sample_ids = -1;
    code = cli_source_open(&opened->source, path, wakeup);
    if (code == SIMPLUGIN_OK && !format)
        code = guess_format(opened, &format);
    if (code == SIMPLUGIN_OK)
        code = strcmp(format, "npy") == 0     ? cli_npy_open(opened)
               : strcmp(format, "fvecs") == 0 ? cli_fvecs_open(opened)
                                              : cli_jsonl_open(opened);
    return code;
}

void cli_input_close(cli_input *input)
{
    if (!input)
        return;
    cli_source_close(&input->source);
    cli_texts_clear(&input->ids);
    cli_texts_clear(&input->sample_ids);
    for (size_t i = 0; i < input->field_count; i++)
        json_decref(input->fields[i]);
    free(input->fields);
    free(input->vectors);
    free(input->scratch);
    free(input->aligned);
    free(input);
}

int32_t cli_input_next(cli_input *input, cli_block *block)
{
    int32_t code;

    memset(block, 0, sizeof(*block));
    block->first = input->row;
    code = input->next(input, block);
    if (code == SIMPLUGIN_OK)
        input->row += block->rows;
    return code;
}

const char *cli_input_problem(const cli_input *input)
{
    return input && input->source.problem[0] ? input->source.problem : "out of memory";
}

void cli_input_progress(const cli_input *input, uint64_t *done, uint64_t *total, int *is_bytes)
{
    *is_bytes = input->total_rows == UINT64_MAX;
    *done = *is_bytes ? input->source.offset : input->row;
    *total = *is_bytes ? input->source.size : input->total_rows;
}

uint64_t cli_input_block_rows(const cli_input *input, uint64_t row_bytes)
{
    uint64_t rows = input->batch ? input->batch : DEFAULT_ROWS;
    uint64_t fitting = row_bytes ? DEFAULT_BYTES / row_bytes : rows;

    if (!input->batch && rows > fitting)
        rows = fitting ? fitting : 1;
    /* whatever was asked for, a block stays below what one call may carry */
    if (row_bytes && rows > SIMPLUGIN_MAX_BODY / row_bytes)
        rows = SIMPLUGIN_MAX_BODY / row_bytes ? SIMPLUGIN_MAX_BODY / row_bytes : 1;
    return rows;
}

int32_t cli_input_take(cli_input *input, uint64_t rows, uint64_t row_bytes, const uint8_t **data,
                       size_t *got)
{
    size_t size = (size_t)(rows * row_bytes);
    int32_t code = cli_source_peek(&input->source, size + 1, data, got);

    input->has_more = *got > size;
    if (code == SIMPLUGIN_OK)
        code = cli_source_take(&input->source, size, data, got);
    if (code == SIMPLUGIN_OK && *got && (uintptr_t)*data % 8 != 0) {
        if (*got > input->aligned_capacity) {
            free(input->aligned);
            input->aligned = malloc(*got);
            input->aligned_capacity = input->aligned ? *got : 0;
            if (!input->aligned)
                return cli_source_fail(&input->source, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
        }
        memcpy(input->aligned, *data, *got);
        *data = input->aligned;
    }
    return code;
}

/* ---- texts ---- */

static int grow(void **memory, size_t *capacity, size_t needed, size_t item)
{
    size_t more = *capacity ? *capacity : 64;
    void *grown;

    if (needed <= *capacity)
        return 0;
    while (more < needed) {
        if (more > SIZE_MAX / 2 / item)
            return -1;
        more *= 2;
    }
    grown = realloc(*memory, more * item);
    if (!grown)
        return -1;
    *memory = grown;
    *capacity = more;
    return 0;
}

int cli_texts_add(cli_texts *texts, const char *data, size_t size)
{
    if (size > SIZE_MAX - texts->size ||
        grow((void **)&texts->bytes, &texts->capacity, texts->size + size + 1, 1) != 0 ||
        grow((void **)&texts->offsets, &texts->offset_capacity, texts->count + 2,
             sizeof(*texts->offsets)) != 0)
        return -1;
    if (texts->count == 0)
        texts->offsets[0] = 0;
    if (size)
        memcpy(texts->bytes + texts->size, data, size);
    texts->size += size;
    texts->offsets[++texts->count] = (int64_t)texts->size;
    return 0;
}

void cli_texts_reset(cli_texts *texts)
{
    texts->size = 0;
    texts->count = 0;
}

void cli_texts_clear(cli_texts *texts)
{
    free(texts->bytes);
    free(texts->offsets);
    memset(texts, 0, sizeof(*texts));
}

simplugin_column cli_texts_column(const cli_texts *texts)
{
    static const int64_t nothing[1];
    simplugin_column column;

    memset(&column, 0, sizeof(column));
    column.type = SIMPLUGIN_COLUMN_TEXT;
    column.count = texts->count;
    column.offsets = texts->count ? texts->offsets : nothing;
    column.values = texts->bytes;
    return column;
}

int cli_texts_slice(const cli_texts *texts, uint64_t first, uint64_t count, int64_t **offsets,
                    simplugin_column *column)
{
    int64_t start = count ? texts->offsets[first] : 0;

    *offsets = malloc(((size_t)count + 1) * sizeof(**offsets));
    if (!*offsets)
        return -1;
    (*offsets)[0] = 0;
    for (uint64_t i = 0; i < count; i++)
        (*offsets)[i + 1] = texts->offsets[first + i + 1] - start;
    memset(column, 0, sizeof(*column));
    column->type = SIMPLUGIN_COLUMN_TEXT;
    column->count = count;
    column->offsets = *offsets;
    column->values = texts->bytes + start;
    return 0;
}

int32_t cli_texts_read(cli_texts *texts, const char *path, int wakeup, char problem[CLI_PROBLEM])
{
    cli_source source;
    const char *line;
    size_t size, number = 0;
    int32_t code = cli_source_open(&source, path, wakeup);

    while (code == SIMPLUGIN_OK) {
        code = cli_source_line(&source, 65536, &line, &size);
        if (code != SIMPLUGIN_OK || !line)
            break;
        number++;
        if (size == 0)
            code = cli_source_fail(&source, SIMPLUGIN_INVALID_ARGUMENT,
                                   "line %zu is empty, where an id should be", number);
        else if (cli_texts_add(texts, line, size) != 0)
            code = cli_source_fail(&source, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
    }
    if (code != SIMPLUGIN_OK)
        memcpy(problem, source.problem, CLI_PROBLEM);
    cli_source_close(&source);
    return code;
}
