/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation number N fails, for every N until all goes well: each call says so, leaks
 * nothing and harms nothing. The linker puts the allocators below in the place of malloc
 * and its kin in our own objects; those of LMDB fail too where no sanitizer has them.
 */
#include "config.h"

#include "store_rig.h"

static _Thread_local long countdown = -1; /* allocations until one fails; below 0: none does */
static char *root;

static int fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

#ifdef WRAPPED
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
#define REPLACED(name) __wrap_##name
#define ORIGINAL(name) __real_##name
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
#define REPLACED(name) name
#pragma GCC visibility push(default)
#define ORIGINAL(name) __libc_##name
#endif

void *REPLACED(malloc)(size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return ORIGINAL(malloc)(size);
}

void *REPLACED(calloc)(size_t count, size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return ORIGINAL(calloc)(count, size);
}

void *REPLACED(realloc)(void *old, size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return ORIGINAL(realloc)(old, size);
}

#ifndef WRAPPED
#pragma GCC visibility pop
#endif

/*
 * Runs it with failing allocations until none was left to fail; the number of failures.
 * Some are got over, so fn must bear to be run after a success.
 */
static unsigned until_it_works(int32_t (*fn)(void *context, simplugin_error **error), void *context)
{
    unsigned failures = 0;
    int failed = 1;

    while (failed && failures < 10000) {
        simplugin_error *error = NULL;
        int32_t code;

        countdown = (long)failures++;
        code = fn(context, &error);
        failed = countdown < 0;
        countdown = -1;
        if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY)
            printf("\n    after %u allocations: %d %s\n", failures - 1, code,
                   error ? simplugin_error_message(error, NULL) : "");
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || (failed && code == SIMPLUGIN_OUT_OF_MEMORY));
        CU_ASSERT_TRUE(code != SIMPLUGIN_OK || !error);
        simplugin_error_free(&error);
    }
    return failures;
}

static int32_t create(void *name, simplugin_error **error)
{
    flat_schema schema = {.dimension = RIG_DIMENSION, .metric = "cosine"};
    flat_store *store = NULL;
    long rest = countdown;
    int32_t code;

    countdown = -1;
    flat_store_drop(root, rig_text(name), &rig_wait, NULL);
    countdown = rest;
    code = flat_store_create(root, rig_text(name), &schema, &rig_wait, &store, error);
    CU_ASSERT_EQUAL(code != SIMPLUGIN_OK, store == NULL);
    flat_store_close(store);
    return code;
}

static int32_t open_it(void *name, simplugin_error **error)
{
    flat_store *store = NULL;
    int32_t code = flat_store_open(root, rig_text(name), &store, error);

    flat_store_close(store);
    return code;
}

static int32_t use_snapshot(void *context, simplugin_error **error)
{
    flat_snapshot *snapshot = NULL;
    sp_column column;
    uint64_t blocks = 0;
    int present = 0;
    int32_t code = flat_snapshot_new(context, &snapshot, error);

    if (code == SIMPLUGIN_OK)
        flat_snapshot_blocks(snapshot, &blocks);
    for (uint64_t i = 0; i <= blocks && code == SIMPLUGIN_OK; i++)
        code = flat_snapshot_column(snapshot, i < blocks ? i : UINT64_MAX, "version", &column,
                                    &present, error);
    flat_snapshot_free(snapshot);
    return code;
}

typedef struct writing {
    flat_store *store;
    rig_rows rig;
    uint64_t count;
} writing;

static int32_t upsert(void *context, simplugin_error **error)
{
    writing *work = context;

    return flat_store_upsert(work->store, &work->rig.rows, &rig_wait, &work->count, error);
}

static int32_t set_fields(void *context, simplugin_error **error)
{
    writing *work = context;

    return flat_store_set_fields(work->store, &work->rig.rows, &rig_wait, &work->count, error);
}

static int32_t delete(void *context, simplugin_error **error)
{
    writing *work = context;

    return flat_store_delete(work->store, &work->rig.ids, &rig_wait, &work->count, error);
}

static int32_t compact(void *store, simplugin_error **error)
{
    uint64_t before, after;

    return flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, error);
}

static int32_t check(void *store, simplugin_error **error)
{
    uint64_t rows;

    return flat_store_check(store, &rig_wait, NULL, NULL, &rows, error);
}

static int32_t backup(void *store, simplugin_error **error)
{
    char target[4200];
    int32_t code;

    snprintf(target, sizeof(target), "%s/../%s-backup", root, strrchr(root, '/') + 1);
    code = flat_store_backup(store, target, &rig_wait, NULL, NULL, error);
    if (code == SIMPLUGIN_OK)
        rig_remove(target);
    return code;
}

/* One step of maintenance, as often as there is something to do. */
static int32_t maintain(void *store, simplugin_error **error)
{
    flat_env *env = ((flat_store *)store)->env;
    int more = 0;
    int32_t code = flat_turn_take(env, &rig_wait, error);

    if (code == SIMPLUGIN_OK) {
        code = flat_maintain_step(env, &rig_wait, &more, error);
        flat_turn_give(env);
    }
    return code;
}

static int32_t drop(void *name, simplugin_error **error)
{
    flat_schema schema = {.dimension = RIG_DIMENSION, .metric = "cosine"};
    flat_store *store = NULL;
    long rest = countdown;

    countdown = -1;
    flat_store_create(root, rig_text(name), &schema, &rig_wait, &store, NULL);
    flat_store_close(store);
    countdown = rest;
    return flat_store_drop(root, rig_text(name), &rig_wait, error);
}

static void write_rows(flat_store *store, int32_t (*fn)(void *, simplugin_error **), uint64_t from,
                       uint64_t count, uint64_t version)
{
    writing work = {.store = store};

    rig_rows_init(&work.rig, NULL, from, count, version, RIG_DIMENSION);
    CU_ASSERT_TRUE(until_it_works(fn, &work) > 1);
    rig_rows_clear(&work.rig);
}

static void test_failing(void)
{
    char name[] = "memory";
    flat_store *store = NULL;

    flat_block_rows_forced = RIG_BLOCK;
    flat_maintain_disabled = 1;
    CU_ASSERT_TRUE(until_it_works(create, name) > 5);
    CU_ASSERT_TRUE(until_it_works(open_it, name) > 5);
    store = rig_open(root, name);
    write_rows(store, upsert, 0, 150, 1);
    write_rows(store, upsert, 150, 1, 1);
    write_rows(store, upsert, 140, 40, 2);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 140, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 140, 40, 2));
    CU_ASSERT_TRUE(until_it_works(use_snapshot, store) > 1);
    write_rows(store, set_fields, 100, 60, 3);
    write_rows(store, delete, 0, 60, 1);
    for (int i = 0; i < 20; i++)
        until_it_works(maintain, store);
    CU_ASSERT_TRUE(until_it_works(check, store) > 1);
    CU_ASSERT_TRUE(until_it_works(backup, store) > 5);
    CU_ASSERT_TRUE(until_it_works(compact, store) > 5);
    CU_ASSERT_EQUAL(rig_check(store), 120);
    CU_ASSERT_TRUE(rig_has_all(store, 60, 40, 1));
    flat_store_close(store);
    CU_ASSERT_TRUE(until_it_works(drop, name) > 1);
    flat_maintain_disabled = 0;
}

static const unit_case cases[] = {
    UNIT_CASE(test_failing, "every allocation may fail, and nothing is lost or leaked"),
};

int main(void)
{
    int failed;

    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store without memory", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}
