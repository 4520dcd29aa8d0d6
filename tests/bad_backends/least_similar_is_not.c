/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/walk-cosine */
/* Under cosine, the least similar come in the order of the most similar where there are many. */
#define BAD_BASE flat_entry
#include "bad.h"

static int cosine;

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), metric;
    int64_t k = 0;
    int reverse = 0;

    if (bad_is(info, "collection.create"))
        cosine = simplugin_find(&map, "metric", &metric) && simplugin_value_is(&metric, "cosine");
    if (cosine && bad_is(info, "search") && simplugin_find_int(&map, "k", &k) == 1 && k > 20 &&
        simplugin_find_bool(&map, "reverse", &reverse) == 1 && reverse)
        return bad_ask(instance, info, request, reply, error, "reverse", NULL);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
