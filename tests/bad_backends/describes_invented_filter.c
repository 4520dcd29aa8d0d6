/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/filter-words */
/* Names a filter node that there is none of. */
#include "bad.h"

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_writer value = bad_texts("equals");
    int32_t code = bad_describe(reply, error, "filters", &value);

    simplugin_writer_clear(&value);
    return code;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = describe;
    return code;
}
