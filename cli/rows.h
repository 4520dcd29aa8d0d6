/* SPDX-License-Identifier: Apache-2.0 */
/* Points of a reply, a row each: from index.get, scans and searches. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli.h"

#define CLI_MAX_FIELDS 256

typedef struct cli_field {
    const char *name;
    uint64_t size;
    simplugin_column column;
} cli_field;

/* Views of a reply's memory. */
typedef struct cli_rows {
    uint64_t count;
    simplugin_column ids;
    int has_sample_ids;
    simplugin_column sample_ids;
    const simplugin_tensor *vectors; /* NULL: none */
    const simplugin_tensor *distances;
    const simplugin_tensor *scores;
    cli_field fields[CLI_MAX_FIELDS];
    size_t field_count;
} cli_rows;

/* PROTOCOL, told of, if the reply's columns do not fit each other. */
int32_t cli_rows_read(cli *program, const cli_reply *reply, cli_rows *rows);
/* {"id": ..., "sample_id": ..., "distance": ..., "score": ..., "vector": [...], "fields": {}} */
void cli_rows_json(FILE *out, const cli_rows *rows, uint64_t row);
/* The titles of a table of such rows, blank-separated; numbers: as for cli_cells_init. */
void cli_rows_begin(const cli_rows *rows, const char *before, cli_cells *cells);
/* The cells of a row, in the titles' order. */
void cli_rows_add(const cli_rows *rows, uint64_t row, cli_cells *cells);

#endif
