/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <string.h>

#include "abi.h"
#include "cancel.h"
#include "error_access.h"
#include "log.h"
#include "simplugin.h"

static void *host_reply_alloc(simplugin_reply *reply, uint64_t bytes)
{
    return reply ? sp_arena_alloc(sp_reply_arena(reply), bytes) : NULL;
}

static int32_t host_error_set(simplugin_error **error, int32_t code, const char *message,
                              uint64_t message_size)
{
    return sp_error_set_text(error, code, "backend", message ? message : "",
                             message ? (size_t)message_size : 0);
}

static void host_error_set_backend(simplugin_error **error, int64_t code, const char *message,
                                   uint64_t size)
{
    sp_error_set_backend(error, code, message, (size_t)size);
}

static void host_error_add_detail(simplugin_error **error, const char *key, uint64_t key_size,
                                  const char *value, uint64_t value_size)
{
    if (key && value)
        sp_error_add_detail_text(error, key, (size_t)key_size, value, (size_t)value_size);
}

static void host_log(int32_t level, const char *message, uint64_t size)
{
    if (message)
        sp_log_text(level, message, (size_t)size);
}

/* The number a plugin hands back is the address of the caller's sp_progress. */
static void host_progress(uint64_t progress, uint64_t done, uint64_t total)
{
    const sp_progress *listener = (const sp_progress *)(uintptr_t)progress;

    if (listener && pthread_equal(listener->thread, pthread_self()))
        listener->fn(listener->context, done, total);
}

const simplugin_host sp_host = {
    .size = sizeof(simplugin_host),
    .abi_min = SIMPLUGIN_ABI_1_0,
    .abi_max = SIMPLUGIN_ABI_VERSION,
    .reply_alloc = host_reply_alloc,
    .error_set = host_error_set,
    .error_set_backend = host_error_set_backend,
    .error_set_retryable = sp_error_set_retryable,
    .error_add_detail = host_error_add_detail,
    .log = host_log,
    .cancelled = sp_cancelled,
    .cancel_watch = sp_cancel_watch,
    .cancel_unwatch = sp_cancel_unwatch,
    .progress = host_progress,
};

void simplugin_reply_clear(simplugin_reply *reply)
{
    if (!reply)
        return;
    sp_arena_free(sp_reply_arena(reply));
    sp_struct_zero(reply, SP_REPLY_LEAST, sizeof *reply);
}
