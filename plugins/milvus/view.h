/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: sets of ids, kept here, as Milvus has nothing of the kind. A view does not change
 * and is shared between calls by counting its users.
 */
#ifndef MILVUS_VIEW_H
#define MILVUS_VIEW_H

#include <stdatomic.h>

#include "idmap.h"
#include "instance.h"

struct milvus_view {
    milvus_view *next;
    atomic_uint users;
    int64_t number;
    char *collection;
    sp_arena *memory;
    sp_column ids;  /* each once */
    sp_idmap map;
    uint64_t known; /* how many were in the collection, when the view was made */
    uint64_t total; /* of how many points */
    milvus_copy *copy; /* of its vectors; NULL: none was made. Guarded by the instance's lock */
};

/* The view under "view", held for the call; NULL: none is given. */
int32_t milvus_view_acquire(milvus_call *call, milvus_view **view);
/* NULL is harmless. */
void milvus_view_release(milvus_view *view);
static inline int milvus_view_has(const milvus_view *view, sp_text id)
{
    return sp_idmap_find(&view->map, id) != SP_IDMAP_NONE;
}

/* The views of a collection that is gone. */
void milvus_views_forget(simplugin_instance *instance, const char *collection);
void milvus_views_free(simplugin_instance *instance);

/* How many points the expression accepts, in the request's view if there is one. */
int32_t milvus_count_in_view(milvus_call *call, const char *expr, uint64_t *count);

#endif
