/* SPDX-License-Identifier: Apache-2.0 */
/* Declares parameters of several types, and can do nothing with them. */
#include "mock.h"

#include "simplugin/envelope.h"

static const simplugin_host *host;

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const declared[][2] = {
        {"user", "text"}, {"depth", "int"}, {"hints", "any"}, {"options", "map"}};
    static const char *const lists[] = {"methods", "filters"};
    simplugin_writer out;
    int32_t code = SIMPLUGIN_OK;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 4);
    simplugin_write_string(&out, "metrics");
    simplugin_write_array(&out, 1);
    simplugin_write_string(&out, "cosine");
    for (int i = 0; i < 2; i++) {
        simplugin_write_string(&out, lists[i]);
        simplugin_write_array(&out, 0);
    }
    simplugin_write_string(&out, "parameters");
    simplugin_write_array(&out, 4);
    for (int i = 0; i < 4; i++) {
        simplugin_write_map(&out, 4);
        simplugin_write_string(&out, "name");
        simplugin_write_string(&out, declared[i][0]);
        simplugin_write_string(&out, "type");
        simplugin_write_string(&out, declared[i][1]);
        simplugin_write_string(&out, "connection");
        simplugin_write_bool(&out, 1);
        simplugin_write_string(&out, "aliases");
        simplugin_write_array(&out, i == 0);
        if (i == 0)
            simplugin_write_string(&out, "login");
    }
    if (simplugin_writer_reply(&out, host, reply))
        code = host->error_set(error, SIMPLUGIN_OUT_OF_MEMORY, "no memory", 9);
    simplugin_writer_clear(&out);
    return code;
}

static simplugin_backend table = MOCK_TABLE;

int32_t simplugin_backend_entry(const simplugin_host *given, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)error;
    host = given;
    table.describe = describe;
    *backend = &table;
    return SIMPLUGIN_OK;
}
