/* SPDX-License-Identifier: Apache-2.0 */
/* native.request: any path of the server's, with a body and a reply as maps. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"
#include "instance.h"
#include "json_map.h"
#include "upsert.h"

static int32_t method_read(plug_call *call, const char **method)
{
    static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const char *given;
    int32_t code = plug_arg_string(call, "method", &given);

    *method = known[0];
    if (code || !given)
        return code;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(given, known[i]) == 0) {
            *method = known[i];
            return SIMPLUGIN_OK;
        }
    return plug_fail_argument(call, "method", "method is GET, POST, PUT, PATCH or DELETE");
}

/* As it is, but for what no path can hold, which is percent-encoded. */
static int32_t path_read(plug_call *call, const char **path)
{
    const char *given;
    sp_buffer text;
    int32_t code = plug_arg_string(call, "path", &given);

    if (code)
        return code;
    if (!given || *given != '/')
        return plug_fail_argument(call, "path",
                                  "path is a text that begins with /, and needed: /collections");
    if (strchr(given, '#'))
        return plug_fail_argument(call, "path", "path holds a #: write it as %%23");
    sp_buffer_init(&text);
    for (; *given; given++)
        if (*given > ' ' && *given <= '~')
            sp_buffer_append(&text, given, 1);
        else
            sp_buffer_printf(&text, "%%%02X", (unsigned)(unsigned char)*given);
    *path = text.failed ? NULL
                        : sp_arena_text(&call->scratch, (const char *)text.data, text.size);
    sp_buffer_clear(&text);
    return *path ? SIMPLUGIN_OK : plug_no_memory(call);
}

static int32_t body_read(plug_call *call, qdrant_http *http)
{
    const char *wrong;
    simplugin_value value;
    char *text = NULL;
    json_t *json;

    if (!simplugin_find(&call->body, "body", &value))
        return SIMPLUGIN_OK;
    json = qdrant_json_of(&value, &wrong);
    if (wrong)
        return plug_fail_argument(call, "body", "body holds %s", wrong);
    if (json)
        text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    if (!text)
        return plug_no_memory(call);
    qdrant_http_take(http, text, strlen(text));
    return SIMPLUGIN_OK;
}

/* An object as it is; anything else under a key of its own. */
static int32_t reply_write(qdrant_call *call, const qdrant_http *http)
{
    simplugin_writer *out = &call->base.out;
    const char *reply = http->reply ? http->reply : "";
    const char *wrong = NULL;
    json_error_t why;
    json_t *json = json_loadb(reply, http->reply_size, JSON_DECODE_ANY, &why);
    int32_t code = SIMPLUGIN_OK;

    if (!json_is_object(json))
        simplugin_write_map(out, 1);
    if (json_is_object(json)) {
        wrong = qdrant_json_write(out, json);
    } else if (json) {
        simplugin_write_string(out, "result");
        wrong = qdrant_json_write(out, json);
    } else if (*reply == '{' || *reply == '[') {
        wrong = why.text;
    } else if (simplugin_utf8_check((const uint8_t *)reply, http->reply_size)) {
        simplugin_write_string(out, "text");
        simplugin_write_text(out, reply, http->reply_size);
    } else {
        wrong = "it is neither JSON nor text";
    }
    if (wrong)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "%s %.120s: the reply cannot be shown: %s",
                         http->method, http->path, wrong);
    json_decref(json);
    return code;
}

int32_t qdrant_native_request(qdrant_call *call)
{
    const char *method = NULL, *path = NULL;
    qdrant_http http;
    int idempotent = -1;
    int32_t code = method_read(&call->base, &method);

    if (!code)
        code = path_read(&call->base, &path);
    if (!code)
        code = plug_arg_bool(&call->base, "idempotent", &idempotent);
    if (code)
        return code;
    qdrant_http_init(&http, method, path);
    http.is_text = 1;
    /* of an unknown path it is not known what twice would do */
    http.idempotent = idempotent >= 0 ? idempotent : strcmp(method, "GET") == 0;
    code = body_read(&call->base, &http);
    if (!code)
        code = qdrant_run(&call->instance->link, &call->base, &http);
    if (strcmp(method, "GET") != 0) {
        /* it may have changed anything */
        qdrant_written(call);
        qdrant_schema_forget(call->instance, NULL);
    }
    if (!code)
        code = reply_write(call, &http);
    qdrant_http_clear(&http);
    return code;
}
