/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "ask.h"

#include <stdarg.h>

#include "conformance/contract.h"
#include "unit.h"

#define BODY_MAX (1 << 20)

_Thread_local json_t *rig_reply;
_Thread_local simplugin_error *rig_error;
_Thread_local simplugin_options rig_options;

int32_t ask_writer(uint64_t target, const char *method, const simplugin_writer *writer)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_request request = simplugin_writer_request(writer);
    contract_why why = {""};
    int32_t code;

    rig_options.size = sizeof rig_options;
    code = simplugin_call(target, method, strlen(method), &request, &rig_options, &reply,
                          &rig_error);
    /* only now: hooks may have made calls of their own meanwhile */
    json_decref(rig_reply);
    rig_reply = NULL;
    if (!code) {
        rig_reply = reply_decode(&reply, &why);
        if (!rig_reply)
            CU_FAIL("the reply is no envelope");
    }
    simplugin_reply_clear(&reply);
    return code;
}

int32_t ask(uint64_t target, const char *method, const char *format, ...)
{
    contract_body body = {0};
    contract_why why = {""};
    json_error_t wrong;
    char *text = malloc(BODY_MAX);
    json_t *json = NULL;
    va_list list;
    int32_t code;

    if (!text)
        abort();
    va_start(list, format);
    vsnprintf(text, BODY_MAX, format, list);
    va_end(list);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json = json_loads(text, JSON_ALLOW_NUL, &wrong);
    if (!json || !body_encode(&body, json, 0, &why)) {
        fprintf(stderr, "%s: %s%s\n", method, json ? why.text : wrong.text, text);
        abort();
    }
    code = ask_writer(target, method, &body.writer);
    body_clear(&body);
    json_decref(json);
    free(text);
    return code;
}

int64_t reply_int(const char *key)
{
    json_t *value = json_object_get(rig_reply, key);

    return json_is_integer(value) ? json_integer_value(value) : INT64_MIN;
}

const char *reply_text(const char *key)
{
    static _Thread_local char text[4096];
    json_t *value = json_object_get(rig_reply, key);
    char *dump = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6))
                       : NULL;

    snprintf(text, sizeof text, "%s", dump ? dump : "?");
    for (char *at = text; *at; at++)
        *at = *at == '"' ? '\'' : *at;
    free(dump);
    return text;
}

const char *error_detail(const char *key)
{
    for (uint64_t i = 0; i < simplugin_error_detail_count(rig_error); i++)
        if (strcmp(simplugin_error_detail_key(rig_error, i), key) == 0)
            return simplugin_error_detail_value(rig_error, i);
    return "";
}
