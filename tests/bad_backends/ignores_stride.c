/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/row-strides */
/* Takes rows as following each other, wherever they are. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *vectors = bad_input(request, "vectors");
    simplugin_tensor *tensors;
    simplugin_request other = *request;
    int32_t code;

    if (!bad_is(info, "points.upsert") || !vectors || !vectors->row_stride)
        return good->call(instance, info, request, reply, error);
    tensors = malloc((size_t)request->tensor_count * sizeof *tensors);
    if (!tensors)
        return SIMPLUGIN_OUT_OF_MEMORY;
    memcpy(tensors, request->tensors, (size_t)request->tensor_count * sizeof *tensors);
    tensors[vectors - request->tensors].row_stride = 0;
    other.tensors = tensors;
    code = good->call(instance, info, &other, reply, error);
    free(tensors);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
