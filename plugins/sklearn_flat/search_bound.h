/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an approximate dot product says about a row's key.
 *
 * A query q is known as q^ with |q - q^| <= eq, a row x as x^ with |x - x^| <= ex, and
 * <q^, x^> up to rounding. Then, with angles on the sphere and the triangle inequality,
 *
 *     cosine:     angle(q, x) = angle(q^, x^) +- asin(eq / |q|) +- asin(ex / |x|)
 *     dotproduct: <q, x>      = <q^, x^> +- (|q| ex + eq |x^|)
 *     euclidean:  |q - x|     = |q^ - x^| +- eq +- ex
 *
 * For a threshold T on keys each is a linear test in the dot product, whose coefficients
 * are products of one number of the row and one of the query: that is what the kernels
 * `select` and `match_codes` evaluate. A matrix product in float32 is the same with
 * ex = eq = 0 and a larger allowance for rounding.
 */
#ifndef FLAT_SEARCH_BOUND_H
#define FLAT_SEARCH_BOUND_H

#include "distance.h"
#include "store.h"

/* One query. Queries of cosine and dotproduct are of unit length here. */
typedef struct flat_bound {
    uint32_t kind;    /* FLAT_COSINE, FLAT_DOT or FLAT_EUCLIDEAN */
    double factor;    /* <q^, x^> is factor * approx * the row's scale */
    double error;     /* eq */
    double length;    /* |q^| */
    double norm;      /* |q|: of the query as it came */
    double rounding;  /* of <q^, x^>, relative to |q^| |x^| */
} flat_bound;

/* The part of rounding that comes with norms, scales and the test itself. */
double flat_bound_rounding(uint64_t dimension);

/* The coefficients of rows (index as in the kernels; scales NULL: no codes, the rows
   themselves); a NaN in a for rows that cannot be bounded. */
void flat_bound_rows(uint32_t kind, double rounding, const float *scales, const float *errors,
                     const float *norms, const uint32_t *index, uint64_t count, float *a, float *b,
                     float *c);

/* The coefficients of a query for the threshold: rows that fail the test have a key below. */
void flat_bound_threshold(const flat_bound *bound, double threshold, float *s, float *r, float *t);

/* The keys a row can have; infinite where nothing is known. scale 1 and error 0: no codes. */
void flat_bound_keys(const flat_bound *bound, double approx, double scale, double error,
                     double norm, double *low, double *high);

#endif
