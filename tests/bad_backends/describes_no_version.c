/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/whole */
/* Forgets its version. */
#include "bad.h"

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    return bad_describe(reply, error, "version", NULL);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    return code;
}
