/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/order */
/* The positions of points.get are those among what was found. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *positions = code ? NULL : bad_tensor(reply, "positions", NULL);

    for (uint64_t i = 0; positions && i < positions->rows; i++)
        bad_ints(positions)[i] = (int64_t)i;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
