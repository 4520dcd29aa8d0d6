/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/deleted */
/* Points that were deleted are counted all the same. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static int64_t deleted;
    simplugin_value map;
    simplugin_writer value;
    int64_t number = 0;
    int32_t code = good->call(instance, info, request, reply, error);

    map = simplugin_body_value(reply->body, reply->body_size);
    if (!code && bad_is(info, "points.delete") && simplugin_find_int(&map, "deleted", &number) == 1)
        deleted += number;
    if (!code && bad_is(info, "points.count") && simplugin_find_int(&map, "count", &number) == 1) {
        value = bad_number(number + deleted);
        bad_reply(reply, "count", &value);
        simplugin_writer_clear(&value);
    }
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
