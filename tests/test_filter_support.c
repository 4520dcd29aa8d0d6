/* SPDX-License-Identifier: Apache-2.0 */
/* What backends declare, what is pushed to them, and filters for a known schema. */
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

static void declare(sp_filter_support *support, const char *names)
{
    memset(support, 0, sizeof *support);
    while (*names) {
        size_t size = strcspn(names, ",");

        CU_ASSERT_TRUE(sp_filter_support_add(support, names, size));
        names += size + (names[size] == ',');
    }
}

static void check_printed(const sp_filter *filter, const char *expected)
{
    sp_buffer buffer;
    char *text;

    sp_buffer_init(&buffer);
    sp_filter_print(filter, &buffer);
    text = sp_buffer_steal(&buffer, NULL);
    CU_ASSERT_TRUE(text && strcmp(text, expected) == 0);
    if (text && strcmp(text, expected) != 0)
        printf("\n    %s, not %s", text, expected);
    free(text);
}

static void check_covers(const char *names, const char *text, int covers)
{
    sp_filter_support have;
    sp_filter_support used;
    sp_filter *filter = parse(text);

    declare(&have, names);
    sp_filter_support_used(filter, &used);
    CU_ASSERT_EQUAL(sp_filter_support_covers(&have, &used), covers);
    if (sp_filter_support_covers(&have, &used) != covers)
        printf("\n    %s by %s", text, names);
    sp_filter_free(filter);
}

static void test_names(void)
{
    sp_filter_support support = {0, 0, {0, 0, 0}};
    static const char *const unknown[] = {
        "",     "=",       "AND",         "not and",   "==:",      "==:int",       "==:list<text>",
        "<:bool", "like:suffix", "exists:text", "and:text", "not:text", "array",       "in:prefix",
        "not ==", "not  in"};

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CU_ASSERT_FALSE(sp_filter_support_add(&support, unknown[i], strlen(unknown[i])));
        if (support.positive | support.negative)
            printf("\n    %s", unknown[i]);
    }
    CU_ASSERT_EQUAL(support.positive | support.negative, 0);
    for (uint32_t kind = SP_FILTER_EQ; kind < SP_FILTER_KINDS; kind++) {
        for (int negated = 0; negated < 2; negated++) {
            const char *name = sp_filter_kind_name(kind, negated);

            CU_ASSERT_TRUE(sp_filter_support_add(&support, name, strlen(name)));
        }
    }
}

static void test_covers(void)
{
    check_covers("==", "a == 1", 1);
    check_covers("==:int64", "a == 1", 1);
    check_covers("==:int64", "a == 1.0", 0);
    check_covers("==:int64,==:text", "a == 'x'", 1);
    check_covers("==", "a != 1", 0);
    check_covers("!=", "a != 1", 1);
    check_covers("!=:text", "a != 1", 0);
    check_covers("not", "a != 1", 0);
    check_covers("<", "not a < 1", 0);
    check_covers("<,not", "not a < 1", 1);
    check_covers("not <", "not a < 1", 1);
    check_covers("not <:int64", "not a < 1.5", 0);
    check_covers("in:int64", "a in [1, 2]", 1);
    check_covers("in:int64", "a in [1, 2.5]", 0);
    check_covers("in:float64", "a in [1, 2.5]", 1);
    check_covers("in", "a not in [1]", 0);
    check_covers("not in:int64", "a not in [1]", 1);
    check_covers("like:prefix", "a like 'x%'", 1);
    check_covers("like:prefix", "a like '%x'", 0);
    check_covers("like", "a like '%x' or a like 'x%'", 0);
    check_covers("like,or", "a like '%x' or a like 'x%'", 1);
    check_covers("exists,and", "exists a and exists b", 1);
    check_covers("exists", "exists a and exists b", 0);
    check_covers("exists,not exists", "not exists a", 1);
    check_covers("array_contains:text", "array_contains(a, 'x')", 1);
    check_covers("array_contains:text", "array_contains(a, 1)", 0);
    check_covers("", "true", 1);
}

static int never_field_b(void *context, const sp_filter *filter, const sp_filter_node *leaf)
{
    sp_text field = filter->fields[leaf->field];

    (void)context;
    return !(field.size == 1 && field.data[0] == 'b');
}

static void check_relaxed(const char *names, const char *text, sp_filter_leaf_test accept,
                          const char *expected, int is_exact)
{
    sp_filter_support support;
    sp_filter *filter = parse(text);
    sp_filter *relaxed = NULL;
    int exact = -1;

    declare(&support, names);
    CU_ASSERT_EQUAL(sp_filter_relax(filter, &support, accept, NULL, &relaxed, &exact),
                    SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(relaxed);
    CU_ASSERT_EQUAL(exact, is_exact);
    check_printed(relaxed, expected);
    sp_filter_free(relaxed);
    sp_filter_free(filter);
}

static void test_relax(void)
{
    check_relaxed("==,and,or", "a == 1 and b == 2", NULL, "a == 1 and b == 2", 1);
    check_relaxed("==,and", "a == 1 and b like 'x'", NULL, "a == 1", 0);
    check_relaxed("==,and", "a == 1 and b == 1 and c > 1", NULL, "a == 1 and b == 1", 0);
    check_relaxed("==,and,or", "a == 1 or b like 'x'", NULL, "true", 0);
    check_relaxed("==,and,or", "a == 1 and (b == 1 or c > 1)", NULL, "a == 1", 0);
    check_relaxed("==,and,or", "a == 1 or (b == 1 and c > 1)", NULL, "a == 1 or b == 1", 0);
    check_relaxed("==,and,or", "not (a == 1 and b == 2)", NULL, "true", 0);
    check_relaxed("==,!=,and,or", "not (a == 1 and b == 2)", NULL, "a != 1 or b != 2", 1);
    check_relaxed("!=,and,or", "not (a == 1 or b > 2)", NULL, "a != 1", 0);
    check_relaxed("==", "a == 1 and b == 2", NULL, "a == 1", 0);
    check_relaxed("==", "b > 1 and a == 1", NULL, "a == 1", 0);
    check_relaxed("==,and", "a == 1 or b == 2", NULL, "true", 0);
    check_relaxed("", "a == 1", NULL, "true", 0);
    check_relaxed("", "false", NULL, "false", 1);
    check_relaxed("", "true", NULL, "true", 1);
    check_relaxed("==,and,or", "a == 1 and b == 2", never_field_b, "a == 1", 0);
    check_relaxed("==,and,or", "a == 1 or b == 2", never_field_b, "true", 0);
    /* "All of nothing" asks whether the field is a list, which no server is asked. */
    check_relaxed("array_contains_all,and,==", "a == 1 and array_contains_all(c, [])", NULL,
                  "a == 1", 0);
}

static uint32_t schema(void *context, sp_text field)
{
    (void)context;
    switch (field.data[0]) {
    case 't': return SP_TEXT;
    case 'i': return SP_INT64;
    case 'f': return SP_FLOAT64;
    case 'b': return SP_BOOL;
    case 'l': return SP_TEXT | SP_LIST;
    case 'u': return SP_FILTER_UNKNOWN_TYPE;
    default: return 0;
    }
}

static void check_simplified(const char *text, const char *expected)
{
    sp_filter *filter = parse(text);
    sp_filter *simplified = NULL;

    CU_ASSERT_EQUAL(sp_filter_simplify(filter, schema, NULL, &simplified), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(simplified);
    check_printed(simplified, expected);
    sp_filter_free(simplified);
    sp_filter_free(filter);
}

static void test_simplify(void)
{
    check_simplified("t == 'x' and i == 1", "t == \"x\" and i == 1");
    check_simplified("t == 1 or i == 1", "i == 1");
    check_simplified("t != 1 and i == 1", "i == 1");
    check_simplified("i == 1.5 and f > 2 and b != true", "i == 1.5 and f > 2 and b != true");
    check_simplified("i < 'x'", "false");
    check_simplified("not i < 'x'", "true");
    check_simplified("missing == 1 or (t like 'x%' and not exists missing)", "t like \"x%\"");
    check_simplified("i like 'x%' or b in [1]", "false");
    check_simplified("array_contains(l, 'x') and not array_contains(t, 'x')",
                     "array_contains(l, \"x\")");
    check_simplified("l == 'x' or array_contains_any(l, [1])", "false");
    check_simplified("array_contains_all(l, [])", "array_contains_all(l, [])");
    check_simplified("u == 1 or array_contains(u, 1)", "u == 1 or array_contains(u, 1)");
    check_simplified("(t == 'a' or x == 1) and (i == 1 or (f == 1 and x != 2))",
                     "t == \"a\" and (i == 1 or f == 1)");
}

static const unit_case cases[] = {
    UNIT_CASE(test_names, "R266 names of what a backend can take"),
    UNIT_CASE(test_covers, "R266 which filters a declaration covers"),
    UNIT_CASE(test_relax, "R266 what is pushed accepts at least the same rows"),
    UNIT_CASE(test_simplify, "R255 R266 a known schema: missing fields and other types"),
};

UNIT_MAIN("filter support", cases)
