/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "error_access.h"
#include "log.h"
#include "metrics.h"
#include "queue.h"
#include "secrets.h"
#include "wire.h"

#define COUNTED 48

struct sp_connection {
    sp_object object;
    char *name;
    const simplugin_backend *backend;
    simplugin_instance *instance;
    sp_describe *describe;
    json_t *secrets;           /* an array of texts */
    const char **secret_texts; /* the same ones */
    size_t secret_count;
    sp_secrets logged; /* hides them from the log while the connection is there */
    int64_t timeout_ms;
    sp_queue queue;
    int queue_ready;
    _Atomic(sp_metric *) counted[COUNTED]; /* found by the address of a method's name */
};

static void connection_destroy(sp_object *object)
{
    sp_connection *c = (sp_connection *)object;

    if (c->instance)
        c->backend->close(c->instance);
    sp_secrets_remove(&c->logged);
    if (c->queue_ready)
        sp_queue_clear(&c->queue);
    sp_describe_free(c->describe);
    free(c->secret_texts);
    json_decref(c->secrets);
    free(c->name);
    free(c);
}

sp_object *sp_connection_object(sp_connection *connection)
{
    return &connection->object;
}

const char *sp_connection_name(const sp_connection *connection)
{
    return connection->name;
}

const sp_describe *sp_connection_describe(const sp_connection *connection)
{
    return connection->describe;
}

int64_t sp_connection_timeout(const sp_connection *connection)
{
    return connection->timeout_ms;
}

int sp_connection_serves(const sp_connection *connection, const char *method)
{
    return sp_describe_lists(connection->describe, "methods", method);
}

/* Names the backend in its error, and takes out what must not be read in it. */
static void error_finish(sp_connection *c, int32_t code, const char *method,
                         simplugin_error **error)
{
    if (!error)
        return;
    if (!*error || simplugin_error_code(*error) != code)
        sp_error_set(error, code, c->name, "%s: failed with %s", method, sp_code_name(code));
    sp_error_set_domain(error, c->name);
    sp_error_prefix(error, "%s: %s", c->name, method);
    sp_error_mask(error, c->secret_texts, c->secret_count);
}

/* Before the backend is opened, which may log already. 0: no memory. */
static int secrets_hide(sp_connection *c, json_t *secrets)
{
    size_t i;
    json_t *secret;

    c->secrets = json_incref(secrets);
    c->secret_texts = calloc(json_array_size(secrets) + 1, sizeof *c->secret_texts);
    if (!c->secret_texts)
        return 0;
    json_array_foreach(secrets, i, secret)
        if (json_is_string(secret))
            c->secret_texts[c->secret_count++] = json_string_value(secret);
    sp_secrets_add(&c->logged, c->secret_texts, c->secret_count);
    return 1;
}

static simplugin_call_info info_of(const sp_context *context, const char *method)
{
    simplugin_call_info info = {
        .size = sizeof info,
        .method = method,
        .method_size = strlen(method),
        .deadline = context->deadline,
        .cancel = context->cancel,
        .trace_id = context->trace_id,
        .trace_id_size = context->trace_id_size,
        .progress = (uint64_t)(uintptr_t)context->progress,
    };

    return info;
}

int32_t sp_connection_new(const char *name, const simplugin_backend *backend,
                          sp_describe *describe, const json_t *parameters, json_t *secrets,
                          uint64_t parent, const sp_context *context, sp_connection **connection,
                          simplugin_error **error)
{
    simplugin_call_info info = info_of(context, "open");
    simplugin_request request;
    simplugin_writer writer;
    sp_connection *c = calloc(1, sizeof *c);
    int32_t code = SIMPLUGIN_OK;

    *connection = NULL;
    simplugin_writer_init(&writer);
    if (!c) {
        sp_describe_free(describe);
        return sp_error_no_memory(error);
    }
    sp_object_init(&c->object, SP_CONNECTION, parent, connection_destroy);
    c->backend = backend;
    c->describe = describe;
    c->timeout_ms = json_integer_value(json_object_get(parameters, "timeout_ms"));
    c->name = strdup(name);
    c->queue_ready = sp_queue_init(&c->queue);
    sp_json_write(&writer, parameters);
    if (!secrets_hide(c, secrets) || !c->name || !c->queue_ready || writer.failed) {
        code = sp_error_no_memory(error);
        goto out;
    }
    request = simplugin_writer_request(&writer);
    code = backend->open(&info, &request, &c->instance, error);
    /* what a failing open leaves there is not to be closed */
    if (code)
        c->instance = NULL;
    else if (!c->instance)
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "answered OK without an instance");
    if (code)
        error_finish(c, code, "open", error);
out:
    simplugin_writer_clear(&writer);
    if (code)
        sp_object_release(&c->object);
    else
        *connection = c;
    return code;
}

/* Most names are literals of the core: their addresses tell where to look first. */
static sp_metric *metric_of(sp_connection *c, const char *method)
{
    _Atomic(sp_metric *) *slot = &c->counted[((uintptr_t)method >> 3) % COUNTED];
    sp_metric *metric = atomic_load_explicit(slot, memory_order_acquire);

    if (metric && sp_metric_is(metric, method))
        return metric;
    metric = sp_metric_get(c->name, method);
    if (metric)
        atomic_store_explicit(slot, metric, memory_order_release);
    return metric;
}

static uint64_t bytes_of(uint64_t body_size, const simplugin_tensor *tensors, uint64_t count)
{
    uint64_t bytes = body_size;

    for (uint64_t i = 0; i < count; i++)
        bytes += tensors[i].rows * simplugin_tensor_row_bytes(&tensors[i]);
    return bytes;
}

int32_t sp_connection_call(sp_connection *c, const sp_context *context, const char *method,
                           const simplugin_request *request, simplugin_reply *reply,
                           simplugin_error **error)
{
    simplugin_call_info info = info_of(context, method);
    int serial = c->backend->threads == SIMPLUGIN_THREADS_SERIAL;
    int64_t start = sp_clock_now();
    uint64_t received = 0;
    const char *wrong;
    int32_t code = SIMPLUGIN_OK;

    if (serial)
        code = sp_queue_enter(&c->queue, context, method, error);
    if (code)
        return code;
    code = c->backend->call(c->instance, &info, request, reply, error);
    if (serial)
        sp_queue_leave(&c->queue);
    if (!code && (wrong = simplugin_check_reply(reply)))
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, c->name, "answered nonsense: %s", wrong);
    if (code)
        error_finish(c, code, method, error);
    else
        received = bytes_of(reply->body_size, reply->tensors, reply->tensor_count);
    if (code)
        simplugin_reply_clear(reply);
    sp_metric_count(metric_of(c, method), code, sp_clock_now() - start,
                    bytes_of(request->body_size, request->tensors, request->tensor_count),
                    received);
    if (sp_log_enabled(SIMPLUGIN_LOG_DEBUG))
        sp_log(SIMPLUGIN_LOG_DEBUG, "%s: %s: %s in %lld us%s%.*s", c->name, method,
               sp_code_name(code), (long long)((sp_clock_now() - start) / 1000),
               context->trace_id_size ? ", trace " : "", (int)context->trace_id_size,
               context->trace_id ? context->trace_id : "");
    return code;
}

int32_t sp_connection_send(sp_connection *c, const sp_context *context, const char *method,
                           const simplugin_writer *writer, simplugin_reply *reply,
                           simplugin_error **error)
{
    simplugin_request request = simplugin_writer_request(writer);

    if (writer->failed)
        return sp_error_no_memory(error);
    return sp_connection_call(c, context, method, &request, reply, error);
}
