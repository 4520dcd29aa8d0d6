/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "column.h"
#include "tests/unit.h"

static const uint32_t types[] = {SP_TEXT,           SP_INT64,           SP_FLOAT64,
                                 SP_BOOL,           SP_TEXT | SP_LIST,  SP_INT64 | SP_LIST,
                                 SP_FLOAT64 | SP_LIST, SP_BOOL | SP_LIST};

static void test_names(void)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const char *name = sp_column_type_name(types[i]);
        simplugin_value value;

        CU_ASSERT_PTR_NOT_NULL_FATAL(name);
        CU_ASSERT_EQUAL(sp_column_type(name, strlen(name)), types[i]);
        /* The plugins' header must mean the same by the name. */
        memset(&value, 0, sizeof value);
        value.type = SIMPLUGIN_TEXT;
        value.data = (const uint8_t *)name;
        value.size = strlen(name);
        CU_ASSERT_EQUAL(simplugin_column_type(&value), types[i]);
    }
}

static void test_unknown_names(void)
{
    static const char *const names[] = {"", "tex", "textt", "Text", "list", "list<>", "list<text",
                                        "list<list<text>>", "int32", "float"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CU_ASSERT_EQUAL(sp_column_type(names[i], strlen(names[i])), 0);
    CU_ASSERT_PTR_NULL(sp_column_type_name(0));
    CU_ASSERT_PTR_NULL(sp_column_type_name(5));
    CU_ASSERT_PTR_NULL(sp_column_type_name(SP_LIST));
    CU_ASSERT_PTR_NULL(sp_column_type_name(UINT32_MAX));
}

static void test_text_and_nulls(void)
{
    static const int64_t offsets[] = {0, 3, 3, 5};
    static const int64_t none[] = {0, 0, 0};
    static const uint8_t valid[] = {0x05};
    sp_column column = {SP_TEXT, 3, valid, NULL, offsets, "abcde"};
    sp_column empty = {SP_TEXT, 2, NULL, NULL, none, NULL};

    CU_ASSERT_EQUAL(sp_column_text(&column, 0).size, 3);
    CU_ASSERT_EQUAL(sp_column_text(&column, 1).size, 0);
    CU_ASSERT_EQUAL(memcmp(sp_column_text(&column, 2).data, "de", 2), 0);
    CU_ASSERT_TRUE(sp_column_is_valid(&column, 0) && !sp_column_is_valid(&column, 1));
    CU_ASSERT_TRUE(sp_column_is_valid(&column, 2) && sp_column_is_valid(&empty, 1));
    CU_ASSERT_PTR_NOT_NULL(sp_column_text(&empty, 1).data);
    CU_ASSERT_EQUAL(sp_column_text(&empty, 1).size, 0);
}

static const unit_case cases[] = {
    UNIT_CASE(test_names, "every type has a name, the same for core and plugins"),
    UNIT_CASE(test_unknown_names, "other names and types are unknown"),
    UNIT_CASE(test_text_and_nulls, "rows of text, and a column of empty texts without bytes"),
};

UNIT_MAIN("column", cases)
