/* SPDX-License-Identifier: Apache-2.0 */
/* The typed functions on the flat backend, as a C program uses them. */
#include <math.h>
#include <stddef.h>
#include <sys/wait.h>

#include "library_rig.h"
#include "simplugin.h"

static simplugin_error *error;

static const char *const abc[] = {"apple", "banana", "cherry"};
static const float abc_vectors[3][2] = {{1, 0}, {0.8f, 0.6f}, {0, 1}};

/* Whether a call failed with the code, and with part in its message. */
static int fails(int32_t code, int32_t expected, const char *part)
{
    int as_expected = code == expected && simplugin_error_code(error) == expected &&
                      strstr(simplugin_error_message(error, NULL), part) != NULL;

    if (!as_expected)
        fprintf(stderr, "expected %s (%s): %s: %s\n", simplugin_code_name(expected), part,
                simplugin_code_name(code), simplugin_error_message(error, NULL));
    simplugin_error_free(&error);
    return as_expected;
}

/* The same for an INVALID_ARGUMENT that names its argument. */
static int refuses(int32_t code, const char *argument, const char *part)
{
    int named = strcmp(simplugin_error_detail_key(error, 0), "argument") == 0 &&
                strcmp(simplugin_error_detail_value(error, 0), argument) == 0;

    if (!named)
        fprintf(stderr, "%s is not named: %s\n", argument, simplugin_error_message(error, NULL));
    return fails(code, SIMPLUGIN_INVALID_ARGUMENT, part) && named;
}

static int succeeds(int32_t code)
{
    if (code)
        fprintf(stderr, "%s: %s\n", simplugin_code_name(code),
                simplugin_error_message(error, NULL));
    simplugin_error_free(&error);
    return code == SIMPLUGIN_OK;
}

/* An index with the three points, under cosine. */
static uint64_t index_abc(void)
{
    uint64_t index = 0;

    CU_ASSERT(succeeds(simplugin_index_create(NULL, &index, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_add(index, abc, abc_vectors[0], 3, 2, NULL, &error)));
    return index;
}

static void search(void)
{
    static const float queries[2][2] = {{1, 0.1f}, {0, 2}};
    uint64_t index = index_abc();
    simplugin_hits hits = {.size = sizeof hits};

    CU_ASSERT_NOT_EQUAL(index, 0);
    CU_ASSERT(succeeds(simplugin_index_search(index, queries[0], 2, 2, 2, NULL, &hits, &error)));
    CU_ASSERT_EQUAL(hits.query_count, 2);
    CU_ASSERT_EQUAL_FATAL(hits.hit_count, 4);
    CU_ASSERT(hits.offsets[0] == 0 && hits.offsets[1] == 2 && hits.offsets[2] == 4);
    CU_ASSERT_STRING_EQUAL(hits.ids[0], "apple");
    CU_ASSERT_STRING_EQUAL(hits.ids[1], "banana");
    CU_ASSERT_STRING_EQUAL(hits.ids[2], "cherry");
    CU_ASSERT_STRING_EQUAL(hits.ids[3], "banana");
    CU_ASSERT_DOUBLE_EQUAL(hits.distances[2], 0, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(hits.distances[3], 0.4, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(hits.scores[3], 0.6, 1e-6);
    /* hits that were not cleared are not overwritten */
    CU_ASSERT(refuses(simplugin_index_search(index, queries[0], 1, 2, 1, NULL, &hits, &error),
                      "hits", "clear it first"));
    CU_ASSERT_EQUAL(hits.hit_count, 4);
    simplugin_hits_clear(&hits);
    CU_ASSERT(hits.size == sizeof hits && !hits.owner && !hits.ids && !hits.hit_count);
    simplugin_hits_clear(&hits);
    simplugin_hits_clear(NULL);

    CU_ASSERT(succeeds(simplugin_index_search_ids(index, &abc[1], 1, 10, NULL, &hits, &error)));
    CU_ASSERT_EQUAL(hits.query_count, 1);
    CU_ASSERT_EQUAL_FATAL(hits.hit_count, 3);
    CU_ASSERT_STRING_EQUAL(hits.ids[0], "banana");
    CU_ASSERT_STRING_EQUAL(hits.ids[2], "cherry");
    simplugin_hits_clear(&hits);

    CU_ASSERT(fails(simplugin_index_search_ids(index, (const char *const[]){"none"}, 1, 1, NULL,
                                               &hits, &error), SIMPLUGIN_NOT_FOUND, "none"));
    CU_ASSERT_PTR_NULL(hits.owner);
    CU_ASSERT(fails(simplugin_index_search(index, queries[0], 1, 3, 1, NULL, &hits, &error),
                    SIMPLUGIN_DIMENSION_MISMATCH, "3"));
    CU_ASSERT(refuses(simplugin_index_search(index, queries[0], 1, 2, 0, NULL, &hits, &error), "k",
                      "0"));
    CU_ASSERT(succeeds(simplugin_close(index, &error)));
}

static void points(void)
{
    static const char *const asked[] = {"cherry", "none", "apple"};
    uint64_t index = index_abc(), size = 0, removed = 99;
    float vectors[3][2];
    uint8_t found[3] = {9, 9, 9};

    memset(vectors, 0x55, sizeof vectors);
    CU_ASSERT(succeeds(simplugin_index_get(index, asked, 3, 2, vectors[0], found, NULL, &error)));
    CU_ASSERT(found[0] == 1 && found[1] == 0 && found[2] == 1);
    CU_ASSERT(vectors[0][0] == 0 && vectors[0][1] == 1);
    CU_ASSERT(vectors[1][0] == 0 && vectors[1][1] == 0);
    CU_ASSERT(vectors[2][0] == 1 && vectors[2][1] == 0);
    /* nobody wants to know which are missing: then none may be */
    CU_ASSERT(fails(simplugin_index_get(index, asked, 3, 2, vectors[0], NULL, NULL, &error),
                    SIMPLUGIN_NOT_FOUND, "none"));
    CU_ASSERT(succeeds(simplugin_index_get(index, abc, 3, 2, vectors[0], NULL, NULL, &error)));
    CU_ASSERT_EQUAL(memcmp(vectors, abc_vectors, sizeof vectors), 0);
    CU_ASSERT(fails(simplugin_index_get(index, abc, 2, 3, vectors[0], found, NULL, &error),
                    SIMPLUGIN_DIMENSION_MISMATCH, "dimension 2"));
    /* all missing: the dimension is never compared, the rows become zero */
    vectors[0][0] = 5;
    CU_ASSERT(succeeds(simplugin_index_get(index, &asked[1], 1, 2, vectors[0], found, NULL,
                                           &error)));
    CU_ASSERT(vectors[0][0] == 0 && found[0] == 0);

    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 3);
    CU_ASSERT(succeeds(simplugin_index_remove(index, asked, 3, &removed, NULL, &error)));
    CU_ASSERT_EQUAL(removed, 2);
    CU_ASSERT(succeeds(simplugin_index_remove(index, asked, 3, NULL, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 1);
    /* an id that is there is replaced */
    CU_ASSERT(succeeds(simplugin_index_add(index, &abc[1], abc_vectors[2], 1, 2, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_get(index, &abc[1], 1, 2, vectors[0], NULL, NULL, &error)));
    CU_ASSERT_EQUAL(vectors[0][1], 1);
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 1);
    CU_ASSERT(succeeds(simplugin_index_cleanup(index, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_close(index, &error)));
    CU_ASSERT(fails(simplugin_index_size(index, &size, NULL, &error), SIMPLUGIN_STALE_HANDLE, ""));
    CU_ASSERT_EQUAL(size, 1);
}

static void nothing_at_all(void)
{
    uint64_t index = index_abc(), removed = 99, size = 0;
    simplugin_hits hits = {.size = sizeof hits};

    CU_ASSERT(succeeds(simplugin_index_add(index, NULL, NULL, 0, 2, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_get(index, NULL, 0, 2, NULL, NULL, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_remove(index, NULL, 0, &removed, NULL, &error)));
    CU_ASSERT_EQUAL(removed, 0);
    CU_ASSERT(succeeds(simplugin_index_search(index, NULL, 0, 2, 1, NULL, &hits, &error)));
    CU_ASSERT_EQUAL(hits.query_count, 0);
    CU_ASSERT_EQUAL(hits.hit_count, 0);
    simplugin_hits_clear(&hits);
    CU_ASSERT(succeeds(simplugin_index_search_ids(index, NULL, 0, 1, NULL, &hits, &error)));
    CU_ASSERT_EQUAL(hits.query_count, 0);
    simplugin_hits_clear(&hits);
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 3);
    simplugin_close(index, NULL);
}

/* ---- arguments ------------------------------------------------------------------------ */

static int32_t each_stop(void *context, const char *key)
{
    (void)key;
    ++*(int *)context;
    return 1;
}

static void null_arguments(void)
{
    static const char *const hole[] = {"a", NULL};
    uint64_t index = index_abc(), handle = 7;
    float vector[2] = {1, 2};
    struct {
        simplugin_hits hits;
        uint64_t more[2];
    } later = {.hits = {.size = 0}};
    simplugin_hits hits = {.size = sizeof hits};

    CU_ASSERT(refuses(simplugin_index_create(NULL, NULL, NULL, &error), "index", "is NULL"));
    CU_ASSERT(refuses(simplugin_index_open(NULL, "k", NULL, NULL, &error), "index", "is NULL"));
    CU_ASSERT(refuses(simplugin_index_open(NULL, NULL, &handle, NULL, &error), "brain_key",
                      "is NULL"));
    CU_ASSERT_EQUAL(handle, 0);
    CU_ASSERT(refuses(simplugin_index_add(index, NULL, vector, 1, 2, NULL, &error), "ids",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_add(index, hole, vector, 2, 1, NULL, &error), "ids",
                      "position 1 is NULL"));
    CU_ASSERT(refuses(simplugin_index_add(index, abc, NULL, 1, 2, NULL, &error), "vectors",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_add(index, abc, vector, UINT64_MAX / 2, 4, NULL, &error),
                      "vectors", "overflows"));
    CU_ASSERT(refuses(simplugin_index_search(index, NULL, 1, 2, 1, NULL, &hits, &error), "queries",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_search(index, vector, 1, 2, 1, NULL, NULL, &error), "hits",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_search_ids(index, NULL, 1, 1, NULL, &hits, &error), "ids",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_search_ids(index, hole, 2, 1, NULL, &hits, &error), "ids",
                      "position 1 is NULL"));
    CU_ASSERT(refuses(simplugin_index_search_ids(index, abc, 1, 1, NULL, NULL, &error), "hits",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_get(index, NULL, 1, 2, vector, NULL, NULL, &error), "ids",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_get(index, abc, 1, 2, NULL, NULL, NULL, &error), "vectors",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_remove(index, NULL, 1, NULL, NULL, &error), "ids",
                      "is NULL"));
    CU_ASSERT(refuses(simplugin_index_size(index, NULL, NULL, &error), "size", "is NULL"));
    CU_ASSERT(refuses(simplugin_run_list(NULL, NULL, NULL, &error), "each", "is NULL"));
    CU_ASSERT(refuses(simplugin_run_rename(NULL, NULL, "b", &error), "brain_key", "is NULL"));
    CU_ASSERT(refuses(simplugin_run_rename(NULL, "a", NULL, &error), "new_brain_key", "is NULL"));
    CU_ASSERT(refuses(simplugin_run_delete(NULL, NULL, &error), "brain_key", "is NULL"));
    hits.size = sizeof hits - 8;
    CU_ASSERT(refuses(simplugin_index_search(index, vector, 1, 2, 1, NULL, &hits, &error), "hits",
                      "size"));
    hits.size = 0;
    CU_ASSERT(refuses(simplugin_index_search_ids(index, abc, 1, 1, NULL, &hits, &error), "hits",
                      "size"));
    hits.size = UINT64_MAX;
    CU_ASSERT(refuses(simplugin_index_search_ids(index, abc, 1, 1, NULL, &hits, &error), "hits",
                      "size"));
    later.hits.size = sizeof later;
    later.more[1] = 1;
    CU_ASSERT(refuses(simplugin_index_search_ids(index, abc, 1, 1, NULL, &later.hits, &error),
                      "hits", "does not know"));
    later.more[1] = 0;
    CU_ASSERT(succeeds(simplugin_index_search_ids(index, abc, 1, 1, NULL, &later.hits, &error)));
    CU_ASSERT_EQUAL(later.hits.hit_count, 1);
    simplugin_hits_clear(&later.hits);
    CU_ASSERT(later.hits.size == sizeof later && !later.hits.owner);
    /* nobody has to take an error */
    CU_ASSERT_EQUAL(simplugin_index_size(index, NULL, NULL, NULL), SIMPLUGIN_INVALID_ARGUMENT);
    simplugin_close(index, NULL);
}

static void text_arguments(void)
{
    static const char bad[] = "\xff";
    uint64_t index = 0, found = 0;
    simplugin_index_spec spec;
    int calls = 0;
    const struct {
        size_t offset;
        const char *name;
    } texts[] = {
        {offsetof(simplugin_index_spec, backend), "backend"},
        {offsetof(simplugin_index_spec, dataset), "dataset"},
        {offsetof(simplugin_index_spec, brain_key), "brain_key"},
        {offsetof(simplugin_index_spec, collection), "collection"},
        {offsetof(simplugin_index_spec, metric), "metric"},
        {offsetof(simplugin_index_spec, patches_field), "patches_field"},
        {offsetof(simplugin_index_spec, model), "model"},
        {offsetof(simplugin_index_spec, parameters), "parameters"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = bad;

        memset(&spec, 0, sizeof spec);
        spec.size = sizeof spec;
        memcpy((char *)&spec + texts[i].offset, &text, sizeof text);
        CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), texts[i].name,
                          "is not UTF-8"));
    }
    CU_ASSERT(refuses(simplugin_index_open(bad, "k", &index, NULL, &error), "dataset", "UTF-8"));
    CU_ASSERT(refuses(simplugin_index_open(NULL, bad, &index, NULL, &error), "brain_key", "UTF-8"));
    CU_ASSERT(refuses(simplugin_run_list(bad, each_stop, &calls, &error), "dataset", "UTF-8"));
    CU_ASSERT(refuses(simplugin_run_rename(bad, "a", "b", &error), "dataset", "UTF-8"));
    CU_ASSERT(refuses(simplugin_run_rename(NULL, bad, "b", &error), "brain_key", "UTF-8"));
    CU_ASSERT(refuses(simplugin_run_rename(NULL, "a", bad, &error), "new_brain_key", "UTF-8"));
    CU_ASSERT(refuses(simplugin_run_delete(NULL, bad, &error), "brain_key", "UTF-8"));
    index = index_abc();
    CU_ASSERT(refuses(simplugin_index_add(index, (const char *const[]){bad}, abc_vectors[0], 1, 2,
                                          NULL, &error), "ids", "not UTF-8"));
    CU_ASSERT(refuses(simplugin_index_add(index, (const char *const[]){""}, abc_vectors[0], 1, 2,
                                          NULL, &error), "ids", "empty"));
    CU_ASSERT(refuses(simplugin_index_add(index, (const char *const[]){"x", "x"}, abc_vectors[0],
                                          2, 2, NULL, &error), "ids", "x"));
    CU_ASSERT(refuses(simplugin_index_add(index, abc, (const float[]){NAN, 0}, 1, 2, NULL,
                                          &error), "vectors", "NaN"));
    CU_ASSERT(succeeds(simplugin_index_size(index, &found, NULL, &error)));
    CU_ASSERT_EQUAL(found, 3);
    CU_ASSERT_EQUAL(calls, 0);
    simplugin_close(index, NULL);
}

/* ---- the struct ----------------------------------------------------------------------- */

static void spec_sizes(void)
{
    /* a later version's struct: longer than ours */
    struct {
        simplugin_index_spec spec;
        uint64_t more[3];
    } later;
    simplugin_index_spec spec = {.size = sizeof spec};
    uint64_t index = 0;

    memset(&later, 0, sizeof later);
    later.spec.size = sizeof later;
    CU_ASSERT(succeeds(simplugin_index_create(&later.spec, &index, NULL, &error)));
    simplugin_close(index, NULL);
    later.more[2] = 1;
    CU_ASSERT(refuses(simplugin_index_create(&later.spec, &index, NULL, &error), "spec",
                      "does not know"));
    CU_ASSERT_EQUAL(index, 0);

    /* an earlier version's: what lies behind it is not read */
    spec.dataset = "sizes";
    spec.brain_key = (const char *)1;
    spec.reserved[3] = 1;
    spec.size = offsetof(simplugin_index_spec, brain_key);
    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    simplugin_close(index, NULL);
    spec.size = 0;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "spec", "size"));
    spec.size = UINT64_MAX;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "spec", "size"));

    memset(&spec, 0, sizeof spec);
    spec.size = sizeof spec;
    spec.reserved[3] = 1;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "spec", "not 0"));
    spec.reserved[3] = 0;
    spec.overwrite = 2;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "overwrite", "0 nor 1"));
    spec.overwrite = 0;
    spec.supports_prompts = -1;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "supports_prompts",
                      "0 nor 1"));
    spec.supports_prompts = 0;
    spec.dimension = UINT64_MAX;
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "dimension",
                      "too large"));
    spec.dimension = 0;
    spec.metric = "nonsense";
    CU_ASSERT(simplugin_index_create(&spec, &index, NULL, &error) != SIMPLUGIN_OK);
    simplugin_error_free(&error);
}

static void parameters(void)
{
    simplugin_index_spec spec = {.size = sizeof spec};
    uint64_t index = 0;

    spec.parameters = "{\n  \"a\": hunter22\n}";
    CU_ASSERT_EQUAL(simplugin_index_create(&spec, &index, NULL, &error),
                    SIMPLUGIN_INVALID_ARGUMENT);
    /* where, but not what: it may be a credential */
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(error, NULL), "hunter22"));
    CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "line 2, column"));
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "parameters");
    simplugin_error_free(&error);
    spec.parameters = "";
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "parameters", "line 1"));
    spec.parameters = "{} x";
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "parameters",
                      "not JSON at line 1, column 4"));
    spec.parameters = "[1]";
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "parameters",
                      "is not a JSON object"));
    spec.parameters = "{\"a\": 1, \"a\": 2}";
    CU_ASSERT(refuses(simplugin_index_create(&spec, &index, NULL, &error), "parameters",
                      "a key comes twice at line 1"));
    spec.parameters = "{\"nonsense\": 1}";
    CU_ASSERT(fails(simplugin_index_create(&spec, &index, NULL, &error),
                    SIMPLUGIN_UNKNOWN_PARAMETER, "nonsense"));
    CU_ASSERT_EQUAL(index, 0);
    spec.parameters = "{}";
    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    simplugin_close(index, NULL);
}

/* ---- runs ----------------------------------------------------------------------------- */

static int32_t each_collect(void *context, const char *key)
{
    char *text = context;

    strcat(strcat(text, key), ";");
    return 0;
}

static void runs(void)
{
    simplugin_index_spec spec = {.size = sizeof spec,
                                 .backend = "sklearn_flat",
                                 .dataset = "fruits",
                                 .brain_key = "first",
                                 .collection = "fruits_first",
                                 .metric = "euclidean",
                                 .dimension = 2,
                                 .model = "clip",
                                 .supports_prompts = 1};
    simplugin_hits hits = {.size = sizeof hits};
    uint64_t index = 0, again = 0, size = 0;
    char keys[256] = "";
    int calls = 0;

    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_add(index, abc, abc_vectors[0], 3, 2, NULL, &error)));
    CU_ASSERT(fails(simplugin_index_create(&spec, &again, NULL, &error), SIMPLUGIN_ALREADY_EXISTS,
                    "first"));
    CU_ASSERT_EQUAL(again, 0);
    simplugin_close(index, NULL);

    CU_ASSERT(succeeds(simplugin_index_open("fruits", "first", &again, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_size(again, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 3);
    CU_ASSERT(succeeds(simplugin_index_search(again, abc_vectors[0], 1, 2, 2, NULL, &hits,
                                              &error)));
    if (hits.hit_count == 2)
        CU_ASSERT_DOUBLE_EQUAL(hits.distances[1], sqrt(0.4), 1e-6);
    simplugin_hits_clear(&hits);
    simplugin_close(again, NULL);
    CU_ASSERT(fails(simplugin_index_open(NULL, "first", &again, NULL, &error),
                    SIMPLUGIN_NOT_FOUND, "first"));

    spec.brain_key = "second";
    spec.collection = NULL;
    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    simplugin_close(index, NULL);
    CU_ASSERT(succeeds(simplugin_run_list("fruits", each_collect, keys, &error)));
    CU_ASSERT_STRING_EQUAL(keys, "first;second;");
    CU_ASSERT(succeeds(simplugin_run_list("fruits", each_stop, &calls, &error)));
    CU_ASSERT_EQUAL(calls, 1);
    CU_ASSERT(succeeds(simplugin_run_list("nothing", each_stop, &calls, &error)));
    CU_ASSERT_EQUAL(calls, 1);

    CU_ASSERT(fails(simplugin_run_rename("fruits", "first", "second", &error),
                    SIMPLUGIN_ALREADY_EXISTS, "second"));
    CU_ASSERT(fails(simplugin_run_rename("fruits", "absent", "third", &error),
                    SIMPLUGIN_NOT_FOUND, "absent"));
    CU_ASSERT(succeeds(simplugin_run_rename("fruits", "first", "renamed", &error)));
    CU_ASSERT(succeeds(simplugin_run_delete("fruits", "second", &error)));
    CU_ASSERT(fails(simplugin_run_delete("fruits", "second", &error), SIMPLUGIN_NOT_FOUND,
                    "second"));
    keys[0] = '\0';
    CU_ASSERT(succeeds(simplugin_run_list("fruits", each_collect, keys, &error)));
    CU_ASSERT_STRING_EQUAL(keys, "renamed;");
    spec.brain_key = "renamed";
    spec.overwrite = 1;
    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    simplugin_close(index, NULL);
}

/* ---- options -------------------------------------------------------------------------- */

/* Another process drops the collection under an open index. */
static void dropped_by_process(void)
{
    simplugin_index_spec spec = {.size = sizeof spec, .brain_key = "dropped", .metric = "euclidean"};
    simplugin_hits hits = {.size = sizeof hits};
    uint64_t index = 0, size = 0;
    int status = 1;
    pid_t child;

    CU_ASSERT(succeeds(simplugin_index_create(&spec, &index, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_add(index, abc, abc_vectors[0], 3, 2, NULL, &error)));
    child = fork();
    if (!child) {
        uint64_t same = 0;

        alarm(20);
        _exit(simplugin_index_open(NULL, "dropped", &same, NULL, NULL) ||
              simplugin_index_cleanup(same, NULL, NULL));
    }
    CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    CU_ASSERT(fails(simplugin_index_search(index, abc_vectors[0], 1, 2, 1, NULL, &hits, &error),
                    SIMPLUGIN_NOT_FOUND, "was dropped"));
    CU_ASSERT(fails(simplugin_index_size(index, &size, NULL, &error), SIMPLUGIN_NOT_FOUND,
                    "was dropped"));
    CU_ASSERT(succeeds(simplugin_index_add(index, abc, abc_vectors[0], 1, 2, NULL, &error)));
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 1);
    simplugin_close(index, NULL);
    simplugin_error_free(&error);
}

static void options(void)
{
    simplugin_options with = {.size = sizeof with};
    uint64_t index = index_abc(), size = 0, other = 0;
    simplugin_hits hits = {.size = sizeof hits};

    with.timeout_ms = SIMPLUGIN_TIMEOUT_NONE;
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, &with, &error)));
    if (simplugin_cancel_new(&with.cancel, NULL))
        abort();
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, &with, &error)));
    simplugin_cancel_fire(with.cancel);
    CU_ASSERT(fails(simplugin_index_size(index, &size, &with, &error), SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_add(index, abc, abc_vectors[0], 3, 2, &with, &error),
                    SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_search(index, abc_vectors[0], 1, 2, 1, &with, &hits, &error),
                    SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT_PTR_NULL(hits.owner);
    CU_ASSERT(fails(simplugin_index_search_ids(index, abc, 1, 1, &with, &hits, &error),
                    SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_get(index, abc, 0, 2, NULL, NULL, &with, &error),
                    SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_remove(index, abc, 3, NULL, &with, &error),
                    SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_cleanup(index, &with, &error), SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_create(NULL, &other, &with, &error), SIMPLUGIN_CANCELLED, ""));
    CU_ASSERT(fails(simplugin_index_open(NULL, "x", &other, &with, &error), SIMPLUGIN_CANCELLED,
                    ""));
    simplugin_cancel_free(with.cancel);
    CU_ASSERT(fails(simplugin_index_size(index, &size, &with, &error), SIMPLUGIN_STALE_HANDLE,
                    "cancel"));
    with.cancel = 0;
    with.size = 0;
    CU_ASSERT(fails(simplugin_index_size(index, &size, &with, &error), SIMPLUGIN_INVALID_ARGUMENT,
                    "size"));
    CU_ASSERT(succeeds(simplugin_index_size(index, &size, NULL, &error)));
    CU_ASSERT_EQUAL(size, 3);
    simplugin_close(index, NULL);
}

static const unit_case cases[] = {
    UNIT_CASE(search, "R79 searches by vector and by id, and what becomes of the hits"),
    UNIT_CASE(points, "R258 R263 get in the given order, remove, size, replace"),
    UNIT_CASE(nothing_at_all, "no ids and no vectors are fine"),
    UNIT_CASE(null_arguments, "NULL is refused by the argument's name"),
    UNIT_CASE(text_arguments, "text that is not UTF-8, ids and numbers that are none"),
    UNIT_CASE(spec_sizes, "structs of earlier and later versions"),
    UNIT_CASE(parameters, "parameters as JSON; errors say where, never what"),
    UNIT_CASE(runs, "runs are created, opened, listed, renamed and deleted"),
    UNIT_CASE(dropped_by_process, "R72 R277 a collection that another process dropped"),
    UNIT_CASE(options, "options reach every call"),
};

int main(void)
{
    rig_init();
    return unit_run("typed functions", cases, sizeof cases / sizeof cases[0]);
}
