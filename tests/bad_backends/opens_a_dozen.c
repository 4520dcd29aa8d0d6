/* SPDX-License-Identifier: Apache-2.0 */
/* fails: cycles/many */
/* No more than a dozen instances can be open. */
#include "bad.h"

static int count;

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    int32_t code;

    if (__atomic_load_n(&count, __ATOMIC_SEQ_CST) >= 12)
        return bad_fail(error, SIMPLUGIN_RESOURCE_EXHAUSTED, "a dozen are open");
    code = good->open(info, request, instance, error);
    __atomic_add_fetch(&count, !code, __ATOMIC_SEQ_CST);
    return code;
}

static void close_instance(simplugin_instance *instance)
{
    __atomic_sub_fetch(&count, instance != NULL, __ATOMIC_SEQ_CST);
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
