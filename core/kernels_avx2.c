/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for x86-64 with AVX2, FMA and F16C. */
#include "config.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels_table.h"

#define TARGET __attribute__((target("avx2,fma,f16c")))

/* -1 in the first n lanes of 8 */
TARGET static inline __m256i first_lanes(uint64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TARGET static inline float sum_floats(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

TARGET static inline float top_float(__m256 v)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

TARGET static inline double sum_doubles(__m256d v)
{
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));

    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

TARGET static inline double top_double(__m256d v)
{
    __m128d s = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));

    return _mm_cvtsd_f64(_mm_max_sd(s, _mm_unpackhi_pd(s, s)));
}

TARGET static inline int32_t sum_ints(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

TARGET static inline __m256d ratio(__m256d a, __m256d b)
{
    __m256d some = _mm256_cmp_pd(b, _mm256_setzero_pd(), _CMP_NEQ_UQ);

    return _mm256_and_pd(some, _mm256_div_pd(a, b));
}

#define F __m256
#define F_WIDTH UINT64_C(8)
#define F_LOAD(p) _mm256_loadu_ps(p)
#define F_LOAD_PART(p, n) _mm256_maskload_ps(p, first_lanes(n))
#define F_STORE(p, v) _mm256_storeu_ps(p, v)
#define F_ZERO() _mm256_setzero_ps()
#define F_ADD(a, b) _mm256_add_ps(a, b)
#define F_SUB(a, b) _mm256_sub_ps(a, b)
#define F_MUL(a, b) _mm256_mul_ps(a, b)
#define F_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define F_MAX(a, b) _mm256_max_ps(a, b)
#define F_ABS(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define F_SUM(a) sum_floats(a)
#define F_TOP(a) top_float(a)
#define D __m256d
#define D_WIDTH UINT64_C(4)
#define D_LOAD(p) _mm256_cvtps_pd(_mm_loadu_ps(p))
#define D_LOAD_PART(p, n) \
    _mm256_cvtps_pd(_mm_maskload_ps(p, _mm256_castsi256_si128(first_lanes(n))))
#define D_ZERO() _mm256_setzero_pd()
#define D_SET(x) _mm256_set1_pd(x)
#define D_ADD(a, b) _mm256_add_pd(a, b)
#define D_SUB(a, b) _mm256_sub_pd(a, b)
#define D_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define D_MAX(a, b) _mm256_max_pd(a, b)
#define D_ABS(a) _mm256_andnot_pd(_mm256_set1_pd(-0.0), a)
#define D_RATIO(a, b) ratio(a, b)
#define D_SUM(a) sum_doubles(a)
#define D_TOP(a) top_double(a)

#include "kernels_template.h"

/* Four partial sums of 32 products: |b| <= 127 keeps the pairs of products inside 16 bits. */
TARGET static inline __m256i products(__m256i a, __m256i b)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(b, a));

    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

TARGET static void dot_codes(const int8_t *high, const int8_t *low, const int8_t *codes,
                             uint64_t stride, const uint32_t *index, uint64_t count,
                             uint64_t length, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const int8_t *code = codes + (index ? (uint64_t)index[i] : i) * stride;
        __m256i a = _mm256_setzero_si256(), b = a;

        for (uint64_t j = 0; j < length; j += 32) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(code + j));

            a = _mm256_add_epi32(a, products(x, _mm256_loadu_si256((const __m256i *)(high + j))));
            if (low)
                b = _mm256_add_epi32(b,
                                     products(x, _mm256_loadu_si256((const __m256i *)(low + j))));
        }
        out[i] = (float)sum_ints(a) + (float)sum_ints(b) * (1.0f / 254.0f);
    }
}

TARGET static uint64_t match_codes(const sp_match_input *in, sp_match *out)
{
    const __m256i flip = _mm256_set1_epi8(-128);
    uint64_t found = 0;

    for (uint64_t i = 0; i < in->row_count; i++) {
        const int8_t *code = in->codes + (in->index ? (uint64_t)in->index[i] : i) * in->stride;
        __m256 a = _mm256_set1_ps(in->a[i]), b = _mm256_set1_ps(in->b[i]);
        __m256 c = _mm256_set1_ps(in->c[i]);

        for (uint64_t j = 0; j < in->query_count; j += 8) {
            const uint8_t *query = in->queries + j / 16 * 16 * in->length + j % 16 * 4;
            __m256i sum = _mm256_setzero_si256();
            __m256 value;
            int passed;
            int32_t dots[8];

            for (uint64_t m = 0; m < in->length; m += 4, query += 64) {
                __m256i q = _mm256_loadu_si256((const __m256i *)query);
                int32_t four;

                memcpy(&four, code + m, sizeof(four));
                sum = _mm256_add_epi32(sum, products(_mm256_set1_epi32(four),
                                                     _mm256_xor_si256(q, flip)));
            }
            value = _mm256_fmsub_ps(c, _mm256_loadu_ps(in->r + j), _mm256_loadu_ps(in->t + j));
            value = _mm256_fmadd_ps(b, _mm256_loadu_ps(in->s + j), value);
            value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), a, value);
            passed = _mm256_movemask_ps(_mm256_cmp_ps(value, _mm256_setzero_ps(), _CMP_NLT_UQ));
            if (!passed)
                continue;
            _mm256_storeu_si256((__m256i *)dots, sum);
            for (; passed; passed &= passed - 1) {
                int lane = __builtin_ctz((unsigned)passed);

                out[found].row = (uint32_t)i;
                out[found].query = (uint32_t)j + (uint32_t)lane;
                out[found++].dot = dots[lane];
            }
        }
    }
    return found;
}

TARGET static uint64_t select_rows(const float *approx, const float *a, const float *b,
                                   const float *c, uint64_t count, float s, float r, float t,
                                   uint32_t *out)
{
    __m256 s8 = _mm256_set1_ps(s), r8 = _mm256_set1_ps(r), t8 = _mm256_set1_ps(t);
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i += 8) {
        __m256i lanes = first_lanes(count - i < 8 ? count - i : 8);
        __m256 value = _mm256_fmsub_ps(_mm256_maskload_ps(c + i, lanes), r8, t8);
        int passed;

        value = _mm256_fmadd_ps(_mm256_maskload_ps(b + i, lanes), s8, value);
        value = _mm256_fmadd_ps(_mm256_maskload_ps(approx + i, lanes),
                                _mm256_maskload_ps(a + i, lanes), value);
        value = _mm256_cmp_ps(value, _mm256_setzero_ps(), _CMP_NLT_UQ);
        passed = _mm256_movemask_ps(_mm256_and_ps(value, _mm256_castsi256_ps(lanes)));
        for (; passed; passed &= passed - 1)
            out[found++] = (uint32_t)i + (uint32_t)__builtin_ctz((unsigned)passed);
    }
    return found;
}

TARGET static void hadamard(float *values, uint64_t n)
{
    const __m256 sign1 = _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1);
    const __m256 sign2 = _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1);
    const __m256 sign4 = _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1);

    if (n < 8) {
        hadamard_small(values, n);
    } else {
        for (uint64_t i = 0; i < n; i += 8) {
            __m256 v = _mm256_loadu_ps(values + i);

            v = _mm256_fmadd_ps(v, sign1, _mm256_permute_ps(v, 0xb1));
            v = _mm256_fmadd_ps(v, sign2, _mm256_permute_ps(v, 0x4e));
            v = _mm256_fmadd_ps(v, sign4, _mm256_permute2f128_ps(v, v, 1));
            _mm256_storeu_ps(values + i, v);
        }
        butterflies(values, n, 8);
    }
}

TARGET static void quantise(const float *values, uint64_t n, float top, int8_t *codes,
                            float *scale, double *squared_error)
{
    float factor = 127.0f / top, best;
    __m256 along8 = _mm256_setzero_ps(), square8 = along8, error8 = along8, best8;
    double along, square_sum, error;
    uint64_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        __m256 v = _mm256_loadu_ps(values + i), x;
        __m256i code = _mm256_cvtps_epi32(_mm256_mul_ps(v, _mm256_set1_ps(factor)));
        __m128i half;

        code = _mm256_max_epi32(_mm256_min_epi32(code, _mm256_set1_epi32(127)),
                                _mm256_set1_epi32(-127));
        x = _mm256_cvtepi32_ps(code);
        along8 = _mm256_fmadd_ps(v, x, along8);
        square8 = _mm256_fmadd_ps(x, x, square8);
        half = _mm_packs_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
        _mm_storel_epi64((__m128i *)(codes + i), _mm_packs_epi16(half, half));
    }
    along = (double)sum_floats(along8);
    square_sum = (double)sum_floats(square8);
    for (; i < n; i++) {
        codes[i] = (int8_t)round_code(values[i] * factor);
        along += (double)values[i] * codes[i];
        square_sum += (double)(codes[i] * codes[i]);
    }
    best = square_sum > 0 ? (float)(along / square_sum) : 0;
    best8 = _mm256_set1_ps(best);
    for (i = 0; i + 8 <= n; i += 8) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(codes + i));
        __m256 x = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        __m256 miss = _mm256_fnmadd_ps(best8, x, _mm256_loadu_ps(values + i));

        error8 = _mm256_fmadd_ps(miss, miss, error8);
    }
    error = (double)sum_floats(error8);
    for (; i < n; i++) {
        double miss = (double)values[i] - (double)best * codes[i];

        error += miss * miss;
    }
    *scale = best;
    *squared_error = error;
}

TARGET static void from_float16(const uint16_t *values, uint64_t n, float *out)
{
    uint64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(values + i))));
    for (; i < n; i++)
        out[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(values[i])));
}

TARGET static void from_float64(const double *values, uint64_t n, float *out)
{
    uint64_t i = 0;

    for (; i + 4 <= n; i += 4)
        _mm_storeu_ps(out + i, _mm256_cvtpd_ps(_mm256_loadu_pd(values + i)));
    for (; i < n; i++)
        out[i] = (float)values[i];
}

TARGET static int all_finite(const float *values, uint64_t n)
{
    const __m256i exponent = _mm256_set1_epi32(0x7f800000);
    __m256i bad = _mm256_setzero_si256();

    for (uint64_t i = 0; i < n; i += 8) {
        __m256 part = i + 8 <= n ? F_LOAD(values + i) : F_LOAD_PART(values + i, n - i);
        __m256i bits = _mm256_and_si256(_mm256_castps_si256(part), exponent);

        bad = _mm256_or_si256(bad, _mm256_cmpeq_epi32(bits, exponent));
    }
    return _mm256_testz_si256(bad, bad);
}

const sp_kernels sp_kernels_avx2 = {
    .name = "avx2",
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
typedef int sp_kernels_avx2_unused; /* a file may not be empty */
#endif
