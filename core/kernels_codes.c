/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The int8 copy of rows. Codes are stored, so the rotation below is part of the store's
 * format: the same dimension must give the same rotation for ever.
 */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

/*
 * A rotation flips signs at random and takes the Hadamard transform of the first `power`
 * dimensions, the largest power of 2 there is; then, if that did not reach all of them,
 * the same of the last `power` ones. Both steps are orthogonal, so their product is.
 */
struct sp_codes {
    uint64_t dimension;
    uint64_t power;
    float signs[]; /* 2 * power, each +-1 / sqrt(power) */
};

/* Rounding in the transforms, and in what is computed of them, relative to the length. */
#define ROUNDING 4e-6
/* Outside of these lengths float32 arithmetic on squares is not safe. */
#define SHORTEST 1e-18
#define LONGEST 1e18

#define STACK_DIMENSION 4096

static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

sp_codes *sp_codes_new(uint64_t dimension)
{
    sp_codes *codes = NULL;
    uint64_t power = 1, state = dimension;
    float unit;

    if (dimension == 0 || dimension > UINT64_C(1) << 31)
        return NULL;
    while (power * 2 <= dimension)
        power *= 2;
    codes = malloc(sizeof(*codes) + 2 * power * sizeof(float));
    if (!codes)
        return NULL;
    codes->dimension = dimension;
    codes->power = power;
    unit = (float)(1 / sqrt((double)power));
    for (uint64_t i = 0; i < 2 * power; i++)
        codes->signs[i] = random_bits(&state) >> 63 ? -unit : unit;
    return codes;
}

void sp_codes_free(sp_codes *codes)
{
    free(codes);
}

uint64_t sp_codes_stride(uint64_t dimension)
{
    return (dimension + 63) / 64 * 64;
}

static void rotate(const sp_kernels *kernels, const sp_codes *codes, const float *row, float *out)
{
    const uint64_t power = codes->power, rest = codes->dimension - power;

    kernels->multiply(row, codes->signs, power, out);
    kernels->hadamard(out, power);
    if (rest) {
        memcpy(out + power, row + power, rest * sizeof(float));
        kernels->multiply(out + rest, codes->signs + power, power, out + rest);
        kernels->hadamard(out + rest, power);
    }
}

/* A float that is not below the value. */
static float round_up(double value)
{
    float result = (float)value;

    return (double)result < value ? nextafterf(result, INFINITY) : result;
}

/* Room for a rotated row; *heap is to be freed. NULL without memory. */
static float *room(uint64_t dimension, float *stack, float **heap)
{
    if (dimension <= STACK_DIMENSION)
        return stack;
    *heap = malloc(dimension * sizeof(float));
    return *heap;
}

void sp_codes_encode(const sp_codes *codes, const float *rows, uint64_t stride, uint64_t count,
                     int8_t *out, uint64_t code_stride, float *scales, float *errors,
                     float *norms)
{
    const sp_kernels *kernels = sp_kernels_get();
    const uint64_t dimension = codes->dimension;
    float stack[STACK_DIMENSION], *heap = NULL;
    float *turned = room(dimension, stack, &heap);

    for (uint64_t i = 0; i < count; i++) {
        const float *row = rows + i * stride;
        int8_t *code = out + i * code_stride;
        double norm = sqrt(kernels->square(row, dimension)), square;

        norms[i] = (float)norm;
        if (!turned || !(norm >= SHORTEST && norm <= LONGEST)) {
            memset(code, 0, code_stride);
            scales[i] = 0;
            errors[i] = round_up(norm);
            continue;
        }
        rotate(kernels, codes, row, turned);
        kernels->quantise(turned, dimension, kernels->largest(turned, dimension), code, scales + i,
                          &square);
        memset(code + dimension, 0, code_stride - dimension);
        /* the squares were summed in float32, in at least four sums side by side */
        errors[i] = round_up(sqrt(square) * (1 + 1e-6 + 1e-8 * (double)dimension) +
                             norm * ROUNDING);
    }
    free(heap);
}

int sp_codes_query(const sp_codes *codes, const float *query, uint64_t code_stride, int8_t *high,
                   int8_t *low, sp_query_code *code)
{
    const sp_kernels *kernels = sp_kernels_get();
    const uint64_t dimension = codes->dimension;
    double norm = sqrt(kernels->square(query, dimension)), scale;
    double error = 0, square = 0, high_error = 0, high_square = 0;
    float stack[STACK_DIMENSION], *heap = NULL, *turned = NULL;

    if (!(norm >= SHORTEST && norm <= LONGEST))
        return 0;
    turned = room(dimension, stack, &heap);
    if (!turned)
        return 0;
    rotate(kernels, codes, query, turned);
    scale = (double)kernels->largest(turned, dimension) / 127;
    for (uint64_t i = 0; i < dimension; i++) {
        double value = (double)turned[i] / scale, rest, both;
        double first = rint(value), second;

        rest = value - first;
        second = rint(rest * 254);
        both = first + second / 254;
        high[i] = (int8_t)first;
        low[i] = (int8_t)second;
        high_error += rest * rest;
        high_square += first * first;
        error += (value - both) * (value - both);
        square += both * both;
    }
    memset(high + dimension, 0, code_stride - dimension);
    memset(low + dimension, 0, code_stride - dimension);
    code->scale = scale;
    code->error = scale * sqrt(error) * (1 + 1e-9) + norm * ROUNDING;
    code->length = scale * sqrt(square);
    code->high_error = scale * sqrt(high_error) * (1 + 1e-9) + norm * ROUNDING;
    code->high_length = scale * sqrt(high_square);
    free(heap);
    return 1;
}

uint64_t sp_code_head(uint64_t length)
{
    return length < 256 ? 0 : length / 4 / 64 * 64;
}

float sp_code_rest(const int8_t *code, uint64_t length)
{
    int32_t sum = 0;

    for (uint64_t m = sp_code_head(length); m < length; m++)
        sum += code[m] * code[m];
    return sqrtf((float)sum);
}

void sp_pack_queries(const int8_t *const *queries, uint64_t count, uint64_t length, uint8_t *out)
{
    const uint64_t padded = (count + 15) / 16 * 16;

    for (uint64_t j = 0; j < padded; j++) {
        uint8_t *panel = out + j / 16 * 16 * length + j % 16 * 4;

        for (uint64_t m = 0; m < length; m += 4, panel += 64) {
            uint32_t four = 0;

            if (j < count)
                memcpy(&four, queries[j] + m, sizeof(four));
            four ^= UINT32_C(0x80808080); /* adds 128 to each */
            memcpy(panel, &four, sizeof(four));
        }
    }
}
