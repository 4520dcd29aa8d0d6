/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's store under many threads: readers beside writers beside maintenance. */
#include "config.h"

#include "store_rig.h"

#define READERS 8
#define ROUNDS 25
#define ROWS 150

static char *root;
static flat_store *shared;
static atomic_int done;
static atomic_uint wrong;

/*
 * Every round writes all rows in one call, so that a snapshot must hold one version of
 * all of them, whichever it is.
 */
static int consistent(flat_snapshot *snapshot)
{
    uint64_t block_count = 0, tail_count = 0, seen = 0, version = 0;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    const flat_tail_row *tail = flat_snapshot_tail(snapshot, &tail_count);
    int same = 1;

    for (uint64_t row = 0; row < ROWS && same; row += 7) {
        uint64_t at = 0;
        int64_t value = 0;
        char id[24];

        if (flat_snapshot_find(snapshot, (sp_text){id, (size_t)rig_id(id, row)}, &at) != 1)
            return 0;
        if (rig_field(snapshot, at, &value) == 1) {
            same = version == 0 || (uint64_t)value == version;
            version = (uint64_t)value;
        }
    }
    for (uint64_t row = 0; row < ROWS && same; row++)
        same = rig_has(snapshot, row, version);
    for (uint64_t b = 0; b < block_count; b++)
        seen += blocks[b].rows - blocks[b].dead_count;
    for (uint64_t i = 0; i < tail_count; i++)
        seen += tail[i].vector[0] <= 1;
    return same && seen == flat_snapshot_count(snapshot);
}

static void *read_on(void *unused)
{
    (void)unused;
    while (!atomic_load(&done)) {
        flat_snapshot *snapshot = NULL;

        if (flat_snapshot_new(shared, &snapshot, NULL) != SIMPLUGIN_OK) {
            atomic_fetch_add(&wrong, 1);
            continue;
        }
        if (!consistent(snapshot))
            atomic_fetch_add(&wrong, 1);
        flat_snapshot_free(snapshot);
    }
    return NULL;
}

/* Single rows with ids of their own, so that the tail grows and is folded. */
static void *add_singles(void *first)
{
    uint64_t from = *(uint64_t *)first, replaced = 0;

    for (uint64_t i = 0; i < 150; i++)
        if (rig_add_within(shared, from + i, 1, 1, &rig_wait, &replaced, NULL) != SIMPLUGIN_OK)
            atomic_fetch_add(&wrong, 1);
    return NULL;
}

static void test_readers_and_writers(void)
{
    pthread_t readers[READERS], writers[2];
    uint64_t firsts[2] = {10000, 20000}, before, after, replaced = 0;

    shared = rig_create(root, "threads");
    rig_add(shared, 0, ROWS, 1);
    for (int i = 0; i < READERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&readers[i], NULL, read_on, NULL), 0);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&writers[i], NULL, add_singles, &firsts[i]), 0);
    for (uint64_t round = 2; round < ROUNDS; round++) {
        CU_ASSERT_EQUAL(rig_add_within(shared, 0, ROWS, round, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(replaced, ROWS);
        if (round % 10 == 0)
            CU_ASSERT_EQUAL(flat_store_compact(shared, &rig_wait, NULL, NULL, &before, &after, NULL), SIMPLUGIN_OK);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&done, 1);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    CU_ASSERT_EQUAL(rig_check(shared), ROWS + 300);
    flat_store_close(shared);
}

/* All insert the same rows; each says how many it wrote. */
static void *insert_same(void *written)
{
    uint64_t version = *(uint64_t *)written;
    int64_t there[200];

    *(uint64_t *)written = 0;
    for (uint64_t from = 0; from < 1000; from += 50) {
        uint64_t found = 0;
        rig_rows rig;

        rig_rows_init(&rig, NULL, from, 200, version, RIG_DIMENSION);
        if (flat_store_insert(shared, &rig.rows, 0, &rig_wait, there, &found, NULL) != SIMPLUGIN_OK)
            atomic_fetch_add(&wrong, 1);
        *(uint64_t *)written += 200 - found;
        rig_rows_clear(&rig);
    }
    return NULL;
}

/* Of several threads exactly one adds a row, and no later one changes it. */
static void test_inserts(void)
{
    pthread_t threads[4];
    uint64_t written[4] = {1, 2, 3, 4}, total = 0;

    shared = rig_create(root, "inserts");
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, insert_same, &written[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        total += written[i];
    }
    CU_ASSERT_EQUAL(total, 1150);
    CU_ASSERT_EQUAL(rig_check(shared), 1150);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    flat_store_close(shared);
}

static void *open_and_close(void *unused)
{
    (void)unused;
    for (int i = 0; i < 60; i++) {
        flat_store *store = NULL;
        uint64_t replaced = 0;

        if (flat_store_open(root, rig_text("opened"), &store, NULL) != SIMPLUGIN_OK ||
            rig_add_within(store, (uint64_t)i, 1, 1, &rig_wait, &replaced, NULL) != SIMPLUGIN_OK)
            atomic_fetch_add(&wrong, 1);
        flat_store_close(store);
    }
    return NULL;
}

static void test_opens(void)
{
    pthread_t threads[4];
    flat_store *store = NULL;

    flat_store_close(rig_create(root, "opened"));
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    store = rig_open(root, "opened");
    CU_ASSERT_EQUAL(rig_check(store), 60);
    flat_store_close(store);
}

static void *make_one(void *made)
{
    flat_schema schema = {.dimension = RIG_DIMENSION, .metric = "cosine"};
    flat_store *store = NULL;
    int32_t code = flat_store_create(root, rig_text("race"), &schema, &rig_wait, &store, NULL);

    if (code == SIMPLUGIN_OK)
        atomic_fetch_add((atomic_int *)made, 1);
    else if (code != SIMPLUGIN_ALREADY_EXISTS)
        atomic_fetch_add(&wrong, 1);
    flat_store_close(store);
    return NULL;
}

static void test_creates(void)
{
    for (int round = 0; round < 10; round++) {
        pthread_t threads[4];
        atomic_int made = 0;

        for (int i = 0; i < 4; i++)
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, make_one, &made), 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(atomic_load(&made), 1);
        CU_ASSERT_EQUAL(flat_store_drop(root, rig_text("race"), &rig_wait, NULL), SIMPLUGIN_OK);
    }
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

static const unit_case cases[] = {
    UNIT_CASE(test_readers_and_writers, "eight threads search one version each beside three that add"),
    UNIT_CASE(test_inserts, "R262 of threads that insert the same rows, one adds each"),
    UNIT_CASE(test_opens, "threads open and close one collection at once"),
    UNIT_CASE(test_creates, "of threads that make one collection, one does"),
};

int main(void)
{
    int failed;

    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store under threads", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}
