/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as MessagePack: its documented form, and anything else that may arrive. */
#include "config.h"

#include "filter.h"
#include "tests/unit.h"

static sp_filter *parse(const char *text)
{
    sp_filter *filter = NULL;

    CU_ASSERT_EQUAL(sp_filter_parse(text, strlen(text), &filter, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    return filter;
}

/* A tree in JSON's spelling, as docs/filters.md shows it. */
static void show(const uint8_t **at, const uint8_t *end, sp_buffer *out)
{
    simplugin_value value;

    CU_ASSERT_TRUE_FATAL(simplugin_read(at, end, &value));
    switch (value.type) {
    case SIMPLUGIN_ARRAY:
        sp_buffer_append_text(out, "[");
        for (uint64_t i = 0; i < value.size; i++) {
            sp_buffer_append_text(out, i ? ", " : "");
            show(at, end, out);
        }
        sp_buffer_append_text(out, "]");
        break;
    case SIMPLUGIN_TEXT: sp_buffer_printf(out, "\"%.*s\"", (int)value.size, value.data); break;
    case SIMPLUGIN_INT: sp_buffer_printf(out, "%lld", (long long)value.as.i); break;
    case SIMPLUGIN_DOUBLE: sp_buffer_printf(out, "%.1f", value.as.d); break;
    case SIMPLUGIN_BOOL: sp_buffer_append_text(out, value.as.i ? "true" : "false"); break;
    default: CU_FAIL_FATAL("a type that trees do not have");
    }
}

static void check_encoded(const char *text, const char *expected)
{
    sp_filter *filter = parse(text);
    simplugin_writer writer;
    sp_buffer out;
    const uint8_t *at;
    char *shown;

    simplugin_writer_init(&writer);
    sp_buffer_init(&out);
    sp_filter_encode(filter, &writer);
    CU_ASSERT_FALSE_FATAL(writer.failed);
    at = writer.data;
    show(&at, writer.data + writer.size, &out);
    CU_ASSERT_PTR_EQUAL(at, writer.data + writer.size);
    shown = sp_buffer_steal(&out, NULL);
    CU_ASSERT_STRING_EQUAL(shown, expected);
    if (strcmp(shown, expected) != 0)
        printf("\n    %s: %s", text, shown);
    free(shown);
    simplugin_writer_clear(&writer);
    sp_filter_free(filter);
}

static void test_form(void)
{
    check_encoded("source == 'manual.pdf'", "[\"==\", \"source\", \"manual.pdf\"]");
    check_encoded("page >= 10 and page <= 50",
                  "[\"and\", [\">=\", \"page\", 10], [\"<=\", \"page\", 50]]");
    check_encoded("category not in ['a', 'b']", "[\"not in\", \"category\", [\"a\", \"b\"]]");
    check_encoded("category in ['a']", "[\"in\", \"category\", [\"a\"]]");
    check_encoded("a != 1.5 or not (b < 2)",
                  "[\"or\", [\"!=\", \"a\", 1.5], [\"not\", [\"<\", \"b\", 2]]]");
    check_encoded("not exists a", "[\"not\", [\"exists\", \"a\"]]");
    check_encoded("a not like 'x%'", "[\"not\", [\"like\", \"a\", \"x%\"]]");
    check_encoded("array_contains(a, true)", "[\"array_contains\", \"a\", true]");
    check_encoded("array_contains_any(a, [1, 2])", "[\"array_contains_any\", \"a\", [1, 2]]");
    check_encoded("not array_contains_all(a, [])", "[\"not\", [\"array_contains_all\", \"a\", []]]");
    check_encoded("true", "true");
    check_encoded("a in []", "false");
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* A tiny reader of the same spelling, so that tests can say what they send. */
static const char *put(const char *text, simplugin_writer *writer)
{
    uint64_t position;
    uint64_t count = 0;

    text += strspn(text, " ,");
    if (*text == '[') {
        position = simplugin_write_array_begin(writer);
        for (text++; text[strspn(text, " ,")] != ']'; count++)
            text = put(text, writer);
        simplugin_write_end(writer, position, count);
        return text + strspn(text, " ,") + 1;
    }
    if (*text == '"') {
        size_t size = strcspn(text + 1, "\"");

        simplugin_write_text(writer, text + 1, size);
        return text + size + 2;
    }
    if (*text == 't' || *text == 'f') {
        simplugin_write_bool(writer, *text == 't');
        return text + (*text == 't' ? 4 : 5);
    }
    if (*text == 'n') {
        simplugin_write_nil(writer);
        return text + 3;
    }
    if (*text == '{') {
        simplugin_write_map(writer, 0);
        return text + 2;
    }
    if (memchr(text, '.', strcspn(text, ",]")))
        simplugin_write_double(writer, strtod(text, NULL));
    else if (*text == '-')
        simplugin_write_int(writer, strtoll(text, NULL, 10));
    else
        simplugin_write_uint(writer, strtoull(text, NULL, 10));
    return text + strcspn(text, ",] ");
}

static int32_t decode(const uint8_t *data, size_t size, sp_filter **filter, sp_filter_error *error)
{
    simplugin_value value;
    const uint8_t *at = data;

    *filter = NULL;
    if (!simplugin_read(&at, data + size, &value))
        return SIMPLUGIN_MALFORMED;
    return sp_filter_decode(&value, filter, error);
}

static void check_decoded(const char *tree, const char *text)
{
    sp_filter *expected = parse(text);
    sp_filter *filter;
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    put(tree, &writer);
    CU_ASSERT_EQUAL(decode(writer.data, writer.size, &filter, NULL), SIMPLUGIN_OK);
    CU_ASSERT_TRUE(filter && sp_filter_equal(filter, expected));
    /* Cut anywhere, it is an error, never a read behind the end. */
    for (size_t size = 0; size < writer.size; size++) {
        uint8_t *exact = malloc(size + 1);
        sp_filter *none;

        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, writer.data, size);
        CU_ASSERT_NOT_EQUAL(decode(exact, size, &none, NULL), SIMPLUGIN_OK);
        CU_ASSERT_PTR_NULL(none);
        free(exact);
    }
    sp_filter_free(filter);
    sp_filter_free(expected);
    simplugin_writer_clear(&writer);
}

static void test_decode(void)
{
    check_decoded("[\"==\", \"a\", 1]", "a == 1");
    check_decoded("[\"!=\", \"a\", -1.5]", "a != -1.5");
    check_decoded("[\"not\", [\"not\", [\"==\", \"a b\", \"x\"]]]", "`a b` == 'x'");
    check_decoded("[\"not\", [\"and\", [\"==\", \"a\", 1], [\"not in\", \"b\", [true]]]]",
                  "a != 1 or b in [true]");
    check_decoded("[\"and\"]", "true");
    check_decoded("[\"or\"]", "false");
    check_decoded("[\"and\", [\"exists\", \"a\"]]", "exists a");
    check_decoded("[\"or\", [\"or\", [\"<\", \"a\", 1], [\">\", \"a\", 2]], false]",
                  "a < 1 or a > 2");
    check_decoded("[\"and\", true, [\"in\", \"a\", []]]", "false");
    check_decoded("[\"array_contains_all\", \"a\", [1, 2.5]]", "array_contains_all(a, [1, 2.5])");
    check_decoded("[\"like\", \"a\", \"x%\"]", "a like 'x%'");
}

static void check_refused(const char *tree, const char *message)
{
    sp_filter *filter;
    sp_filter_error error;
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    put(tree, &writer);
    CU_ASSERT_EQUAL(decode(writer.data, writer.size, &filter, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(filter);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, message));
    CU_ASSERT_EQUAL(error.line, 0);
    if (!strstr(error.message, message))
        printf("\n    %s: %s", tree, error.message);
    sp_filter_free(filter);
    simplugin_writer_clear(&writer);
}

static void test_refused(void)
{
    check_refused("1", "is an array");
    check_refused("\"a == 1\"", "is an array");
    check_refused("[]", "is an array");
    check_refused("[1, 2]", "begins with its name");
    check_refused("[\"=\", \"a\", 1]", "unknown node \"=\"");
    check_refused("[\"AND\", true]", "unknown node \"AND\"");
    check_refused("[\"not like\", \"a\", \"x\"]", "unknown node");
    check_refused("[\"not\"]", "\"not\" takes one node");
    check_refused("[\"not\", true, true]", "\"not\" takes one node");
    check_refused("[\"==\", \"a\"]", "too few or too many parts");
    check_refused("[\"==\", \"a\", 1, 2]", "too few or too many parts");
    check_refused("[\"exists\", \"a\", 1]", "too few or too many parts");
    check_refused("[\"==\", 1, 1]", "a field's name");
    check_refused("[\"==\", \"\", 1]", "a field's name has 1 to 255 bytes");
    check_refused("[\"==\", \"a\", nil]", "no text, number");
    check_refused("[\"==\", \"a\", [1]]", "no text, number");
    check_refused("[\"==\", \"a\", {}]", "no text, number");
    check_refused("[\"==\", \"a\", 9223372036854775808]", "outside int64");
    check_refused("[\"<\", \"a\", true]", "no order");
    check_refused("[\"in\", \"a\", 1]", "needs a list");
    check_refused("[\"in\", \"a\", [1, \"b\"]]", "of one type");
    check_refused("[\"like\", \"a\", 1]", "a pattern must be text");
    check_refused("[\"like\", \"a\", \"x\\y\"]", "in a pattern");
    check_refused("[\"and\", [\"==\", \"a\", 1], 5]", "is an array");
}

static void check_bytes(const void *bytes, size_t size, const char *message)
{
    sp_filter *filter;
    sp_filter_error error;

    CU_ASSERT_EQUAL(decode(bytes, size, &filter, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, message));
    CU_ASSERT_PTR_NULL(filter);
}

static void test_hostile_bytes(void)
{
    simplugin_writer writer;
    sp_filter *filter;
    uint8_t deep[4096];

    /* NaN and infinity, text that is not UTF-8, bytes instead of text, a tensor. */
    check_bytes("\x93\xa2==\xa1" "a\xcb\x7f\xf8\0\0\0\0\0\0", 15, "must be finite");
    check_bytes("\x93\xa2==\xa1" "a\xca\xff\x80\0\0", 11, "must be finite");
    check_bytes("\x93\xa2==\xa1\xff\x01", 7, "a field's name");
    check_bytes("\x93\xa2==\xa1" "a\xa1\xff", 8, "not UTF-8");
    check_bytes("\x93\xa2==\xa1" "a\xc4\x01x", 9, "no text, number");
    check_bytes("\x93\xa2==\xa1" "a\xd6\x01\0\0\0\0", 12, "no text, number");
    /* A count that promises more than there is. */
    CU_ASSERT_NOT_EQUAL(decode((const uint8_t *)"\xdd\xff\xff\xff\xff\xa3" "and", 9, &filter, NULL),
                        SIMPLUGIN_OK);
    /* ["not", ["not", ... */
    for (size_t i = 0; i + 5 <= sizeof deep; i += 5)
        memcpy(deep + i, "\x92\xa3not", 5);
    check_bytes(deep, sizeof deep - sizeof deep % 5, "too deep");
    simplugin_writer_init(&writer);
    for (int i = 0; i < 28; i++) {
        simplugin_write_array(&writer, 3);
        simplugin_write_string(&writer, i % 2 ? "or" : "and");
        simplugin_write_raw(&writer, "\x92\xa6" "exists\xa1" "a", 10);
    }
    simplugin_write_raw(&writer, "\x92\xa6" "exists\xa1" "b", 10);
    check_bytes(writer.data, writer.size, "more than 24 levels");
    simplugin_writer_clear(&writer);
}

static void test_fits_a_request(void)
{
    simplugin_writer writer;
    sp_filter *filter = NULL;
    sp_buffer text;

    sp_buffer_init(&text);
    for (int i = 0; i < SP_FILTER_MAX_DEPTH - 1; i++)
        sp_buffer_printf(&text, "a == %d %s (", i, i % 2 ? "or" : "and");
    sp_buffer_append_text(&text, "not array_contains_any(a, [1])");
    for (int i = 0; i < SP_FILTER_MAX_DEPTH - 1; i++)
        sp_buffer_append_text(&text, ")");
    CU_ASSERT_EQUAL(sp_filter_parse((const char *)text.data, text.size, &filter, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "filter");
    sp_filter_encode(filter, &writer);
    CU_ASSERT_PTR_NULL(simplugin_check_body(writer.data, writer.size, NULL, 0));
    simplugin_writer_clear(&writer);
    sp_filter_free(filter);
    sp_buffer_clear(&text);
}

static const unit_case cases[] = {
    UNIT_CASE(test_form, "R266 the tree as backends get it"),
    UNIT_CASE(test_decode, "R266 trees of any shape become canonical; cut ones are refused"),
    UNIT_CASE(test_refused, "what is no tree is refused, and why"),
    UNIT_CASE(test_hostile_bytes, "hostile bytes are refused"),
    UNIT_CASE(test_fits_a_request, "the deepest tree is within the envelope's depth"),
};

UNIT_MAIN("filter codec", cases)
