/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the backend protocol while it is served, and the methods, each of which
 * writes its reply to base.out.
 */
#ifndef MILVUS_CALL_H
#define MILVUS_CALL_H

#include "plug_args.h"
#include "schema.h"
#include "transport.h"

#define MILVUS_VERSION "1.0.0"

typedef struct milvus_call {
    plug_call base;            /* first */
    simplugin_instance *instance;
    const char *collection;    /* as Milvus calls it, of methods that name one */
    milvus_schema *schema;     /* held, of methods that work on one */
} milvus_call;

/* ---- what the table of plugin.c holds: describe.c and instance.c ---------------------- */

int32_t milvus_describe(simplugin_reply *reply, simplugin_error **error);
int32_t milvus_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error);
int32_t milvus_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                             const simplugin_request *request, simplugin_reply *reply,
                             simplugin_error **error);
void milvus_instance_close(simplugin_instance *instance);

/* The key "methods" of describe. */
void milvus_methods_write(simplugin_writer *out);

/* ---- the methods ------------------------------------------------------------------------ */

int32_t milvus_serve_health(milvus_call *call);
int32_t milvus_serve_collection_list(milvus_call *call);
int32_t milvus_serve_collection_exists(milvus_call *call);
int32_t milvus_serve_collection_create(milvus_call *call);
int32_t milvus_serve_collection_describe(milvus_call *call);
int32_t milvus_serve_collection_drop(milvus_call *call);
int32_t milvus_serve_collection_flush(milvus_call *call);
int32_t milvus_serve_collection_load(milvus_call *call);
int32_t milvus_serve_collection_release(milvus_call *call);
int32_t milvus_serve_collection_compact(milvus_call *call);
int32_t milvus_serve_points_upsert(milvus_call *call);
int32_t milvus_serve_points_set_fields(milvus_call *call);
int32_t milvus_serve_points_delete(milvus_call *call);
int32_t milvus_serve_points_get(milvus_call *call);
int32_t milvus_serve_points_count(milvus_call *call);
int32_t milvus_serve_points_scan(milvus_call *call);
int32_t milvus_serve_search(milvus_call *call);
int32_t milvus_serve_view_create(milvus_call *call);
int32_t milvus_serve_view_drop(milvus_call *call);
int32_t milvus_serve_index_create(milvus_call *call);
int32_t milvus_serve_index_drop(milvus_call *call);
int32_t milvus_serve_index_describe(milvus_call *call);
int32_t milvus_serve_partition_create(milvus_call *call);
int32_t milvus_serve_partition_list(milvus_call *call);
int32_t milvus_serve_partition_drop(milvus_call *call);

#endif
