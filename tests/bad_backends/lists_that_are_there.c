/* SPDX-License-Identifier: Apache-2.0 */
/* fails: filters/conditions */
/* Asked alone which points lack a list, it says that none does. */
#define BAD_BASE flat_entry
#include "bad_filter.h"

static int anew(simplugin_writer *out, const simplugin_value *node, const simplugin_value *kind,
                unsigned int depth)
{
    simplugin_value of = bad_member(node, 1);
    simplugin_value of_kind = bad_member(&of, 0), name = bad_member(&of, 1);

    if (depth || !simplugin_value_is(kind, "not") || !simplugin_value_is(&of_kind, "exists") ||
        !name.size || name.data[name.size - 1] != 's')
        return 0;
    simplugin_write_bool(out, 0);
    return 1;
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    return bad_filtered(instance, info, request, reply, error, anew);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
