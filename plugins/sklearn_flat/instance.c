/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: opened, called and closed by the host. */
#include "config.h"

#include "instance.h"

#include "plug_args.h"
#include "call.h"
#include "view.h"

static void instance_free(simplugin_instance *instance)
{
    if (!instance)
        return;
    flat_searcher_free(instance->searcher);
    free(instance->root);
    free(instance);
}

int32_t flat_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                  simplugin_instance **instance, simplugin_error **error)
{
    static const char folder[] = "/sklearn_flat";
    flat_call call = {.base = {.info = info, .request = request, .error = error}};
    simplugin_instance *made = NULL;
    const char *data_dir = NULL;
    uint64_t size = 0;
    int32_t code;

    *instance = NULL;
    call.base.body = simplugin_body_value(request->body, request->body_size);
    code = plug_args_check(&call.base, "data_dir");
    if (code)
        goto out;
    if (simplugin_find_text(&call.base.body, "data_dir", &data_dir, &size) != 1 || !size ||
        data_dir[0] != '/' || memchr(data_dir, 0, (size_t)size)) {
        code = plug_fail_argument(&call.base, "data_dir", "data_dir is an absolute path, and needed");
        goto out;
    }
    made = calloc(1, sizeof *made);
    if (made)
        made->root = malloc((size_t)size + sizeof folder);
    if (!made || !made->root) {
        code = plug_no_memory(&call.base);
        goto out;
    }
    memcpy(made->root, data_dir, (size_t)size);
    memcpy(made->root + size, folder, sizeof folder);
    made->searcher = flat_searcher_new(0);
    if (!made->searcher || plug_instance_init(&made->base)) {
        code = plug_no_memory(&call.base);
        goto out;
    }
    *instance = made;
    made = NULL;
out:
    instance_free(made);
    sp_arena_free(&call.base.scratch);
    return code;
}

void flat_instance_close(simplugin_instance *instance)
{
    if (!instance)
        return;
    while (instance->collections) {
        /* calls that a fork cut off in the child never leave */
        instance->collections->users = 0;
        flat_collection_forget(instance, instance->collections);
    }
    flat_views_free(instance);
    plug_instance_clear(&instance->base);
    instance_free(instance);
}

/* ---- methods ------------------------------------------------------------------------ */

#define NO_NAME 0   /* names no collection */
#define NAME_ONLY 1 /* names one, which need not be there */
#define OPENED 2    /* works on one */

typedef struct flat_method {
    const char *name; /* first */
    const char *keys; /* as docs/protocol.md lists them */
    int collection;
    int32_t (*serve)(flat_call *call);
} flat_method;

static int32_t health(flat_call *call)
{
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "version");
    simplugin_write_string(&call->base.out, FLAT_VERSION);
    return SIMPLUGIN_OK;
}

static const flat_method methods[] = {
    {"search", "collection vectors k filter view reverse max_distance fields with_vectors parameters",
     OPENED, flat_serve_search},
    {"points.get", "collection ids vectors fields", OPENED, flat_serve_points_get},
    {"points.upsert", "collection ids vectors fields rows existing parameters", OPENED,
     flat_serve_points_upsert},
    {"points.set_fields", "collection ids fields", OPENED, flat_serve_points_set_fields},
    {"points.delete", "collection ids filter all", OPENED, flat_serve_points_delete},
    {"points.count", "collection filter view", OPENED, flat_serve_points_count},
    {"points.scan", "collection cursor max_bytes max_rows vectors fields filter", OPENED,
     flat_serve_points_scan},
    {"search.radius",
     "collection vectors radius limit filter view fields with_vectors parameters", OPENED,
     flat_serve_search_radius},
    {"search.neighbors", "collection k radius view parameters", OPENED, flat_serve_search_neighbors},
    {"view.create", "collection ids", OPENED, flat_serve_view_create},
    {"view.drop", "collection view", NAME_ONLY, flat_serve_view_drop},
    {"collection.list", "", NO_NAME, flat_serve_collection_list},
    {"collection.exists", "collection", NAME_ONLY, flat_serve_collection_exists},
    {"collection.create", "collection dimension metric fields parameters", NAME_ONLY,
     flat_serve_collection_create},
    {"collection.describe", "collection", OPENED, flat_serve_collection_describe},
    {"collection.drop", "collection", NAME_ONLY, flat_serve_collection_drop},
    {"collection.compact", "collection", OPENED, flat_serve_collection_compact},
    {"collection.check", "collection", OPENED, flat_serve_collection_check},
    {"collection.backup", "collection path", OPENED, flat_serve_collection_backup},
    {"health", "", NO_NAME, health},
};

#define METHODS (sizeof methods / sizeof methods[0])

/*
 * A collection that another process dropped, and perhaps made anew, is still open here:
 * a look at it tells, and it is opened again.
 */
static int32_t serve_opened(flat_call *call, const flat_method *method)
{
    flat_snapshot *snapshot = NULL;
    int was_open;
    int32_t code = flat_collection_acquire(call, &was_open);

    if (!code && was_open &&
        flat_snapshot_new(call->store, &snapshot, NULL) == SIMPLUGIN_NOT_FOUND) {
        flat_collection_forget(call->instance, call->collection);
        flat_collection_release(call->instance, call->collection);
        call->collection = NULL;
        code = flat_collection_acquire(call, &was_open);
    }
    flat_snapshot_free(snapshot);
    if (!code)
        code = method->serve(call);
    flat_collection_release(call->instance, call->collection);
    return code;
}

/* Health with nothing asked: no memory but the reply's, as it may be called very often. */
static int32_t health_reply(simplugin_reply *reply, simplugin_error **error)
{
    static const char body[] = "\x81\xa7version\xa5" FLAT_VERSION;
    flat_call call = {.base = {.error = error}};
    uint8_t *memory = plug_host->reply_alloc(reply, sizeof body);

    _Static_assert(sizeof FLAT_VERSION - 1 == 5, "the length in the body above");
    if (!memory)
        return plug_no_memory(&call.base);
    memcpy(memory, body, sizeof body - 1);
    reply->body = memory;
    reply->body_size = sizeof body - 1;
    return SIMPLUGIN_OK;
}

int32_t flat_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                   const simplugin_request *request, simplugin_reply *reply,
                   simplugin_error **error)
{
    flat_call call = {
        .base = {.info = info, .request = request, .reply = reply, .error = error},
        .instance = instance,
        .wait = {.deadline = info->deadline, .cancel = info->cancel},
    };
    const flat_method *method;
    int64_t found;
    int32_t code;

    if (info->method_size == 6 && memcmp(info->method, "health", 6) == 0 &&
        request->body_size <= 1)
        return health_reply(reply, error);
    simplugin_writer_init(&call.base.out);
    call.base.body = simplugin_body_value(request->body, request->body_size);
    found = plug_method_find(&call.base, methods, METHODS, sizeof methods[0]);
    if (found < 0) {
        code = SIMPLUGIN_UNKNOWN_METHOD;
        goto out;
    }
    method = &methods[found];
    code = plug_args_check(&call.base, method->keys);
    if (!code && method->collection != NO_NAME)
        code = plug_arg_collection(&call.base);
    if (!code)
        code = plug_check(&call.base);
    if (!code)
        code = method->collection == OPENED ? serve_opened(&call, method) : method->serve(&call);
    if (!code && simplugin_writer_reply(&call.base.out, plug_host, reply))
        code = plug_no_memory(&call.base);
out:
    simplugin_writer_clear(&call.base.out);
    sp_arena_free(&call.base.scratch);
    return code;
}
