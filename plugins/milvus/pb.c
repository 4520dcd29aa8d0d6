/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pb.h"

#define VARINT_MAX 10
#define LENGTH_ROOM 5 /* bytes kept for a length that is not known yet: 35 bits */

void pb_varint(sp_buffer *out, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];

    sp_buffer_append(out, bytes, (size_t)(pb_put_varint(bytes, value) - bytes));
}

void pb_uint(sp_buffer *out, uint32_t number, uint64_t value)
{
    if (!value)
        return;
    pb_varint(out, (uint64_t)number << 3 | PB_VARINT);
    pb_varint(out, value);
}

void pb_head(sp_buffer *out, uint32_t number, size_t size)
{
    pb_varint(out, (uint64_t)number << 3 | PB_BYTES);
    pb_varint(out, size);
}

void pb_bytes(sp_buffer *out, uint32_t number, const void *data, size_t size)
{
    pb_head(out, number, size);
    if (size)
        sp_buffer_append(out, data, size);
}

void pb_text(sp_buffer *out, uint32_t number, const char *text)
{
    if (text && *text)
        pb_bytes(out, number, text, strlen(text));
}

size_t pb_begin(sp_buffer *out, uint32_t number)
{
    static const uint8_t room[LENGTH_ROOM];

    pb_varint(out, (uint64_t)number << 3 | PB_BYTES);
    sp_buffer_append(out, room, sizeof room);
    return out->size;
}

/* The length in all of its room: a varint may have bytes that add nothing. */
void pb_end(sp_buffer *out, size_t begin)
{
    uint64_t size = out->size - begin;

    if (out->failed)
        return;
    for (size_t i = 0; i < LENGTH_ROOM; i++) {
        out->data[begin - LENGTH_ROOM + i] = (uint8_t)((size & 127) | (i + 1 < LENGTH_ROOM ? 128 : 0));
        size >>= 7;
    }
    if (size)
        out->failed = 1;
}

int pb_next_varint(pb_reader *reader, uint64_t *value)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;

        if (shift == 63 && byte > 1)
            break;
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *value = number;
            return 1;
        }
    }
    reader->failed = 1;
    return 0;
}

static int fixed_next(pb_reader *reader, size_t size, uint64_t *value)
{
    *value = 0;
    if ((size_t)(reader->end - reader->at) < size) {
        reader->failed = 1;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += size;
    return 1;
}

int pb_next(pb_reader *reader, pb_field *field)
{
    uint64_t head;

    memset(field, 0, sizeof *field);
    if (reader->failed || reader->at >= reader->end || !pb_next_varint(reader, &head))
        return 0;
    field->number = (uint32_t)(head >> 3);
    field->wire = (uint32_t)(head & 7);
    if (head >> 32 || !field->number)
        reader->failed = 1;
    else if (field->wire == PB_VARINT)
        return pb_next_varint(reader, &field->value);
    else if (field->wire == PB_FIXED64)
        return fixed_next(reader, 8, &field->value);
    else if (field->wire == PB_FIXED32)
        return fixed_next(reader, 4, &field->value);
    else if (field->wire == PB_BYTES && pb_next_varint(reader, &field->value) &&
             field->value <= (uint64_t)(reader->end - reader->at)) {
        field->data = reader->at;
        field->size = (size_t)field->value;
        reader->at += field->size;
        return 1;
    } else {
        reader->failed = 1;
    }
    return 0;
}
