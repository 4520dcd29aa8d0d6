/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest decimal that rounds to a binary number and to no other, and of these the
 * nearest: Raffaello Giulietti, "The Schubfach way to render doubles" (2020, revised
 * 2022); the names are the paper's. A number is c 2^q; with k = floor(log10(2^q)) the
 * decimals of exponent k lie close enough that one of them rounds to it, and at most one
 * of exponent k + 1 does. Products keep two bits more, and whether there were others
 * ("rounded to odd"), so that comparing them is exact.
 */
#ifndef PLUG_SHORTEST_H
#define PLUG_SHORTEST_H

#include "powers_of_ten.h"

/* digits 10^exponent; digits may end with zeros. */
typedef struct plug_decimal {
    uint64_t digits;
    int32_t exponent;
} plug_decimal;

/* What rounds to a number: four times its decimal at exponent k, and the ends of the interval. */
typedef struct plug_interval {
    uint64_t lower, middle, upper; /* the ends are inside */
    int32_t k;
} plug_interval;

static inline uint64_t plug_product_float(uint64_t g, uint32_t c)
{
    uint64_t low, high = plug_multiply(g, c, &low);

    /* g is above the power by less than one, which shows below these bits alone */
    return high | ((low >> 32) > 1);
}

static inline uint64_t plug_product_double(const plug_power *g, uint64_t c)
{
    uint64_t low, ignored, high = plug_multiply(g->high, c, &low);
    uint64_t part = plug_multiply(g->low, c, &ignored);

    low += part;
    high += low < part;
    return high | (low > 1);
}

/* Written without branches where the compiler can: which way they go is chance. */
static inline plug_decimal plug_interval_pick(plug_interval in)
{
    uint64_t s = in.middle >> 2, tens = s / 10;
    int tens_in = in.lower <= 40 * tens, next_tens_in = 40 * tens + 40 <= in.upper;
    int s_in = in.lower <= 4 * s, next_in = 4 * s + 4 <= in.upper;
    /* a half goes to the even one */
    int up = (in.middle & 3) + (s & 1) > 2;
    uint64_t one = s + (uint64_t)(s_in == next_in ? up : next_in);
    uint64_t ten = 10 * (tens + (uint64_t)next_tens_in);
    plug_decimal decimal = {tens && tens_in != next_tens_in ? ten : one, in.k};

    return decimal;
}

/* The bits of a finite number above 0. At most 1.7e8, and at least 8.3e6 but for subnormal ones. */
static inline plug_decimal plug_shortest_float_exact(uint32_t bits)
{
    uint32_t fraction = bits & 0x7fffff, exponent = bits >> 23;
    uint32_t c = exponent ? fraction | 0x800000 : fraction;
    int32_t q = (int32_t)(exponent ? exponent : 1) - 150;
    uint32_t is_odd = c & 1, is_closer = !fraction && exponent > 1; /* its neighbor below */
    int32_t k = is_closer ? plug_log10_of_three_quarters(q) : plug_log10_of_two(q);
    int32_t h = q + plug_log2_of_ten(-k) + 1;
    uint64_t g = plug_power_of_ten(-k)->high + 1;
    plug_interval in = {.k = k};

    in.lower = plug_product_float(g, (4 * c - 2 + is_closer) << h) + is_odd;
    in.middle = plug_product_float(g, (4 * c) << h);
    in.upper = plug_product_float(g, (4 * c + 2) << h) - is_odd;
    return plug_interval_pick(in);
}

/* Without a branch, which compilers would make of it: its way would be chance. */
static inline uint64_t plug_choose(uint64_t condition, uint64_t yes, uint64_t no)
{
    return no ^ ((yes ^ no) & (0 - condition));
}

/* Whether numbers are so close that how they were rounded could make a difference. */
static inline int plug_is_close(uint64_t a, uint64_t b)
{
    return a - b + ((uint64_t)1 << 32) <= (uint64_t)1 << 33;
}

/*
 * The same with one product, for nearly all numbers that are not subnormal: the ends of the
 * interval lie a half of 2^q from its middle. What is left of a multiple of ten has 60 bits
 * behind its point, and the nearer such multiple is as far as `away`.
 */
static inline plug_decimal plug_shortest_float(uint32_t bits)
{
    const uint64_t unit = (uint64_t)1 << 60;
    uint32_t c = (bits & 0x7fffff) | 0x800000;
    int32_t q = (int32_t)(bits >> 23) - 150;
    int32_t k = plug_log10_of_two(q);
    int32_t h = q + plug_log2_of_ten(-k) + 1;
    uint64_t g = plug_power_of_ten(-k)->high + 1;
    uint64_t low, s = plug_multiply(g, (uint64_t)c << h, &low), tens = s / 10;
    uint64_t left = (s - 10 * tens) * unit | low >> 4, is_above = left > 5 * unit;
    uint64_t away = plug_choose(is_above, 10 * unit - left, left), half = g >> (5 - h);
    uint64_t one = s + (low >> 63), ten = 10 * (tens + is_above);
    plug_decimal decimal = {plug_choose(away < half, ten, one), k};

    if (__builtin_expect(c == 0x800000 || plug_is_close(away, half) ||
                             plug_is_close(low, (uint64_t)1 << 63),
                         0))
        return plug_shortest_float_exact(bits);
    return decimal;
}

static inline plug_decimal plug_shortest_double(uint64_t bits)
{
    uint64_t fraction = bits & 0xfffffffffffff, exponent = bits >> 52;
    uint64_t c = exponent ? fraction | 0x10000000000000 : fraction;
    int32_t q = (int32_t)(exponent ? exponent : 1) - 1075;
    uint64_t is_odd = c & 1, is_closer = !fraction && exponent > 1;
    int32_t k = is_closer ? plug_log10_of_three_quarters(q) : plug_log10_of_two(q);
    int32_t h = q + plug_log2_of_ten(-k) + 1;
    plug_power g = *plug_power_of_ten(-k);
    plug_interval in = {.k = k};

    g.low++;
    in.lower = plug_product_double(&g, (4 * c - 2 + is_closer) << h) + is_odd;
    in.middle = plug_product_double(&g, (4 * c) << h);
    in.upper = plug_product_double(&g, (4 * c + 2) << h) - is_odd;
    return plug_interval_pick(in);
}

#endif
