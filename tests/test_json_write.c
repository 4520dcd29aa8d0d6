/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON on its way out: numbers read back by the C library as the same number, no text being
 * shorter; texts and rows read back by jansson.
 */
#include "config.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

#include "json_write.h"
#include "unit_fails.h"
#include "unit_locale.h"

#define STRIDE 397 /* 10,818,573 of all bit patterns of a float */
#define BLOCK 4096

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t float_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t double_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void complain(const char *what, const char *text)
{
    CU_FAIL("a number");
    printf("\n    %s: %.*s", what, (int)strcspn(text, ",]"), text);
}

/* ---- digits ------------------------------------------------------------------------------- */

/* Digits without zeros around them, and the exponent of the last. */
typedef struct digits {
    char text[40];
    size_t count;
    long exponent;
} digits;

static digits digits_of(const char *text)
{
    digits d = {.count = 0};
    int is_fraction = 0;

    for (; *text && *text != 'e' && *text != ',' && *text != ']'; text++) {
        if (*text == '.')
            is_fraction = 1;
        if (*text < '0' || *text > '9')
            continue;
        d.exponent -= is_fraction;
        if (d.count || *text != '0')
            d.text[d.count++] = *text;
    }
    if (*text == 'e')
        d.exponent += strtol(text + 1, NULL, 10);
    while (d.count && d.text[d.count - 1] == '0') {
        d.count--;
        d.exponent++;
    }
    d.text[d.count] = 0;
    return d;
}

/*
 * No text with fewer digits is this number, and of those with as many this is the nearest:
 * only for powers of two, whose neighbors are not equally far, it may be another.
 */
static void is_shortest(const char *text, double value, int is_float, int is_power)
{
    digits d = digits_of(text);
    char other[64];

    if (d.count > 1) {
        snprintf(other, sizeof other, "%.*e", (int)d.count - 2, value);
        if (is_float ? strtof(other, NULL) == (float)value : strtod(other, NULL) == value)
            complain("shorter would do", text);
    }
    snprintf(other, sizeof other, "%.*e", (int)d.count - 1, value);
    if (!is_power && d.exponent != digits_of(other).exponent)
        complain("not the nearest", text);
    if (!is_power && strcmp(d.text, digits_of(other).text) != 0)
        complain("not the nearest", text);
}

/* ---- float32 ------------------------------------------------------------------------------ */

/* Numbers, or null for what is not finite. */
static void floats_are_read_back(const float *numbers, uint64_t count, int look_closely)
{
    sp_buffer out;
    char *text, *at, *end;

    sp_buffer_init(&out);
    plug_json_floats(&out, numbers, count);
    at = text = sp_buffer_steal(&out, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_EQUAL(*at, '[');
    for (uint64_t i = 0; i < count; i++) {
        at++;
        if (!isfinite(numbers[i])) {
            if (strncmp(at, "null", 4) != 0)
                complain("not null", at);
            at += 4;
            continue;
        }
        if (float_bits(strtof(at, &end)) != float_bits(numbers[i]))
            complain("another number", at);
        if (!memchr(at, '.', (size_t)(end - at)) && !memchr(at, 'e', (size_t)(end - at)))
            complain("an integer", at);
        if (look_closely && numbers[i] != 0)
            is_shortest(at, (double)numbers[i], 1, !(float_bits(numbers[i]) & 0x7fffff));
        at = end;
        if (*at != ',' && i + 1 < count)
            complain("no comma", at);
    }
    CU_ASSERT_STRING_EQUAL(at + !count, "]");
    free(text);
}

static void floats_sampled(void)
{
    static float block[BLOCK];
    uint64_t count = 0, blocks = 0;

    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STRIDE) {
        block[count++] = float_of((uint32_t)bits);
        if (count == BLOCK || bits + STRIDE > UINT32_MAX) {
            floats_are_read_back(block, count, blocks++ % 32 == 0);
            count = 0;
        }
    }
}

/* Around every power of two and of ten, and around every number of up to three digits. */
static void floats_at_boundaries(void)
{
    float block[16];

    for (uint32_t exponent = 0; exponent < 256; exponent++) {
        for (uint32_t i = 0; i < 16; i++)
            block[i] = float_of((exponent << 23) + i - 8);
        floats_are_read_back(block, 16, 1);
    }
    for (int exponent = -46; exponent < 39; exponent++)
        for (int first = 1; first < 1000; first++) {
            char text[20];

            snprintf(text, sizeof text, "%de%d", first, exponent);
            for (uint32_t i = 0; i < 3; i++)
                block[i] = float_of(float_bits(strtof(text, NULL)) + i - 1);
            floats_are_read_back(block, 3, first < 10);
        }
}

/* Subnormal numbers: the smallest and largest, and some of all others. */
static void floats_subnormal(void)
{
    static float block[BLOCK];

    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = float_of(i);
    floats_are_read_back(block, BLOCK, 1);
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = float_of(0x800000 - BLOCK / 2 + i);
    floats_are_read_back(block, BLOCK, 1);
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = -float_of(i * 2039);
    floats_are_read_back(block, BLOCK, 1);
}

/* Numbers that embeddings hold, and whole ones, all looked at closely. */
static void floats_usual(void)
{
    static float block[BLOCK];
    uint32_t state = 1;

    for (int round = 0; round < 16; round++) {
        for (uint32_t i = 0; i < BLOCK; i++) {
            state = state * 1664525 + 1013904223;
            block[i] = ((float)(state >> 8) / 8388608 - 1) / (float)(round + 1);
        }
        floats_are_read_back(block, BLOCK, 1);
    }
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i] = (float)i * (i % 2 ? 1 : 1000001);
    floats_are_read_back(block, BLOCK, 1);
}

static void floats_text(void)
{
    static const float numbers[] = {0,         -0.0f,       1,         -1,        0.1f,
                                    -2.5e-8f,  10,          1e8f,      123456792, 1e9f,
                                    -1e10f,    0.001f,      0.0001f,   0.00012345678f,
                                    0.00001f,  1e-45f,      FLT_MAX,   -FLT_MAX,  FLT_MIN,
                                    16777216,  -0.5f,       12.5f,     1.5e10f,   INFINITY,
                                    -INFINITY, NAN,         -NAN};
    sp_buffer out;
    char *text;

    sp_buffer_init(&out);
    sp_buffer_append_text(&out, "x");
    plug_json_floats(&out, numbers, sizeof numbers / sizeof numbers[0]);
    plug_json_floats(&out, numbers, 0);
    plug_json_floats(&out, NULL, 0);
    text = sp_buffer_steal(&out, NULL);
    CU_ASSERT_STRING_EQUAL(text, "x[0.0,-0.0,1.0,-1.0,0.1,-2.5e-8,10.0,1e8,1.2345679e8,1e9,"
                                 "-1e10,0.001,0.0001,0.00012345678,1e-5,1e-45,3.4028235e38,"
                                 "-3.4028235e38,1.1754944e-38,16777216.0,-0.5,12.5,1.5e10,null,"
                                 "null,null,null][][]");
    free(text);
}

/* ---- double ------------------------------------------------------------------------------- */

static char *double_text(double value)
{
    sp_buffer out;
    char *text;

    sp_buffer_init(&out);
    plug_json_double(&out, value);
    text = sp_buffer_steal(&out, NULL);
    if (!text)
        abort();
    return text;
}

static void double_is_read_back(double value, int look_closely)
{
    char *text = double_text(value);

    if (!isfinite(value)) {
        CU_ASSERT_STRING_EQUAL(text, "null");
    } else {
        if (double_bits(strtod(text, NULL)) != double_bits(value))
            complain("another number", text);
        if (!strpbrk(text, ".e"))
            complain("an integer", text);
        if (look_closely && value != 0)
            is_shortest(text, value, 0, !(double_bits(value) & 0xfffffffffffff));
    }
    free(text);
}

static void doubles_sampled(void)
{
    /* a prime: all exponents, and all kinds of fractions */
    for (uint64_t bits = 1, i = 0; i < 500000; bits += 36893488147419, i++)
        double_is_read_back(double_of(bits), i % 8 == 0);
}

static void doubles_at_boundaries(void)
{
    for (uint64_t exponent = 0; exponent < 2048; exponent++)
        for (uint64_t i = 0; i < 6; i++)
            double_is_read_back(double_of((exponent << 52) + i - 3), 1);
    for (int exponent = -325; exponent < 309; exponent++)
        for (int first = 1; first < 100; first++) {
            char text[20];

            snprintf(text, sizeof text, "%de%d", first, exponent);
            for (uint64_t i = 0; i < 3; i++)
                double_is_read_back(double_of(double_bits(strtod(text, NULL)) + i - 1), first < 10);
        }
    for (uint64_t bits = 0; bits < 2000; bits++)
        double_is_read_back(double_of(bits), 1);
    for (uint64_t whole = 0; whole < 2000; whole++) {
        double_is_read_back((double)whole, 1);
        double_is_read_back((double)((uint64_t)1 << 53) - (double)whole, 1);
        double_is_read_back((double)whole / 100, 1);
    }
}

static void doubles_text(void)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {3, "3.0"},
        {-2.5, "-2.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-4, "0.0001"},
        {1.25e-4, "0.000125"},
        {1e-5, "1e-05"},
        {100000, "100000.0"},
        {999999999999999.0, "999999999999999.0"},
        {1e15, "1e+15"},
        {9007199254740993.0, "9007199254740992.0"},
        {12345678901234567.0, "12345678901234568.0"},
        {123456789012345678.0, "1.2345678901234568e+17"},
        {1e22, "1e+22"},
        {1.5e300, "1.5e+300"},
        {5e-324, "5e-324"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char *text = double_text(known[i].value);

        CU_ASSERT_STRING_EQUAL(text, known[i].text);
        free(text);
    }
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void integers(void)
{
    sp_buffer out;
    char *text;

    sp_buffer_init(&out);
    plug_json_int64(&out, 0);
    sp_buffer_append_text(&out, " ");
    plug_json_int64(&out, INT64_MIN);
    sp_buffer_append_text(&out, " ");
    plug_json_int64(&out, INT64_MAX);
    sp_buffer_append_text(&out, " ");
    plug_json_int64(&out, -10);
    sp_buffer_append_text(&out, " ");
    plug_json_uint64(&out, UINT64_MAX);
    sp_buffer_append_text(&out, " ");
    plug_json_uint64(&out, 0);
    text = sp_buffer_steal(&out, NULL);
    CU_ASSERT_STRING_EQUAL(text, "0 -9223372036854775808 9223372036854775807 -10 "
                                 "18446744073709551615 0");
    free(text);
}

static void texts(void)
{
    static const struct {
        const char *text, *json;
    } known[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\n\r\t", "\"\\n\\r\\t\""},
        {"\b\f\v\x01\x1f\x7f", "\"\\u0008\\u000c\\u000b\\u0001\\u001f\x7f\""},
        {"/\xc3\xbc\xf0\x9f\x98\x80\xe2\x80\xa8", "\"/\xc3\xbc\xf0\x9f\x98\x80\xe2\x80\xa8\""},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        sp_buffer out;
        char *text;
        json_t *json;

        sp_buffer_init(&out);
        plug_json_string(&out, known[i].text);
        text = sp_buffer_steal(&out, NULL);
        CU_ASSERT_STRING_EQUAL(text, known[i].json);
        json = json_loads(text, JSON_DECODE_ANY, NULL);
        CU_ASSERT_STRING_EQUAL(json_string_value(json), known[i].text);
        json_decref(json);
        free(text);
    }
}

/* Every ASCII character, U+0000 too, through a parser. */
static void every_character(void)
{
    char all[128];
    sp_buffer out;
    json_t *json;

    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    sp_buffer_init(&out);
    plug_json_text(&out, all, sizeof all);
    json = json_loadb((const char *)out.data, out.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CU_ASSERT_EQUAL(json_string_length(json), sizeof all);
    CU_ASSERT_EQUAL(memcmp(json_string_value(json), all, sizeof all), 0);
    json_decref(json);
    sp_buffer_clear(&out);
}

static void cells(void)
{
    static const int64_t integers_in[] = {-1, 7, INT64_MAX}, offsets[] = {0, 1, 1, 3},
                         lists[] = {0, 2, 2, 3};
    static const double doubles[] = {1, 0.5, -1e-9};
    static const uint8_t bools[] = {1, 0, 1}, valid[] = {5};
    const sp_column columns[] = {
        {.type = SP_INT64, .count = 3, .values = integers_in, .valid = valid},
        {.type = SP_TEXT, .count = 3, .values = "a\"b", .offsets = offsets},
        {.type = SP_FLOAT64, .count = 3, .values = doubles},
        {.type = SP_BOOL, .count = 3, .values = bools},
        {.type = SP_INT64 | SP_LIST, .count = 3, .values = integers_in, .list_offsets = lists},
        {.type = SP_TEXT | SP_LIST, .count = 3, .values = "a\"b", .offsets = offsets,
         .list_offsets = lists},
        {.type = SP_FLOAT64 | SP_LIST, .count = 3, .values = doubles, .list_offsets = lists},
        {.type = SP_BOOL | SP_LIST, .count = 3, .values = bools, .list_offsets = lists},
    };
    static const char *const names[] = {"i", "t", "d", "b", "li", "lt", "l\"d", "lb"};
    sp_buffer out;
    char *text;

    sp_buffer_init(&out);
    for (uint64_t row = 0; row < 3; row++) {
        int is_first = 1;

        sp_buffer_append_text(&out, "{");
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
            plug_json_cell(&out, &is_first, names[i], &columns[i], row);
        plug_json_key(&out, &is_first, "n");
        plug_json_null(&out);
        CU_ASSERT_EQUAL(is_first, 0);
        sp_buffer_append_text(&out, "}\n");
    }
    text = sp_buffer_steal(&out, NULL);
    CU_ASSERT_STRING_EQUAL(
        text, "{\"i\":-1,\"t\":\"a\",\"d\":1.0,\"b\":true,\"li\":[-1,7],\"lt\":[\"a\",\"\"],"
              "\"l\\\"d\":[1.0,0.5],\"lb\":[true,false],\"n\":null}\n"
              "{\"i\":null,\"t\":\"\",\"d\":0.5,\"b\":false,\"li\":[],\"lt\":[],"
              "\"l\\\"d\":[],\"lb\":[],\"n\":null}\n"
              "{\"i\":9223372036854775807,\"t\":\"\\\"b\",\"d\":-1e-09,\"b\":true,"
              "\"li\":[9223372036854775807],\"lt\":[\"\\\"b\"],\"l\\\"d\":[-1e-09],"
              "\"lb\":[true],\"n\":null}\n");
    free(text);
}

/* The program's locale has another point, if the machine has such a locale. */
static void locales(void)
{
    unit_in_locale("de_DE", ",", floats_text);
    unit_in_locale("de_DE", ",", doubles_text);
    unit_in_locale("de_DE", ",", integers);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void writes_all(sp_buffer *out)
{
    static const float numbers[1000] = {1, 2, 3};
    int is_first = 1;

    for (int i = 0; i < 40; i++) {
        plug_json_key(out, &is_first, "k\n");
        plug_json_double(out, 0.1);
        plug_json_int64(out, i);
        plug_json_bool(out, i);
        plug_json_floats(out, numbers, (uint64_t)i * 25);
    }
}

/* A buffer that has failed takes nothing more, and was never written behind its end. */
static void failures(void)
{
    sp_buffer out;

    sp_buffer_init(&out);
    out.failed = 1;
    writes_all(&out);
    CU_ASSERT_EQUAL(out.size, 0);
    CU_ASSERT_PTR_NULL(out.data);
    sp_buffer_init(&out);
    plug_json_floats(&out, NULL, UINT64_MAX);
    CU_ASSERT_TRUE(out.failed);
    sp_buffer_clear(&out);
    sp_buffer_init(&out);
    plug_json_floats(&out, NULL, UINT64_MAX / 40);
    CU_ASSERT_TRUE(out.failed);
    sp_buffer_clear(&out);
    for (long count = 0;; count++) {
        int failed;

        sp_buffer_init(&out);
        unit_allocations = count;
        writes_all(&out);
        unit_allocations = -1;
        failed = out.failed;
        CU_ASSERT_PTR_NULL(failed ? sp_buffer_steal(&out, NULL) : NULL);
        sp_buffer_clear(&out);
        if (!failed) {
            CU_ASSERT_TRUE(count > 5);
            break;
        }
    }
}

static const unit_case cases[] = {
    UNIT_CASE(floats_text, "how float32 is written"),
    UNIT_CASE(floats_sampled, "more than 10 million float32 read back"),
    UNIT_CASE(floats_at_boundaries, "float32 around powers of two and of ten"),
    UNIT_CASE(floats_subnormal, "subnormal float32"),
    UNIT_CASE(floats_usual, "float32 of embeddings, and whole ones"),
    UNIT_CASE(doubles_text, "how doubles are written"),
    UNIT_CASE(doubles_sampled, "doubles read back"),
    UNIT_CASE(doubles_at_boundaries, "doubles around powers of two and of ten"),
    UNIT_CASE(integers, "integers"),
    UNIT_CASE(texts, "texts and their escapes"),
    UNIT_CASE(every_character, "every ASCII character"),
    UNIT_CASE(cells, "cells of every type"),
    UNIT_CASE(locales, "another locale"),
    UNIT_CASE(failures, "every allocation fails once"),
};

UNIT_MAIN("json_write", cases)
