/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the backend protocol while it is served, and the methods, each of which
 * writes its reply to base.out.
 */
#ifndef QDRANT_CALL_H
#define QDRANT_CALL_H

#include "plug_args.h"
#include "schema.h"
#include "transport.h"

#define QDRANT_BACKEND_VERSION "1.0.0"

typedef struct qdrant_call {
    plug_call base;         /* first */
    simplugin_instance *instance;
    const char *collection; /* zero-terminated, of methods that name one */
    qdrant_schema *schema;  /* held, of methods that work on one */
} qdrant_call;

/* ---- what the table of plugin.c holds: describe.c and instance.c ---------------------- */

int32_t qdrant_describe(simplugin_reply *reply, simplugin_error **error);
int32_t qdrant_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error);
int32_t qdrant_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                             const simplugin_request *request, simplugin_reply *reply,
                             simplugin_error **error);
void qdrant_instance_close(simplugin_instance *instance);

/* The key "methods" of describe. */
void qdrant_methods_write(simplugin_writer *out);

/* ---- the methods ------------------------------------------------------------------------ */

int32_t qdrant_serve_health(qdrant_call *call);
int32_t qdrant_serve_collection_list(qdrant_call *call);
int32_t qdrant_serve_collection_exists(qdrant_call *call);
int32_t qdrant_serve_collection_create(qdrant_call *call);
int32_t qdrant_serve_collection_describe(qdrant_call *call);
int32_t qdrant_serve_collection_drop(qdrant_call *call);
int32_t qdrant_serve_points_upsert(qdrant_call *call);
int32_t qdrant_serve_points_set_fields(qdrant_call *call);
int32_t qdrant_serve_points_delete(qdrant_call *call);
int32_t qdrant_serve_points_get(qdrant_call *call);
int32_t qdrant_serve_points_count(qdrant_call *call);
int32_t qdrant_serve_points_scan(qdrant_call *call);
int32_t qdrant_serve_search(qdrant_call *call);
int32_t qdrant_serve_view_create(qdrant_call *call);
int32_t qdrant_serve_view_drop(qdrant_call *call);
int32_t qdrant_serve_index_create(qdrant_call *call);
int32_t qdrant_serve_index_describe(qdrant_call *call);

int32_t qdrant_native_alias_create(qdrant_call *call);
int32_t qdrant_native_alias_drop(qdrant_call *call);
int32_t qdrant_native_alias_list(qdrant_call *call);
int32_t qdrant_native_snapshot_create(qdrant_call *call);
int32_t qdrant_native_snapshot_list(qdrant_call *call);
int32_t qdrant_native_snapshot_drop(qdrant_call *call);
int32_t qdrant_native_cluster(qdrant_call *call);
/* any path of the server's */
int32_t qdrant_native_request(qdrant_call *call);

#endif
