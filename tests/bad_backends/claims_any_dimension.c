/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/max-dimension */
/* Names no limit of dimensions, and has one. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    int64_t dimension;

    if (bad_is(info, "collection.create") &&
        simplugin_find_int(&map, "dimension", &dimension) == 1 && dimension > 2048)
        return bad_fail(error, SIMPLUGIN_INVALID_ARGUMENT, "dimension is 2048 at most");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
