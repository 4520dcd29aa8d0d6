/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/view-numbers */
/* Takes a view that is not there for a wrong argument, where it counts. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), view;
    int32_t code = good->call(instance, info, request, reply, error);

    if (code == SIMPLUGIN_NOT_FOUND && bad_is(info, "points.count") &&
        simplugin_find(&map, "view", &view))
        code = bad_fail(error, SIMPLUGIN_INVALID_ARGUMENT, "there is no such view");
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
