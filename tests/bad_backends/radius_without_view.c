/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/radius */
/* Looks outside of the view for what is within a radius. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    if (bad_is(info, "search.radius"))
        return bad_ask(instance, info, request, reply, error, "view", NULL);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
