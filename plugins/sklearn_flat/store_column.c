/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as bytes: read with everything checked, and put together row by row. */
#include "config.h"

#include <string.h>

#include "store_format.h"

#define HAS_VALID UINT32_C(1)

typedef struct column_head {
    uint32_t type;
    uint32_t flags;
    uint64_t rows;
    uint64_t elements;
    uint64_t bytes; /* of the values */
    uint64_t size;  /* of all, this head included */
    uint64_t hash;  /* of what follows the head */
} column_head;

static uint64_t padded(uint64_t size)
{
    return (size + 7) / 8 * 8;
}

static uint64_t element_size(uint32_t type)
{
    return (type & ~SP_LIST) == SP_BOOL ? 1 : 8;
}

/* Rising positions from 0 to last. */
static int offsets_valid(const int64_t *offsets, uint64_t count, uint64_t last)
{
    int bad = offsets[0] != 0 || offsets[count] != (int64_t)last;

    for (uint64_t i = 0; i < count; i++)
        bad |= offsets[i] > offsets[i + 1];
    return !bad;
}

/* The parts of a column whose head is sane, or what is wrong. */
static const char *parts(const uint8_t *bytes, const column_head *head, sp_column *column)
{
    uint64_t text = (head->type & ~SP_LIST) == SP_TEXT;
    uint64_t list = head->type & SP_LIST;
    uint64_t needed = sizeof(*head);
    uint64_t largest = head->size / 8; /* no count of 8-byte things is larger */

    if (head->rows > head->size * 8 || head->elements > head->size || head->bytes > head->size)
        return "a column has impossible counts";
    if (!list && head->elements != head->rows)
        return "a column has an impossible number of elements";
    if ((list && head->rows >= largest) || (text && head->elements >= largest))
        return "a column has impossible counts";
    column->type = head->type;
    column->count = head->rows;
    if (list) {
        column->list_offsets = (const int64_t *)(const void *)(bytes + needed);
        needed += (head->rows + 1) * 8;
    }
    if (text) {
        column->offsets = (const int64_t *)(const void *)(bytes + needed);
        needed += (head->elements + 1) * 8;
    } else if (head->bytes != head->elements * element_size(head->type)) {
        return "a column has an impossible size of its values";
    }
    column->values = bytes + needed;
    needed += padded(head->bytes);
    if (head->flags & HAS_VALID) {
        column->valid = bytes + needed;
        needed += (head->rows + 7) / 8;
    }
    if (needed != head->size)
        return "a column has an impossible size";
    if (list && !offsets_valid(column->list_offsets, head->rows, head->elements))
        return "a column's lists are out of order";
    if (text && !offsets_valid(column->offsets, head->elements, head->bytes))
        return "a column's texts are out of order";
    return NULL;
}

const char *flat_column_decode(const void *data, size_t size, uint32_t expected_type,
                               uint64_t expected_rows, sp_column *column)
{
    const uint8_t *bytes = data;
    column_head head;
    const char *what = NULL;

    memset(column, 0, sizeof(*column));
    if (size < sizeof(head))
        return "a column is cut short";
    memcpy(&head, bytes, sizeof(head));
    if (!flat_type_valid(head.type) || head.type != expected_type || head.flags > HAS_VALID)
        return "a column has an impossible type";
    if (head.size > size || head.size < sizeof(head))
        return "a column is cut short";
    if (expected_rows != UINT64_MAX && head.rows != expected_rows)
        return "a column has an impossible number of rows";
    what = parts(bytes, &head, column);
    if (!what && (head.type & ~SP_LIST) == SP_BOOL) {
        const uint8_t *values = column->values;
        uint8_t any = 0;

        for (uint64_t i = 0; i < head.bytes; i++)
            any |= values[i];
        if (any > 1)
            what = "a column's booleans are none";
    }
    return what;
}

void flat_column_hashes(const void *data, size_t size, uint64_t *stored, uint64_t *actual)
{
    column_head head;

    *stored = 1;
    *actual = 0;
    if (size < sizeof(head))
        return;
    memcpy(&head, data, sizeof(head));
    if (head.size > size || head.size < sizeof(head))
        return;
    *stored = head.hash;
    *actual = flat_hash((const uint8_t *)data + sizeof(head), head.size - sizeof(head), 0);
}

/* ---- building ------------------------------------------------------------------------ */

static void append_offset(sp_buffer *offsets, uint64_t value)
{
    int64_t offset = (int64_t)value;

    sp_buffer_append(offsets, &offset, sizeof(offset));
}

void flat_builder_init(flat_builder *builder, uint32_t type)
{
    memset(builder, 0, sizeof(*builder));
    builder->type = type;
    sp_buffer_init(&builder->valid);
    sp_buffer_init(&builder->list_offsets);
    sp_buffer_init(&builder->offsets);
    sp_buffer_init(&builder->values);
    if (type & SP_LIST)
        append_offset(&builder->list_offsets, 0);
    if ((type & ~SP_LIST) == SP_TEXT)
        append_offset(&builder->offsets, 0);
}

void flat_builder_clear(flat_builder *builder)
{
    sp_buffer_clear(&builder->valid);
    sp_buffer_clear(&builder->list_offsets);
    sp_buffer_clear(&builder->offsets);
    sp_buffer_clear(&builder->values);
}

int flat_builder_failed(const flat_builder *builder)
{
    return builder->valid.failed || builder->list_offsets.failed || builder->offsets.failed ||
           builder->values.failed;
}

/* Elements from..to of the column's element arrays. */
static void append_elements(flat_builder *builder, const sp_column *column, uint64_t from,
                            uint64_t to)
{
    if ((builder->type & ~SP_LIST) == SP_TEXT) {
        for (uint64_t i = from; i < to; i++) {
            sp_text text = sp_column_text(column, i);

            sp_buffer_append(&builder->values, text.data, text.size);
            append_offset(&builder->offsets, builder->values.size);
        }
    } else {
        uint64_t size = element_size(builder->type);

        if (to > from)
            sp_buffer_append(&builder->values, (const uint8_t *)column->values + from * size,
                             (size_t)((to - from) * size));
    }
    builder->elements += to - from;
}

static void end_row(flat_builder *builder, int valid)
{
    if (builder->rows % 8 == 0)
        sp_buffer_append(&builder->valid, "", 1);
    if (valid && !builder->valid.failed)
        builder->valid.data[builder->rows >> 3] |= (uint8_t)(1u << (builder->rows & 7));
    builder->valid_count += (uint64_t)valid;
    builder->rows++;
    if (builder->type & SP_LIST)
        append_offset(&builder->list_offsets, builder->elements);
}

void flat_builder_append(flat_builder *builder, const sp_column *column, uint64_t row)
{
    if (!sp_column_is_valid(column, row)) {
        flat_builder_append_null(builder);
        return;
    }
    if (builder->type & SP_LIST)
        append_elements(builder, column, (uint64_t)column->list_offsets[row],
                        (uint64_t)column->list_offsets[row + 1]);
    else
        append_elements(builder, column, row, row + 1);
    end_row(builder, 1);
}

void flat_builder_append_null(flat_builder *builder)
{
    if (!(builder->type & SP_LIST)) {
        if (builder->type == SP_TEXT)
            append_offset(&builder->offsets, builder->values.size);
        else
            sp_buffer_append(&builder->values, "\0\0\0\0\0\0\0",
                             (size_t)element_size(builder->type));
        builder->elements++;
    }
    end_row(builder, 0);
}

int flat_builder_finish(flat_builder *builder, sp_buffer *out)
{
    static const uint8_t zeros[8];
    column_head head;
    size_t start = out->size;

    memset(&head, 0, sizeof(head));
    head.type = builder->type;
    head.flags = builder->valid_count < builder->rows ? HAS_VALID : 0;
    head.rows = builder->rows;
    head.elements = builder->elements;
    head.bytes = builder->values.size;
    head.size = sizeof(head) + builder->list_offsets.size + builder->offsets.size +
                padded(head.bytes) + (head.flags ? builder->valid.size : 0);
    sp_buffer_append(out, &head, sizeof(head));
    sp_buffer_append(out, builder->list_offsets.data, builder->list_offsets.size);
    sp_buffer_append(out, builder->offsets.data, builder->offsets.size);
    sp_buffer_append(out, builder->values.data, builder->values.size);
    sp_buffer_append(out, zeros, (size_t)(padded(head.bytes) - head.bytes));
    if (head.flags)
        sp_buffer_append(out, builder->valid.data, builder->valid.size);
    if (out->failed || flat_builder_failed(builder))
        return 0;
    head.hash = flat_hash(out->data + start + sizeof(head), out->size - start - sizeof(head), 0);
    memcpy(out->data + start, &head, sizeof(head));
    return !out->failed;
}

void flat_builder_column(const flat_builder *builder, sp_column *column)
{
    memset(column, 0, sizeof(*column));
    column->type = builder->type;
    column->count = builder->rows;
    column->valid = builder->valid_count < builder->rows ? builder->valid.data : NULL;
    if (builder->type & SP_LIST)
        column->list_offsets = (const int64_t *)(const void *)builder->list_offsets.data;
    if ((builder->type & ~SP_LIST) == SP_TEXT)
        column->offsets = (const int64_t *)(const void *)builder->offsets.data;
    column->values = builder->values.data ? builder->values.data : (const uint8_t *)"";
}
