/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "search_bound.h"

/* Lengths between which float32 squares neither overflow nor vanish. */
#define SHORTEST 1e-18f
#define LONGEST 1e18f
/* Codes that miss more than this part of a row are not worth a bound. */
#define LARGEST_ERROR 0.1f

double flat_bound_rounding(uint64_t dimension)
{
    return 4e-6 + 3e-10 * (double)dimension;
}

static int is_bounded(float error, float norm)
{
    return norm == 0 || (norm >= SHORTEST && norm <= LONGEST && error <= LARGEST_ERROR * norm);
}

/* So many rows at a time: a constant, without branches, so that compilers vectorise. */
#define LANES 16

/* The same as is_bounded. */
static inline float or_nan(float a, float error, float norm)
{
    const int inside = (norm >= SHORTEST) & (norm <= LONGEST) & (error <= LARGEST_ERROR * norm);

    return (norm == 0) | inside ? a : NAN;
}

/*
 * cos(q^, x^) >= cos(angle + asin e) with e = ex / |x|, times sqrt(1 - e^2):
 * dot / (|q^| |x|) + e sin(angle) + e^2 cos(angle) >= cos(angle)
 */
static void cosine_lanes(const float *restrict scales, const float *restrict errors,
                         const float *restrict norms, float *restrict a, float *restrict b,
                         float *restrict c)
{
    for (int i = 0; i < LANES; i++) {
        const float inverse = 1 / (norms[i] == 0 ? 1 : norms[i]);

        b[i] = errors[i] * inverse;
        c[i] = b[i] * b[i];
        a[i] = or_nan(scales[i] * inverse, errors[i], norms[i]);
    }
}

/* dot + |q| ex + eq |x| >= T */
static void dot_lanes(const float *restrict scales, const float *restrict errors,
                      const float *restrict norms, float slack, float *restrict a,
                      float *restrict b, float *restrict c)
{
    for (int i = 0; i < LANES; i++) {
        b[i] = errors[i] + slack * norms[i];
        c[i] = norms[i];
        a[i] = or_nan(scales[i], errors[i], norms[i]);
    }
}

/* 2 dot >= |q^|^2 + |x^|^2 - (D + ex)^2, where |x^|^2 = |x|^2 - ex^2 */
static void euclidean_lanes(const float *restrict scales, const float *restrict errors,
                            const float *restrict norms, float slack, float *restrict a,
                            float *restrict b, float *restrict c)
{
    for (int i = 0; i < LANES; i++) {
        b[i] = errors[i];
        c[i] = errors[i] * errors[i] - (0.5f - slack) * norms[i] * norms[i];
        a[i] = or_nan(scales[i], errors[i], norms[i]);
    }
}

void flat_bound_rows(uint32_t kind, double rounding, const float *scales, const float *errors,
                     const float *norms, const uint32_t *index, uint64_t count, float *a, float *b,
                     float *c)
{
    const float slack = (float)rounding;
    float row_scales[LANES], row_errors[LANES], row_norms[LANES];

    for (uint64_t i = 0; i < count; i += LANES) {
        const uint64_t some = count - i < LANES ? count - i : LANES;
        const float *from[3] = {row_scales, row_errors, row_norms};
        float out[3][LANES], *to[3] = {a + i, b + i, c + i};

        if (scales && !index && some == LANES) {
            from[0] = scales + i;
            from[1] = errors + i;
            from[2] = norms + i;
        } else {
            memset(row_norms, 0, sizeof(row_norms));
            memset(row_errors, 0, sizeof(row_errors));
            for (uint64_t j = 0; j < LANES; j++)
                row_scales[j] = 1;
            for (uint64_t j = 0; j < some; j++) {
                const uint64_t at = index ? index[i + j] : i + j;

                row_norms[j] = norms[at];
                if (scales) {
                    row_scales[j] = scales[at];
                    row_errors[j] = errors[at];
                }
            }
        }
        if (some < LANES)
            to[0] = out[0], to[1] = out[1], to[2] = out[2];
        if (kind == FLAT_COSINE)
            cosine_lanes(from[0], from[1], from[2], to[0], to[1], to[2]);
        else if (kind == FLAT_DOT)
            dot_lanes(from[0], from[1], from[2], slack, to[0], to[1], to[2]);
        else
            euclidean_lanes(from[0], from[1], from[2], slack, to[0], to[1], to[2]);
        if (some < LANES) {
            memcpy(a + i, out[0], some * sizeof(float));
            memcpy(b + i, out[1], some * sizeof(float));
            memcpy(c + i, out[2], some * sizeof(float));
        }
    }
}

void flat_bound_threshold(const flat_bound *bound, double threshold, float *s, float *r, float *t)
{
    double sine, cosine, far, slack;

    *s = *r = 0;
    *t = -INFINITY;
    if (!(threshold > -(double)INFINITY))
        return;
    switch (bound->kind) {
    case FLAT_COSINE:
        /* the angle of the threshold and what the query's code may turn it further */
        if (threshold < -0.5)
            return;
        if (threshold > 1)
            threshold = 1;
        sine = sqrt(1 - threshold * threshold);
        cosine = sqrt(1 - bound->error * bound->error);
        *r = (float)((threshold * cosine - sine * bound->error) / bound->factor);
        *s = (float)((sine * cosine + threshold * bound->error) / bound->factor);
        *t = *r - (float)(bound->rounding / bound->factor);
        /* codes' dots are relative to |q^| */
        return;
    case FLAT_DOT:
        *s = (float)(1 / bound->factor);
        *r = (float)(bound->error / bound->factor);
        threshold /= bound->norm;
        *t = (float)((threshold - 1e-6 * fabs(threshold)) / bound->factor);
        return;
    default:
        far = bound->error - threshold; /* D + eq */
        slack = bound->rounding * (bound->norm * bound->norm + far * far);
        *s = (float)(far / bound->factor);
        *r = (float)(1 / bound->factor);
        *t = (float)(((bound->length * bound->length - far * far) / 2 - slack) / bound->factor);
        return;
    }
}

/* cos(acos(c) - angle), 1 if the angle is the larger one. */
static double turned(double c, double cosine, double sine)
{
    if (c >= cosine)
        return 1;
    return c <= -1 ? -cosine : c * cosine + sqrt(1 - c * c) * sine;
}

void flat_bound_keys(const flat_bound *bound, double approx, double scale, double error,
                     double norm, double *low, double *high)
{
    const double dot = bound->factor * approx * scale;
    double e, c, sine, cosine, slack, square;

    *low = -(double)INFINITY;
    *high = (double)INFINITY;
    if (!is_bounded((float)error, (float)norm) || !isfinite(dot))
        return;
    switch (bound->kind) {
    case FLAT_COSINE:
        if (norm == 0) {
            *low = *high = 0;
            return;
        }
        e = error / norm;
        c = dot / (norm * sqrt(1 - e * e));
        /* of the sum of both angles of error */
        sine = e * sqrt(1 - bound->error * bound->error) + sqrt(1 - e * e) * bound->error;
        cosine = sqrt(1 - sine * sine);
        /* rounding comes first: near 1 the angle makes much of a small change */
        *high = turned(c + bound->rounding, cosine, sine);
        *low = -turned(bound->rounding - c, cosine, sine);
        return;
    case FLAT_DOT:
        slack = error + bound->error * norm + bound->rounding * norm;
        *high = (dot + slack) * bound->norm;
        *low = (dot - slack) * bound->norm;
        return;
    default:
        square = bound->length * bound->length + norm * norm - error * error - 2 * dot;
        slack = bound->rounding * (bound->norm * bound->norm + norm * norm);
        *low = -(sqrt(fmax(0, square + slack)) + error + bound->error);
        *high = -fmax(0, sqrt(fmax(0, square - slack)) - error - bound->error);
        return;
    }
}
