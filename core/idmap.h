/* SPDX-License-Identifier: Apache-2.0 */
/* Which position an id has in a column of ids: a hash table over somebody else's texts. */
#ifndef SP_IDMAP_H
#define SP_IDMAP_H

#include "arena.h"
#include "column.h"

#define SP_IDMAP_NONE UINT64_MAX

typedef struct sp_idmap {
    const sp_column *ids;
    uint64_t *slots; /* position + 1; 0: empty */
    uint64_t mask;
} sp_idmap;

/* Room for all of ids, none of them in it yet. 0 when memory is short. */
int sp_idmap_init(sp_idmap *map, const sp_column *ids, sp_arena **arena);
/* Puts ids[position] in; the position it was already under, or SP_IDMAP_NONE. */
uint64_t sp_idmap_add(sp_idmap *map, uint64_t position);
uint64_t sp_idmap_find(const sp_idmap *map, sp_text id);
/* Makes an id that is in the map stand for another of its positions. */
void sp_idmap_move(sp_idmap *map, uint64_t from, uint64_t to);

#endif
