/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: opened, called and closed by the host. */
#include "config.h"

#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

#include "describe.h"
#include "name.h"

/* ---- opening and closing ---------------------------------------------------------------- */

int32_t qdrant_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    plug_call call = {.info = info, .request = request, .error = error};
    simplugin_instance *made = calloc(1, sizeof *made);
    const char *known;
    int32_t code = SIMPLUGIN_OK;

    *instance = NULL;
    call.body = simplugin_body_value(request->body, request->body_size);
    known = qdrant_connection_keys(&call);
    if (!made || !known)
        code = plug_no_memory(&call);
    if (!code)
        code = plug_args_check(&call, known);
    if (!code)
        code = qdrant_settings_read(&made->settings, &call);
    if (!code && plug_instance_init(&made->base))
        code = plug_no_memory(&call);
    if (!code) {
        qdrant_link_init(&made->link, &made->settings);
        *instance = made;
        made = NULL;
    }
    if (made)
        qdrant_settings_clear(&made->settings);
    free(made);
    sp_arena_free(&call.scratch);
    return code;
}

void qdrant_instance_close(simplugin_instance *instance)
{
    if (!instance)
        return;
    plug_views_forget(&instance->base, &instance->views, NULL);
    plug_known_forget(&instance->base, &instance->known, NULL);
    qdrant_schema_forget(instance, NULL);
    plug_instance_clear(&instance->base);
    qdrant_link_clear(&instance->link);
    qdrant_settings_clear(&instance->settings);
    free(instance);
}

/* ---- methods ------------------------------------------------------------------------------ */

#define NO_NAME 0   /* names no collection */
#define NAME_ONLY 1 /* names one, which need not be there */
#define OPENED 2    /* works on one */

typedef struct qdrant_method {
    const char *name; /* first */
    const char *keys; /* as docs/protocol.md lists them */
    int kind;
    int32_t (*serve)(qdrant_call *call);
} qdrant_method;

static const qdrant_method methods[] = {
    {"health", "", NO_NAME, qdrant_serve_health},
    {"search", "collection vectors k filter view reverse max_distance fields with_vectors parameters",
     OPENED, qdrant_serve_search},
    {"points.get", "collection ids vectors fields", OPENED, qdrant_serve_points_get},
    {"points.upsert", "collection ids vectors fields rows parameters", OPENED,
     qdrant_serve_points_upsert},
    {"points.set_fields", "collection ids fields", OPENED, qdrant_serve_points_set_fields},
    {"points.delete", "collection ids filter all", OPENED, qdrant_serve_points_delete},
    {"points.count", "collection filter view", OPENED, qdrant_serve_points_count},
    {"points.scan", "collection cursor max_bytes max_rows vectors fields filter", OPENED,
     qdrant_serve_points_scan},
    {"view.create", "collection ids", OPENED, qdrant_serve_view_create},
    {"view.drop", "collection view", NAME_ONLY, qdrant_serve_view_drop},
    {"collection.list", "", NO_NAME, qdrant_serve_collection_list},
    {"collection.exists", "collection", NAME_ONLY, qdrant_serve_collection_exists},
    {"collection.create", "collection dimension metric fields parameters", NAME_ONLY,
     qdrant_serve_collection_create},
    {"collection.describe", "collection", OPENED, qdrant_serve_collection_describe},
    {"collection.drop", "collection", NAME_ONLY, qdrant_serve_collection_drop},
    {"index.create", "collection parameters", OPENED, qdrant_serve_index_create},
    {"index.describe", "collection", OPENED, qdrant_serve_index_describe},
    {"native.alias.create", "collection alias", NAME_ONLY, qdrant_native_alias_create},
    {"native.alias.drop", "alias", NO_NAME, qdrant_native_alias_drop},
    {"native.alias.list", "collection", NO_NAME, qdrant_native_alias_list},
    {"native.snapshot.create", "collection", NAME_ONLY, qdrant_native_snapshot_create},
    {"native.snapshot.list", "collection", NAME_ONLY, qdrant_native_snapshot_list},
    {"native.snapshot.drop", "collection snapshot", NAME_ONLY, qdrant_native_snapshot_drop},
    {"native.cluster", "", NO_NAME, qdrant_native_cluster},
    {"native.request", "method path body idempotent", NO_NAME, qdrant_native_request},
};

#define METHODS (sizeof methods / sizeof methods[0])

/* What the table has beyond the required methods, for describe. */
void qdrant_methods_write(simplugin_writer *out)
{
    plug_methods_write(out, methods, METHODS, sizeof methods[0]);
}

static int32_t serve(qdrant_call *call, const qdrant_method *method)
{
    int32_t code = plug_args_check(&call->base, method->keys);

    if (!code && method->kind != NO_NAME)
        code = qdrant_name_read(call);
    if (!code)
        code = plug_check(&call->base);
    if (!code && method->serve != qdrant_serve_health)
        code = qdrant_version_check(call);
    if (!code && method->kind == OPENED)
        code = qdrant_schema_acquire(call);
    if (!code)
        code = method->serve(call);
    /* it may have been made anew by somebody else: the next call asks again */
    if (code && call->schema)
        qdrant_schema_forget(call->instance, call->collection);
    qdrant_schema_release(call->schema);
    return code;
}

int32_t qdrant_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                             const simplugin_request *request, simplugin_reply *reply,
                             simplugin_error **error)
{
    qdrant_call call = {
        .base = {.info = info, .request = request, .reply = reply, .error = error},
        .instance = instance,
    };
    int64_t found;
    int32_t code;

    simplugin_writer_init(&call.base.out);
    call.base.body = simplugin_body_value(request->body, request->body_size);
    found = plug_method_find(&call.base, methods, METHODS, sizeof methods[0]);
    code = found < 0 ? SIMPLUGIN_UNKNOWN_METHOD : serve(&call, &methods[found]);
    if (!code && simplugin_writer_reply(&call.base.out, plug_host, reply))
        code = plug_no_memory(&call.base);
    simplugin_writer_clear(&call.base.out);
    sp_arena_free(&call.base.scratch);
    return code;
}
