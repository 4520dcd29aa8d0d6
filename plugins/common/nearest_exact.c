/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals so near to the middle between two numbers that all of their digits are needed:
 * both sides become whole numbers, and are compared. Slow, and hardly ever called.
 */
#include "config.h"

#include "nearest.h"

#include <assert.h>
#include <string.h>

/* No middle between two doubles has more; what follows only says that there is more. */
#define DIGITS_MAX 800
/* DIGITS_MAX digits times 2^1075, or 55 bits times 5^(DIGITS_MAX + 343), and some room */
#define WORDS 160

typedef struct whole {
    uint32_t count; /* words, the lowest first; the last is not 0 */
    uint32_t words[WORDS];
} whole;

static void whole_set(whole *number, uint64_t value)
{
    number->words[0] = (uint32_t)value;
    number->words[1] = (uint32_t)(value >> 32);
    number->count = value >> 32 ? 2 : value ? 1 : 0;
}

static void whole_multiply(whole *number, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (uint32_t i = 0; i < number->count; i++) {
        carry += (uint64_t)number->words[i] * factor;
        number->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        assert(number->count < WORDS);
        number->words[number->count++] = (uint32_t)carry;
    }
}

static void whole_times_five(whole *number, int64_t times)
{
    for (; times >= 13; times -= 13)
        whole_multiply(number, 1220703125, 0);
    for (; times > 0; times--)
        whole_multiply(number, 5, 0);
}

static void whole_shift(whole *number, int64_t bits)
{
    uint32_t words = (uint32_t)(bits / 32);

    if (!number->count)
        return;
    whole_multiply(number, (uint32_t)1 << bits % 32, 0);
    assert(words <= WORDS - number->count);
    memmove(number->words + words, number->words, number->count * sizeof number->words[0]);
    memset(number->words, 0, words * sizeof number->words[0]);
    number->count += words;
}

static int whole_compare(const whole *a, const whole *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i > 0; i--)
        if (a->words[i - 1] != b->words[i - 1])
            return a->words[i - 1] < b->words[i - 1] ? -1 : 1;
    return 0;
}

/* All digits, times 10^exponent. */
static int64_t digits_read(const plug_number_text *number, whole *digits)
{
    int64_t exponent = number->exponent;
    uint32_t count = 0;
    int is_more = 0;

    whole_set(digits, number->digits);
    if (!number->is_cut)
        return exponent;
    for (const char *at = number->begin; at < number->end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' || (!count && *at == '0'))
            continue;
        if (++count > DIGITS_MAX) {
            is_more |= *at != '0';
        } else if (count > PLUG_DIGITS) {
            whole_multiply(digits, 10, (uint32_t)(*at - '0'));
            exponent--;
        }
    }
    if (is_more) {
        whole_multiply(digits, 10, 1);
        exponent--;
    }
    return exponent;
}

/* The decimal compared with the middle between the number and the next. */
static int middle_compare(const plug_float_format *f, const whole *digits, int64_t exponent,
                          uint64_t bits)
{
    uint64_t hidden = (uint64_t)1 << f->fraction_bits;
    int64_t e = (int64_t)(bits >> f->fraction_bits);
    uint64_t m = bits & (hidden - 1);
    /* the middle is (2 m + 1) 2^e */
    int64_t shift;
    whole left = *digits, right;

    whole_set(&right, 2 * (e ? m | hidden : m) + 1);
    e = (e ? e : 1) - f->bias - f->fraction_bits - 1;
    /* digits 5^exponent 2^(exponent - e) against 2 m + 1 */
    shift = exponent - e;
    if (exponent > 0)
        whole_times_five(&left, exponent);
    else
        whole_times_five(&right, -exponent);
    if (shift > 0)
        whole_shift(&left, shift);
    else
        whole_shift(&right, -shift);
    return whole_compare(&left, &right);
}

uint64_t plug_nearest_exact(const plug_float_format *format, const plug_number_text *number,
                            uint64_t nearby)
{
    uint64_t infinite = (uint64_t)(2 * format->bias + 1) << format->fraction_bits;
    whole digits;
    int64_t exponent = digits_read(number, &digits);
    int order;

    while (nearby < infinite) {
        order = middle_compare(format, &digits, exponent, nearby);
        if (order < 0 || (order == 0 && !(nearby & 1)))
            break;
        nearby++;
    }
    while (nearby > 0) {
        order = middle_compare(format, &digits, exponent, nearby - 1);
        if (order > 0 || (order == 0 && !(nearby & 1)))
            break;
        nearby--;
    }
    return nearby;
}
