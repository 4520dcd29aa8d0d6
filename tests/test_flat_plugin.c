/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's methods one by one: what they answer, and what they refuse. */
#include "config.h"

#include "describe.h"
#include "flat_rig.h"

static const float square[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};

/* Four points with a field of each type; d has none. */
static void fill_fields(const flat_rig *rig, const char *collection)
{
    question *ask = ask_new(rig, collection);

    make(rig, collection, 2, "euclidean");
    with_ids(ask, "a b c d");
    with_vectors(ask, square[0], 4, 2);
    with_fields(ask, 8);
    with_field(ask, "word", column_of(ask, SP_TEXT, "red green - -"));
    with_field(ask, "page", column_of(ask, SP_INT64, "3 -7 3 -"));
    with_field(ask, "size", column_of(ask, SP_FLOAT64, "0.5 - 2.5 -"));
    with_field(ask, "seen", column_of(ask, SP_BOOL, "true false - -"));
    with_field(ask, "tags", column_of_lists(ask, SP_TEXT, "x,y . y -"));
    with_field(ask, "days", column_of_lists(ask, SP_INT64, "1,2,3 - 3 -"));
    with_field(ask, "rate", column_of_lists(ask, SP_FLOAT64, ". 0.25 - -"));
    with_field(ask, "bits", column_of_lists(ask, SP_BOOL, "true,false - . -"));
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    ask_free(ask);
}

/* ---- the table ----------------------------------------------------------------------------- */

static void entry(void)
{
    simplugin_host host = sp_host;
    const simplugin_backend *backend = NULL;
    simplugin_error *error = NULL;

    host.abi_min = host.abi_max = 0x7fff0000;
    CU_ASSERT_EQUAL(simplugin_backend_entry(&host, &backend, &error), SIMPLUGIN_INCOMPATIBLE);
    CU_ASSERT_PTR_NULL(backend);
    CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "32767.0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "1.0"));
    simplugin_error_free(&error);
    CU_ASSERT_EQUAL(simplugin_backend_entry(&sp_host, &backend, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(backend->threads, SIMPLUGIN_THREADS_CONCURRENT);
    backend->close(NULL);
}

static void describe(void)
{
    const simplugin_backend *backend = NULL;
    simplugin_error *error = NULL;
    sp_describe *d = NULL;
    sp_filter_support all;

    simplugin_backend_entry(&sp_host, &backend, NULL);
    CU_ASSERT_EQUAL_FATAL(sp_describe_new(backend, "sklearn_flat", &d, &error), SIMPLUGIN_OK);
    CU_ASSERT_TRUE(d->exact);
    CU_ASSERT_TRUE(d->radius);
    CU_ASSERT_EQUAL(d->vectors, SP_VECTORS_EXACT);
    CU_ASSERT_TRUE(d->conditional_upsert);
    CU_ASSERT_EQUAL(d->max_k, UINT64_MAX);
    CU_ASSERT_TRUE(sp_describe_lists(d, "metrics", "braycurtis"));
    CU_ASSERT_TRUE(sp_describe_lists(d, "reverse", "euclidean"));
    CU_ASSERT_TRUE(sp_describe_lists(d, "methods", "search.neighbors"));
    /* the core pushes every filter whole */
    for (uint32_t kind = SP_FILTER_EQ; kind < SP_FILTER_KINDS; kind++) {
        const char *name = sp_filter_kind_name(kind, 0);

        memset(&all, 0, sizeof all);
        CU_ASSERT_TRUE(sp_filter_support_add(&all, name, strlen(name)));
        CU_ASSERT_TRUE(sp_filter_support_covers(&d->filters, &all));
    }
    sp_describe_free(d);
}

static void opening(void)
{
    simplugin_call_info info = {.size = sizeof info, .method = "open", .method_size = 4,
                                .deadline = INT64_MAX};
    static const char *const bodies[] = {
        "\x80",                                  /* nothing */
        "\x81\xa8" "data_dir\xa3" "tmp",         /* not absolute */
        "\x81\xa8" "data_dir\xa0",               /* empty */
        "\x81\xa8" "data_dir\x01",               /* no text */
        "\x82\xa8" "data_dir\xa4" "/tmp\xa4" "dota\x01", /* unknown */
    };
    const simplugin_backend *backend = NULL;

    simplugin_backend_entry(&sp_host, &backend, NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        simplugin_request request = {.size = sizeof request};
        simplugin_instance *instance = NULL;
        simplugin_error *error = NULL;

        request.body = (const uint8_t *)bodies[i];
        request.body_size = strlen(bodies[i]);
        CU_ASSERT_EQUAL(backend->open(&info, &request, &instance, &error),
                        SIMPLUGIN_INVALID_ARGUMENT);
        CU_ASSERT_PTR_NULL(instance);
        CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "d"));
        simplugin_error_free(&error);
    }
}

static void health(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    ask = ask_new(&rig, NULL);
    ask_expect(ask, "health", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(ask->map.size, 1);
    CU_ASSERT_TRUE(simplugin_find(&ask->map, "version", &ask->map));
    ask_free(ask);
    ask = ask_new(&rig, "x");
    ask_refused(ask, "health", SIMPLUGIN_INVALID_ARGUMENT, "unknown key \"collection\"");
    ask_free(ask);
    rig_close(&rig);
}

static void unknown(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    ask = ask_new(&rig, NULL);
    ask_refused(ask, "points.upsertt", SIMPLUGIN_UNKNOWN_METHOD, "did you mean \"points.upsert\"");
    ask_free(ask);
    ask = ask_new(&rig, NULL);
    ask_refused(ask, "", SIMPLUGIN_UNKNOWN_METHOD, "no method");
    ask_free(ask);
    make(&rig, "c", 2, "cosine");
    ask = ask_new(&rig, "c");
    with_int(ask, "vektors", 1);
    ask_refused(ask, "search", SIMPLUGIN_INVALID_ARGUMENT,
                "did you mean \"vectors\"?; known: collection, vectors, k");
    ask_free(ask);
    ask = ask_new(&rig, NULL);
    ask_refused(ask, "points.count", SIMPLUGIN_INVALID_ARGUMENT, "collection");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_vectors(ask, square[0], 1, 2);
    key(ask, "parameters");
    simplugin_write_map(&ask->writer, 1);
    simplugin_write_string(&ask->writer, "scam");
    simplugin_write_string(&ask->writer, "auto");
    ask_refused(ask, "search", SIMPLUGIN_UNKNOWN_PARAMETER, "did you mean \"scan\"");
    ask_free(ask);
    rig_close(&rig);
}

/* ---- collections --------------------------------------------------------------------------- */

static void collections(void)
{
    static const char *const names[] = {"a", "A", "a/b", "..", ".", " ", "\xc3\xa4", "x%2f"};
    const size_t count = sizeof names / sizeof names[0];
    simplugin_value value;
    simplugin_iter iter;
    flat_rig rig;
    question *ask;
    size_t seen = 0;
    int exists;

    rig_open(&rig);
    for (size_t i = 0; i < count; i++) {
        make(&rig, names[i], 2, "cosine");
        add(&rig, names[i], i, square[0], 1, 2);
    }
    ask = ask_new(&rig, NULL);
    ask_expect(ask, "collection.list", SIMPLUGIN_OK);
    simplugin_find(&ask->map, "collections", &value);
    CU_ASSERT_EQUAL(value.size, count);
    iter = simplugin_iterate(&value);
    while (simplugin_next(&iter, &value))
        for (size_t i = 0; i < count; i++)
            seen += simplugin_value_is(&value, names[i]) ? 1 : 0;
    CU_ASSERT_EQUAL(seen, count);
    ask_free(ask);
    for (size_t i = 0; i < count; i++)
        for (int there = 1; there >= 0; there--) {
            ask = ask_new(&rig, names[i]);
            ask_expect(ask, "collection.exists", SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(simplugin_find_bool(&ask->map, "exists", &exists), 1);
            CU_ASSERT_EQUAL(exists, there);
            ask_free(ask);
            ask = ask_new(&rig, names[i]);
            ask_expect(ask, "collection.drop", there ? SIMPLUGIN_OK : SIMPLUGIN_NOT_FOUND);
            ask_free(ask);
        }
    ask = ask_new(&rig, "gone");
    ask_refused(ask, "points.count", SIMPLUGIN_NOT_FOUND, "gone");
    ask_free(ask);
    rig_close(&rig);
}

static void creating(void)
{
    static const struct {
        const char *metric, *stored;
    } aliases[] = {
        {"l1", "manhattan"}, {"cityblock", "manhattan"}, {"l2", "euclidean"}, {"p", "euclidean"},
        {"infinity", "chebyshev"}, {"sqeuclidean", "sqeuclidean"},
    };
    static const int64_t dimensions[] = {0, -1, 65537, INT64_MAX};
    char name[300];
    flat_rig rig;
    question *ask;
    simplugin_value value;

    rig_open(&rig);
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        make(&rig, aliases[i].metric, 3, aliases[i].metric);
        ask = ask_new(&rig, aliases[i].metric);
        ask_expect(ask, "collection.describe", SIMPLUGIN_OK);
        simplugin_find(&ask->map, "metric", &value);
        CU_ASSERT_TRUE(simplugin_value_is(&value, aliases[i].stored));
        CU_ASSERT_EQUAL(get_int(ask, "dimension"), 3);
        CU_ASSERT_EQUAL(get_int(ask, "count"), 0);
        ask_free(ask);
    }
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
        ask = ask_new(&rig, "n");
        with_int(ask, "dimension", dimensions[i]);
        ask_refused(ask, "collection.create", SIMPLUGIN_INVALID_ARGUMENT, "dimension");
        ask_free(ask);
    }
    ask = ask_new(&rig, "n");
    with_int(ask, "dimension", 2);
    with_text(ask, "metric", "euclidian");
    ask_refused(ask, "collection.create", SIMPLUGIN_INVALID_ARGUMENT,
                "did you mean \"euclidean\"?; known: cosine, dotproduct, euclidean");
    ask_free(ask);
    ask = ask_new(&rig, "l1");
    with_int(ask, "dimension", 2);
    ask_refused(ask, "collection.create", SIMPLUGIN_ALREADY_EXISTS, "l1");
    ask_free(ask);
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    ask = ask_new(&rig, name);
    with_int(ask, "dimension", 2);
    ask_expect(ask, "collection.create", SIMPLUGIN_INVALID_ARGUMENT);
    ask_free(ask);
    name[255] = '\0';
    make(&rig, name, 2, "cosine");
    /* the metric can stand among the parameters as well */
    ask = ask_new(&rig, "by_parameter");
    with_int(ask, "dimension", 2);
    key(ask, "parameters");
    simplugin_write_map(&ask->writer, 1);
    simplugin_write_string(&ask->writer, "metric");
    simplugin_write_string(&ask->writer, "canberra");
    ask_expect(ask, "collection.create", SIMPLUGIN_OK);
    ask_free(ask);
    rig_close(&rig);
}

static void declared(void)
{
    flat_rig rig;
    question *ask;
    simplugin_value fields, value;
    int patches = 0;

    rig_open(&rig);
    ask = ask_new(&rig, "c");
    with_int(ask, "dimension", 2);
    with_fields(ask, 2);
    simplugin_write_string(&ask->writer, "sample_id");
    simplugin_write_string(&ask->writer, "text");
    simplugin_write_string(&ask->writer, "days");
    simplugin_write_string(&ask->writer, "list<int64>");
    ask_expect(ask, "collection.create", SIMPLUGIN_OK);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b");
    with_vectors(ask, square[0], 2, 2);
    with_fields(ask, 1);
    with_field(ask, "days", column_of(ask, SP_INT64, "1 2"));
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "list<int64>");
    ask_free(ask);
    /* a column without a value may have any type */
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b");
    with_vectors(ask, square[0], 2, 2);
    with_fields(ask, 2);
    with_field(ask, "days", column_of(ask, SP_BOOL, "- -"));
    with_field(ask, "more", column_of(ask, SP_BOOL, "- true"));
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.describe", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "count"), 2);
    CU_ASSERT_EQUAL(simplugin_find_bool(&ask->map, "patches", &patches), 1);
    CU_ASSERT_TRUE(patches);
    simplugin_find(&ask->map, "fields", &fields);
    CU_ASSERT_EQUAL(fields.size, 3);
    simplugin_find(&fields, "days", &value);
    CU_ASSERT_TRUE(simplugin_value_is(&value, "list<int64>"));
    simplugin_find(&fields, "more", &value);
    CU_ASSERT_TRUE(simplugin_value_is(&value, "bool"));
    ask_free(ask);
    ask = ask_new(&rig, "d");
    with_int(ask, "dimension", 2);
    with_fields(ask, 1);
    simplugin_write_string(&ask->writer, "f");
    simplugin_write_string(&ask->writer, "texts");
    ask_refused(ask, "collection.create", SIMPLUGIN_INVALID_ARGUMENT, "\"f\" needs a type");
    ask_free(ask);
    rig_close(&rig);
}

static void maintenance(void)
{
    float rows[64];
    char *path;
    flat_rig rig, other;
    question *ask;

    rig_open(&rig);
    make(&rig, "c", 2, "cosine");
    fill(rows, 64, 5);
    add(&rig, "c", 0, rows, 32, 2);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.check", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "rows"), 32);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.compact", SIMPLUGIN_OK);
    CU_ASSERT_TRUE(get_int(ask, "bytes_before") > 0);
    CU_ASSERT_TRUE(get_int(ask, "bytes_after") > 0);
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 32);
    rig_open(&other);
    ask = ask_new(&rig, "c");
    with_text(ask, "path", "relative");
    ask_refused(ask, "collection.backup", SIMPLUGIN_INVALID_ARGUMENT, "path");
    ask_free(ask);
    path = malloc(strlen(other.dir) + 100);
    sprintf(path, "%s/sklearn_flat", other.dir);
    ask = ask_new(&rig, "c");
    with_text(ask, "path", other.dir);
    ask_refused(ask, "collection.backup", SIMPLUGIN_ALREADY_EXISTS, other.dir);
    ask_free(ask);
    /* the copy is one collection's folder: below a root it is that collection */
    make(&other, "aside", 2, "cosine");
    strcat(path, "/copy");
    ask = ask_new(&rig, "c");
    with_text(ask, "path", path);
    ask_expect(ask, "collection.backup", SIMPLUGIN_OK);
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&other, "c"), 32);
    free(path);
    rig_close(&other);
    rig_close(&rig);
}

/* ---- points -------------------------------------------------------------------------------- */

static void vectors(void)
{
    float wide[5][7] = {{0}};
    const int64_t chosen[] = {4, 0, 2};
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, wide[0] + 1, 5, 3);
    flat_rig rig;
    question *ask;

    fill(wide[0], 35, 9);
    tensor.row_stride = sizeof wide[0];
    rig_open(&rig);
    make(&rig, "c", 3, "dotproduct");
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b c d e");
    key(ask, "vectors");
    simplugin_write_tensor(&ask->writer, &tensor);
    with_rows(ask, chosen, 3);
    with_fields(ask, 1);
    with_field(ask, "n", column_of(ask, SP_INT64, "0 1 2 3 4"));
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "upserted"), 3);
    CU_ASSERT_EQUAL(get_int(ask, "replaced"), 0);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "c b e c a");
    with_bool(ask, "fields", 1);
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(get_ids(ask, "ids"), "c e c a");
    CU_ASSERT_STRING_EQUAL(get_field(ask, "n"), "2 4 2 0");
    CU_ASSERT_EQUAL(get_int64s(ask, "positions")[1], 2);
    CU_ASSERT_EQUAL(get_int64s(ask, "positions")[3], 4);
    CU_ASSERT_EQUAL(memcmp(get_floats(ask, "vectors") + 3, wide[4] + 1, 12), 0);
    CU_ASSERT_EQUAL(memcmp(get_floats(ask, "vectors") + 9, wide[0] + 1, 12), 0);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a x");
    with_vectors(ask, wide[3], 2, 3);
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "replaced"), 1);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a x");
    with_bool(ask, "vectors", 0);
    with_bool(ask, "fields", 1);
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(get_field(ask, "n"), "- -");
    CU_ASSERT_FALSE(simplugin_find(&ask->map, "vectors", &ask->map));
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 4);
    /* nothing to do is done */
    ask = ask_new(&rig, "c");
    with_ids(ask, "");
    with_vectors(ask, wide[0], 0, 3);
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "");
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_tensor(ask, "vectors")->cols, 3);
    ask_free(ask);
    rig_close(&rig);
}

/* An upsert of a, c, b (rows chosen from d a c b) under a policy for what is there. */
static question *upsert_under(const flat_rig *rig, const char *existing)
{
    static const float some[4][2] = {{9, 9}, {8, 8}, {7, 7}, {6, 6}};
    static const int64_t chosen[] = {1, 2, 3};
    question *ask = ask_new(rig, "c");

    with_ids(ask, "d a c b");
    with_vectors(ask, some[0], 4, 2);
    with_rows(ask, chosen, 3);
    with_text(ask, "existing", existing);
    return ask;
}

static void existing(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    make(&rig, "c", 2, "euclidean");
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b");
    with_vectors(ask, square[0], 2, 2);
    with_text(ask, "existing", "fail");
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "upserted"), 2);
    CU_ASSERT_EQUAL(get_tensor(ask, "skipped")->rows, 0);
    ask_free(ask);
    ask = upsert_under(&rig, "fail");
    ask_refused(ask, "points.upsert", SIMPLUGIN_ALREADY_EXISTS,
                "id \"a\" and 1 more are there already: nothing was written");
    CU_ASSERT_EQUAL(simplugin_error_detail_count(ask->error), 2);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(ask->error, 1), "id");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(ask->error, 1), "b");
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 2);
    ask = upsert_under(&rig, "skip");
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "upserted"), 1);
    CU_ASSERT_EQUAL(get_int(ask, "replaced"), 0);
    CU_ASSERT_EQUAL(get_tensor(ask, "skipped")->rows, 2);
    CU_ASSERT_EQUAL(get_int64s(ask, "skipped")[0], 1);
    CU_ASSERT_EQUAL(get_int64s(ask, "skipped")[1], 3);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b c");
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(memcmp(get_floats(ask, "vectors"), square[0], 16), 0);
    CU_ASSERT_EQUAL(get_floats(ask, "vectors")[4], 7);
    ask_free(ask);
    ask = upsert_under(&rig, "overwrite");
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "replaced"), 3);
    ask_free(ask);
    ask = upsert_under(&rig, "maybe");
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "overwrite, skip or fail");
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 3);
    rig_close(&rig);
}

static void fields_check(const flat_rig *rig)
{
    static const char *const expected[][2] = {
        {"word", "- green red -"},  {"page", "- -7 3 3"},    {"size", "- - 0.5 2.5"},
        {"seen", "- false true -"}, {"tags", "- . x,y y"},   {"days", "- - 1,2,3 3"},
        {"rate", "- 0.25 . -"},     {"bits", "- - true,false ."},
    };
    question *ask = ask_new(rig, "c");

    with_ids(ask, "d b a c");
    with_bool(ask, "fields", 1);
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        CU_ASSERT_STRING_EQUAL(get_field(ask, expected[i][0]), expected[i][1]);
    }
    ask_free(ask);
}

static void fields(void)
{
    flat_rig rig;
    question *ask;
    simplugin_value map;

    rig_open(&rig);
    fill_fields(&rig, "c");
    fields_check(&rig);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.compact", SIMPLUGIN_OK);
    ask_free(ask);
    fields_check(&rig);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a");
    with_names(ask, "fields", "page nonsense page");
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    simplugin_find(&ask->map, "fields", &map);
    CU_ASSERT_EQUAL(map.size, 1);
    ask_free(ask);
    rig_close(&rig);
}

static void set_fields(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    ask = ask_new(&rig, "c");
    with_ids(ask, "d nobody a c");
    with_fields(ask, 3);
    with_field(ask, "page", column_of(ask, SP_INT64, "8 9 - 10"));
    with_field(ask, "new", column_of(ask, SP_BOOL, "true true false -"));
    /* without a value: takes the field away, whatever its type says */
    with_field(ask, "word", column_of(ask, SP_BOOL, "- - - -"));
    ask_expect(ask, "points.set_fields", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "updated"), 3);
    CU_ASSERT_EQUAL(get_tensor(ask, "positions")->rows, 3);
    CU_ASSERT_EQUAL(get_int64s(ask, "positions")[1], 2);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a b c d");
    with_bool(ask, "fields", 1);
    ask_expect(ask, "points.get", SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(get_field(ask, "page"), "- -7 10 8");
    CU_ASSERT_STRING_EQUAL(get_field(ask, "new"), "false - - true");
    CU_ASSERT_STRING_EQUAL(get_field(ask, "word"), "- green - -");
    CU_ASSERT_STRING_EQUAL(get_field(ask, "size"), "0.5 - 2.5 -");
    CU_ASSERT_EQUAL(memcmp(get_floats(ask, "vectors"), square, sizeof square), 0);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a");
    with_fields(ask, 1);
    with_field(ask, "page", column_of(ask, SP_FLOAT64, "1"));
    ask_refused(ask, "points.set_fields", SIMPLUGIN_INVALID_ARGUMENT, "\"page\"");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "a");
    ask_refused(ask, "points.set_fields", SIMPLUGIN_INVALID_ARGUMENT, "fields are needed");
    ask_free(ask);
    rig_close(&rig);
}

/* An upsert of two rows, one thing wrong with it. */
static void refuse_upsert(const flat_rig *rig, const char *ids, const float *rows,
                          uint64_t dimension, int32_t code, const char *says)
{
    question *ask = ask_new(rig, "c");

    with_ids(ask, ids);
    with_vectors(ask, rows, 2, dimension);
    ask_refused(ask, "points.upsert", code, says);
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(rig, "c"), 4);
}

static void bad_points(void)
{
    static const float nan_row[4] = {1, 2, 3, NAN}, inf_row[4] = {1, -INFINITY, 3, 4};
    static const int64_t far[] = {2}, negative[] = {-1}, twice[] = {1, 1};
    static const int64_t *const rows[] = {far, negative, twice};
    char too_long[300];
    flat_rig rig;
    question *ask;
    sp_column column;
    simplugin_tensor tensor;

    rig_open(&rig);
    fill_fields(&rig, "c");
    refuse_upsert(&rig, "x y", nan_row, 2, SIMPLUGIN_INVALID_ARGUMENT, "row 1 holds NaN");
    refuse_upsert(&rig, "x y", inf_row, 2, SIMPLUGIN_INVALID_ARGUMENT, "row 0 holds NaN");
    refuse_upsert(&rig, "x x", square[0], 2, SIMPLUGIN_INVALID_ARGUMENT, "\"x\" comes twice");
    refuse_upsert(&rig, "x y z", square[0], 2, SIMPLUGIN_INVALID_ARGUMENT, "3, for 2 vectors");
    refuse_upsert(&rig, "x  ", square[0], 2, SIMPLUGIN_INVALID_ARGUMENT, "number 1 is empty");
    refuse_upsert(&rig, "x \xc3", square[0], 2, SIMPLUGIN_INVALID_ARGUMENT, "is not UTF-8");
    refuse_upsert(&rig, "x \xed\xa0\x80", square[0], 2, SIMPLUGIN_INVALID_ARGUMENT,
                  "is not UTF-8");
    refuse_upsert(&rig, "x y", square[0], 1, SIMPLUGIN_DIMENSION_MISMATCH,
                  "vectors have 1 dimensions, the collection has 2");
    memset(too_long, 'i', sizeof too_long);
    too_long[256] = '\0';
    memcpy(too_long, "x ", 2);
    too_long[258] = '\0';
    too_long[257] = too_long[256] = 'i';
    refuse_upsert(&rig, too_long, square[0], 2, SIMPLUGIN_INVALID_ARGUMENT, "more than 255 bytes");
    for (size_t i = 0; i < 3; i++) {
        ask = ask_new(&rig, "c");
        with_ids(ask, "x y");
        with_vectors(ask, square[0], 2, 2);
        with_rows(ask, rows[i], i == 2 ? 2 : 1);
        ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, i == 2 ? "twice" : "rows");
        ask_free(ask);
    }
    /* U+0000 */
    ask = ask_new(&rig, "c");
    column = column_of_words(ask, "xzy ab");
    ((char *)(uintptr_t)column.values)[1] = '\0';
    key(ask, "ids");
    simplugin_write_column(&ask->writer, &column);
    with_vectors(ask, square[0], 2, 2);
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "U+0000");
    ask_free(ask);
    /* a missing id, ids of numbers */
    for (int i = 0; i < 2; i++) {
        ask = ask_new(&rig, "c");
        column = column_of(ask, i ? SP_INT64 : SP_TEXT, "4 -");
        key(ask, "ids");
        simplugin_write_column(&ask->writer, &column);
        with_vectors(ask, square[0], 2, 2);
        ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, i ? "text" : "missing");
        ask_free(ask);
    }
    /* not float32; not there */
    ask = ask_new(&rig, "c");
    with_ids(ask, "x");
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT64, memory(ask, 2, 8), 1, 2);
    key(ask, "vectors");
    simplugin_write_tensor(&ask->writer, &tensor);
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "float32");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "x");
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "vectors");
    ask_free(ask);
    /* fields */
    ask = ask_new(&rig, "c");
    with_ids(ask, "x y");
    with_vectors(ask, square[0], 2, 2);
    with_fields(ask, 1);
    with_field(ask, "page", column_of(ask, SP_INT64, "1 2 3"));
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "3 rows, there are 2 ids");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "x y");
    with_vectors(ask, square[0], 2, 2);
    with_fields(ask, 1);
    with_field(ask, "page", column_of(ask, SP_TEXT, "- 2"));
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "int64, not text");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, "x y");
    with_vectors(ask, square[0], 2, 2);
    with_fields(ask, 1);
    with_field(ask, "w", column_of(ask, SP_TEXT, "a \xff"));
    ask_refused(ask, "points.upsert", SIMPLUGIN_INVALID_ARGUMENT, "UTF-8");
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 4);
    fields_check(&rig);
    rig_close(&rig);
}

static void deleting(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    ask = ask_new(&rig, "c");
    with_ids(ask, "b nobody");
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "deleted"), 1);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_filter(ask, "page >= 3");
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "deleted"), 2);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_filter(ask, "page >= 3");
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "deleted"), 0);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "points.scan", SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(get_ids(ask, "ids"), "d");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_bool(ask, "all", 1);
    with_ids(ask, "d");
    ask_refused(ask, "points.delete", SIMPLUGIN_INVALID_ARGUMENT, "exactly one");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_refused(ask, "points.delete", SIMPLUGIN_INVALID_ARGUMENT, "exactly one");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_bool(ask, "all", 1);
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "deleted"), 1);
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 0);
    rig_close(&rig);
}

/* ---- filters ------------------------------------------------------------------------------- */

static const char *const filters[][2] = {
    {"page == 3", "a c"},
    {"page != 3", "b d"},
    {"page < 3.5", "a b c"},
    {"not page < 3.5", "d"},
    {"page in [3, -7] and seen == true", "a"},
    {"word == 'green' or size > 1", "b c"},
    {"word like 'g%'", "b"},
    {"word not in ['red']", "b c d"},
    {"exists(rate)", "a b"},
    {"array_contains(tags, 'y')", "a c"},
    {"array_contains_any(days, [2, 9])", "a"},
    {"array_contains_all(tags, [])", "a b c"},
    {"nothing == 1", ""},
    {"not nothing == 1", "a b c d"},
    {"true", "a b c d"},
    {"false", ""},
    {"page == 'three'", ""},
};

static void filtered(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    /* first from the tail, then from blocks, each filter new and known */
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
            int64_t matches = filters[i][1][0] ? 1 : 0;

            for (const char *at = filters[i][1]; *at; at++)
                matches += *at == ' ';
            ask = ask_new(&rig, "c");
            with_filter(ask, filters[i][0]);
            ask_expect(ask, "points.scan", SIMPLUGIN_OK);
            CU_ASSERT_STRING_EQUAL(get_ids(ask, "ids"), filters[i][1]);
            if (strcmp(ask->text, filters[i][1]) != 0)
                printf("\n    %s: %s\n", filters[i][0], ask->text);
            ask_free(ask);
            ask = ask_new(&rig, "c");
            with_filter(ask, filters[i][0]);
            ask_expect(ask, "points.count", SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(get_int(ask, "count"), matches);
            ask_free(ask);
            ask = ask_new(&rig, "c");
            with_filter(ask, filters[i][0]);
            with_vectors(ask, square[0], 1, 2);
            ask_expect(ask, "search", SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(get_int64s(ask, "offsets")[1], matches);
            ask_free(ask);
        }
        if (round == 1) {
            ask = ask_new(&rig, "c");
            ask_expect(ask, "collection.compact", SIMPLUGIN_OK);
            ask_free(ask);
        }
    }
    rig_close(&rig);
}

static void filters_follow(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    for (int64_t i = 0; i < 12; i++) {
        char id[20];

        ask = ask_new(&rig, "c");
        with_filter(ask, "page == 3");
        ask_expect(ask, "points.count", SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(get_int(ask, "count"), 2 + i);
        ask_free(ask);
        sprintf(id, "n%d", (int)i);
        ask = ask_new(&rig, "c");
        with_ids(ask, id);
        with_vectors(ask, square[0], 1, 2);
        with_fields(ask, 1);
        with_field(ask, "page", column_of(ask, SP_INT64, "3"));
        ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
        ask_free(ask);
    }
    rig_close(&rig);
}

static void bad_filters(void)
{
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    ask = ask_new(&rig, "c");
    with_text(ask, "filter", "page == 3");
    ask_expect(ask, "points.count", SIMPLUGIN_INVALID_ARGUMENT);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    key(ask, "filter");
    simplugin_write_array(&ask->writer, 1);
    simplugin_write_string(&ask->writer, "or else");
    ask_expect(ask, "points.delete", SIMPLUGIN_INVALID_ARGUMENT);
    ask_free(ask);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 4);
    rig_close(&rig);
}

/* ---- scans --------------------------------------------------------------------------------- */

/* All pages of a scan, their ids one after the other. */
static void scan_pages(const flat_rig *rig, int64_t max_rows, int64_t max_bytes,
                       const char *filter, char *ids, uint64_t *pages)
{
    uint8_t cursor[256];
    uint64_t size = 0;
    simplugin_value value;

    *pages = 0;
    ids[0] = '\0';
    do {
        question *ask = ask_new(rig, "c");

        if (size) {
            key(ask, "cursor");
            simplugin_write_bytes(&ask->writer, cursor, size);
        }
        if (max_rows)
            with_int(ask, "max_rows", max_rows);
        if (max_bytes)
            with_int(ask, "max_bytes", max_bytes);
        if (filter)
            with_filter(ask, filter);
        with_bool(ask, "fields", 1);
        ask_expect(ask, "points.scan", SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(get_tensor(ask, "vectors")->rows,
                        get_column(ask, &ask->map, "ids").count);
        if (max_rows)
            CU_ASSERT_TRUE(get_column(ask, &ask->map, "ids").count <= (uint64_t)max_rows);
        get_ids(ask, "ids");
        if (*ids && *ask->text)
            strcat(ids, " ");
        strcat(ids, ask->text);
        size = 0;
        if (simplugin_find(&ask->map, "cursor", &value)) {
            size = value.size;
            memcpy(cursor, value.data, size);
        }
        ask_free(ask);
        ++*pages;
    } while (size);
}

static void scanning(void)
{
    char ids[100];
    uint64_t pages;
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    fill_fields(&rig, "c");
    scan_pages(&rig, 0, 0, NULL, ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "a b c d");
    CU_ASSERT_EQUAL(pages, 1);
    scan_pages(&rig, 1, 0, NULL, ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "a b c d");
    CU_ASSERT_TRUE(pages == 4 || pages == 5);
    scan_pages(&rig, 3, 0, NULL, ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "a b c d");
    CU_ASSERT_EQUAL(pages, 2);
    /* a row at least, however small the room; and fields take up room as well */
    scan_pages(&rig, 0, 1, NULL, ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "a b c d");
    CU_ASSERT_TRUE(pages >= 4);
    scan_pages(&rig, 2, 0, "page == 3", ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "a c");
    scan_pages(&rig, 2, 0, "false", ids, &pages);
    CU_ASSERT_STRING_EQUAL(ids, "");
    for (int i = 0; i < 3; i++) {
        ask = ask_new(&rig, "c");
        key(ask, "cursor");
        if (i == 0)
            simplugin_write_string(&ask->writer, "a");
        else
            simplugin_write_bytes(&ask->writer, memory(ask, 300, 1), i == 1 ? 0 : 300);
        ask_refused(ask, "points.scan", SIMPLUGIN_INVALID_ARGUMENT, "cursor");
        ask_free(ask);
    }
    ask = ask_new(&rig, "c");
    with_int(ask, "max_rows", 0);
    ask_refused(ask, "points.scan", SIMPLUGIN_INVALID_ARGUMENT, "max_rows is an int, 1 at least");
    ask_free(ask);
    rig_close(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(entry, "the entry names both ranges of ABI versions where they do not meet"),
    UNIT_CASE(describe, "describe is what the core reads"),
    UNIT_CASE(opening, "open wants an absolute data_dir and nothing else"),
    UNIT_CASE(health, "health answers with the version"),
    UNIT_CASE(unknown, "unknown methods, keys and parameters are named with the nearest known"),
    UNIT_CASE(collections, "collections of any name are made, listed, dropped"),
    UNIT_CASE(creating, "R106 metrics by all their names; bad dimensions, metrics and names"),
    UNIT_CASE(declared, "R93 declared fields keep their types before they have values"),
    UNIT_CASE(maintenance, "R283 check, compact and backup"),
    UNIT_CASE(vectors, "R68 vectors come back as they were added, rows chosen and with gaps"),
    UNIT_CASE(existing, "R262 points that are there are replaced, skipped, or a reason to write none"),
    UNIT_CASE(fields, "fields of every type come back, from the tail and from blocks"),
    UNIT_CASE(set_fields, "set_fields leaves other fields and names the points that were there"),
    UNIT_CASE(bad_points, "R87 bad points are refused by name, and nothing changes"),
    UNIT_CASE(deleting, "R63 points go by id, by filter, all"),
    UNIT_CASE(filtered, "R266 filters, from the tail and from blocks"),
    UNIT_CASE(filters_follow, "R266 a filter that was seen before sees new points"),
    UNIT_CASE(bad_filters, "R266 what is no filter is refused"),
    UNIT_CASE(scanning, "scans in pages of any size"),
};

UNIT_MAIN("flat plugin", cases)
