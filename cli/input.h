/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors from files: NumPy's .npy, .fvecs, and JSON Lines of {"id", "vector", "sample_id",
 * "fields"}, all as a stream of blocks. What the file holds is passed on as it is, also
 * float16 and float64; where it is mapped and aligned, without a copy.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <jansson.h>

#include "simplugin/envelope.h"
#include "source.h"

typedef struct cli_block {
    uint64_t rows;            /* 0: the end */
    uint64_t first;           /* number of the first row in the file, from 0 */
    simplugin_tensor vectors; /* rows x dimension */
    int has_ids;
    simplugin_column ids;     /* text; JSON Lines only */
    int has_sample_ids;
    simplugin_column sample_ids;
    json_t *const *fields;    /* rows objects or NULL ones; or NULL: no row has any */
} cli_block;

typedef struct cli_input cli_input;

/*
 * Opens path ("-": standard input). format is "npy", "fvecs" or "jsonl"; NULL: what the
 * content or the name say. batch: rows of a block at most; 0: 10,000, and 64 MiB. wakeup: as
 * for cli_source_open. On failure *input still has the problem; closed in any case.
 */
int32_t cli_input_open(const char *path, const char *format, uint64_t batch, int wakeup,
                       cli_input **input);
void cli_input_close(cli_input *input);
/* The next block, valid until the next call. */
int32_t cli_input_next(cli_input *input, cli_block *block);
/* Why the last call failed, one line; "out of memory" for NULL. */
const char *cli_input_problem(const cli_input *input);
/* How much is read and how much there is, in rows or, if is_bytes, bytes; total 0: unknown. */
void cli_input_progress(const cli_input *input, uint64_t *done, uint64_t *total, int *is_bytes);

/* ---- for the formats ---- */

/* Texts one after the other, growing. */
typedef struct cli_texts {
    char *bytes;
    size_t size;
    size_t capacity;
    int64_t *offsets; /* count + 1 */
    size_t count;
    size_t offset_capacity;
} cli_texts;

/* 0, or -1 without memory. */
int cli_texts_add(cli_texts *texts, const char *data, size_t size);
void cli_texts_reset(cli_texts *texts);
void cli_texts_clear(cli_texts *texts);
simplugin_column cli_texts_column(const cli_texts *texts);
/* Rows first to first + count - 1, with offsets of their own in *offsets, malloc'd; 0 or -1. */
int cli_texts_slice(const cli_texts *texts, uint64_t first, uint64_t count, int64_t **offsets,
                    simplugin_column *column);
/* All lines of a file of ids, one id each. */
int32_t cli_texts_read(cli_texts *texts, const char *path, int wakeup, char problem[CLI_PROBLEM]);

struct cli_input {
    cli_source source;
    int32_t (*next)(cli_input *input, cli_block *block);
    uint64_t batch;
    uint64_t row;        /* rows read so far */
    uint64_t total_rows; /* UINT64_MAX: unknown */
    uint64_t dimension;  /* 0: unknown */
    int has_more;        /* something comes behind the last block */
    /* npy, fvecs */
    uint32_t dtype;
    uint8_t *aligned;    /* a copy of a block that was not */
    size_t aligned_capacity;
    /* JSON Lines */
    uint64_t line;          /* lines read so far, empty ones too */
    float *vectors;
    size_t vector_capacity; /* floats */
    float *scratch;         /* the vector of a line */
    size_t scratch_capacity;
    cli_texts ids;
    cli_texts sample_ids;
    int has_sample_ids;     /* -1: no row was seen */
    json_t **fields;
    size_t field_count;     /* rows that have a place in fields */
    size_t field_capacity;
};

int32_t cli_npy_open(cli_input *input);
int32_t cli_fvecs_open(cli_input *input);
int32_t cli_jsonl_open(cli_input *input);
/* How many rows of row_bytes a block has. */
uint64_t cli_input_block_rows(const cli_input *input, uint64_t row_bytes);
/* The next rows * row_bytes bytes, aligned to 8, and whether more come behind them. */
int32_t cli_input_take(cli_input *input, uint64_t rows, uint64_t row_bytes, const uint8_t **data,
                       size_t *got);

#endif
