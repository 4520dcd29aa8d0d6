/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for x86-64 with AVX-512 (F, BW, DQ, VL) and its VNNI. */
#include "config.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels_table.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define ALWAYS TARGET static inline __attribute__((always_inline))

ALWAYS __mmask16 first16(uint64_t n)
{
    return (__mmask16)((1u << n) - 1);
}

ALWAYS __mmask8 first8(uint64_t n)
{
    return (__mmask8)((1u << n) - 1);
}

ALWAYS __m512d ratio(__m512d a, __m512d b)
{
    return _mm512_maskz_div_pd(_mm512_cmp_pd_mask(b, _mm512_setzero_pd(), _CMP_NEQ_UQ), a, b);
}

#define F __m512
#define F_WIDTH UINT64_C(16)
#define F_LOAD(p) _mm512_loadu_ps(p)
#define F_LOAD_PART(p, n) _mm512_maskz_loadu_ps(first16(n), p)
#define F_STORE(p, v) _mm512_storeu_ps(p, v)
#define F_ZERO() _mm512_setzero_ps()
#define F_ADD(a, b) _mm512_add_ps(a, b)
#define F_SUB(a, b) _mm512_sub_ps(a, b)
#define F_MUL(a, b) _mm512_mul_ps(a, b)
#define F_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define F_MAX(a, b) _mm512_max_ps(a, b)
#define F_ABS(a) _mm512_abs_ps(a)
#define F_SUM(a) _mm512_reduce_add_ps(a)
#define F_TOP(a) _mm512_reduce_max_ps(a)
#define D __m512d
#define D_WIDTH UINT64_C(8)
#define D_LOAD(p) _mm512_cvtps_pd(_mm256_loadu_ps(p))
#define D_LOAD_PART(p, n) _mm512_cvtps_pd(_mm256_maskz_loadu_ps(first8(n), p))
#define D_ZERO() _mm512_setzero_pd()
#define D_SET(x) _mm512_set1_pd(x)
#define D_ADD(a, b) _mm512_add_pd(a, b)
#define D_SUB(a, b) _mm512_sub_pd(a, b)
#define D_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define D_MAX(a, b) _mm512_max_pd(a, b)
#define D_ABS(a) _mm512_abs_pd(a)
#define D_RATIO(a, b) ratio(a, b)
#define D_SUM(a) _mm512_reduce_add_pd(a)
#define D_TOP(a) _mm512_reduce_max_pd(a)

#include "kernels_template.h"

/* ---- codes ----------------------------------------------------------------------------- */

/* The sums of four vectors of ints. */
ALWAYS __m128i sum_four(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all),
                                    _mm512_extracti64x4_epi64(all, 1));

    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/*
 * sum += four products of bytes, in each of 16 places; VNNI wants a unsigned. An
 * instruction of our own, because gcc 12 copies and spills the sums around its builtin.
 */
ALWAYS __m512i add_products(__m512i sum, __m512i a, __m512i b)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}

/* The sums of one row against both parts of a query; 128 is added to the row's bytes. */
#define ONE_ROW(k)                                                                           \
    do {                                                                                     \
        for (uint64_t j = 0; j < length; j += 64) {                                          \
            __m512i x = _mm512_xor_si512(_mm512_loadu_si512(row[k] + j), flip);              \
                                                                                             \
            a##k = add_products(a##k, x, _mm512_loadu_si512(high + j));                      \
            if (low)                                                                         \
                b##k = add_products(b##k, x, _mm512_loadu_si512(low + j));                   \
        }                                                                                    \
    } while (0)

/* The dots of four rows, one after the other as memory likes it. low may be NULL. */
ALWAYS __m128 dot_four(const int8_t *high, const int8_t *low, const int8_t *const *row,
                       uint64_t length, int32_t high_offset, int32_t low_offset)
{
    const __m512i flip = _mm512_set1_epi8(-128), zero = _mm512_setzero_si512();
    __m512i a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    __m512i b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    __m128 sum;

    ONE_ROW(0);
    ONE_ROW(1);
    ONE_ROW(2);
    ONE_ROW(3);
    sum = _mm_cvtepi32_ps(_mm_add_epi32(sum_four(a0, a1, a2, a3), _mm_set1_epi32(high_offset)));
    if (low)
        sum = _mm_fmadd_ps(_mm_cvtepi32_ps(_mm_add_epi32(sum_four(b0, b1, b2, b3),
                                                         _mm_set1_epi32(low_offset))),
                           _mm_set1_ps(1.0f / 254.0f), sum);
    return sum;
}

/* -128 times the sum of the bytes */
TARGET static int32_t offset_of(const int8_t *bytes, uint64_t length)
{
    __m512i sum = _mm512_setzero_si512();

    for (uint64_t j = 0; j < length; j += 64)
        sum = add_products(sum, _mm512_set1_epi8(1), _mm512_loadu_si512(bytes + j));
    return -128 * _mm512_reduce_add_epi32(sum);
}

TARGET static void dot_codes(const int8_t *high, const int8_t *low, const int8_t *codes,
                             uint64_t stride, const uint32_t *index, uint64_t count,
                             uint64_t length, float *out)
{
    int32_t high_offset = offset_of(high, length), low_offset = low ? offset_of(low, length) : 0;
    uint64_t i = 0;

    for (; i + 4 <= count; i += 4) {
        const int8_t *row[4];

        for (uint64_t k = 0; k < 4; k++)
            row[k] = codes + (index ? (uint64_t)index[i + k] : i + k) * stride;
        if (low)
            _mm_storeu_ps(out + i, dot_four(high, low, row, length, high_offset, low_offset));
        else
            _mm_storeu_ps(out + i, dot_four(high, NULL, row, length, high_offset, 0));
    }
    for (; i < count; i++) {
        const __m512i flip = _mm512_set1_epi8(-128);
        const int8_t *row[1] = {codes + (index ? (uint64_t)index[i] : i) * stride};
        __m512i a0 = _mm512_setzero_si512(), b0 = a0;

        ONE_ROW(0);
        out[i] = (float)(_mm512_reduce_add_epi32(a0) + high_offset) +
                 (float)(_mm512_reduce_add_epi32(b0) + low_offset) * (1.0f / 254.0f);
    }
}

/* What passes of 16 sums of one row, appended to out. */
ALWAYS uint64_t keep(const sp_match_input *in, uint64_t row, uint64_t panel, __m512i sum,
                     sp_match *out, uint64_t found)
{
    const uint64_t first = panel * 16;
    __m512 value = _mm512_fmsub_ps(_mm512_set1_ps(in->c[row]), _mm512_loadu_ps(in->r + first),
                                   _mm512_loadu_ps(in->t + first));
    unsigned passed;
    int32_t dots[16];

    value = _mm512_fmadd_ps(_mm512_set1_ps(in->b[row]), _mm512_loadu_ps(in->s + first), value);
    value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(in->a[row]), value);
    passed = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NLT_UQ);
    if (!passed)
        return found;
    _mm512_storeu_si512(dots, sum);
    for (; passed; passed &= passed - 1) {
        unsigned lane = (unsigned)__builtin_ctz(passed);

        out[found].row = (uint32_t)row;
        out[found].query = (uint32_t)first + lane;
        out[found++].dot = dots[lane];
    }
    return found;
}

/* The next four bytes of a code, 16 times. */
ALWAYS __m512i four_bytes(const int8_t *code)
{
    int32_t four;

    memcpy(&four, code, sizeof(four));
    return _mm512_set1_epi32(four);
}

/* The length of the rest, as sp_code_rest. */
TARGET static float rest_of(const int8_t *code, uint64_t head, uint64_t length)
{
    __m512i sum = _mm512_setzero_si512();

    for (uint64_t m = head; m < length; m += 64) {
        __m512i bytes = _mm512_abs_epi8(_mm512_loadu_si512(code + m));

        sum = add_products(sum, bytes, bytes);
    }
    return sqrtf((float)_mm512_reduce_add_epi32(sum));
}

/* So many tiles say whether heads are worth asking. */
#define HEADS_TRIED 4

/* Six codes, and what the queries' 128 adds to their dots; fewer than six are repeated. */
typedef struct six_rows {
    const int8_t *code[6];
    int32_t offset[6], head_offset[6];
    float rest[6];
    uint64_t first, count;
} six_rows;

/* Which of 16 sums of one row's head could still pass, with the most that the rests can add to them. */
ALWAYS unsigned hopeful(const sp_match_input *in, uint64_t row, float rest, uint64_t panel,
                        __m512i sum)
{
    /* more than what rounding takes away */
    const float reach = rest * 1.0001f;
    const uint64_t first = panel * 16;
    __m512 a = _mm512_set1_ps(in->a[row]);
    __m512 value = _mm512_fmsub_ps(_mm512_set1_ps(in->c[row]), _mm512_loadu_ps(in->r + first),
                                   _mm512_loadu_ps(in->t + first));

    value = _mm512_fmadd_ps(_mm512_set1_ps(in->b[row]), _mm512_loadu_ps(in->s + first), value);
    value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), a, value);
    value = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_abs_ps(a), _mm512_set1_ps(reach)),
                            _mm512_loadu_ps(in->rests + first), value);
    return _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NLT_UQ);
}

/*
 * Against four panels: 24 sums, as many as there are registers for. With a head, what cannot
 * pass whatever its rest is ends there; *skipped says whether this was so for all of it.
 */
TARGET static uint64_t tile_4(const sp_match_input *in, const six_rows *rows, uint64_t panel,
                              uint64_t head, int *skipped, sp_match *out, uint64_t found)
{
    const uint64_t length = in->length, panel_size = 16 * length;
    const uint8_t *q = in->queries + panel * panel_size;
    uint64_t m = 0;
    const int8_t *x0 = rows->code[0], *x1 = rows->code[1], *x2 = rows->code[2];
    const int8_t *x3 = rows->code[3], *x4 = rows->code[4], *x5 = rows->code[5];

    /* named one by one: arrays of vectors would not stay in registers */
#define SUMS(i)                                                                            \
    __m512i s##i##0 = _mm512_set1_epi32(head ? rows->head_offset[i] : rows->offset[i]);    \
    __m512i s##i##1 = s##i##0, s##i##2 = s##i##0, s##i##3 = s##i##0
#define ADD_ALL                                                                       \
    do {                                                                              \
        __m512i q0 = _mm512_loadu_si512(q), q1 = _mm512_loadu_si512(q + panel_size);  \
        __m512i q2 = _mm512_loadu_si512(q + 2 * panel_size);                          \
        __m512i q3 = _mm512_loadu_si512(q + 3 * panel_size);                          \
        ADD(0);                                                                       \
        ADD(1);                                                                       \
        ADD(2);                                                                       \
        ADD(3);                                                                       \
        ADD(4);                                                                       \
        ADD(5);                                                                       \
    } while (0)
#define HOPES(i)                                                                             \
    (i < rows->count                                                                         \
         ? hopeful(in, rows->first + i, rows->rest[i], panel, s##i##0) |                     \
               hopeful(in, rows->first + i, rows->rest[i], panel + 1, s##i##1) |             \
               hopeful(in, rows->first + i, rows->rest[i], panel + 2, s##i##2) |             \
               hopeful(in, rows->first + i, rows->rest[i], panel + 3, s##i##3)               \
         : 0)
#define REST(i)                                                                              \
    do {                                                                                     \
        __m512i rest = _mm512_set1_epi32(rows->offset[i] - rows->head_offset[i]);            \
        s##i##0 = _mm512_add_epi32(s##i##0, rest);                                           \
        s##i##1 = _mm512_add_epi32(s##i##1, rest);                                           \
        s##i##2 = _mm512_add_epi32(s##i##2, rest);                                           \
        s##i##3 = _mm512_add_epi32(s##i##3, rest);                                           \
    } while (0)
#define ADD(i)                                       \
    do {                                             \
        __m512i four = four_bytes(x##i + m);         \
        s##i##0 = add_products(s##i##0, q0, four);   \
        s##i##1 = add_products(s##i##1, q1, four);   \
        s##i##2 = add_products(s##i##2, q2, four);   \
        s##i##3 = add_products(s##i##3, q3, four);   \
    } while (0)
#define KEEP(i)                                                             \
    do {                                                                    \
        if (i < rows->count) {                                              \
            found = keep(in, rows->first + i, panel, s##i##0, out, found);  \
            found = keep(in, rows->first + i, panel + 1, s##i##1, out, found); \
            found = keep(in, rows->first + i, panel + 2, s##i##2, out, found); \
            found = keep(in, rows->first + i, panel + 3, s##i##3, out, found); \
        }                                                                   \
    } while (0)

    SUMS(0);
    SUMS(1);
    SUMS(2);
    SUMS(3);
    SUMS(4);
    SUMS(5);
    *skipped = 0;
    if (head) {
        for (; m < head; m += 4, q += 64)
            ADD_ALL;
        if (!(HOPES(0) | HOPES(1) | HOPES(2) | HOPES(3) | HOPES(4) | HOPES(5))) {
            *skipped = 1;
            return found;
        }
        REST(0);
        REST(1);
        REST(2);
        REST(3);
        REST(4);
        REST(5);
    }
    for (; m < length; m += 4, q += 64)
        ADD_ALL;
    KEEP(0);
    KEEP(1);
    KEEP(2);
    KEEP(3);
    KEEP(4);
    KEEP(5);
#undef SUMS
#undef ADD
#undef ADD_ALL
#undef HOPES
#undef REST
#undef KEEP
    return found;
}

/* Against one panel. */
TARGET static uint64_t tile_1(const sp_match_input *in, const six_rows *rows, uint64_t panel,
                              sp_match *out, uint64_t found)
{
    const uint8_t *q = in->queries + panel * 16 * in->length;
    const int8_t *x0 = rows->code[0], *x1 = rows->code[1], *x2 = rows->code[2];
    const int8_t *x3 = rows->code[3], *x4 = rows->code[4], *x5 = rows->code[5];
    __m512i s0 = _mm512_set1_epi32(rows->offset[0]), s1 = _mm512_set1_epi32(rows->offset[1]);
    __m512i s2 = _mm512_set1_epi32(rows->offset[2]), s3 = _mm512_set1_epi32(rows->offset[3]);
    __m512i s4 = _mm512_set1_epi32(rows->offset[4]), s5 = _mm512_set1_epi32(rows->offset[5]);

    for (uint64_t m = 0; m < in->length; m += 4, q += 64) {
        __m512i query = _mm512_loadu_si512(q);

        s0 = add_products(s0, query, four_bytes(x0 + m));
        s1 = add_products(s1, query, four_bytes(x1 + m));
        s2 = add_products(s2, query, four_bytes(x2 + m));
        s3 = add_products(s3, query, four_bytes(x3 + m));
        s4 = add_products(s4, query, four_bytes(x4 + m));
        s5 = add_products(s5, query, four_bytes(x5 + m));
    }
#define KEEP(i)                                                    \
    if (i < rows->count)                                           \
    found = keep(in, rows->first + i, panel, s##i, out, found)
    KEEP(0);
    KEEP(1);
    KEEP(2);
    KEEP(3);
    KEEP(4);
    KEEP(5);
#undef KEEP
    return found;
}

TARGET static uint64_t match_codes(const sp_match_input *in, sp_match *out)
{
    const uint64_t panels = in->query_count / 16, tiles = (in->row_count + 5) / 6;
    six_rows rows[SP_MATCH_ROWS / 6];
    uint64_t found = 0, panel = 0, head = in->rests ? sp_code_head(in->length) : 0;
    uint64_t tried = 0, saved = 0;

    for (uint64_t i = 0; i < tiles * 6; i++) {
        const uint64_t at = i < in->row_count ? i : in->row_count - 1;
        const int8_t *code = in->codes + (in->index ? (uint64_t)in->index[at] : at) * in->stride;

        rows[i / 6].code[i % 6] = code;
        rows[i / 6].offset[i % 6] = offset_of(code, in->length);
        if (head) {
            rows[i / 6].head_offset[i % 6] = offset_of(code, head);
            rows[i / 6].rest[i % 6] = rest_of(code, head, in->length);
        }
        rows[i / 6].first = i / 6 * 6;
        rows[i / 6].count = in->row_count - i / 6 * 6;
    }
    /* four panels stay in the nearest caches while all rows pass */
    for (; panel + 4 <= panels; panel += 4)
        for (uint64_t i = 0; i < tiles; i++) {
            int skipped;

            found = tile_4(in, &rows[i], panel, head, &skipped, out, found);
            saved += (uint64_t)skipped;
            /* where heads say nothing, asking them is not worth it */
            if (++tried == HEADS_TRIED && !saved)
                head = 0;
        }
    for (; panel < panels; panel++)
        for (uint64_t i = 0; i < tiles; i++)
            found = tile_1(in, &rows[i], panel, out, found);
    return found;
}

TARGET static uint64_t select_rows(const float *approx, const float *a, const float *b,
                                   const float *c, uint64_t count, float s, float r, float t,
                                   uint32_t *out)
{
    __m512 s16 = _mm512_set1_ps(s), r16 = _mm512_set1_ps(r), t16 = _mm512_set1_ps(t);
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i += 16) {
        __mmask16 lanes = count - i < 16 ? first16(count - i) : (__mmask16)0xffff;
        __m512 value = _mm512_fmsub_ps(_mm512_maskz_loadu_ps(lanes, c + i), r16, t16);
        unsigned passed;

        value = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, b + i), s16, value);
        value = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, approx + i),
                                _mm512_maskz_loadu_ps(lanes, a + i), value);
        passed = _mm512_mask_cmp_ps_mask(lanes, value, _mm512_setzero_ps(), _CMP_NLT_UQ);
        for (; passed; passed &= passed - 1)
            out[found++] = (uint32_t)i + (uint32_t)__builtin_ctz(passed);
    }
    return found;
}

TARGET static void hadamard(float *values, uint64_t n)
{
    const __m512 sign1 = _mm512_setr_ps(1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1);
    const __m512 sign2 = _mm512_setr_ps(1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1);
    const __m512 sign4 = _mm512_setr_ps(1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1);
    const __m512 sign8 = _mm512_setr_ps(1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1);

    if (n < 16) {
        hadamard_small(values, n);
    } else {
        for (uint64_t i = 0; i < n; i += 16) {
            __m512 v = _mm512_loadu_ps(values + i);

            v = _mm512_fmadd_ps(v, sign1, _mm512_permute_ps(v, 0xb1));
            v = _mm512_fmadd_ps(v, sign2, _mm512_permute_ps(v, 0x4e));
            v = _mm512_fmadd_ps(v, sign4, _mm512_shuffle_f32x4(v, v, 0xb1));
            v = _mm512_fmadd_ps(v, sign8, _mm512_shuffle_f32x4(v, v, 0x4e));
            _mm512_storeu_ps(values + i, v);
        }
        butterflies(values, n, 16);
    }
}

TARGET static void quantise(const float *values, uint64_t n, float top, int8_t *codes,
                            float *scale, double *squared_error)
{
    float factor = 127.0f / top, best;
    __m512 along = _mm512_setzero_ps(), square_sum = along, error = along;
    double squares;

    for (uint64_t i = 0; i < n; i += 16) {
        __mmask16 lanes = n - i < 16 ? first16(n - i) : (__mmask16)0xffff;
        __m512 v = _mm512_maskz_loadu_ps(lanes, values + i), x;
        __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(v, _mm512_set1_ps(factor)));

        code = _mm512_max_epi32(_mm512_min_epi32(code, _mm512_set1_epi32(127)),
                                _mm512_set1_epi32(-127));
        x = _mm512_cvtepi32_ps(code);
        along = _mm512_fmadd_ps(v, x, along);
        square_sum = _mm512_fmadd_ps(x, x, square_sum);
        _mm_mask_storeu_epi8(codes + i, lanes, _mm512_cvtepi32_epi8(code));
    }
    squares = (double)_mm512_reduce_add_ps(square_sum);
    best = squares > 0 ? (float)((double)_mm512_reduce_add_ps(along) / squares) : 0;
    for (uint64_t i = 0; i < n; i += 16) {
        __mmask16 lanes = n - i < 16 ? first16(n - i) : (__mmask16)0xffff;
        __m512i code = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, codes + i));
        __m512 miss = _mm512_fnmadd_ps(_mm512_set1_ps(best), _mm512_cvtepi32_ps(code),
                                       _mm512_maskz_loadu_ps(lanes, values + i));

        error = _mm512_fmadd_ps(miss, miss, error);
    }
    *scale = best;
    *squared_error = (double)_mm512_reduce_add_ps(error);
}

/* ---- conversions ----------------------------------------------------------------------- */

TARGET static void from_float16(const uint16_t *values, uint64_t n, float *out)
{
    uint64_t i = 0;

    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i,
                         _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(values + i))));
    if (i < n)
        _mm512_mask_storeu_ps(out + i, first16(n - i),
                              _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n - i), values + i)));
}

TARGET static void from_float64(const double *values, uint64_t n, float *out)
{
    uint64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm512_cvtpd_ps(_mm512_loadu_pd(values + i)));
    if (i < n)
        _mm256_mask_storeu_ps(out + i, first8(n - i),
                              _mm512_cvtpd_ps(_mm512_maskz_loadu_pd(first8(n - i), values + i)));
}

TARGET static int all_finite(const float *values, uint64_t n)
{
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    unsigned bad = 0;

    for (uint64_t i = 0; i < n; i += 16) {
        __m512 part = i + 16 <= n ? F_LOAD(values + i) : F_LOAD_PART(values + i, n - i);
        __m512i bits = _mm512_and_si512(_mm512_castps_si512(part), exponent);

        bad |= _mm512_cmpeq_epi32_mask(bits, exponent);
    }
    return !bad;
}

const sp_kernels sp_kernels_avx512 = {
    .name = "avx512",
    .fast_match = 1,
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
typedef int sp_kernels_avx512_unused; /* a file may not be empty */
#endif
