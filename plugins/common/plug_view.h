/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of servers that have nothing of the kind: sets of ids, kept by the instance. A
 * view does not change, and is shared between calls by counting its users.
 */
#ifndef PLUG_VIEW_H
#define PLUG_VIEW_H

#include <stdatomic.h>

#include "idmap.h"
#include "plug_instance.h"

typedef struct plug_copy plug_copy;

typedef struct plug_view {
    struct plug_view *next;
    atomic_uint users;
    int64_t number;
    char *collection;
    sp_arena *memory;
    sp_column ids;   /* as they were given */
    sp_idmap map;    /* the first place of each */
    uint64_t known;  /* how many were in the collection, when the view was made */
    uint64_t total;  /* of how many points */
    /* guarded by the instance's lock: */
    plug_copy *copy;      /* of its vectors; NULL: none was made */
    int is_copied;        /* somebody is at it */
    int64_t searched_at;  /* when a copy would have served last; 0: never */
    uint64_t writes;      /* of the instance to the collection, then */
    int64_t without;      /* nanoseconds of a search by the server; 0: not known */
    int64_t copying;      /* of making the last copy; 0: not known */
    int64_t not_before;   /* no copy is tried until then */
} plug_view;

/* Those of an instance, guarded by its lock. Zeroed: none. */
typedef struct plug_views {
    plug_view *first;
    int64_t last_number;
} plug_views;

/* From "ids" of the request, required; held. known and total are for the caller to fill. */
int32_t plug_view_new(plug_call *call, const char *collection, plug_view **view);
/* It gets a number, is kept until it is dropped, and becomes the reply. */
int32_t plug_view_keep(plug_call *call, plug_instance *instance, plug_views *views,
                       plug_view *view);
/* The view under "view" of the request, held for the call; NULL: none is given. */
int32_t plug_view_acquire(plug_call *call, plug_instance *instance, const plug_views *views,
                          const char *collection, plug_view **view);
/* NULL is harmless. */
void plug_view_release(plug_view *view);
/* Serves view.drop. */
int32_t plug_view_drop(plug_call *call, plug_instance *instance, plug_views *views,
                       const char *collection);
/* Those of a collection that is gone; NULL: all. */
void plug_views_forget(plug_instance *instance, plug_views *views, const char *collection);

static inline int plug_view_has(const plug_view *view, sp_text id)
{
    return sp_idmap_find(&view->map, id) != SP_IDMAP_NONE;
}

/* Whether the id at that place stands at none before it. */
static inline int plug_view_is_first(const plug_view *view, uint64_t at)
{
    return sp_idmap_find(&view->map, sp_column_text(&view->ids, at)) == at;
}

#endif
