/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/connects-nowhere */
/* Looks something up in a file, which stays open. */
#include "bad.h"

#include <fcntl.h>

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        return bad_fail(error, SIMPLUGIN_IO, "cannot open /dev/null");
    return good->describe(reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    return code;
}
