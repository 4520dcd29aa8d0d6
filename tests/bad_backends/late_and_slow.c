/* SPDX-License-Identifier: Apache-2.0 */
/* fails: time/deadline-past */
/* Tries for a while where it is too late already. */
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
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (bad_is(info, "health") && info->deadline < (int64_t)now.tv_sec * 1000000000)
        nap(1200);
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
