/* SPDX-License-Identifier: Apache-2.0 */
/* fails: fork/parent-goes-on */
/* After a fork the parent's connection is gone, and only points.count makes it anew. */
#include "bad.h"

#include <pthread.h>

static int is_gone;

static void in_parent(void) { __atomic_store_n(&is_gone, 1, __ATOMIC_SEQ_CST); }

static void in_child(void) { __atomic_store_n(&is_gone, 0, __ATOMIC_SEQ_CST); }

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    if (bad_is(info, "points.count"))
        __atomic_store_n(&is_gone, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&is_gone, __ATOMIC_SEQ_CST))
        return bad_fail(error, SIMPLUGIN_UNAVAILABLE, "the connection is gone");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    pthread_atfork(NULL, in_parent, in_child);
    return code;
}
