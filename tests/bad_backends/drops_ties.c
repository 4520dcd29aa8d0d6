/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search-ties */
/* Of points at the same distance one is found. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *vectors = bad_is(info, "search") ? bad_input(request, "vectors") : NULL;
    int32_t code = good->call(instance, info, request, reply, error);
    simplugin_tensor *distances = code ? NULL : bad_tensor(reply, "distances", NULL);
    uint64_t kept = 1;

    if (!vectors || vectors->rows != 1 || !distances || bad_tensor(reply, "vectors", NULL))
        return code;
    while (kept < distances->rows && bad_floats(distances)[kept] != bad_floats(distances)[kept - 1])
        kept++;
    if (kept < distances->rows) {
        distances->rows = kept;
        bad_tensor(reply, "scores", NULL)->rows = kept;
        bad_tensor(reply, "ids", "offsets")->rows = kept + 1;
        bad_ints(bad_tensor(reply, "offsets", NULL))[1] = (int64_t)kept;
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
