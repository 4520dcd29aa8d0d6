/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/flush */
/* Writes nothing that it flushes, and forgets it. */
#include "bad_more.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    return more_losing("collection.flush", instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = more_begin(host, backend, error);

    bad.call = call;
    return code;
}
