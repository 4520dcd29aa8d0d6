/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of JSON's numbers. */
#ifndef PLUG_JSON_NUMBER_H
#define PLUG_JSON_NUMBER_H

#include "nearest.h"

#include <endian.h>
#include <string.h>

#define PLUG_EXPONENT_MAX ((int64_t)1 << 50) /* far beyond what any number of digits makes up for */

typedef struct plug_number_scan {
    plug_number_text text;
    int is_integer; /* neither a point nor an exponent */
} plug_number_scan;

/* Digits into *number, modulo 2^64, eight at a time; where they end. */
static inline const char *plug_digits_scan(const char *at, const char *end, uint64_t *number)
{
    uint64_t eight, sum = *number;

    while (end - at >= 8) {
        memcpy(&eight, at, sizeof eight);
        eight = le64toh(eight) - 0x3030303030303030;
        if ((eight | (eight + 0x0606060606060606)) & 0xf0f0f0f0f0f0f0f0)
            break;
        /* pairs, pairs of pairs, both halves */
        eight = eight * 10 + (eight >> 8);
        eight = ((eight & 0x000000ff000000ff) * (100 + ((uint64_t)1000000 << 32)) +
                 (eight >> 16 & 0x000000ff000000ff) * (1 + ((uint64_t)10000 << 32))) >>
                32;
        sum = sum * 100000000 + eight;
        at += 8;
    }
    for (; at < end && (unsigned char)(*at - '0') < 10; at++)
        sum = sum * 10 + (uint64_t)(*at - '0');
    *number = sum;
    return at;
}

/* More than PLUG_DIGITS digits, zeros in front not counted: the first of them. */
static inline void plug_number_cut(plug_number_text *text, int64_t exponent)
{
    int is_fraction = 0;
    uint64_t digits = 0;
    int count = 0;

    for (const char *at = text->begin; at < text->end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            is_fraction = 1;
        } else if (count == PLUG_DIGITS) {
            text->is_cut = 1;
            exponent += !is_fraction;
        } else {
            digits = digits * 10 + (uint64_t)(*at - '0');
            count += digits > 0;
            exponent -= is_fraction;
        }
    }
    text->digits = digits;
    text->exponent = exponent;
}

/* Where the number at `at` ends; NULL: there is none. */
static inline const char *plug_number_read(const char *at, const char *end, plug_number_scan *scan)
{
    plug_number_text *text = &scan->text;
    int64_t exponent = 0, fraction = 0, digits;
    const char *from;

    text->is_negative = at < end && *at == '-';
    at += text->is_negative;
    text->begin = at;
    text->digits = 0;
    text->is_cut = 0;
    scan->is_integer = 1;
    at = plug_digits_scan(at, end, &text->digits);
    digits = at - text->begin;
    if (!digits || (digits > 1 && *text->begin == '0'))
        return NULL;
    if (at < end && *at == '.') {
        from = ++at;
        at = plug_digits_scan(at, end, &text->digits);
        fraction = at - from;
        if (!fraction)
            return NULL;
        digits += fraction;
        scan->is_integer = 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        int is_negative = 0;

        at++;
        if (at < end && (*at == '-' || *at == '+'))
            is_negative = *at++ == '-';
        from = at;
        for (; at < end && (unsigned char)(*at - '0') < 10; at++)
            if (exponent < PLUG_EXPONENT_MAX)
                exponent = exponent * 10 + (*at - '0');
        if (at == from)
            return NULL;
        if (is_negative)
            exponent = -exponent;
        scan->is_integer = 0;
    }
    text->end = at;
    text->exponent = exponent - fraction;
    if (__builtin_expect(digits > PLUG_DIGITS, 0))
        plug_number_cut(text, exponent);
    return at;
}

#endif
