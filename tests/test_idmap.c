/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"
#include "unit.h"

#define IDS 20000

static char bytes[IDS * 8];
static int64_t offsets[IDS + 1];

/* Ids "0", "1", ...: each of them `times` times over. */
static sp_column ids_of(uint64_t count, uint64_t times)
{
    size_t at = 0;

    for (uint64_t i = 0; i < count; i++) {
        at += (size_t)snprintf(bytes + at, 8, "%llu", (unsigned long long)(i / times));
        offsets[i + 1] = (int64_t)at;
    }
    return (sp_column){.type = SP_TEXT, .count = count, .offsets = offsets, .values = bytes};
}

static void all_found(void)
{
    sp_column ids = ids_of(IDS, 1);
    sp_arena *arena = NULL;
    sp_idmap map;
    int wrong = 0;

    CU_ASSERT(sp_idmap_init(&map, &ids, &arena));
    CU_ASSERT_EQUAL(sp_idmap_find(&map, sp_column_text(&ids, 0)), SP_IDMAP_NONE);
    for (uint64_t i = 0; i < IDS; i += 2)
        wrong += sp_idmap_add(&map, i) != SP_IDMAP_NONE;
    for (uint64_t i = 0; i < IDS; i++)
        wrong += sp_idmap_find(&map, sp_column_text(&ids, i)) != (i % 2 ? SP_IDMAP_NONE : i);
    for (uint64_t i = 1; i < IDS; i += 2)
        wrong += sp_idmap_add(&map, i) != SP_IDMAP_NONE;
    for (uint64_t i = 0; i < IDS; i++)
        wrong += sp_idmap_find(&map, sp_column_text(&ids, i)) != i;
    CU_ASSERT_EQUAL(wrong, 0);
    /* a prefix, a longer one, and none */
    CU_ASSERT_EQUAL(sp_idmap_find(&map, (sp_text){"20000", 5}), SP_IDMAP_NONE);
    CU_ASSERT_EQUAL(sp_idmap_find(&map, (sp_text){"00", 2}), SP_IDMAP_NONE);
    CU_ASSERT_EQUAL(sp_idmap_find(&map, (sp_text){"", 0}), SP_IDMAP_NONE);
    sp_arena_free(&arena);
}

static void repeated(void)
{
    sp_column ids = ids_of(9, 3);
    sp_arena *arena = NULL;
    sp_idmap map;

    CU_ASSERT(sp_idmap_init(&map, &ids, &arena));
    for (uint64_t i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(sp_idmap_add(&map, i), i % 3 ? i / 3 * 3 : SP_IDMAP_NONE);
    sp_idmap_move(&map, 3, 5);
    CU_ASSERT_EQUAL(sp_idmap_find(&map, sp_column_text(&ids, 4)), 5);
    CU_ASSERT_EQUAL(sp_idmap_add(&map, 4), 5);
    CU_ASSERT_EQUAL(sp_idmap_find(&map, sp_column_text(&ids, 0)), 0);
    sp_arena_free(&arena);
}

static void empty(void)
{
    sp_column ids = ids_of(0, 1);
    sp_arena *arena = NULL;
    sp_idmap map;

    CU_ASSERT(sp_idmap_init(&map, &ids, &arena));
    CU_ASSERT_EQUAL(sp_idmap_find(&map, (sp_text){"a", 1}), SP_IDMAP_NONE);
    ids.count = UINT64_MAX / 4;
    CU_ASSERT_FALSE(sp_idmap_init(&map, &ids, &arena));
    sp_arena_free(&arena);
}

static const unit_case cases[] = {
    UNIT_CASE(all_found, "every id is found at its position"),
    UNIT_CASE(repeated, "an id that comes again is found where it was first, or moved"),
    UNIT_CASE(empty, "a map without ids, and one that no memory could hold"),
};

UNIT_MAIN("idmap", cases)
