/* SPDX-License-Identifier: Apache-2.0 */
/* fails: points/search-k */
/* Fewer than ten hits never come, if there are as many. */
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    simplugin_writer value = bad_number(10);
    int64_t k;
    int32_t code;

    if (bad_is(info, "search") && simplugin_find_int(&map, "k", &k) == 1 && k > 0 && k < 10)
        code = bad_ask(instance, info, request, reply, error, "k", &value);
    else
        code = good->call(instance, info, request, reply, error);
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
