/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for arm64. NEON is part of every such CPU. */
#include "config.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "kernels_table.h"

#define TARGET

static inline float32x4_t load_part(const float *p, uint64_t n)
{
    float four[4] = {0, 0, 0, 0};

    memcpy(four, p, n * sizeof(float));
    return vld1q_f32(four);
}

static inline float64x2_t ratio(float64x2_t a, float64x2_t b)
{
    uint64x2_t none = vceqzq_f64(b);

    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(vdivq_f64(a, b)), none));
}

#define F float32x4_t
#define F_WIDTH UINT64_C(4)
#define F_LOAD(p) vld1q_f32(p)
#define F_LOAD_PART(p, n) load_part(p, n)
#define F_STORE(p, v) vst1q_f32(p, v)
#define F_ZERO() vdupq_n_f32(0)
#define F_ADD(a, b) vaddq_f32(a, b)
#define F_SUB(a, b) vsubq_f32(a, b)
#define F_MUL(a, b) vmulq_f32(a, b)
#define F_FMA(a, b, c) vfmaq_f32(c, a, b)
#define F_MAX(a, b) vmaxq_f32(a, b)
#define F_ABS(a) vabsq_f32(a)
#define F_SUM(a) vaddvq_f32(a)
#define F_TOP(a) vmaxvq_f32(a)
#define D float64x2_t
#define D_WIDTH UINT64_C(2)
#define D_LOAD(p) vcvt_f64_f32(vld1_f32(p))
#define D_LOAD_PART(p, n) vcvt_f64_f32(vget_low_f32(load_part(p, n)))
#define D_ZERO() vdupq_n_f64(0)
#define D_SET(x) vdupq_n_f64(x)
#define D_ADD(a, b) vaddq_f64(a, b)
#define D_SUB(a, b) vsubq_f64(a, b)
#define D_FMA(a, b, c) vfmaq_f64(c, a, b)
#define D_MAX(a, b) vmaxq_f64(a, b)
#define D_ABS(a) vabsq_f64(a)
#define D_RATIO(a, b) ratio(a, b)
#define D_SUM(a) vaddvq_f64(a)
#define D_TOP(a) vmaxvq_f64(a)

#include "kernels_template.h"

/* Four partial sums more, of 16 products; codes are at least -127, so 16 bits hold a pair. */
static inline int32x4_t add_products(int32x4_t sum, int8x16_t a, int8x16_t b)
{
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    return vpadalq_s16(sum, vmull_high_s8(a, b));
}

static void dot_codes(const int8_t *high, const int8_t *low, const int8_t *codes, uint64_t stride,
                      const uint32_t *index, uint64_t count, uint64_t length, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const int8_t *code = codes + (index ? (uint64_t)index[i] : i) * stride;
        int32x4_t a0 = vdupq_n_s32(0), a1 = a0, b0 = a0, b1 = a0;

        for (uint64_t j = 0; j < length; j += 32) {
            int8x16_t x0 = vld1q_s8(code + j), x1 = vld1q_s8(code + j + 16);

            a0 = add_products(a0, x0, vld1q_s8(high + j));
            a1 = add_products(a1, x1, vld1q_s8(high + j + 16));
            if (low) {
                b0 = add_products(b0, x0, vld1q_s8(low + j));
                b1 = add_products(b1, x1, vld1q_s8(low + j + 16));
            }
        }
        out[i] = (float)vaddvq_s32(vaddq_s32(a0, a1)) +
                 (float)vaddvq_s32(vaddq_s32(b0, b1)) * (1.0f / 254.0f);
    }
}

static uint64_t match_codes(const sp_match_input *in, sp_match *out)
{
    const uint8x16_t flip = vdupq_n_u8(128);
    uint64_t found = 0;

    for (uint64_t i = 0; i < in->row_count; i++) {
        const int8_t *code = in->codes + (in->index ? (uint64_t)in->index[i] : i) * in->stride;

        for (uint64_t j = 0; j < in->query_count; j += 4) {
            const uint8_t *query = in->queries + j / 16 * 16 * in->length + j % 16 * 4;
            int32x4_t sum = vdupq_n_s32(0);
            int32_t dots[4];

            for (uint64_t m = 0; m < in->length; m += 4, query += 64) {
                int8x16_t x, q = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(query), flip));
                int16x8_t low, high;
                int32_t four;

                memcpy(&four, code + m, sizeof(four));
                x = vreinterpretq_s8_s32(vdupq_n_s32(four));
                low = vmull_s8(vget_low_s8(x), vget_low_s8(q));
                high = vmull_high_s8(x, q);
                /* pairs of 16-bit products to 32 bits, pairs of those to one a query */
                sum = vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
            }
            vst1q_s32(dots, sum);
            for (uint64_t k = 0; k < 4; k++) {
                const float value =
                    (float)dots[k] * in->a[i] +
                    (in->b[i] * in->s[j + k] + (in->c[i] * in->r[j + k] - in->t[j + k]));

                if (!(value < 0)) {
                    out[found].row = (uint32_t)i;
                    out[found].query = (uint32_t)(j + k);
                    out[found++].dot = dots[k];
                }
            }
        }
    }
    return found;
}

static uint64_t select_rows(const float *approx, const float *a, const float *b, const float *c,
                            uint64_t count, float s, float r, float t, uint32_t *out)
{
    float32x4_t s4 = vdupq_n_f32(s), r4 = vdupq_n_f32(r), t4 = vdupq_n_f32(t);
    uint64_t found = 0, i = 0;

    for (; i + 4 <= count; i += 4) {
        float32x4_t value = vsubq_f32(vmulq_f32(vld1q_f32(c + i), r4), t4);
        uint32_t below[4];

        value = vfmaq_f32(value, vld1q_f32(b + i), s4);
        value = vfmaq_f32(value, vld1q_f32(approx + i), vld1q_f32(a + i));
        vst1q_u32(below, vcltzq_f32(value));
        for (uint32_t k = 0; k < 4; k++)
            if (!below[k])
                out[found++] = (uint32_t)i + k;
    }
    for (; i < count; i++)
        if (!(approx[i] * a[i] + (b[i] * s + (c[i] * r - t)) < 0))
            out[found++] = (uint32_t)i;
    return found;
}

static void hadamard(float *values, uint64_t n)
{
    const float32x4_t sign1 = {1, -1, 1, -1}, sign2 = {1, 1, -1, -1};

    if (n < 4) {
        hadamard_small(values, n);
    } else {
        for (uint64_t i = 0; i < n; i += 4) {
            float32x4_t v = vld1q_f32(values + i);

            v = vfmaq_f32(vrev64q_f32(v), v, sign1);
            v = vfmaq_f32(vextq_f32(v, v, 2), v, sign2);
            vst1q_f32(values + i, v);
        }
        butterflies(values, n, 4);
    }
}

static void quantise(const float *values, uint64_t n, float top, int8_t *codes, float *scale,
                     double *squared_error)
{
    float factor = 127.0f / top, best;
    float32x4_t along4 = vdupq_n_f32(0), square4 = along4, error4 = along4;
    double along, square_sum, error;
    uint64_t i;

    for (i = 0; i + 4 <= n; i += 4) {
        float32x4_t v = vld1q_f32(values + i), x;
        int32x4_t code = vcvtnq_s32_f32(vmulq_n_f32(v, factor));
        int32_t four[4];

        code = vmaxq_s32(vminq_s32(code, vdupq_n_s32(127)), vdupq_n_s32(-127));
        x = vcvtq_f32_s32(code);
        along4 = vfmaq_f32(along4, v, x);
        square4 = vfmaq_f32(square4, x, x);
        vst1q_s32(four, code);
        for (uint64_t k = 0; k < 4; k++)
            codes[i + k] = (int8_t)four[k];
    }
    along = (double)vaddvq_f32(along4);
    square_sum = (double)vaddvq_f32(square4);
    for (; i < n; i++) {
        codes[i] = (int8_t)round_code(values[i] * factor);
        along += (double)values[i] * codes[i];
        square_sum += (double)(codes[i] * codes[i]);
    }
    best = square_sum > 0 ? (float)(along / square_sum) : 0;
    for (i = 0; i + 4 <= n; i += 4) {
        float four[4];
        float32x4_t miss;

        for (uint64_t k = 0; k < 4; k++)
            four[k] = (float)codes[i + k];
        miss = vfmsq_n_f32(vld1q_f32(values + i), vld1q_f32(four), best);
        error4 = vfmaq_f32(error4, miss, miss);
    }
    error = (double)vaddvq_f32(error4);
    for (; i < n; i++) {
        double miss = (double)values[i] - (double)best * codes[i];

        error += miss * miss;
    }
    *scale = best;
    *squared_error = error;
}

static void from_float16(const uint16_t *values, uint64_t n, float *out)
{
    for (uint64_t i = 0; i < n; i += 4) {
        uint64_t some = n - i < 4 ? n - i : 4;
        uint16_t four[4] = {0, 0, 0, 0};
        float wide[4];

        memcpy(four, values + i, some * sizeof(uint16_t));
        vst1q_f32(wide, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(four))));
        memcpy(out + i, wide, some * sizeof(float));
    }
}

static void from_float64(const double *values, uint64_t n, float *out)
{
    uint64_t i = 0;

    for (; i + 2 <= n; i += 2)
        vst1_f32(out + i, vcvt_f32_f64(vld1q_f64(values + i)));
    if (i < n)
        out[i] = (float)values[i];
}

static int all_finite(const float *values, uint64_t n)
{
    const uint32x4_t exponent = vdupq_n_u32(0x7f800000);
    uint32x4_t bad = vdupq_n_u32(0);

    for (uint64_t i = 0; i < n; i += 4) {
        float32x4_t part = i + 4 <= n ? F_LOAD(values + i) : F_LOAD_PART(values + i, n - i);
        uint32x4_t bits = vandq_u32(vreinterpretq_u32_f32(part), exponent);

        bad = vorrq_u32(bad, vceqq_u32(bits, exponent));
    }
    return vmaxvq_u32(bad) == 0;
}

const sp_kernels sp_kernels_neon = {
    .name = "neon",
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

#else
typedef int sp_kernels_neon_unused; /* a file may not be empty */
#endif
