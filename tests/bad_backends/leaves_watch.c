/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/watches */
/* Never takes its watch of the token back. */
#include "bad.h"

static void wake(void *context) { (void)context; }

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    uint64_t watch = 0;

    if (info->cancel && bad_is(info, "search"))
        bad_host->cancel_watch(info->cancel, wake, NULL, &watch);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
