/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/count-amid */
/* Counts to the end, whatever the deadline. */
#define BAD_BASE flat_entry
#include "bad_slow.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_call_info other = *info;

    if (!bad_is(info, "points.count"))
        return good->call(instance, info, request, reply, error);
    other.deadline = INT64_MAX;
    return slow_call(instance, info, &other, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
