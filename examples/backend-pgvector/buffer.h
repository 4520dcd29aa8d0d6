/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow: SQL, the values bound to it, rows on their way to the server. A failure
 * sticks, so that it is asked about once, at the end. Numbers are big-endian, as PostgreSQL has
 * them on the wire.
 */
#ifndef PGV_BUFFER_H
#define PGV_BUFFER_H

#include <stddef.h>
#include <stdint.h>

typedef struct pgv_buffer {
    char *data;
    size_t size;
    size_t capacity;
    int failed; /* no memory; what is appended later is lost */
} pgv_buffer;

void pgv_buffer_clear(pgv_buffer *buffer);
void pgv_append(pgv_buffer *buffer, const void *data, size_t size);
void pgv_append_int16(pgv_buffer *buffer, int32_t value);
void pgv_append_int32(pgv_buffer *buffer, int64_t value);
void pgv_append_int64(pgv_buffer *buffer, int64_t value);
void pgv_append_double(pgv_buffer *buffer, double value);

/* The other way round; the bytes are there. */
int32_t pgv_read_int16(const char *at);
int32_t pgv_read_int32(const char *at);
int64_t pgv_read_int64(const char *at);
double pgv_read_double(const char *at);
float pgv_read_float(const char *at);

#endif
