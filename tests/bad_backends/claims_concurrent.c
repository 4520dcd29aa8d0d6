/* SPDX-License-Identifier: Apache-2.0 */
/* fails: threads/one-instance */
/* Says CONCURRENT, and cannot have two calls in one instance. */
#include "bad.h"

#include <time.h>

static void nap(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* the instances in which a call is under way */
static simplugin_instance *volatile busy[64];

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    uint64_t slot = (uintptr_t)instance / 64 % 64;
    int32_t code;

    if (!bad_is(info, "points.get"))
        return good->call(instance, info, request, reply, error);
    if (busy[slot] == instance)
        return bad_fail(error, SIMPLUGIN_INTERNAL, "there is another call already");
    busy[slot] = instance;
    nap(1);
    code = good->call(instance, info, request, reply, error);
    busy[slot] = NULL;
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    bad.threads = SIMPLUGIN_THREADS_CONCURRENT;
    return code;
}
