/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/no-deadline */
/* Rounds the deadline up, and so INT64_MAX to long ago. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    uint64_t milliseconds = ((uint64_t)info->deadline + 999999) / 1000000;

    if (milliseconds > (uint64_t)INT64_MAX / 1000000)
        return bad_fail(error, SIMPLUGIN_DEADLINE_EXCEEDED, "the call's timeout ran out");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
