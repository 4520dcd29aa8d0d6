/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define MESSAGE_BYTES 1024

const simplugin_host *pgv_host;

static void fail_v(pgv_call *call, int32_t code, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    size_t used = 0, size;

    if (call->collection)
        used =
            (size_t)snprintf(message, sizeof message, "collection \"%.255s\": ", call->collection);
    vsnprintf(message + used, sizeof message - used, format, args);
    size = strlen(message);
    while (size && !simplugin_utf8_check((const uint8_t *)message, size))
        size--; /* it was cut inside of a character */
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)message[i] < ' ')
            message[i] = ' ';
    pgv_host->error_set(call->error, code, message, size);
}

int32_t pgv_fail(pgv_call *call, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, code, format, args);
    va_end(args);
    return code;
}

int32_t pgv_fail_argument(pgv_call *call, const char *argument, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(call, SIMPLUGIN_INVALID_ARGUMENT, format, args);
    va_end(args);
    pgv_host->error_add_detail(call->error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t pgv_no_memory(pgv_call *call)
{
    return pgv_fail(call, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
}

int64_t pgv_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int32_t pgv_check(pgv_call *call)
{
    if (call->info->cancel && pgv_host->cancelled(call->info->cancel))
        return pgv_fail(call, SIMPLUGIN_CANCELLED, "the call was cancelled");
    if (call->info->deadline != INT64_MAX && pgv_now() >= call->info->deadline)
        return pgv_fail(call, SIMPLUGIN_DEADLINE_EXCEEDED, "the call's timeout ran out");
    return SIMPLUGIN_OK;
}

/* ---- memory --------------------------------------------------------------------------------- */

typedef struct pgv_block {
    struct pgv_block *next;
    max_align_t data[];
} pgv_block;

void *pgv_take(pgv_call *call, uint64_t count, uint64_t size)
{
    pgv_block *block;

    if (size && count > (SIZE_MAX - sizeof *block - 1) / size)
        return NULL;
    block = calloc(1, sizeof *block + (size_t)(count * size) + 1);
    if (!block)
        return NULL;
    block->next = call->scratch;
    call->scratch = block;
    return block->data;
}

char *pgv_take_text(pgv_call *call, const void *data, uint64_t size)
{
    char *copy = pgv_take(call, size + 1, 1);

    if (copy && size)
        memcpy(copy, data, (size_t)size);
    return copy;
}

void pgv_scratch_free(pgv_call *call)
{
    while (call->scratch) {
        pgv_block *block = call->scratch;

        call->scratch = block->next;
        free(block);
    }
}

/* ---- the reply ------------------------------------------------------------------------------ */

void *pgv_reply_memory(pgv_call *call, uint64_t count, uint64_t size)
{
    if (size && count >= UINT64_MAX / size)
        return NULL;
    return pgv_host->reply_alloc(call->reply, count * size + 1);
}

void pgv_write_numbers(pgv_call *call, const char *key, uint32_t dtype, const void *data,
                       uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(dtype, data, count, 1);

    simplugin_write_string(&call->out, key);
    simplugin_write_tensor(&call->out, &tensor);
}

void pgv_write_count(pgv_call *call, const char *key, uint64_t count)
{
    simplugin_write_string(&call->out, key);
    simplugin_write_uint(&call->out, count);
}
