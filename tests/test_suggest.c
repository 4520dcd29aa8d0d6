/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "suggest.h"
#include "unit.h"

static void test_distance(void)
{
    CU_ASSERT_EQUAL(sp_suggest_distance("milvus", "milvus"), 0);
    CU_ASSERT_EQUAL(sp_suggest_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(sp_suggest_distance("abc", ""), 3);
    CU_ASSERT_EQUAL(sp_suggest_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(sp_suggest_distance("Metric", "mETRIC"), 0);
    /* Two letters that changed places are one mistake. */
    CU_ASSERT_EQUAL(sp_suggest_distance("mlivus", "milvus"), 1);
    CU_ASSERT_EQUAL(sp_suggest_distance("qdrnat", "qdrant"), 1);
}

static void test_distance_of_long_names(void)
{
    char longest[65];
    char longer[66];

    memset(longest, 'a', 64);
    longest[64] = '\0';
    memset(longer, 'a', 65);
    longer[65] = '\0';
    CU_ASSERT_EQUAL(sp_suggest_distance(longest, longest), 0);
    CU_ASSERT_EQUAL(sp_suggest_distance(longest, longer), 66);
    CU_ASSERT_EQUAL(sp_suggest_distance(longer, longer), 66);
}

static void test_nearest(void)
{
    static const char *const known[] = {"milvus", "qdrant", "sklearn", "sklearn_flat"};

    CU_ASSERT_STRING_EQUAL(sp_suggest_nearest("milvis", known, 4), "milvus");
    CU_ASSERT_STRING_EQUAL(sp_suggest_nearest("QDRANT", known, 4), "qdrant");
    CU_ASSERT_STRING_EQUAL(sp_suggest_nearest("sklern", known, 4), "sklearn");
    CU_ASSERT_PTR_NULL(sp_suggest_nearest("faiss", known, 4));
    CU_ASSERT_PTR_NULL(sp_suggest_nearest("", known, 4));
    CU_ASSERT_PTR_NULL(sp_suggest_nearest("milvus", known, 0));
}

static void test_nothing_in_common_is_not_near(void)
{
    static const char *const known[] = {"k"};

    /* One letter for another leaves nothing of the name. */
    CU_ASSERT_PTR_NULL(sp_suggest_nearest("x", known, 1));
}

static void test_list(void)
{
    static const char *const known[] = {"a", "b"};
    sp_buffer buffer;
    char *text;

    sp_buffer_init(&buffer);
    sp_suggest_append_list(&buffer, known, 2);
    sp_buffer_append_text(&buffer, "; ");
    sp_suggest_append_list(&buffer, known, 0);
    text = sp_buffer_steal(&buffer, NULL);
    CU_ASSERT_STRING_EQUAL(text, "a, b; none");
    free(text);
}

static const unit_case cases[] = {
    UNIT_CASE(test_distance, "distances between names"),
    UNIT_CASE(test_distance_of_long_names, "names that are too long to compare"),
    UNIT_CASE(test_nearest, "the nearest name"),
    UNIT_CASE(test_nothing_in_common_is_not_near, "no name is near that shares nothing"),
    UNIT_CASE(test_list, "a list of names"),
};

UNIT_MAIN("suggest", cases)
