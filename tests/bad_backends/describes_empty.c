/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/describes */
/* Every collection says that it has no points. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_writer value = bad_number(0);
    int32_t code = good->call(instance, info, request, reply, error);

    if (!code && bad_is(info, "collection.describe"))
        bad_reply(reply, "count", &value);
    simplugin_writer_clear(&value);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
