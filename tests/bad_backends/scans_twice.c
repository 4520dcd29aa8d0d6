/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/scan */
/* A page begins with the last row of the one before. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map, cursor;
    simplugin_writer value;
    uint64_t next;
    int32_t code = good->call(instance, info, request, reply, error);

    map = simplugin_body_value(reply->body, reply->body_size);
    if (code || !bad_is(info, "points.scan") || !simplugin_find(&map, "cursor", &cursor))
        return code;
    memcpy(&next, cursor.data, sizeof next);
    next--;
    simplugin_writer_init(&value);
    simplugin_write_bytes(&value, &next, sizeof next);
    bad_reply(reply, "cursor", &value);
    simplugin_writer_clear(&value);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
