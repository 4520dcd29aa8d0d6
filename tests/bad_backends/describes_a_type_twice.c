/* SPDX-License-Identifier: Apache-2.0 */
/* fails: describe/field-type-words */
/* Lists one type of fields twice. */
#include "bad.h"

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const types[] = {"text", "int64", "float64", "bool", "text"};
    simplugin_writer value;
    int32_t code;

    simplugin_writer_init(&value);
    simplugin_write_array(&value, 5);
    for (int i = 0; i < 5; i++)
        simplugin_write_string(&value, types[i]);
    code = bad_describe(reply, error, "field_types", &value);
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
