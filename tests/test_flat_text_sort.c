/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are sorted bytewise, in blocks, and sorting ends when it is told to. */
#include "config.h"

#include "plugins/sklearn_flat/text_sort.h"
#include "unit.h"

/* An item has more than its text, which has to come along. */
typedef struct item {
    sp_text text;
    uint64_t number;
} item;

typedef struct items {
    item *all;
    char (*bytes)[24];
    uint64_t count;
} items;

/* Numbers back and forth, as text; each third one is there three times. */
static items items_new(uint64_t count)
{
    items made = {calloc((size_t)count + 1, sizeof(item)), calloc((size_t)count + 1, 24), count};

    for (uint64_t i = 0; made.all && made.bytes && i < count; i++) {
        uint64_t number = i * 7919 % (count ? count : 1);

        number -= number % 3 == 1 ? 1 : 0;
        snprintf(made.bytes[i], sizeof made.bytes[i], "%llu", (unsigned long long)number);
        made.all[i] = (item){{made.bytes[i], strlen(made.bytes[i])}, number};
    }
    return made;
}

static void items_free(items *made)
{
    free(made->all);
    free(made->bytes);
}

static uint64_t sum(const items *made)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < made->count; i++)
        total += made->all[i].number;
    return total;
}

static void sorted(void)
{
    static const uint64_t counts[] = {0, 1, 2, 100, 16384, 16385, 40000, 131072, 150001};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        items made = items_new(counts[i]);
        uint64_t before = sum(&made), wrong = 0;

        CU_ASSERT_EQUAL(flat_text_sort(made.all, made.count, sizeof(item), NULL, NULL), 0);
        for (uint64_t j = 0; j < made.count; j++) {
            wrong += strtoull(made.all[j].text.data, NULL, 10) != made.all[j].number;
            wrong += j && flat_text_compare(made.all[j - 1].text, made.all[j].text) > 0;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(sum(&made), before);
        /* and again, as it is in order but for the equal ones */
        CU_ASSERT_EQUAL(flat_text_sort(made.all, made.count, sizeof(item), NULL, NULL), 0);
        CU_ASSERT_EQUAL(sum(&made), before);
        items_free(&made);
    }
}

static void compared(void)
{
    sp_text a = {"a", 1}, ab = {"ab", 2}, high = {"\xc3\xa9", 2}, none = {NULL, 0};

    CU_ASSERT(flat_text_compare(a, ab) < 0 && flat_text_compare(ab, a) > 0);
    CU_ASSERT(flat_text_compare(ab, high) < 0 && flat_text_compare(none, a) < 0);
    CU_ASSERT_EQUAL(flat_text_compare(none, none), 0);
}

/* Answers 7 when it is asked the so many-th time. */
static int32_t stop_at(void *context)
{
    int *left = context;

    return --*left == 0 ? 7 : 0;
}

static void stopped(void)
{
    for (int when = 1; when < 16; when++) {
        items made = items_new(50001);
        uint64_t before = sum(&made);
        int left = when;
        int32_t code = flat_text_sort(made.all, made.count, sizeof(item), stop_at, &left);

        CU_ASSERT_EQUAL(code, left > 0 ? 0 : 7);
        /* it was asked no more, and no item is lost or twice there */
        CU_ASSERT(left >= 0);
        CU_ASSERT_EQUAL(sum(&made), before);
        CU_ASSERT(when < 6 ? code == 7 : 1);
        items_free(&made);
    }
}

static const unit_case cases[] = {
    UNIT_CASE(compared, "texts are compared bytewise, a beginning before the whole"),
    UNIT_CASE(sorted, "as many items as there are, in order"),
    UNIT_CASE(stopped, "R274 it ends where it is told to, with all items"),
};

UNIT_MAIN("flat_text_sort", cases)
