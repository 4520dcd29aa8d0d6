/* SPDX-License-Identifier: Apache-2.0 */
/* JSON on its way in: what jansson says of the same bytes, and the C library of numbers. */
#include "config.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

#include "json_read.h"
#include "json_write.h"
#include "unit_fails.h"
#include "unit.h"

#define MUTATIONS 400 /* of each document */
#define NUMBERS 200000

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* In an allocation of its exact size, so that tools see a read behind the end. */
static char *exact(const char *text, size_t size)
{
    char *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, text, size);
    return copy;
}

/* ---- trees -------------------------------------------------------------------------------- */

static json_t *tree_read(plug_json *json, sp_arena **arena);

static json_t *number_read(plug_json *json)
{
    plug_json_number number;

    if (!plug_json_read_number(json, &number))
        return NULL;
    switch (number.kind) {
    case PLUG_JSON_INT64: return json_integer(number.as.i);
    case PLUG_JSON_UINT64: return json_real((double)number.as.u);
    default: return json_real(number.as.d);
    }
}

static json_t *array_read(plug_json *json, sp_arena **arena)
{
    json_t *array = json_array();

    plug_json_array_begin(json);
    while (plug_json_next_item(json))
        json_array_append_new(array, tree_read(json, arena));
    return array;
}

static json_t *object_read(plug_json *json, sp_arena **arena)
{
    json_t *object = json_object();
    sp_text key;

    plug_json_object_begin(json);
    while (plug_json_next_key(json, arena, &key))
        json_object_setn_new(object, key.data, key.size, tree_read(json, arena));
    return object;
}

static json_t *tree_read(plug_json *json, sp_arena **arena)
{
    sp_text text;
    int flag;

    switch (plug_json_peek(json)) {
    case PLUG_JSON_NULL: return plug_json_read_null(json) ? json_null() : NULL;
    case PLUG_JSON_BOOL: return plug_json_read_bool(json, &flag) ? json_boolean(flag) : NULL;
    case PLUG_JSON_NUMBER: return number_read(json);
    case PLUG_JSON_TEXT:
        return plug_json_read_text(json, arena, &text) ? json_stringn(text.data, text.size) : NULL;
    case PLUG_JSON_ARRAY: return array_read(json, arena);
    case PLUG_JSON_OBJECT: return object_read(json, arena);
    default: plug_json_skip(json); return NULL;
    }
}

/* What the bytes are, by our reader; NULL: it refused them. */
static json_t *ours(const char *data, size_t size)
{
    char *copy = exact(data, size);
    sp_arena *arena = NULL;
    plug_json json;
    json_t *tree;
    sp_text raw;

    plug_json_init(&json, copy, size);
    tree = tree_read(&json, &arena);
    if (!plug_json_end(&json)) {
        CU_ASSERT_PTR_NOT_NULL(json.problem);
        CU_ASSERT_TRUE(json.offset <= size);
        json_decref(tree);
        tree = NULL;
    }
    /* skipping it says the same, but for numbers that no double holds */
    plug_json_init(&json, copy, size);
    plug_json_read_raw(&json, &raw);
    CU_ASSERT_TRUE(plug_json_end(&json) || !tree);
    sp_arena_free(&arena);
    free(copy);
    return tree;
}

static int tree_is_same(const char *data, size_t size)
{
    const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
    json_error_t error;
    json_t *theirs = json_loadb(data, size, flags, &error);
    json_t *tree = ours(data, size);
    int result = 1;

    if (!theirs && json_error_code(&error) == json_error_null_byte_in_key)
        result = 1; /* keys with U+0000 jansson does not take */
    else if (!theirs && json_error_code(&error) == json_error_numeric_overflow)
        result = 1; /* nor integers beyond int64 */
    else
        result = json_equal(theirs, tree) || (!theirs && !tree);
    json_decref(theirs);
    json_decref(tree);
    return result;
}

static void same_as_jansson(const char *data, size_t size)
{
    if (tree_is_same(data, size))
        return;
    CU_FAIL("another tree than jansson's");
    printf("\n    %.*s", (int)size, data);
}

static const char *const documents[] = {
    "null", "true", "false", " 1 ", "-0", "-0.0", "0", "123", "-9223372036854775808",
    "9223372036854775807", "1.5", "1e5", "1E+5", "1e-5", "0.1e1", "0e0", "-1.25E-2", "\"\"",
    "\"text\"", "[]", "{}", "[ ]", "{ }", "[1,2,3]", "[1 , 2 ,\t3\r\n]", "[[],[[]],{}]",
    "{\"a\":1}", "{\"a\":1,\"b\":[2,{\"c\":null}],\"\":\"\"}", "{ \"a\" : 1 , \"a\" : 2 }",
    "[\"\\u00e9\\n\\\"\\\\\\/\\b\\f\\r\\t\",\"\\ud83d\\ude00\",\"\\u0000\"]",
    "[\"gr\xc3\xb6\xc3\x9f" "er als alles \xf0\x9f\x98\x80\",\"\xe2\x82\xac\xef\xbf\xbf\xf4\x8f\xbf\xbf\"]",
    "[\"\xed\x9f\xbf\xee\x80\x80\xe0\xa0\x80\xf0\x90\x80\x80\xc2\x80\xdf\xbf\x7f\"]",
    "{\"result\":[{\"id\":7,\"version\":0,\"score\":0.98765,\"payload\":{\"city\":\"Berlin\","
    "\"tags\":[\"a\",\"b\"],\"n\":1.5e3,\"ok\":true,\"none\":null},\"vector\":[0.1,-2.5e-8,3]},"
    "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\",\"version\":1,\"score\":-1}],"
    "\"status\":\"ok\",\"time\":0.000123}",
    "[1.7976931348623157e308,5e-324,2.2250738585072011e-308,0.30000000000000004,1e22,1e23]",
};

static const char *const refused[] = {
    "", " ", "nul", "nulL", "tru", "truee", "fals", "falsey", "nan", "NaN", "Infinity", "-Infinity",
    "+1", "01", "-01", "00", ".5", "5.", "-", "-.5", "1e", "1e+", "1e-", "1.e1", "1.5.5", "0x10",
    "1_000", "1,", ",1", "1 2", "[1,]", "[,1]", "[,]", "[1 2]", "[1", "[", "]", "[1}", "{", "}",
    "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
    "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{\"a\":1]", "'a'", "\"", "\"a", "\"\\\"", "\"\\a\"",
    "\"\\x41\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123g\"", "\"\\ud800\"", "\"\\udc00\"",
    "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\ud83d\\ude0\"", "\"\n\"",
    "\"\t\"", "\"\x01\"", "\"\x1f\"", "\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xc3\"",
    "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"", "\"\xf0\x8f\xbf\xbf\"",
    "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "\"\xf0\x9f\x98\"", "\"\xff\"",
    "\"\xc3(\"", "\"\xe2(\xac\"", "\"\xe2\x82(\"", "\"\xf0\x9f\x98(\"", "\xef\xbb\xbf" "1",
    "/* c */ 1", "1 // c", "\xc2\xa0" "1", "\v1", "\f1", "[\"a\":1]", "[}", "{\"a\":[}", "true false",
    "[1]]", "{}}", "1e400", "-1e400", "[1e309]",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void grammar(void)
{
    for (size_t i = 0; i < COUNT(documents); i++) {
        json_t *tree = ours(documents[i], strlen(documents[i]));

        CU_ASSERT_PTR_NOT_NULL(tree);
        if (!tree)
            printf("\n    refused: %s", documents[i]);
        json_decref(tree);
        same_as_jansson(documents[i], strlen(documents[i]));
    }
    for (size_t i = 0; i < COUNT(refused); i++) {
        json_t *tree = ours(refused[i], strlen(refused[i]));

        CU_ASSERT_PTR_NULL(tree);
        if (tree)
            printf("\n    taken: %s", refused[i]);
        json_decref(tree);
        same_as_jansson(refused[i], strlen(refused[i]));
    }
    /* a zero byte is no white space and no end */
    CU_ASSERT_PTR_NULL(ours("1\0", 2));
    CU_ASSERT_PTR_NULL(ours("\"a\0\"", 4));
    CU_ASSERT_PTR_NULL(ours("\0", 1));
}

/* Every beginning of every document. */
static void beginnings(void)
{
    for (size_t i = 0; i < COUNT(documents); i++)
        for (size_t size = 0; size < strlen(documents[i]); size++)
            same_as_jansson(documents[i], size);
}

/* Bytes changed, taken out, put in, and parts of other documents. */
static void mutations(void)
{
    static const char bytes[] = "{}[]\",:\\ue0123456789+-. \n\x01\x7f\x80\xc3\xa9\xed\xf4ntf/";
    char data[1024];

    for (size_t i = 0; i < COUNT(documents); i++)
        for (int round = 0; round < MUTATIONS; round++) {
            size_t size = strlen(documents[i]);

            memcpy(data, documents[i], size);
            for (uint64_t times = random_next() % 3 + 1; times; times--) {
                size_t at = size ? random_next() % size : 0;
                char byte = bytes[random_next() % (sizeof bytes - 1)];

                switch (random_next() % 4) {
                case 0:
                    if (size) {
                        memmove(data + at, data + at + 1, size - at - 1);
                        size--;
                    }
                    break;
                case 1:
                    memmove(data + at + 1, data + at, size - at);
                    data[at] = byte;
                    size++;
                    break;
                case 2: {
                    const char *other = documents[random_next() % COUNT(documents)];
                    size_t from = random_next() % strlen(other);
                    size_t part = random_next() % (strlen(other) - from) % 40;

                    memmove(data + at + part, data + at, size - at);
                    memcpy(data + at, other + from, part);
                    size += part;
                    break;
                }
                default:
                    if (size)
                        data[at] = byte;
                }
            }
            same_as_jansson(data, size);
        }
}

static void depth(void)
{
    char data[400];

    for (int deep = 63; deep <= 66; deep++)
        for (int is_object = 0; is_object < 2; is_object++) {
            size_t size = 0;
            plug_json json;
            json_t *tree;

            for (int i = 0; i < deep; i++) {
                memcpy(data + size, is_object ? "{\"\":" : "[", is_object ? 4 : 1);
                size += is_object ? 4 : 1;
            }
            data[size++] = '0';
            for (int i = 0; i < deep; i++)
                data[size++] = is_object ? '}' : ']';
            tree = ours(data, size);
            CU_ASSERT_EQUAL(tree != NULL, deep <= PLUG_JSON_DEPTH);
            json_decref(tree);
            plug_json_init(&json, data, size);
            CU_ASSERT_EQUAL(plug_json_skip(&json), deep <= PLUG_JSON_DEPTH);
        }
}

/* ---- reading what is known ---------------------------------------------------------------- */

/* What is taken from the data is a part of it; what has escapes is not. */
static void texts(void)
{
    static const char data[] = "{\"plain\":\"p\xc3\xbc\",\"e\\u0073c\":\"a\\u0000\\ud83d\\ude00\\n\"}";
    sp_arena *arena = NULL;
    sp_text key, text;
    plug_json json;

    plug_json_init(&json, data, sizeof data - 1);
    CU_ASSERT_EQUAL(plug_json_object_begin(&json), 1);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &key), 1);
    CU_ASSERT_PTR_EQUAL(key.data, data + 2);
    CU_ASSERT_TRUE(plug_text_is(key, "plain"));
    CU_ASSERT_FALSE(plug_text_is(key, "plai"));
    CU_ASSERT_EQUAL(plug_json_read_text(&json, &arena, &text), 1);
    CU_ASSERT_PTR_EQUAL(text.data, data + 10);
    CU_ASSERT_EQUAL(text.size, 3);
    CU_ASSERT_PTR_NULL(arena);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &key), 1);
    CU_ASSERT_TRUE(plug_text_is(key, "esc"));
    CU_ASSERT_EQUAL(plug_json_read_text(&json, &arena, &text), 1);
    CU_ASSERT_EQUAL(text.size, 7);
    CU_ASSERT_EQUAL(memcmp(text.data, "a\0\xf0\x9f\x98\x80\n", 7), 0);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &key), 0);
    CU_ASSERT_EQUAL(plug_json_end(&json), 1);
    sp_arena_free(&arena);
}

static void raw(void)
{
    static const char data[] = " [ {\"a\" : [1, {}]} , \"x\" ] ";
    sp_text value;
    plug_json json;

    plug_json_init(&json, data, sizeof data - 1);
    CU_ASSERT_EQUAL(plug_json_array_begin(&json), 1);
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 1);
    CU_ASSERT_EQUAL(plug_json_read_raw(&json, &value), 1);
    CU_ASSERT_TRUE(plug_text_is(value, "{\"a\" : [1, {}]}"));
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 1);
    CU_ASSERT_EQUAL(plug_json_read_raw(&json, &value), 1);
    CU_ASSERT_TRUE(plug_text_is(value, "\"x\""));
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 0);
    CU_ASSERT_EQUAL(plug_json_end(&json), 1);
}

/* A problem sticks, and is told with the place where it was found. */
static void problems(void)
{
    static const char data[] = "{\"n\": \"text\", \"m\": 1}";
    sp_arena *arena = NULL;
    plug_json json;
    int64_t number = 5;
    double real = 5;
    sp_text text;
    float row[2];
    uint64_t size;

    plug_json_init(&json, data, sizeof data - 1);
    plug_json_object_begin(&json);
    plug_json_next_key(&json, &arena, &text);
    CU_ASSERT_EQUAL(plug_json_read_int64(&json, &number), 0);
    CU_ASSERT_EQUAL(number, 0);
    CU_ASSERT_STRING_EQUAL(json.problem, "a number was expected");
    CU_ASSERT_EQUAL(json.offset, 6);
    CU_ASSERT_EQUAL(json.no_memory, 0);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &text), 0);
    CU_ASSERT_EQUAL(text.size, 0);
    CU_ASSERT_EQUAL(plug_json_read_text(&json, &arena, &text), 0);
    CU_ASSERT_EQUAL(plug_json_read_double(&json, &real), 0);
    CU_ASSERT_EQUAL(plug_json_read_floats(&json, row, 2), 0);
    CU_ASSERT_EQUAL(plug_json_append_floats(&json, NULL, 2, &size), 0);
    CU_ASSERT_EQUAL(plug_json_skip(&json), 0);
    CU_ASSERT_EQUAL(plug_json_peek(&json), PLUG_JSON_NOTHING);
    CU_ASSERT_EQUAL(plug_json_fail(&json, "another"), 0);
    CU_ASSERT_STRING_EQUAL(json.problem, "a number was expected");
    CU_ASSERT_EQUAL(plug_json_end(&json), 0);
    /* an end that comes too early */
    plug_json_init(&json, data, sizeof data - 1);
    plug_json_object_begin(&json);
    CU_ASSERT_EQUAL(plug_json_end(&json), 0);
    plug_json_init(&json, NULL, 0);
    CU_ASSERT_EQUAL(plug_json_peek(&json), PLUG_JSON_NOTHING);
    CU_ASSERT_EQUAL(plug_json_skip(&json), 0);
    sp_arena_free(&arena);
}

static void number_kinds(void)
{
    static const struct {
        const char *text;
        int is_int64, is_uint64;
        int64_t i;
        uint64_t u;
        double d;
    } known[] = {
        {"0", 1, 1, 0, 0, 0},
        {"-0", 1, 1, 0, 0, 0},
        {"-1", 1, 0, -1, 0, -1},
        {"9223372036854775807", 1, 1, INT64_MAX, INT64_MAX, 9223372036854775808.0},
        {"9223372036854775808", 0, 1, 0, (uint64_t)1 << 63, 9223372036854775808.0},
        {"18446744073709551615", 0, 1, 0, UINT64_MAX, 18446744073709551616.0},
        {"18446744073709551616", 0, 0, 0, 0, 18446744073709551616.0},
        {"-9223372036854775808", 1, 0, INT64_MIN, 0, -9223372036854775808.0},
        {"-9223372036854775809", 0, 0, 0, 0, -9223372036854775808.0},
        {"-18446744073709551615", 0, 0, 0, 0, -18446744073709551616.0},
        {"99999999999999999999", 0, 0, 0, 0, 1e20},
        {"100000000000000000000", 0, 0, 0, 0, 1e20},
        {"1.0", 0, 0, 0, 0, 1},
        {"1e0", 0, 0, 0, 0, 1},
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        size_t size = strlen(known[i].text);
        plug_json json;
        int64_t integer;
        uint64_t natural;
        double real;

        plug_json_init(&json, known[i].text, size);
        CU_ASSERT_EQUAL(plug_json_read_int64(&json, &integer), known[i].is_int64);
        CU_ASSERT_EQUAL(integer, known[i].i);
        plug_json_init(&json, known[i].text, size);
        CU_ASSERT_EQUAL(plug_json_read_uint64(&json, &natural), known[i].is_uint64);
        CU_ASSERT_EQUAL(natural, known[i].u);
        plug_json_init(&json, known[i].text, size);
        CU_ASSERT_EQUAL(plug_json_read_double(&json, &real), 1);
        CU_ASSERT_EQUAL(real, known[i].d);
    }
}

/* ---- numbers ------------------------------------------------------------------------------ */

static void number_is_right(const char *text)
{
    size_t size = strlen(text);
    char *copy = malloc(size + 2);
    double expected = strtod(text, NULL), real;
    float expected_float = strtof(text, NULL), single = 0;
    plug_json json;

    if (!copy)
        abort();
    copy[0] = '[';
    memcpy(copy + 1, text, size);
    copy[size + 1] = ']';
    plug_json_init(&json, copy + 1, size);
    if (plug_json_read_double(&json, &real) != !!isfinite(expected) ||
        (isfinite(expected) && memcmp(&real, &expected, sizeof real) != 0)) {
        CU_FAIL("another double");
        printf("\n    %.60s: %a, not %a", text, real, expected);
    }
    plug_json_init(&json, copy, size + 2);
    if (plug_json_read_floats(&json, &single, 1) != !!isfinite(expected_float) ||
        (isfinite(expected_float) && memcmp(&single, &expected_float, sizeof single) != 0)) {
        CU_FAIL("another float");
        printf("\n    %.60s: %a, not %a", text, (double)single, (double)expected_float);
    }
    free(copy);
}

/* 1 to 40 digits, a point anywhere, any exponent. */
static void numbers_random(void)
{
    for (int i = 0; i < NUMBERS; i++) {
        char text[80], *at = text;
        uint64_t digits = random_next() % (i % 2 ? 40 : 20) + 1, point = random_next() % 44;

        if (random_next() % 2)
            *at++ = '-';
        if (point == 0)
            *at++ = '0';
        for (uint64_t j = 0; j < digits; j++) {
            if (j == point)
                *at++ = '.';
            *at++ = (char)('0' + (random_next() % 4 ? random_next() % 10 : 0));
            if (j == 0 && point > 0 && at[-1] == '0')
                at[-1] = '1';
        }
        *at = 0;
        if (random_next() % 3)
            sprintf(at, "e%d", (int)(random_next() % (i % 4 ? 90 : 700)) - (i % 4 ? 50 : 360));
        number_is_right(text);
    }
}

/* Exactly between two numbers, and a little beside that. */
static void middle(long double value, int digits)
{
    char text[1300];
    size_t size;

    snprintf(text, sizeof text, "%.*Le", digits, value);
    number_is_right(text);
    size = strcspn(text, "e");
    /* the same with one more digit: above the middle; with one less at the end: below */
    memmove(text + size + 1, text + size, strlen(text + size) + 1);
    text[size] = '1';
    number_is_right(text);
    text[size] = '0';
    while (size > 2 && text[size - 1] == '0')
        size--;
    if (text[size - 1] >= '1' && text[size - 1] <= '9') {
        text[size - 1]--;
        number_is_right(text);
    }
}

static void numbers_in_the_middle(void)
{
    for (int i = 0; i < 4000; i++) {
        uint64_t bits = random_next();
        uint32_t low = (uint32_t)bits & 0x7fffffff;
        double a, b;
        float c, d;

        if (i < 300)
            low = (uint32_t)i; /* subnormal */
        if (low < 0x7f7fffff) {
            memcpy(&c, &low, sizeof c);
            low++;
            memcpy(&d, &low, sizeof d);
            middle(((long double)c + (long double)d) / 2, 160);
        }
        bits &= INT64_MAX;
        if (i < 100)
            bits = (uint64_t)i;
        if (LDBL_MANT_DIG > DBL_MANT_DIG && bits < ((uint64_t)0x7fe << 52) && i % 4 == 0) {
            memcpy(&a, &bits, sizeof a);
            bits++;
            memcpy(&b, &bits, sizeof b);
            middle(((long double)a + (long double)b) / 2, 1150);
        }
    }
    /* between the largest and what would be infinite */
    number_is_right("3.4028235677973366e38");
    number_is_right("3.4028235677973367e38");
    number_is_right("340282356779733661637539395458142568447");
    number_is_right("340282356779733661637539395458142568448");
    number_is_right("1.797693134862315807e308");
    number_is_right("1.797693134862315808e308");
    number_is_right("7.006492321624085354618e-46");
    number_is_right("7.006492321624085354619e-46");
    number_is_right("2.4703282292062327208e-324");
    number_is_right("2.4703282292062327209e-324");
}

static void numbers_known(void)
{
    static const char *const known[] = {
        "0", "-0", "0.0", "-0.0", "0e0", "0e999999999999999999999", "0.000e-999999999999999999999",
        "1e-999999999999999999999", "1e999999999999999999999", "123456789", "0.1", "0.2", "0.3",
        "9007199254740993", "9007199254740993.0000000000000000000001", "16777217", "16777217.0000001",
        "16777216.9999999999999999999999", "1e22", "1e23", "8.5e22", "4.35e38", "1.17549435e-38",
        "1.1754943508222875e-38", "1.4012984643248170e-45", "2.2250738585072011e-308",
        "2.2250738585072012e-308", "6.9294956446009195e15", "3.7455744005952583e15",
        "2.2250738585072022e-308", "7.2057594037927933e16", "1000000000000000000000000000000000000",
        "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000001e85",
        "179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558632"
        "766878171540458953514382464234321326889464182768467546703537516986049910576551282076245490090"
        "389328944075868508455133942304583236903222948165808559332123347747797926204144723168738177180"
        "91929988125040402618412485836",
        "5e-324", "4e-324", "3e-324", "2e-324", "1e-400", "12345678901234567890123456789",
        "0.12345678901234567890123456789", "1.00000005960464477539062499", "1.00000005960464477539062500",
        "1.00000005960464477539062501", "1.00000017881393432617187499", "1.00000017881393432617187500",
        "1.00000017881393432617187501",
    };
    char text[1200];

    for (size_t i = 0; i < COUNT(known); i++)
        number_is_right(known[i]);
    /* many digits */
    memset(text, '9', sizeof text);
    text[1] = '.';
    text[1000] = 0;
    number_is_right(text);
    strcpy(text + 1000, "e-300");
    number_is_right(text);
    memset(text, '0', sizeof text);
    text[1] = '.';
    strcpy(text + 1100, "17e1110");
    number_is_right(text);
    text[0] = '1';
    number_is_right(text);
    for (int exponent = -400; exponent < 400; exponent++)
        for (int first = 1; first < 10; first++) {
            snprintf(text, sizeof text, "%de%d", first, exponent);
            number_is_right(text);
        }
}

/* ---- arrays of float32 -------------------------------------------------------------------- */

/* What json_write.h writes is read back bit by bit. */
static void floats_read_back(void)
{
    enum { ROW = 1000 };
    static float in[ROW], out[ROW];
    uint32_t bits = 0;

    for (int rows = 0; rows < 400; rows++) {
        sp_buffer text;
        plug_json json;

        for (int i = 0; i < ROW; i++) {
            do {
                bits += 10007 * 1071;
                memcpy(&in[i], &bits, sizeof bits);
            } while (!isfinite(in[i]));
        }
        sp_buffer_init(&text);
        plug_json_floats(&text, in, ROW);
        plug_json_init(&json, text.data, text.size);
        CU_ASSERT_EQUAL(plug_json_read_floats(&json, out, ROW), 1);
        CU_ASSERT_EQUAL(plug_json_end(&json), 1);
        CU_ASSERT_EQUAL(memcmp(in, out, sizeof in), 0);
        sp_buffer_clear(&text);
    }
}

static void float_arrays(void)
{
    static const struct {
        const char *text;
        int count; /* what is in it; below 0: it is refused */
        const char *problem;
    } known[] = {
        {"[]", 0, NULL},
        {" [ ] ", 0, NULL},
        {"[1]", 1, NULL},
        {"[ 1 , -2.5 ,\n3e0 ]", 3, NULL},
        {"[1,2,3]", 3, NULL},
        {"[1e38]", 1, NULL},
        {"[1e39]", -1, "a number is too large for a float"},
        {"[-1e39]", -1, "a number is too large for a float"},
        {"[1e-60]", 1, NULL},
        {"[1,]", -1, "a number was expected"},
        {"[,1]", -1, "a number was expected"},
        {"[1,,2]", -1, "a number was expected"},
        {"[1 2]", -1, "a comma or ] was expected"},
        {"[1", -1, "a comma or ] was expected"},
        {"[1,", -1, "a number was expected"},
        {"[", -1, "a number was expected"},
        {"", -1, "an array was expected"},
        {"1", -1, "an array was expected"},
        {"{}", -1, "an array was expected"},
        {"[null]", -1, "a number was expected"},
        {"[\"1\"]", -1, "a number was expected"},
        {"[[1]]", -1, "a number was expected"},
        {"[NaN]", -1, "a number was expected"},
        {"[1.]", -1, "a number was expected"},
        {"[01]", -1, "a number was expected"},
        {"[1}", -1, "a comma or ] was expected"},
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        size_t size = strlen(known[i].text);
        char *copy = exact(known[i].text, size);
        float row[3] = {0};
        sp_buffer rows;
        plug_json json;
        uint64_t count;

        sp_buffer_init(&rows);
        plug_json_init(&json, copy, size);
        CU_ASSERT_EQUAL(plug_json_append_floats(&json, &rows, 3, &count), known[i].count >= 0);
        if (known[i].count < 0) {
            CU_ASSERT_STRING_EQUAL(json.problem, known[i].problem);
        } else {
            CU_ASSERT_EQUAL(count, (uint64_t)known[i].count);
            CU_ASSERT_EQUAL(rows.size, count * sizeof(float));
            CU_ASSERT_EQUAL(plug_json_end(&json), 1);
            plug_json_init(&json, copy, size);
            CU_ASSERT_EQUAL(plug_json_read_floats(&json, row, count), 1);
            CU_ASSERT_EQUAL(plug_json_end(&json), 1);
            CU_ASSERT_EQUAL(count ? memcmp(row, rows.data, rows.size) : 0, 0);
            plug_json_init(&json, copy, size);
            CU_ASSERT_EQUAL(plug_json_read_floats(&json, row, count + 1), 0);
            CU_ASSERT_STRING_EQUAL(json.problem, "an array has too few numbers");
        }
        if (known[i].count > 0) {
            rows.size = 0;
            plug_json_init(&json, copy, size);
            CU_ASSERT_EQUAL(plug_json_read_floats(&json, row, count - 1), 0);
            CU_ASSERT_STRING_EQUAL(json.problem, "an array has too many numbers");
            plug_json_init(&json, copy, size);
            CU_ASSERT_EQUAL(plug_json_append_floats(&json, &rows, count - 1, &count), 0);
            CU_ASSERT_STRING_EQUAL(json.problem, "an array has too many numbers");
        }
        sp_buffer_clear(&rows);
        free(copy);
    }
}

/* Arrays inside of others, one after the other. */
static void float_rows(void)
{
    static const char data[] = "{\"vectors\":[[1,2],[3,4],[]],\"n\":1}";
    sp_arena *arena = NULL;
    sp_buffer rows;
    plug_json json;
    uint64_t count;
    sp_text key;
    float row[2];

    sp_buffer_init(&rows);
    plug_json_init(&json, data, sizeof data - 1);
    plug_json_object_begin(&json);
    plug_json_next_key(&json, &arena, &key);
    plug_json_array_begin(&json);
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 1);
    CU_ASSERT_EQUAL(plug_json_read_floats(&json, row, 2), 1);
    CU_ASSERT_EQUAL(row[1], 2);
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 1);
    CU_ASSERT_EQUAL(plug_json_append_floats(&json, &rows, UINT64_MAX, &count), 1);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 1);
    CU_ASSERT_EQUAL(plug_json_append_floats(&json, &rows, UINT64_MAX, &count), 1);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(plug_json_next_item(&json), 0);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &key), 1);
    CU_ASSERT_TRUE(plug_text_is(key, "n"));
    CU_ASSERT_EQUAL(plug_json_skip(&json), 1);
    CU_ASSERT_EQUAL(plug_json_next_key(&json, &arena, &key), 0);
    CU_ASSERT_EQUAL(plug_json_end(&json), 1);
    sp_buffer_clear(&rows);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void failures(void)
{
    static const char data[] = "{\"\\n\":\"\\t\",\"f\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]}";

    for (long allocations = 0;; allocations++) {
        sp_arena *arena = NULL;
        sp_buffer rows;
        plug_json json;
        uint64_t count;
        sp_text text;
        int done;

        sp_buffer_init(&rows);
        plug_json_init(&json, data, sizeof data - 1);
        unit_allocations = allocations;
        plug_json_object_begin(&json);
        plug_json_next_key(&json, &arena, &text);
        plug_json_read_text(&json, &arena, &text);
        plug_json_next_key(&json, &arena, &text);
        plug_json_append_floats(&json, &rows, 100, &count);
        plug_json_next_key(&json, &arena, &text);
        done = plug_json_end(&json);
        unit_allocations = -1;
        CU_ASSERT_EQUAL(json.no_memory, !done);
        CU_ASSERT_EQUAL(json.problem == NULL, done);
        sp_arena_free(&arena);
        sp_buffer_clear(&rows);
        if (done) {
            CU_ASSERT_TRUE(allocations >= 2);
            break;
        }
    }
}

static const unit_case cases[] = {
    UNIT_CASE(grammar, "what is JSON and what is not"),
    UNIT_CASE(beginnings, "every beginning of a document"),
    UNIT_CASE(mutations, "documents with faults, beside jansson"),
    UNIT_CASE(depth, "how deep values lie in each other"),
    UNIT_CASE(texts, "texts, with escapes and without"),
    UNIT_CASE(raw, "values as they stand"),
    UNIT_CASE(problems, "problems stick"),
    UNIT_CASE(number_kinds, "integers of 64 bits and doubles"),
    UNIT_CASE(numbers_known, "numbers that are hard to read"),
    UNIT_CASE(numbers_random, "random numbers, beside the C library"),
    UNIT_CASE(numbers_in_the_middle, "decimals between two numbers"),
    UNIT_CASE(floats_read_back, "rows that json_write wrote"),
    UNIT_CASE(float_arrays, "arrays of float32"),
    UNIT_CASE(float_rows, "arrays of float32 in a document"),
    UNIT_CASE(failures, "every allocation fails once"),
};

UNIT_MAIN("json_read", cases)
