/* SPDX-License-Identifier: Apache-2.0 */
/* fails: fork/child-closes */
/* Joins in a forked child a thread that is not there. */
#include "bad.h"

#include <unistd.h>

static pid_t opened_by;

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    opened_by = getpid();
    return good->open(info, request, instance, error);
}

static void close_instance(simplugin_instance *instance)
{
    if (instance && getpid() != opened_by)
        abort();
    good->close(instance);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.open = open_instance;
    bad.close = close_instance;
    return code;
}
