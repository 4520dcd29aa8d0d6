/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/exact */
/* Says that its searches are exact; in larger collections they miss the nearest. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    const simplugin_tensor *vectors = bad_is(info, "search") ? bad_input(request, "vectors") : NULL;
    int32_t code = good->call(instance, info, request, reply, error);
    static const char *const keys[] = {"distances", "scores"};
    simplugin_tensor *offsets;
    int64_t *at, first;
    char *ids;

    /* one query, and no columns beside the hits */
    if (code || !vectors || vectors->rows != 1 || bad_tensor(reply, "vectors", NULL) ||
        bad_count(instance, info, request, reply) < 300)
        return code;
    for (int i = 0; i < 2; i++) {
        simplugin_tensor *tensor = bad_tensor(reply, keys[i], NULL);

        tensor->rows--;
        memmove(bad_floats(tensor), bad_floats(tensor) + 1, (size_t)tensor->rows * sizeof(float));
    }
    offsets = bad_tensor(reply, "ids", "offsets");
    at = bad_ints(offsets);
    ids = (char *)(uintptr_t)bad_tensor(reply, "ids", "values")->data;
    first = at[1];
    offsets->rows--;
    memmove(ids, ids + first, (size_t)(at[offsets->rows] - first));
    for (uint64_t i = 0; i < offsets->rows; i++)
        at[i] = at[i + 1] - first;
    bad_ints(bad_tensor(reply, "offsets", NULL))[1]--;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
