/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance keeps between calls: open collections and views, under one lock that
 * is only ever held for moments - nothing is opened, read or waited for under it.
 */
#ifndef FLAT_INSTANCE_H
#define FLAT_INSTANCE_H

#include "mask.h"
#include "call.h"
#include "plug_instance.h"

/* How many collections stay open that no call is in. */
#define FLAT_MAX_IDLE 16
/* How many filters' masks a collection keeps. */
#define FLAT_MAX_MASKS 8

typedef struct flat_view flat_view;

/* The mask of a filter, as its bytes stand in the request. */
typedef struct flat_cached_mask {
    uint8_t *filter;
    uint64_t filter_size;
    uint64_t version; /* of the snapshot */
    uint64_t used;    /* when it was used last */
    flat_mask_ref *mask;
} flat_cached_mask;

struct flat_collection {
    flat_collection *next;
    char *name;
    size_t name_size;
    flat_store *store;
    uint64_t number;  /* of this opening; never comes again in the instance */
    uint64_t users;   /* calls that are in it */
    uint64_t used;    /* when a call was in it last */
    int forgotten;    /* no longer in the list; the last user closes it */
    flat_cached_mask masks[FLAT_MAX_MASKS];
};

struct simplugin_instance {
    plug_instance base; /* first; its lock guards everything from collections on */
    char *root;
    flat_searcher *searcher;
    flat_collection *collections;
    flat_view *views;
    uint64_t clock;           /* counts uses */
    uint64_t collection_number;
    int64_t view_number;
};

/*
 * Opens the collection of the call, or finds it open, and holds it for the call.
 * *was_open says which.
 */
int32_t flat_collection_acquire(flat_call *call, int *was_open);
/* Ends that. NULL is harmless. */
void flat_collection_release(simplugin_instance *instance, flat_collection *collection);
/* Lets go of the collection, as soon as no call is in it; of the one of that name, if any. */
void flat_collection_forget(simplugin_instance *instance, flat_collection *collection);
void flat_collection_forget_name(simplugin_instance *instance, sp_text name);

#endif
