/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text: eight digits at a time, each way to write them without a loop. */
#include "config.h"

#include "json_write.h"

#include <endian.h>
#include <string.h>

#include "shortest.h"

#define FLOAT_WHOLE 8 /* digits that may stand before a point */
#define FLOAT_BYTES 17 /* "-0.000123456789" or "-1.23456789e-38", and what is behind it */
#define DOUBLE_DIGITS 17
#define DOUBLE_WHOLE 15 /* digits that a double has in any case: so many stand before a point */
#define SPARE_BYTES 32  /* digits are written whole, and what is too much is written over */

static const uint64_t powers[] = {1,
                                  10,
                                  100,
                                  1000,
                                  10000,
                                  100000,
                                  1000000,
                                  10000000,
                                  100000000,
                                  1000000000,
                                  10000000000,
                                  100000000000,
                                  1000000000000,
                                  10000000000000,
                                  100000000000000,
                                  1000000000000000,
                                  10000000000000000,
                                  100000000000000000,
                                  1000000000000000000,
                                  10000000000000000000u};

/*
 * The digits of a number below 10^8, the first in the lowest byte: halved, and halved again.
 * n / 10 below (n % 10) << 8 is (n << 8) - n / 10 * ((10 << 8) - 1).
 */
static inline uint64_t eight_digits(uint32_t number)
{
    uint64_t quotient = number / 10000;
    uint64_t four = ((uint64_t)number << 32) - quotient * (((uint64_t)10000 << 32) - 1);
    uint64_t two;

    quotient = (four * 5243 >> 19) & 0x0000007f0000007f;
    two = (four << 16) - quotient * ((100 << 16) - 1);
    quotient = (two * 103 >> 10) & 0x000f000f000f000f;
    return (two << 8) - quotient * ((10 << 8) - 1);
}

static inline void eight_put(char *at, uint64_t digits)
{
    digits = htole64(digits | 0x3030303030303030);
    memcpy(at, &digits, sizeof digits);
}

/* How many digits are left without the zeros at the end. */
static inline uint32_t eight_count(uint64_t digits)
{
    return digits ? 8 - (uint32_t)__builtin_clzll(digits) / 8 : 0;
}

/* Digits of numbers below 10^19. */
static inline uint32_t digit_count(uint64_t number)
{
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(number | 1);
    uint32_t count = bits * 1233 >> 12;

    return count + (number >= powers[count]);
}

/* 0 and what is not finite. */
static char *zero_put(char *at, uint64_t is_null, uint64_t is_negative)
{
    memcpy(at, is_null ? "null" : is_negative ? "-0.0" : "0.0", 4);
    return at + (is_null || is_negative ? 4 : 3);
}

/* ---- float32 ------------------------------------------------------------------------------ */

/*
 * Of digits from 1e6 on and below 1.7e8. Numbers from 1e-4 on and below 1e8 stand as they
 * are, others with an exponent.
 */
static inline __attribute__((always_inline)) char *float_decimal_put(char *at, plug_decimal decimal)
{
    uint32_t count, has_nine, has_seven, shift;
    uint64_t eight;
    int32_t e; /* the first digit is of 10^e */

    /* nine digits, of which the first is 1, or eight, or seven and what will be a zero behind */
    has_nine = decimal.digits >= 100000000;
    has_seven = decimal.digits < 10000000;
    eight = eight_digits((uint32_t)decimal.digits - has_nine * 100000000) >> 8 * has_seven;
    e = decimal.exponent + 7 + (int32_t)has_nine - (int32_t)has_seven;
    count = has_nine + eight_count(eight);
    if (e < 0 && e >= -4) {
        memcpy(at, "0.000", 5);
        at += 1 - e;
        *at = '1';
        eight_put(at + has_nine, eight);
        return at + count;
    }
    *at = '1';
    eight_put(at + has_nine, eight);
    if (e >= 0 && e < FLOAT_WHOLE) {
        /* what stands behind the point once more */
        shift = 4 * ((uint32_t)e + 1 - has_nine);
        eight_put(at + e + 2, eight >> shift >> shift);
        at[e + 1] = '.';
        return at + 1 + (count > (uint32_t)e + 1 ? count : (uint32_t)e + 2);
    }
    if (count > 1) {
        eight_put(at + 2, has_nine ? eight : eight >> 8);
        at[1] = '.';
        at++;
    }
    at += count;
    *at++ = 'e';
    *at = '-';
    at += e < 0;
    e = e < 0 ? -e : e;
    *at = (char)('0' + e / 10);
    at += e >= 10;
    *at = (char)('0' + e % 10);
    return at + 1;
}

/* What is 0, subnormal or not finite. */
static __attribute__((noinline)) char *float_rare_put(char *at, uint32_t bits)
{
    uint32_t rest = bits & 0x7fffffff, count;
    plug_decimal decimal;

    if (!rest || rest >= 0x7f800000)
        return zero_put(at, rest, bits >> 31);
    *at = '-';
    decimal = plug_shortest_float_exact(rest);
    count = digit_count(decimal.digits);
    if (count < 8) {
        decimal.digits *= powers[8 - count];
        decimal.exponent -= 8 - (int32_t)count;
    }
    return float_decimal_put(at + (bits >> 31), decimal);
}

static inline char *float_put(char *at, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (__builtin_expect((bits & 0x7fffffff) - 0x800000 >= 0x7f000000, 0))
        return float_rare_put(at, bits);
    *at = '-';
    return float_decimal_put(at + (bits >> 31), plug_shortest_float(bits & 0x7fffffff));
}

void plug_json_floats(sp_buffer *out, const float *numbers, uint64_t count)
{
    size_t begin = out->size;
    char *at, *to;

    if (count > (SIZE_MAX - SPARE_BYTES) / FLOAT_BYTES) {
        out->failed = 1;
        return;
    }
    to = at = sp_buffer_extend(out, (size_t)count * FLOAT_BYTES + SPARE_BYTES);
    if (!at)
        return;
    *at++ = '[';
    for (uint64_t i = 0; i < count; i++) {
        at = float_put(at, numbers[i]);
        *at++ = ',';
    }
    at -= count > 0;
    *at++ = ']';
    out->size = begin + (size_t)(at - to);
}

/* ---- double ------------------------------------------------------------------------------- */

/* As C's %g writes a number with just the digits it needs, but that "3" becomes "3.0". */
static char *double_put(char *at, double value)
{
    char digits[DOUBLE_DIGITS + 7];
    plug_decimal decimal;
    uint64_t bits, high, low, rest;
    uint32_t count, more;
    int32_t e; /* the first digit is of 10^e */

    memcpy(&bits, &value, sizeof bits);
    if ((bits & INT64_MAX) - 1 >= ((uint64_t)0x7ff << 52) - 1)
        return zero_put(at, bits & INT64_MAX, bits >> 63);
    *at = '-';
    at += bits >> 63;
    bits &= INT64_MAX;
    decimal = plug_shortest_double(bits);
    count = digit_count(decimal.digits);
    e = decimal.exponent + (int32_t)count - 1;
    decimal.digits *= powers[DOUBLE_DIGITS - count];
    digits[0] = (char)('0' + decimal.digits / powers[16]);
    rest = decimal.digits % powers[16];
    high = eight_digits((uint32_t)(rest / powers[8]));
    low = eight_digits((uint32_t)(rest % powers[8]));
    eight_put(digits + 1, high);
    eight_put(digits + 9, low);
    more = low ? 8 + eight_count(low) : eight_count(high);
    if (e < 0 && e >= -4) {
        memcpy(at, "0.000", 5);
        at += 1 - e;
        memcpy(at, digits, DOUBLE_DIGITS);
        return at + 1 + more;
    }
    if (e >= 0 && (e < DOUBLE_WHOLE || e <= (int32_t)more)) {
        uint32_t whole = (uint32_t)e + 1;

        memcpy(at, digits, DOUBLE_DIGITS);
        at[whole] = '.';
        if (more < whole) {
            at[whole + 1] = '0';
            return at + whole + 2;
        }
        memcpy(at + whole + 1, digits + whole, DOUBLE_DIGITS - whole);
        return at + 2 + more;
    }
    *at++ = digits[0];
    *at = '.';
    memcpy(at + 1, digits + 1, DOUBLE_DIGITS - 1);
    at += more ? more + 1 : 0;
    *at++ = 'e';
    *at++ = e < 0 ? '-' : '+';
    e = e < 0 ? -e : e;
    *at = (char)('0' + e / 100);
    at += e >= 100;
    *at++ = (char)('0' + e / 10 % 10);
    *at++ = (char)('0' + e % 10);
    return at;
}

void plug_json_double(sp_buffer *out, double value)
{
    size_t begin = out->size;
    char *at = sp_buffer_extend(out, SPARE_BYTES);

    if (at)
        out->size = begin + (size_t)(double_put(at, value) - at);
}

/* ---- integers ----------------------------------------------------------------------------- */

static void integer_put(sp_buffer *out, uint64_t value, int is_negative)
{
    char text[20];
    char *at = text + sizeof text;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    if (is_negative)
        *--at = '-';
    sp_buffer_append(out, at, (size_t)(text + sizeof text - at));
}

void plug_json_int64(sp_buffer *out, int64_t value)
{
    integer_put(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void plug_json_uint64(sp_buffer *out, uint64_t value)
{
    integer_put(out, value, 0);
}
