/* SPDX-License-Identifier: Apache-2.0 */
/* fails: fork/child-calls */
/* Waits in a forked child for a thread that is not there. */
#include "bad.h"

#include <unistd.h>

static pid_t opened_by;

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    opened_by = getpid();
    return good->open(info, request, instance, error);
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    while (getpid() != opened_by)
        pause();
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.open = open_instance;
    bad.call = call;
    return code;
}
