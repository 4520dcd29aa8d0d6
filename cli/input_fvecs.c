/* SPDX-License-Identifier: Apache-2.0 */
/* .fvecs: each row is its dimension, an int32, and as many float32, in little endian. */
#include "config.h"

#include <string.h>

#include "input.h"

#define MAX_DIMENSION 1000000

static uint32_t little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static int32_t next(cli_input *input, cli_block *block)
{
    uint64_t row_bytes = 4 + 4 * input->dimension;
    const uint8_t *data;
    size_t got;
    int32_t code = cli_input_take(input, cli_input_block_rows(input, row_bytes), row_bytes, &data,
                                  &got);

    if (code != SIMPLUGIN_OK)
        return code;
    block->rows = got / row_bytes;
    for (uint64_t i = 0; i <= block->rows && i * row_bytes + 4 <= got; i++) {
        uint32_t dimension = little_endian(data + i * row_bytes);

        if (dimension != input->dimension)
            return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                                   "row %llu has dimension %u, those before have %llu",
                                   (unsigned long long)(input->row + i), dimension,
                                   (unsigned long long)input->dimension);
    }
    if (got % row_bytes)
        return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                               "the file is cut off in row %llu",
                               (unsigned long long)(input->row + block->rows));
    if (block->rows) {
        block->vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data + 4, block->rows,
                                             input->dimension);
        block->vectors.row_stride = row_bytes;
    }
    return SIMPLUGIN_OK;
}

int32_t cli_fvecs_open(cli_input *input)
{
    const uint8_t *data;
    uint32_t dimension;
    size_t got;
    int32_t code = cli_source_peek(&input->source, 4, &data, &got);

    if (code != SIMPLUGIN_OK)
        return code;
    dimension = got == 4 ? little_endian(data) : 0;
    if (got && (dimension < 1 || dimension > MAX_DIMENSION))
        return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT, "not an .fvecs file");
    input->next = next;
    input->dimension = got ? dimension : 1;
    if (input->source.map)
        input->total_rows = (input->source.size - input->source.offset) /
                            (4 + 4 * input->dimension);
    return SIMPLUGIN_OK;
}
