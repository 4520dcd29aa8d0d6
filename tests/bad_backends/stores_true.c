/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/field-types */
/* Stores every bool as true. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    for (uint64_t t = 0; !code && bad_is(info, "points.get") && t < reply->tensor_count; t++)
        /* bytes of one column are bools; those of texts are one row */
        if (reply->tensors[t].dtype == SIMPLUGIN_UINT8 && reply->tensors[t].cols == 1)
            memset((void *)(uintptr_t)reply->tensors[t].data, 1, (size_t)reply->tensors[t].rows);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
