/* SPDX-License-Identifier: Apache-2.0 */
/* fails: memory/inputs-not-read-past */
/* Takes text for one that ends with a zero. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_column ids;
    const volatile char *at = NULL;

    if (bad_is(info, "points.upsert") && bad_ids(request, &ids) && ids.count)
        at = (const volatile char *)ids.values + ids.offsets[ids.count];
    if (at && *at)
        bad_host->log(SIMPLUGIN_LOG_DEBUG, "long ids", 8);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
