/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program prints: JSON of a reply, and tables for people. Text from files and
 * servers never reaches a terminal with its control characters.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include "simplugin/envelope.h"

/* ---- JSON ---- */

/* Text in quotes; controls, also those of C1 and for the direction of text, are escaped. */
void cli_json_text(FILE *out, const char *text, uint64_t size);
/* The shortest digits that read back as the same number; null for NaN and infinities. */
void cli_json_float(FILE *out, float value);
void cli_json_double(FILE *out, double value);
/* One element of a tensor. */
void cli_json_element(FILE *out, const simplugin_tensor *tensor, uint64_t row, uint64_t col);
/* One row of a tensor as an array. */
void cli_json_row(FILE *out, const simplugin_tensor *tensor, uint64_t row);
/* The value of a row of a column; null where it has none. */
void cli_json_cell(FILE *out, const simplugin_column *column, uint64_t row);
/*
 * A value of a reply: maps that are columns become arrays of values; a tensor of one
 * column becomes an array of numbers, unless is_matrix, any other one of arrays. name is
 * the key it stands under, "" for none: "vectors" are always a matrix.
 */
void cli_json_value(FILE *out, const simplugin_value *value, const simplugin_tensor *tensors,
                    uint64_t tensor_count, const char *name);
/* A whole reply but for the key skip (NULL: none), and the end of the line. */
void cli_json_reply(FILE *out, const simplugin_reply *reply, const char *skip);

/* ---- tables ---- */

typedef struct cli_cells {
    char **cells;     /* rows x columns, malloc'd */
    size_t count;
    size_t capacity;
    size_t columns;
    uint64_t numbers; /* bit i: column i is aligned to the right */
    int failed;       /* memory ran out */
} cli_cells;

/* The first row, blank-separated in titles, has the columns' names. */
void cli_cells_init(cli_cells *cells, const char *titles, uint64_t numbers);
/* One more column, before any row is begun. */
void cli_cells_title(cli_cells *cells, const char *title, uint64_t size);
/* The next cell of the row in hand. */
void cli_cells_add(cli_cells *cells, const char *text, uint64_t size);
void cli_cells_addf(cli_cells *cells, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What print writes to a stream of its own becomes the next cell. */
void cli_cells_add_printed(cli_cells *cells, void (*print)(FILE *out, const void *context),
                           const void *context);
/* Prints and empties; OUT_OF_MEMORY if a cell is missing. */
int32_t cli_cells_print(cli_cells *cells, FILE *out);
void cli_cells_clear(cli_cells *cells);

/* Text as one line: controls, C1 and direction marks as \x1b or \u202e, bad UTF-8 as \xff. */
void cli_print_text(FILE *out, const char *text, uint64_t size);

#endif
