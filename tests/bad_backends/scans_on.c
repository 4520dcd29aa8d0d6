/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/scan-stateless */
/* The same cursor once more goes on behind the page that it gave before. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static uint64_t asked = UINT64_MAX, answered;
    simplugin_value map = simplugin_body_value(request->body, request->body_size), cursor;
    simplugin_writer value;
    uint64_t now = UINT64_MAX;
    int32_t code;

    if (!bad_is(info, "points.scan") || !simplugin_find(&map, "cursor", &cursor) ||
        cursor.type != SIMPLUGIN_BYTES || cursor.size != sizeof now)
        return good->call(instance, info, request, reply, error);
    memcpy(&now, cursor.data, sizeof now);
    simplugin_writer_init(&value);
    simplugin_write_bytes(&value, now == asked && answered ? &answered : &now, sizeof now);
    asked = now;
    code = bad_ask(instance, info, request, reply, error, "cursor", &value);
    simplugin_writer_clear(&value);
    map = simplugin_body_value(reply->body, reply->body_size);
    answered = 0;
    if (!code && simplugin_find(&map, "cursor", &cursor))
        memcpy(&answered, cursor.data, sizeof answered);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
