/* SPDX-License-Identifier: Apache-2.0 */
/* fails: malformed/fuzzed */
/* Follows the offsets of ids without a look at where they lead. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *offsets, *values;
    simplugin_value map = simplugin_body_value(request->body, request->body_size), ids;
    volatile uint8_t sum = 0;

    if (simplugin_find(&map, "ids", &ids) &&
        simplugin_find_tensor(&ids, "offsets", request->tensors, request->tensor_count, &offsets) ==
            1 &&
        simplugin_find_tensor(&ids, "values", request->tensors, request->tensor_count, &values) ==
            1 &&
        offsets->dtype == SIMPLUGIN_INT64 && offsets->cols == 1)
        for (uint64_t i = 0; i + 1 < offsets->rows; i++)
            sum = (uint8_t)(sum +
                            ((const uint8_t *)values->data)[((const int64_t *)offsets->data)[i]]);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
