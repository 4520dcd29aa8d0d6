/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_compare.h"

#include <math.h>
#include <string.h>

#define FLOAT64_TOLERANCE 1e-15 /* a few times what is between two float64s */

static double norm(const float *vector, uint64_t dimension)
{
    double sum = 0;

    for (uint64_t i = 0; i < dimension; i++)
        sum += (double)vector[i] * (double)vector[i];
    return sqrt(sum);
}

int sp_vectors_same(const float *a, const float *b, uint64_t dimension, int vectors)
{
    double norm_a, norm_b, sum = 0;

    if (vectors == SP_VECTORS_EXACT) {
        for (uint64_t i = 0; i < dimension; i++)
            if (!(a[i] >= b[i] && a[i] <= b[i]))
                return 0;
        return 1;
    }
    norm_a = norm(a, dimension);
    norm_b = norm(b, dimension);
    if (!(norm_a > 0) || !(norm_b > 0))
        return !(norm_a > 0) && !(norm_b > 0);
    /* as they are, in relation to the longer one: norms as well as directions */
    if (vectors == SP_VECTORS_ROUNDED)
        norm_a = norm_b = norm_a > norm_b ? norm_a : norm_b;
    for (uint64_t i = 0; i < dimension; i++) {
        double apart = (double)a[i] / norm_a - (double)b[i] / norm_b;

        sum += apart * apart;
    }
    return sqrt(sum) <= SP_VECTOR_TOLERANCE;
}

/* The elements of a row that has a value: [*from, *from + result). */
static uint64_t elements(const sp_column *column, uint64_t row, uint64_t *from)
{
    *from = column->type & SP_LIST ? (uint64_t)column->list_offsets[row] : row;
    return column->type & SP_LIST ? (uint64_t)column->list_offsets[row + 1] - *from : 1;
}

static int has_nonfinite(const sp_column *column, uint64_t from, uint64_t count)
{
    const double *values = column->values;

    for (uint64_t i = from; i < from + count; i++)
        if (!isfinite(values[i]))
            return 1;
    return 0;
}

static int doubles_same(const double *a, const double *b, uint64_t count, int rounded)
{
    for (uint64_t i = 0; i < count; i++)
        if (!(a[i] >= b[i] && a[i] <= b[i]) && !(isnan(a[i]) && isnan(b[i])) &&
            !(rounded && isfinite(a[i]) && fabs(a[i] - b[i]) <= fabs(a[i]) * FLOAT64_TOLERANCE))
            return 0;
    return 1;
}

static int texts_same(const sp_column *a, uint64_t from_a, const sp_column *b, uint64_t from_b,
                      uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        sp_text x = sp_column_text(a, from_a + i), y = sp_column_text(b, from_b + i);

        if (x.size != y.size || (x.size && memcmp(x.data, y.data, x.size)))
            return 0;
    }
    return 1;
}

int sp_cells_same(const sp_column *a, uint64_t row_a, const sp_column *b, uint64_t row_b,
                  sp_floats floats)
{
    int has_a = sp_column_is_valid(a, row_a), has_b = sp_column_is_valid(b, row_b);
    uint32_t type = a->type & ~SP_LIST;
    uint64_t from_a = 0, from_b = 0, count = 0;

    if (has_a) {
        count = elements(a, row_a, &from_a);
        if (!floats.nonfinite && type == SP_FLOAT64 && has_nonfinite(a, from_a, count))
            has_a = 0;
    }
    if (!has_a || !has_b)
        return has_a == has_b;
    if (a->type != b->type || elements(b, row_b, &from_b) != count)
        return 0;
    switch (type) {
    case SP_TEXT: return texts_same(a, from_a, b, from_b, count);
    case SP_FLOAT64:
        return doubles_same((const double *)a->values + from_a, (const double *)b->values + from_b,
                            count, floats.rounded);
    case SP_INT64:
        return !count || !memcmp((const int64_t *)a->values + from_a,
                                 (const int64_t *)b->values + from_b, count * sizeof(int64_t));
    default:
        for (uint64_t i = 0; i < count; i++)
            if (!((const uint8_t *)a->values)[from_a + i] !=
                !((const uint8_t *)b->values)[from_b + i])
                return 0;
        return 1;
    }
}
