/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member of a payload that holds a field: it has the field's name, but that Qdrant's
 * paths have no escapes, so that no filter can name a member with a quotation mark or a
 * backslash. Such names are stored behind "__f:", with these two and % as in a URL: "__f:a%22b".
 */
#ifndef QDRANT_MEMBER_H
#define QDRANT_MEMBER_H

#include "arena.h"
#include "buffer.h"
#include "column.h"

#define QDRANT_MEMBER "__f:"

/* Appends the member's name. */
void qdrant_member_put(sp_buffer *out, sp_text name);
/* The same for a zero-terminated name: itself, or in memory of the arena; NULL: no memory. */
const char *qdrant_member_of(const char *name, sp_arena **arena);
/*
 * The field's name: the member's, or in memory of the arena. A member of somebody else's that only
 * looks like one of ours keeps its name. 0: no memory.
 */
int qdrant_member_name(sp_text member, sp_arena **arena, sp_text *name);

#endif
