/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/empty */
/* A collection all of whose points were deleted at once cannot be searched until it has others. */
#define BAD_BASE flat_entry
#include "bad.h"

static int emptied;

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    int all = 0;

    if (bad_is(info, "points.delete") && simplugin_find_bool(&map, "all", &all) == 1 && all)
        emptied = 1;
    if (bad_is(info, "points.upsert"))
        emptied = 0;
    if (emptied && bad_is(info, "search"))
        return bad_fail(error, SIMPLUGIN_NOT_FOUND, "the collection has no segment");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
