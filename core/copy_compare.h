/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a point is the same in two places, whatever the places are. */
#ifndef SP_COPY_COMPARE_H
#define SP_COPY_COMPARE_H

#include "points.h"

/* Vectors that differ by less, in relation to their norms, are the same but for rounding. */
#define SP_VECTOR_TOLERANCE 1e-6

/* As far as SP_VECTORS_... says that they can be: float32 for float32, but for rounding, or,
   where norms may be lost, by direction. */
int sp_vectors_same(const float *a, const float *b, uint64_t dimension, int vectors);

/* What the target does with floats in fields. */
typedef struct sp_floats {
    int nonfinite; /* 0: NaN and infinities are missing there */
    int rounded;   /* the last digit may be another one */
} sp_floats;

/* The same type and value, or both missing; floats says what they are in b. */
int sp_cells_same(const sp_column *a, uint64_t row_a, const sp_column *b, uint64_t row_b,
                  sp_floats floats);

#endif
