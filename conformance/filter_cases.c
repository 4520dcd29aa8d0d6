/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <stdlib.h>
#include <string.h>

/* {"int64": TEXT} and {"float64": TEXT} stand for numbers that JSON cannot be trusted with. */
static json_t *plain_value(const json_t *value)
{
    const char *text;
    json_t *list, *one;
    double number;
    size_t i;

    if (json_is_array(value)) {
        list = json_array();
        json_array_foreach(value, i, one)
            json_array_append_new(list, plain_value(one));
        return list;
    }
    if ((text = json_string_value(json_object_get(value, "int64"))))
        return json_integer(strtoll(text, NULL, 10));
    if (!(text = json_string_value(json_object_get(value, "float64"))))
        return json_deep_copy(value);
    if (!strcmp(text, "NaN"))
        return json_pack("{s:s}", "$float", "nan");
    if (strstr(text, "Infinity"))
        return json_pack("{s:s}", "$float", text[0] == '-' ? "-inf" : "inf");
    number = strtod(text, NULL);
    return json_real(number);
}

/* One column for each of the table's types. */
static json_t *columns_of(const json_t *table)
{
    json_t *columns = json_object(), *type, *row;
    const char *name;
    size_t i;

    json_object_foreach(json_object_get(table, "types"), name, type) {
        json_t *values = json_array();
        json_array_foreach(json_object_get(table, "rows"), i, row) {
            const json_t *value = json_object_get(json_object_get(row, "fields"), name);
            json_array_append_new(values, value ? plain_value(value) : json_null());
        }
        json_object_set_new(columns, name,
                            json_pack("{s:{s:O, s:o}}", "$column", "type", type, "values", values));
    }
    return columns;
}

static void add_steps(json_t *steps, const json_t *table)
{
    json_t *ids = json_array(), *vectors = json_array(), *row;
    size_t i;

    json_array_foreach(json_object_get(table, "rows"), i, row) {
        json_array_append(ids, json_object_get(row, "id"));
        json_array_append_new(vectors, json_pack("[i]", (int)i));
    }
    json_array_append_new(steps, json_pack("{s:s, s:{s:i, s:s}, s:{s:s}}", "call", "index.create",
                                           "body", "dimension", 1, "metric", "euclidean", "bind",
                                           "index", "ix"));
    if (json_array_size(ids))
        json_array_append_new(steps, json_pack("{s:s, s:s, s:{s:O, s:O, s:o}}", "call", "index.add",
                                               "target", "$ix", "body", "ids", ids, "vectors",
                                               vectors, "fields", columns_of(table)));
    json_decref(ids);
    json_decref(vectors);
}

/* A search that accepts every row, and a count; or the error of both. */
static void filter_steps(json_t *steps, const json_t *one)
{
    json_t *filter = json_object_get(one, "filter"), *ids = json_object_get(one, "ids"), *failure;
    char column[32];

    if (ids) {
        json_array_append_new(
            steps, json_pack("{s:s, s:s, s:{s:[[i]], s:i, s:O}, s:{s:{s:O}}}", "call",
                             "index.search", "target", "$ix", "body", "vectors", 0, "k", 100,
                             "filter", filter, "expect", "ids", "$set", ids));
        json_array_append_new(steps,
                              json_pack("{s:s, s:s, s:{s:O}, s:{s:i}}", "call", "index.size",
                                        "target", "$ix", "body", "filter", filter, "expect", "size",
                                        (int)json_array_size(ids)));
        return;
    }
    failure = json_object_get(one, "error");
    snprintf(column, sizeof column, "column %lld",
             (long long)json_integer_value(json_object_get(failure, "column")));
    json_array_append_new(
        steps, json_pack("{s:s, s:s, s:{s:[[i]], s:O}, s:{s:O, s:{s:s}, s:[s]}}", "call",
                         "index.search", "target", "$ix", "body", "vectors", 0, "filter", filter,
                         "error", "code", json_object_get(failure, "code"), "details", "argument",
                         "filter", "message_contains", column));
}

json_t *filter_cases_convert(const json_t *table, const char *file)
{
    json_t *steps = json_array(), *needs = json_object_get(table, "needs"), *one;
    size_t i;

    add_steps(steps, table);
    json_array_foreach(json_object_get(table, "cases"), i, one)
        filter_steps(steps, one);
    return json_pack("{s:[{s:s+, s:[s, s, s], s:O*, s:o}]}", "cases", "name", "filters of ", file,
                     "requirement", "R266", "R211", "R213", "needs", needs, "steps", steps);
}
