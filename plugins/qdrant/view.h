/* SPDX-License-Identifier: Apache-2.0 */
/* Views of the calls' collections; plug_view.h has what they are. */
#ifndef QDRANT_VIEW_H
#define QDRANT_VIEW_H

#include "condition.h"
#include "instance.h"

/* The view under "view", held for the call; NULL: none is given. */
int32_t qdrant_view_acquire(qdrant_call *call, plug_view **view);

/* The ids of a view, each once, for requests with so many of them. */
qdrant_id_set qdrant_view_ids(const plug_view *view, uint64_t limit);

/* How many points the condition accepts, in the request's view if there is one. */
int32_t qdrant_count_in_view(qdrant_call *call, const char *condition, uint64_t *count);

#endif
