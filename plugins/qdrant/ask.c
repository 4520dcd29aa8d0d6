/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "instance.h"

const char *qdrant_own_path(qdrant_call *call, const char *behind)
{
    const char *own = qdrant_path(&call->base, "/collections/%s", call->collection);
    size_t size = own ? strlen(own) : 0;
    char *path = own ? sp_arena_array(&call->base.scratch, size + strlen(behind) + 1, 1) : NULL;

    if (!path)
        return NULL;
    memcpy(path, own, size);
    strcpy(path + size, behind);
    return path;
}

const char *qdrant_read_path(qdrant_call *call, const char *behind, const char *consistency)
{
    const char *path = qdrant_own_path(call, behind);

    if (path)
        path = qdrant_path_with(&call->base, path, "consistency",
                                consistency ? consistency : call->instance->settings.consistency);
    return path ? qdrant_path_timed(&call->base, path) : NULL;
}

const char *qdrant_write_path(qdrant_call *call, const char *behind)
{
    const char *path = qdrant_own_path(call, behind);

    if (path)
        path = qdrant_path_with(&call->base, path, "wait", "true");
    return path ? qdrant_path_with(&call->base, path, "ordering", call->instance->settings.ordering)
                : NULL;
}

int32_t qdrant_prepare(qdrant_call *call, const char *method, const char *path, sp_buffer *body,
                       int idempotent, qdrant_http *http)
{
    qdrant_http_init(http, method, path);
    http->idempotent = idempotent;
    if (body->failed || !path) {
        sp_buffer_clear(body);
        return plug_no_memory(&call->base);
    }
    if (body->size) {
        size_t size;
        char *text = sp_buffer_steal(body, &size);

        if (!text)
            return plug_no_memory(&call->base);
        qdrant_http_take(http, text, size);
    }
    return SIMPLUGIN_OK;
}

int32_t qdrant_send(qdrant_call *call, const char *method, const char *path, sp_buffer *body,
                    int idempotent, qdrant_http *http)
{
    int32_t code = qdrant_prepare(call, method, path, body, idempotent, http);

    return code ? code : qdrant_run(&call->instance->link, &call->base, http);
}

int32_t qdrant_reply_fail(qdrant_call *call, const plug_json *json)
{
    if (json->no_memory)
        return plug_no_memory(&call->base);
    return plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                     "the server's answer is not what was asked for: %s at byte %zu",
                     json->problem ? json->problem : "no result", json->offset);
}

int32_t qdrant_ask(qdrant_call *call, const char *method, const char *path, json_t *json,
                   int idempotent, json_t **result)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int is_short = json && !text;
    json_error_t error;
    qdrant_http http;
    json_t *reply;
    int32_t code;

    json_decref(json);
    if (result)
        *result = NULL;
    qdrant_http_init(&http, method, path);
    http.idempotent = idempotent;
    if (text)
        qdrant_http_take(&http, text, strlen(text));
    code = is_short || !path ? plug_no_memory(&call->base)
                             : qdrant_run(&call->instance->link, &call->base, &http);
    if (!code && result) {
        const char *text_of = http.reply ? http.reply : "";

        reply = json_loadb(text_of, http.reply_size, JSON_ALLOW_NUL, &error);
        /* integers that no int64 holds: better as floats than not at all */
        if (!reply && json_error_code(&error) == json_error_numeric_overflow)
            reply = json_loadb(text_of, http.reply_size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                               &error);
        *result = json_incref(json_object_get(reply, "result"));
        json_decref(reply);
        if (!*result)
            code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                             "the server's answer to %s has no result", method);
    }
    qdrant_http_clear(&http);
    return code;
}
