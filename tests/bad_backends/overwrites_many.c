/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/walk-euclidean */
/* Under euclidean, existing points are not skipped where more than thirty are written. */
#define BAD_BASE flat_entry
#include "bad.h"

static int euclidean;

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), value;
    simplugin_column ids;

    if (bad_is(info, "collection.create"))
        euclidean =
            simplugin_find(&map, "metric", &value) && simplugin_value_is(&value, "euclidean");
    if (euclidean && bad_is(info, "points.upsert") && simplugin_find(&map, "existing", &value) &&
        simplugin_value_is(&value, "skip") && bad_ids(request, &ids) && ids.count > 30)
        return bad_ask(instance, info, request, reply, error, "existing", NULL);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
