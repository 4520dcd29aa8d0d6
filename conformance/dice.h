/* SPDX-License-Identifier: Apache-2.0 */
/* Random choices that a seed decides, on every machine alike. */
#ifndef CONFORMANCE_DICE_H
#define CONFORMANCE_DICE_H

#include <stddef.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

/* what: so that checks with the same seed make different choices */
static inline dice dice_of(uint64_t seed, uint64_t what)
{
    return (dice){seed * UINT64_C(0x9e3779b97f4a7c15) ^ what << 32};
}

/* splitmix64 */
static inline uint64_t dice_bits(dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to count - 1; count is far below 2^32, so that none is favoured noticeably */
static inline size_t dice_below(dice *d, size_t count)
{
    return (size_t)((dice_bits(d) >> 32) % count);
}

/* a multiple of 2^-23 in [-1, 1): exact as float32 */
static inline double dice_number(dice *d)
{
    return (double)(dice_bits(d) >> 40) / 8388608.0 - 1.0;
}

#endif
