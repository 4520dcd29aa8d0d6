/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/methods */
/* Serves a method that is neither of the protocol's nor native. */
#include "bad.h"

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_writer value = bad_texts("search.everything");
    int32_t code = bad_describe(reply, error, "methods", &value);

    simplugin_writer_clear(&value);
    return code;
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    if (bad_is(info, "search.everything"))
        return SIMPLUGIN_OK;
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    bad.call = call;
    return code;
}
