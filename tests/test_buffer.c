/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"
#include "unit.h"

static void appending(void)
{
    sp_buffer buffer;
    char *text;
    size_t size = 99;

    sp_buffer_init(&buffer);
    sp_buffer_append_text(&buffer, "one ");
    sp_buffer_append(&buffer, "two\0three", 9);
    sp_buffer_append(&buffer, NULL, 0);
    sp_buffer_printf(&buffer, " %d %s", 4, "five");
    text = sp_buffer_steal(&buffer, &size);
    CU_ASSERT_EQUAL(size, 20);
    CU_ASSERT_EQUAL(memcmp(text, "one two\0three 4 five", 21), 0);
    /* the buffer is as new */
    CU_ASSERT_PTR_NULL(buffer.data);
    CU_ASSERT_EQUAL(buffer.size, 0);
    free(text);
    text = sp_buffer_steal(&buffer, NULL);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
}

/* Around the sizes where printf's own array ends and where the bytes move. */
static void printf_of_every_length(void)
{
    char *a = malloc(2001);

    if (!a)
        abort();
    memset(a, 'a', 2000);
    for (int length = 0; length < 2000; length += length > 500 && length < 520 ? 1 : 13) {
        sp_buffer buffer;
        char *text;
        size_t size = 0;

        sp_buffer_init(&buffer);
        sp_buffer_append_text(&buffer, "<");
        sp_buffer_printf(&buffer, "%.*s", length, a);
        sp_buffer_append_text(&buffer, ">");
        text = sp_buffer_steal(&buffer, &size);
        CU_ASSERT_EQUAL(size, (size_t)length + 2);
        CU_ASSERT_EQUAL(strlen(text), (size_t)length + 2);
        CU_ASSERT_EQUAL(text[length + 1], '>');
        CU_ASSERT_EQUAL(strspn(text + 1, "a"), (size_t)length);
        free(text);
    }
    free(a);
}

static void growing(void)
{
    sp_buffer buffer;
    uint8_t *at;
    int wrong = 0;

    sp_buffer_init(&buffer);
    for (size_t i = 0; i < 5000; i++) {
        at = sp_buffer_extend(&buffer, i % 7);
        for (size_t k = 0; at && k < i % 7; k++)
            at[k] = (uint8_t)(i % 7);
    }
    CU_ASSERT_FALSE(buffer.failed);
    at = buffer.data;
    for (size_t i = 0; i < 5000; i++)
        for (size_t k = 0; k < i % 7; k++)
            wrong += *at++ != i % 7;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_EQUAL(at, buffer.data + buffer.size);
    CU_ASSERT(buffer.size < buffer.capacity);
    sp_buffer_clear(&buffer);
    CU_ASSERT_PTR_NULL(buffer.data);
    sp_buffer_clear(&buffer);
}

static void failure_sticks(void)
{
    sp_buffer buffer;
    char *text;
    size_t size = 7;
    volatile size_t too_much = SIZE_MAX;

    sp_buffer_init(&buffer);
    sp_buffer_append_text(&buffer, "kept");
    CU_ASSERT_PTR_NULL(sp_buffer_extend(&buffer, too_much));
    CU_ASSERT(buffer.failed);
    sp_buffer_append_text(&buffer, "dropped");
    sp_buffer_printf(&buffer, "%s", "dropped");
    CU_ASSERT_EQUAL(buffer.size, 4);
    text = sp_buffer_steal(&buffer, &size);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(size, 7);
    CU_ASSERT_FALSE(buffer.failed);
    sp_buffer_append_text(&buffer, "again");
    CU_ASSERT_EQUAL(buffer.size, 5);
    sp_buffer_clear(&buffer);
}

static const unit_case cases[] = {
    UNIT_CASE(appending, "bytes and text in one, and the zero at the end"),
    UNIT_CASE(printf_of_every_length, "formatted text of every length"),
    UNIT_CASE(growing, "what was written survives growing"),
    UNIT_CASE(failure_sticks, "a failure sticks until the end"),
};

UNIT_MAIN("buffer", cases)
