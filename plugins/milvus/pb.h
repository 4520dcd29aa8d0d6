/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol Buffers' wire format, by hand: for messages that hold rows, where a generated
 * codec would build an object for each value. Every length is checked before it is used.
 */
#ifndef MILVUS_PB_H
#define MILVUS_PB_H

#include <string.h>

#include "buffer.h"

#define PB_VARINT 0u
#define PB_FIXED64 1u
#define PB_BYTES 2u
#define PB_FIXED32 5u

/* ---- writing, into a buffer whose failures stick --------------------------------------- */

static inline size_t pb_varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 128) {
        value >>= 7;
        size++;
    }
    return size;
}

/* Bytes of a field that holds size bytes. */
static inline size_t pb_field_size(uint32_t number, size_t size)
{
    return pb_varint_size((uint64_t)number << 3) + pb_varint_size(size) + size;
}

static inline uint8_t *pb_put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 128) {
        *at++ = (uint8_t)(value | 128);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

void pb_varint(sp_buffer *out, uint64_t value);
/* A number; 0 is the default and is left out. */
void pb_uint(sp_buffer *out, uint32_t number, uint64_t value);
/* The head of a field that holds size bytes, which follow. */
void pb_head(sp_buffer *out, uint32_t number, size_t size);
/* Bytes or text; empty ones are written too. */
void pb_bytes(sp_buffer *out, uint32_t number, const void *data, size_t size);
/* Zero-terminated text; NULL and "" are left out. */
void pb_text(sp_buffer *out, uint32_t number, const char *text);
/* A message whose length is known only at the end: begin, its fields, end. */
size_t pb_begin(sp_buffer *out, uint32_t number);
void pb_end(sp_buffer *out, size_t begin);

/* ---- reading --------------------------------------------------------------------------- */

typedef struct pb_reader {
    const uint8_t *at;
    const uint8_t *end;
    int failed; /* not what the format promises */
} pb_reader;

typedef struct pb_field {
    uint32_t number;
    uint32_t wire;
    uint64_t value;      /* of the number kinds */
    const uint8_t *data; /* of PB_BYTES */
    size_t size;
} pb_field;

/* data may be NULL where size is 0. */
static inline pb_reader pb_reader_of(const uint8_t *data, size_t size)
{
    pb_reader reader = {data, size ? data + size : data, 0};

    return reader;
}

/* 0 at the end, or where the bytes are not well-formed (then failed is set). */
int pb_next(pb_reader *reader, pb_field *field);
/* One varint of a packed field. */
int pb_next_varint(pb_reader *reader, uint64_t *value);

#endif
