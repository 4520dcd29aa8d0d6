/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search */
/* The euclidean distance lacks its root. */
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

    note(info, request);
    for (uint64_t i = 0; is_euclidean && distances && i < distances->rows; i++)
        bad_floats(distances)[i] *= bad_floats(distances)[i];
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
