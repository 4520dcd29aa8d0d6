/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of bytes whose failures stick: append at will, ask once at the end. */
#ifndef SP_BUFFER_H
#define SP_BUFFER_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    int failed; /* memory ran out; every later append does nothing */
} sp_buffer;

void sp_buffer_init(sp_buffer *buffer);
void sp_buffer_clear(sp_buffer *buffer);
void sp_buffer_append(sp_buffer *buffer, const void *data, size_t size);
void sp_buffer_append_text(sp_buffer *buffer, const char *text);
void sp_buffer_printf(sp_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for size more bytes at the end, counted in; NULL on failure. */
void *sp_buffer_extend(sp_buffer *buffer, size_t size);
/* The bytes, zero-terminated, malloc'd, the caller's from now on; NULL if it failed. */
char *sp_buffer_steal(sp_buffer *buffer, size_t *size);

#endif
