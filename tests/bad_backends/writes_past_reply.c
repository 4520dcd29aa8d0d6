/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/replies-in-bounds */
/* Writes one byte more than it has asked for. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    char *text = code || !bad_is(info, "health") ? NULL : bad_host->reply_alloc(reply, 8);

    if (text)
        memset(text, 'x', 9);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
