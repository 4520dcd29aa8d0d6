/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/cancelled-before */
/* Answers BUSY to what was cancelled. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    if (bad_host->cancelled(info->cancel))
        return bad_fail(error, SIMPLUGIN_BUSY, "somebody wants this to end");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
