/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#include <unistd.h>

#include "args.h"

/* ---- open and close ------------------------------------------------------------------------- */

int32_t pgv_open(const simplugin_call_info *info, const simplugin_request *request,
                 simplugin_instance **instance, simplugin_error **error)
{
    pgv_call call = {.info = info, .request = request, .error = error};
    simplugin_instance *made = calloc(1, sizeof *made);
    int32_t code;

    *instance = NULL;
    call.body = simplugin_body_value(request->body, request->body_size);
    code = made
               ? pgv_args_check(&call, &call.body, SIMPLUGIN_UNKNOWN_PARAMETER, pgv_connection_keys)
               : pgv_no_memory(&call);
    if (!code)
        code = pgv_settings_read(&call, &made->settings);
    if (!code && !pgv_views_init(&made->views))
        code = pgv_no_memory(&call);
    else if (!code && !pgv_pool_init(&made->pool, made->settings.pool_size)) {
        pgv_views_clear(&made->views);
        code = pgv_no_memory(&call);
    }
    if (!code) {
        made->pid = getpid();
        *instance = made;
    } else if (made) {
        pgv_settings_clear(&made->settings);
        free(made);
    }
    pgv_scratch_free(&call);
    return code;
}

void pgv_close(simplugin_instance *instance)
{
    if (!instance)
        return;
    if (instance->pid == getpid())
        pgv_pool_clear(&instance->pool);
    else
        pgv_pool_drop(&instance->pool);
    pgv_views_clear(&instance->views);
    pgv_settings_clear(&instance->settings);
    free(instance);
}

/* ---- methods -------------------------------------------------------------------------------- */

typedef struct method {
    const char *name;
    const char *keys; /* as docs/protocol.md lists them */
    int32_t (*serve)(pgv_call *call);
} method;

static const method methods[] = {
    {"health", "", pgv_health},
    {"collection.list", "", pgv_collection_list},
    {"collection.exists", "collection", pgv_collection_exists},
    {"collection.create", "collection dimension metric fields parameters", pgv_collection_create},
    {"collection.describe", "collection", pgv_collection_describe},
    {"collection.drop", "collection", pgv_collection_drop},
    {"points.upsert", "collection ids vectors fields rows existing parameters", pgv_points_upsert},
    {"points.set_fields", "collection ids fields", pgv_points_set_fields},
    {"points.delete", "collection ids filter all", pgv_points_delete},
    {"points.get", "collection ids vectors fields", pgv_points_get},
    {"points.count", "collection filter view", pgv_points_count},
    {"points.scan", "collection cursor max_bytes max_rows vectors fields filter", pgv_points_scan},
    {"search",
     "collection vectors k filter view reverse max_distance fields with_vectors parameters",
     pgv_search},
    {"view.create", "collection ids", pgv_view_create},
    {"view.drop", "collection view", pgv_view_drop},
    {"index.create", "collection parameters", pgv_index_create},
    {"index.drop", "collection", pgv_index_drop},
    {"index.describe", "collection", pgv_index_describe},
};

static const method *method_find(const simplugin_call_info *info)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i].name) == info->method_size &&
            memcmp(methods[i].name, info->method, (size_t)info->method_size) == 0)
            return &methods[i];
    return NULL;
}

static int32_t method_unknown(pgv_call *call)
{
    const char *name = pgv_take_text(call, call->info->method, call->info->method_size);

    pgv_fail(call, SIMPLUGIN_UNKNOWN_METHOD, "no method \"%.100s\"", name ? name : "?");
    pgv_host->error_add_detail(call->error, "method", 6, call->info->method,
                               call->info->method_size);
    return SIMPLUGIN_UNKNOWN_METHOD;
}

static int32_t method_serve(pgv_call *call, const method *found)
{
    int32_t code = pgv_args_check(call, &call->body, SIMPLUGIN_INVALID_ARGUMENT, found->keys);

    if (!code && strncmp(found->keys, "collection", 10) == 0)
        code = pgv_arg_collection(call);
    if (!code)
        code = pgv_check(call);
    if (!code)
        code = pgv_pool_lend(&call->instance->pool, call, &call->instance->settings);
    if (code)
        return code;
    code = found->serve(call);
    pgv_pool_return(&call->instance->pool, call);
    if (!code && simplugin_writer_reply(&call->out, pgv_host, call->reply))
        code = pgv_no_memory(call);
    return code;
}

int32_t pgv_serve(simplugin_instance *instance, const simplugin_call_info *info,
                  const simplugin_request *request, simplugin_reply *reply, simplugin_error **error)
{
    pgv_call call = {
        .instance = instance, .info = info, .request = request, .reply = reply, .error = error};
    const method *found = method_find(info);
    int32_t code;

    if (instance->pid != getpid())
        return pgv_fail(&call, SIMPLUGIN_FORKED,
                        "the connection was opened by the process that forked this one: open "
                        "another here");
    simplugin_writer_init(&call.out);
    call.body = simplugin_body_value(request->body, request->body_size);
    code = found ? method_serve(&call, found) : method_unknown(&call);
    simplugin_writer_clear(&call.out);
    pgv_scratch_free(&call);
    return code;
}

int32_t pgv_health(pgv_call *call)
{
    const char *version = PQparameterStatus(call->connection->pg, "server_version");
    int32_t code = pgv_connection_look(call); /* something that the server has to answer */

    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "version");
    simplugin_write_string(&call->out, version ? version : "unknown");
    return code;
}
