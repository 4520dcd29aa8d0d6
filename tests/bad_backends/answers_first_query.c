/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search-queries */
/* Every query gets the hits of the first. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *vectors = bad_is(info, "search") ? bad_input(request, "vectors") : NULL;
    uint64_t row = vectors ? simplugin_tensor_row_bytes(vectors) : 0;
    simplugin_tensor tensor;
    simplugin_request other = *request;
    uint8_t *rows = NULL;
    int32_t code;

    if (!vectors || request->tensor_count != 1 || vectors->rows < 2 || vectors->rows > 100 ||
        !(rows = malloc((size_t)(vectors->rows * row))))
        return good->call(instance, info, request, reply, error);
    for (uint64_t i = 0; i < vectors->rows; i++)
        memcpy(rows + i * row, vectors->data, (size_t)row);
    tensor = *vectors;
    tensor.data = rows;
    tensor.row_stride = 0;
    other.tensors = &tensor;
    code = good->call(instance, info, &other, reply, error);
    free(rows);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
