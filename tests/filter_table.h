/* SPDX-License-Identifier: Apache-2.0 */
/* A small table of columns, filled row by row, for the tests of filters. */
#ifndef SP_TESTS_FILTER_TABLE_H
#define SP_TESTS_FILTER_TABLE_H

#include "filter.h"

#define TABLE_COLUMNS 32

typedef struct table_column {
    sp_text name;      /* borrowed */
    sp_column column;  /* set by table_finish; its arrays are below, exactly as long as needed */
    uint32_t type;
    uint64_t rows;
    uint64_t elements;
    sp_buffer valid;   /* bytes here, packed by table_finish */
    sp_buffer lists;
    sp_buffer offsets;
    sp_buffer values;
    void *packed[4];
} table_column;

typedef struct table {
    table_column columns[TABLE_COLUMNS];
    uint32_t count;
} table;

void table_init(table *t);
void table_clear(table *t);
table_column *table_add_column(table *t, sp_text name, uint32_t type);

/* A value of the row, or an element of its list; then end the row. */
void table_add_text(table_column *c, sp_text text);
void table_add_int(table_column *c, int64_t value);
void table_add_float(table_column *c, double value);
void table_add_bool(table_column *c, int value);
void table_end_row(table_column *c, int is_valid);

/* Makes the sp_columns, in allocations of their exact size so that tools see overruns. */
void table_finish(table *t);
/* An sp_filter_lookup; its context is the table. */
const sp_column *table_lookup(void *context, uint32_t index, sp_text name);
/* An sp_filter_type_of. */
uint32_t table_type_of(void *context, sp_text name);

#endif
