/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels that read the same on every CPU, over vectors that the including file
 * defines before it includes this one:
 *
 *   TARGET               the attribute of each function
 *   F, F_WIDTH           a vector of floats: F_LOAD(p), F_LOAD_PART(p, n) (zeros after n),
 *                        F_STORE(p, v), F_ZERO(), F_SET(x), F_ADD, F_SUB, F_MUL,
 *                        F_FMA(a, b, c) = a * b + c, F_MAX, F_ABS, F_SUM(v), F_TOP(v)
 *   D, D_WIDTH           a vector of doubles: D_LOAD(p) and D_LOAD_PART(p, n) widen floats,
 *                        and the same names; D_RATIO(a, b) = a / b, 0 where b = 0
 *
 * A row's result depends on nothing but the row and the query: not on where the row lies,
 * nor on its neighbours in the call. Equal rows must tie.
 */
#ifndef SP_KERNELS_TEMPLATE_H
#define SP_KERNELS_TEMPLATE_H

#include <math.h>

#include "kernels_table.h"

static inline const float *row_at(const float *rows, uint64_t stride, const uint32_t *index,
                                  uint64_t i)
{
    return rows + (index ? (uint64_t)index[i] : i) * stride;
}

/* ---- float32 --------------------------------------------------------------------------- */

TARGET static void dot(const float *query, const float *rows, uint64_t stride,
                       const uint32_t *index, uint64_t count, uint64_t dimension, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        F s0 = F_ZERO(), s1 = F_ZERO(), s2 = F_ZERO(), s3 = F_ZERO();
        uint64_t j = 0;

        for (; j + 4 * F_WIDTH <= dimension; j += 4 * F_WIDTH) {
            s0 = F_FMA(F_LOAD(query + j), F_LOAD(row + j), s0);
            s1 = F_FMA(F_LOAD(query + j + F_WIDTH), F_LOAD(row + j + F_WIDTH), s1);
            s2 = F_FMA(F_LOAD(query + j + 2 * F_WIDTH), F_LOAD(row + j + 2 * F_WIDTH), s2);
            s3 = F_FMA(F_LOAD(query + j + 3 * F_WIDTH), F_LOAD(row + j + 3 * F_WIDTH), s3);
        }
        for (; j + F_WIDTH <= dimension; j += F_WIDTH)
            s0 = F_FMA(F_LOAD(query + j), F_LOAD(row + j), s0);
        if (j < dimension)
            s1 = F_FMA(F_LOAD_PART(query + j, dimension - j), F_LOAD_PART(row + j, dimension - j),
                       s1);
        out[i] = F_SUM(F_ADD(F_ADD(s0, s1), F_ADD(s2, s3)));
    }
}

TARGET static void squared(const float *query, const float *rows, uint64_t stride,
                           const uint32_t *index, uint64_t count, uint64_t dimension, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        F s0 = F_ZERO(), s1 = F_ZERO(), d0, d1;
        uint64_t j = 0;

        for (; j + 2 * F_WIDTH <= dimension; j += 2 * F_WIDTH) {
            d0 = F_SUB(F_LOAD(query + j), F_LOAD(row + j));
            d1 = F_SUB(F_LOAD(query + j + F_WIDTH), F_LOAD(row + j + F_WIDTH));
            s0 = F_FMA(d0, d0, s0);
            s1 = F_FMA(d1, d1, s1);
        }
        for (; j + F_WIDTH <= dimension; j += F_WIDTH) {
            d0 = F_SUB(F_LOAD(query + j), F_LOAD(row + j));
            s0 = F_FMA(d0, d0, s0);
        }
        if (j < dimension) {
            d1 = F_SUB(F_LOAD_PART(query + j, dimension - j), F_LOAD_PART(row + j, dimension - j));
            s1 = F_FMA(d1, d1, s1);
        }
        out[i] = F_SUM(F_ADD(s0, s1));
    }
}

TARGET static float largest(const float *values, uint64_t n)
{
    F top = F_ZERO();
    uint64_t j = 0;

    for (; j + F_WIDTH <= n; j += F_WIDTH)
        top = F_MAX(top, F_ABS(F_LOAD(values + j)));
    if (j < n)
        top = F_MAX(top, F_ABS(F_LOAD_PART(values + j, n - j)));
    return F_TOP(top);
}

TARGET static void multiply(const float *values, const float *factors, uint64_t n, float *out)
{
    uint64_t j = 0;

    for (; j + F_WIDTH <= n; j += F_WIDTH)
        F_STORE(out + j, F_MUL(F_LOAD(values + j), F_LOAD(factors + j)));
    for (; j < n; j++)
        out[j] = values[j] * factors[j];
}

/* ---- double ---------------------------------------------------------------------------- */

/* Runs STEP(q, x) over a row's vectors, and the rest with zeros, which must add nothing. */
#define OVER_ROW(STEP)                                                                          \
    do {                                                                                        \
        uint64_t j_ = 0;                                                                        \
        for (; j_ + 2 * D_WIDTH <= dimension; j_ += 2 * D_WIDTH) {                              \
            STEP(0, D_LOAD(query + j_), D_LOAD(row + j_));                                      \
            STEP(1, D_LOAD(query + j_ + D_WIDTH), D_LOAD(row + j_ + D_WIDTH));                  \
        }                                                                                       \
        for (; j_ + D_WIDTH <= dimension; j_ += D_WIDTH)                                        \
            STEP(0, D_LOAD(query + j_), D_LOAD(row + j_));                                      \
        if (j_ < dimension)                                                                     \
            STEP(1, D_LOAD_PART(query + j_, dimension - j_),                                    \
                 D_LOAD_PART(row + j_, dimension - j_));                                        \
    } while (0)

TARGET static double square(const float *row, uint64_t dimension)
{
    const float *query = row;
    D sum[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x) sum[k] = D_FMA(q, x, sum[k])
    OVER_ROW(STEP);
#undef STEP
    return D_SUM(D_ADD(sum[0], sum[1]));
}

TARGET static void exact_dot(const float *query, const float *rows, uint64_t stride,
                             const uint32_t *index, uint64_t count, uint64_t dimension,
                             double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D sum[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x) sum[k] = D_FMA(q, x, sum[k])
        OVER_ROW(STEP);
#undef STEP
        out[i] = D_SUM(D_ADD(sum[0], sum[1]));
    }
}

TARGET static void exact_cosine(const float *query, const float *rows, uint64_t stride,
                                const uint32_t *index, uint64_t count, uint64_t dimension,
                                double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D sum[2] = {D_ZERO(), D_ZERO()}, norm[2] = {D_ZERO(), D_ZERO()};
        double length;

#define STEP(k, q, x)                        \
    do {                                     \
        D x_ = (x);                          \
        sum[k] = D_FMA(q, x_, sum[k]);       \
        norm[k] = D_FMA(x_, x_, norm[k]);    \
    } while (0)
        OVER_ROW(STEP);
#undef STEP
        length = sqrt(D_SUM(D_ADD(norm[0], norm[1])));
        out[i] = length > 0 ? D_SUM(D_ADD(sum[0], sum[1])) / length : 0;
    }
}

TARGET static void exact_squared(const float *query, const float *rows, uint64_t stride,
                                 const uint32_t *index, uint64_t count, uint64_t dimension,
                                 double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D sum[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x)                        \
    do {                                     \
        D d_ = D_SUB(q, x);                  \
        sum[k] = D_FMA(d_, d_, sum[k]);      \
    } while (0)
        OVER_ROW(STEP);
#undef STEP
        out[i] = D_SUM(D_ADD(sum[0], sum[1]));
    }
}

TARGET static void exact_manhattan(const float *query, const float *rows, uint64_t stride,
                                   const uint32_t *index, uint64_t count, uint64_t dimension,
                                   double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D sum[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x) sum[k] = D_ADD(sum[k], D_ABS(D_SUB(q, x)))
        OVER_ROW(STEP);
#undef STEP
        out[i] = D_SUM(D_ADD(sum[0], sum[1]));
    }
}

TARGET static void exact_chebyshev(const float *query, const float *rows, uint64_t stride,
                                   const uint32_t *index, uint64_t count, uint64_t dimension,
                                   double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D top[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x) top[k] = D_MAX(top[k], D_ABS(D_SUB(q, x)))
        OVER_ROW(STEP);
#undef STEP
        out[i] = D_TOP(D_MAX(top[0], top[1]));
    }
}

TARGET static void exact_canberra(const float *query, const float *rows, uint64_t stride,
                                  const uint32_t *index, uint64_t count, uint64_t dimension,
                                  double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D sum[2] = {D_ZERO(), D_ZERO()};

#define STEP(k, q, x)                                                                 \
    do {                                                                              \
        D q_ = (q), x_ = (x);                                                         \
        sum[k] = D_ADD(sum[k], D_RATIO(D_ABS(D_SUB(q_, x_)), D_ADD(D_ABS(q_), D_ABS(x_)))); \
    } while (0)
        OVER_ROW(STEP);
#undef STEP
        out[i] = D_SUM(D_ADD(sum[0], sum[1]));
    }
}

TARGET static void exact_braycurtis(const float *query, const float *rows, uint64_t stride,
                                    const uint32_t *index, uint64_t count, uint64_t dimension,
                                    double *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D above[2] = {D_ZERO(), D_ZERO()}, below[2] = {D_ZERO(), D_ZERO()};
        double a, b;

#define STEP(k, q, x)                                      \
    do {                                                   \
        D q_ = (q), x_ = (x);                              \
        above[k] = D_ADD(above[k], D_ABS(D_SUB(q_, x_)));  \
        below[k] = D_ADD(below[k], D_ABS(D_ADD(q_, x_)));  \
    } while (0)
        OVER_ROW(STEP);
#undef STEP
        a = D_SUM(D_ADD(above[0], above[1]));
        b = D_SUM(D_ADD(below[0], below[1]));
        /* opposite vectors differ but sum to nothing: infinitely far */
        out[i] = b > 0 ? a / b : a > 0 ? (double)INFINITY : 0;
    }
}

TARGET static void exact_correlation(const float *query, const float *rows, uint64_t stride,
                                     const uint32_t *index, uint64_t count, uint64_t dimension,
                                     double *out)
{
    double query_mean, part = 0;
    uint64_t j;
    D sum = D_ZERO();

    for (j = 0; j + D_WIDTH <= dimension; j += D_WIDTH)
        sum = D_ADD(sum, D_LOAD(query + j));
    for (; j < dimension; j++)
        part += (double)query[j];
    query_mean = (D_SUM(sum) + part) / (double)dimension;

    for (uint64_t i = 0; i < count; i++) {
        const float *row = row_at(rows, stride, index, i);
        D mean_q = D_SET(query_mean), mean_x, qx = D_ZERO(), qq = D_ZERO(), xx = D_ZERO();
        double mean, a, b, c;

        sum = D_ZERO();
        part = 0;
        for (j = 0; j + D_WIDTH <= dimension; j += D_WIDTH)
            sum = D_ADD(sum, D_LOAD(row + j));
        for (; j < dimension; j++)
            part += (double)row[j];
        mean = (D_SUM(sum) + part) / (double)dimension;
        mean_x = D_SET(mean);
        for (j = 0; j + D_WIDTH <= dimension; j += D_WIDTH) {
            D q = D_SUB(D_LOAD(query + j), mean_q), x = D_SUB(D_LOAD(row + j), mean_x);

            qx = D_FMA(q, x, qx);
            qq = D_FMA(q, q, qq);
            xx = D_FMA(x, x, xx);
        }
        a = D_SUM(qx), b = D_SUM(qq), c = D_SUM(xx);
        for (; j < dimension; j++) {
            double q = (double)query[j] - query_mean, x = (double)row[j] - mean;

            a += q * x;
            b += q * q;
            c += x * x;
        }
        out[i] = b > 0 && c > 0 ? a / (sqrt(b) * sqrt(c)) : 0;
    }
}

#undef OVER_ROW

/* ---- codes ----------------------------------------------------------------------------- */

TARGET static void butterflies(float *values, uint64_t n, uint64_t h)
{
    /* two stages at a time: half the passes over memory */
    for (; h * 4 <= n; h *= 4)
        for (uint64_t i = 0; i < n; i += 4 * h)
            for (uint64_t j = i; j < i + h; j += F_WIDTH) {
                F a = F_LOAD(values + j), b = F_LOAD(values + j + h);
                F c = F_LOAD(values + j + 2 * h), d = F_LOAD(values + j + 3 * h);
                F ab = F_ADD(a, b), cd = F_ADD(c, d);

                a = F_SUB(a, b);
                c = F_SUB(c, d);
                F_STORE(values + j, F_ADD(ab, cd));
                F_STORE(values + j + h, F_ADD(a, c));
                F_STORE(values + j + 2 * h, F_SUB(ab, cd));
                F_STORE(values + j + 3 * h, F_SUB(a, c));
            }
    for (; h < n; h *= 2)
        for (uint64_t i = 0; i < n; i += 2 * h)
            for (uint64_t j = i; j < i + h; j += F_WIDTH) {
                F a = F_LOAD(values + j), b = F_LOAD(values + j + h);

                F_STORE(values + j, F_ADD(a, b));
                F_STORE(values + j + h, F_SUB(a, b));
            }
}

/* For fewer values than a vector has. */
static inline void hadamard_small(float *values, uint64_t n)
{
    for (uint64_t h = 1; h < n; h *= 2)
        for (uint64_t i = 0; i < n; i += 2 * h)
            for (uint64_t j = i; j < i + h; j++) {
                float a = values[j], b = values[j + h];

                values[j] = a + b;
                values[j + h] = a - b;
            }
}

/* What is left of the tables' functions where the CPU has nothing better. */
static inline int32_t round_code(float value)
{
    int32_t code = (int32_t)lrintf(value);

    return code > 127 ? 127 : code < -127 ? -127 : code;
}

#endif
