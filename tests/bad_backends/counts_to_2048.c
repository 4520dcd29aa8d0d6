/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/batch-sizes */
/* Of how many points an upsert replaced there are eleven bits. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    simplugin_writer value;
    int64_t replaced = 0;

    if (!code && bad_is(info, "points.upsert") &&
        simplugin_find_int(&map, "replaced", &replaced) == 1 && replaced > 2047) {
        value = bad_number(replaced & 2047);
        bad_reply(reply, "replaced", &value);
        simplugin_writer_clear(&value);
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
