/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of hits while the core works on them, and the reply they become. */
#ifndef SP_HITS_H
#define SP_HITS_H

#include "points.h"

typedef struct sp_hit {
    sp_text id; /* in the arena of the hits */
    double distance;
    double score;
} sp_hit;

typedef struct sp_hit_list {
    sp_hit *hits; /* nearest (or, reversed, farthest) first */
    uint64_t count;
    uint64_t capacity;
} sp_hit_list;

typedef struct sp_hits {
    sp_arena *arena;
    sp_hit_list *lists; /* one a query */
    uint64_t query_count;
} sp_hits;

int sp_hits_init(sp_hits *hits, uint64_t query_count);
void sp_hits_clear(sp_hits *hits);
/* Appends a hit with a copy of its id. 0 when memory is short. */
int sp_hits_add(sp_hits *hits, uint64_t query, sp_text id, double distance, double score);

/* What a reply holds beside ids, distances and scores. */
typedef struct sp_hits_want {
    int vectors;
    sp_names fields;
} sp_hits_want;

/*
 * Writes the hits into the request's reply, with sample ids in an index of patches.
 */
int32_t sp_hits_reply(sp_index *index, sp_request *request, const sp_hits *hits,
                      const sp_hits_want *want, simplugin_error **error);

#endif
