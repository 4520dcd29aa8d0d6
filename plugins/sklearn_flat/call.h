/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the backend protocol while it is served: what came in, where the answer
 * goes, and the collection it works on, which it holds until it ends.
 */
#ifndef FLAT_CALL_H
#define FLAT_CALL_H

#include "plug_call.h"
#include "store.h"

#define FLAT_VERSION "1.0.0"

typedef struct flat_collection flat_collection;

typedef struct flat_call {
    plug_call base; /* first */
    simplugin_instance *instance;
    flat_wait wait;
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

/* ---- the methods: each writes its reply to base.out ----------------------------------- */

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

#endif
