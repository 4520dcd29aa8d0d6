/* SPDX-License-Identifier: Apache-2.0 */
/* fails: semantics/ids */
/* An id that is the last character there is, U+10FFFF, is refused where it is asked for alone. */
#define BAD_BASE flat_entry
#include "bad.h"

static int32_t call(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error)
{
    simplugin_column ids = {0};
    const char *id = NULL;
    uint64_t size = 0;

    if (bad_is(info, "points.get") && bad_ids(request, &ids) && ids.count == 1)
        id = simplugin_column_text(&ids, 0, &size);
    if (size == 4 && !memcmp(id, "\xf4\x8f\xbf\xbf", 4))
        return bad_fail(error, SIMPLUGIN_INVALID_ARGUMENT, "an id is made of characters");
    return good->call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.call = call;
    return code;
}
