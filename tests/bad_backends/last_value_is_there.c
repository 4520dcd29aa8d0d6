/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/missing-values */
/* The last row of a column never counts as missing. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    for (uint64_t t = 0; !code && bad_is(info, "points.get") && t < reply->tensor_count; t++) {
        uint8_t *bits = (uint8_t *)(uintptr_t)reply->tensors[t].data;
        uint64_t last = reply->tensors[t].cols - 1;

        if (reply->tensors[t].dtype == SIMPLUGIN_BITS && reply->tensors[t].cols)
            bits[last / 8] = (uint8_t)(bits[last / 8] | 1 << last % 8);
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
