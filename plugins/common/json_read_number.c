/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>

#include "json_internal.h"
#include "json_number.h"

static const char no_number[] = "a number was expected";
static const char too_large[] = "a number is too large";

static int number_scan(plug_json *json, plug_number_scan *scan)
{
    const char *end;

    plug_json_space(json);
    if (json->problem)
        return 0;
    end = plug_number_read(json->at, json->end, scan);
    if (!end)
        return plug_json_fail(json, no_number);
    json->at = end;
    return 1;
}

int plug_json_skip_number(plug_json *json)
{
    plug_number_scan scan;

    return number_scan(json, &scan);
}

/* The integer without its sign; 0: no uint64 holds it. */
static int magnitude(const plug_number_scan *scan, uint64_t *value)
{
    const plug_number_text *text = &scan->text;

    *value = text->digits;
    if (!text->is_cut)
        return 1;
    return text->end - text->begin == PLUG_DIGITS + 1 &&
           !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, (uint64_t)(text->end[-1] - '0'), value);
}

int plug_json_read_number(plug_json *json, plug_json_number *number)
{
    plug_number_scan scan;
    uint64_t value;

    memset(number, 0, sizeof *number);
    if (!number_scan(json, &scan))
        return 0;
    if (scan.is_integer && magnitude(&scan, &value)) {
        if (value <= (uint64_t)INT64_MAX + (uint64_t)scan.text.is_negative) {
            number->kind = PLUG_JSON_INT64;
            number->as.i = (int64_t)(scan.text.is_negative ? 0 - value : value);
            return 1;
        }
        if (!scan.text.is_negative) {
            number->kind = PLUG_JSON_UINT64;
            number->as.u = value;
            return 1;
        }
    }
    number->kind = PLUG_JSON_DOUBLE;
    number->as.d = plug_nearest_double(&scan.text);
    return isfinite(number->as.d) ? 1 : plug_json_fail(json, too_large);
}

int plug_json_read_int64(plug_json *json, int64_t *value)
{
    plug_json_number number;

    *value = 0;
    if (!plug_json_read_number(json, &number))
        return 0;
    if (number.kind != PLUG_JSON_INT64)
        return plug_json_fail(json, "an integer of 64 bits was expected");
    *value = number.as.i;
    return 1;
}

int plug_json_read_uint64(plug_json *json, uint64_t *value)
{
    plug_json_number number;

    *value = 0;
    if (!plug_json_read_number(json, &number))
        return 0;
    if (number.kind == PLUG_JSON_DOUBLE || (number.kind == PLUG_JSON_INT64 && number.as.i < 0))
        return plug_json_fail(json, "an integer of 64 bits and without a sign was expected");
    *value = number.as.u;
    return 1;
}

int plug_json_read_double(plug_json *json, double *value)
{
    plug_number_scan scan;

    *value = 0;
    if (!number_scan(json, &scan))
        return 0;
    *value = plug_nearest_double(&scan.text);
    return isfinite(*value) ? 1 : plug_json_fail(json, too_large);
}

/* ---- arrays ------------------------------------------------------------------------------- */

/* The next number of an array, and the comma behind it; 0: the array ends or is none. */
static inline int float_read(plug_json *json, float *value, int *is_last)
{
    plug_number_scan scan;
    float number;

    if (!number_scan(json, &scan))
        return 0;
    number = plug_nearest_float(&scan.text);
    if (!isfinite(number))
        return plug_json_fail(json, "a number is too large for a float");
    memcpy(value, &number, sizeof number);
    plug_json_space(json);
    *is_last = 0;
    if (json->at < json->end && *json->at == ',')
        json->at++;
    else
        *is_last = 1;
    return 1;
}

/* Behind the last number. */
static int floats_end(plug_json *json)
{
    if (json->problem)
        return 0;
    json->begun |= 1;
    /* there is no comma: this ends the array, or says what it found instead */
    plug_json_next_item(json);
    return !json->problem;
}

/* Whether there is a first number. */
static int floats_begin(plug_json *json, int *is_last)
{
    *is_last = 1;
    if (!plug_json_array_begin(json))
        return 0;
    plug_json_space(json);
    *is_last = json->at < json->end && *json->at == ']';
    return 1;
}

int plug_json_read_floats(plug_json *json, float *numbers, uint64_t count)
{
    uint64_t i = 0;
    int is_last;

    if (!floats_begin(json, &is_last))
        return 0;
    for (; !is_last && i < count; i++)
        if (!float_read(json, &numbers[i], &is_last))
            return 0;
    if (!is_last)
        return plug_json_fail(json, "an array has too many numbers");
    if (i < count && json->at < json->end && *json->at == ']')
        return plug_json_fail(json, "an array has too few numbers");
    return floats_end(json);
}

int plug_json_append_floats(plug_json *json, sp_buffer *numbers, uint64_t limit, uint64_t *count)
{
    int is_last;

    *count = 0;
    if (!floats_begin(json, &is_last))
        return 0;
    while (!is_last) {
        float *at;

        if (*count == limit)
            return plug_json_fail(json, "an array has too many numbers");
        at = sp_buffer_extend(numbers, sizeof *at);
        if (!at) {
            json->no_memory = 1;
            return plug_json_fail(json, "there is no memory");
        }
        if (!float_read(json, at, &is_last)) {
            numbers->size -= sizeof *at;
            return 0;
        }
        ++*count;
    }
    return floats_end(json);
}
