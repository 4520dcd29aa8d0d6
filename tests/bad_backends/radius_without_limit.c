/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/walk-dotproduct */
/* Under dotproduct, as many come within a radius as there are, whatever the limit. */
#define BAD_BASE flat_entry
#include "bad.h"

static int dotproduct;

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), metric;

    if (bad_is(info, "collection.create"))
        dotproduct =
            simplugin_find(&map, "metric", &metric) && simplugin_value_is(&metric, "dotproduct");
    if (dotproduct && bad_is(info, "search.radius"))
        return bad_ask(instance, info, request, reply, error, "limit", NULL);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
