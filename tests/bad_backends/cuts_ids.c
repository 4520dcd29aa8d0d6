/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/ids */
/* Ids come back with 254 bytes at most. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *offsets = code ? NULL : bad_tensor(reply, "ids", "offsets");
    const simplugin_tensor *values = code ? NULL : bad_tensor(reply, "ids", "values");
    char *bytes = values ? (char *)(uintptr_t)values->data : NULL;
    int64_t at = 0, begin = 0;

    for (uint64_t i = 0; bad_is(info, "points.get") && offsets && bytes && i + 1 < offsets->rows;
         i++) {
        int64_t size = bad_ints(offsets)[i + 1] - begin;

        memmove(bytes + at, bytes + begin, (size_t)size);
        begin += size;
        at += size == 255 ? 254 : size;
        bad_ints(offsets)[i + 1] = at;
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
