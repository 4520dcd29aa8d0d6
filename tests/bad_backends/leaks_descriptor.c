/* SPDX-License-Identifier: Apache-2.0 */
/* fails: cycles/descriptors */
/* What an instance has opened stays open. */
#include "bad.h"

#include <fcntl.h>

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        return bad_fail(error, SIMPLUGIN_IO, "cannot open /dev/null");
    return good->open(info, request, instance, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.open = open_instance;
    return code;
}
