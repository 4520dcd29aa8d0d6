/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the backend protocol while it is served: what came in, where the answer
 * goes, and the collection it works on, which it holds until it ends.
 */
#ifndef FLAT_CALL_H
#define FLAT_CALL_H

#include "arena.h"
#include "plugin.h"
#include "store.h"

#define FLAT_VERSION "0.1.0"

typedef struct flat_collection flat_collection;

typedef struct flat_call {
    simplugin_instance *instance;
    const simplugin_call_info *info;
    const simplugin_request *request;
    simplugin_value body;
    simplugin_reply *reply;
    simplugin_error **error;
    flat_wait wait;
    simplugin_writer out;        /* the reply's body */
    sp_arena *scratch;           /* memory until the call ends */
    sp_text name;                /* the collection's, of methods that name one */
    flat_collection *collection; /* opened, of methods that work on one */
    flat_store *store;           /* the collection's */
} flat_call;

/* ---- what the table of plugin.c holds: describe.c and instance.c ---------------------- */

int32_t flat_describe(simplugin_reply *reply, simplugin_error **error);
int32_t flat_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                           simplugin_instance **instance, simplugin_error **error);
int32_t flat_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                           const simplugin_request *request, simplugin_reply *reply,
                           simplugin_error **error);
void flat_instance_close(simplugin_instance *instance);

/* ---- the methods: each writes its reply to call->out ---------------------------------- */

int32_t flat_serve_collection_list(flat_call *call);
int32_t flat_serve_collection_exists(flat_call *call);
int32_t flat_serve_collection_create(flat_call *call);
int32_t flat_serve_collection_describe(flat_call *call);
int32_t flat_serve_collection_drop(flat_call *call);
int32_t flat_serve_collection_compact(flat_call *call);
int32_t flat_serve_collection_check(flat_call *call);
int32_t flat_serve_collection_backup(flat_call *call);
int32_t flat_serve_points_upsert(flat_call *call);
int32_t flat_serve_points_set_fields(flat_call *call);
int32_t flat_serve_points_delete(flat_call *call);
int32_t flat_serve_points_get(flat_call *call);
int32_t flat_serve_points_count(flat_call *call);
int32_t flat_serve_points_scan(flat_call *call);
int32_t flat_serve_search(flat_call *call);
int32_t flat_serve_search_radius(flat_call *call);
int32_t flat_serve_search_neighbors(flat_call *call);
int32_t flat_serve_view_create(flat_call *call);
int32_t flat_serve_view_drop(flat_call *call);

/* ---- errors, time and memory of a call ------------------------------------------------ */

/* Sets the call's error, with the collection's name in front where there is one; returns code. */
int32_t flat_fail(flat_call *call, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, INVALID_ARGUMENT, with the detail "argument". */
int32_t flat_fail_argument(flat_call *call, const char *argument, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int32_t flat_no_memory(flat_call *call);
/* CANCELLED, DEADLINE_EXCEEDED or OK: between blocks of work. */
int32_t flat_call_check(flat_call *call);
/* The same without setting an error. */
int32_t flat_call_stops(const flat_call *call);
/* count x size zeroed bytes until the call ends; NULL: no memory. */
void *flat_scratch(flat_call *call, uint64_t count, uint64_t size);
/* The same in memory of the reply. */
void *flat_reply_array(flat_call *call, uint64_t count, uint64_t size);

#endif
