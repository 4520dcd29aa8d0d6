/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One type for each field of a copy, however the source's pages have it: a source that keeps
 * no types gives a page of integers, and then one of floats or of text.
 */
#ifndef SP_COPY_TYPES_H
#define SP_COPY_TYPES_H

#include "points.h"

typedef struct sp_copy_types {
    json_t *known; /* name to type; others get that of their first value */
    int skip;      /* a value that cannot be of its field's type is missing in the copy */
} sp_copy_types;

/*
 * The type that holds values of both, 0: none does but text. Either may be 0: nothing is
 * known of it.
 */
uint32_t sp_copy_types_join(uint32_t a, uint32_t b);
/* Whether the column has any value, and any element of a list, that tells its type. */
int sp_copy_types_tells(const sp_column *column);

/*
 * The column as its field's type has it: integers and floats as each other where nothing is
 * lost, numbers and switches as text, and text that reads as one of them. INVALID_ARGUMENT
 * names the first value that cannot be, unless those are skipped; ids: of its rows.
 */
int32_t sp_copy_types_apply(sp_copy_types *types, const char *name, const sp_column *ids,
                            sp_column *column, sp_arena **arena, simplugin_error **error);
/* The same for a comparison: of the type `type`, and what cannot be is missing. 0: no memory. */
int sp_copy_types_cast(sp_column *column, uint32_t type, sp_arena **arena);

#endif
