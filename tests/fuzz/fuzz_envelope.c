/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope: what checks it, and the readers behind the check.
 *
 * Input: a byte W, W words of 8 bytes that the tensors point to, and the body. The body may
 * name six tensors of that memory; a seventh is made of the first 64 bytes themselves.
 */
#include "config.h"

#include "simplugin/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sink;

static void read_column(const simplugin_value *value, const simplugin_tensor *tensors,
                        uint64_t tensor_count)
{
    simplugin_column column;
    uint64_t elements, bytes;
    const char *text;

    if (simplugin_column_read(value, tensors, tensor_count, &column))
        return;
    for (uint64_t row = 0; row < column.count; row++)
        sink += (uint64_t)simplugin_column_is_valid(&column, row);
    elements = column.list_offsets ? (uint64_t)column.list_offsets[column.count] : column.count;
    for (uint64_t i = 0; i < elements; i++) {
        if (column.offsets) {
            text = simplugin_column_text(&column, i, &bytes);
            for (uint64_t b = 0; b < bytes; b++)
                sink += (uint8_t)text[b];
        } else {
            sink += ((const uint8_t *)column.values)[i];
        }
    }
}

/* Reads everything below a value in every way there is. */
static void read_all(const simplugin_value *value, const simplugin_tensor *tensors,
                     uint64_t tensor_count, int depth)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value part;
    const simplugin_tensor *tensor;
    const char *text;
    uint64_t size;
    int64_t integer;
    double number;
    int flag;

    if (value->type == SIMPLUGIN_MAP) {
        read_column(value, tensors, tensor_count);
        sink += (uint64_t)(simplugin_find_text(value, "text", &text, &size) +
                           simplugin_find_int(value, "k", &integer) +
                           simplugin_find_bool(value, "all", &flag) +
                           simplugin_find_double(value, "radius", &number) +
                           simplugin_find_tensor(value, "vectors", tensors, tensor_count, &tensor) +
                           simplugin_find(value, "ids", &part) + 8);
    }
    if (value->type == SIMPLUGIN_TEXT)
        sink += (uint64_t)simplugin_utf8_check(value->data, value->size);
    while (depth < SIMPLUGIN_MAX_DEPTH && simplugin_next(&iter, &part))
        read_all(&part, tensors, tensor_count, depth + 1);
}

/* Writing what was read gives a body that reads the same. */
static void write_again(const uint8_t *body, uint64_t size, const simplugin_tensor *tensors,
                        uint64_t tensor_count)
{
    simplugin_value value = simplugin_body_value(body, size);
    simplugin_iter iter = simplugin_iterate(&value);
    simplugin_value part;
    simplugin_writer writer;
    uint64_t at, count = 0;
    const uint8_t *begin;

    simplugin_writer_init(&writer);
    at = simplugin_write_map_begin(&writer);
    for (; iter.left; count++) {
        begin = iter.at;
        if (!simplugin_next(&iter, &part))
            break;
        simplugin_write_raw(&writer, begin, (uint64_t)(iter.at - begin));
    }
    simplugin_write_end(&writer, at, count / 2);
    if (!writer.failed && value.type == SIMPLUGIN_MAP &&
        simplugin_check_body(writer.data, writer.size, tensors, tensor_count))
        abort();
    simplugin_writer_clear(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t words = size ? data[0] : 0;
    uint64_t *memory;
    simplugin_tensor tensors[7], loose;
    simplugin_value value;
    const uint8_t *body;
    uint64_t body_size;

    if (!size)
        return 0;
    if (words > (size - 1) / 8)
        words = (size - 1) / 8;
    memory = malloc((size_t)(words * 8 + 8));
    if (!memory)
        return 0;
    memcpy(memory, data + 1, (size_t)(words * 8));
    body = data + 1 + words * 8;
    body_size = size - 1 - words * 8;

    tensors[0] = simplugin_tensor_of(SIMPLUGIN_UINT8, memory, 1, words * 8);
    tensors[1] = simplugin_tensor_of(SIMPLUGIN_INT64, memory, words, 1);
    tensors[2] = simplugin_tensor_of(SIMPLUGIN_FLOAT64, memory, words, 1);
    tensors[3] = simplugin_tensor_of(SIMPLUGIN_BITS, memory, 1, words * 64);
    tensors[4] = simplugin_tensor_of(SIMPLUGIN_INT64, memory + words / 2, words - words / 2, 1);
    tensors[5] = simplugin_tensor_of(SIMPLUGIN_FLOAT32, NULL, 0, 4);
    tensors[6] = simplugin_tensor_of(SIMPLUGIN_BITS, memory, 1, words > 1 ? words - 1 : 0);
    if (size >= sizeof loose) {
        memcpy(&loose, data, sizeof loose);
        loose.data = memory;
        /* whoever passes the check may ask for the stride */
        if (!simplugin_tensor_check(&loose))
            sink += simplugin_tensor_stride(&loose);
    }

    value = simplugin_body_value(body, body_size);
    /* the readers are safe without the check as well */
    read_all(&value, tensors, 7, 0);
    if (!simplugin_check_body(body, body_size, tensors, 7))
        write_again(body, body_size, tensors, 7);
    free(memory);
    return 0;
}
