/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/constant */
/* Says something else once an instance is open. */
#include "bad.h"

static int opened;

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_writer value = bad_text(opened ? "2" : "1");
    int32_t code = bad_describe(reply, error, "version", &value);

    simplugin_writer_clear(&value);
    return code;
}

static int32_t open_instance(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    opened = 1;
    return good->open(info, request, instance, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    bad.open = open_instance;
    return code;
}
