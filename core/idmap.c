/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include <string.h>

/*
 * FNV-1a, finished with a mix so that the low bits are good too. It begins with where the
 * slots happen to be, so that nobody can choose ids that all fall on one slot.
 */
static uint64_t text_hash(const sp_idmap *map, sp_text text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^
                    (uint64_t)(uintptr_t)map->slots * UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

int sp_idmap_init(sp_idmap *map, const sp_column *ids, sp_arena **arena)
{
    uint64_t capacity = 16;

    if (ids->count > UINT64_MAX / 8)
        return 0;
    while (capacity < ids->count * 2)
        capacity *= 2;
    map->ids = ids;
    map->mask = capacity - 1;
    map->slots = sp_arena_array(arena, capacity, sizeof *map->slots);
    return map->slots != NULL;
}

/* The slot of the id, or the empty one where it would go. */
static uint64_t *id_slot(const sp_idmap *map, sp_text id)
{
    uint64_t at = text_hash(map, id) & map->mask;

    for (;; at = (at + 1) & map->mask) {
        sp_text other;

        if (!map->slots[at])
            return &map->slots[at];
        other = sp_column_text(map->ids, map->slots[at] - 1);
        if (other.size == id.size && memcmp(other.data, id.data, id.size) == 0)
            return &map->slots[at];
    }
}

uint64_t sp_idmap_add(sp_idmap *map, uint64_t position)
{
    uint64_t *slot = id_slot(map, sp_column_text(map->ids, position));

    if (*slot)
        return *slot - 1;
    *slot = position + 1;
    return SP_IDMAP_NONE;
}

uint64_t sp_idmap_find(const sp_idmap *map, sp_text id)
{
    uint64_t *slot = id_slot(map, id);

    return *slot ? *slot - 1 : SP_IDMAP_NONE;
}

void sp_idmap_move(sp_idmap *map, uint64_t from, uint64_t to)
{
    *id_slot(map, sp_column_text(map->ids, from)) = to + 1;
}
