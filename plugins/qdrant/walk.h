/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a collection in the order of its keys, page by page. */
#ifndef QDRANT_WALK_H
#define QDRANT_WALK_H

#include "condition.h"
#include "fields.h"

typedef struct qdrant_walking {
    const char *condition; /* "": all points */
    int vectors;
    const plug_names *names; /* NULL: no fields */
    uint64_t limit;          /* points of one page */
    sp_text from;            /* where it begins, a key as JSON; size 0: at the beginning */
} qdrant_walking;

/* One page, which is to be cleared whatever is returned. A limit that brings more than
   max_receive_bytes is halved. */
int32_t qdrant_walk_page(qdrant_call *call, qdrant_walking *walking, qdrant_page *page);
/* Calls each with pages of ids of all points that the condition accepts. */
int32_t qdrant_walk(qdrant_call *call, const char *condition,
                    int32_t (*each)(void *context, const qdrant_page *page), void *context);

/* How many points the condition accepts, among those of the set (NULL: all), exactly. */

int32_t qdrant_count(qdrant_call *call, const char *condition, qdrant_id_set *ids,
                     uint64_t *count);

#endif
