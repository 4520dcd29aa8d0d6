/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small views are searched here: a copy of their vectors is scored, exactly, in less time
 * than a server takes to read the list of their ids. A copy knows all that its instance
 * wrote, and what others wrote up to two seconds ago.
 *
 * Making one costs as much as several searches. So one is made where searches of a view come
 * quickly, none of the instance's writes between them, by one of them while the others ask the
 * server; in a time that is a few times what the server takes; and, once that is known, where it
 * is less than what the searches cost that come while it lasts. What does not succeed is no error:
 * the server is asked, and no copy is made for a while.
 */
#ifndef PLUG_COPY_H
#define PLUG_COPY_H

#include "plug_hits.h"

/* Views whose vectors take up no more bytes than that are copied, */
#define PLUG_COPY_BYTES (UINT64_C(8) << 20)
/* and the copies of an instance all together no more than that. */
#define PLUG_COPIES_BYTES (UINT64_C(64) << 20)

struct plug_copy {
    struct plug_copy *next; /* of those that are to be freed */
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

/* Adds the view's rows to an empty copy, in the call's time and without its error. */
typedef int32_t plug_copy_filler(plug_call *call, const plug_view *view, plug_copy *copy);

/*
 * The view's copy, held: one that is fresh enough, or a new one. writes: how many of the
 * instance's to the collection have ended. NULL: the server is to be asked.
 */
plug_copy *plug_copy_acquire(plug_call *call, plug_instance *instance, plug_views *views,
                             plug_view *view, uint64_t writes, uint64_t dimension,
                             plug_copy_filler *fill);
/* One more row; vector may lie unaligned. */
int32_t plug_copy_add(plug_call *call, plug_copy *copy, sp_text id, const void *vector);
/* The server was asked, and took so many nanoseconds. */
void plug_copy_without(plug_instance *instance, plug_view *view, int64_t nanoseconds);
/* An empty one, held, with room for that many rows; begun before they are asked for. */
int32_t plug_copy_new(plug_call *call, uint64_t writes, uint64_t dimension, uint64_t capacity,
                      plug_copy **copy);
/* NULL is harmless. */
void plug_copy_release(plug_copy *copy);

/*
 * The k nearest (farthest first, if reversed) of the query, by a metric of distance.h; of
 * those that tie, in the order of the view. Into memory of the call, with the copy's ids.
 */
int32_t plug_copy_score(plug_call *call, const plug_copy *copy, int metric, const float *query,
                        int reverse, uint64_t k, plug_list *list);

#endif
