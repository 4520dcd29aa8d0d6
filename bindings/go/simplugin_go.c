/* SPDX-License-Identifier: Apache-2.0 */
#include "simplugin_go.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

/* ---- errors: two numbers, three texts, and the details, each text after its size -------- */

static uint8_t *put_number(uint8_t *at, int64_t number)
{
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static uint8_t *put_text(uint8_t *at, const char *text, uint64_t size)
{
    at = put_number(at, (int64_t)size);
    memcpy(at, text, size);
    return at + size;
}

static uint64_t error_size(const simplugin_error *error)
{
    uint64_t size = 6 * sizeof(int64_t), message, backend_message;

    simplugin_error_message(error, &message);
    simplugin_error_backend_message(error, &backend_message);
    size += message + backend_message + strlen(simplugin_error_domain(error));
    for (uint64_t i = 0; i < simplugin_error_detail_count(error); i++)
        size += 2 * sizeof(int64_t) + strlen(simplugin_error_detail_key(error, i)) +
                strlen(simplugin_error_detail_value(error, i));
    return size;
}

/* Frees the error. Without memory only its code, which the caller has, is left of it. */
static void answer_error(simplugin_go_answer *answer, simplugin_error *error)
{
    uint64_t size = error_size(error), count = simplugin_error_detail_count(error), length;
    uint8_t *at = answer->small;
    const char *text;

    if (size > sizeof answer->small)
        at = answer->large = malloc(size);
    answer->size = at ? size : 0;
    if (at) {
        at = put_number(at, simplugin_error_backend_code(error));
        at = put_number(at, simplugin_error_retryable(error));
        text = simplugin_error_domain(error);
        at = put_text(at, text, strlen(text));
        text = simplugin_error_message(error, &length);
        at = put_text(at, text, length);
        text = simplugin_error_backend_message(error, &length);
        at = put_text(at, text, length);
        at = put_number(at, (int64_t)count);
        for (uint64_t i = 0; i < count; i++) {
            text = simplugin_error_detail_key(error, i);
            at = put_text(at, text, strlen(text));
            text = simplugin_error_detail_value(error, i);
            at = put_text(at, text, strlen(text));
        }
    }
    simplugin_error_free(&error);
}

static void answer_reset(simplugin_go_answer *answer)
{
    memset(answer, 0, offsetof(simplugin_go_answer, small));
    answer->reply.size = sizeof answer->reply;
}

/* ---- calls ----------------------------------------------------------------------------- */

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    simpluginGoProgress((uintptr_t)context, done, total);
}

int32_t simplugin_go_call(uint64_t target, const char *method, uint64_t method_size,
                          const uint8_t *body, uint64_t body_size,
                          const simplugin_tensor *tensors, uint64_t tensor_count,
                          int64_t timeout_ms, uint64_t cancel, const char *trace_id,
                          uint64_t trace_id_size, uintptr_t progress,
                          simplugin_go_answer *answer)
{
    simplugin_request request = {.size = sizeof request, .body = body, .body_size = body_size,
                                 .tensors = tensors, .tensor_count = tensor_count};
    simplugin_options options = {.size = sizeof options, .timeout_ms = timeout_ms,
                                 .cancel = cancel, .trace_id = trace_id,
                                 .trace_id_size = trace_id_size,
                                 .progress = progress ? on_progress : NULL,
                                 .progress_context = (void *)progress};
    simplugin_reply *reply = &answer->reply;
    simplugin_error *error = NULL;
    int32_t code;

    answer_reset(answer);
    code = simplugin_call(target, method, method_size, &request, &options, reply, &error);
    if (code != SIMPLUGIN_OK) {
        answer_error(answer, error);
    } else if (reply->tensor_count == 0 && reply->body_size <= sizeof answer->small) {
        if (reply->body_size)
            memcpy(answer->small, reply->body, reply->body_size);
        answer->size = reply->body_size;
        simplugin_reply_clear(reply);
    }
    return code;
}

int32_t simplugin_go_close(uint64_t handle, simplugin_go_answer *answer)
{
    simplugin_error *error = NULL;
    int32_t code;

    answer_reset(answer);
    code = simplugin_close(handle, &error);
    if (code != SIMPLUGIN_OK)
        answer_error(answer, error);
    return code;
}

int32_t simplugin_go_cancel_new(uint64_t *cancel, simplugin_go_answer *answer)
{
    simplugin_error *error = NULL;
    int32_t code;

    answer_reset(answer);
    code = simplugin_cancel_new(cancel, &error);
    if (code != SIMPLUGIN_OK)
        answer_error(answer, error);
    return code;
}

/* ---- log ------------------------------------------------------------------------------- */

static void on_log(void *context, int32_t level, const char *message, uint64_t message_size)
{
    (void)context;
    simpluginGoLog(level, (char *)(uintptr_t)message, message_size);
}

void simplugin_go_log_set(int32_t level)
{
    simplugin_log_set(level ? on_log : NULL, NULL, level);
}
