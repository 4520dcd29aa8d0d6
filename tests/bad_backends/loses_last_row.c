/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/batches */
/* Of a large batch the last row is not written. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_tensor tensors[64];
    simplugin_request other = *request;
    simplugin_column ids;
    simplugin_writer value;
    int64_t *rows;
    int32_t code;

    if (!bad_is(info, "points.upsert") || bad_input(request, "rows") || !bad_ids(request, &ids) ||
        ids.count < 200 || request->tensor_count >= 64 ||
        !(rows = malloc((size_t)ids.count * sizeof *rows)))
        return good->call(instance, info, request, reply, error);
    for (uint64_t i = 0; i < ids.count; i++)
        rows[i] = (int64_t)i;
    memcpy(tensors, request->tensors, (size_t)request->tensor_count * sizeof *tensors);
    tensors[request->tensor_count] = simplugin_tensor_of(SIMPLUGIN_INT64, rows, ids.count - 1, 1);
    other.tensors = tensors;
    other.tensor_count++;
    simplugin_writer_init(&value);
    simplugin_write_head(&value, 0xd6, (uint64_t)SIMPLUGIN_EXT_TENSOR << 32 | request->tensor_count,
                         5);
    code = bad_ask(instance, info, &other, reply, error, "rows", &value);
    simplugin_writer_clear(&value);
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
