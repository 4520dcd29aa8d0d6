/* SPDX-License-Identifier: Apache-2.0 */
/* fails: filters/undeclared-fields */
/* For fields that were not declared, at most is less than. */
#define BAD_BASE flat_entry
#include "bad_filter.h"

static int declared;

static int anew(simplugin_writer *out, const simplugin_value *node, const simplugin_value *kind,
                unsigned int depth)
{
    simplugin_iter iter = simplugin_iterate(node);
    simplugin_value member;
    const uint8_t *at;

    (void)depth;
    if (declared || !simplugin_value_is(kind, "<="))
        return 0;
    simplugin_next(&iter, &member);
    at = iter.at;
    while (simplugin_next(&iter, &member))
        ;
    simplugin_write_array(out, 3);
    simplugin_write_string(out, "<");
    simplugin_write_raw(out, at, (uint64_t)(iter.at - at));
    return 1;
}

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    if (bad_is(info, "collection.create"))
        declared = bad_declares(request);
    return bad_filtered(instance, info, request, reply, error, anew);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
