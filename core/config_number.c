/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as Python's int() and float() read them, for FiftyOne's environment variables. */
#include "config.h"

#include "config_internal.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where each script's ten decimal digits begin (Unicode 15, general category Nd). */
static const int32_t digit_zeros[] = {
    0x30,    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,   0xbe6,
    0xc66,   0xce6,   0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,  0x1090,  0x17e0,
    0x1810,  0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,
    0xa8d0,  0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
};

static int is_space(int32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* The ASCII character that a number may have in place of c, '?' where it may have none. */
static char plain(int32_t c)
{
    if (is_space(c))
        return ' ';
    if (c < 0x80)
        return c > 0 ? (char)c : '?';
    for (size_t i = 0; i < sizeof digit_zeros / sizeof digit_zeros[0]; i++)
        if (c >= digit_zeros[i] && c < digit_zeros[i] + 10)
            return (char)('0' + (c - digit_zeros[i]));
    return '?';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with single underscores between them; writes the digits to *out. */
static const char *digits(const char *at, char **out)
{
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at) || (*at == '_' && is_digit(at[1]) && is_digit(at[-1]))) {
        if (*at != '_')
            *(*out)++ = *at;
        at++;
    }
    return at;
}

/*
 * Reads text, free of spaces around it, in Python's grammar, and writes it in C's to out,
 * which has room for it. 1: an integer; 2: a float; 3: nan, inf or infinity; 0: neither.
 */
static int scan(const char *text, char *out)
{
    const char *at = text;
    const char *next;
    int kind = 1;
    int parts = 0;

    if (*at == '+' || *at == '-')
        *out++ = *at++;
    if (strcasecmp(at, "nan") == 0 || strcasecmp(at, "inf") == 0 ||
        strcasecmp(at, "infinity") == 0)
        return 3;
    if ((next = digits(at, &out))) {
        at = next;
        parts++;
    }
    if (*at == '.') {
        *out++ = *at++;
        kind = 2;
        if ((next = digits(at, &out))) {
            at = next;
            parts++;
        }
    }
    if (!parts)
        return 0;
    if (*at == 'e' || *at == 'E') {
        *out++ = *at++;
        kind = 2;
        if (*at == '+' || *at == '-')
            *out++ = *at++;
        if (!(at = digits(at, &out)))
            return 0;
    }
    *out = '\0';
    return *at ? 0 : kind;
}

static json_t *make_integer(const char *text, int *problem)
{
    json_t *value = NULL;
    long long number;

    errno = 0;
    number = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        *problem = SP_VALUE_TOO_LARGE;
    else if (!(value = json_integer(number)))
        *problem = SP_VALUE_NO_MEMORY;
    return value;
}

/* In the C locale, whatever the program has set: its decimal comma is none of ours. */
static json_t *make_float(const char *text, int *problem)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    json_t *value = NULL;
    double number;

    if (!locale) {
        *problem = SP_VALUE_NO_MEMORY;
        return NULL;
    }
    number = strtod_l(text, NULL, locale);
    freelocale(locale);
    if (!isfinite(number))
        *problem = SP_VALUE_NOT_FINITE;
    else if (!(value = json_real(number)))
        *problem = SP_VALUE_NO_MEMORY;
    return value;
}

json_t *sp_value_number(const char *text, size_t size, int *problem)
{
    char *ascii = malloc(size + 1);
    char *number = malloc(size + 1);
    json_t *value = NULL;
    size_t length = 0;
    size_t begin = 0;

    *problem = SP_VALUE_OK;
    if (!ascii || !number) {
        *problem = SP_VALUE_NO_MEMORY;
        goto out;
    }
    for (size_t i = 0, step; i < size; i += step)
        ascii[length++] = plain(sp_utf8_next(text + i, size - i, &step));
    while (length && ascii[length - 1] == ' ')
        length--;
    while (begin < length && ascii[begin] == ' ')
        begin++;
    ascii[length] = '\0';
    switch (scan(ascii + begin, number)) {
    case 1:
        value = make_integer(number, problem);
        break;
    case 2:
        value = make_float(number, problem);
        break;
    case 3:
        *problem = SP_VALUE_NOT_FINITE;
        break;
    default:
        break;
    }
out:
    free(ascii);
    free(number);
    return value;
}
