/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels in plain C: what the others are tested against. */
#include "config.h"

#include <math.h>
#include <string.h>

#define TARGET
#define F float
#define F_WIDTH UINT64_C(1)
#define F_LOAD(p) (*(p))
#define F_LOAD_PART(p, n) ((void)(n), *(p))
#define F_STORE(p, v) (*(p) = (v))
#define F_ZERO() 0.0f
#define F_ADD(a, b) ((a) + (b))
#define F_SUB(a, b) ((a) - (b))
#define F_MUL(a, b) ((a) * (b))
#define F_FMA(a, b, c) ((a) * (b) + (c))
#define F_MAX(a, b) ((a) > (b) ? (a) : (b))
#define F_ABS(a) fabsf(a)
#define F_SUM(a) (a)
#define F_TOP(a) (a)
#define D double
#define D_WIDTH UINT64_C(1)
#define D_LOAD(p) ((double)*(p))
#define D_LOAD_PART(p, n) ((void)(n), (double)*(p))
#define D_ZERO() 0.0
#define D_SET(x) (x)
#define D_ADD(a, b) ((a) + (b))
#define D_SUB(a, b) ((a) - (b))
#define D_FMA(a, b, c) ((a) * (b) + (c))
#define D_MAX(a, b) ((a) > (b) ? (a) : (b))
#define D_ABS(a) fabs(a)
#define D_RATIO(a, b) ((b) != 0 ? (a) / (b) : 0)
#define D_SUM(a) (a)
#define D_TOP(a) (a)

#include "kernels_template.h"

static void dot_codes(const int8_t *high, const int8_t *low, const int8_t *codes, uint64_t stride,
                      const uint32_t *index, uint64_t count, uint64_t length, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const int8_t *code = codes + (index ? (uint64_t)index[i] : i) * stride;
        int32_t a = 0, b = 0;

        for (uint64_t j = 0; j < length; j++)
            a += high[j] * code[j];
        for (uint64_t j = 0; low && j < length; j++)
            b += low[j] * code[j];
        out[i] = (float)a + (float)b * (1.0f / 254.0f);
    }
}

static uint64_t match_codes(const sp_match_input *in, sp_match *out)
{
    uint64_t found = 0;

    for (uint64_t i = 0; i < in->row_count; i++)
        for (uint64_t j = 0; j < in->query_count; j++) {
            const int8_t *code = in->codes + (in->index ? (uint64_t)in->index[i] : i) * in->stride;
            const uint8_t *query = in->queries + j / 16 * 16 * in->length + j % 16 * 4;
            int32_t sum = 0;
            float value;

            for (uint64_t m = 0; m < in->length; m += 4, query += 64)
                for (uint64_t n = 0; n < 4; n++)
                    sum += code[m + n] * (query[n] - 128);
            value = (float)sum * in->a[i] + (in->b[i] * in->s[j] + (in->c[i] * in->r[j] - in->t[j]));
            if (!(value < 0)) {
                out[found].row = (uint32_t)i;
                out[found].query = (uint32_t)j;
                out[found++].dot = sum;
            }
        }
    return found;
}

static uint64_t select_rows(const float *approx, const float *a, const float *b, const float *c,
                            uint64_t count, float s, float r, float t, uint32_t *out)
{
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i++)
        if (!(approx[i] * a[i] + (b[i] * s + (c[i] * r - t)) < 0))
            out[found++] = (uint32_t)i;
    return found;
}

static void hadamard(float *values, uint64_t n)
{
    butterflies(values, n, 1);
}

static void quantise(const float *values, uint64_t n, float top, int8_t *codes, float *scale,
                     double *squared_error)
{
    float factor = 127.0f / top, best;
    double along = 0, square_sum = 0, error = 0;

    for (uint64_t i = 0; i < n; i++) {
        int32_t code = round_code(values[i] * factor);

        codes[i] = (int8_t)code;
        along += (double)values[i] * code;
        square_sum += (double)(code * code);
    }
    best = square_sum > 0 ? (float)(along / square_sum) : 0;
    for (uint64_t i = 0; i < n; i++) {
        double miss = (double)values[i] - (double)best * codes[i];

        error += miss * miss;
    }
    *scale = best;
    *squared_error = error;
}

static void from_float16(const uint16_t *values, uint64_t n, float *out)
{
    for (uint64_t i = 0; i < n; i++) {
        uint32_t half = values[i], sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31;
        uint32_t fraction = half & 1023, bits;

        if (exponent == 31) {
            bits = sign | 0x7f800000u | fraction << 13;
        } else if (exponent) {
            bits = sign | (exponent + 112) << 23 | fraction << 13;
        } else {
            float tiny = (float)fraction * 0x1p-24f;

            memcpy(&bits, &tiny, sizeof(bits));
            bits |= sign;
        }
        memcpy(out + i, &bits, sizeof(bits));
    }
}

static void from_float64(const double *values, uint64_t n, float *out)
{
    for (uint64_t i = 0; i < n; i++)
        out[i] = (float)values[i];
}

static int all_finite(const float *values, uint64_t n)
{
    uint32_t bits;

    for (uint64_t i = 0; i < n; i++) {
        memcpy(&bits, values + i, sizeof(bits));
        if ((bits & 0x7f800000u) == 0x7f800000u)
            return 0;
    }
    return 1;
}

const sp_kernels sp_kernels_scalar = {
    .name = "scalar",
    .fast_match = 0,
    .dot = dot,
    .squared = squared,
    .exact = {exact_dot, exact_cosine, exact_squared, exact_manhattan, exact_chebyshev,
              exact_canberra, exact_braycurtis, exact_correlation},
    .square = square,
    .dot_codes = dot_codes,
    .match_codes = match_codes,
    .select = select_rows,
    .hadamard = hadamard,
    .quantise = quantise,
    .largest = largest,
    .multiply = multiply,
    .from_float16 = from_float16,
    .from_float64 = from_float64,
    .all_finite = all_finite,
};
