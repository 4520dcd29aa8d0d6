/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "host.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "simplugin/envelope.h"

/* ---- replies ----------------------------------------------------------------------------- */

#define CANARY 0xa5
#define CANARY_BYTES 64

typedef struct allocation {
    struct allocation *next;
    uint8_t *data;
    uint64_t size; /* as asked for */
    int guarded;
} allocation;

typedef struct ownership {
    allocation *first;
} ownership;

static unsigned int reply_kinds;

void conf_host_guard(unsigned int kinds) { reply_kinds = kinds; }

simplugin_reply conf_reply_new(void)
{
    simplugin_reply reply;

    memset(&reply, 0, sizeof reply);
    reply.size = sizeof reply;
    reply.owner = calloc(1, sizeof(ownership));
    if (!reply.owner)
        abort();
    return reply;
}

/* 64-aligned and zeroed, with a canary behind where no page guards the end. */
static uint8_t *memory_new(uint64_t size, int guarded)
{
    uint64_t rounded = (size + 63) / 64 * 64;
    uint8_t *data;

    if (guarded)
        return conf_guard_new(NULL, (size_t)(rounded ? rounded : 64), reply_kinds,
                              "memory of a reply");
    data = aligned_alloc(64, (size_t)rounded + CANARY_BYTES);
    if (data) {
        memset(data, 0, (size_t)size);
        memset(data + size, CANARY, (size_t)(rounded + CANARY_BYTES - size));
    }
    return data;
}

static void *reply_alloc(simplugin_reply *reply, uint64_t bytes)
{
    ownership *owner = reply->owner;
    allocation *one;

    if (bytes > UINT64_C(1) << 40)
        return NULL;
    one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    one->guarded = reply_kinds != 0;
    one->size = bytes;
    one->data = memory_new(bytes, one->guarded);
    if (!one->data) {
        free(one);
        return NULL;
    }
    one->next = owner->first;
    owner->first = one;
    return one->data;
}

void conf_reply_clear(simplugin_reply *reply)
{
    ownership *owner = reply->owner;

    while (owner && owner->first) {
        allocation *one = owner->first;

        owner->first = one->next;
        if (one->guarded)
            conf_guard_bury(one->data);
        else
            free(one->data);
        free(one);
    }
    free(owner);
    memset(reply, 0, sizeof *reply);
}

int conf_reply_owns(const simplugin_reply *reply, const void *data, uint64_t size)
{
    const ownership *owner = reply->owner;
    const uint8_t *at = data;

    for (const allocation *one = owner->first; one; one = one->next)
        if (at >= one->data && at <= one->data + one->size &&
            size <= (uint64_t)(one->data + one->size - at))
            return 1;
    return 0;
}

uint64_t conf_reply_spoilt(const simplugin_reply *reply)
{
    const ownership *owner = reply->owner;
    uint64_t spoilt = 0;

    for (const allocation *one = owner->first; one; one = one->next) {
        uint64_t end = (one->size + 63) / 64 * 64 + CANARY_BYTES;

        for (uint64_t i = one->size; !one->guarded && i < end; i++)
            spoilt += one->data[i] != CANARY;
    }
    return spoilt;
}

/* ---- errors ------------------------------------------------------------------------------ */

static char *text_copy(const char *text, uint64_t size)
{
    char *copy = malloc((size_t)size + 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, text, (size_t)size);
    copy[size] = 0;
    return copy;
}

static int is_utf8(const char *text, uint64_t size)
{
    return simplugin_utf8_check((const uint8_t *)text, size);
}

void conf_error_free(simplugin_error **error)
{
    if (*error) {
        free((*error)->message);
        free((*error)->backend_message);
        json_decref((*error)->details);
        free(*error);
    }
    *error = NULL;
}

const char *conf_error_text(const simplugin_error *error)
{
    return error && error->message ? error->message : "";
}

static int32_t error_set(simplugin_error **error, int32_t code, const char *message,
                         uint64_t message_size)
{
    simplugin_error *made;

    if (!error)
        return code;
    conf_error_free(error);
    made = calloc(1, sizeof *made);
    if (!made)
        abort();
    made->code = code;
    made->message = text_copy(message, message_size);
    made->message_size = message_size;
    made->retryable = -1;
    made->is_utf8 = is_utf8(message, message_size);
    *error = made;
    return code;
}

static void error_set_backend(simplugin_error **error, int64_t backend_code,
                              const char *backend_message, uint64_t backend_message_size)
{
    if (!error || !*error)
        return;
    free((*error)->backend_message);
    (*error)->backend_code = backend_code;
    (*error)->backend_message = text_copy(backend_message, backend_message_size);
}

static void error_set_retryable(simplugin_error **error, int32_t retryable)
{
    if (error && *error)
        (*error)->retryable = retryable;
}

static void error_add_detail(simplugin_error **error, const char *key, uint64_t key_size,
                             const char *value, uint64_t value_size)
{
    char *name;

    if (!error || !*error)
        return;
    (*error)->is_utf8 &= is_utf8(key, key_size) && is_utf8(value, value_size);
    if (!(*error)->details)
        (*error)->details = json_object();
    name = text_copy(key, key_size);
    json_object_set_new((*error)->details, name, json_stringn(value, (size_t)value_size));
    free(name);
}

/* ---- log and progress --------------------------------------------------------------------- */

static void log_line(int32_t level, const char *message, uint64_t message_size)
{
    /* every byte is looked at: a wrong size is found here */
    (void)level;
    (void)is_utf8(message, message_size);
}

static void progress(uint64_t number, uint64_t done, uint64_t total)
{
    (void)number;
    (void)done;
    (void)total;
}

/* ---- cancel tokens ----------------------------------------------------------------------- */

typedef struct watch {
    struct watch *next;
    uint64_t number, token;
    void (*fn)(void *context);
    void *context;
    int running;
    pthread_t thread;
} watch;

#define TOKENS 4096

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int fired[TOKENS];
    uint64_t tokens; /* given out; they begin with 1 */
    watch *watches;
    uint64_t numbers;
} cancel = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

uint64_t conf_token_new(void)
{
    uint64_t token;

    pthread_mutex_lock(&cancel.lock);
    token = ++cancel.tokens;
    pthread_mutex_unlock(&cancel.lock);
    if (token >= TOKENS)
        abort();
    return token;
}

static int32_t is_cancelled(uint64_t token)
{
    return token && token < TOKENS && __atomic_load_n(&cancel.fired[token], __ATOMIC_ACQUIRE);
}

static watch *watch_find(uint64_t token, uint64_t number)
{
    watch *at = cancel.watches;

    while (at && (number ? at->number != number : at->token != token || at->running || !at->fn))
        at = at->next;
    return at;
}

void conf_token_fire(uint64_t token)
{
    watch *one;

    pthread_mutex_lock(&cancel.lock);
    __atomic_store_n(&cancel.fired[token], 1, __ATOMIC_RELEASE);
    while ((one = watch_find(token, 0)) != NULL) {
        void (*fn)(void *context) = one->fn;
        uint64_t number = one->number;

        one->running = 1;
        one->thread = pthread_self();
        pthread_mutex_unlock(&cancel.lock);
        fn(one->context);
        pthread_mutex_lock(&cancel.lock);
        one = watch_find(0, number);
        if (one) {
            one->running = 0;
            one->fn = NULL;
        }
        pthread_cond_broadcast(&cancel.ended);
    }
    pthread_mutex_unlock(&cancel.lock);
}

static int32_t cancel_watch(uint64_t token, void (*fn)(void *context), void *context,
                            uint64_t *number)
{
    watch *one;
    int fired;

    *number = 0;
    /* without the lock, which a child that was forked amid a call might find taken */
    if (!token)
        return SIMPLUGIN_STALE_HANDLE;
    one = calloc(1, sizeof *one);
    if (!one)
        abort();
    pthread_mutex_lock(&cancel.lock);
    if (token > cancel.tokens) {
        pthread_mutex_unlock(&cancel.lock);
        free(one);
        return SIMPLUGIN_STALE_HANDLE;
    }
    fired = cancel.fired[token];
    one->number = *number = ++cancel.numbers;
    one->token = token;
    one->fn = fired ? NULL : fn;
    one->context = context;
    one->next = cancel.watches;
    cancel.watches = one;
    pthread_mutex_unlock(&cancel.lock);
    if (fired)
        fn(context);
    return SIMPLUGIN_OK;
}

static void cancel_unwatch(uint64_t number)
{
    watch *one, **at = &cancel.watches;

    if (!number)
        return;
    pthread_mutex_lock(&cancel.lock);
    one = watch_find(0, number);
    /* from within the watch itself there is nothing to wait for */
    while (one && one->running && !pthread_equal(one->thread, pthread_self()))
        pthread_cond_wait(&cancel.ended, &cancel.lock);
    while (*at && *at != one)
        at = &(*at)->next;
    if (one && *at) {
        *at = one->next;
        free(one);
    }
    pthread_mutex_unlock(&cancel.lock);
}

uint64_t conf_host_watches(void)
{
    uint64_t count = 0;

    pthread_mutex_lock(&cancel.lock);
    for (const watch *at = cancel.watches; at; at = at->next)
        count++;
    pthread_mutex_unlock(&cancel.lock);
    return count;
}

const simplugin_host conf_host = {
    .size = sizeof conf_host,
    .abi_min = SIMPLUGIN_ABI_VERSION,
    .abi_max = SIMPLUGIN_ABI_VERSION,
    .reply_alloc = reply_alloc,
    .error_set = error_set,
    .error_set_backend = error_set_backend,
    .error_set_retryable = error_set_retryable,
    .error_add_detail = error_add_detail,
    .log = log_line,
    .cancelled = is_cancelled,
    .cancel_watch = cancel_watch,
    .cancel_unwatch = cancel_unwatch,
    .progress = progress,
};
