/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/duplicate-ids */
/* No row that an upsert is to take is taken from more than five behind the one before. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *rows = bad_input(request, "rows");
    simplugin_tensor tensors[64];
    simplugin_request other = *request;
    int64_t *taken;
    int32_t code;

    if (!bad_is(info, "points.upsert") || !rows || rows->rows < 2 ||
        rows->dtype != SIMPLUGIN_INT64 || request->tensor_count > 64 ||
        !(taken = malloc((size_t)rows->rows * sizeof *taken)))
        return good->call(instance, info, request, reply, error);
    memcpy(taken, rows->data, (size_t)rows->rows * sizeof *taken);
    for (uint64_t i = 1; i < rows->rows; i++)
        if (taken[i] > taken[i - 1] + 5)
            taken[i] = taken[i - 1] + 5;
    memcpy(tensors, request->tensors, (size_t)request->tensor_count * sizeof *tensors);
    tensors[rows - request->tensors].data = taken;
    other.tensors = tensors;
    code = good->call(instance, info, &other, reply, error);
    free(taken);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
