/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/already-exists */
/* Making a collection that is there succeeds. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    simplugin_writer value;
    const char *name = "";
    uint64_t size = 0;
    int32_t code;

    if (!bad_is(info, "collection.create"))
        return good->call(instance, info, request, reply, error);
    code = good->call(instance, info, request, reply, NULL);
    if (code != SIMPLUGIN_ALREADY_EXISTS)
        return code ? bad_fail(error, code, "it cannot be made") : code;
    simplugin_find_text(&map, "collection", &name, &size);
    simplugin_writer_init(&value);
    simplugin_write_text(&value, name, size);
    bad_reply(reply, "collection", &value);
    simplugin_writer_clear(&value);
    return SIMPLUGIN_OK;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
