/* SPDX-License-Identifier: Apache-2.0 */
/* fails: threads/describe */
/* Describes itself to one thread at a time only. */
#include "bad.h"

#include <time.h>

static void nap(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    static int inside;
    int32_t code;

    if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) > 1) {
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        return bad_fail(error, SIMPLUGIN_BUSY, "another thread asks already");
    }
    nap(1);
    code = good->describe(reply, error);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    return code;
}
