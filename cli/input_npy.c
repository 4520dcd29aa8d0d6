/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy: a magic, a version, and a header that is a Python dict of literals. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"

#define MAX_HEADER 65536

typedef struct header {
    char descr[16];
    int is_fortran; /* -1: not said */
    uint64_t shape[2];
    int dimensions; /* -1: not said; more than 2 are counted only */
} header;

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static int skip(cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return 0;
    c->at++;
    return 1;
}

static int read_text(cursor *c, char *text, size_t capacity)
{
    size_t size = 0;
    char quote;

    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return 0;
    quote = *c->at++;
    while (c->at < c->end && *c->at != quote) {
        if (*c->at == '\\' || size + 1 >= capacity)
            return 0;
        text[size++] = *c->at++;
    }
    text[size] = '\0';
    return skip(c, quote);
}

static int read_bool(cursor *c, int *value)
{
    size_t left;

    skip_blanks(c);
    left = (size_t)(c->end - c->at);
    if (left >= 4 && memcmp(c->at, "True", 4) == 0) {
        *value = 1;
        c->at += 4;
        return 1;
    }
    if (left >= 5 && memcmp(c->at, "False", 5) == 0) {
        *value = 0;
        c->at += 5;
        return 1;
    }
    return 0;
}

static int read_number(cursor *c, uint64_t *number)
{
    const char *start;

    skip_blanks(c);
    start = c->at;
    *number = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        if (*number > (UINT64_MAX - 9) / 10)
            return 0;
        *number = *number * 10 + (uint64_t)(*c->at++ - '0');
    }
    /* Python 2 wrote long numbers with an L behind them */
    if (c->at > start && c->at < c->end && *c->at == 'L')
        c->at++;
    return c->at > start;
}

static int read_shape(cursor *c, header *h)
{
    uint64_t number;

    h->dimensions = 0;
    if (!skip(c, '('))
        return 0;
    while (!skip(c, ')')) {
        if (!read_number(c, &number))
            return 0;
        if (h->dimensions < 2)
            h->shape[h->dimensions] = number;
        h->dimensions++;
        if (!skip(c, ',')) {
            if (!skip(c, ')'))
                return 0;
            break;
        }
    }
    return 1;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
static int read_header(const char *text, size_t size, header *h)
{
    cursor c = {text, text + size};
    char key[16];

    h->descr[0] = '\0';
    h->is_fortran = -1;
    h->dimensions = -1;
    if (!skip(&c, '{'))
        return 0;
    while (!skip(&c, '}')) {
        int is_good;

        if (!read_text(&c, key, sizeof(key)) || !skip(&c, ':'))
            return 0;
        is_good = strcmp(key, "descr") == 0 ? read_text(&c, h->descr, sizeof(h->descr))
                  : strcmp(key, "fortran_order") == 0 ? read_bool(&c, &h->is_fortran)
                  : strcmp(key, "shape") == 0         ? read_shape(&c, h)
                                                      : 0;
        if (!is_good)
            return 0;
        if (!skip(&c, ',')) {
            if (!skip(&c, '}'))
                return 0;
            break;
        }
    }
    skip_blanks(&c);
    return c.at == c.end && h->descr[0] && h->is_fortran >= 0 && h->dimensions >= 0;
}

static int32_t next(cli_input *input, cli_block *block)
{
    uint64_t row_bytes = input->dimension * simplugin_dtype_size(input->dtype);
    uint64_t rows = cli_input_block_rows(input, row_bytes);
    const uint8_t *data;
    size_t got;
    int32_t code;

    if (rows > input->total_rows - input->row)
        rows = input->total_rows - input->row;
    code = cli_input_take(input, rows, row_bytes, &data, &got);
    if (code == SIMPLUGIN_OK && input->has_more && input->row + rows == input->total_rows)
        code = cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                               "there is more behind the array; save one array to a file");
    if (code == SIMPLUGIN_OK && got < rows * row_bytes)
        code = cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                               "the file is cut off: it ends in row %llu of %llu",
                               (unsigned long long)(input->row + got / row_bytes),
                               (unsigned long long)input->total_rows);
    if (code == SIMPLUGIN_OK && rows) {
        block->rows = rows;
        block->vectors = simplugin_tensor_of(input->dtype, data, rows, input->dimension);
    }
    return code;
}

static int32_t check_header(cli_input *input, const header *h)
{
    cli_source *source = &input->source;

    input->dtype = strcmp(h->descr, "<f4") == 0   ? SIMPLUGIN_FLOAT32
                   : strcmp(h->descr, "<f8") == 0 ? SIMPLUGIN_FLOAT64
                   : strcmp(h->descr, "<f2") == 0 ? SIMPLUGIN_FLOAT16
                                                  : 0;
    if (!input->dtype)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                               "an array of %s; save it as float16, float32 or float64 in little "
                               "endian, such as array.astype('<f4')",
                               h->descr);
    if (h->dimensions != 1 && h->dimensions != 2)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                               "an array of %d dimensions, where rows of vectors should be",
                               h->dimensions);
    /* a single vector is one row */
    input->total_rows = h->dimensions == 2 ? h->shape[0] : 1;
    input->dimension = h->dimensions == 2 ? h->shape[1] : h->shape[0];
    if (h->is_fortran && h->dimensions == 2 && input->total_rows > 1 && input->dimension > 1)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                               "the array is in Fortran order; save numpy.ascontiguousarray(array)");
    if (input->dimension == 0)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT, "the vectors have no elements");
    if (input->dimension > SIMPLUGIN_MAX_BODY / 8 ||
        input->total_rows > INT64_MAX / 8 / input->dimension)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT, "its shape is too large");
    return SIMPLUGIN_OK;
}

int32_t cli_npy_open(cli_input *input)
{
    cli_source *source = &input->source;
    const uint8_t *data;
    size_t got, size, prefix;
    uint8_t version;
    header h;
    int32_t code = cli_source_peek(source, 12, &data, &got);

    if (code != SIMPLUGIN_OK)
        return code;
    if (got < 10 || memcmp(data, "\x93NUMPY", 6) != 0)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT, "not a .npy file");
    version = data[6];
    if (version < 1 || version > 3)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                               "version %d of the .npy format is unknown", version);
    prefix = version == 1 ? 10 : 12;
    size = (size_t)data[8] | (size_t)data[9] << 8;
    if (version > 1 && got == 12)
        size |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    if (size > MAX_HEADER)
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT, "the header is too large");
    code = cli_source_take(source, prefix + size, &data, &got);
    if (code != SIMPLUGIN_OK)
        return code;
    if (got < prefix + size || !read_header((const char *)data + prefix, size, &h))
        return cli_source_fail(source, SIMPLUGIN_INVALID_ARGUMENT,
                               "the header is not that of an array of numbers");
    input->next = next;
    return check_header(input, &h);
}
