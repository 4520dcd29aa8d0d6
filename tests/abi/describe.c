/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe BACKEND: has the library load it and say what it is: its name, and how much it says. For
 * backends whose servers are not there.
 */
#include <simplugin.h>
#include <simplugin/envelope.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t count(const simplugin_value *map, const char *key)
{
    simplugin_value list;

    return simplugin_find(map, key, &list) ? list.size : 0;
}

int main(int argc, char **argv)
{
    static const char method[] = "backends.describe";
    const char *backend = argc > 1 ? argv[1] : "", *name = "";
    uint64_t size = 0;
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    simplugin_writer body;
    simplugin_request request;
    simplugin_value map;
    int32_t code;

    simplugin_writer_init(&body);
    simplugin_write_map(&body, 1);
    simplugin_write_string(&body, "backend");
    simplugin_write_string(&body, backend);
    request = simplugin_writer_request(&body);
    code = simplugin_call(0, method, sizeof method - 1, &request, NULL, &reply, &error);
    map = simplugin_body_value(reply.body, reply.body_size);
    simplugin_find_text(&map, "name", &name, &size);
    if (code)
        printf("%s: %s\n", simplugin_code_name(code), simplugin_error_message(error, NULL));
    else
        printf("%.*s: %" PRIu64 " metrics, %" PRIu64 " methods, %" PRIu64 " filters, %" PRIu64
               " parameters\n",
               (int)size, name, count(&map, "metrics"), count(&map, "methods"),
               count(&map, "filters"), count(&map, "parameters"));
    simplugin_writer_clear(&body);
    simplugin_reply_clear(&reply);
    simplugin_error_free(&error);
    return code != 0;
}
