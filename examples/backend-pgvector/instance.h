/* SPDX-License-Identifier: Apache-2.0 */
/* An instance - settings, sessions, views - and the methods it serves. */
#ifndef PGV_INSTANCE_H
#define PGV_INSTANCE_H

#include <sys/types.h>

#include "call.h"
#include "pool.h"
#include "view.h"

struct simplugin_instance {
    pgv_settings settings;
    pgv_pool pool;
    pgv_views views;
    pid_t pid; /* whose sessions these are */
};

int32_t pgv_open(const simplugin_call_info *info, const simplugin_request *request,
                 simplugin_instance **instance, simplugin_error **error);
int32_t pgv_serve(simplugin_instance *instance, const simplugin_call_info *info,
                  const simplugin_request *request, simplugin_reply *reply,
                  simplugin_error **error);
void pgv_close(simplugin_instance *instance);

/* In describe.c. */
int32_t pgv_describe(simplugin_reply *reply, simplugin_error **error);
extern const char pgv_connection_keys[]; /* words */
extern const char pgv_creation_keys[];
extern const char pgv_search_keys[];

/* The methods, each in the file that its name says. */
int32_t pgv_health(pgv_call *call);
int32_t pgv_collection_list(pgv_call *call);
int32_t pgv_collection_exists(pgv_call *call);
int32_t pgv_collection_create(pgv_call *call);
int32_t pgv_collection_describe(pgv_call *call);
int32_t pgv_collection_drop(pgv_call *call);
int32_t pgv_points_upsert(pgv_call *call);
int32_t pgv_points_set_fields(pgv_call *call);
int32_t pgv_points_delete(pgv_call *call);
int32_t pgv_points_get(pgv_call *call);
int32_t pgv_points_count(pgv_call *call);
int32_t pgv_points_scan(pgv_call *call);
int32_t pgv_search(pgv_call *call);
int32_t pgv_view_create(pgv_call *call);
int32_t pgv_view_drop(pgv_call *call);
int32_t pgv_index_create(pgv_call *call);
int32_t pgv_index_drop(pgv_call *call);
int32_t pgv_index_describe(pgv_call *call);

#endif
