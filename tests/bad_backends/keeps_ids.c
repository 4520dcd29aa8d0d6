/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/inputs-not-kept */
/* Remembers the ids of the last upsert by their address. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static _Thread_local const volatile char *last;
    simplugin_column ids;

    if (last && bad_is(info, "points.get") && *last == 0x7f)
        bad_host->log(SIMPLUGIN_LOG_DEBUG, "the same", 8);
    if (bad_is(info, "points.upsert") && bad_ids(request, &ids) && ids.count)
        last = ids.values;
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
