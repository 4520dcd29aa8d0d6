/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers of ten in 128 bits, and arithmetic with them: what writing and reading decimal
 * numbers both stand on.
 */
#ifndef PLUG_POWERS_OF_TEN_H
#define PLUG_POWERS_OF_TEN_H

#include <stdint.h>

#define PLUG_POWER_FIRST (-342)
#define PLUG_POWER_LAST 324

/* The first 128 bits of the power, of which the first is 1; what follows is cut off. */
typedef struct plug_power {
    uint64_t high, low;
} plug_power;

__extension__ typedef unsigned __int128 plug_uint128;

extern const plug_power plug_powers[PLUG_POWER_LAST - PLUG_POWER_FIRST + 1];

static inline const plug_power *plug_power_of_ten(int32_t exponent)
{
    return &plug_powers[exponent - PLUG_POWER_FIRST];
}

/* These round down, and are exact for every exponent of the table and of a double. */
static inline int32_t plug_log2_of_ten(int32_t exponent)
{
    return exponent * 217706 >> 16;
}

static inline int32_t plug_log10_of_two(int32_t exponent)
{
    return exponent * 1262611 >> 22;
}

/* Of 3/4 2^exponent. */
static inline int32_t plug_log10_of_three_quarters(int32_t exponent)
{
    return (exponent * 1262611 - 524031) >> 22;
}

/* a * b: the upper half; *low is the other. */
static inline uint64_t plug_multiply(uint64_t a, uint64_t b, uint64_t *low)
{
    plug_uint128 product = (plug_uint128)a * b;

    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
}

#endif
