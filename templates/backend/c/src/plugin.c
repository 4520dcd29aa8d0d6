/* SPDX-License-Identifier: Apache-2.0 */
/* The entry, the table, and which function serves which method. */
#include "backend.h"

#include <stdio.h>
#include <unistd.h>

const simplugin_host *host;

#define NO_LOCK 0
#define READS 1
#define WRITES 2

/* A method of your own goes in here under "native.NAME", and into "methods" in describe.c. */
static const struct method {
    const char *name;
    const char *keys; /* all that it takes: a key that is ignored is a mistake nobody sees */
    int lock;
    int names_collection; /* one that is there */
    int32_t (*serve)(struct call *call);
} methods[] = {
    {"health", "", NO_LOCK, 0, health},
    {"collection.list", "", READS, 0, collection_list},
    {"collection.exists", "collection", READS, 0, collection_exists},
    {"collection.create", "collection dimension metric fields parameters", WRITES, 0,
     collection_create},
    {"collection.describe", "collection", READS, 1, collection_describe},
    {"collection.drop", "collection", WRITES, 1, collection_drop},
    {"points.upsert", "collection ids vectors fields rows parameters", WRITES, 1, points_upsert},
    {"points.delete", "collection ids all", WRITES, 1, points_delete},
    {"points.get", "collection ids vectors fields", READS, 1, points_get},
    {"points.count", "collection", READS, 1, points_count},
    {"points.scan", "collection cursor max_bytes max_rows vectors fields", READS, 1, points_scan},
    {"search", "collection vectors k fields with_vectors parameters", READS, 1, search},
};

static const struct method *find_method(const simplugin_call_info *info)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strlen(methods[i].name) == info->method_size &&
            memcmp(methods[i].name, info->method, (size_t)info->method_size) == 0)
            return &methods[i];
    return NULL;
}

/* Waits for the store no longer than the call may take. */
static int32_t lock_store(struct call *call, int is_writer)
{
    int32_t code = check_time(call);

    while (!code && !store_try_lock(is_writer))
        code = check_time(call);
    return code;
}

static int32_t serve(struct call *call, const struct method *method)
{
    const char *name;
    uint64_t size;
    int32_t code = check_keys(call, method->keys);

    if (!code && method->names_collection)
        code = read_collection_name(call, &name, &size);
    if (code)
        return code;
    if (method->names_collection) {
        call->collection = store_find(name, size);
        if (!call->collection)
            return fail(call, SIMPLUGIN_NOT_FOUND, "there is no collection \"%.*s\"", (int)size,
                        name);
    }
    return method->serve(call);
}

static int32_t backend_call(simplugin_instance *instance, const simplugin_call_info *info,
                            const simplugin_request *request, simplugin_reply *reply,
                            simplugin_error **error)
{
    struct call call = {.instance = instance, .info = info, .request = request, .reply = reply,
                 .error = error};
    const struct method *method = find_method(info);
    const char *wrong = simplugin_check_request(request);
    uint64_t begin;
    int32_t code;

    if (!method)
        return fail(&call, SIMPLUGIN_UNKNOWN_METHOD, "the backend @NAME@ has no method \"%.*s\"",
                    (int)(info->method_size < 64 ? info->method_size : 64), info->method);
    if (wrong)
        return fail(&call, SIMPLUGIN_MALFORMED, "the request is malformed: %s", wrong);
    /* A connection to a server, or a lock, is of no use in a child: say so, touch nothing. */
    if (instance->owner != getpid())
        return fail(&call, SIMPLUGIN_FORKED,
                    "the backend was opened by the parent process: open it in this one");
    call.body = simplugin_body_value(request->body, request->body_size);
    simplugin_writer_init(&call.out);
    begin = simplugin_write_map_begin(&call.out);
    code = method->lock == NO_LOCK ? check_time(&call) : lock_store(&call, method->lock == WRITES);
    if (!code) {
        code = serve(&call, method);
        if (method->lock != NO_LOCK)
            store_unlock();
    }
    simplugin_write_end(&call.out, begin, call.keys);
    if (!code && simplugin_writer_reply(&call.out, host, reply))
        code = fail_no_memory(&call);
    simplugin_writer_clear(&call.out);
    return code;
}

/* The parameters are those that describe.c declares, checked and converted by the host. */
static int32_t backend_open(const simplugin_call_info *info, const simplugin_request *request,
                            simplugin_instance **instance, simplugin_error **error)
{
    struct call call = {.info = info, .request = request, .error = error};
    simplugin_instance *opened;
    uint64_t max_points = UINT64_MAX;
    int32_t code = check_time(&call);

    call.body = simplugin_body_value(request->body, request->body_size);
    if (!code)
        code = read_count(&call, "max_points", &max_points);
    if (code)
        return code;
    opened = calloc(1, sizeof *opened);
    if (!opened || !store_prepare()) {
        free(opened);
        return fail_no_memory(&call);
    }
    opened->owner = getpid();
    opened->max_points = max_points;
    *instance = opened;
    return SIMPLUGIN_OK;
}

static void backend_close(simplugin_instance *instance)
{
    free(instance);
}

SIMPLUGIN_EXPORT int32_t simplugin_backend_entry(const simplugin_host *offered,
                                                 const simplugin_backend **backend,
                                                 simplugin_error **error)
{
    static const simplugin_backend table = {
        .size = sizeof table,
        .abi = SIMPLUGIN_ABI_1_0,
        .threads = SIMPLUGIN_THREADS_CONCURRENT,
        .describe = describe,
        .open = backend_open,
        .call = backend_call,
        .close = backend_close,
    };
    char message[128];
    int size;

    if (offered->abi_min > SIMPLUGIN_ABI_1_0 || offered->abi_max < SIMPLUGIN_ABI_1_0) {
        size = snprintf(message, sizeof message, "@NAME@ speaks ABI %u.%u only, not %u.%u to %u.%u",
                        SIMPLUGIN_ABI_1_0 >> 16, SIMPLUGIN_ABI_1_0 & 0xffff,
                        offered->abi_min >> 16, offered->abi_min & 0xffff, offered->abi_max >> 16,
                        offered->abi_max & 0xffff);
        return offered->error_set(error, SIMPLUGIN_INCOMPATIBLE, message, (uint64_t)size);
    }
    host = offered;
    *backend = &table;
    return SIMPLUGIN_OK;
}
