/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: opened, called and closed by the host. */
#include "config.h"

#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

#include "describe.h"

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
    plug_instance_clear(&instance->base);
    qdrant_link_clear(&instance->link);
    qdrant_settings_clear(&instance->settings);
    free(instance);
}

/* ---- methods ------------------------------------------------------------------------------ */

#define NO_NAME 0   /* names no collection */
#define NAME_ONLY 1 /* names one, which need not be there */

typedef struct qdrant_method {
    const char *name; /* first */
    const char *keys; /* as docs/protocol.md lists them */
    int kind;
    int32_t (*serve)(qdrant_call *call);
} qdrant_method;

static const qdrant_method methods[] = {
    {"health", "", NO_NAME, qdrant_serve_health},
    {"native.request", "method path body idempotent", NO_NAME, qdrant_native_request},
};

#define METHODS (sizeof methods / sizeof methods[0])

/* What the table has beyond the required methods, for describe. */
void qdrant_methods_write(simplugin_writer *out)
{
    static const char *const required[] = {
        "health", "search", "points.get", "points.upsert", "points.delete", "points.count",
        "points.scan", "collection.list", "collection.exists", "collection.create",
        "collection.describe", "collection.drop"};
    uint64_t begin, count = 0;

    simplugin_write_string(out, "methods");
    begin = simplugin_write_array_begin(out);
    for (size_t i = 0; i < METHODS; i++) {
        size_t j = 0;

        while (j < sizeof required / sizeof required[0] &&
               strcmp(required[j], methods[i].name) != 0)
            j++;
        if (j < sizeof required / sizeof required[0])
            continue;
        simplugin_write_string(out, methods[i].name);
        count++;
    }
    simplugin_write_end(out, begin, count);
}

/* "collection" into the call, zero-terminated. */
static int32_t name_read(qdrant_call *call)
{
    plug_call *base = &call->base;
    int32_t code = plug_arg_collection(base);

    if (code)
        return code;
    if (memchr(base->name.data, 0, base->name.size))
        return plug_fail_argument(base, "collection", "collection is a text without U+0000");
    call->collection = sp_arena_text(&base->scratch, base->name.data, base->name.size);
    return call->collection ? SIMPLUGIN_OK : plug_no_memory(base);
}

static int32_t serve(qdrant_call *call, const qdrant_method *method)
{
    int32_t code = plug_args_check(&call->base, method->keys);

    if (!code && method->kind != NO_NAME)
        code = name_read(call);
    if (!code)
        code = plug_check(&call->base);
    if (!code && method->serve != qdrant_serve_health)
        code = qdrant_version_check(call);
    return code ? code : method->serve(call);
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
