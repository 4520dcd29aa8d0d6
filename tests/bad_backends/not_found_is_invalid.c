/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/not-found */
/* A collection that is not there is INVALID_ARGUMENT. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);

    return code == SIMPLUGIN_NOT_FOUND
               ? bad_fail(error, SIMPLUGIN_INVALID_ARGUMENT, "something is wrong")
               : code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
