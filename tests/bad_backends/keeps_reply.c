/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/replies-not-kept */
/* Remembers the last reply by its address. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static _Thread_local const volatile uint8_t *last;
    int32_t code;

    if (last && bad_is(info, "points.count") && *last == 0x7f)
        bad_host->log(SIMPLUGIN_LOG_DEBUG, "the same", 8);
    code = good->call(instance, info, request, reply, error);
    if (!code && bad_is(info, "points.count"))
        last = reply->body;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
