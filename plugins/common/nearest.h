/* SPDX-License-Identifier: Apache-2.0 */
/* The binary number nearest to a decimal, halves to the even one; the other way of shortest.h. */
#ifndef PLUG_NEAREST_H
#define PLUG_NEAREST_H

#include "powers_of_ten.h"

#define PLUG_DIGITS 19 /* that any uint64 holds */

/* A number as it stood in a text. */
typedef struct plug_number_text {
    uint64_t digits;  /* the first PLUG_DIGITS, without zeros in front */
    int64_t exponent; /* of ten, of these */
    int is_cut;       /* there are more */
    int is_negative;
    const char *begin, *end; /* all of it: what follows the sign */
} plug_number_text;

/* Infinite where it is too large. */
float plug_nearest_float(const plug_number_text *number);
double plug_nearest_double(const plug_number_text *number);

/* ---- between the two files ---------------------------------------------------------------- */

/* Of numbers without their sign, whose bits are in their order. */
typedef struct plug_float_format {
    int32_t fraction_bits;
    int32_t bias;
    int32_t smallest, largest; /* powers of ten: beyond these any uint64 is 0 or infinite */
    int32_t tie_first, tie_last; /* powers of ten with which a product can be a half exactly */
} plug_float_format;

/* The same by comparing all digits, beginning with a number nearby. */
uint64_t plug_nearest_exact(const plug_float_format *format, const plug_number_text *number,
                            uint64_t nearby);

#endif
