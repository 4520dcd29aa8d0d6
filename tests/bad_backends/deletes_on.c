/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/delete-amid */
/* Deletes to the end, whatever the deadline. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_call_info other = *info;

    if (bad_is(info, "points.delete"))
        other.deadline = INT64_MAX;
    return good->call(instance, &other, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
