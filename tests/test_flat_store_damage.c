/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's store when its files are not what it wrote. */
#include "config.h"

#include "store_format.h"
#include "store_rig.h"

static char *root;
static uint64_t seed = 1;

static uint64_t random_below(uint64_t limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 24) % limit;
}

/* A store with blocks, dead rows, a tail and fields; the path of its file. */
static char *prepare(const char *name)
{
    flat_store *store = rig_create(root, name);
    char *path = flat_generation_path(store->folder, 1);

    rig_add(store, 0, 300, 1);
    rig_add(store, 300, 20, 1);
    rig_delete(store, 10, 5);
    rig_add(store, 20, 3, 2);
    flat_store_close(store);
    return path;
}

static uint8_t *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    struct stat info;

    if (!file || fstat(fileno(file), &info))
        abort();
    *size = (size_t)info.st_size;
    bytes = malloc(*size);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        abort();
    fclose(file);
    return bytes;
}

static void save(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        abort();
}

/* Whatever can be asked of it; the first code that is not OK. */
static int32_t use(const char *name)
{
    flat_store *store = NULL;
    flat_snapshot *snapshot = NULL;
    uint64_t rows = 0, count = 0;
    simplugin_error *error = NULL;
    int32_t code = flat_store_open(root, rig_text(name), &store, &error);

    if (code == SIMPLUGIN_OK)
        code = flat_store_check(store, &rig_wait, NULL, NULL, &rows, &error);
    if (code == SIMPLUGIN_OK)
        code = flat_snapshot_new(store, &snapshot, &error);
    if (code == SIMPLUGIN_OK) {
        for (uint64_t i = 0; i < 330; i++) {
            char id[24];
            uint64_t row = 0;

            if (flat_snapshot_find(snapshot, (sp_text){id, (size_t)rig_id(id, i)}, &row) == 1) {
                int64_t value;

                count += flat_snapshot_vector(snapshot, row)[0] > 2;
                rig_field(snapshot, row, &value);
            }
        }
    }
    flat_snapshot_free(snapshot);
    flat_store_close(store);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_TRUE(code == SIMPLUGIN_OK || error);
    simplugin_error_free(&error);
    return code;
}

static void test_flipped(void)
{
    char *path = prepare("flipped");
    size_t size = 0;
    uint8_t *bytes = load(path, &size);
    unsigned found = 0, missed = 0;

    for (int i = 0; i < 400; i++) {
        /* Half of them among the pages of trees and heads, of which there are few. */
        size_t at = i % 2 ? random_below(size) : (random_below(size / 4096) * 4096 + random_below(64));
        uint8_t mask = (uint8_t)(1 + random_below(255));
        int32_t code;

        bytes[at] ^= mask;
        save(path, bytes, size);
        code = use("flipped");
        found += code != SIMPLUGIN_OK;
        missed += code == SIMPLUGIN_OK;
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_CORRUPT ||
                       code == SIMPLUGIN_VERSION_TOO_NEW || code == SIMPLUGIN_NOT_FOUND);
        bytes[at] ^= mask;
    }
    /* Pages that are free, and what is between the values, may hold anything. */
    CU_ASSERT_TRUE(found > missed / 2);
    save(path, bytes, size);
    CU_ASSERT_EQUAL(use("flipped"), SIMPLUGIN_OK);
    free(bytes);
    free(path);
}

/* Every byte of the values counts. */
static void test_values(void)
{
    char *path = prepare("values");
    size_t size = 0;
    uint8_t *bytes = load(path, &size);
    float first = rig_value(100, 1, 0);

    for (size_t at = 0; at + 96 < size; at += 4) {
        if (memcmp(bytes + at, &first, sizeof(first)))
            continue;
        bytes[at + 17] ^= 1;
        save(path, bytes, size);
        CU_ASSERT_EQUAL(use("values"), SIMPLUGIN_CORRUPT);
        bytes[at + 17] ^= 1;
        break;
    }
    for (size_t at = 0; at + 18 < size; at++) {
        if (memcmp(bytes + at, "id-000100id-000101", 18))
            continue;
        bytes[at + 8] = 'X'; /* in the block's ids, not in their tree */
        save(path, bytes, size);
        CU_ASSERT_EQUAL(use("values"), SIMPLUGIN_CORRUPT);
        bytes[at + 8] = '0';
    }
    free(bytes);
    free(path);
}

static void test_cut(void)
{
    char *path = prepare("cut");
    simplugin_error *error = NULL;
    flat_store *store = NULL;
    size_t size = 0;
    uint8_t *bytes = load(path, &size);

    for (int i = 0; i < 20; i++) {
        save(path, bytes, random_below(size - 4096));
        CU_ASSERT_EQUAL(flat_store_open(root, rig_text("cut"), &store, &error), SIMPLUGIN_CORRUPT);
        CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_CORRUPT, "damaged"));
    }
    memset(bytes, 0, size);
    save(path, bytes, size);
    CU_ASSERT_EQUAL(use("cut"), SIMPLUGIN_CORRUPT);
    unlink(path);
    CU_ASSERT_EQUAL(use("cut"), SIMPLUGIN_CORRUPT);
    /* What cannot be opened can be dropped. */
    CU_ASSERT_EQUAL(flat_store_drop(root, rig_text("cut"), &rig_wait, &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(use("cut"), SIMPLUGIN_NOT_FOUND);
    free(bytes);
    free(path);
}

static void test_newer(void)
{
    char *path = prepare("newer");
    simplugin_error *error = NULL;
    flat_store *store = NULL;
    size_t size = 0;
    uint8_t *bytes = load(path, &size);
    uint32_t version = 7;

    for (size_t at = 0; at + 16 < size; at++)
        if (!memcmp(bytes + at, "sp-flat\n", 8))
            memcpy(bytes + at + 8, &version, sizeof(version));
    save(path, bytes, size);
    CU_ASSERT_EQUAL(flat_store_open(root, rig_text("newer"), &store, &error), SIMPLUGIN_VERSION_TOO_NEW);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_VERSION_TOO_NEW, "format 7, this version of simplugin reads up to 1"));
    CU_ASSERT_EQUAL(flat_store_drop(root, rig_text("newer"), &rig_wait, NULL), SIMPLUGIN_VERSION_TOO_NEW);
    free(bytes);
    free(path);
}

/* ---- the format itself ------------------------------------------------------------------ */

static void test_columns(void)
{
    static const int64_t numbers[] = {1, 2, 3};
    static const int64_t text_offsets[] = {0, 1, 1, 3};
    static const int64_t lists[] = {0, 2, 2, 3};
    static const uint8_t valid[] = {5};
    const sp_column columns[] = {
        {.type = SP_INT64, .count = 3, .values = numbers},
        {.type = SP_TEXT, .count = 3, .valid = valid, .offsets = text_offsets, .values = "abc"},
        {.type = SP_INT64 | SP_LIST, .count = 3, .list_offsets = lists, .values = numbers},
        {.type = SP_TEXT | SP_LIST, .count = 3, .valid = valid, .list_offsets = lists,
         .offsets = text_offsets, .values = "abc"},
        {.type = SP_BOOL, .count = 3, .values = "\0\1\1"},
    };

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        uint64_t stored = 0, actual = 1;
        flat_builder builder;
        sp_buffer bytes;
        sp_column read;

        sp_buffer_init(&bytes);
        flat_builder_init(&builder, columns[i].type);
        for (uint64_t row = 0; row < 3; row++)
            flat_builder_append(&builder, &columns[i], row);
        flat_builder_append_null(&builder);
        CU_ASSERT_TRUE_FATAL(flat_builder_finish(&builder, &bytes));
        CU_ASSERT_PTR_NULL(flat_column_decode(bytes.data, bytes.size, columns[i].type, 4, &read));
        CU_ASSERT_FALSE(sp_column_is_valid(&read, 3));
        CU_ASSERT_EQUAL(sp_column_is_valid(&read, 1), sp_column_is_valid(&columns[i], 1));
        flat_column_hashes(bytes.data, bytes.size, &stored, &actual);
        CU_ASSERT_EQUAL(stored, actual);
        CU_ASSERT_PTR_NOT_NULL(flat_column_decode(bytes.data, bytes.size, columns[i].type, 5, &read));
        CU_ASSERT_PTR_NOT_NULL(flat_column_decode(bytes.data, bytes.size, SP_FLOAT64, 4, &read));
        for (size_t size = 0; size < bytes.size; size++)
            CU_ASSERT_PTR_NOT_NULL(flat_column_decode(bytes.data, size, columns[i].type, 4, &read));
        flat_builder_clear(&builder);
        sp_buffer_clear(&bytes);
    }
}

static void test_hash(void)
{
    uint8_t bytes[200] = {0};
    uint64_t plain = flat_hash(bytes, sizeof(bytes), 0);

    CU_ASSERT_NOT_EQUAL(plain, flat_hash(bytes, sizeof(bytes) - 1, 0));
    CU_ASSERT_NOT_EQUAL(plain, flat_hash(bytes, sizeof(bytes), 1));
    for (size_t i = 0; i < sizeof(bytes) * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        CU_ASSERT_NOT_EQUAL(plain, flat_hash(bytes, sizeof(bytes), 0));
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static const unit_case cases[] = {
    UNIT_CASE(test_flipped, "a changed byte anywhere is found or harmless"),
    UNIT_CASE(test_values, "a changed byte in vectors or ids is found by check"),
    UNIT_CASE(test_cut, "a file that was cut short is CORRUPT, and can be dropped"),
    UNIT_CASE(test_newer, "a store of a newer format is VERSION_TOO_NEW, naming both"),
    UNIT_CASE(test_columns, "columns are read back, and never from too few bytes"),
    UNIT_CASE(test_hash, "the hash changes with every bit"),
};

int main(void)
{
    int failed;

    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store, damaged", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}
