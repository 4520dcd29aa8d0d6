/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/counts-replaced */
/* Says that it counts what is replaced, and tells nothing. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    if (!code && bad_is(info, "points.upsert"))
        bad_reply(reply, "replaced", NULL);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
