/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of tests/cases/filter, and what must hold for any filter that parses. */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>

#include "filter_table.h"
#include "tests/unit.h"

static int failed_filters;

/* CUnit shows no values: say which filter it was. */
static void check(int holds, const char *what, const char *filter, size_t size)
{
    CU_ASSERT_TRUE(holds);
    if (!holds && failed_filters++ < 20)
        printf("\n    %s: %.*s", what, (int)size, filter);
}

/* ---- from JSON to a table --------------------------------------------------------------- */

static int64_t json_int(const json_t *value)
{
    const json_t *exact = json_object_get(value, "int64");

    return exact ? strtoll(json_string_value(exact), NULL, 10) : json_integer_value(value);
}

static double json_float(const json_t *value)
{
    const json_t *exact = json_object_get(value, "float64");

    return exact ? strtod(json_string_value(exact), NULL) : json_number_value(value);
}

static void add_value(table_column *c, const json_t *value)
{
    sp_text text;

    switch (c->type & ~SP_LIST) {
    case SP_TEXT:
        text.data = json_string_value(value);
        text.size = json_string_length(value);
        table_add_text(c, text);
        break;
    case SP_INT64: table_add_int(c, json_int(value)); break;
    case SP_FLOAT64: table_add_float(c, json_float(value)); break;
    default: table_add_bool(c, json_is_true(value)); break;
    }
}

static void build_table(table *t, json_t *types, const json_t *rows)
{
    const char *name;
    json_t *type;

    table_init(t);
    json_object_foreach(types, name, type)
    {
        sp_text field = {name, strlen(name)};
        table_column *c = table_add_column(
            t, field, sp_column_type(json_string_value(type), json_string_length(type)));
        size_t i;
        json_t *row;

        CU_ASSERT_NOT_EQUAL(c->type, 0);
        json_array_foreach(rows, i, row)
        {
            const json_t *value = json_object_get(json_object_get(row, "fields"), name);
            size_t k;
            json_t *element;

            if (!value || json_is_null(value)) {
                table_end_row(c, 0);
                continue;
            }
            if (json_is_array(value)) {
                json_array_foreach(value, k, element) add_value(c, element);
            } else {
                add_value(c, value);
            }
            table_end_row(c, 1);
        }
    }
    table_finish(t);
}

/* ---- what must hold ------------------------------------------------------------------------ */

static void evaluate(const sp_filter *filter, table *t, uint64_t rows, uint8_t *bitmap)
{
    sp_filter_bound *bound = NULL;

    memset(bitmap, 0, (size_t)(rows + 7) / 8);
    if (sp_filter_bind(filter, &bound) == SIMPLUGIN_OK)
        sp_filter_eval_columns(bound, table_lookup, t, 0, rows, bitmap);
    sp_filter_bound_free(bound);
}

static sp_filter *reparse(const sp_filter *filter)
{
    sp_filter *again = NULL;
    sp_buffer text;

    sp_buffer_init(&text);
    sp_filter_print(filter, &text);
    CU_ASSERT_FALSE(text.failed);
    sp_filter_parse((const char *)text.data, text.size, &again, NULL);
    sp_buffer_clear(&text);
    return again;
}

static sp_filter *recode(const sp_filter *filter)
{
    sp_filter *again = NULL;
    simplugin_writer writer;
    simplugin_value value;
    const uint8_t *at;

    simplugin_writer_init(&writer);
    sp_filter_encode(filter, &writer);
    at = writer.data;
    if (!writer.failed && simplugin_read(&at, writer.data + writer.size, &value))
        sp_filter_decode(&value, &again, NULL);
    simplugin_writer_clear(&writer);
    return again;
}

static void check_same(sp_filter *again, const sp_filter *filter, const char *what,
                       const char *text, size_t size)
{
    check(again && sp_filter_equal(again, filter), what, text, size);
    sp_filter_free(again);
}

/* The filter relaxed for every support that lacks one thing, and for none, is a superset. */
static void check_relaxed(const sp_filter *filter, const sp_filter_support *support, table *t,
                          uint64_t rows, const uint8_t *bitmap, const char *text, size_t size)
{
    uint8_t wider[64];
    sp_filter_support used;
    sp_filter *relaxed = NULL;
    int exact = 0;
    int is_superset = 1;
    int is_equal = 1;

    if (sp_filter_relax(filter, support, NULL, NULL, &relaxed, &exact) != SIMPLUGIN_OK) {
        check(0, "relax fails", text, size);
        return;
    }
    evaluate(relaxed, t, rows, wider);
    for (uint64_t i = 0; i < (rows + 7) / 8; i++) {
        is_superset &= !(bitmap[i] & ~wider[i]);
        is_equal &= bitmap[i] == wider[i];
    }
    sp_filter_support_used(relaxed, &used);
    check(is_superset, "relaxed accepts fewer rows", text, size);
    check(is_equal || !exact, "relaxed is called exact", text, size);
    check(sp_filter_support_covers(support, &used), "relaxed needs more", text, size);
    sp_filter_support_used(filter, &used);
    if (exact)
        check(sp_filter_equal(relaxed, filter), "exact, but another tree", text, size);
    sp_filter_free(relaxed);
}

static void check_support(const sp_filter *filter, table *t, uint64_t rows, const uint8_t *bitmap,
                          const char *text, size_t size)
{
    sp_filter_support support;

    sp_filter_support_all(&support);
    check_relaxed(filter, &support, t, rows, bitmap, text, size);
    for (int bit = 0; bit < 44; bit++) {
        sp_filter_support_all(&support);
        support.positive &= ~(UINT64_C(1) << bit);
        check_relaxed(filter, &support, t, rows, bitmap, text, size);
        sp_filter_support_all(&support);
        support.negative &= ~(UINT64_C(1) << bit);
        check_relaxed(filter, &support, t, rows, bitmap, text, size);
    }
    for (int group = SP_FILTER_AND; group <= SP_FILTER_OR; group++) {
        sp_filter_support_all(&support);
        support.groups[group] = 0;
        check_relaxed(filter, &support, t, rows, bitmap, text, size);
    }
    memset(&support, 0, sizeof support);
    check_relaxed(filter, &support, t, rows, bitmap, text, size);
}

static void check_simplified(const sp_filter *filter, table *t, uint64_t rows,
                             const uint8_t *bitmap, const char *text, size_t size)
{
    uint8_t same[64];
    sp_filter *simplified = NULL;

    if (sp_filter_simplify(filter, table_type_of, t, &simplified) != SIMPLUGIN_OK) {
        check(0, "simplify fails", text, size);
        return;
    }
    evaluate(simplified, t, rows, same);
    check(memcmp(same, bitmap, (size_t)(rows + 7) / 8) == 0, "simplified differs", text, size);
    for (uint32_t i = 0; i < simplified->field_count; i++)
        check(table_type_of(t, simplified->fields[i]) != 0, "a missing field is left", text, size);
    sp_filter_free(simplified);
}

static void check_rows(const sp_filter *filter, table *t, const json_t *rows, const json_t *ids,
                       const uint8_t *bitmap, const char *text, size_t size)
{
    sp_filter_bound *bound = NULL;
    size_t i;
    size_t next = 0;
    json_t *row;
    int same = 1;
    int one_by_one = 1;

    CU_ASSERT_EQUAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
    json_array_foreach(rows, i, row)
    {
        const json_t *expected = json_array_get(ids, next);
        int wanted = expected && json_equal(json_object_get(row, "id"), expected);
        int found = bitmap[i / 8] >> (i % 8) & 1;

        next += wanted ? 1 : 0;
        if (wanted != found) {
            same = 0;
            printf("\n    row %s:", json_string_value(json_object_get(row, "id")));
        }
        one_by_one &= !bound || sp_filter_eval_row(bound, table_lookup, t, i) == found;
    }
    same &= next == json_array_size(ids);
    check(same, "other rows", text, size);
    check(one_by_one, "row by row differs", text, size);
    sp_filter_bound_free(bound);
}

static void run_case(table *t, const json_t *rows, const json_t *one_case)
{
    const json_t *source = json_object_get(one_case, "filter");
    const json_t *wrong = json_object_get(one_case, "error");
    const char *text = json_string_value(source);
    size_t size = json_string_length(source);
    uint64_t count = json_array_size(rows);
    sp_filter *filter = NULL;
    sp_filter_error error;
    uint8_t bitmap[64];
    int32_t code = sp_filter_parse(text, size, &filter, &error);

    if (wrong) {
        json_int_t line = json_integer_value(json_object_get(wrong, "line"));

        check(code == SIMPLUGIN_INVALID_ARGUMENT, "no error", text, size);
        check(error.column == json_integer_value(json_object_get(wrong, "column")) &&
                  error.line == (line ? line : 1),
              error.message, text, size);
        check(strncmp(error.message, "filter: ", 8) == 0, "message", text, size);
    } else if (code) {
        check(0, error.message, text, size);
    } else {
        evaluate(filter, t, count, bitmap);
        check_rows(filter, t, rows, json_object_get(one_case, "ids"), bitmap, text, size);
        check_same(reparse(filter), filter, "printed and parsed", text, size);
        check_same(recode(filter), filter, "encoded and decoded", text, size);
        check_simplified(filter, t, count, bitmap, text, size);
        check_support(filter, t, count, bitmap, text, size);
    }
    sp_filter_free(filter);
}

static size_t run_file(const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error);
    const json_t *rows = json_object_get(file, "rows");
    const json_t *cases = json_object_get(file, "cases");
    size_t count = json_array_size(cases);
    table t;
    size_t i;
    json_t *one_case;

    if (!file)
        printf("\n    %s:%d: %s", path, error.line, error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(json_array_size(rows) <= 64 && count > 0);
    build_table(&t, json_object_get(file, "types"), rows);
    json_array_foreach(cases, i, one_case) run_case(&t, rows, one_case);
    table_clear(&t);
    json_decref(file);
    return count;
}

static void test_corpus(void)
{
    const char *folder = TEST_SRCDIR "/tests/cases/filter";
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t cases = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((entry = readdir(dir))) {
        const char *suffix = strrchr(entry->d_name, '.');
        char path[4096];

        if (!suffix || strcmp(suffix, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        cases += run_file(path);
    }
    closedir(dir);
    printf("\n    %zu cases\n    ", cases);
    CU_ASSERT_TRUE(cases >= 150);
}

static const unit_case cases[] = {
    UNIT_CASE(test_corpus, "R211 R212 R213 R255 R266 the truth tables, as rows and as trees"),
};

UNIT_MAIN("filter cases", cases)
