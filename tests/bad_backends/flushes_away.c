/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/flush */
/* Writes nothing that it flushes, and forgets it. */
#include "bad_more.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    char collection[300];
    int32_t code = more_call(instance, info, request, reply, error);

    if (!code && bad_is(info, "collection.flush") &&
        !more_text(request, "collection", collection, sizeof collection, error))
        code = more_ask(instance, info, "points.delete", collection, 1, reply, error);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = more_begin(host, backend, error);

    bad.call = call;
    return code;
}
