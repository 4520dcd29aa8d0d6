/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/compact */
/* Says how large a collection was, and not how large it is. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    if (!code && bad_is(info, "collection.compact"))
        bad_reply(reply, "bytes_after", NULL);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
