/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's store in one process: names, rows, fields, deletion, upkeep, copies. */
#include "config.h"

#include "store_rig.h"

static char *root;
static const char *const odd_names[] = {"plain", "a/b", "%2F", " ", "..", ".hidden", "Ünïcödé", "a\nb"};

static int count_one(void *context, sp_text name)
{
    (void)name;
    ++*(unsigned *)context;
    return 0;
}

static void test_names(void)
{
    flat_schema schema = {.dimension = 8, .metric = "cosine", .attributes = "{\"a\":1}",
                          .attributes_size = 7};
    char *below = flat_path(root, "made/when/absent"), *longest = calloc(1, 300);
    flat_store *store = NULL;
    simplugin_error *error = NULL;
    unsigned count = 0;
    struct stat info;
    int exists = 0;

    CU_ASSERT_EQUAL(flat_store_list(below, count_one, &count, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(count, 0);
    for (size_t i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++) {
        sp_text name = rig_text(odd_names[i]);

        CU_ASSERT_EQUAL(flat_store_exists(below, name, &exists, NULL), SIMPLUGIN_OK);
        CU_ASSERT_FALSE(exists);
        CU_ASSERT_EQUAL_FATAL(flat_store_create(below, name, &schema, &rig_wait, &store, NULL),
                              SIMPLUGIN_OK);
        flat_store_close(store);
        CU_ASSERT_EQUAL(flat_store_create(below, name, &schema, &rig_wait, &store, &error),
                        SIMPLUGIN_ALREADY_EXISTS);
        CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_ALREADY_EXISTS, "exists"));
        store = rig_open(below, odd_names[i]);
        CU_ASSERT_STRING_EQUAL(flat_store_schema(store)->metric, "cosine");
        CU_ASSERT_EQUAL(flat_store_schema(store)->attributes_size, 7);
        CU_ASSERT_NSTRING_EQUAL(flat_store_schema(store)->attributes, "{\"a\":1}", 7);
        flat_store_close(store);
    }
    CU_ASSERT_EQUAL(flat_store_list(below, count_one, &count, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(count, sizeof(odd_names) / sizeof(odd_names[0]));
    CU_ASSERT_EQUAL(stat(below, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0700);

    memset(longest, 'x', 299);
    CU_ASSERT_EQUAL(flat_store_create(below, (sp_text){longest, 255}, &schema, &rig_wait, &store, NULL),
                    SIMPLUGIN_OK);
    flat_store_close(store);
    CU_ASSERT_EQUAL(flat_store_create(below, (sp_text){longest, 256}, &schema, &rig_wait, &store, NULL),
                    SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(flat_store_open(below, rig_text(""), &store, NULL), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(flat_store_open(below, rig_text("none"), &store, &error), SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_NOT_FOUND, "none"));
    schema.dimension = 0;
    CU_ASSERT_EQUAL(flat_store_create(below, rig_text("zero"), &schema, &rig_wait, &store, NULL),
                    SIMPLUGIN_INVALID_ARGUMENT);
    schema.dimension = FLAT_DIMENSION_MAX + 1;
    CU_ASSERT_EQUAL(flat_store_create(below, rig_text("zero"), &schema, &rig_wait, &store, NULL),
                    SIMPLUGIN_INVALID_ARGUMENT);

    for (size_t i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++) {
        CU_ASSERT_EQUAL(flat_store_drop(below, rig_text(odd_names[i]), &rig_wait, NULL), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(flat_store_drop(below, rig_text(odd_names[i]), &rig_wait, NULL),
                        SIMPLUGIN_NOT_FOUND);
    }
    count = 0;
    CU_ASSERT_EQUAL(flat_store_list(below, count_one, &count, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(count, 1);
    free(longest);
    free(below);
}

/* Whatever a snapshot says of blocks is as store.h promises. */
static void check_layout(flat_store *store)
{
    flat_snapshot *snapshot = rig_snapshot(store);
    uint64_t dimension = flat_store_schema(store)->dimension, count = 0, live = 0, tail_count = 0;
    uint64_t stride = flat_snapshot_vector_stride(snapshot);
    uint64_t code_stride = flat_snapshot_code_stride(snapshot);
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &count);
    const flat_tail_row *tail = flat_snapshot_tail(snapshot, &tail_count);
    sp_codes *codes = sp_codes_new(dimension);
    int8_t *code = aligned_alloc(64, code_stride);
    float scale, error, norm;
    int good = 1;

    CU_ASSERT_EQUAL(stride, (dimension + 15) / 16 * 16);
    CU_ASSERT_EQUAL(code_stride, sp_codes_stride(dimension));
    for (uint64_t b = 0; b < count; b++) {
        good &= ((uintptr_t)blocks[b].vectors | (uintptr_t)blocks[b].codes) % 64 == 0;
        live += blocks[b].rows - blocks[b].dead_count;
        for (uint32_t r = 0; r < blocks[b].rows; r++) {
            sp_codes_encode(codes, blocks[b].vectors + r * stride, stride, 1, code, code_stride,
                            &scale, &error, &norm);
            good &= !memcmp(code, blocks[b].codes + r * code_stride, code_stride);
            good &= scale == blocks[b].scales[r] && error == blocks[b].errors[r] &&
                    norm == blocks[b].norms[r];
            for (uint64_t d = dimension; d < stride; d++)
                good &= blocks[b].vectors[r * stride + d] == 0;
        }
    }
    for (uint64_t i = 0; i < tail_count; i++) {
        good &= tail[i].row >= count * RIG_BLOCK;
        good &= flat_snapshot_vector(snapshot, tail[i].row) == tail[i].vector;
    }
    CU_ASSERT_TRUE(good);
    CU_ASSERT_EQUAL(live + tail_count, flat_snapshot_count(snapshot));
    sp_codes_free(codes);
    free(code);
    flat_snapshot_free(snapshot);
}

static void test_rows(void)
{
    flat_store *store = rig_create(root, "rows");
    flat_snapshot *before = NULL;
    uint64_t blocks = 0, tail = 0;

    CU_ASSERT_EQUAL(rig_count(store), 0);
    CU_ASSERT_EQUAL(rig_add(store, 0, 1, 1), 0);
    CU_ASSERT_EQUAL(rig_add(store, 1, 10, 1), 0);        /* the tail */
    CU_ASSERT_EQUAL(rig_add(store, 11, 5 * 64 + 3, 1), 0); /* blocks and tail */
    CU_ASSERT_TRUE(rig_has_all(store, 0, 334, 1));
    before = rig_snapshot(store);
    flat_snapshot_blocks(before, &blocks);
    flat_snapshot_tail(before, &tail);
    CU_ASSERT_EQUAL(blocks, 5);
    CU_ASSERT_EQUAL(tail, 14);

    /* Replacing: in the tail, from block to tail, from tail and block to block. */
    CU_ASSERT_EQUAL(rig_add(store, 0, 1, 2), 1);
    CU_ASSERT_EQUAL(rig_add(store, 50, 1, 2), 1);
    CU_ASSERT_EQUAL(rig_add(store, 50, 1, 3), 1);
    CU_ASSERT_EQUAL(rig_add(store, 300, 200, 4), 34);
    CU_ASSERT_EQUAL(rig_count(store), 500);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 1, 2));
    CU_ASSERT_TRUE(rig_has_all(store, 1, 49, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 50, 1, 3));
    CU_ASSERT_TRUE(rig_has_all(store, 51, 249, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 300, 200, 4));
    check_layout(store);
    CU_ASSERT_EQUAL(rig_check(store), 500);

    /* What was seen before is still seen. */
    CU_ASSERT_EQUAL(flat_snapshot_count(before), 334);
    for (uint64_t i = 0; i < 334; i++)
        CU_ASSERT_TRUE(rig_has(before, i, 1));
    CU_ASSERT_TRUE(rig_lacks(before, 400));
    flat_snapshot_free(before);

    rig_maintain(store);
    CU_ASSERT_EQUAL(rig_check(store), 500);
    CU_ASSERT_TRUE(rig_has_all(store, 300, 200, 4));
    check_layout(store);
    flat_store_close(store);

    store = rig_open(root, "rows");
    CU_ASSERT_EQUAL(rig_check(store), 500);
    CU_ASSERT_TRUE(rig_has_all(store, 51, 249, 1));
    flat_store_close(store);
}

static void test_select(void)
{
    flat_store *store = rig_create(root, "select");
    int64_t select[40];
    uint64_t replaced = 0;
    rig_rows rig;

    for (int i = 0; i < 40; i++)
        select[i] = 199 - 5 * i;
    rig_rows_init(&rig, NULL, 0, 200, 7, RIG_DIMENSION);
    rig.rows.select = select;
    rig.rows.count = 40;
    CU_ASSERT_EQUAL(flat_store_upsert(store, &rig.rows, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    rig_rows_clear(&rig);
    CU_ASSERT_EQUAL(rig_count(store), 40);
    for (int i = 0; i < 40; i++)
        CU_ASSERT_TRUE(rig_has_all(store, (uint64_t)select[i], 1, 7));
    flat_store_close(store);
}

/* Which of the rows from..from+count-1, as `version`, an insert found there: how many. */
static uint64_t insert(flat_store *store, uint64_t from, uint64_t count, uint64_t version,
                       int all_or_none, int64_t *there)
{
    uint64_t found = UINT64_MAX;
    rig_rows rig;

    rig_rows_init(&rig, NULL, from, count, version, RIG_DIMENSION);
    CU_ASSERT_EQUAL(flat_store_insert(store, &rig.rows, all_or_none, &rig_wait, there, &found, NULL),
                    SIMPLUGIN_OK);
    rig_rows_clear(&rig);
    return found;
}

static void test_insert(void)
{
    flat_store *store = rig_create(root, "insert");
    int64_t there[400], select[] = {9, 2, 7};
    flat_wait late = rig_within(-1);
    uint64_t found = 0;
    rig_rows rig;

    rig_add(store, 0, 200, 1); /* in blocks */
    rig_add(store, 200, 10, 1);
    rig_add(store, 210, 1, 1); /* in the tail */
    CU_ASSERT_EQUAL(rig_delete(store, 100, 5), 5);
    CU_ASSERT_EQUAL(insert(store, 98, 4, 2, 1, there), 2);
    CU_ASSERT(there[0] == 0 && there[1] == 1);
    CU_ASSERT_EQUAL(rig_count(store), 206);
    CU_ASSERT_EQUAL(insert(store, 90, 130, 2, 0, there), 116);
    CU_ASSERT(there[0] == 0 && there[9] == 9 && there[10] == 15 && there[115] == 120);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 100, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 100, 5, 2));
    CU_ASSERT_TRUE(rig_has_all(store, 105, 106, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 211, 9, 2));
    CU_ASSERT_EQUAL(insert(store, 0, 220, 3, 0, there), 220);
    CU_ASSERT_EQUAL(insert(store, 220, 180, 3, 1, there), 0);
    /* in the order of a selection, and with the numbers it has */
    rig_rows_init(&rig, NULL, 392, 10, 4, RIG_DIMENSION);
    rig.rows.select = select;
    rig.rows.count = 3;
    CU_ASSERT_EQUAL(flat_store_insert(store, &rig.rows, 0, &rig_wait, there, &found, NULL), SIMPLUGIN_OK);
    CU_ASSERT(found == 2 && there[0] == 2 && there[1] == 7);
    CU_ASSERT_TRUE(rig_has_all(store, 401, 1, 4));
    CU_ASSERT_EQUAL(flat_store_insert(store, &rig.rows, 0, &late, there, &found, NULL),
                    SIMPLUGIN_DEADLINE_EXCEEDED);
    rig.rows.count = 0;
    CU_ASSERT_EQUAL(flat_store_insert(store, &rig.rows, 1, &rig_wait, there, &found, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(found, 0);
    rig_rows_clear(&rig);
    CU_ASSERT_EQUAL(rig_check(store), 401);
    flat_store_close(store);
}

static void test_duplicates(void)
{
    flat_store *store = rig_create(root, "duplicates");
    uint64_t numbers[160], replaced = 0;
    simplugin_error *error = NULL;
    rig_rows rig;

    rig_add(store, 0, 70, 1);
    for (uint64_t i = 0; i < 160; i++)
        numbers[i] = i;
    /* In one block, in two, in block and tail, in the tail; in one transaction and in more. */
    for (int i = 0; i < 12; i++) {
        static const uint64_t pairs[12][3] = {
            {1, 5, 160},   {1, 100, 160},   {1, 140, 150},   {1, 5, 20},
            {1, 5, 160},   {1, 100, 160},   {1, 140, 150},   {1, 5, 20},
            {100, 5, 160}, {100, 110, 160}, {100, 140, 150}, {7, 5, 20}};

        flat_step_bytes_forced = i < 4 ? UINT64_MAX : 0;
        flat_step_pages_forced = i % 4 == 1 ? 0 : UINT64_MAX;
        numbers[pairs[i][1]] = pairs[i][0];
        rig_rows_init(&rig, numbers, 0, pairs[i][2], 2, RIG_DIMENSION);
        CU_ASSERT_EQUAL(flat_store_upsert(store, &rig.rows, &rig_wait, &replaced, &error),
                        SIMPLUGIN_INVALID_ARGUMENT);
        CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_INVALID_ARGUMENT, "given twice"));
        rig_rows_clear(&rig);
        numbers[pairs[i][1]] = pairs[i][1];
    }
    flat_step_bytes_forced = flat_step_pages_forced = UINT64_MAX;
    CU_ASSERT_EQUAL(rig_check(store), 70);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 70, 1));
    flat_store_close(store);
}

/* ---- fields -------------------------------------------------------------------------- */

static const int64_t three_offsets[] = {0, 1, 1, 3};
static const int64_t three_lists[] = {0, 2, 2, 3};
static const int64_t ids_offsets[] = {0, 9, 18, 27};
static const double doubles[] = {1.5, 0, -2.5};
static const uint8_t bools[] = {1, 0, 1};
static const uint8_t middle_null[] = {5};

static void check_three(flat_store *store, int in_tail)
{
    flat_snapshot *snapshot = rig_snapshot(store);
    sp_column column;
    uint64_t row = 0, index, at, blocks = 0;
    int present = 0;

    flat_snapshot_blocks(snapshot, &blocks);
    for (uint64_t i = 0; i < 3; i++) {
        char id[24];

        CU_ASSERT_EQUAL(flat_snapshot_find(snapshot, (sp_text){id, (size_t)rig_id(id, 800 + i)}, &row), 1);
        CU_ASSERT_EQUAL(row >= blocks * RIG_BLOCK, (uint64_t)in_tail);
        index = in_tail ? UINT64_MAX : row / RIG_BLOCK;
        at = in_tail ? row - blocks * RIG_BLOCK : row % RIG_BLOCK;
        CU_ASSERT_EQUAL(flat_snapshot_column(snapshot, index, "double", &column, &present, NULL), SIMPLUGIN_OK);
        CU_ASSERT_TRUE_FATAL(present);
        CU_ASSERT_EQUAL((uintptr_t)column.values % 8, 0);
        CU_ASSERT_EQUAL(sp_column_is_valid(&column, at), i != 1);
        CU_ASSERT_EQUAL(((const double *)column.values)[at], doubles[i]);
        CU_ASSERT_EQUAL(flat_snapshot_column(snapshot, index, "bool", &column, &present, NULL), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(((const uint8_t *)column.values)[at], bools[i]);
        CU_ASSERT_EQUAL(flat_snapshot_column(snapshot, index, "text", &column, &present, NULL), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(sp_column_text(&column, at).size, i == 2 ? 2 : 1 - i);
        CU_ASSERT_EQUAL(flat_snapshot_column(snapshot, index, "list", &column, &present, NULL), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL((uintptr_t)column.list_offsets % 8, 0);
        CU_ASSERT_EQUAL(column.list_offsets[at + 1] - column.list_offsets[at], i == 0 ? 2 : i == 2);
        if (i == 2) {
            CU_ASSERT_EQUAL(sp_column_text(&column, (uint64_t)column.list_offsets[at]).size, 2);
        }
    }
    CU_ASSERT_EQUAL(flat_snapshot_column(snapshot, 0, "nobody", &column, &present, NULL), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(present);
    flat_snapshot_free(snapshot);
}

static void test_fields(void)
{
    flat_store *store = rig_create(root, "fields");
    const sp_column ids = {.type = SP_TEXT, .count = 3, .offsets = ids_offsets,
                           .values = "id-000800id-000801id-000802"};
    const sp_column columns[] = {
        {.type = SP_FLOAT64, .count = 3, .valid = middle_null, .values = doubles},
        {.type = SP_BOOL, .count = 3, .values = bools},
        {.type = SP_TEXT, .count = 3, .offsets = three_offsets, .values = "abc"},
        {.type = SP_TEXT | SP_LIST, .count = 3, .list_offsets = three_lists,
         .offsets = three_offsets, .values = "abc"},
        {.type = SP_INT64, .count = 3, .valid = (const uint8_t *)"\0", .values = doubles},
    };
    const char *const names[] = {"double", "bool", "text", "list", "nulls"};
    float vectors[3 * RIG_DIMENSION] = {0};
    flat_rows rows = {.count = 3, .ids = &ids, .vectors = vectors, .vector_stride = RIG_DIMENSION,
                      .field_count = 5, .field_names = names, .field_columns = columns};
    const sp_column wrong = {.type = SP_INT64, .count = 3, .values = doubles};
    flat_rows mistyped = rows;
    simplugin_error *error = NULL;
    flat_snapshot *snapshot = NULL;
    uint64_t replaced = 0, count = 0;

    CU_ASSERT_EQUAL(flat_store_upsert(store, &rows, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    check_three(store, 1);
    snapshot = rig_snapshot(store);
    flat_snapshot_fields(snapshot, &count);
    CU_ASSERT_EQUAL(count, 4); /* nobody ever had a value of "nulls" */
    flat_snapshot_free(snapshot);

    mistyped.field_count = 1;
    mistyped.field_columns = &wrong;
    CU_ASSERT_EQUAL(flat_store_upsert(store, &mistyped, &rig_wait, &replaced, &error),
                    SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_INVALID_ARGUMENT, "field \"double\" holds float64, not int64"));
    CU_ASSERT_EQUAL(flat_store_set_fields(store, &mistyped, &rig_wait, &replaced, NULL),
                    SIMPLUGIN_INVALID_ARGUMENT);

    /* The same rows in a block. */
    rig_add(store, 0, 30, 1);
    rig_add(store, 30, 31, 1);
    rig_maintain(store);
    check_three(store, 0);
    CU_ASSERT_EQUAL(rig_check(store), 64);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 61, 1));
    flat_store_close(store);
}

/* Sets "version" of rows from..from+count to version, or to null. */
static uint64_t set_version(flat_store *store, uint64_t from, uint64_t count, uint64_t version, int null)
{
    uint64_t updated = 0;
    rig_rows rig;

    rig_rows_init(&rig, NULL, from, count, version, 1);
    memset(rig.valid, null ? 0 : 0xff, count / 8 + 1);
    CU_ASSERT_EQUAL(flat_store_set_fields(store, &rig.rows, &rig_wait, &updated, NULL), SIMPLUGIN_OK);
    rig_rows_clear(&rig);
    return updated;
}

static void test_set_fields(void)
{
    flat_store *store = rig_create(root, "set fields");
    flat_snapshot *snapshot = NULL;

    rig_add(store, 0, 200, 1);
    CU_ASSERT_EQUAL(set_version(store, 150, 100, 9, 0), 50);
    CU_ASSERT_EQUAL(set_version(store, 10, 20, 8, 0), 20);
    CU_ASSERT_EQUAL(set_version(store, 195, 2, 0, 1), 2);
    CU_ASSERT_EQUAL(set_version(store, 20, 2, 0, 1), 2);
    CU_ASSERT_EQUAL(set_version(store, 900, 2, 0, 1), 0);
    for (int pass = 0; pass < 2; pass++) {
        snapshot = rig_snapshot(store);
        CU_ASSERT_TRUE(rig_has(snapshot, 9, 1));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 10, 1, 8));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 20, 1, -1));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 29, 1, 8));
        CU_ASSERT_TRUE(rig_has(snapshot, 30, 1));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 150, 1, 9));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 194, 1, 9));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 195, 1, -1));
        CU_ASSERT_TRUE(rig_has_field(snapshot, 199, 1, 9));
        flat_snapshot_free(snapshot);
        CU_ASSERT_EQUAL(rig_check(store), 200);
        if (!pass) {
            uint64_t before, after;

            CU_ASSERT_EQUAL(flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, NULL),
                            SIMPLUGIN_OK);
        }
    }
    flat_store_close(store);
}

/* ---- deletion ------------------------------------------------------------------------ */

static void test_delete(void)
{
    flat_store *store = rig_create(root, "delete");
    flat_snapshot *snapshot = NULL;
    simplugin_error *error = NULL;
    uint64_t rows[3], deleted = 0, blocks = 0;
    char id[24];

    rig_add(store, 0, 640 + 10, 1);
    CU_ASSERT_EQUAL(rig_delete(store, 5, 1), 1);
    CU_ASSERT_EQUAL(rig_delete(store, 5, 1), 0);
    CU_ASSERT_EQUAL(rig_delete(store, 630, 40), 20);
    CU_ASSERT_EQUAL(rig_count(store), 629);
    CU_ASSERT_EQUAL(rig_check(store), 629);

    /* By number, which a newer transaction makes void. */
    snapshot = rig_snapshot(store);
    CU_ASSERT_TRUE(rig_lacks(snapshot, 5));
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(flat_snapshot_find(snapshot, (sp_text){id, (size_t)rig_id(id, 10 + i)}, &rows[i]), 1);
    rig_add(store, 5, 1, 2);
    CU_ASSERT_EQUAL(flat_store_delete_rows(store, snapshot, rows, 3, &rig_wait, &error), SIMPLUGIN_BUSY);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_BUSY, "delete"));
    flat_snapshot_free(snapshot);
    snapshot = rig_snapshot(store);
    CU_ASSERT_EQUAL(flat_store_delete_rows(store, snapshot, rows, 3, &rig_wait, NULL), SIMPLUGIN_OK);
    flat_snapshot_free(snapshot);
    CU_ASSERT_EQUAL(rig_count(store), 627);

    /* Half-dead blocks merge; a row that was deleted in the tail does not come back. */
    for (uint64_t i = 64; i < 630; i += 64)
        rig_delete(store, i, 50);
    CU_ASSERT_EQUAL(rig_delete(store, 5, 1), 1);
    rig_maintain(store);
    snapshot = rig_snapshot(store);
    flat_snapshot_blocks(snapshot, &blocks);
    CU_ASSERT_TRUE(blocks <= 5);
    CU_ASSERT_TRUE(rig_lacks(snapshot, 5));
    flat_snapshot_free(snapshot);
    CU_ASSERT_EQUAL(rig_check(store), 176);
    CU_ASSERT_TRUE(rig_has_all(store, 114, 14, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 178, 14, 1));

    CU_ASSERT_EQUAL(flat_store_delete_all(store, &rig_wait, &deleted, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(deleted, 176);
    CU_ASSERT_EQUAL(rig_check(store), 0);
    CU_ASSERT_EQUAL(rig_add(store, 0, 100, 3), 0);
    rig_maintain(store);
    CU_ASSERT_EQUAL(rig_check(store), 100);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 100, 3));
    flat_store_close(store);
}

/* ---- how much is written ------------------------------------------------------------- */

static uint64_t written_bytes(void)
{
    char text[512];
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");

    while (file && fgets(text, sizeof(text), file))
        if (sscanf(text, "wchar: %llu", &bytes) == 1)
            break;
    if (file)
        fclose(file);
    return bytes;
}

/* The most that one of so many adds of one row writes; every other one replaces a row. */
static uint64_t most_written(flat_store *store, uint64_t from, uint64_t count)
{
    uint64_t most = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t before = written_bytes(), bytes;

        rig_add(store, i % 2 ? from + i : i * 977 % 20000, 1, 5);
        bytes = written_bytes() - before;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void test_one_row(void)
{
    flat_schema schema = {.dimension = 512, .metric = "cosine"};
    flat_store *store = NULL;
    uint64_t numbers[10000], most = 0, bytes = 0, replaced = 0, deleted = 0;
    rig_rows rig;

    flat_block_rows_forced = 0;
    flat_maintain_disabled = 1;
    CU_ASSERT_EQUAL_FATAL(flat_store_create(root, rig_text("one row"), &schema, &rig_wait, &store, NULL),
                          SIMPLUGIN_OK);
    most = most_written(store, 1000000, 50);
    /* Ids in no order at all, so that the tree of ids is large and touched everywhere. */
    for (int batch = 0; batch < 2; batch++) {
        for (uint64_t i = 0; i < 10000; i++)
            numbers[i] = (i * 2 + (uint64_t)batch) * 7919 % 20011;
        rig_rows_init(&rig, numbers, 0, 10000, 1, 512);
        CU_ASSERT_EQUAL(flat_store_upsert(store, &rig.rows, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
        rig_rows_clear(&rig);
        bytes = most_written(store, 1100000 + 100000 * (uint64_t)batch, 60);
        most = bytes > most ? bytes : most;
    }
    /* Over a block's worth in the tail, folded in between. */
    rig_add(store, 1900000, 1000, 1);
    rig_add(store, 1910000, 1000, 1);
    bytes = most_written(store, 2000000, 60);
    most = bytes > most ? bytes : most;
    rig_maintain(store);
    bytes = most_written(store, 3000000, 60);
    most = bytes > most ? bytes : most;
    rig_delete(store, 0, 20000);
    bytes = most_written(store, 4000000, 40);
    most = bytes > most ? bytes : most;
    rig_maintain(store);
    bytes = most_written(store, 5000000, 60);
    most = bytes > most ? bytes : most;
    CU_ASSERT_EQUAL(flat_store_delete_all(store, &rig_wait, &deleted, NULL), SIMPLUGIN_OK);
    bytes = most_written(store, 6000000, 40);
    most = bytes > most ? bytes : most;
    rig_maintain(store);
    bytes = most_written(store, 7000000, 60);
    most = bytes > most ? bytes : most;
    printf("most: %llu bytes ", (unsigned long long)most);
    CU_ASSERT_TRUE(most > 0);
    CU_ASSERT_TRUE(most <= 65536);
    CU_ASSERT_NOT_EQUAL(rig_check(store), UINT64_MAX);
    flat_store_close(store);
    flat_maintain_disabled = 0;
    flat_block_rows_forced = RIG_BLOCK;
}

/* ---- upkeep -------------------------------------------------------------------------- */

/* Waits until the tail is shorter than a block, which the thread sees to. */
static int folded(flat_store *store, uint64_t most)
{
    int64_t end = sp_clock_deadline(20000);
    uint64_t tail = 0;

    do {
        flat_snapshot *snapshot = rig_snapshot(store);

        flat_snapshot_tail(snapshot, &tail);
        flat_snapshot_free(snapshot);
        sched_yield();
    } while (tail >= most && sp_clock_now() < end);
    return tail < most;
}

static void test_thread(void)
{
    flat_store *store = rig_create(root, "thread");

    for (uint64_t i = 0; i < 300; i++)
        rig_add(store, i, 1, 1);
    CU_ASSERT_TRUE(folded(store, RIG_BLOCK));
    CU_ASSERT_TRUE(rig_has_all(store, 0, 300, 1));
    CU_ASSERT_EQUAL(rig_check(store), 300);
    flat_store_close(store);
}

static void test_close_folds(void)
{
    flat_store *store = rig_create(root, "close");
    flat_snapshot *snapshot = NULL;
    uint64_t tail = 0, blocks = 0;

    flat_maintain_disabled = 1;
    for (uint64_t i = 0; i < 100; i++)
        rig_add(store, i, 1, 1);
    flat_store_close(store);
    flat_maintain_disabled = 0;
    store = rig_open(root, "close");
    snapshot = rig_snapshot(store);
    flat_snapshot_tail(snapshot, &tail);
    flat_snapshot_blocks(snapshot, &blocks);
    CU_ASSERT_EQUAL(tail, 36);
    CU_ASSERT_EQUAL(blocks, 1);
    flat_snapshot_free(snapshot);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 100, 1));
    flat_store_close(store);
}

/* ---- a small map --------------------------------------------------------------------- */

static void test_growth(void)
{
    simplugin_error *error = NULL;
    flat_snapshot *snapshot = NULL;
    flat_store *store = NULL;
    uint64_t replaced = 0;
    int32_t code = SIMPLUGIN_OK;

    flat_store_close(rig_create(root, "growth"));
    flat_map_size_forced = 1 << 20;
    store = rig_open(root, "growth");
    for (uint64_t i = 0; i < 40; i++)
        rig_add(store, i * 1000, 1000, 1);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 40000, 1));
    flat_store_close(store);

    /* A snapshot keeps the map from growing: BUSY when the time is over. */
    store = rig_open(root, "growth");
    snapshot = rig_snapshot(store);
    for (uint64_t i = 0; i < 100 && code == SIMPLUGIN_OK; i++) {
        flat_wait soon = rig_within(300);

        code = rig_add_within(store, 100000 + i * 1000, 1000, 1, &soon, &replaced, &error);
    }
    CU_ASSERT_EQUAL(code, SIMPLUGIN_BUSY);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_BUSY, "cannot grow"));
    CU_ASSERT_EQUAL(flat_snapshot_count(snapshot), 40000);
    flat_snapshot_free(snapshot);
    rig_add(store, 200000, 1000, 1);
    CU_ASSERT_NOT_EQUAL(rig_check(store), UINT64_MAX);
    flat_store_close(store);
    flat_map_size_forced = 0;
}

/* ---- copies -------------------------------------------------------------------------- */

static void report(void *context, uint64_t done, uint64_t total)
{
    uint64_t *last = context;

    CU_ASSERT_TRUE(done >= *last && done <= total);
    *last = done;
}

static void test_compact(void)
{
    flat_store *store = rig_create(root, "compact"), *other = rig_open(root, "compact");
    uint64_t before = 0, after = 0, last = 0, replaced = 0;
    flat_snapshot *snapshot = NULL;

    rig_add(store, 0, 5000, 1);
    rig_add(store, 5000, 7, 1);
    rig_delete(store, 0, 4000);
    snapshot = rig_snapshot(store);
    CU_ASSERT_EQUAL(flat_store_compact(store, &rig_wait, report, &last, &before, &after, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(last, 1007);
    CU_ASSERT_TRUE(after < before / 2);
    CU_ASSERT_TRUE(rig_has(snapshot, 4500, 1)); /* the old file, until it is let go */
    CU_ASSERT_NOT_EQUAL(flat_snapshot_version(snapshot), 0);
    flat_snapshot_free(snapshot);
    CU_ASSERT_TRUE(rig_has_all(store, 4000, 1007, 1));
    CU_ASSERT_TRUE(rig_has_all(other, 4000, 1007, 1));
    CU_ASSERT_EQUAL(rig_add_within(other, 0, 10, 2, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(flat_store_compact(other, &rig_wait, NULL, NULL, &before, &after, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rig_check(store), 1017);
    flat_store_close(other);
    flat_store_close(store);
    store = rig_open(root, "compact");
    CU_ASSERT_EQUAL(store->env->generation, 3);
    CU_ASSERT_EQUAL(rig_check(store), 1017);
    flat_store_close(store);
}

/* A killed compaction leaves a file that nobody names: it must not be taken for the newest. */
static void test_orphan(void)
{
    flat_store *store = rig_create(root, "orphan");
    char *folder = strdup(store->folder), *path = flat_generation_path(folder, 2);
    char *first = flat_generation_path(folder, 1);
    char command[1024];
    uint64_t before = 0, after = 0;

    rig_add(store, 0, 100, 1);
    flat_store_close(store);
    snprintf(command, sizeof(command), "cp '%s' '%s'", first, path);
    CU_ASSERT_EQUAL(system(command), 0);
    store = rig_open(root, "orphan");
    rig_add(store, 100, 50, 1);
    flat_store_close(store);
    store = rig_open(root, "orphan");
    CU_ASSERT_EQUAL(rig_check(store), 150);
    CU_ASSERT_EQUAL(flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rig_check(store), 150);
    flat_store_close(store);
    free(folder);
    free(path);
    free(first);
}

/* One that was killed before it removed the old file leaves that, too. */
static void test_lingering(void)
{
    flat_store *store = rig_create(root, "lingering");
    char *folder = strdup(store->folder), *first = flat_generation_path(folder, 1);
    char *saved = flat_path(root, "saved");
    uint64_t before = 0, after = 0, generation = 0;

    rig_add(store, 0, 100, 1);
    CU_ASSERT_EQUAL(link(first, saved), 0);
    CU_ASSERT_EQUAL(flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, NULL), SIMPLUGIN_OK);
    flat_store_close(store);
    CU_ASSERT_EQUAL(rename(saved, first), 0);
    for (uint64_t i = 0; i < 2; i++) {
        store = rig_open(root, "lingering");
        CU_ASSERT_EQUAL(store->env->generation, 2 + i);
        rig_add(store, 100 + i, 1, 1);
        CU_ASSERT_EQUAL(flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, NULL), SIMPLUGIN_OK);
        flat_store_close(store);
    }
    CU_ASSERT_EQUAL(flat_folder_generation(folder, &generation, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(generation, 4);
    store = rig_open(root, "lingering");
    CU_ASSERT_EQUAL(rig_check(store), 102);
    flat_store_close(store);
    free(folder);
    free(first);
    free(saved);
}

static void test_backup(void)
{
    flat_store *store = rig_create(root, "backup"), *copy = NULL;
    char *target = flat_path(root, "elsewhere"), *inside = flat_path(target, "any folder");
    simplugin_error *error = NULL;
    flat_wait over = {1, 0};
    uint64_t last = 0;

    rig_add(store, 0, 700, 1);
    rig_delete(store, 600, 50);
    CU_ASSERT_EQUAL(mkdir(target, 0700), 0);
    CU_ASSERT_EQUAL(flat_store_backup(store, inside, &over, NULL, NULL, NULL), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(flat_store_backup(store, inside, &rig_wait, report, &last, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(last, 650);
    CU_ASSERT_EQUAL(flat_store_backup(store, inside, &rig_wait, NULL, NULL, &error), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_ALREADY_EXISTS, "any folder"));
    CU_ASSERT_EQUAL(flat_store_backup(store, "relative", &rig_wait, NULL, NULL, NULL), SIMPLUGIN_INVALID_ARGUMENT);
    rig_add(store, 0, 700, 2);
    copy = rig_open(target, "backup");
    CU_ASSERT_EQUAL(rig_check(copy), 650);
    CU_ASSERT_TRUE(rig_has_all(copy, 0, 600, 1));
    rig_add(copy, 0, 1, 3);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 700, 2));
    flat_store_close(copy);
    flat_store_close(store);
    free(target);
    free(inside);
}

static void test_many_fields(void)
{
    flat_store *store = rig_create(root, "many fields");
    const sp_column ids = {.type = SP_TEXT, .count = 1, .offsets = ids_offsets, .values = "id-000800"};
    const sp_column column = {.type = SP_FLOAT64, .count = 1, .values = doubles};
    float vector[RIG_DIMENSION] = {0};
    char name[300];
    const char *names[1] = {name};
    flat_rows rows = {.count = 1, .ids = &ids, .vectors = vector, .vector_stride = RIG_DIMENSION,
                      .field_count = 1, .field_names = names, .field_columns = &column};
    uint64_t count = 0;
    flat_snapshot *snapshot = NULL;

    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "field number %d", i);
        CU_ASSERT_EQUAL(flat_store_upsert(store, &rows, &rig_wait, &count, NULL), SIMPLUGIN_OK);
    }
    memset(name, 'x', 256);
    name[256] = 0;
    CU_ASSERT_EQUAL(flat_store_upsert(store, &rows, &rig_wait, &count, NULL), SIMPLUGIN_INVALID_ARGUMENT);
    name[0] = 0;
    CU_ASSERT_EQUAL(flat_store_set_fields(store, &rows, &rig_wait, &count, NULL), SIMPLUGIN_INVALID_ARGUMENT);
    snapshot = rig_snapshot(store);
    flat_snapshot_fields(snapshot, &count);
    CU_ASSERT_EQUAL(count, 40);
    flat_snapshot_free(snapshot);
    flat_store_close(store);
}

static int questions; /* until the answer is yes */

static int32_t cancelled_soon(uint64_t token)
{
    (void)token;
    return questions-- <= 0;
}

static void test_waits(void)
{
    flat_store *store = rig_create(root, "waits");
    flat_wait over = {1, 0}, cancelled = {INT64_MAX, 0};
    uint64_t replaced = 0, token = 0;

    CU_ASSERT_EQUAL(simplugin_cancel_new(&token, NULL), SIMPLUGIN_OK);
    simplugin_cancel_fire(token);
    cancelled.cancel = token;
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 100, 1, &over, &replaced, NULL), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 100, 1, &cancelled, &replaced, NULL), SIMPLUGIN_CANCELLED);
    CU_ASSERT_EQUAL(flat_store_check(store, &cancelled, NULL, NULL, &replaced, NULL), SIMPLUGIN_CANCELLED);
    CU_ASSERT_EQUAL(rig_count(store), 0);
    CU_ASSERT_EQUAL(flat_turn_take(store->env, &rig_wait, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 1, 1, &cancelled, &replaced, NULL), SIMPLUGIN_CANCELLED);
    flat_turn_give(store->env);
    simplugin_cancel_free(token);
    flat_store_close(store);
}

/* What a large add had written when it was cancelled is never seen, and goes. */
static void test_interrupted(void)
{
    simplugin_host host = sp_host;
    flat_store *store = rig_create(root, "interrupted");
    const flat_wait cancelled = {INT64_MAX, 1};
    uint64_t replaced = 0;
    int32_t code = SIMPLUGIN_CANCELLED;

    flat_maintain_disabled = 1;
    flat_step_bytes_forced = 0;
    host.cancelled = cancelled_soon;
    plug_host = &host;
    rig_add(store, 0, 300, 1);
    for (int pass = 0; pass < 2; pass++) {
        flat_step_pages_forced = pass ? 0 : UINT64_MAX;
        for (int i = 0; i < 10; i++) {
            questions = i;
            code = rig_add_within(store, 200, 640, 2, &cancelled, &replaced, NULL);
            CU_ASSERT_EQUAL(code, SIMPLUGIN_CANCELLED);
            CU_ASSERT_TRUE(rig_has_all(store, 0, 300, 1));
            CU_ASSERT_EQUAL(rig_check(store), 300);
        }
        rig_add(store, 0, 1, 1);
        CU_ASSERT_EQUAL(rig_check(store), 300);
    }
    questions = 1000;
    CU_ASSERT_EQUAL(rig_add_within(store, 200, 640, 2, &cancelled, &replaced, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(replaced, 100);
    CU_ASSERT_EQUAL(rig_check(store), 840);
    rig_maintain(store);
    CU_ASSERT_EQUAL(rig_check(store), 840);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 200, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 200, 640, 2));
    plug_host = &sp_host;
    flat_step_bytes_forced = flat_step_pages_forced = UINT64_MAX;
    flat_maintain_disabled = 0;
    flat_store_close(store);
}

static const unit_case cases[] = {
    UNIT_CASE(test_names, "collections of any name are made, listed, opened, dropped"),
    UNIT_CASE(test_rows, "R262 R263 rows are inserted and replaced, in blocks and in the tail, on one snapshot"),
    UNIT_CASE(test_select, "a selection of rows is added without a gather"),
    UNIT_CASE(test_insert, "R262 rows that are there are left as they are, or keep all from being added"),
    UNIT_CASE(test_duplicates, "an id given twice is an error and changes nothing"),
    UNIT_CASE(test_fields, "R281 fields of every type come back, from the tail and from blocks"),
    UNIT_CASE(test_set_fields, "R281 fields of rows that are there are set and taken away"),
    UNIT_CASE(test_delete, "R265 rows are deleted by id, by number and all; blocks merge"),
    UNIT_CASE(test_one_row, "an add of one row writes no more than 64 KiB, ever"),
    UNIT_CASE(test_thread, "the tail is folded in the background"),
    UNIT_CASE(test_close_folds, "the tail is folded at the last close"),
    UNIT_CASE(test_growth, "the map grows, and waits for snapshots no longer than told"),
    UNIT_CASE(test_compact, "R283 a collection is compacted while in use"),
    UNIT_CASE(test_orphan, "a file that a killed compaction left is not used"),
    UNIT_CASE(test_lingering, "files that killed compactions left are followed and removed in order"),
    UNIT_CASE(test_backup, "R283 a backup opens as a collection wherever it is put"),
    UNIT_CASE(test_many_fields, "fields come one after the other"),
    UNIT_CASE(test_waits, "R274 deadlines and cancellation end what writes"),
    UNIT_CASE(test_interrupted, "a large add that is interrupted leaves nothing that is seen"),
};

int main(void)
{
    int failed;

    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}
