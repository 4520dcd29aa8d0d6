/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/arguments */
/* Makes up a name for a partition that is not named. */
#include "bad_more.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    char partition[260];

    if (bad_is(info, "partition.drop") &&
        more_text(request, "partition", partition, sizeof partition, NULL) != SIMPLUGIN_OK)
        return SIMPLUGIN_OK;
    return more_call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = more_begin(host, backend, error);

    bad.call = call;
    return code;
}
