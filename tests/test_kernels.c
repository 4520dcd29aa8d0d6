/* SPDX-License-Identifier: Apache-2.0 */
/* Every kernel of every table this CPU has, against plain sums in double. */
#include "config.h"

#include <math.h>

#include "kernels.h"
#include "unit.h"

static const char *const table_names[] = {"scalar", "avx2", "avx512", "neon"};
static const uint64_t lengths[] = {1,  2,  3,  4,  5,  7,  8,   9,   15,  16,  17,  31,
                                   32, 33, 47, 63, 64, 65, 100, 127, 128, 129, 511, 768};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ROWS 7

/* ---- small things ---------------------------------------------------------------------- */

static uint64_t state = 1;

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) / 9007199254740992.0 * 2 - 1;
}

static void *allocate(size_t size)
{
    void *data = aligned_alloc(64, (size + 63) / 64 * 64);

    if (!data)
        abort();
    memset(data, 0, (size + 63) / 64 * 64);
    return data;
}

static float *random_floats(uint64_t count, double spread)
{
    float *values = allocate((count + 1) * sizeof(float));

    for (uint64_t i = 0; i < count; i++)
        values[i] = (float)(uniform() * spread);
    return values;
}

static void each_table(void (*check)(const sp_kernels *kernels))
{
    int seen = 0;

    for (size_t i = 0; i < COUNT_OF(table_names); i++) {
        const sp_kernels *kernels = sp_kernels_named(table_names[i]);

        if (!kernels)
            continue;
        seen++;
        CU_ASSERT_STRING_EQUAL(kernels->name, table_names[i]);
        sp_kernels_force(kernels);
        check(kernels);
        sp_kernels_force(NULL);
    }
    CU_ASSERT(seen >= 1);
}

static int near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* ---- what the kernels are compared with ------------------------------------------------ */

static double reference(int what, const float *q, const float *x, uint64_t n)
{
    double dot = 0, xx = 0, squared = 0, manhattan = 0, chebyshev = 0, canberra = 0;
    double sum = 0, mean_q = 0, mean_x = 0, cqx = 0, cqq = 0, cxx = 0;

    for (uint64_t i = 0; i < n; i++) {
        double a = (double)q[i], b = (double)x[i], d = fabs(a - b), m = fabs(a) + fabs(b);

        dot += a * b;
        xx += b * b;
        squared += d * d;
        manhattan += d;
        chebyshev = d > chebyshev ? d : chebyshev;
        canberra += m > 0 ? d / m : 0;
        sum += fabs(a + b);
        mean_q += a / (double)n;
        mean_x += b / (double)n;
    }
    for (uint64_t i = 0; i < n; i++) {
        double a = (double)q[i] - mean_q, b = (double)x[i] - mean_x;

        cqx += a * b;
        cqq += a * a;
        cxx += b * b;
    }
    switch (what) {
    case SP_EXACT_DOT:
        return dot;
    case SP_EXACT_COSINE:
        return xx > 0 ? dot / sqrt(xx) : 0;
    case SP_EXACT_SQUARED:
        return squared;
    case SP_EXACT_MANHATTAN:
        return manhattan;
    case SP_EXACT_CHEBYSHEV:
        return chebyshev;
    case SP_EXACT_CANBERRA:
        return canberra;
    case SP_EXACT_BRAYCURTIS:
        return sum > 0 ? manhattan / sum : manhattan > 0 ? (double)INFINITY : 0;
    default:
        return cqq > 0 && cxx > 0 ? cqx / sqrt(cqq * cxx) : 0;
    }
}

/* ---- floats ---------------------------------------------------------------------------- */

static void check_rows(const sp_kernels *kernels)
{
    static const uint32_t index[] = {6, 0, 3};

    for (size_t l = 0; l < COUNT_OF(lengths); l++)
        for (uint64_t shift = 0; shift < 2; shift++) {
            uint64_t n = lengths[l], stride = n + 3;
            float *query_memory = random_floats(n + 1, 2), *query = query_memory + shift;
            float *rows_memory = random_floats(ROWS * stride + 1, 2), *rows = rows_memory + shift;
            float out[ROWS], some[3];
            double exact[ROWS], one;

            memcpy(rows + stride, query, n * sizeof(float)); /* the query itself */
            memset(rows + 2 * stride, 0, n * sizeof(float)); /* nothing */
            for (uint64_t j = 0; j < n; j++)
                rows[3 * stride + j] = -query[j]; /* the opposite */

            kernels->dot(query, rows, stride, NULL, ROWS, n, out);
            kernels->dot(query, rows, stride, index, 3, n, some);
            for (uint64_t i = 0; i < ROWS; i++)
                CU_ASSERT(near((double)out[i], reference(SP_EXACT_DOT, query, rows + i * stride, n),
                               1e-4));
            for (uint64_t i = 0; i < 3; i++)
                CU_ASSERT(memcmp(&some[i], &out[index[i]], sizeof(float)) == 0);
            kernels->squared(query, rows, stride, NULL, ROWS, n, out);
            for (uint64_t i = 0; i < ROWS; i++)
                CU_ASSERT(near((double)out[i],
                               reference(SP_EXACT_SQUARED, query, rows + i * stride, n), 1e-5));
            CU_ASSERT(near(kernels->square(query, n), reference(SP_EXACT_DOT, query, query, n),
                           1e-13));
            for (int what = 0; what < SP_EXACT_COUNT; what++) {
                kernels->exact[what](query, rows, stride, NULL, ROWS, n, exact);
                for (uint32_t i = 0; i < ROWS; i++) {
                    double expected = reference(what, query, rows + i * stride, n);

                    CU_ASSERT(isinf(expected) ? isinf(exact[i]) : near(exact[i], expected, 1e-12));
                    /* alone it is the same to the last bit */
                    kernels->exact[what](query, rows, stride, &i, 1, n, &one);
                    CU_ASSERT(memcmp(&one, &exact[i], sizeof(double)) == 0);
                }
            }
            free(query_memory);
            free(rows_memory);
        }
}

static void test_rows(void)
{
    each_table(check_rows);
}

static void check_extremes(const sp_kernels *kernels)
{
    float huge[33], tiny[33], out;
    double exact;

    for (int i = 0; i < 33; i++) {
        huge[i] = 3e38f;
        tiny[i] = 1e-45f;
    }
    kernels->dot(huge, huge, 33, NULL, 1, 33, &out);
    CU_ASSERT(isinf(out));
    kernels->exact[SP_EXACT_DOT](huge, huge, 33, NULL, 1, 33, &exact);
    CU_ASSERT(near(exact, 33 * (double)3e38f * (double)3e38f, 1e-12));
    kernels->exact[SP_EXACT_COSINE](tiny, tiny, 33, NULL, 1, 33, &exact);
    CU_ASSERT(exact > 0 && near(exact / sqrt(kernels->square(tiny, 33)), 1, 1e-12));
    kernels->exact[SP_EXACT_CORRELATION](huge, tiny, 33, NULL, 1, 33, &exact);
    CU_ASSERT(exact == 0);
    kernels->exact[SP_EXACT_CANBERRA](tiny, huge, 33, NULL, 1, 33, &exact);
    CU_ASSERT(near(exact, 33, 1e-6));
}

static void test_extremes(void)
{
    each_table(check_extremes);
}

static void check_finite(const sp_kernels *kernels)
{
    static const float bad[] = {INFINITY, -INFINITY, NAN};

    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        uint64_t n = lengths[l];
        float *values = random_floats(n + 1, 3e38);

        values[n] = NAN; /* beyond the end */
        CU_ASSERT(kernels->all_finite(values, n));
        CU_ASSERT(kernels->all_finite(values, 0));
        for (uint64_t i = 0; i < n; i++)
            for (size_t b = 0; b < COUNT_OF(bad); b++) {
                float kept = values[i];

                values[i] = bad[b];
                CU_ASSERT(!kernels->all_finite(values, n));
                values[i] = kept;
            }
        free(values);
    }
}

static void test_finite(void)
{
    each_table(check_finite);
}

static void check_conversions(const sp_kernels *kernels)
{
    static const struct {
        uint16_t half;
        float value;
    } halves[] = {{0x3c00, 1},        {0xc000, -2},     {0x7bff, 65504},       {0x0400, 0x1p-14f},
                  {0x0001, 0x1p-24f}, {0x83ff, -0x1.ff8p-15f}, {0x7c00, INFINITY}, {0xfc00, -INFINITY},
                  {0x3555, 0x1.554p-2f}};
    uint16_t *all = allocate(65536 * sizeof(uint16_t));
    float *wide = allocate(65536 * sizeof(float)), *expected = allocate(65536 * sizeof(float));
    const sp_kernels *scalar = sp_kernels_named("scalar");

    for (size_t i = 0; i < COUNT_OF(halves); i++) {
        float value;

        kernels->from_float16(&halves[i].half, 1, &value);
        CU_ASSERT(value == halves[i].value);
    }
    for (uint32_t i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    scalar->from_float16(all, 65536, expected);
    kernels->from_float16(all, 65536, wide);
    for (uint32_t i = 0; i < 65536; i++)
        CU_ASSERT(isnan(expected[i]) ? isnan(wide[i])
                                     : memcmp(wide + i, expected + i, sizeof(float)) == 0);
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        uint64_t n = lengths[l];
        double *doubles = allocate((n + 1) * sizeof(double));

        for (uint64_t i = 0; i < n; i++)
            doubles[i] = uniform() * 1e3;
        wide[n] = 77;
        kernels->from_float64(doubles, n, wide);
        for (uint64_t i = 0; i < n; i++)
            CU_ASSERT(wide[i] == (float)doubles[i]);
        CU_ASSERT(wide[n] == 77);
        kernels->from_float16(all + 0x3c00, n, wide);
        for (uint64_t i = 0; i < n; i++)
            CU_ASSERT(wide[i] == expected[0x3c00 + i]);
        CU_ASSERT(wide[n] == 77);
        free(doubles);
    }
    free(all);
    free(wide);
    free(expected);
}

static void test_conversions(void)
{
    each_table(check_conversions);
}

/* ---- codes ----------------------------------------------------------------------------- */

static void check_hadamard(const sp_kernels *kernels)
{
    for (uint64_t n = 1; n <= 2048; n *= 2) {
        float *values = random_floats(n, 1), *turned = allocate(n * sizeof(float));

        memcpy(turned, values, n * sizeof(float));
        kernels->hadamard(turned, n);
        if (n <= 128)
            for (uint64_t i = 0; i < n; i++) {
                double sum = 0;

                for (uint64_t j = 0; j < n; j++)
                    sum += __builtin_parityll(i & j) ? -(double)values[j] : (double)values[j];
                CU_ASSERT(near((double)turned[i], sum, 1e-5));
            }
        kernels->hadamard(turned, n); /* twice is n times the identity */
        for (uint64_t i = 0; i < n; i++)
            CU_ASSERT(near((double)turned[i] / (double)n, (double)values[i], 1e-5));
        free(values);
        free(turned);
    }
}

static void test_hadamard(void)
{
    each_table(check_hadamard);
}

/*
 * The bound itself, which everything else stands on, as the search uses it: by Cauchy and
 * Schwarz, with what the codes say and the errors promise.
 */
static void check_bound(const sp_kernels *kernels)
{
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        uint64_t n = lengths[l], code_stride = sp_codes_stride(n), stride = n + 1;
        sp_codes *codes = sp_codes_new(n);
        float *rows = random_floats(ROWS * stride, 1), *query = random_floats(n, 5);
        int8_t *out = allocate(ROWS * code_stride), *high = allocate(code_stride);
        int8_t *low = allocate(code_stride);
        float scales[ROWS], errors[ROWS], norms[ROWS], both[ROWS], first[ROWS];
        sp_query_code code;

        CU_ASSERT_FATAL(codes != NULL);
        for (uint64_t j = 0; j < n; j++) {
            rows[1 * stride + j] *= j < 3 ? 100 : 1; /* outlying dimensions */
            rows[2 * stride + j] *= 1e6f;
            rows[3 * stride + j] = 0;
            rows[4 * stride + j] = j == n / 2 ? 1 : 0; /* one single dimension */
            rows[5 * stride + j] = 1;
        }
        memset(out, 0x55, ROWS * code_stride);
        sp_codes_encode(codes, rows, stride, ROWS, out, code_stride, scales, errors, norms);
        CU_ASSERT_FATAL(sp_codes_query(codes, query, code_stride, high, low, &code));
        kernels->dot_codes(high, low, out, code_stride, NULL, ROWS, code_stride, both);
        kernels->dot_codes(high, NULL, out, code_stride, NULL, ROWS, code_stride, first);
        for (uint64_t i = 0; i < ROWS; i++) {
            double norm = sqrt(kernels->square(rows + i * stride, n));
            double qnorm = sqrt(kernels->square(query, n));
            double dot = reference(SP_EXACT_DOT, query, rows + i * stride, n);
            double unit = code.scale * (double)scales[i], rounding = 4e-6 * norm * qnorm;
            double error = (double)errors[i];

            CU_ASSERT(near((double)norms[i], norm, 1e-6));
            CU_ASSERT(error <= 0.02 * norm || i == 3);
            CU_ASSERT(fabs((double)both[i] * unit - dot) <=
                      qnorm * error + code.error * (norm + error) + rounding);
            CU_ASSERT(fabs((double)first[i] * unit - dot) <=
                      qnorm * error + code.high_error * (norm + error) + rounding);
            for (uint64_t j = n; j < code_stride; j++)
                CU_ASSERT(out[i * code_stride + j] == 0);
            for (uint64_t j = 0; j < n; j++)
                CU_ASSERT(out[i * code_stride + j] >= -127);
        }
        CU_ASSERT(scales[3] == 0 && errors[3] == 0 && norms[3] == 0);
        CU_ASSERT(code.error < 1e-4 * code.length && code.high_error < 0.03 * code.high_length);
        sp_codes_free(codes);
        free(rows);
        free(query);
        free(out);
        free(high);
        free(low);
    }
}

static void test_bound(void)
{
    each_table(check_bound);
}

static void test_codes_of_odd_rows(void)
{
    float rows[3][20], scales[3], errors[3], norms[3];
    int8_t out[3][64], low[64];
    sp_query_code code;
    sp_codes *codes = sp_codes_new(20);

    CU_ASSERT_PTR_NULL(sp_codes_new(0));
    CU_ASSERT_PTR_NULL(sp_codes_new((UINT64_C(1) << 31) + 1));
    CU_ASSERT_EQUAL(sp_codes_stride(1), 64);
    CU_ASSERT_EQUAL(sp_codes_stride(64), 64);
    CU_ASSERT_EQUAL(sp_codes_stride(65), 128);
    CU_ASSERT_FATAL(codes != NULL);
    for (int j = 0; j < 20; j++) {
        rows[0][j] = 1e-30f;
        rows[1][j] = 3e38f;
        rows[2][j] = 1;
    }
    sp_codes_encode(codes, rows[0], 20, 3, out[0], 64, scales, errors, norms);
    CU_ASSERT(scales[0] == 0 && errors[0] >= norms[0] && norms[0] > 0);
    CU_ASSERT(scales[1] == 0 && isinf(errors[1]) && isinf(norms[1]));
    CU_ASSERT(scales[2] > 0 && errors[2] < 0.02f * norms[2]);
    CU_ASSERT(!sp_codes_query(codes, rows[0], 64, out[0], low, &code));
    CU_ASSERT(!sp_codes_query(codes, rows[1], 64, out[0], low, &code));
    CU_ASSERT(sp_codes_query(codes, rows[2], 64, out[0], low, &code));
    sp_codes_free(codes);
}

/* A dimension beyond the stack's room, and the same codes from every table. */
static void test_codes_of_long_rows(void)
{
    const uint64_t n = 5000, code_stride = sp_codes_stride(n);
    sp_codes *codes = sp_codes_new(n);
    float *row = random_floats(n, 1);
    int8_t *first = allocate(code_stride), *other = allocate(code_stride);
    float scale, error, norm;

    CU_ASSERT_FATAL(codes != NULL);
    sp_kernels_force(sp_kernels_named("scalar"));
    sp_codes_encode(codes, row, n, 1, first, code_stride, &scale, &error, &norm);
    CU_ASSERT(error < 0.02f * norm);
    for (size_t i = 0; i < COUNT_OF(table_names); i++) {
        const sp_kernels *kernels = sp_kernels_named(table_names[i]);
        uint64_t different = 0;

        if (!kernels)
            continue;
        sp_kernels_force(kernels);
        sp_codes_encode(codes, row, n, 1, other, code_stride, &scale, &error, &norm);
        for (uint64_t j = 0; j < n; j++) {
            CU_ASSERT(abs(first[j] - other[j]) <= 1);
            different += first[j] != other[j];
        }
        CU_ASSERT(different < 20); /* roundings of what lay halfway */
    }
    sp_kernels_force(NULL);
    sp_codes_free(codes);
    free(row);
    free(first);
    free(other);
}

/* ---- matching -------------------------------------------------------------------------- */

#define MATCH_QUERIES 96

static void check_match(const sp_kernels *kernels)
{
    static const uint64_t row_counts[] = {1, 5, 6, 7, 48}, query_counts[] = {1, 16, 17, 70, 96};
    /* from 256 on codes have a head, and what is asked there is for near copies among others */
    static const uint64_t bytes[] = {64, 192, 256, 832};

    for (size_t x = 0; x < COUNT_OF(row_counts); x++)
        for (size_t y = 0; y < COUNT_OF(query_counts); y++)
            for (size_t z = 0; z < COUNT_OF(bytes); z++) {
                uint64_t rows = row_counts[x], queries = query_counts[y], length = bytes[z];
                uint64_t padded = (queries + 15) / 16 * 16, found, expected = 0;
                int8_t *codes = allocate(rows * length), *query = allocate(queries * length);
                uint8_t *panels = allocate(padded * length);
                const int8_t *list[MATCH_QUERIES];
                uint32_t index[SP_MATCH_ROWS];
                sp_match *matches = allocate(rows * padded * sizeof(sp_match));
                uint8_t *seen = allocate(rows * padded);
                float a[SP_MATCH_ROWS], b[SP_MATCH_ROWS], c[SP_MATCH_ROWS];
                float s[MATCH_QUERIES], r[MATCH_QUERIES], t[MATCH_QUERIES], rests[MATCH_QUERIES];
                sp_match_input in = {codes, length, x % 2 ? index : NULL, rows, a, b, c,
                                     panels, padded, s, r, t, length, sp_code_head(length) ? rests : NULL};

                for (uint64_t i = 0; i < rows * length; i++)
                    codes[i] = (int8_t)(uniform() * 127.9);
                for (uint64_t i = 0; i < queries * length; i++)
                    query[i] = (int8_t)(uniform() * 127.9);
                for (uint64_t i = 0; sp_code_head(length) && i < rows; i += 7)
                    for (uint64_t m = 0; m < length; m++)
                        codes[i * length + m] = (int8_t)(query[i % queries * length + m] * 0.9 + uniform() * 10);
                memset(codes, 127, length); /* the largest sums there are */
                memset(query, -127, length);
                for (uint64_t i = 0; i < rows; i++) {
                    a[i] = (float)(1 + uniform() / 2);
                    b[i] = (float)uniform();
                    c[i] = (float)uniform();
                }
                if (rows > 4)
                    a[4] = NAN;
                for (uint64_t j = 0; j < padded; j++) {
                    s[j] = (float)uniform() * 1000;
                    r[j] = (float)uniform() * 1000;
                    t[j] = j < queries ? (float)uniform() * 100000 : INFINITY;
                    if (sp_code_head(length))
                        t[j] += (float)length * 127 * 127 / 4;
                    rests[j] = j < queries ? sp_code_rest(query + j * length, length) : 0;
                }
                for (uint64_t j = 0; j < queries; j++)
                    list[j] = query + j * length;
                for (uint64_t i = 0; i < rows; i++)
                    index[i] = (uint32_t)(rows - 1 - i);
                sp_pack_queries(list, queries, length, panels);
                found = kernels->match_codes(&in, matches);
                for (uint64_t m = 0; m < found; m++) {
                    CU_ASSERT_FATAL(matches[m].row < rows && matches[m].query < padded);
                    CU_ASSERT(!seen[matches[m].row * padded + matches[m].query]);
                    seen[matches[m].row * padded + matches[m].query] = 1;
                }
                for (uint64_t i = 0; i < rows; i++)
                    for (uint64_t j = 0; j < padded; j++) {
                        double value;
                        int32_t dot = 0;

                        for (uint64_t m = 0; j < queries && m < length; m++)
                            dot += codes[(x % 2 ? rows - 1 - i : i) * length + m] *
                                   query[j * length + m];
                        value = (double)dot * (double)a[i] + (double)b[i] * (double)s[j] +
                                (double)c[i] * (double)r[j] - (double)t[j];
                        if (isnan(value) || value >= 0.5)
                            CU_ASSERT(seen[i * padded + j]);
                        if (value < -0.5)
                            CU_ASSERT(!seen[i * padded + j]);
                        expected += seen[i * padded + j];
                        for (uint64_t m = 0; seen[i * padded + j] && m < found; m++)
                            if (matches[m].row == i && matches[m].query == j)
                                CU_ASSERT(matches[m].dot == dot);
                    }
                CU_ASSERT_EQUAL(found, expected);
                free(codes);
                free(query);
                free(panels);
                free(matches);
                free(seen);
            }
}

static void test_match(void)
{
    each_table(check_match);
}

static void check_select(const sp_kernels *kernels)
{
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        uint64_t n = lengths[l], found, at = 0;
        float *approx = random_floats(n, 10), *a = random_floats(n, 1), *b = random_floats(n, 1);
        float *c = random_floats(n, 1), s = 0.5f, r = 0.25f, t = 0.75f;
        uint32_t *out = allocate(n * sizeof(uint32_t));

        a[n / 2] = NAN;
        found = kernels->select(approx, a, b, c, n, s, r, t, out);
        CU_ASSERT_FATAL(found <= n);
        for (uint32_t i = 0; i < n; i++) {
            double value = (double)approx[i] * (double)a[i] + (double)b[i] * 0.5 +
                           (double)c[i] * 0.25 - 0.75;
            int in = at < found && out[at] == i;

            CU_ASSERT(fabs(value) < 1e-5 || in == !(value < 0));
            at += (uint64_t)in;
        }
        CU_ASSERT_EQUAL(at, found);
        CU_ASSERT_EQUAL(kernels->select(approx, a, b, c, n, s, r, -INFINITY, out), n);
        free(approx);
        free(a);
        free(b);
        free(c);
        free(out);
    }
}

static void test_select(void)
{
    each_table(check_select);
}

static void test_choice(void)
{
    const sp_kernels *best = sp_kernels_get(), *scalar = sp_kernels_named("scalar");

    CU_ASSERT_PTR_NOT_NULL(best);
    CU_ASSERT_PTR_EQUAL(sp_kernels_get(), best);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scalar);
    CU_ASSERT_PTR_NULL(sp_kernels_named("abacus"));
    sp_kernels_force(scalar);
    CU_ASSERT_PTR_EQUAL(sp_kernels_get(), scalar);
    sp_kernels_force(NULL);
    CU_ASSERT_PTR_EQUAL(sp_kernels_get(), best);
}

static const unit_case cases[] = {
    UNIT_CASE(test_choice, "the best table is chosen, and another can be forced"),
    UNIT_CASE(test_rows, "distances agree with plain sums at every length and alignment"),
    UNIT_CASE(test_extremes, "the largest and the smallest floats"),
    UNIT_CASE(test_finite, "NaN and infinity are found wherever they are"),
    UNIT_CASE(test_conversions, "float16 and float64 become float32"),
    UNIT_CASE(test_hadamard, "the Hadamard transform"),
    UNIT_CASE(test_bound, "int8 codes bound the dot product of what they stand for"),
    UNIT_CASE(test_codes_of_odd_rows, "rows that int8 cannot serve say so"),
    UNIT_CASE(test_codes_of_long_rows, "every table makes the same codes"),
    UNIT_CASE(test_match, "matching many queries finds the pairs that pass and no others"),
    UNIT_CASE(test_select, "selecting finds the rows that pass and no others"),
};

UNIT_MAIN("kernels", cases)
