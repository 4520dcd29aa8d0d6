/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What calls answered, on the loop's thread. One call of deliver takes all that has ended:
 *
 *   results   slot, code, body, tensors, ... four for each call. On success body is an
 *             ArrayBuffer or undefined, tensors a flat array of dtype, rows, cols and
 *             ArrayBuffer, or undefined. On failure body is the array of error_value.
 *   progress  slot, done, total, ... three for each call that tells how far it is; or undefined
 *   lines     level, text, ... of the log; or undefined
 *
 * Large tensors are not copied: their ArrayBuffer owns a share of the reply.
 */
#include "addon.h"

#include <simplugin/envelope.h>
#include <stdlib.h>
#include <string.h>

#define COPY_MAX 4096 /* bytes; what an external ArrayBuffer costs more than copying */

/* A reply that ArrayBuffers show; of the loop's thread. */
typedef struct shared_reply {
    simplugin_reply reply;
    uint32_t owners;
} shared_reply;

static void share_drop(shared_reply *shared)
{
    if (shared && --shared->owners == 0) {
        simplugin_reply_clear(&shared->reply);
        free(shared);
    }
}

static void share_finalize(napi_env env, void *data, void *hint)
{
    (void)env;
    (void)data;
    share_drop(hint);
}

/* ---- values --------------------------------------------------------------------------------- */

static napi_value undefined(napi_env env)
{
    napi_value value = NULL;

    napi_get_undefined(env, &value);
    return value;
}

static napi_value number(napi_env env, double n)
{
    napi_value value = NULL;

    napi_create_double(env, n, &value);
    return value;
}

static napi_value text(napi_env env, const char *bytes, uint64_t size)
{
    napi_value value = NULL;

    napi_create_string_utf8(env, bytes, (size_t)size, &value);
    return value;
}

static napi_value array(napi_env env)
{
    napi_value value = NULL;

    napi_create_array(env, &value);
    return value;
}

static void append(napi_env env, napi_value list, uint32_t *count, napi_value value)
{
    napi_set_element(env, list, (*count)++, value);
}

static napi_value copy_of(napi_env env, const void *bytes, uint64_t size)
{
    napi_value value = NULL;
    void *at = NULL;

    if (napi_create_arraybuffer(env, (size_t)size, &at, &value) != napi_ok)
        return NULL;
    if (size)
        memcpy(at, bytes, (size_t)size);
    return value;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static napi_value gathered(napi_env env, const simplugin_tensor *tensor, uint64_t row)
{
    uint64_t stride = simplugin_tensor_stride(tensor);
    napi_value value = NULL;
    void *at = NULL;

    if (napi_create_arraybuffer(env, (size_t)(row * tensor->rows), &at, &value) != napi_ok)
        return NULL;
    for (uint64_t r = 0; r < tensor->rows; r++)
        memcpy((char *)at + r * row, (const char *)tensor->data + r * stride, (size_t)row);
    return value;
}

static napi_value tensor_buffer(napi_env env, const simplugin_tensor *tensor, shared_reply *shared)
{
    uint64_t row = simplugin_tensor_row_bytes(tensor);
    uint64_t size = row * tensor->rows;
    napi_value value = NULL;

    if (tensor->rows > 1 && row && simplugin_tensor_stride(tensor) != row)
        return gathered(env, tensor, row);
    if (size <= COPY_MAX || !shared)
        return copy_of(env, tensor->data, size);
    shared->owners++;
    if (napi_create_external_arraybuffer(env, (void *)(uintptr_t)tensor->data, (size_t)size,
                                         share_finalize, shared, &value) == napi_ok)
        return value;
    /* Electron, or a V8 with a memory cage: external memory is refused */
    shared->owners--;
    return copy_of(env, tensor->data, size);
}

static int has_large(const simplugin_reply *reply)
{
    for (uint64_t i = 0; i < reply->tensor_count; i++)
        if (simplugin_tensor_row_bytes(&reply->tensors[i]) * reply->tensors[i].rows > COPY_MAX)
            return 1;
    return 0;
}

static napi_value tensors_value(napi_env env, call *one)
{
    const simplugin_reply *reply = &one->reply;
    shared_reply *shared = has_large(reply) ? malloc(sizeof *shared) : NULL;
    napi_value list = array(env), buffer = NULL;
    uint32_t count = 0;

    if (shared) {
        shared->reply = one->reply;
        shared->owners = 1;
        memset(&one->reply, 0, sizeof one->reply);
        one->reply.size = sizeof one->reply;
        reply = &shared->reply;
    }
    for (uint64_t i = 0; i < reply->tensor_count; i++) {
        const simplugin_tensor *tensor = &reply->tensors[i];
        buffer = tensor_buffer(env, tensor, shared);
        if (!buffer)
            break;
        append(env, list, &count, number(env, tensor->dtype));
        append(env, list, &count, number(env, (double)tensor->rows));
        append(env, list, &count, number(env, (double)tensor->cols));
        append(env, list, &count, buffer);
    }
    if (!buffer)
        list = NULL;
    share_drop(shared);
    return list;
}

/* ---- calls ------------------------------------------------------------------------------------ */

/* message, domain, backend code, backend message, retryable, key, value, ... */
static napi_value error_value(napi_env env, const simplugin_error *error)
{
    napi_value list = array(env), value = NULL;
    uint64_t size = 0;
    uint32_t count = 0;
    const char *at = simplugin_error_message(error, &size);

    append(env, list, &count, text(env, at, size));
    at = simplugin_error_domain(error);
    append(env, list, &count, text(env, at, strlen(at)));
    napi_create_int64(env, simplugin_error_backend_code(error), &value);
    append(env, list, &count, value);
    at = simplugin_error_backend_message(error, &size);
    append(env, list, &count, text(env, at, size));
    napi_get_boolean(env, simplugin_error_retryable(error) != 0, &value);
    append(env, list, &count, value);
    for (uint64_t i = 0; i < simplugin_error_detail_count(error); i++) {
        at = simplugin_error_detail_key(error, i);
        append(env, list, &count, text(env, at, strlen(at)));
        at = simplugin_error_detail_value(error, i);
        append(env, list, &count, text(env, at, strlen(at)));
    }
    return list;
}

static void result_append(napi_env env, napi_value results, uint32_t *count, call *one)
{
    napi_value body = undefined(env), tensors = body;
    int32_t code = one->code;

    if (code != SIMPLUGIN_OK) {
        body = error_value(env, one->error);
    } else {
        if (one->reply.body_size)
            body = copy_of(env, one->reply.body, one->reply.body_size);
        if (body && one->reply.tensor_count)
            tensors = tensors_value(env, one);
        if (!body || !tensors) {
            code = SIMPLUGIN_OUT_OF_MEMORY;
            body = error_value(env, NULL);
            tensors = undefined(env);
        }
    }
    append(env, results, count, number(env, one->slot));
    append(env, results, count, number(env, code));
    append(env, results, count, body);
    append(env, results, count, tensors);
}

static napi_value results_value(napi_env env, call **first, uint32_t *ended)
{
    napi_value results = array(env);
    uint32_t count = 0;

    while (*first) {
        call *one = *first;
        napi_handle_scope scope = NULL;

        *first = one->next;
        napi_open_handle_scope(env, &scope);
        result_append(env, results, &count, one);
        napi_close_handle_scope(env, scope);
        call_free(one);
        ++*ended;
    }
    return results;
}

/* Also of calls that have ended since they told. */
static void progress_append(napi_env env, napi_value list, uint32_t *count, call *one)
{
    for (; one; one = one->next) {
        if (!one->has_news)
            continue;
        one->has_news = 0;
        append(env, list, count, number(env, one->slot));
        append(env, list, count, number(env, (double)one->done));
        append(env, list, count, number(env, (double)one->total));
    }
}

static napi_value lines_value(napi_env env, log_line *first, uint32_t lost)
{
    napi_value list = array(env);
    uint32_t count = 0;

    while (first) {
        log_line *line = first;

        first = line->next;
        append(env, list, &count, number(env, line->level));
        append(env, list, &count, text(env, line->text, line->size));
        free(line);
    }
    if (lost) {
        append(env, list, &count, number(env, SIMPLUGIN_LOG_WARNING));
        append(env, list, &count, number(env, lost));
    }
    return list;
}

/* What home_tell asked for. */
void results_deliver(napi_env env, napi_value unused, void *context, void *data)
{
    home *home = context;
    napi_value function, receiver, progress, argument[3];
    log_line *lines;
    uint32_t lost, ended = 0;
    call *first;

    (void)unused;
    (void)data;
    if (!env) /* the environment has ended, and home with it */
        return;
    progress = undefined(env);
    pthread_mutex_lock(&home->lock);
    first = home->ended_first;
    home->ended_first = home->ended_last = NULL;
    lines = home->lines_first;
    lost = home->lines_lost;
    home->lines_first = home->lines_last = NULL;
    home->line_count = home->lines_lost = 0;
    if (home->has_progress) {
        uint32_t count = 0;
        progress = array(env);
        progress_append(env, progress, &count, home->calls);
        progress_append(env, progress, &count, first);
    }
    home->has_progress = 0;
    home->is_told = 0;
    pthread_mutex_unlock(&home->lock);

    argument[0] = results_value(env, &first, &ended);
    argument[1] = progress;
    argument[2] = lines || lost ? lines_value(env, lines, lost) : undefined(env);
    home->in_flight -= ended;
    if (ended && !home->in_flight)
        napi_unref_threadsafe_function(env, home->wake);
    if (napi_get_reference_value(env, home->deliver, &function) == napi_ok)
        napi_call_function(env, undefined(env), function, 3, argument, &receiver);
}
