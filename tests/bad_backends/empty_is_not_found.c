/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/empty-collection */
/* A search that finds nothing fails. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *distances = code ? NULL : bad_tensor(reply, "distances", NULL);

    if (bad_is(info, "search") && distances && !distances->rows)
        return bad_fail(error, SIMPLUGIN_NOT_FOUND, "nothing was found");
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
