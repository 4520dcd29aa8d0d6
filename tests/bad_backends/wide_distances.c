/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/replies */
/* Its distances are float64. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    simplugin_tensor *distances = code ? NULL : bad_tensor(reply, "distances", NULL);
    double *wide = distances ? bad_host->reply_alloc(reply, distances->rows * sizeof *wide) : NULL;

    for (uint64_t i = 0; wide && i < distances->rows; i++)
        wide[i] = (double)bad_floats(distances)[i];
    if (wide) {
        distances->dtype = SIMPLUGIN_FLOAT64;
        distances->data = wide;
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
