/* SPDX-License-Identifier: Apache-2.0 */
/* What every method does with its call: fail, look at the clock, take memory. */
#include "config.h"

#include "call.h"

#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

#define MESSAGE_BYTES 700
#define NAME_BYTES 255

static void fail_v(flat_call *call, int32_t code, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    size_t size = call->name.size;

    if (size > NAME_BYTES)
        for (size = NAME_BYTES; size && (call->name.data[size] & 0xc0) == 0x80; size--)
            ; /* not inside a character */
    vsnprintf(message, sizeof message, format, args);
    if (call->name.data)
        flat_error(call->error, code, "collection \"%.*s\": %s", (int)size, call->name.data,
                   message);
    else
        flat_error(call->error, code, "%s", message);
}

int32_t flat_fail(flat_call *call, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, code, format, args);
    va_end(args);
    return code;
}

int32_t flat_fail_argument(flat_call *call, const char *argument, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, SIMPLUGIN_INVALID_ARGUMENT, format, args);
    va_end(args);
    flat_host->error_add_detail(call->error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t flat_no_memory(flat_call *call)
{
    return flat_error_no_memory(call->error);
}

int32_t flat_call_stops(const flat_call *call)
{
    if (call->wait.cancel && flat_host->cancelled(call->wait.cancel))
        return SIMPLUGIN_CANCELLED;
    if (call->wait.deadline != SP_NO_DEADLINE && sp_clock_now() >= call->wait.deadline)
        return SIMPLUGIN_DEADLINE_EXCEEDED;
    return SIMPLUGIN_OK;
}

int32_t flat_call_check(flat_call *call)
{
    int32_t code = flat_call_stops(call);

    if (code)
        flat_fail(call, code, code == SIMPLUGIN_CANCELLED ? "the call was cancelled"
                                                          : "the call's timeout ran out");
    return code;
}

void *flat_scratch(flat_call *call, uint64_t count, uint64_t size)
{
    return sp_arena_array(&call->scratch, count, size);
}

void *flat_reply_array(flat_call *call, uint64_t count, uint64_t size)
{
    return size && count > UINT64_MAX / size ? NULL
                                             : flat_host->reply_alloc(call->reply, count * size);
}
