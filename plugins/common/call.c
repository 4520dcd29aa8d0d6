/* SPDX-License-Identifier: Apache-2.0 */
/* What every method does with its call: fail, look at the clock, take memory. */
#include "config.h"

#include "plug_call.h"

#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

#define MESSAGE_BYTES 700
#define NAME_BYTES 255

static void fail_v(plug_call *call, int32_t code, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    size_t size = call->name.size;

    if (size > NAME_BYTES)
        for (size = NAME_BYTES; size && (call->name.data[size] & 0xc0) == 0x80; size--)
            ; /* not inside a character */
    vsnprintf(message, sizeof message, format, args);
    if (call->name.data)
        plug_error(call->error, code, "collection \"%.*s\": %s", (int)size, call->name.data,
                   message);
    else
        plug_error(call->error, code, "%s", message);
}

int32_t plug_fail(plug_call *call, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, code, format, args);
    va_end(args);
    return code;
}

int32_t plug_fail_argument(plug_call *call, const char *argument, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, SIMPLUGIN_INVALID_ARGUMENT, format, args);
    va_end(args);
    plug_host->error_add_detail(call->error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t plug_no_memory(plug_call *call)
{
    return plug_error_no_memory(call->error);
}

int32_t plug_stops(const plug_call *call)
{
    if (call->info->cancel && plug_host->cancelled(call->info->cancel))
        return SIMPLUGIN_CANCELLED;
    if (call->info->deadline != INT64_MAX && sp_clock_now() >= call->info->deadline)
        return SIMPLUGIN_DEADLINE_EXCEEDED;
    return SIMPLUGIN_OK;
}

int32_t plug_check(plug_call *call)
{
    int32_t code = plug_stops(call);

    if (code)
        plug_fail(call, code, code == SIMPLUGIN_CANCELLED ? "the call was cancelled"
                                                          : "the call's timeout ran out");
    return code;
}

void *plug_scratch(plug_call *call, uint64_t count, uint64_t size)
{
    return sp_arena_array(&call->scratch, count, size);
}

void *plug_reply_array(plug_call *call, uint64_t count, uint64_t size)
{
    return size && count > UINT64_MAX / size ? NULL
                                             : plug_host->reply_alloc(call->reply, count * size);
}

void plug_write_array(plug_call *call, const char *key, uint32_t dtype, const void *data,
                      uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(dtype, data, count, 1);

    simplugin_write_string(&call->out, key);
    simplugin_write_tensor(&call->out, &tensor);
}

void plug_write_texts(simplugin_writer *out, const char *key, const char *const *texts,
                      uint64_t count)
{
    simplugin_write_string(out, key);
    simplugin_write_array(out, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_string(out, texts[i]);
}

int32_t plug_write_ids(plug_call *call, const sp_text *ids, uint64_t count)
{
    sp_column column = {.type = SP_TEXT, .count = count};
    int64_t *offsets = plug_reply_array(call, count + 1, sizeof *offsets);
    char *values;

    for (uint64_t i = 0; offsets && i < count; i++)
        offsets[i + 1] = offsets[i] + (int64_t)ids[i].size;
    values = offsets ? plug_reply_array(call, (uint64_t)offsets[count] + 1, 1) : NULL;
    if (!values)
        return plug_no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        if (ids[i].size)
            memcpy(values + offsets[i], ids[i].data, ids[i].size);
    column.offsets = offsets;
    column.values = values;
    simplugin_write_string(&call->out, "ids");
    simplugin_write_column(&call->out, &column);
    return SIMPLUGIN_OK;
}
