/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/backup */
/* Takes a relative path, and writes nothing there. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    const char *path = "";
    uint64_t size = 0;

    if (bad_is(info, "collection.backup") &&
        simplugin_find_text(&map, "path", &path, &size) == 1 && size && path[0] != '/')
        return SIMPLUGIN_OK;
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
