/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/check */
/* Says that it checked one row more than there are. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    simplugin_writer number;

    if (code || !bad_is(info, "collection.check"))
        return code;
    number = bad_number(bad_count(instance, info, request, reply) + 1);
    bad_reply(reply, "rows", &number);
    simplugin_writer_clear(&number);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
