/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search */
/* The two nearest by euclidean distance come in the wrong order. */
#include "bad.h"

static int is_euclidean; /* the collection that was made last */

static void note(const simplugin_call_info *info, const simplugin_request *request)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), metric;

    if (bad_is(info, "collection.create") && simplugin_find(&map, "metric", &metric))
        is_euclidean = simplugin_value_is(&metric, "euclidean");
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    const simplugin_tensor *distances = code ? NULL : bad_tensor(reply, "distances", NULL);
    const simplugin_tensor *offsets = distances ? bad_tensor(reply, "ids", "offsets") : NULL;
    char *ids = offsets ? (char *)(uintptr_t)bad_tensor(reply, "ids", "values")->data : NULL;
    int64_t first, second;
    char swapped[512];
    float distance;

    note(info, request);
    if (!is_euclidean || !distances || distances->rows < 2)
        return code;
    distance = bad_floats(distances)[0];
    bad_floats(distances)[0] = bad_floats(distances)[1];
    bad_floats(distances)[1] = distance;
    first = bad_ints(offsets)[1];
    second = bad_ints(offsets)[2] - first;
    memcpy(swapped, ids + first, (size_t)second);
    memcpy(swapped + second, ids, (size_t)first);
    memcpy(ids, swapped, (size_t)(first + second));
    bad_ints(offsets)[1] = second;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
