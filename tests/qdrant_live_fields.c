/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and filters, compared with what the sklearn backend says of the same points. */
#include "config.h"

#include "qdrant_live.h"

#include <inttypes.h>

/* Whether both indexes accept the same points; how many these are in *count. */
static int same_matching(uint64_t index, uint64_t flat, const char *filter, size_t *count)
{
    char *ours = live_matching(index, filter), *theirs = live_matching(flat, filter);
    int is_same = strcmp(ours, theirs) == 0;

    *count = *theirs != 0;
    for (const char *at = theirs; *at; at++)
        *count += *at == ' ';
    if (!is_same)
        printf("\n    %s: \"%s\", not \"%s\"\n    ", filter, ours, theirs);
    free(ours);
    free(theirs);
    return is_same;
}

/* ---- integers that no double holds --------------------------------------------------------------- */

static const int64_t large[] = {
    INT64_MIN, INT64_MIN + 1, -9007199254740994, -9007199254740993, -9007199254740992,
    -9007199254740991, -1, 0, 1, 9007199254740991, 9007199254740992, 9007199254740993,
    9007199254740994, 9007199254740995, 1152921504606846975, 1152921504606846976,
    1152921504606846977, INT64_MAX - 1, INT64_MAX,
};
#define LARGE (sizeof large / sizeof large[0])

static void large_add(uint64_t index)
{
    char ids[1024] = "", vectors[1024] = "", values[1024] = "";

    for (size_t i = 0; i < LARGE; i++) {
        const char *comma = i ? ", " : "";

        sprintf(ids + strlen(ids), "%s'i%02zu'", comma, i);
        sprintf(vectors + strlen(vectors), "%s[%zu, 0]", comma, i);
        sprintf(values + strlen(values), "%s%" PRId64, comma, large[i]);
    }
    ASK(index, "index.add", "{'ids': [%s], 'vectors': [%s], 'fields': {'n': [%s]}}", ids, vectors,
        values);
}

static void large_check(uint64_t index, uint64_t flat)
{
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
    char filter[256];
    size_t count, i;

    for (i = 0; i < LARGE; i++) {
        /* the least of all is written as a subtraction is not */
        if (large[i] == INT64_MIN)
            continue;
        for (size_t j = 0; j < sizeof operators / sizeof operators[0]; j++) {
            snprintf(filter, sizeof filter, "n %s %" PRId64, operators[j], large[i]);
            CU_ASSERT(same_matching(index, flat, filter, &count));
            CU_ASSERT(j != 0 || count == 1);
            CU_ASSERT(j != 3 || count == i + 1);
        }
        snprintf(filter, sizeof filter, "n in [%" PRId64 ", 1, %" PRId64 "]", large[i],
                 large[LARGE - 1 - i] == INT64_MIN ? 0 : large[LARGE - 1 - i]);
        CU_ASSERT(same_matching(index, flat, filter, &count));
        CU_ASSERT(count >= 1);
        snprintf(filter, sizeof filter, "n not in [%" PRId64 ", 0]", large[i]);
        CU_ASSERT(same_matching(index, flat, filter, &count));
        CU_ASSERT(count <= LARGE - 1);
    }
    CU_ASSERT(same_matching(index, flat, "n > 9007199254740992.0", &count));
    CU_ASSERT(same_matching(index, flat, "n >= 1e18", &count));
    CU_ASSERT(same_matching(index, flat, "n < 0.5", &count));
    CU_ASSERT_EQUAL(count, 8);
}

static void large_integers(void)
{
    live_made plain = live_create("'dimension': 2, 'metric': 'euclidean'");
    live_made declared =
        live_create("'dimension': 2, 'metric': 'euclidean', 'fields': {'n': 'int64'}");
    uint64_t flat = live_flat("'dimension': 2, 'metric': 'euclidean'");

    large_add(plain.index);
    large_add(declared.index);
    large_add(flat);
    large_check(plain.index, flat);
    large_check(declared.index, flat);
    /* and they come back to the last digit */
    ASK(declared.index, "index.get", "{'ids': ['i00', 'i11', 'i18'], 'fields': ['n'], 'vectors': false}");
    REPLY("fields", "{'n':[-9223372036854775808,9007199254740993,9223372036854775807]}");
    ASK(flat, "index.cleanup", "{}");
    live_drop(&declared);
    live_drop(&plain);
}

/* ---- payload indexes ------------------------------------------------------------------------------ */

#define POINTS 40
#define DECLARED                                                                        \
    "'fields': {'name': 'text', 'page': 'int64', 'weight': 'float64', 'ok': 'bool', "     \
    "'tags': 'list<text>', 'odd name.with [marks]': 'int64'}"

static void mixed_add(uint64_t index)
{
    simplugin_writer writer;
    float *rows = live_normal(21, POINTS, 2);
    simplugin_tensor vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, POINTS, 2);

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &vectors);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++) {
        char id[16];

        live_id(id, i);
        simplugin_write_string(&writer, id);
    }
    simplugin_write_string(&writer, "fields");
    simplugin_write_map(&writer, 6);
    simplugin_write_string(&writer, "name");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++)
        simplugin_write_string(&writer, i % 3 ? "caf\xc3\xa9" : "tea");
    simplugin_write_string(&writer, "page");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++)
        if (i % 5)
            simplugin_write_uint(&writer, i / 2);
        else
            simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "weight");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++)
        simplugin_write_double(&writer, (double)i / 8 - 2);
    simplugin_write_string(&writer, "ok");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++)
        simplugin_write_bool(&writer, i % 2 != 0);
    simplugin_write_string(&writer, "tags");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++) {
        simplugin_write_array(&writer, i % 3);
        for (uint64_t j = 0; j < i % 3; j++)
            simplugin_write_string(&writer, j ? "b" : i % 2 ? "a" : "c");
    }
    simplugin_write_string(&writer, "odd name.with [marks]");
    simplugin_write_array(&writer, POINTS);
    for (uint64_t i = 0; i < POINTS; i++)
        simplugin_write_uint(&writer, i);
    MUST(ask_writer(index, "index.add", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    free(rows);
}

static const char *index_type(const char *field)
{
    return json_string_value(
        json_object_get(json_object_get(live_result("payload_schema"), field), "data_type"));
}

static void payload_indexes(void)
{
    static const char *const filters[] = {
        "name == \"tea\"", "name != \"tea\"", "name in [\"caf\xc3\xa9\", \"no\"]", "name < \"d\"",
        "page == 3", "page != 3", "page > 3", "page <= 7 and page >= 2", "not page > 3",
        "page in [1, 2, 30]", "page not in [1, 2]", "exists page", "not exists page",
        "weight > 0.1", "weight == -1.5", "weight < 1", "ok == true", "ok != true",
        "array_contains(tags, \"a\")", "array_contains_any(tags, [\"a\", \"c\"])",
        "not array_contains(tags, \"b\")", "array_contains_all(tags, [\"c\", \"b\"])", "exists tags",
        "name == \"tea\" and page > 4 or ok == true and weight < 0", "nothing == 1",
    };
    live_made plain = live_create("'dimension': 2, 'metric': 'euclidean'");
    live_made declared = live_create("'dimension': 2, 'metric': 'euclidean', " DECLARED);
    uint64_t flat = live_flat("'dimension': 2, 'metric': 'euclidean'");
    char path[128];
    size_t count, all = 0;

    snprintf(path, sizeof path, "/collections/%s", declared.name);
    MUST(live_request(declared.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL_FATAL(index_type("name"), "keyword");
    CU_ASSERT_STRING_EQUAL_FATAL(index_type("page"), "integer");
    CU_ASSERT_STRING_EQUAL_FATAL(index_type("weight"), "float");
    CU_ASSERT_STRING_EQUAL_FATAL(index_type("ok"), "bool");
    CU_ASSERT_STRING_EQUAL_FATAL(index_type("tags"), "keyword");
    mixed_add(plain.index);
    mixed_add(declared.index);
    mixed_add(flat);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        CU_ASSERT(same_matching(plain.index, flat, filters[i], &count));
        CU_ASSERT(same_matching(declared.index, flat, filters[i], &count));
        all += count;
    }
    CU_ASSERT(all > 200); /* they are about something */
    /* 40 points have a name, and the server counts them in its index */
    MUST(live_request(declared.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(
                        json_object_get(live_result("payload_schema"), "name"), "points")),
                    POINTS);
    ASK(flat, "index.cleanup", "{}");
    live_drop(&declared);
    live_drop(&plain);
}

/* ---- names and values of its own -------------------------------------------------------------------- */

static void reserved_names(void)
{
    static const char *const names[] = {"__id", "__norm", "__empty"};
    live_made made = live_create("'dimension': 2");

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]], 'fields': {'id': [1]}}");
    for (size_t i = 0; i < 3; i++) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, names[i],
              ask(made.index, "index.add",
                  "{'ids': ['b'], 'vectors': [[1, 0]], 'fields': {'%s': ['x']}}", names[i]));
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, names[i],
              ask(made.index, "index.set_fields", "{'ids': ['a'], 'fields': {'%s': ['x']}}",
                  names[i]));
    }
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    ASK(made.index, "index.get", "{'fields': true}");
    REPLY("ids", "['a']");
    REPLY("vectors", "[[3.0,4.0]]");
    REPLY("fields", "{'id':[1]}");
    live_drop(&made);
}

static void empty_lists(void)
{
    live_made made = live_create("'dimension': 2");
    char *found;

    ASK(made.index, "index.add",
        "{'ids': ['a', 'b', 'c'], 'vectors': [[1, 0], [0, 1], [1, 1]], 'fields': {'tags': "
        "[['x'], [], null], 'pages': [[], [], [1]]}}");
    ASK(made.index, "index.get", "{'ids': ['a', 'b', 'c'], 'fields': true, 'vectors': false}");
    CU_ASSERT(json_equal(json_object_get(json_object_get(rig_reply, "fields"), "tags"),
                         json_pack("[[s],[],n]", "x")));
    found = live_matching(made.index, "exists tags");
    CU_ASSERT_STRING_EQUAL(found, "a b");
    free(found);
    found = live_matching(made.index, "not exists pages");
    CU_ASSERT_STRING_EQUAL(found, "");
    free(found);
    /* one that is filled, one that is emptied, one that goes */
    ASK(made.index, "index.set_fields",
        "{'ids': ['b', 'a', 'c'], 'fields': {'tags': [['y'], [], null]}}");
    found = live_matching(made.index, "exists tags");
    CU_ASSERT_STRING_EQUAL(found, "a b");
    free(found);
    found = live_matching(made.index, "array_contains(tags, \"y\")");
    CU_ASSERT_STRING_EQUAL(found, "b");
    free(found);
    found = live_matching(made.index, "array_contains(tags, \"x\")");
    CU_ASSERT_STRING_EQUAL(found, "");
    free(found);
    live_drop(&made);
}

LIVE_SUITE(live_fields, "fields",
           UNIT_CASE(large_integers, "R266 R281 integers beyond 2^53 in filters, as flat has it"),
           UNIT_CASE(payload_indexes, "R266 R281 declared fields have payload indexes, and filters say "
                                      "the same with and without"),
           UNIT_CASE(reserved_names, "R277 R281 names of fields that the backend keeps for itself"),
           UNIT_CASE(empty_lists, "R281 empty lists are there, and exist"));
