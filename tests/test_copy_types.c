/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of one type as those of another: what is the same value, and what is none. */
#include "config.h"

#include <string.h>

#include "copy_types.h"
#include "unit.h"

static sp_arena *arena;

/* The elements of a column as text: "1 | ? | 2.5", '?' for a missing row. */
static const char *shown(const sp_column *column)
{
    static char text[400];
    size_t size = 0;

    text[0] = '\0';
    for (uint64_t row = 0; row < column->count; row++) {
        uint64_t at = row, end = row + 1;

        size += (size_t)snprintf(text + size, sizeof text - size, row ? " |" : "");
        if (!sp_column_is_valid(column, row)) {
            size += (size_t)snprintf(text + size, sizeof text - size, " ?");
            continue;
        }
        if (column->type & SP_LIST) {
            at = (uint64_t)column->list_offsets[row];
            end = (uint64_t)column->list_offsets[row + 1];
        }
        for (; at < end; at++) {
            sp_text t;

            switch (column->type & ~SP_LIST) {
            case SP_INT64:
                size += (size_t)snprintf(text + size, sizeof text - size, " %lld",
                                         (long long)((const int64_t *)column->values)[at]);
                break;
            case SP_FLOAT64:
                size += (size_t)snprintf(text + size, sizeof text - size, " %.17g",
                                         ((const double *)column->values)[at]);
                break;
            case SP_BOOL:
                size += (size_t)snprintf(text + size, sizeof text - size, " %s",
                                         ((const uint8_t *)column->values)[at] ? "yes" : "no");
                break;
            default:
                t = sp_column_text(column, at);
                size += (size_t)snprintf(text + size, sizeof text - size, " '%.*s'", (int)t.size,
                                         t.data);
            }
        }
    }
    return text + (text[0] == ' ');
}

#define CAST(column, to, expected)                                       \
    do {                                                                 \
        sp_column made_ = (column);                                      \
        CU_ASSERT_EQUAL_FATAL(sp_copy_types_cast(&made_, to, &arena), 1); \
        CU_ASSERT_EQUAL(made_.type, to);                                 \
        CU_ASSERT_STRING_EQUAL(shown(&made_), expected);                 \
    } while (0)

static void numbers(void)
{
    static const int64_t ints[] = {1, -7, INT64_C(9007199254740993), 0};
    static const double floats[] = {2, -0.5, 1e300, 180.42857142857142};
    static const uint8_t valid[] = {0x7};
    sp_column a = {.type = SP_INT64, .count = 4, .values = ints, .valid = valid};
    sp_column b = {.type = SP_FLOAT64, .count = 4, .values = floats};

    CAST(a, SP_FLOAT64, "1 | -7 | ? | ?");
    CAST(a, SP_TEXT, "'1' | '-7' | '9007199254740993' | ?");
    CAST(a, SP_BOOL, "? | ? | ? | ?");
    CAST(b, SP_INT64, "2 | ? | ? | ?");
    CAST(b, SP_TEXT, "'2.0' | '-0.5' | '1e300' | '180.42857142857142'");
}

static void texts(void)
{
    static const char bytes[] = "3""03""2.50""true""seven";
    static const int64_t offsets[] = {0, 1, 3, 7, 11, 16};
    sp_column a = {.type = SP_TEXT, .count = 5, .values = bytes, .offsets = offsets};

    CAST(a, SP_INT64, "3 | ? | ? | ? | ?");
    CAST(a, SP_FLOAT64, "3 | ? | 2.5 | ? | ?");
    CAST(a, SP_BOOL, "? | ? | ? | yes | ?");
}

static void lists(void)
{
    static const int64_t ints[] = {1, 2, 3};
    static const int64_t ends[] = {0, 2, 2, 3};
    static const int64_t none[] = {0, 0, 0, 0};
    sp_column a = {.type = SP_LIST | SP_INT64, .count = 3, .values = ints, .list_offsets = ends};

    CAST(a, SP_LIST | SP_FLOAT64, "1 2 | | 3");
    CAST(a, SP_LIST | SP_TEXT, "'1' '2' | | '3'");
    CAST(a, SP_INT64, "? | ? | ?");
    CU_ASSERT(sp_copy_types_tells(&a));
    a.list_offsets = none;
    CU_ASSERT_FALSE(sp_copy_types_tells(&a));
    CAST(a, SP_LIST | SP_TEXT, "| |");
}

static void joined(void)
{
    CU_ASSERT_EQUAL(sp_copy_types_join(0, SP_TEXT), SP_TEXT);
    CU_ASSERT_EQUAL(sp_copy_types_join(SP_INT64, 0), SP_INT64);
    CU_ASSERT_EQUAL(sp_copy_types_join(SP_INT64, SP_FLOAT64), SP_FLOAT64);
    CU_ASSERT_EQUAL(sp_copy_types_join(SP_LIST | SP_FLOAT64, SP_LIST | SP_INT64),
                    SP_LIST | SP_FLOAT64);
    CU_ASSERT_EQUAL(sp_copy_types_join(SP_LIST | SP_FLOAT64, SP_FLOAT64), 0);
    CU_ASSERT_EQUAL(sp_copy_types_join(SP_TEXT, SP_BOOL), 0);
}

static void settled(void)
{
    static const char names[] = "ab";
    static const int64_t offsets[] = {0, 1, 2};
    static const int64_t ints[] = {1, 2};
    static const double floats[] = {3, 4.5};
    sp_column ids = {.type = SP_TEXT, .count = 2, .values = names, .offsets = offsets};
    sp_column a = {.type = SP_INT64, .count = 2, .values = ints};
    sp_column b = {.type = SP_FLOAT64, .count = 2, .values = floats}, made = b;
    sp_copy_types types = {.known = json_object()};
    simplugin_error *error = NULL;

    /* by the first value, and from then on */
    CU_ASSERT_EQUAL(sp_copy_types_apply(&types, "x", &ids, &a, &arena, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_copy_types_apply(&types, "x", &ids, &made, &arena, &error),
                    SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), "field \"x\" of point \"b\"") != NULL);
    simplugin_error_free(&error);
    types.skip = 1;
    made = b;
    CU_ASSERT_EQUAL(sp_copy_types_apply(&types, "x", &ids, &made, &arena, &error), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(shown(&made), "3 | ?");
    json_decref(types.known);
    sp_arena_free(&arena);
}

static const unit_case cases[] = {
    UNIT_CASE(numbers, "R276 integers and floats are each other where nothing is lost"),
    UNIT_CASE(texts, "R276 text that reads as a number is one"),
    UNIT_CASE(lists, "R276 lists are lists of another type, and never single values"),
    UNIT_CASE(joined, "R276 the type that holds values of two"),
    UNIT_CASE(settled, "R276 a field has the type of its first value, and others say which they are"),
};

UNIT_MAIN("types of a copy's fields", cases)
