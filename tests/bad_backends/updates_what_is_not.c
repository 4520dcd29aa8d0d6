/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/set-fields */
/* Counts ids that are not there among those it updates. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int32_t code = good->call(instance, info, request, reply, error);
    simplugin_column ids;
    simplugin_writer number;

    if (code || !bad_is(info, "points.set_fields") || !bad_ids(request, &ids))
        return code;
    number = bad_number((int64_t)ids.count);
    bad_reply(reply, "updated", &number);
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
