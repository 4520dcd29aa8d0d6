/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index: one collection of a backend under a metric. Everything a program does with
 * points goes through one of the functions of index_*.c, which know no backend.
 */
#ifndef SP_INDEX_H
#define SP_INDEX_H

#include <stdatomic.h>

#include "queue.h"
#include "session.h"
#include "wire.h"

/* The field that says of which sample a label is, in an index of patches. */
#define SP_SAMPLE_ID "sample_id"

typedef struct sp_index {
    sp_object object;
    sp_session *session;       /* held */
    sp_connection *connection; /* shared */
    sp_arena *texts;           /* all of the following; none goes before the index does */
    const char *backend;
    const char *endpoint; /* what its connection leads to: endpoint.h */
    _Atomic(const char *) collection; /* replaced where the backend calls it otherwise */
    _Atomic(const char *) metric;
    _Atomic int metric_id; /* SP_METRIC_..., or SP_METRIC_UNKNOWN */
    const char *dataset;
    const char *brain_key; /* NULL: not recorded */
    const char *patches_field; /* NULL: none was given */
    int patches; /* each point has a sample id: by patches_field, or as the collection says */
    const char *model;
    int supports_prompts;
    int existing;               /* the collection was there before */
    json_t *create_parameters;  /* what collection.create gets */
    json_t *public_parameters;  /* the same without secrets: what is shown and recorded */
    json_t *fields;             /* declared fields, or NULL */
    _Atomic uint64_t dimension; /* 0: there is no collection yet */
    sp_queue making;            /* one thread at a time makes the collection */
} sp_index;

/* One call of the application protocol on its way through the core. */
typedef struct sp_request {
    uint64_t target; /* the handle that was called; what is made belongs to it */
    sp_args args;
    sp_context *context;
    sp_arena *arena;       /* args.arena points here */
    simplugin_reply *reply; /* to be filled */
} sp_request;

int32_t sp_index_create(sp_session *session, sp_request *request, simplugin_error **error);
int32_t sp_index_open(sp_session *session, sp_request *request, simplugin_error **error);
int32_t sp_index_info(sp_index *index, sp_request *request, simplugin_error **error);

/* Looks whether somebody else has made the collection meanwhile, where there was none yet. */
int32_t sp_index_look(sp_index *index, const sp_context *context, simplugin_error **error);
/*
 * What a call on the index answers with: code as it is, but for the NOT_FOUND of a collection
 * that somebody dropped, which says so.
 */
int32_t sp_index_explain(sp_index *index, const sp_context *context, int32_t code,
                         simplugin_error **error);
/* After a NOT_FOUND: a collection that is gone may be made anew. */
int32_t sp_index_forget(sp_index *index, const sp_context *context, simplugin_error **error);
/* Makes the collection if there is none yet. DIMENSION_MISMATCH if it has another one. */
int32_t sp_index_make(sp_index *index, uint64_t dimension, const sp_context *context,
                      simplugin_error **error);
int32_t sp_dimension_mismatch(uint64_t given, uint64_t has, simplugin_error **error);
/* How many points there are; filter may be NULL. 0 where there is no collection yet. */
int32_t sp_index_count(sp_index *index, const sp_context *context, uint64_t *count,
                       simplugin_error **error);

/* Writes "collection": name into a map that counts it. */
void sp_index_write_collection(const sp_index *index, simplugin_writer *writer);

/* Ends a request: what the writer holds becomes the reply's body. */
int32_t sp_request_finish(sp_request *request, const simplugin_writer *writer,
                          simplugin_error **error);

/* index_points.c */
int32_t sp_index_add(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_set_fields(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_remove(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_size(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_cleanup(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_check(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_compact(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_backup(sp_index *index, sp_request *request, simplugin_error **error);

/* index_get.c */
int32_t sp_index_get(sp_index *index, sp_request *request, simplugin_error **error);

/* index_search.c, index_radius.c, index_neighbors.c, index_duplicates.c */
int32_t sp_index_search(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_radius(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_neighbors(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_duplicates(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_index_unique(sp_index *index, sp_request *request, simplugin_error **error);

#endif
