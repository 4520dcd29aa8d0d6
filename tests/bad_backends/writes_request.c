/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/inputs-not-written */
/* Works on the vectors in place. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *vectors =
        bad_is(info, "points.upsert") ? bad_input(request, "vectors") : NULL;
    volatile float *number =
        vectors && vectors->rows ? (volatile float *)(uintptr_t)vectors->data : NULL;

    if (number)
        *number = *number;
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
