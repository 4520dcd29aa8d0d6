/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sp_buffer_init(sp_buffer *buffer)
{
    memset(buffer, 0, sizeof *buffer);
}

void sp_buffer_clear(sp_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

/* One byte is always kept free for the zero that steal puts at the end. */
void *sp_buffer_extend(sp_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    uint8_t *data;

    if (buffer->failed)
        return NULL;
    if (size > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4) {
        buffer->failed = 1;
        return NULL;
    }
    while (capacity < buffer->size + size + 1)
        capacity *= 2;
    if (capacity != buffer->capacity) {
        data = realloc(buffer->data, capacity);
        if (!data) {
            buffer->failed = 1;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    data = buffer->data + buffer->size;
    buffer->size += size;
    return data;
}

void sp_buffer_append(sp_buffer *buffer, const void *data, size_t size)
{
    void *at = sp_buffer_extend(buffer, size);

    if (at && size)
        memcpy(at, data, size);
}

void sp_buffer_append_text(sp_buffer *buffer, const char *text)
{
    sp_buffer_append(buffer, text, strlen(text));
}

void sp_buffer_printf(sp_buffer *buffer, const char *format, ...)
{
    char text[512];
    char *at = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0) {
        buffer->failed = 1;
    } else if ((size_t)size < sizeof text) {
        sp_buffer_append(buffer, text, (size_t)size);
    } else if ((at = sp_buffer_extend(buffer, (size_t)size + 1))) {
        va_start(args, format);
        vsnprintf(at, (size_t)size + 1, format, args);
        va_end(args);
        buffer->size--;
    }
}

char *sp_buffer_steal(sp_buffer *buffer, size_t *size)
{
    char *data = NULL;

    sp_buffer_extend(buffer, 0);
    if (!buffer->failed) {
        data = (char *)buffer->data;
        data[buffer->size] = '\0';
        if (size)
            *size = buffer->size;
        buffer->data = NULL;
    }
    sp_buffer_clear(buffer);
    return data;
}
