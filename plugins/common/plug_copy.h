/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small views are searched here: a copy of their vectors is scored, exactly, in less time
 * than a server takes to read the list of their ids. A copy knows all that its instance
 * wrote, and what others wrote up to two seconds ago.
 */
#ifndef PLUG_COPY_H
#define PLUG_COPY_H

#include "plug_hits.h"

/* Views whose vectors take up no more bytes than that are copied. */
#define PLUG_COPY_BYTES (UINT64_C(8) << 20)

struct plug_copy {
    atomic_uint users;
    sp_arena *memory;
    uint64_t writes; /* of the instance to the collection, when it was made */
    int64_t made_at;
    uint64_t dimension;
    uint64_t capacity;
    uint64_t count;
    sp_text *ids;
    float *vectors;
};

/*
 * The view's copy, held, if it is fresh enough. NULL: there is none, and *is_worth says whether
 * one is to be made: making it costs as much as some searches, so these have to come quicker
 * than a copy gets old, and than others write.
 */
plug_copy *plug_copy_find(plug_instance *instance, plug_view *view, uint64_t writes,
                          int *is_worth);
/* An empty one, held, with room for that many rows; begun before they are asked for. */
int32_t plug_copy_new(plug_call *call, uint64_t writes, uint64_t dimension, uint64_t capacity,
                      plug_copy **copy);
/* One more row; vector may lie unaligned. */
int32_t plug_copy_add(plug_call *call, plug_copy *copy, sp_text id, const void *vector);
/* The view's from now on, and the caller's still. */
void plug_copy_keep(plug_instance *instance, plug_view *view, plug_copy *copy);
/* NULL is harmless. */
void plug_copy_release(plug_copy *copy);

/*
 * The k nearest (farthest first, if reversed) of the query, by a metric of distance.h; of
 * those that tie, in the order of the view. Into memory of the call, with the copy's ids.
 */
int32_t plug_copy_score(plug_call *call, const plug_copy *copy, int metric, const float *query,
                        int reverse, uint64_t k, plug_list *list);

#endif
