/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's messages and limits, canonical text and trees, patterns. */
#include "config.h"

#include <locale.h>

#include "filter.h"
#include "tests/unit.h"

static sp_filter *parse(const char *text)
{
    sp_filter *filter = NULL;
    sp_filter_error error;

    if (sp_filter_parse(text, strlen(text), &filter, &error))
        printf("\n    %s: %s", text, error.message);
    return filter;
}

static char *print(const sp_filter *filter)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    sp_filter_print(filter, &buffer);
    return sp_buffer_steal(&buffer, NULL);
}

static void check_print(const char *text, const char *expected)
{
    sp_filter *filter = parse(text);
    char *printed = filter ? print(filter) : NULL;

    CU_ASSERT_TRUE(printed && strcmp(printed, expected) == 0);
    if (printed && strcmp(printed, expected) != 0)
        printf("\n    %s became %s", text, printed);
    free(printed);
    sp_filter_free(filter);
}

static void check_message_at(const char *text, size_t size, const char *expected)
{
    sp_filter *filter = NULL;
    sp_filter_error error;

    memset(&error, 0, sizeof error);
    CU_ASSERT_EQUAL(sp_filter_parse(text, size, &filter, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(filter);
    CU_ASSERT_STRING_EQUAL(error.message, expected);
    if (strcmp(error.message, expected) != 0)
        printf("\n    %s", error.message);
    sp_filter_free(filter);
}

static void check_message(const char *text, const char *expected)
{
    check_message_at(text, strlen(text), expected);
}

static void test_messages(void)
{
    check_message("page >= 10 and page ==", "filter: column 23: expected a value after \"==\", "
                                            "found the end");
    check_message("page == tech", "filter: column 9: expected a value after \"==\", found tech "
                                  "(text stands in quotes)");
    check_message("page tech", "filter: column 6: expected a comparison such as \"==\", \"<\", "
                               "\"in\" or \"like\" after the field, found tech");
    check_message("page = 1", "filter: column 6: unknown \"=\", use \"==\"");
    check_message("page <> 1", "filter: column 6: unknown \"<>\", use \"!=\"");
    check_message("page == null", "filter: column 9: null is no value: ask with \"exists\" or "
                                  "\"not exists\"");
    check_message("a == 1\nand b ==", "filter: line 2, column 9: expected a value after \"==\", "
                                      "found the end");
    check_message("page == \"abc", "filter: column 9: this text has no closing \"");
    check_message("`page == 1", "filter: column 1: this name has no closing `");
    check_message("x == 99999999999999999999",
                  "filter: column 6: an integer outside int64 (with \".0\" it is a float)");
    check_message("x in [1, \"a\"]",
                  "filter: column 10: all values of a list must be of one type");
    check_message("x < true", "filter: column 5: true and false have no order: use \"==\" or "
                              "\"!=\"");
    check_message("x == 1 \"an overlong text that \xc3\xbc does not end soon\"",
                  "filter: column 8: expected \"and\", \"or\" or the end, found \"an overlong "
                  "text that ...");
    check_message("x == 1 \"a\nb\x01\"", "filter: column 8: expected \"and\", \"or\" or the end, "
                                         "found \"a b \"");
    check_message("\xc3\xbcml == 1", "filter: column 1: names beyond a-z, A-Z, 0-9 and _ stand in "
                                     "backquotes: `...`");
    check_message("x \x01", "filter: column 3: unexpected character U+0001");
    check_message("x ; y", "filter: column 3: unexpected character ;");
    check_message_at("x\0y", 3, "filter: column 2: unexpected character U+0000");
    check_message("x == \"\xff\"", "filter: column 7: not UTF-8");
    check_message("x == \"\xed\xa0\x80\"", "filter: column 7: not UTF-8");
    check_message("x == \"a\xc3", "filter: column 8: not UTF-8");
    check_message("x like \"a\\\\b\"", "filter: column 8: in a pattern a backslash stands before "
                                       "%, _ or a backslash only");
    check_message_at(NULL, 0, "filter: column 1: expected a condition, found the end");
    CU_ASSERT_EQUAL(sp_filter_parse("x", 1, &(sp_filter *){NULL}, NULL),
                    SIMPLUGIN_INVALID_ARGUMENT);
}

static void test_offset(void)
{
    static const char text[] = "`\xc3\xbc` == 1 and y ==";
    sp_filter *filter = NULL;
    sp_filter_error error;

    sp_filter_parse(text, sizeof text - 1, &filter, &error);
    CU_ASSERT_EQUAL(error.offset, sizeof text - 1);
    CU_ASSERT_EQUAL(error.line, 1);
    CU_ASSERT_EQUAL(error.column, sizeof text - 1);
    sp_filter_free(filter);
    filter = parse("a == 1 and\n  b == 2");
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL(filter->nodes[1].offset, 0);
    CU_ASSERT_EQUAL(filter->nodes[2].offset, 13);
    sp_filter_free(filter);
}

static void test_print(void)
{
    check_print("a==1&&b!='x'||!c<2.50", "(a == 1 and b != \"x\") or not c < 2.5");
    check_print("NOT (a in [1,2] OR b like 'x%')", "a not in [1, 2] and b not like \"x%\"");
    check_print("(a == 1 and (b == 2 and (c == 3)))", "a == 1 and b == 2 and c == 3");
    check_print("not not exists(`odd name`)", "exists `odd name`");
    check_print("not exists a.b", "not exists a.b");
    check_print("`and` == true or `x` == false", "`and` == true or x == false");
    check_print("`a\\`b\\\\c\\nd` == '\"\\'\\\\\\t\\u0001\\u007f'",
                "`a\\`b\\\\c\\nd` == \"\\\"'\\\\\\t\\u0001\\u007f\"");
    check_print("10 <= a < 50", "a >= 10 and a < 50");
    check_print("not array_contains_any(a, ['x'])", "not array_contains_any(a, [\"x\"])");
    check_print("array_contains_all(a, [])", "array_contains_all(a, [])");
    check_print("a like '50\\%'", "a like \"50\\\\%\"");
    check_print("a in []", "false");
    check_print("a not in [] and true", "true");
    check_print("true and (false or a == 1)", "a == 1");
    check_print("not (a == 1 and not (b == 2 or c == 3))", "a != 1 or b == 2 or c == 3");
}

static void test_print_numbers(void)
{
    check_print("a == 1.0", "a == 1.0");
    check_print("a == -0.0", "a == -0.0");
    check_print("a == -0", "a == 0");
    check_print("a == 1e22", "a == 1e+22");
    check_print("a == 0.1", "a == 0.1");
    check_print("a == 0.30000000000000004", "a == 0.30000000000000004");
    check_print("a == 5e-324", "a == 4.94065645841247e-324");
    check_print("a == 1.7976931348623157e308", "a == 1.7976931348623157e+308");
    check_print("a == 123456789012345678.0", "a == 1.2345678901234568e+17");
    check_print("a == -9223372036854775808", "a == -9223372036854775808");
}

/* Programs set locales; some write 0,5. */
static void test_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "tr_TR.UTF-8", ""};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setlocale(LC_ALL, names[i]);
        check_print("A == 0.5 AND i IN [1.5]", "A == 0.5 and i in [1.5]");
        setlocale(LC_ALL, "C");
    }
}

static void test_tree(void)
{
    sp_filter *filter = parse("a == 1 and (b < 2 or not c in ['x', 'y']) and a > 0");

    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL(filter->node_count, 6);
    CU_ASSERT_EQUAL(filter->field_count, 3);
    CU_ASSERT_EQUAL(filter->nodes[0].kind, SP_FILTER_AND);
    CU_ASSERT_EQUAL(filter->nodes[0].end, 6);
    CU_ASSERT_EQUAL(filter->nodes[1].kind, SP_FILTER_EQ);
    CU_ASSERT_EQUAL(filter->nodes[2].kind, SP_FILTER_OR);
    CU_ASSERT_EQUAL(filter->nodes[2].end, 5);
    CU_ASSERT_EQUAL(filter->nodes[4].kind, SP_FILTER_IN);
    CU_ASSERT_EQUAL(filter->nodes[4].negated, 1);
    CU_ASSERT_EQUAL(filter->nodes[4].value_count, 2);
    CU_ASSERT_EQUAL(filter->nodes[4].values[1].as.text.data[0], 'y');
    CU_ASSERT_EQUAL(filter->nodes[5].field, 0);
    sp_filter_free(filter);
    sp_filter_free(NULL);
}

static void test_equal(void)
{
    static const char *const texts[] = {
        "a == 1",     "a == 1.0",    "a == 2",           "a != 1",           "b == 1",
        "a == \"1\"", "a == true",   "a == 0.0",         "a == -0.0",        "a in [1]",
        "a in [1, 2]", "a in [2, 1]", "a == 1 or b == 1", "a == 1 and b == 1", "true",
        "false",      "b == 1 and a == 1", "exists a",   "a < 1",            "a == \"\""};
    size_t count = sizeof texts / sizeof *texts;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            sp_filter *a = parse(texts[i]);
            sp_filter *b = parse(texts[k]);

            CU_ASSERT_PTR_NOT_NULL_FATAL(a);
            CU_ASSERT_PTR_NOT_NULL_FATAL(b);
            CU_ASSERT_EQUAL(sp_filter_equal(a, b), i == k);
            sp_filter_free(a);
            sp_filter_free(b);
        }
    }
}

/* ---- limits: a text of one part repeated ---------------------------------------------------- */

static char *repeat(const char *before, const char *part, size_t count, const char *after)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    sp_buffer_append_text(&buffer, before);
    for (size_t i = 0; i < count; i++)
        sp_buffer_append_text(&buffer, part);
    sp_buffer_append_text(&buffer, after);
    return sp_buffer_steal(&buffer, NULL);
}

static void check_limit(char *text, int holds, const char *message)
{
    sp_filter *filter = NULL;
    sp_filter_error error;
    int32_t code;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    code = sp_filter_parse(text, strlen(text), &filter, &error);
    CU_ASSERT_EQUAL(code, holds ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT);
    if (code || !holds) {
        CU_ASSERT_PTR_NOT_NULL(message ? strstr(error.message, message) : NULL);
        if (message && !strstr(error.message, message))
            printf("\n    %s", error.message);
    }
    sp_filter_free(filter);
    free(text);
}

static char *alternating(int levels)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    for (int i = 0; i < levels; i++)
        sp_buffer_printf(&buffer, "a == %d %s (", i, i % 2 ? "or" : "and");
    sp_buffer_append_text(&buffer, "a == 1");
    for (int i = 0; i < levels; i++)
        sp_buffer_append_text(&buffer, ")");
    return sp_buffer_steal(&buffer, NULL);
}

static char *many_fields(int count)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    for (int i = 0; i < count; i++)
        sp_buffer_printf(&buffer, "%sf%d == 1", i ? " and " : "", i);
    return sp_buffer_steal(&buffer, NULL);
}

static void test_limits(void)
{
    check_limit(repeat("", "(", 64, "a == 1))))))))))))))))))))))))))))))))"
                                    "))))))))))))))))))))))))))))))))"), 1, NULL);
    check_limit(repeat("", "(", 65, "a"), 0, "nested more than 64 deep");
    check_limit(repeat("", "(", 1000000, ""), 0, "nested more than 64 deep");
    check_limit(repeat("", "not ", 64, "a == 1"), 1, NULL);
    check_limit(repeat("", "!", 1000000, "a == 1"), 0, "nested more than 64 deep");
    check_limit(alternating(SP_FILTER_MAX_DEPTH - 1), 1, NULL);
    check_limit(alternating(SP_FILTER_MAX_DEPTH), 0, "alternate more than 24 levels deep");
    check_limit(repeat("a == 1", " or a == 1", 65534, ""), 1, NULL);
    check_limit(repeat("a == 1", " or a == 1", 65535, ""), 0, "more than 65536 conditions");
    check_limit(repeat("a in [1", ",2", 99999, "]"), 1, NULL);
    check_limit(repeat("a in [1", ",2", 1000000, "]"), 0, "more than 1000000 values");
    check_limit(many_fields(256), 1, NULL);
    check_limit(many_fields(257), 0, "more than 256 different fields");
    check_limit(repeat("`", "\xc3\xbc", 127, "x` == 1"), 1, NULL);
    check_limit(repeat("`", "\xc3\xbc", 128, "` == 1"), 0, "a field's name has 1 to 255 bytes");
    check_limit(repeat("a like '", "x", 4096, "'"), 1, NULL);
    check_limit(repeat("a like '", "x", 4097, "'"), 0, "a pattern has at most 4096 bytes");
    check_limit(repeat("a == '", "x", SP_FILTER_MAX_SOURCE - 7, "'"), 1, NULL);
    check_limit(repeat("a == '", "x", SP_FILTER_MAX_SOURCE - 6, "'"), 0, "longer than 16777216");
}

static void test_zero_character(void)
{
    static const char text[] = "s == 'a\0b'";
    sp_filter *raw = NULL;
    sp_filter *escaped = parse("s == 'a\\u0000b'");

    CU_ASSERT_EQUAL(sp_filter_parse(text, sizeof text - 1, &raw, NULL), SIMPLUGIN_OK);
    CU_ASSERT_TRUE(raw && escaped && sp_filter_equal(raw, escaped));
    CU_ASSERT_EQUAL(raw ? raw->nodes[0].values[0].as.text.size : 0, 3);
    sp_filter_free(raw);
    sp_filter_free(escaped);
}

static void test_pattern_items(void)
{
    sp_text pattern = {"a%_\\%\\\\\\", 8};
    sp_text zero = {"\\\0", 2};

    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), 'a');
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), SP_PATTERN_MANY);
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), SP_PATTERN_ONE);
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), '%');
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), '\\');
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), SP_PATTERN_BAD);
    CU_ASSERT_EQUAL(sp_pattern_next(&pattern), SP_PATTERN_END);
    CU_ASSERT_EQUAL(sp_pattern_next(&zero), SP_PATTERN_BAD);
    CU_ASSERT_TRUE(sp_pattern_is_prefix((sp_text){"ab%", 3}));
    CU_ASSERT_TRUE(sp_pattern_is_prefix((sp_text){"%", 1}));
    CU_ASSERT_TRUE(sp_pattern_is_prefix((sp_text){"a\\%%", 4}));
    CU_ASSERT_FALSE(sp_pattern_is_prefix((sp_text){"ab", 2}));
    CU_ASSERT_FALSE(sp_pattern_is_prefix((sp_text){"a%b", 3}));
    CU_ASSERT_FALSE(sp_pattern_is_prefix((sp_text){"a_%", 3}));
    CU_ASSERT_FALSE(sp_pattern_is_prefix((sp_text){"a\\%", 3}));
    CU_ASSERT_FALSE(sp_pattern_is_prefix((sp_text){"", 0}));
}

static const unit_case cases[] = {
    UNIT_CASE(test_messages, "R266 messages say the column and what was expected"),
    UNIT_CASE(test_offset, "R266 positions in bytes and in characters"),
    UNIT_CASE(test_print, "R266 the canonical text"),
    UNIT_CASE(test_print_numbers, "R266 numbers print as they read"),
    UNIT_CASE(test_locale, "the program's locale changes nothing"),
    UNIT_CASE(test_tree, "R266 the tree: order, members, fields once"),
    UNIT_CASE(test_equal, "equal trees only are equal"),
    UNIT_CASE(test_limits, "limits of size and depth are errors, up to them all is well"),
    UNIT_CASE(test_zero_character, "U+0000 in text, raw and escaped"),
    UNIT_CASE(test_pattern_items, "items of patterns, and which are prefixes"),
};

UNIT_MAIN("filter", cases)
