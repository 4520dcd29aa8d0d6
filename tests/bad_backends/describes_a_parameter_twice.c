/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/parameters */
/* Declares two parameters of one name. */
#include "bad.h"

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_writer value;
    int32_t code;

    simplugin_writer_init(&value);
    simplugin_write_array(&value, 2);
    for (int i = 0; i < 2; i++) {
        simplugin_write_map(&value, 2);
        simplugin_write_string(&value, "name");
        simplugin_write_string(&value, "threads");
        simplugin_write_string(&value, "type");
        simplugin_write_string(&value, "int");
    }
    code = bad_describe(reply, error, "parameters", &value);
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
