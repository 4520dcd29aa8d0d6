/* SPDX-License-Identifier: Apache-2.0 */
#include "native.h"

#include <string.h>

void py_answer_clear(py_answer *answer)
{
    simplugin_reply_clear(&answer->reply);
    simplugin_error_free(&answer->error);
    memset(answer, 0, sizeof *answer);
}

void py_close(const uint64_t *handle)
{
    simplugin_close(*handle, NULL);
}

void py_cancel_free(const uint64_t *cancel)
{
    simplugin_cancel_free(*cancel);
}

int32_t py_call(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                const void *body, uint64_t body_size, const void *tensors, uint64_t tensor_count,
                int64_t timeout_ms, const py_extra *extra, int32_t interruptible)
{
    simplugin_request request = {.size = sizeof request, .body = body_size ? body : NULL,
                                 .body_size = body_size, .tensors = tensor_count ? tensors : NULL,
                                 .tensor_count = tensor_count};
    simplugin_options options = {.size = sizeof options, .timeout_ms = timeout_ms};
    py_interruptible call;
    int32_t result;

    py_answer_clear(answer);
    answer->reply.size = sizeof answer->reply;
    if (extra) {
        options.cancel = extra->cancel;
        options.trace_id = extra->trace_id_size ? extra->trace_id : NULL;
        options.trace_id_size = extra->trace_id_size;
        options.progress = extra->listener ? py_progress : NULL;
        options.progress_context = extra->listener;
    }
    if (interruptible) {
        result = py_interrupt_begin(&call, &options.cancel, &answer->error);
        if (result != SIMPLUGIN_OK)
            return result;
    }
    result = simplugin_call(target, method, method_size, &request, &options, &answer->reply,
                            &answer->error);
    if (interruptible && py_interrupt_end(&call))
        result |= PY_INTERRUPTED;
    if (py_log_any())
        result |= PY_MESSAGES;
    if (answer->reply.tensor_count)
        result |= PY_TENSORS;
    answer->body = (const char *)answer->reply.body;
    answer->body_size = answer->reply.body_size;
    answer->tensors = answer->reply.tensors;
    return result;
}

int32_t py_call_plain(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                      int32_t interruptible)
{
    return py_call(answer, target, method, method_size, NULL, 0, NULL, 0,
                   SIMPLUGIN_TIMEOUT_DEFAULT, NULL, interruptible);
}
