/* SPDX-License-Identifier: Apache-2.0 */
/* fails: methods/collections */
/* Every collection exists. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_writer value = bad_true();
    int32_t code = good->call(instance, info, request, reply, error);

    if (!code && bad_is(info, "collection.exists"))
        bad_reply(reply, "exists", &value);
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
