/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/nonfinite */
/* Says that it stores NaN, and stores 0. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    for (uint64_t t = 0; !code && bad_is(info, "points.get") && t < reply->tensor_count; t++) {
        double *numbers = (double *)(uintptr_t)reply->tensors[t].data;

        for (uint64_t i = 0;
             reply->tensors[t].dtype == SIMPLUGIN_FLOAT64 && i < reply->tensors[t].rows; i++)
            if (isnan(numbers[i]))
                numbers[i] = 0;
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
