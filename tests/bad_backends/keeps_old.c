/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/replaced */
/* A point that is there already, and comes alone, stays what it is. */
#include "bad.h"

/* Whether the good backend has the ids of the request. */
static int has_them(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, const simplugin_reply *reply)
{
    static const char method[] = "points.get";
    simplugin_call_info get = *info;
    simplugin_reply found = *reply;
    const simplugin_tensor *positions;

    get.method = method;
    get.method_size = sizeof method - 1;
    if (bad_ask(instance, &get, request, &found, NULL, "vectors", NULL))
        return 0;
    positions = bad_tensor(&found, "positions", NULL);
    return positions && positions->rows;
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_writer out;
    simplugin_column ids;
    int32_t code;

    if (!bad_is(info, "points.upsert") || !bad_ids(request, &ids) || ids.count != 1 ||
        !has_them(instance, info, request, reply))
        return good->call(instance, info, request, reply, error);
    simplugin_writer_init(&out);
    simplugin_write_map(&out, 1);
    simplugin_write_string(&out, "upserted");
    simplugin_write_uint(&out, 1);
    code = simplugin_writer_reply(&out, bad_host, reply);
    simplugin_writer_clear(&out);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
