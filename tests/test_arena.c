/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "unit.h"

#define PIECES 3000

/* Every piece is zeroed, aligned and nobody else's, whatever the order of sizes. */
static void pieces(void)
{
    static uint8_t *memory[PIECES];
    static uint64_t sizes[PIECES];
    sp_arena *arena = NULL;
    uint64_t state = 1;
    int wrong = 0;

    for (uint64_t i = 0; i < PIECES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        sizes[i] = state >> 40 & (i % 50 == 0 ? 0xffff : i % 7 == 0 ? 0x7ff : 0x3f);
        memory[i] = sp_arena_alloc(&arena, sizes[i]);
        wrong += !memory[i] || (uintptr_t)memory[i] % 64 != 0;
        for (uint64_t k = 0; memory[i] && k < sizes[i]; k++)
            wrong += memory[i][k] != 0;
        if (memory[i])
            memset(memory[i], (int)(i % 251) + 1, sizes[i]);
    }
    for (uint64_t i = 0; i < PIECES; i++)
        for (uint64_t k = 0; k < sizes[i]; k++)
            wrong += memory[i][k] != i % 251 + 1;
    CU_ASSERT_EQUAL(wrong, 0);
    sp_arena_free(&arena);
    CU_ASSERT_PTR_NULL(arena);
    sp_arena_free(&arena);
}

static void sizes_that_cannot_be(void)
{
    sp_arena *arena = NULL;

    CU_ASSERT_PTR_NULL(sp_arena_alloc(&arena, UINT64_MAX));
    CU_ASSERT_PTR_NULL(sp_arena_alloc(&arena, UINT64_MAX - 100));
    CU_ASSERT_PTR_NULL(sp_arena_array(&arena, UINT64_MAX, 2));
    CU_ASSERT_PTR_NULL(sp_arena_array(&arena, UINT64_MAX / 8 + 1, 8));
    CU_ASSERT_PTR_NULL(sp_arena_text(&arena, "x", UINT64_MAX));
    CU_ASSERT_PTR_NULL(arena);
    CU_ASSERT_PTR_NOT_NULL(sp_arena_array(&arena, 0, 8));
    CU_ASSERT_PTR_NOT_NULL(sp_arena_array(&arena, 8, 0));
    CU_ASSERT_PTR_NOT_NULL(sp_arena_alloc(&arena, 0));
    /* a refused one does no harm to what is there */
    CU_ASSERT_PTR_NULL(sp_arena_alloc(&arena, UINT64_MAX));
    CU_ASSERT_PTR_NOT_NULL(arena);
    sp_arena_free(&arena);
}

static void texts(void)
{
    sp_arena *arena = NULL;
    char *a = sp_arena_text(&arena, "abcdef", 3);
    char *b = sp_arena_text(&arena, NULL, 0);

    CU_ASSERT_STRING_EQUAL(a, "abc");
    CU_ASSERT_STRING_EQUAL(b, "");
    sp_arena_free(&arena);
}

static const unit_case cases[] = {
    UNIT_CASE(pieces, "pieces are zeroed, aligned to 64 and apart"),
    UNIT_CASE(sizes_that_cannot_be, "sizes that overflow are refused"),
    UNIT_CASE(texts, "copies of text end with zero"),
};

UNIT_MAIN("arena", cases)
