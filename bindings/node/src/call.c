/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a call from JavaScript, running it, cancelling it. */
#include "addon.h"

#include <simplugin/envelope.h>
#include <stdlib.h>
#include <string.h>

#define TENSOR_VALUES 5 /* view, dtype, rows, cols, row_stride in bytes */
#define COPY_MAX 4096   /* bytes; what a pin costs more than copying */

enum { SLOT, TARGET, METHOD, BODY, TENSORS, TIMEOUT, TOKEN, TRACE_ID, PROGRESS };
enum { TOKEN_SHARED, TOKEN_OWN, TOKEN_FIRED }; /* an own one, fired before the call begins */

/* What start gets, and where call.c found it. */
typedef struct arguments {
    napi_value value[9]; /* in the order below */
    const void *body;
    size_t body_size;
    size_t method_size;
    size_t trace_id_size;
    uint32_t tensor_count;
} arguments;


void call_free(call *one)
{
    for (uint64_t i = 0; one->pins && i < one->request.tensor_count; i++)
        pin_free(one->pins[i]);
    free(one->pins);
    free(one->copies);
    simplugin_reply_clear(&one->reply);
    simplugin_error_free(&one->error);
    if (one->cancel)
        simplugin_cancel_free(one->cancel);
    free(one);
}

/* ---- on a thread of the pool ------------------------------------------------------------- */

static void progress(void *context, uint64_t done, uint64_t total)
{
    call *one = context;
    home *home = one->home;
    int tells;

    pthread_mutex_lock(&home->lock);
    one->done = done;
    one->total = total;
    one->has_news = 1;
    home->has_progress = 1;
    tells = home_tell_locked(home);
    pthread_mutex_unlock(&home->lock);
    if (tells)
        home_tell(home);
}

/* The time spent in the queue counts. */
static int64_t timeout_left(const call *one)
{
    int64_t waited = (pool_now() - one->task.since) / 1000000;

    if (one->timeout_ms <= 0 || waited <= 0)
        return one->timeout_ms;
    return one->timeout_ms > waited ? one->timeout_ms - waited : 1;
}

static void ended(call *one)
{
    home *home = one->home;
    int tells;

    pthread_mutex_lock(&home->lock);
    if (one->previous)
        one->previous->next = one->next;
    else
        home->calls = one->next;
    if (one->next)
        one->next->previous = one->previous;
    one->next = NULL;
    if (home->ended_last)
        home->ended_last->next = one;
    else
        home->ended_first = one;
    home->ended_last = one;
    tells = home_tell_locked(home);
    if (!home->calls)
        pthread_cond_signal(&home->quiet);
    pthread_mutex_unlock(&home->lock);
    /* the call is the loop's now, and home is there only for those who tell */
    if (tells)
        home_tell(home);
}

static void run(pool_task *task)
{
    call *one = (call *)task;
    simplugin_options options = {.size = sizeof options, .timeout_ms = timeout_left(one),
                                 .cancel = one->cancel ? one->cancel : one->home->cancel,
                                 .trace_id = one->trace_id, .trace_id_size = one->trace_id_size,
                                 .progress = one->has_progress ? progress : NULL,
                                 .progress_context = one};

    if (one->is_close)
        one->code = simplugin_close(one->target, &one->error);
    else
        one->code = simplugin_call(one->target, one->method, one->method_size, &one->request,
                                   &options, &one->reply, &one->error);
    ended(one);
}

/* ---- arguments ------------------------------------------------------------------------------ */

static int is_given(napi_env env, napi_value value)
{
    napi_valuetype type = napi_undefined;

    napi_typeof(env, value, &type);
    return type != napi_undefined && type != napi_null;
}

static int is_true(napi_env env, napi_value value)
{
    bool flag = false;

    return napi_get_value_bool(env, value, &flag) == napi_ok && flag;
}

/* Where the bytes of a typed array are; 0 if it is none. */
static int view_bytes(napi_env env, napi_value view, const void **data, uint64_t *size)
{
    static const uint8_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    napi_typedarray_type type;
    bool is_view = false;
    size_t length = 0;
    void *at = NULL;

    if (napi_is_typedarray(env, view, &is_view) != napi_ok || !is_view ||
        napi_get_typedarray_info(env, view, &type, &length, &at, NULL, NULL) != napi_ok ||
        (size_t)type >= sizeof widths)
        return 0;
    *data = length ? at : NULL;
    *size = (uint64_t)length * widths[type];
    return 1;
}

static int arguments_read(napi_env env, arguments *a)
{
    uint64_t size = 0;

    if (napi_get_value_string_utf8(env, a->value[METHOD], NULL, 0, &a->method_size) != napi_ok)
        return 0;
    if (is_given(env, a->value[BODY])) {
        if (!view_bytes(env, a->value[BODY], &a->body, &size))
            return 0;
        a->body_size = (size_t)size;
    }
    if (is_given(env, a->value[TENSORS]) &&
        napi_get_array_length(env, a->value[TENSORS], &a->tensor_count) != napi_ok)
        return 0;
    a->tensor_count /= TENSOR_VALUES;
    return !is_given(env, a->value[TRACE_ID]) ||
           napi_get_value_string_utf8(env, a->value[TRACE_ID], NULL, 0, &a->trace_id_size) == napi_ok;
}

static int size_read(napi_env env, napi_value value, uint64_t *size)
{
    int64_t number = -1;

    if (napi_get_value_int64(env, value, &number) != napi_ok || number < 0)
        return 0;
    *size = (uint64_t)number;
    return 1;
}

/* From its first byte to the end of its last row; UINT64_MAX where that is no size. */
static uint64_t tensor_span(const simplugin_tensor *tensor)
{
    uint64_t row = simplugin_tensor_row_bytes(tensor), all;
    uint64_t stride = tensor->row_stride ? tensor->row_stride : row;

    if (!tensor->rows || !row)
        return 0;
    if (row == UINT64_MAX || __builtin_mul_overflow(tensor->rows - 1, stride, &all) ||
        __builtin_add_overflow(all, row, &all))
        return UINT64_MAX;
    return all;
}

static napi_value tensor_value(napi_env env, napi_value list, uint32_t i, uint32_t j)
{
    napi_value value = NULL;

    napi_get_element(env, list, i * TENSOR_VALUES + j, &value);
    return value;
}

/* What JavaScript says of it is checked before C believes it: it lies within its view. */
static int tensor_read(napi_env env, napi_value list, uint32_t i, simplugin_tensor *tensor)
{
    napi_value value[TENSOR_VALUES];
    uint64_t size = 0;

    for (uint32_t j = 0; j < TENSOR_VALUES; j++)
        if (!(value[j] = tensor_value(env, list, i, j)))
            return 0;
    memset(tensor, 0, sizeof *tensor);
    return view_bytes(env, value[0], &tensor->data, &size) &&
           napi_get_value_uint32(env, value[1], &tensor->dtype) == napi_ok &&
           size_read(env, value[2], &tensor->rows) && size_read(env, value[3], &tensor->cols) &&
           size_read(env, value[4], &tensor->row_stride) && tensor_span(tensor) <= size;
}

/* ---- tensors that JavaScript may change while the call reads them ---------------------------- */

/*
 * Integers are offsets, which the library checks once and then believes; bits are looked up by
 * what it has checked. Vectors it may find changed: they are numbers before and after.
 */
static int is_copied(const home *home, const simplugin_tensor *tensor)
{
    return tensor->dtype == SIMPLUGIN_INT64 || tensor->dtype == SIMPLUGIN_BITS ||
           tensor_span(tensor) <= COPY_MAX || !home->has_pins;
}

/* Shared memory is never taken away, and its view keeps it. */
static int pin(napi_env env, napi_value view, void **pinned)
{
    napi_value buffer = NULL;
    bool is_own = false;

    if (napi_get_typedarray_info(env, view, NULL, NULL, NULL, &buffer, NULL) != napi_ok ||
        napi_is_arraybuffer(env, buffer, &is_own) != napi_ok)
        return 0;
    if (!is_own)
        return 1;
    *pinned = pin_new(buffer);
    return *pinned != NULL;
}

static uint64_t copy_size(const simplugin_tensor *tensor)
{
    return (tensor_span(tensor) + 15) & ~UINT64_C(15); /* the next begins aligned */
}

/* Makes copies of the tensors, or shares in them. 0: no memory. */
static int tensors_keep(napi_env env, const home *home, napi_value list, call *one,
                        simplugin_tensor *tensors)
{
    uint64_t count = one->request.tensor_count, size = 0;
    char *at;

    for (uint64_t i = 0; i < count; i++)
        if (is_copied(home, &tensors[i]))
            size += copy_size(&tensors[i]);
    one->pins = calloc(count, sizeof *one->pins);
    one->copies = at = malloc(size ? size : 1);
    if (!one->pins || !at)
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        simplugin_tensor *tensor = &tensors[i];
        uint64_t span = tensor_span(tensor);

        if (!is_copied(home, tensor)) {
            if (!pin(env, tensor_value(env, list, (uint32_t)i, 0), &one->pins[i]))
                return 0;
        } else if (span) {
            memcpy(at, tensor->data, span);
            tensor->data = at;
            at += copy_size(tensor);
        }
    }
    return 1;
}

static int64_t timeout_read(napi_env env, napi_value value)
{
    int64_t timeout = SIMPLUGIN_TIMEOUT_DEFAULT;
    napi_valuetype type = napi_undefined;
    bool lossless;

    napi_typeof(env, value, &type);
    if (type == napi_bigint)
        napi_get_value_bigint_int64(env, value, &timeout, &lossless);
    else if (type == napi_number)
        napi_get_value_int64(env, value, &timeout);
    return timeout;
}

/* ---- starting ------------------------------------------------------------------------------- */

/* One block of memory: the call, its tensors, the body, and both texts with their zeros. */
static call *call_block(napi_env env, const arguments *a)
{
    size_t tensors = a->tensor_count * sizeof(simplugin_tensor);
    size_t size = sizeof(call) + tensors + a->body_size + a->method_size + a->trace_id_size + 2;
    call *one = malloc(size);
    char *at;

    if (!one)
        return NULL;
    memset(one, 0, sizeof *one);
    at = (char *)(one + 1);
    one->request = (simplugin_request){.size = sizeof one->request,
                                       .tensors = (simplugin_tensor *)(void *)at,
                                       .tensor_count = a->tensor_count, .body_size = a->body_size};
    one->reply.size = sizeof one->reply;
    at += tensors;
    if (a->body_size)
        memcpy(at, a->body, a->body_size);
    one->request.body = a->body_size ? (uint8_t *)at : NULL;
    at += a->body_size;
    one->method = at;
    napi_get_value_string_utf8(env, a->value[METHOD], at, a->method_size + 1, NULL);
    one->method_size = a->method_size;
    at += a->method_size + 1;
    if (a->trace_id_size) {
        one->trace_id = at;
        one->trace_id_size = a->trace_id_size;
        napi_get_value_string_utf8(env, a->value[TRACE_ID], at, a->trace_id_size + 1, NULL);
    }
    return one;
}

/* Throws, and returns NULL, where it cannot be made. */
static call *call_new(napi_env env, home *home, const arguments *a)
{
    call *one = call_block(env, a);
    simplugin_tensor *tensors = (simplugin_tensor *)(void *)(one + 1);
    const char *what = "out of memory";
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;

    if (!one)
        goto fail;
    for (uint32_t i = 0; i < a->tensor_count; i++)
        if (!tensor_read(env, a->value[TENSORS], i, &tensors[i])) {
            code = SIMPLUGIN_INVALID_ARGUMENT;
            what = "a tensor does not lie within its array";
            goto fail;
        }
    if (a->tensor_count && !tensors_keep(env, home, a->value[TENSORS], one, tensors))
        goto fail;
    return one;

fail:
    if (one)
        call_free(one);
    throw_error(env, home, code, what);
    return NULL;
}

static int submit(home *home, call *one)
{
    int submitted;

    one->home = home;
    one->task.run = run;
    pthread_mutex_lock(&home->lock);
    one->next = home->calls;
    if (one->next)
        one->next->previous = one;
    home->calls = one;
    submitted = pool_submit(&one->task);
    if (!submitted) {
        home->calls = one->next;
        if (one->next)
            one->next->previous = NULL;
    }
    pthread_mutex_unlock(&home->lock);
    return submitted;
}

/*
 * start(slot, target, method, body, tensors, timeout, token, trace_id, progress): begins a
 * call; a method that is undefined closes the target. body is a Uint8Array or undefined, and
 * is copied; tensors is a flat array of TENSOR_VALUES each or undefined, and their views must
 * be kept until deliver tells of the slot. token is one of TOKEN_SHARED, ...; returns
 * the call's own or undefined.
 */
napi_value call_start(napi_env env, napi_callback_info info)
{
    arguments a = {0};
    napi_value token = NULL;
    size_t count = sizeof a.value / sizeof *a.value;
    int32_t kind = TOKEN_SHARED;
    bool lossless = false;
    home *home = NULL;
    call *one;

    if (napi_get_cb_info(env, info, &count, a.value, NULL, (void **)&home) != napi_ok)
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "start: no arguments");
    if (home->is_over)
        return throw_error(env, home, SIMPLUGIN_CANCELLED,
                           "the process or worker is ending: no call can be started");
    if (is_given(env, a.value[METHOD]) && !arguments_read(env, &a))
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "start: bad arguments");
    one = call_new(env, home, &a);
    if (!one)
        return NULL;
    one->is_close = !is_given(env, a.value[METHOD]);
    one->has_progress = is_true(env, a.value[PROGRESS]);
    one->timeout_ms = timeout_read(env, a.value[TIMEOUT]);
    if (napi_get_value_uint32(env, a.value[SLOT], &one->slot) != napi_ok ||
        napi_get_value_bigint_uint64(env, a.value[TARGET], &one->target, &lossless) != napi_ok ||
        !lossless) {
        call_free(one);
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "start: bad slot or target");
    }
    napi_get_value_int32(env, a.value[TOKEN], &kind);
    if (kind != TOKEN_SHARED &&
        (simplugin_cancel_new(&one->cancel, NULL) ||
         napi_create_bigint_uint64(env, one->cancel, &token) != napi_ok)) {
        call_free(one);
        return throw_error(env, home, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
    }
    if (kind == TOKEN_FIRED)
        simplugin_cancel_fire(one->cancel);
    if (!submit(home, one)) {
        call_free(one);
        return throw_error(env, home, SIMPLUGIN_RESOURCE_EXHAUSTED,
                           "no thread could be started for the call");
    }
    if (home->in_flight++ == 0)
        napi_ref_threadsafe_function(env, home->wake);
    return token;
}

/* cancel(token): of a call in flight; harmless where that has ended. */
napi_value call_cancel(napi_env env, napi_callback_info info)
{
    napi_value argument;
    size_t count = 1;
    uint64_t token = 0;
    bool lossless;
    home *home = NULL;

    if (napi_get_cb_info(env, info, &count, &argument, NULL, (void **)&home) != napi_ok ||
        napi_get_value_bigint_uint64(env, argument, &token, &lossless) != napi_ok)
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "cancel: expected a token");
    simplugin_cancel_fire(token);
    pthread_mutex_lock(&home->lock);
    for (call *one = home->calls; one; one = one->next)
        if (one->cancel == token) {
            pool_hurry(&one->task);
            break;
        }
    pthread_mutex_unlock(&home->lock);
    return NULL;
}
