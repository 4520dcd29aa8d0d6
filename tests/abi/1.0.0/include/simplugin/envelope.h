/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simplugin/envelope.h - reading and writing bodies and tensors.
 *
 * Everything here is static inline: a backend that includes it links nothing of ours.
 *
 *   simplugin_writer   builds a MessagePack body and its list of tensors; failures stick,
 *                      one check at the end
 *   simplugin_value    a view of one encoded value; nothing is copied or allocated
 *   simplugin_column   a column of text, numbers or lists, as views of tensors
 *
 * A request that reaches a backend has been checked with simplugin_check_request: it is
 * one well-formed map with text keys, not deeper than SIMPLUGIN_MAX_DEPTH, all text is
 * UTF-8, every tensor index exists and every tensor is sane. The readers check bounds
 * all the same, so a body from elsewhere is safe to read as well.
 */
#ifndef SIMPLUGIN_ENVELOPE_H
#define SIMPLUGIN_ENVELOPE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simplugin/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tensors ---------------------------------------------------------------------- */

/* Bytes of one element, 0 for SIMPLUGIN_BITS and unknown types. */
static inline uint64_t simplugin_dtype_size(uint32_t dtype)
{
    switch (dtype) {
    case SIMPLUGIN_FLOAT64: case SIMPLUGIN_INT64: case SIMPLUGIN_UINT64: return 8;
    case SIMPLUGIN_FLOAT32: case SIMPLUGIN_INT32: return 4;
    case SIMPLUGIN_FLOAT16: return 2;
    case SIMPLUGIN_UINT8: return 1;
    default: return 0;
    }
}

/* Bytes of one row of a tensor, UINT64_MAX where that overflows or the type is unknown. */
static inline uint64_t simplugin_tensor_row_bytes(const simplugin_tensor *tensor)
{
    uint64_t size = simplugin_dtype_size(tensor->dtype);

    if (tensor->dtype == SIMPLUGIN_BITS)
        return tensor->cols / 8 + (tensor->cols % 8 != 0);
    if (size == 0 || tensor->cols > UINT64_MAX / 2 / size)
        return UINT64_MAX;
    return tensor->cols * size;
}

/* Bytes from one row to the next. Only for tensors that passed simplugin_tensor_check. */
static inline uint64_t simplugin_tensor_stride(const simplugin_tensor *tensor)
{
    return tensor->row_stride ? tensor->row_stride : simplugin_tensor_row_bytes(tensor);
}

/* NULL if the tensor is sane, else what is wrong with it, a static text. */
static inline const char *simplugin_tensor_check(const simplugin_tensor *tensor)
{
    uint64_t row = simplugin_tensor_row_bytes(tensor);
    uint64_t stride = tensor->row_stride ? tensor->row_stride : row;
    uint64_t item = simplugin_dtype_size(tensor->dtype);

    if (item == 0 && tensor->dtype != SIMPLUGIN_BITS)
        return "unknown dtype";
    if (tensor->reserved0 || tensor->reserved[0] || tensor->reserved[1] || tensor->reserved[2])
        return "a reserved field is not zero";
    if (row == UINT64_MAX)
        return "cols overflow";
    if (tensor->rows && stride > (UINT64_C(1) << 62) / tensor->rows)
        return "rows times row_stride overflow";
    if (tensor->rows > 1 && stride < row)
        return "row_stride is smaller than a row";
    if (item > 1 && stride % item)
        return "row_stride is not a multiple of the element size";
    if (tensor->rows && row && !tensor->data)
        return "data is NULL";
    if (item > 1 && (uintptr_t)tensor->data % item)
        return "data is not aligned to its elements";
    return NULL;
}

/* A tensor whose rows follow each other. */
static inline simplugin_tensor simplugin_tensor_of(uint32_t dtype, const void *data, uint64_t rows,
                                                   uint64_t cols)
{
    simplugin_tensor tensor;

    memset(&tensor, 0, sizeof tensor);
    tensor.dtype = dtype;
    tensor.data = data;
    tensor.rows = rows;
    tensor.cols = cols;
    return tensor;
}

/* ---- writing ---------------------------------------------------------------------- */

typedef struct simplugin_writer {
    uint8_t *data;
    uint64_t size;
    uint64_t capacity;
    simplugin_tensor *tensors;
    uint64_t tensor_count;
    uint64_t tensor_capacity;
    int32_t failed; /* memory ran out or a limit was passed; later writes do nothing */
} simplugin_writer;

static inline void simplugin_writer_init(simplugin_writer *writer)
{
    memset(writer, 0, sizeof *writer);
}

static inline void simplugin_writer_clear(simplugin_writer *writer)
{
    free(writer->data);
    free(writer->tensors);
    memset(writer, 0, sizeof *writer);
}

/* Forgets what was written and keeps the memory. */
static inline void simplugin_writer_reset(simplugin_writer *writer)
{
    writer->size = 0;
    writer->tensor_count = 0;
    writer->failed = 0;
}

/* size writable bytes at the end, already counted in; NULL on failure. */
static inline uint8_t *simplugin_writer_extend(simplugin_writer *writer, uint64_t size)
{
    uint64_t capacity = writer->capacity ? writer->capacity : 256;
    uint8_t *data = writer->data;

    if (writer->failed)
        return NULL;
    if (size > SIMPLUGIN_MAX_BODY || writer->size > SIMPLUGIN_MAX_BODY - size) {
        writer->failed = 1;
        return NULL;
    }
    while (capacity < writer->size + size)
        capacity *= 2;
    if (capacity != writer->capacity) {
        data = (uint8_t *)realloc(writer->data, (size_t)capacity);
        if (!data) {
            writer->failed = 1;
            return NULL;
        }
        writer->data = data;
        writer->capacity = capacity;
    }
    data += writer->size;
    writer->size += size;
    return data;
}

/* A head byte and a big-endian number of `bytes` bytes. */
static inline void simplugin_write_head(simplugin_writer *writer, uint8_t head, uint64_t number,
                                        uint32_t bytes)
{
    uint8_t *at = simplugin_writer_extend(writer, 1 + (uint64_t)bytes);

    if (!at)
        return;
    *at++ = head;
    while (bytes--)
        *at++ = (uint8_t)(number >> (8 * bytes));
}

/* Already encoded bytes: one value, or part of one. */
static inline void simplugin_write_raw(simplugin_writer *writer, const void *data, uint64_t size)
{
    uint8_t *at = size ? simplugin_writer_extend(writer, size) : NULL;

    if (at)
        memcpy(at, data, (size_t)size);
}

static inline void simplugin_write_nil(simplugin_writer *writer)
{
    simplugin_write_head(writer, 0xc0, 0, 0);
}

static inline void simplugin_write_bool(simplugin_writer *writer, int value)
{
    simplugin_write_head(writer, value ? 0xc3 : 0xc2, 0, 0);
}

static inline void simplugin_write_uint(simplugin_writer *writer, uint64_t value)
{
    if (value < 128)
        simplugin_write_head(writer, (uint8_t)value, 0, 0);
    else if (value <= UINT8_MAX)
        simplugin_write_head(writer, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        simplugin_write_head(writer, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        simplugin_write_head(writer, 0xce, value, 4);
    else
        simplugin_write_head(writer, 0xcf, value, 8);
}

static inline void simplugin_write_int(simplugin_writer *writer, int64_t value)
{
    if (value >= 0)
        simplugin_write_uint(writer, (uint64_t)value);
    else if (value >= -32)
        simplugin_write_head(writer, (uint8_t)value, 0, 0);
    else if (value >= INT8_MIN)
        simplugin_write_head(writer, 0xd0, (uint64_t)value, 1);
    else if (value >= INT16_MIN)
        simplugin_write_head(writer, 0xd1, (uint64_t)value, 2);
    else if (value >= INT32_MIN)
        simplugin_write_head(writer, 0xd2, (uint64_t)value, 4);
    else
        simplugin_write_head(writer, 0xd3, (uint64_t)value, 8);
}

static inline void simplugin_write_double(simplugin_writer *writer, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    simplugin_write_head(writer, 0xcb, bits, 8);
}

static inline void simplugin_write_text(simplugin_writer *writer, const char *text, uint64_t size)
{
    if (size < 32)
        simplugin_write_head(writer, (uint8_t)(0xa0 | size), 0, 0);
    else if (size <= UINT8_MAX)
        simplugin_write_head(writer, 0xd9, size, 1);
    else if (size <= UINT16_MAX)
        simplugin_write_head(writer, 0xda, size, 2);
    else
        simplugin_write_head(writer, 0xdb, size, 4);
    simplugin_write_raw(writer, text, size);
}

/* Zero-terminated text; NULL becomes nil. */
static inline void simplugin_write_string(simplugin_writer *writer, const char *text)
{
    if (text)
        simplugin_write_text(writer, text, strlen(text));
    else
        simplugin_write_nil(writer);
}

static inline void simplugin_write_bytes(simplugin_writer *writer, const void *data, uint64_t size)
{
    if (size <= UINT8_MAX)
        simplugin_write_head(writer, 0xc4, size, 1);
    else if (size <= UINT16_MAX)
        simplugin_write_head(writer, 0xc5, size, 2);
    else
        simplugin_write_head(writer, 0xc6, size, 4);
    simplugin_write_raw(writer, data, size);
}

static inline void simplugin_write_array(simplugin_writer *writer, uint64_t count)
{
    if (count < 16)
        simplugin_write_head(writer, (uint8_t)(0x90 | count), 0, 0);
    else if (count <= UINT16_MAX)
        simplugin_write_head(writer, 0xdc, count, 2);
    else
        simplugin_write_head(writer, 0xdd, count, 4);
}

/* A map of count pairs: a key, then a value, count times. */
static inline void simplugin_write_map(simplugin_writer *writer, uint64_t count)
{
    if (count < 16)
        simplugin_write_head(writer, (uint8_t)(0x80 | count), 0, 0);
    else if (count <= UINT16_MAX)
        simplugin_write_head(writer, 0xde, count, 2);
    else
        simplugin_write_head(writer, 0xdf, count, 4);
}

/*
 * A map or array whose count is known only at the end: begin returns a position that end
 * takes with the count.
 */
static inline uint64_t simplugin_write_map_begin(simplugin_writer *writer)
{
    uint64_t position = writer->size;

    simplugin_write_head(writer, 0xdf, 0, 4);
    return position;
}

static inline uint64_t simplugin_write_array_begin(simplugin_writer *writer)
{
    uint64_t position = writer->size;

    simplugin_write_head(writer, 0xdd, 0, 4);
    return position;
}

static inline void simplugin_write_end(simplugin_writer *writer, uint64_t position, uint64_t count)
{
    if (writer->failed)
        return;
    for (int i = 0; i < 4; i++)
        writer->data[position + 1 + (uint64_t)i] = (uint8_t)(count >> (8 * (3 - i)));
}

/* A reference to a tensor, which joins the writer's list. Its data is not copied. */
static inline void simplugin_write_tensor(simplugin_writer *writer, const simplugin_tensor *tensor)
{
    uint64_t capacity = writer->tensor_capacity ? writer->tensor_capacity * 2 : 8;
    uint64_t number = SIMPLUGIN_EXT_TENSOR;
    simplugin_tensor *tensors;

    if (writer->failed)
        return;
    if (writer->tensor_count >= SIMPLUGIN_MAX_TENSORS) {
        writer->failed = 1;
        return;
    }
    if (writer->tensor_count == writer->tensor_capacity) {
        tensors = (simplugin_tensor *)realloc(writer->tensors, (size_t)capacity * sizeof *tensors);
        if (!tensors) {
            writer->failed = 1;
            return;
        }
        writer->tensors = tensors;
        writer->tensor_capacity = capacity;
    }
    number = number << 32 | writer->tensor_count;
    writer->tensors[writer->tensor_count++] = *tensor;
    simplugin_write_head(writer, 0xd6, number, 5);
}

/* A request that borrows what was written, until the writer changes. */
static inline simplugin_request simplugin_writer_request(const simplugin_writer *writer)
{
    simplugin_request request;

    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.body = writer->data;
    request.body_size = writer->size;
    request.tensors = writer->tensors;
    request.tensor_count = writer->tensor_count;
    return request;
}

/*
 * Puts body and list of tensors into a reply. The tensors' data must already be in
 * memory of the reply (host->reply_alloc). OUT_OF_MEMORY or SIMPLUGIN_OK.
 */
static inline int32_t simplugin_writer_reply(const simplugin_writer *writer,
                                             const simplugin_host *host, simplugin_reply *reply)
{
    uint64_t bytes = writer->tensor_count * sizeof(simplugin_tensor);
    uint8_t *memory;

    if (writer->failed)
        return SIMPLUGIN_OUT_OF_MEMORY;
    memory = (uint8_t *)host->reply_alloc(reply, bytes + writer->size + 1);
    if (!memory)
        return SIMPLUGIN_OUT_OF_MEMORY;
    if (bytes)
        memcpy(memory, writer->tensors, (size_t)bytes);
    if (writer->size)
        memcpy(memory + bytes, writer->data, (size_t)writer->size);
    reply->tensors = (const simplugin_tensor *)(const void *)memory;
    reply->tensor_count = writer->tensor_count;
    reply->body = memory + bytes;
    reply->body_size = writer->size;
    return SIMPLUGIN_OK;
}

/* ---- reading ---------------------------------------------------------------------- */

#define SIMPLUGIN_NIL UINT32_C(1)
#define SIMPLUGIN_BOOL UINT32_C(2)
#define SIMPLUGIN_INT UINT32_C(3)    /* fits int64: .i */
#define SIMPLUGIN_UINT UINT32_C(4)   /* above INT64_MAX: .u */
#define SIMPLUGIN_DOUBLE UINT32_C(5)
#define SIMPLUGIN_TEXT UINT32_C(6)
#define SIMPLUGIN_BYTES UINT32_C(7)
#define SIMPLUGIN_ARRAY UINT32_C(8)
#define SIMPLUGIN_MAP UINT32_C(9)
#define SIMPLUGIN_TENSOR UINT32_C(10) /* .u is the index */
#define SIMPLUGIN_EXT UINT32_C(11)    /* any other extension */

typedef struct simplugin_value {
    uint32_t type;       /* 0: there is none */
    union {
        int64_t i;       /* BOOL (0 or 1), INT */
        uint64_t u;      /* UINT, TENSOR */
        double d;        /* DOUBLE */
    } as;
    const uint8_t *data; /* text and bytes; of an array or map its first element */
    uint64_t size;       /* bytes of text and bytes; elements of an array, pairs of a map */
    const uint8_t *end;  /* nothing of the body lies behind it */
} simplugin_value;

/*
 * Reads the head of the value at *at and moves *at behind it (into an array or map, whose
 * elements follow). 0 if there is no whole one before end.
 */
static inline int simplugin_read(const uint8_t **at, const uint8_t *end, simplugin_value *value)
{
    const uint8_t *p = *at;
    uint64_t number = 0;
    uint32_t bytes = 0;
    uint8_t head;
    float f;
    uint32_t bits;

    memset(value, 0, sizeof *value);
    if (p >= end)
        return 0;
    head = *p++;
    value->end = end;
    if (head >= 0xc4 && head <= 0xdf) {
        /* how many bytes of number follow each head from 0xc4 on */
        static const uint8_t widths[] = {1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2,
                                         4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4};

        bytes = widths[head - 0xc4];
    }
    if ((uint64_t)(end - p) < bytes)
        return 0;
    for (uint32_t i = 0; i < bytes; i++)
        number = number << 8 | *p++;
    if (head < 0x80) {
        value->type = SIMPLUGIN_INT;
        value->as.i = head;
    } else if (head < 0x90 || head == 0xde || head == 0xdf) {
        value->type = SIMPLUGIN_MAP;
        value->size = head < 0x90 ? head & 15 : number;
        /* each pair takes two bytes at least: a count that cannot be true is refused here */
        if (value->size > (uint64_t)(end - p) / 2)
            return 0;
    } else if (head < 0xa0 || head == 0xdc || head == 0xdd) {
        value->type = SIMPLUGIN_ARRAY;
        value->size = head < 0xa0 ? head & 15 : number;
        if (value->size > (uint64_t)(end - p))
            return 0;
    } else if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb)) {
        value->type = SIMPLUGIN_TEXT;
        value->size = head < 0xc0 ? head & 31 : number;
    } else if (head >= 0xe0) {
        value->type = SIMPLUGIN_INT;
        value->as.i = (int8_t)head;
    } else {
        switch (head) {
        case 0xc0: value->type = SIMPLUGIN_NIL; break;
        case 0xc2: case 0xc3:
            value->type = SIMPLUGIN_BOOL;
            value->as.i = head == 0xc3;
            break;
        case 0xc4: case 0xc5: case 0xc6:
            value->type = SIMPLUGIN_BYTES;
            value->size = number;
            break;
        case 0xca:
            value->type = SIMPLUGIN_DOUBLE;
            bits = (uint32_t)number;
            memcpy(&f, &bits, sizeof f);
            value->as.d = (double)f;
            break;
        case 0xcb:
            value->type = SIMPLUGIN_DOUBLE;
            memcpy(&value->as.d, &number, sizeof number);
            break;
        case 0xcc: case 0xcd: case 0xce: case 0xcf:
            if (number > INT64_MAX) {
                value->type = SIMPLUGIN_UINT;
                value->as.u = number;
            } else {
                value->type = SIMPLUGIN_INT;
                value->as.i = (int64_t)number;
            }
            break;
        case 0xd0: value->type = SIMPLUGIN_INT; value->as.i = (int8_t)(uint8_t)number; break;
        case 0xd1: value->type = SIMPLUGIN_INT; value->as.i = (int16_t)(uint16_t)number; break;
        case 0xd2: value->type = SIMPLUGIN_INT; value->as.i = (int32_t)(uint32_t)number; break;
        case 0xd3: value->type = SIMPLUGIN_INT; value->as.i = (int64_t)number; break;
        case 0xc7: case 0xc8: case 0xc9:
        case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
            value->type = SIMPLUGIN_EXT;
            value->size = head < 0xd0 ? number : UINT64_C(1) << (head - 0xd4);
            if (p >= end)
                return 0;
            value->as.i = (int8_t)*p++;
            if (value->as.i == SIMPLUGIN_EXT_TENSOR && value->size == 4 && end - p >= 4) {
                value->type = SIMPLUGIN_TENSOR;
                value->as.u = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 |
                              p[3];
            }
            break;
        default: return 0;
        }
    }
    value->data = p;
    if (value->type == SIMPLUGIN_TEXT || value->type == SIMPLUGIN_BYTES ||
        value->type == SIMPLUGIN_EXT || value->type == SIMPLUGIN_TENSOR) {
        if (value->size > (uint64_t)(end - p))
            return 0;
        p += value->size;
    }
    *at = p;
    return 1;
}

/* Moves *at behind the whole value there, whatever is in it. 0 if it is cut or too deep. */
static inline int simplugin_skip(const uint8_t **at, const uint8_t *end)
{
    uint64_t left[SIMPLUGIN_MAX_DEPTH];
    uint32_t depth = 0;
    simplugin_value value;

    for (;;) {
        if (!simplugin_read(at, end, &value))
            return 0;
        if ((value.type == SIMPLUGIN_ARRAY || value.type == SIMPLUGIN_MAP) && value.size) {
            if (depth == SIMPLUGIN_MAX_DEPTH)
                return 0;
            left[depth++] = value.type == SIMPLUGIN_MAP ? value.size * 2 : value.size;
            continue;
        }
        while (depth && --left[depth - 1] == 0)
            depth--;
        if (!depth)
            return 1;
    }
}

/* The map that a body is; type 0 if it is none. An empty body is an empty map. */
static inline simplugin_value simplugin_body_value(const uint8_t *body, uint64_t size)
{
    simplugin_value value;
    const uint8_t *at = body;

    memset(&value, 0, sizeof value);
    if (!body || !size) {
        value.type = SIMPLUGIN_MAP;
        return value;
    }
    if (!simplugin_read(&at, body + size, &value) || value.type != SIMPLUGIN_MAP)
        value.type = 0;
    return value;
}

/* Walks an array (one call an element) or a map (a call for a key, one for its value). */
typedef struct simplugin_iter {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t left;
} simplugin_iter;

static inline simplugin_iter simplugin_iterate(const simplugin_value *container)
{
    simplugin_iter iter;

    memset(&iter, 0, sizeof iter);
    if (container->type == SIMPLUGIN_ARRAY || container->type == SIMPLUGIN_MAP) {
        iter.at = container->data;
        iter.end = container->end;
        iter.left = container->type == SIMPLUGIN_MAP ? container->size * 2 : container->size;
    }
    return iter;
}

static inline int simplugin_next(simplugin_iter *iter, simplugin_value *value)
{
    const uint8_t *skip = iter->at;

    if (!iter->left || !simplugin_read(&iter->at, iter->end, value) ||
        !simplugin_skip(&skip, iter->end)) {
        memset(value, 0, sizeof *value);
        iter->left = 0;
        return 0;
    }
    iter->at = skip;
    iter->left--;
    return 1;
}

static inline int simplugin_value_is(const simplugin_value *value, const char *text)
{
    return value->type == SIMPLUGIN_TEXT && value->size == strlen(text) &&
           (value->size == 0 || memcmp(value->data, text, (size_t)value->size) == 0);
}

/* The value of a key of a map; 0 and type 0 if the key is absent or its value nil. */
static inline int simplugin_find(const simplugin_value *map, const char *key,
                                 simplugin_value *value)
{
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value name;

    while (map->type == SIMPLUGIN_MAP && simplugin_next(&iter, &name)) {
        if (!simplugin_next(&iter, value))
            break;
        if (simplugin_value_is(&name, key) && value->type != SIMPLUGIN_NIL)
            return 1;
    }
    memset(value, 0, sizeof *value);
    return 0;
}

/*
 * Short forms of simplugin_find: 1 and the value, 0 if absent, -1 if of another type (or
 * out of range).
 */
static inline int simplugin_find_text(const simplugin_value *map, const char *key,
                                      const char **text, uint64_t *size)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        return 0;
    if (value.type != SIMPLUGIN_TEXT)
        return -1;
    *text = (const char *)value.data;
    *size = value.size;
    return 1;
}

static inline int simplugin_find_int(const simplugin_value *map, const char *key, int64_t *number)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        return 0;
    if (value.type != SIMPLUGIN_INT)
        return -1;
    *number = value.as.i;
    return 1;
}

static inline int simplugin_find_bool(const simplugin_value *map, const char *key, int *flag)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        return 0;
    if (value.type != SIMPLUGIN_BOOL)
        return -1;
    *flag = (int)value.as.i;
    return 1;
}

/* A finite number, written as an integer or a float. */
static inline int simplugin_find_double(const simplugin_value *map, const char *key,
                                        double *number)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        return 0;
    if (value.type == SIMPLUGIN_INT)
        *number = (double)value.as.i;
    else if (value.type == SIMPLUGIN_DOUBLE && isfinite(value.as.d))
        *number = value.as.d;
    else
        return -1;
    return 1;
}

static inline int simplugin_find_tensor(const simplugin_value *map, const char *key,
                                        const simplugin_tensor *tensors, uint64_t tensor_count,
                                        const simplugin_tensor **tensor)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        return 0;
    if (value.type != SIMPLUGIN_TENSOR || value.as.u >= tensor_count)
        return -1;
    *tensor = &tensors[value.as.u];
    return 1;
}

/* 1 if the bytes are UTF-8 as RFC 3629 has it: no surrogates, nothing overlong. */
static inline int simplugin_utf8_check(const uint8_t *data, uint64_t size)
{
    uint64_t i = 0;

    while (i < size) {
        uint8_t c = data[i++];
        uint32_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

        if (more && (c < 0xc2 || c > 0xf4 || size - i < more))
            return 0;
        for (; more; more--, i++, low = 0x80, high = 0xbf)
            if (data[i] < low || data[i] > high)
                return 0;
    }
    return 1;
}

/*
 * NULL if a body with its tensors is what this header promises, else what is wrong, a
 * static text. Reads every byte once.
 */
static inline const char *simplugin_check_body(const uint8_t *body, uint64_t size,
                                               const simplugin_tensor *tensors,
                                               uint64_t tensor_count)
{
    uint64_t left[SIMPLUGIN_MAX_DEPTH];
    uint8_t in_map[SIMPLUGIN_MAX_DEPTH];
    uint32_t depth = 0;
    const uint8_t *at = body;
    const uint8_t *end;
    simplugin_value value;

    if (size > SIMPLUGIN_MAX_BODY)
        return "the body is larger than 1 GiB";
    if (tensor_count > SIMPLUGIN_MAX_TENSORS)
        return "more than 1024 tensors";
    if ((size && !body) || (tensor_count && !tensors))
        return "a pointer is NULL where its count is not 0";
    for (uint64_t i = 0; i < tensor_count; i++) {
        const char *wrong = simplugin_tensor_check(&tensors[i]);
        if (wrong)
            return wrong;
    }
    if (!size)
        return NULL;
    end = body + size;
    do {
        int is_key = depth && in_map[depth - 1] && left[depth - 1] % 2 == 0;

        if (!simplugin_read(&at, end, &value))
            return "not well-formed MessagePack";
        if (!depth && value.type != SIMPLUGIN_MAP)
            return "the body is not a map";
        if (is_key && value.type != SIMPLUGIN_TEXT)
            return "a map key is not text";
        if (value.type == SIMPLUGIN_TEXT && !simplugin_utf8_check(value.data, value.size))
            return "text is not UTF-8";
        if (value.type == SIMPLUGIN_TENSOR && value.as.u >= tensor_count)
            return "a tensor index is out of range";
        if (value.type == SIMPLUGIN_EXT)
            return "an unknown extension type";
        if ((value.type == SIMPLUGIN_ARRAY || value.type == SIMPLUGIN_MAP) &&
            (value.size || !depth)) {
            if (depth == SIMPLUGIN_MAX_DEPTH)
                return "nested deeper than 32";
            if (!value.size)
                break;
            in_map[depth] = value.type == SIMPLUGIN_MAP;
            left[depth++] = value.type == SIMPLUGIN_MAP ? value.size * 2 : value.size;
            continue;
        }
        while (depth && --left[depth - 1] == 0)
            depth--;
    } while (depth);
    return at == end ? NULL : "bytes behind the map";
}

static inline const char *simplugin_check_request(const simplugin_request *request)
{
    return simplugin_check_body(request->body, request->body_size, request->tensors,
                                request->tensor_count);
}

static inline const char *simplugin_check_reply(const simplugin_reply *reply)
{
    return simplugin_check_body(reply->body, reply->body_size, reply->tensors,
                                reply->tensor_count);
}

/* ---- columns ---------------------------------------------------------------------- */

#define SIMPLUGIN_COLUMN_TEXT UINT32_C(1)
#define SIMPLUGIN_COLUMN_INT64 UINT32_C(2)
#define SIMPLUGIN_COLUMN_FLOAT64 UINT32_C(3)
#define SIMPLUGIN_COLUMN_BOOL UINT32_C(4)
#define SIMPLUGIN_COLUMN_LIST UINT32_C(16) /* ored to one of the above: lists of them */

/*
 * A column in a body is a map:
 *   "type"     "text", "int64", "float64", "bool", or "list<...>" of one of these
 *   "values"   tensor: text: UINT8, one row, all bytes one after the other; INT64, FLOAT64
 *              or UINT8 (0 or 1) x 1 col for the others
 *   "offsets"  tensor INT64 x 1: text: elements + 1 positions in values
 *   "lists"    tensor INT64 x 1: lists: rows + 1 positions among the elements
 *   "valid"    tensor BITS, one row: a bit a row; absent: every row has a value
 * The type may be left out of a column of text that is known to be one, such as ids.
 */
typedef struct simplugin_column {
    uint32_t type;
    uint64_t count;              /* rows */
    const uint8_t *valid;        /* one bit a row, least significant first; NULL: all valid */
    const int64_t *list_offsets; /* lists only */
    const int64_t *offsets;      /* text only */
    const void *values;
} simplugin_column;

static inline uint32_t simplugin_column_type(const simplugin_value *name)
{
    static const char *const names[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};

    for (uint32_t i = 0; i < 8; i++)
        if (simplugin_value_is(name, names[i]))
            return i < 4 ? i + 1 : (i - 3) | SIMPLUGIN_COLUMN_LIST;
    return 0;
}

/* 1 if count + 1 offsets start at 0, never fall and end at or before limit. */
static inline int simplugin_offsets_check(const int64_t *offsets, uint64_t count, uint64_t limit)
{
    if (offsets[0] != 0)
        return 0;
    for (uint64_t i = 0; i < count; i++)
        if (offsets[i + 1] < offsets[i])
            return 0;
    return (uint64_t)offsets[count] <= limit;
}

/* NULL and the column, or what is wrong with it, a static text. Checks all but UTF-8. */
static inline const char *simplugin_column_read(const simplugin_value *map,
                                                const simplugin_tensor *tensors,
                                                uint64_t tensor_count, simplugin_column *column)
{
    const simplugin_tensor *values = NULL, *offsets = NULL, *lists = NULL, *valid = NULL;
    simplugin_value type;
    uint64_t elements;
    uint32_t item;

    memset(column, 0, sizeof *column);
    if (map->type != SIMPLUGIN_MAP)
        return "a column is a map";
    column->type = simplugin_find(map, "type", &type) ? simplugin_column_type(&type)
                                                      : SIMPLUGIN_COLUMN_TEXT;
    if (!column->type)
        return "unknown column type";
    if (simplugin_find_tensor(map, "values", tensors, tensor_count, &values) != 1)
        return "a column needs the tensor \"values\"";
    if (simplugin_find_tensor(map, "offsets", tensors, tensor_count, &offsets) < 0 ||
        simplugin_find_tensor(map, "lists", tensors, tensor_count, &lists) < 0 ||
        simplugin_find_tensor(map, "valid", tensors, tensor_count, &valid) < 0)
        return "offsets, lists and valid are tensors";
    item = column->type & ~SIMPLUGIN_COLUMN_LIST;
    if (item == SIMPLUGIN_COLUMN_TEXT) {
        uint64_t bytes;

        if (values->dtype != SIMPLUGIN_UINT8 || (values->rows > 1 && values->cols > 1) ||
            (values->rows > 1 && values->row_stride > 1))
            return "the values of text are one row of uint8";
        bytes = values->rows * values->cols;
        if (!offsets || offsets->dtype != SIMPLUGIN_INT64 || offsets->cols != 1 ||
            offsets->rows < 1 || (offsets->row_stride && offsets->row_stride != 8))
            return "text needs offsets: int64, one more than there are elements";
        elements = offsets->rows - 1;
        column->offsets = (const int64_t *)offsets->data;
        if (!simplugin_offsets_check(column->offsets, elements, bytes))
            return "offsets fall, or point outside the values";
    } else {
        uint32_t dtype = item == SIMPLUGIN_COLUMN_INT64     ? SIMPLUGIN_INT64
                         : item == SIMPLUGIN_COLUMN_FLOAT64 ? SIMPLUGIN_FLOAT64
                                                            : SIMPLUGIN_UINT8;

        if (offsets)
            return "only text has offsets";
        if (values->dtype != dtype || (values->cols != 1 && values->rows) ||
            (values->row_stride && values->row_stride != simplugin_dtype_size(dtype)))
            return "values do not fit the column's type";
        elements = values->rows;
    }
    column->values = values->data;
    column->count = elements;
    if (column->type & SIMPLUGIN_COLUMN_LIST) {
        if (!lists || lists->dtype != SIMPLUGIN_INT64 || lists->cols != 1 || lists->rows < 1 ||
            (lists->row_stride && lists->row_stride != 8))
            return "lists need \"lists\": int64, one more than there are rows";
        column->list_offsets = (const int64_t *)lists->data;
        column->count = lists->rows - 1;
        if (!simplugin_offsets_check(column->list_offsets, column->count, elements))
            return "lists fall, or point outside the elements";
    } else if (lists) {
        return "only a list type has lists";
    }
    if (valid) {
        if (valid->dtype != SIMPLUGIN_BITS || valid->rows != 1 || valid->cols != column->count)
            return "valid is one row of bits, one for each row of the column";
        column->valid = (const uint8_t *)valid->data;
    }
    return NULL;
}

/* Writes a column as such a map; elements is the number of items in values. */
static inline void simplugin_write_column(simplugin_writer *writer, const simplugin_column *column)
{
    static const char *const names[] = {"",           "text",        "int64",         "float64", "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};
    uint32_t item = column->type & ~SIMPLUGIN_COLUMN_LIST;
    int is_list = (column->type & SIMPLUGIN_COLUMN_LIST) != 0;
    uint64_t elements = is_list ? (uint64_t)column->list_offsets[column->count] : column->count;
    simplugin_tensor tensor;

    simplugin_write_map(writer, 2 + (uint64_t)(item == SIMPLUGIN_COLUMN_TEXT) +
                                    (uint64_t)is_list + (uint64_t)(column->valid != NULL));
    simplugin_write_string(writer, "type");
    simplugin_write_string(writer, names[item + (is_list ? 4 : 0)]);
    simplugin_write_string(writer, "values");
    if (item == SIMPLUGIN_COLUMN_TEXT) {
        tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, column->values, 1,
                                     (uint64_t)column->offsets[elements]);
        simplugin_write_tensor(writer, &tensor);
        simplugin_write_string(writer, "offsets");
        tensor = simplugin_tensor_of(SIMPLUGIN_INT64, column->offsets, elements + 1, 1);
    } else {
        tensor = simplugin_tensor_of(item == SIMPLUGIN_COLUMN_INT64     ? SIMPLUGIN_INT64
                                     : item == SIMPLUGIN_COLUMN_FLOAT64 ? SIMPLUGIN_FLOAT64
                                                                        : SIMPLUGIN_UINT8,
                                     column->values, elements, 1);
    }
    simplugin_write_tensor(writer, &tensor);
    if (is_list) {
        simplugin_write_string(writer, "lists");
        tensor = simplugin_tensor_of(SIMPLUGIN_INT64, column->list_offsets, column->count + 1, 1);
        simplugin_write_tensor(writer, &tensor);
    }
    if (column->valid) {
        simplugin_write_string(writer, "valid");
        tensor = simplugin_tensor_of(SIMPLUGIN_BITS, column->valid, 1, column->count);
        simplugin_write_tensor(writer, &tensor);
    }
}

static inline int simplugin_column_is_valid(const simplugin_column *column, uint64_t row)
{
    return !column->valid || (column->valid[row / 8] >> (row % 8) & 1);
}

/* Element i of a text column: its bytes and, through *size, how many. */
static inline const char *simplugin_column_text(const simplugin_column *column, uint64_t i,
                                                uint64_t *size)
{
    *size = (uint64_t)(column->offsets[i + 1] - column->offsets[i]);
    return (const char *)column->values + column->offsets[i];
}

#ifdef __cplusplus
}
#endif
#endif
