/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/close-null */
/* Looks into an instance that is NULL. */
#include "bad.h"

static void close_instance(simplugin_instance *instance)
{
    volatile const char *first = (volatile const char *)instance;

    if (*first >= 0)
        good->close(instance);
    else
        good->close(instance);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.close = close_instance;
    return code;
}
