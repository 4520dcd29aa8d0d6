/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search-with */
/* Hits come with the vectors of others. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *vectors =
        code || !bad_is(info, "search") ? NULL : bad_tensor(reply, "vectors", NULL);

    for (uint64_t i = 0; vectors && vectors->rows > 1 && i < vectors->cols; i++) {
        float *first = bad_floats(vectors) + i, *second = first + vectors->cols, number = *first;

        *first = *second;
        *second = number;
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
