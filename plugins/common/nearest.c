/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Daniel Lemire, "Number Parsing at a Gigabyte per Second" (2021): one or two products with
 * a power of ten tell the nearest number, or that they cannot.
 */
#include "config.h"

#include "nearest.h"

#include <string.h>

static const plug_float_format float_format = {23, 127, -64, 38, -17, 10};
static const plug_float_format double_format = {52, 1023, -342, 308, -4, 23};

/* Of digits 10^exponent, in bits; 0: it may be one of its neighbors. */
static inline int nearest_find(const plug_float_format f, uint64_t digits, int64_t exponent,
                               uint64_t *bits)
{
    uint64_t infinite = (uint64_t)(2 * f.bias + 1) << f.fraction_bits;
    uint64_t mask = UINT64_MAX >> (f.fraction_bits + 3);
    uint64_t high, low, m;
    const plug_power *power;
    int32_t zeros, shift, e;
    int is_sure;

    *bits = digits && exponent > f.largest ? infinite : 0;
    if (!digits || exponent < f.smallest || exponent > f.largest)
        return 1;
    power = plug_power_of_ten((int32_t)exponent);
    zeros = __builtin_clzll(digits);
    high = plug_multiply(digits << zeros, power->high, &low);
    if ((high & mask) == mask) {
        /* powers below 1 count from above, so that products which are whole do not fall below */
        uint64_t rest = power->low + (exponent < 0);
        uint64_t ignored, more = plug_multiply(digits << zeros, rest, &ignored);

        low += more;
        high += low < more;
    }
    /* powers from 0 to 55 are whole in the table, from -27 on the error is known to be small */
    is_sure = low != UINT64_MAX || (exponent >= -27 && exponent <= 55);
    shift = (int32_t)(high >> 63) + 64 - f.fraction_bits - 3;
    m = high >> shift; /* with one bit that is to be rounded */
    e = plug_log2_of_ten((int32_t)exponent) + 63 + (int32_t)(high >> 63) - zeros + f.bias;
    if (e <= 0) {
        if (e < -62)
            return is_sure;
        m >>= 1 - e;
        m += m & 1;
        *bits = m >> 1; /* one that is normal after all has the right bits too */
        return is_sure;
    }
    if (low <= 1 && exponent >= f.tie_first && exponent <= f.tie_last && (m & 3) == 1 &&
        m << shift == high)
        m &= ~(uint64_t)1;
    m += m & 1;
    /* where this carried the exponent grows */
    *bits = ((uint64_t)(e - 1) << f.fraction_bits) + (m >> 1);
    if (*bits > infinite)
        *bits = infinite;
    return is_sure;
}

static inline uint64_t nearest_bits(const plug_float_format *f, const plug_number_text *number)
{
    uint64_t bits, next;
    int is_sure = nearest_find(*f, number->digits, number->exponent, &bits);

    if (number->is_cut)
        is_sure = is_sure && nearest_find(*f, number->digits + 1, number->exponent, &next) &&
                  next == bits;
    return is_sure ? bits : plug_nearest_exact(f, number, bits);
}

float plug_nearest_float(const plug_number_text *number)
{
    uint32_t bits = (uint32_t)nearest_bits(&float_format, number) |
                    (uint32_t)number->is_negative << 31;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

double plug_nearest_double(const plug_number_text *number)
{
    uint64_t bits = nearest_bits(&double_format, number) | (uint64_t)number->is_negative << 63;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}
