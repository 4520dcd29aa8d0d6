/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server answers, and which version of Qdrant it is. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>

#include "instance.h"

#define VERSION_BYTES 64
#define VERSION_UNKNOWN QDRANT_VERSION_OF(999, 0)

/* "1.10.2", "v1.9.0-dev": the first two numbers. What cannot be read is let pass as new. */
static int version_number(const char *version)
{
    int major = 0, minor = 0;

    while (*version && (*version < '0' || *version > '9'))
        version++;
    if (sscanf(version, "%3d.%3d", &major, &minor) != 2)
        return VERSION_UNKNOWN;
    return QDRANT_VERSION_OF(major, minor);
}

/* The reply of GET /: {"title": "qdrant - ...", "version": "1.10.2"}. */
static int32_t version_read(qdrant_call *call, const qdrant_http *http, char *version, size_t size)
{
    const char *target = call->instance->settings.address.target;
    json_t *root = json_loadb(http->reply, http->reply_size, 0, NULL);
    const char *text = json_string_value(json_object_get(root, "version"));
    const char *title = json_string_value(json_object_get(root, "title"));
    int number;
    int32_t code = SIMPLUGIN_OK;

    snprintf(version, size, "%s", text ? text : "");
    number = version_number(version);
    if (!root)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                         "GET / at %s: the reply is no JSON; is this Qdrant's REST port (6333 by "
                         "default)?",
                         target);
    else if (!text || (title && !strcasestr(title, "qdrant")))
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                         "GET / at %s: it answers, but is no Qdrant: is this its REST port (6333 "
                         "by default), and the path of the url right?",
                         target);
    else if (number < QDRANT_VERSION_MIN)
        code = plug_fail(&call->base, SIMPLUGIN_VERSION_TOO_OLD,
                         "the server at %s is Qdrant %.40s: version 1.7.0 or later is needed",
                         target, version);
    else
        atomic_store(&call->instance->version, number);
    json_decref(root);
    return code;
}

/* Asks the server, and writes what it says to version. */
static int32_t version_ask(qdrant_call *call, char *version, size_t size)
{
    qdrant_http http;
    int32_t code;

    qdrant_http_init(&http, "GET", "/");
    code = qdrant_run(&call->instance->link, &call->base, &http);
    if (!code)
        code = version_read(call, &http, version, size);
    qdrant_http_clear(&http);
    return code;
}

int32_t qdrant_version_check(qdrant_call *call)
{
    char version[VERSION_BYTES];

    return atomic_load(&call->instance->version) ? SIMPLUGIN_OK
                                                 : version_ask(call, version, sizeof version);
}

/* Asked anew each time: that is the point of it. */
int32_t qdrant_serve_health(qdrant_call *call)
{
    char version[VERSION_BYTES] = "";
    qdrant_http http;
    int32_t code = version_ask(call, version, sizeof version);

    /* everybody may know the version: whether the key is right shows with the next path */
    qdrant_http_init(&http, "GET", "/collections");
    if (!code)
        code = qdrant_run(&call->instance->link, &call->base, &http);
    qdrant_http_clear(&http);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "version");
    simplugin_write_string(&call->base.out, version);
    return code;
}
