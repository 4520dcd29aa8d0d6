/* SPDX-License-Identifier: Apache-2.0 */
/* fails: threads/instances */
/* All instances work in one place, without a lock. */
#include "bad.h"

#include <time.h>

static void nap(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    static simplugin_instance *volatile working;

    if (!bad_is(info, "points.get"))
        return good->call(instance, info, request, reply, error);
    working = instance;
    nap(1);
    if (working != instance)
        return bad_fail(error, SIMPLUGIN_INTERNAL, "what was begun is gone");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
