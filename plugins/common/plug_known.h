/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of fields that no schema names: their server would take anything, so the
 * instance remembers what it has seen and written, and a field keeps the type of its
 * first value.
 */
#ifndef PLUG_KNOWN_H
#define PLUG_KNOWN_H

#include "plug_fields.h"
#include "plug_instance.h"

#define PLUG_UNSEEN (-1)

/* What is remembered of one collection; an instance has a list, behind its lock. */
typedef struct plug_known plug_known;

/* The collection of one call. */
typedef struct plug_known_of {
    plug_call *call;
    plug_instance *instance;
    plug_known **known; /* the instance's list */
    const char *collection;
    int64_t collection_id; /* another one: a collection that was made anew */
    void *context;
    /* Looks at some rows, without the lock: types in memory of the call; PLUG_UNSEEN: it cannot
       as things are, and is to be asked again; NULL: there are none. */
    int32_t (*sample)(void *context, plug_seen *seen);
    /* The type a field was declared with; 0: none; or NULL. */
    uint32_t (*declared)(const void *context, const char *name);
    /* The type that a field's values have, be they single or in lists; 0: any; or NULL. */
    uint32_t (*items)(const void *context, const char *name);
    /* Whether the collection's schema has the field and its type: not for us; or NULL. */
    int (*is_schema)(const void *context, const char *name);
} plug_known_of;

/* Takes a sample, once for each collection. */
int32_t plug_known_learn(const plug_known_of *of);
/* Whether the fields have the types that are known; INVALID_ARGUMENT names one that has not. */
int32_t plug_known_check(const plug_known_of *of, const plug_columns *fields, const int64_t *select,
                         uint64_t count);
/* They were written: their types are known from now on. */
void plug_known_add(const plug_known_of *of, const plug_columns *fields, const int64_t *select,
                    uint64_t count);
/* All that are known, in memory of the call. */
int32_t plug_known_list(const plug_known_of *of, plug_seen *seen);
/* The collection (NULL: every one) is gone. */
void plug_known_forget(plug_instance *instance, plug_known **list, const char *collection);

#endif
