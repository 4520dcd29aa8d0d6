/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns: typed, nullable values, one for each row, as views of memory that somebody
 * else owns. A text or list row is found by offsets, so that a column of any number of
 * rows is a handful of arrays.
 */
#ifndef SP_COLUMN_H
#define SP_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "simplugin/envelope.h"

#define SP_TEXT SIMPLUGIN_COLUMN_TEXT
#define SP_INT64 SIMPLUGIN_COLUMN_INT64
#define SP_FLOAT64 SIMPLUGIN_COLUMN_FLOAT64
#define SP_BOOL SIMPLUGIN_COLUMN_BOOL
#define SP_LIST SIMPLUGIN_COLUMN_LIST /* ored to one of the above: a list of them */

typedef simplugin_column sp_column;

typedef struct sp_text {
    const char *data;
    size_t size;
} sp_text;

/* "text", "int64", "float64", "bool", "list<text>", ...; NULL for no type. */
const char *sp_column_type_name(uint32_t type);
/* The type of that name, 0 if there is none. */
uint32_t sp_column_type(const char *name, size_t size);

static inline int sp_column_is_valid(const sp_column *column, uint64_t row)
{
    return !column->valid || (column->valid[row >> 3] >> (row & 7) & 1);
}

/* Element i of a text column (for lists: an index from list_offsets, not a row). */
static inline sp_text sp_column_text(const sp_column *column, uint64_t i)
{
    /* A column of empty texts may have no bytes at all. */
    const char *bytes = column->values ? (const char *)column->values : "";
    sp_text text = {bytes + column->offsets[i],
                    (size_t)(column->offsets[i + 1] - column->offsets[i])};
    return text;
}

#endif
