/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For backends that go on when a call has to end: in a collection of thousands of points, which
 * those checks make that interrupt it, the method takes a second, on any machine.
 */
#ifndef BAD_BACKENDS_BAD_SLOW_H
#define BAD_BACKENDS_BAD_SLOW_H

#include <time.h>

#include "bad.h"

#define SLOW_POINTS 1800
#define SLOW_SECONDS 1.1

static inline int64_t slow_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int slow_ends(const simplugin_call_info *info)
{
    return (info->cancel && bad_host->cancelled(info->cancel)) || slow_now() >= info->deadline;
}

/* The good backend's call with that info in place of its own, which it heeds. */
static inline int32_t slow_call(simplugin_instance *instance, const simplugin_call_info *info,
                                const simplugin_call_info *heeded, const simplugin_request *request,
                                simplugin_reply *reply, simplugin_error **error)
{
    static const struct timespec slice = {0, 5000000};
    int64_t end = slow_now() + (int64_t)(SLOW_SECONDS * 1e9);

    if (slow_ends(info) || bad_count(instance, info, request, reply) < SLOW_POINTS)
        return good->call(instance, info, request, reply, error);
    while (!slow_ends(heeded) && slow_now() < end)
        nanosleep(&slice, NULL);
    return good->call(instance, heeded, request, reply, error);
}

#endif
