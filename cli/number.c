/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The powers of ten that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define LARGEST 22

/* ---- printing ---- */

static size_t print_slowly(float value, char text[CLI_NUMBER_SIZE])
{
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, CLI_NUMBER_SIZE, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    /* it stays a float for who reads it back */
    if (!strpbrk(text, ".e"))
        strcat(text, ".0");
    return strlen(text);
}

/* digits * 10^-decimals with a point in it, without zeros at its end. */
static size_t print_digits(uint64_t digits, int decimals, char *text)
{
    char reversed[24];
    size_t count = 0, size = 0;
    int point = decimals;

    while (point > 1 && digits % 10 == 0) {
        digits /= 10;
        point--;
    }
    while (digits || count <= (size_t)point) {
        reversed[count++] = (char)('0' + digits % 10);
        digits /= 10;
    }
    while (count) {
        text[size++] = reversed[--count];
        if (count == (size_t)point)
            text[size++] = '.';
    }
    text[size] = '\0';
    return size;
}

size_t cli_number_print(float value, char text[CLI_NUMBER_SIZE])
{
    double magnitude = fabs((double)value), ulp;
    int before = 1; /* digits before the point; 0 or less: zeros behind it */
    size_t sign = signbit(value) ? 1 : 0;

    if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e9))
        return print_slowly(value, text);
    text[0] = '-';
    while (before < 9 && magnitude >= powers[before])
        before++;
    while (magnitude != 0 && before <= 1 && before > -3 && magnitude * powers[1 - before] < 1)
        before--;
    ulp = ldexp(1, ilogb(magnitude != 0 ? magnitude : 1) - 23);
    for (int digits = 6; digits <= 9; digits++) {
        /* at least one behind the point, as floats are written */
        int decimals = digits > before ? digits - before : 1;
        double rounded = nearbyint(magnitude * powers[decimals]);

        /* short of half an ulp, so that no way of reading it can round it away */
        if (fabs(rounded / powers[decimals] - magnitude) < 0.49 * ulp)
            return sign + print_digits((uint64_t)rounded, decimals, text + sign);
    }
    return print_slowly(value, text);
}

/* ---- reading ---- */

static int is_digit(const char *text, const char *end)
{
    return text < end && *text >= '0' && *text <= '9';
}

/* What strtod makes of the bytes from text to end, which are a number. */
static double read_slowly(const char *text, const char *end)
{
    char copy[512];
    size_t size = (size_t)(end - text);

    if (size >= sizeof(copy))
        return NAN;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return strtod(copy, NULL);
}

const char *cli_number_read(const char *text, const char *end, double *value)
{
    const char *at = text;
    int is_negative = at < end && *at == '-';
    uint64_t digits = 0;
    int count = 0, exponent = 0;

    at += is_negative;
    if (!is_digit(at, end) || (*at == '0' && is_digit(at + 1, end)))
        return NULL;
    for (; is_digit(at, end); at++, count += digits != 0)
        digits = digits * 10 + (uint64_t)(*at - '0');
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end))
            return NULL;
        for (; is_digit(at, end); at++, count += digits != 0, exponent--)
            digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        int is_down = at + 1 < end && at[1] == '-', scale = 0;

        at += 1 + (at + 1 < end && (at[1] == '-' || at[1] == '+'));
        if (!is_digit(at, end))
            return NULL;
        for (; is_digit(at, end); at++)
            scale = scale < 100000 ? scale * 10 + (*at - '0') : scale;
        exponent += is_down ? -scale : scale;
    }
    /* both factors exact, so the result is rounded once */
    if (count <= 19 && digits < UINT64_C(1) << 53 && exponent >= -LARGEST && exponent <= LARGEST)
        *value = exponent < 0 ? (double)digits / powers[-exponent]
                              : (double)digits * powers[exponent];
    else
        *value = fabs(read_slowly(text, at));
    if (is_negative)
        *value = -*value;
    /* too large, or too long to be read here */
    return isfinite(*value) ? at : NULL;
}
