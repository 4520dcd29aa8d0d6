/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/vectors */
/* Says that vectors come back exactly, and rounds them. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *vectors = code ? NULL : bad_tensor(reply, "vectors", NULL);

    for (uint64_t i = 0; bad_is(info, "points.get") && vectors && i < vectors->rows * vectors->cols;
         i++)
        bad_floats(vectors)[i] *= 1.00001f;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
