/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation number N fails, for every N until all succeed. */
#include "config.h"

#include "filter_table.h"
#include "tests/unit.h"

static long countdown = -1; /* allocations that still succeed; -1: all */
static int refused;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static int may_allocate(void)
{
    if (countdown == 0) {
        refused = 1;
        return 0;
    }
    if (countdown > 0)
        countdown--;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return may_allocate() ? __real_realloc(memory, size) : NULL;
}

static const sp_column *no_columns(void *context, uint32_t index, sp_text name)
{
    (void)context;
    (void)index;
    (void)name;
    return NULL;
}

static uint32_t unknown_types(void *context, sp_text name)
{
    (void)context;
    (void)name;
    return SP_FILTER_UNKNOWN_TYPE;
}

static int32_t check_decode(const simplugin_writer *writer, const sp_filter *filter)
{
    simplugin_value value;
    const uint8_t *at = writer->data;
    sp_filter *again = NULL;
    sp_filter_error error;
    int32_t code;

    if (writer->failed || !simplugin_read(&at, writer->data + writer->size, &value))
        return SIMPLUGIN_OUT_OF_MEMORY;
    code = sp_filter_decode(&value, &again, &error);
    CU_ASSERT_EQUAL(code == SIMPLUGIN_OK, again != NULL);
    CU_ASSERT_TRUE(!again || sp_filter_equal(again, filter));
    sp_filter_free(again);
    return code;
}

/* The whole way of a filter; stops at the first failure. */
static int32_t run(const char *text, size_t size)
{
    sp_filter *filter = NULL;
    sp_filter *other = NULL;
    sp_filter_bound *bound = NULL;
    sp_filter_support support;
    sp_filter_error error;
    simplugin_writer writer;
    sp_buffer printed;
    int exact;
    int32_t code = sp_filter_parse(text, size, &filter, &error);

    simplugin_writer_init(&writer);
    sp_buffer_init(&printed);
    sp_filter_support_all(&support);
    if (code) {
        CU_ASSERT_STRING_EQUAL(error.message, "filter: out of memory");
        CU_ASSERT_PTR_NULL(filter);
    }
    if (!code) {
        sp_filter_print(filter, &printed);
        sp_filter_encode(filter, &writer);
        code = printed.failed ? SIMPLUGIN_OUT_OF_MEMORY : check_decode(&writer, filter);
    }
    if (!code)
        code = sp_filter_relax(filter, &support, NULL, NULL, &other, &exact);
    sp_filter_free(other);
    other = NULL;
    if (!code)
        code = sp_filter_simplify(filter, unknown_types, NULL, &other);
    if (!code)
        code = sp_filter_bind(other, &bound);
    if (!code)
        CU_ASSERT_TRUE(sp_filter_eval_row(bound, no_columns, NULL, 0));
    sp_filter_bound_free(bound);
    sp_filter_free(other);
    sp_filter_free(filter);
    simplugin_writer_clear(&writer);
    sp_buffer_clear(&printed);
    return code;
}

static void test_every_allocation(void)
{
    static const char text[] =
        "(not a in ['x', 'y', 'z', 'u', 'v', 'w'] or `b c` in [1, 2.5] and d like 'x%y_') and "
        "(e == 0.5 or not array_contains_any(f, [1, 2, 3]) or g == 1 or h == 2 or i == 3 or "
        "j == 4 or k == 5 or l == 6 or m == 7 or n == 8 or o == 9 or p in [1, 2, 3, 4, 5, 6])";
    long n = 0;
    int32_t code;

    do {
        refused = 0;
        countdown = n++;
        code = run(text, sizeof text - 1);
        countdown = -1;
        CU_ASSERT_EQUAL(code, refused ? SIMPLUGIN_OUT_OF_MEMORY : SIMPLUGIN_OK);
    } while (refused && n < 10000);
    CU_ASSERT_TRUE(n > 20 && n < 10000);
}

static const unit_case cases[] = {
    UNIT_CASE(test_every_allocation, "any allocation may fail: OUT_OF_MEMORY and nothing lost"),
};

UNIT_MAIN("filter memory", cases)
