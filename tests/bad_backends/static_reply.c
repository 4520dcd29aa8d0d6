/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/replies-owned */
/* Answers in memory of its own. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static _Thread_local uint8_t body[4096];
    int32_t code = good->call(instance, info, request, reply, error);

    if (!code && bad_is(info, "collection.describe") && reply->body_size <= sizeof body) {
        memcpy(body, reply->body, (size_t)reply->body_size);
        reply->body = body;
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
