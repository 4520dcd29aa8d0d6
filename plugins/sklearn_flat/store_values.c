/* SPDX-License-Identifier: Apache-2.0 */
/* The large values of a block - rows, codes, ids - and the rows of the tail. */
#include "config.h"

#include <string.h>

#include "store_format.h"

/* ---- vectors and codes --------------------------------------------------------------- */

uint64_t flat_vectors_size(const flat_shape *shape, uint32_t rows)
{
    return FLAT_PAD + rows * shape->vector_stride * sizeof(float);
}

/* The arrays behind the codes start at cache lines too. */
static uint64_t lined(uint32_t rows)
{
    return ((uint64_t)rows + 15) / 16 * 16;
}

uint64_t flat_codes_size(const flat_shape *shape, uint32_t rows)
{
    return FLAT_PAD + rows * shape->code_stride + 3 * lined(rows) * sizeof(float);
}

void flat_codes_parts(void *value, const flat_shape *shape, uint32_t rows, flat_codes_view *view)
{
    uint8_t *bytes = (uint8_t *)value + FLAT_PAD;

    view->codes = (int8_t *)bytes;
    bytes += rows * shape->code_stride;
    view->scales = (float *)(void *)bytes;
    view->errors = view->scales + lined(rows);
    view->norms = view->errors + lined(rows);
}

/* ---- ids ----------------------------------------------------------------------------- */

uint64_t flat_ids_size(uint32_t rows, uint64_t bytes)
{
    return ((uint64_t)rows + 1) * sizeof(uint32_t) + bytes;
}

void flat_ids_encode(void *value, const sp_text *ids, uint32_t rows)
{
    uint8_t *offsets = value;
    uint8_t *bytes = offsets + ((size_t)rows + 1) * sizeof(uint32_t);
    uint32_t position = 0;

    for (uint32_t i = 0; i < rows; i++) {
        memcpy(offsets + i * sizeof(uint32_t), &position, sizeof(uint32_t));
        memcpy(bytes + position, ids[i].data, ids[i].size);
        position += (uint32_t)ids[i].size;
    }
    memcpy(offsets + rows * sizeof(uint32_t), &position, sizeof(uint32_t));
}

sp_text flat_ids_get(const void *value, size_t size, uint32_t rows, uint32_t slot)
{
    const uint8_t *offsets = value;
    size_t head = ((size_t)rows + 1) * sizeof(uint32_t);
    sp_text id = {NULL, 0};
    uint32_t ends[2];

    if (size < head || slot >= rows)
        return id;
    memcpy(ends, offsets + slot * sizeof(uint32_t), sizeof(ends));
    if (ends[0] > ends[1] || ends[1] > size - head || ends[1] - ends[0] > FLAT_ID_MAX)
        return id;
    id.data = (const char *)offsets + head + ends[0];
    id.size = ends[1] - ends[0];
    return id;
}

/* ---- the tail ------------------------------------------------------------------------ */

#define TAIL_HEAD 16

static size_t tail_vector_size(const flat_shape *shape)
{
    return (size_t)((shape->dimension * sizeof(float) + 7) / 8 * 8);
}

void flat_tail_encode(sp_buffer *out, const flat_shape *shape, uint64_t sequence,
                      const float *vector, uint32_t field_count)
{
    uint32_t words[2] = {field_count, 0};
    size_t size = (size_t)shape->dimension * sizeof(float);

    sp_buffer_append(out, &sequence, sizeof(sequence));
    sp_buffer_append(out, words, sizeof(words));
    sp_buffer_append(out, vector, size);
    sp_buffer_append(out, "\0\0\0\0\0\0\0", tail_vector_size(shape) - size);
}

void flat_tail_field(sp_buffer *out, uint32_t field, const sp_buffer *column)
{
    uint32_t words[2] = {field, (uint32_t)column->size};

    if (column->failed || column->size > UINT32_MAX)
        out->failed = 1;
    sp_buffer_append(out, words, sizeof(words));
    sp_buffer_append(out, column->data, column->size);
}

const char *flat_tail_decode(const void *data, size_t size, const flat_shape *shape,
                             flat_tail_view *view)
{
    const uint8_t *bytes = data;
    size_t vector = tail_vector_size(shape);

    if (size < TAIL_HEAD || size - TAIL_HEAD < vector)
        return "a row of the tail is cut short";
    memcpy(&view->sequence, bytes, sizeof(view->sequence));
    memcpy(&view->field_count, bytes + 8, sizeof(view->field_count));
    view->vector = bytes + TAIL_HEAD;
    view->fields = view->vector + vector;
    view->fields_size = size - TAIL_HEAD - vector;
    if (view->field_count > FLAT_FIELDS_MAX)
        return "a row of the tail has an impossible number of fields";
    return NULL;
}

int flat_tail_next(const flat_tail_view *view, size_t *position, uint32_t *field,
                   const void **column, size_t *size)
{
    uint32_t words[2];

    if (*position == view->fields_size)
        return 0;
    if (view->fields_size - *position < sizeof(words))
        return -1;
    memcpy(words, view->fields + *position, sizeof(words));
    *position += sizeof(words);
    if (words[1] > view->fields_size - *position)
        return -1;
    *field = words[0];
    *column = view->fields + *position;
    *size = words[1];
    *position += words[1];
    return 1;
}

/* ---- hashing ------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = (a ^ b) * UINT64_C(0x9fb21c651e98df25);

    z ^= z >> 35;
    z *= UINT64_C(0x9fb21c651e98df25);
    return z ^ z >> 28;
}

uint64_t flat_hash(const void *data, size_t size, uint64_t piece)
{
    const uint64_t prime = UINT64_C(0x9e3779b185ebca87);
    const uint8_t *bytes = data;
    uint64_t lanes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t words[8] = {0};
    uint64_t hash = size;
    size_t left = size;

    /* Eight lanes: the multiplications of one wait for nobody. */
    for (; left >= sizeof(words); left -= sizeof(words), bytes += sizeof(words)) {
        memcpy(words, bytes, sizeof(words));
        for (int i = 0; i < 8; i++) {
            lanes[i] = (lanes[i] ^ words[i]) * prime;
            lanes[i] ^= lanes[i] >> 29;
        }
    }
    memset(words, 0, sizeof(words));
    memcpy(words, bytes, left);
    for (int i = 0; i < 8; i++)
        hash = mix(hash + lanes[i], words[i]);
    return mix(hash, piece * prime + 1);
}

uint64_t flat_vectors_hash(const void *value, const flat_shape *shape, uint32_t rows)
{
    const uint8_t *bytes = (const uint8_t *)value + FLAT_PAD;
    size_t stride = (size_t)shape->vector_stride * sizeof(float);
    uint64_t hash = 0;

    for (uint32_t row = 0; row < rows; row++)
        hash += flat_hash(bytes + row * stride, (size_t)shape->dimension * sizeof(float), row);
    return hash;
}
