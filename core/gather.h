/* SPDX-License-Identifier: Apache-2.0 */
/* Picking rows out of columns, in any order. */
#ifndef SP_GATHER_H
#define SP_GATHER_H

#include "arena.h"
#include "column.h"

#define SP_ROW_NONE UINT64_MAX /* a row without a value */

/*
 * out = the given rows of column (NULL: the first count), in memory of the arena. 0 when
 * memory is short.
 */
int sp_column_gather(const sp_column *column, const uint64_t *rows, uint64_t count,
                     sp_arena **arena, sp_column *out);
/* About how many bytes a row takes. */
uint64_t sp_column_row_bytes(const sp_column *column, uint64_t row);
/* A column of text of count rows without a value. 0 when memory is short. */
int sp_column_missing(uint64_t count, sp_arena **arena, sp_column *out);
/* A column of text from count texts. 0 when memory is short. */
int sp_column_of_texts(const sp_text *texts, uint64_t count, sp_arena **arena, sp_column *out);

#endif
