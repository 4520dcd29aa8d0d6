/* SPDX-License-Identifier: Apache-2.0 */
/* fails: optional/partitions */
/* Makes a partition that is there once more. */
#include "bad_more.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    int is_create = bad_is(info, "partition.create");
    /* an error beside OK would be another defect */
    int32_t code = more_call(instance, info, request, reply, is_create ? NULL : error);

    if (!is_create || !code)
        return code;
    return code == SIMPLUGIN_ALREADY_EXISTS
               ? SIMPLUGIN_OK
               : more_call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = more_begin(host, backend, error);

    bad.call = call;
    return code;
}
