/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/table-constant */
/* Says something else of its threads once an instance was closed. */
#include "bad.h"

static void close_instance(simplugin_instance *instance)
{
    bad.threads = SIMPLUGIN_THREADS_CONCURRENT;
    good->close(instance);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.close = close_instance;
    return code;
}
