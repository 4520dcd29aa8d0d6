/* SPDX-License-Identifier: Apache-2.0 */
/* Views of the calls' collections; plug_view.h has what they are. */
#ifndef MILVUS_VIEW_H
#define MILVUS_VIEW_H

#include "instance.h"

/* The view under "view", held for the call; NULL: none is given. */
int32_t milvus_view_acquire(milvus_call *call, plug_view **view);

/* How many points the expression accepts, in the request's view if there is one. */
int32_t milvus_count_in_view(milvus_call *call, const char *expr, uint64_t *count);

#endif
