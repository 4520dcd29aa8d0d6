/* SPDX-License-Identifier: Apache-2.0 */
/* fails: cycles/memory */
/* What an instance holds stays when it is closed. */
#include "bad.h"

static void *volatile leaked; /* only the last */

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    leaked = malloc(1000);
    return good->open(info, request, instance, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.open = open_instance;
    return code;
}
