/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

void pgv_buffer_clear(pgv_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

static int reserve(pgv_buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    char *data;

    if (buffer->failed || more > SIZE_MAX / 4 - buffer->size)
        buffer->failed = 1;
    if (buffer->failed || more <= buffer->capacity - buffer->size)
        return !buffer->failed;
    while (capacity - buffer->size < more)
        capacity *= 2;
    data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = 1;
        return 0;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 1;
}

void pgv_append(pgv_buffer *buffer, const void *data, size_t size)
{
    if (!size || !reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

static void append_number(pgv_buffer *buffer, uint64_t value, unsigned int bytes)
{
    unsigned char number[8];

    for (unsigned int i = 0; i < bytes; i++)
        number[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
    pgv_append(buffer, number, bytes);
}

void pgv_append_int16(pgv_buffer *buffer, int32_t value)
{
    append_number(buffer, (uint64_t)value, 2);
}

void pgv_append_int32(pgv_buffer *buffer, int64_t value)
{
    append_number(buffer, (uint64_t)value, 4);
}

void pgv_append_int64(pgv_buffer *buffer, int64_t value)
{
    append_number(buffer, (uint64_t)value, 8);
}

void pgv_append_double(pgv_buffer *buffer, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    append_number(buffer, bits, 8);
}

static uint64_t read_number(const char *at, unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

int32_t pgv_read_int16(const char *at) { return (int16_t)(uint16_t)read_number(at, 2); }

int32_t pgv_read_int32(const char *at) { return (int32_t)(uint32_t)read_number(at, 4); }

int64_t pgv_read_int64(const char *at) { return (int64_t)read_number(at, 8); }

double pgv_read_double(const char *at)
{
    uint64_t bits = read_number(at, 8);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

float pgv_read_float(const char *at)
{
    uint32_t bits = (uint32_t)read_number(at, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}
