/* SPDX-License-Identifier: Apache-2.0 */
/* What programs call: arguments are checked here, the work is elsewhere. */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "abi.h"
#include "log.h"
#include "protocol.h"

#define TIMEOUT_DEFAULT_MS 60000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static _Atomic(sp_session *) default_session;

/* The default session follows the environment and is there for the life of the process. */
static int32_t default_session_hold(sp_object **object, simplugin_error **error)
{
    sp_session *session = atomic_load(&default_session), *none = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (!session)
        code = sp_session_new(NULL, &session, error);
    if (code)
        return code;
    /* no lock: a fork might leave it taken in the child; when two threads make one, one stays */
    if (session != atomic_load(&default_session) &&
        !atomic_compare_exchange_strong(&default_session, &none, session)) {
        sp_object_release(sp_session_object(session));
        session = none;
    }
    *object = sp_session_object(session);
    sp_object_hold(*object);
    return code;
}

static int32_t argument_error(simplugin_error **error, int32_t code, const char *argument,
                              const char *wrong)
{
    sp_error_set(error, code, "core", "%s: %s", argument, wrong);
    sp_error_add_detail(error, "argument", argument);
    return code;
}

/* *error is set exactly when a call failed, whatever it held before or was set to on the way. */
static int32_t error_settle(int32_t code, const char *what, simplugin_error **error)
{
    if (!error)
        return code;
    if (!code)
        simplugin_error_free(error);
    else if (simplugin_error_code(*error) != code)
        sp_error_set(error, code, "core", "%s: failed with %s", what, sp_code_name(code));
    return code;
}

const char *simplugin_version(void)
{
    return SIMPLUGIN_VERSION;
}

int32_t simplugin_backend_register(const char *name, simplugin_backend_entry_fn entry,
                                   simplugin_error **error)
{
    if (!name || !entry)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, name ? "entry" : "name",
                              "is NULL");
    return error_settle(sp_loader_register(name, entry, error), "register", error);
}

int32_t simplugin_close(uint64_t handle, simplugin_error **error)
{
    return error_settle(sp_handle_close(handle, UINT32_MAX, error), "close", error);
}

/* Reads options of any size that was ever current into one of today's. */
static int32_t options_read(const simplugin_options *options, simplugin_options *out,
                            simplugin_error **error)
{
    const uint64_t least = offsetof(simplugin_options, timeout_ms) + sizeof out->timeout_ms;
    const char *wrong;

    memset(out, 0, sizeof *out);
    if (!options)
        return SIMPLUGIN_OK;
    wrong = sp_struct_read(out, options, least, sizeof *out);
    if (!wrong)
        wrong = sp_reserved_check(out->reserved, COUNT(out->reserved));
    if (wrong)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "options", wrong);
    if (out->timeout_ms < SIMPLUGIN_TIMEOUT_NONE)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "timeout_ms", "is negative");
    if (out->trace_id_size && !out->trace_id)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "trace_id",
                              "is NULL with a size");
    if (out->trace_id_size > 255 ||
        !simplugin_utf8_check((const uint8_t *)out->trace_id, out->trace_id_size))
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "trace_id",
                              "is longer than 255 bytes, or not UTF-8");
    if (out->cancel && !sp_cancel_exists(out->cancel))
        return argument_error(error, SIMPLUGIN_STALE_HANDLE, "cancel",
                              "is no token, or was freed");
    return SIMPLUGIN_OK;
}

static int32_t request_read(const simplugin_request *request, simplugin_request *out,
                            simplugin_error **error)
{
    const uint64_t least = offsetof(simplugin_request, tensor_count) + sizeof out->tensor_count;
    const char *wrong;

    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    if (!request)
        return SIMPLUGIN_OK;
    wrong = sp_struct_read(out, request, least, sizeof *out);
    if (wrong)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "request", wrong);
    out->size = sizeof *out;
    wrong = sp_reserved_check(out->reserved, COUNT(out->reserved));
    if (!wrong)
        wrong = simplugin_check_request(out);
    return wrong ? argument_error(error, SIMPLUGIN_MALFORMED, "request", wrong) : SIMPLUGIN_OK;
}

/* A reply is filled, so it has at least what the first version had; it may be NULL. */
static int32_t reply_check(const simplugin_reply *reply, simplugin_error **error)
{
    const char *wrong = reply ? sp_struct_check(reply, SP_REPLY_LEAST, sizeof *reply) : NULL;

    if (reply && !wrong && reply->owner)
        wrong = "holds an earlier answer: clear it first";
    if (reply && !wrong)
        wrong = sp_reserved_check(reply->reserved, COUNT(reply->reserved));
    return wrong ? argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "reply", wrong) : SIMPLUGIN_OK;
}

static int64_t timeout_default(sp_object *target)
{
    sp_connection *connection = sp_target_connection(target);
    int64_t configured = connection ? sp_connection_timeout(connection) : 0;

    return configured > 0 ? configured : TIMEOUT_DEFAULT_MS;
}

int32_t simplugin_call(uint64_t target, const char *method_name, uint64_t method_size,
                       const simplugin_request *request, const simplugin_options *options,
                       simplugin_reply *reply, simplugin_error **error)
{
    simplugin_reply own = SP_REPLY_INIT;
    simplugin_options opts;
    simplugin_request checked;
    const sp_method *method = NULL;
    sp_object *object = NULL;
    sp_progress progress;
    sp_context context = {0};
    sp_request r = {0};
    int32_t code;

    simplugin_error_free(error);
    if (!method_name)
        return argument_error(error, SIMPLUGIN_INVALID_ARGUMENT, "method", "is NULL");
    code = reply_check(reply, error);
    if (!code)
        code = options_read(options, &opts, error);
    if (!code)
        code = request_read(request, &checked, error);
    if (!code)
        code = sp_method_find(method_name, method_size, &method, error);
    if (!code)
        code = !target && (method->targets & SP_SESSION)
                   ? default_session_hold(&object, error)
                   : sp_handle_acquire(target, method->targets, &object, error);
    if (code)
        return error_settle(code, "call", error);
    progress.fn = opts.progress;
    progress.context = opts.progress_context;
    progress.thread = pthread_self();
    context.deadline = opts.timeout_ms == SIMPLUGIN_TIMEOUT_NONE
                           ? SP_NO_DEADLINE
                           : sp_clock_deadline(opts.timeout_ms ? opts.timeout_ms
                                                               : timeout_default(object));
    context.is_default = !opts.timeout_ms;
    context.cancel = opts.cancel;
    context.trace_id = opts.trace_id;
    context.trace_id_size = opts.trace_id_size;
    context.progress = opts.progress ? &progress : NULL;
    r.target = target;
    r.args.method = method->name;
    r.args.map = simplugin_body_value(checked.body, checked.body_size);
    r.args.tensors = checked.tensors;
    r.args.tensor_count = checked.tensor_count;
    r.args.arena = &r.arena;
    r.context = &context;
    r.reply = &own;
    code = sp_args_check_keys(&r.args, method->keys, error);
    if (!code && context.cancel)
        code = sp_context_check(&context, method->name, error);
    if (!code)
        code = method->serve(object, &r, error);
    sp_arena_free(&r.arena);
    sp_object_release(object);
    if (code || !reply)
        simplugin_reply_clear(&own);
    else
        sp_struct_fill(reply, &own, sizeof own);
    return error_settle(code, method->name, error);
}
