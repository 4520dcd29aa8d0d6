/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_trees.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const filter_field filter_fields[] = {
    {"title", "text", "text", 0},           {"page", "int64", "int64", 0},
    {"weight", "float64", "float64", 0},    {"done", "bool", "bool", 0},
    {"tags", "list<text>", "text", 1},      {"pages", "list<int64>", "int64", 1},
    {"weights", "list<float64>", "float64", 1}, {"flags", "list<bool>", "bool", 1},
    {NULL, NULL, NULL, 0},
};

/* Few values, so that conditions split the points; floats that no backend has to round. */
static const char *const texts[] = {"", "a", "A", "ab", "abc", "a%", "a_c", "b\\",
                                    "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x90\x9d", "it's",
                                    "say \"so\"", "10", "true", "line\nend"};
static const json_int_t integers[] = {-7, -1, 0, 1, 2, 3, 10, 9007199254740993,
                                      INT64_MAX, INT64_MIN};
static const double floats[] = {-2.5, -1.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 1e15, -1e-3};
/* of the language of patterns, in which a backslash escapes */
static const char *const patterns[] = {"%",     "",          "a%",    "%c",   "_",
                                       "a_c",   "a\\%",      "a\\_c", "%b%",  "__",
                                       "b\\\\", "\xc3\xa9%", "_t_",   "%\"%", "A%"};

static json_t *value_of_sort(dice *d, const char *sort)
{
    if (!strcmp(sort, "text"))
        return json_string(texts[dice_below(d, COUNT(texts))]);
    if (!strcmp(sort, "int64"))
        return json_integer(integers[dice_below(d, COUNT(integers))]);
    if (!strcmp(sort, "float64"))
        return json_real(floats[dice_below(d, COUNT(floats))]);
    return json_boolean(dice_below(d, 2));
}

static json_t *values_of_sort(dice *d, const char *sort, size_t count)
{
    json_t *values = json_array();

    while (count--)
        json_array_append_new(values, value_of_sort(d, sort));
    return values;
}

json_t *filter_column(dice *d, const filter_field *field, size_t count, int nonfinite)
{
    static const char *const special[] = {"nan", "inf", "-inf"};
    json_t *values = json_array();

    for (size_t i = 0; i < count; i++) {
        if (dice_below(d, 4) == 0)
            json_array_append_new(values, json_null());
        else if (field->is_list)
            json_array_append_new(values, values_of_sort(d, field->sort, dice_below(d, 4)));
        else if (nonfinite && !strcmp(field->sort, "float64") && dice_below(d, 8) == 0)
            json_array_append_new(values, json_pack("{s:s}", "$float", special[dice_below(d, 3)]));
        else
            json_array_append_new(values, value_of_sort(d, field->sort));
    }
    return json_pack("{s:{s:s, s:o}}", "$column", "type", field->type, "values", values);
}

/* ---- trees ----------------------------------------------------------------------------------- */

static const filter_field *field_named(const char *name)
{
    const filter_field *field = filter_fields;

    while (field->name && strcmp(field->name, name) != 0)
        field++;
    return field;
}

/* Values for a condition on the field: of its sort, at times the other sort of numbers, or any. */
static const char *sort_for(dice *d, const filter_field *field)
{
    static const char *const sorts[] = {"text", "int64", "float64", "bool"};
    size_t which = dice_below(d, 12);

    if (which == 0 || !field->sort)
        return sorts[dice_below(d, COUNT(sorts))];
    if (which == 1 && !strcmp(field->sort, "int64"))
        return "float64";
    if (which == 1 && !strcmp(field->sort, "float64"))
        return "int64";
    return field->sort;
}

/* The conditions, by what they take. */
static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};
static const char *const memberships[] = {"in", "not in", "array_contains_any",
                                          "array_contains_all"};

static json_t *leaf_of(dice *d, const char *kind, const char *name, const char *sort)
{
    json_t *value;

    if (!strcmp(kind, "exists"))
        return json_pack("[s, s]", kind, name);
    if (!strcmp(kind, "like") || !strcmp(kind, "not like"))
        return json_pack("[s, s, s]", kind, name, patterns[dice_below(d, COUNT(patterns))]);
    for (size_t i = 0; i < COUNT(memberships); i++)
        if (!strcmp(kind, memberships[i]))
            return json_pack("[s, s, o]", kind, name, values_of_sort(d, sort, dice_below(d, 5)));
    value = value_of_sort(d, sort);
    /* booleans have no order */
    if (json_is_boolean(value) && strchr("<>", kind[0]))
        kind = kind[1] ? "!=" : "==";
    return json_pack("[s, s, o]", kind, name, value);
}

static json_t *leaf(dice *d, const json_t *used)
{
    static const char *const others[] = {"exists", "like", "not like", "array_contains"};
    size_t count = json_array_size(used), which = dice_below(d, count * 6 + 1);
    const char *name =
        which < count * 6 ? json_string_value(json_array_get(used, which / 6)) : "nowhere";
    const filter_field *field = field_named(name);
    const char *sort = sort_for(d, field), *kind;

    if (dice_below(d, 40) == 0)
        return json_boolean(dice_below(d, 2));
    /* most are what is meant for the field: the others hold of no point, or of all */
    if (dice_below(d, 8) == 0)
        kind = others[dice_below(d, COUNT(others))];
    else if (field->is_list == (dice_below(d, 8) != 0))
        kind = dice_below(d, 3) ? memberships[2 + dice_below(d, 2)] : "array_contains";
    else if (!strcmp(sort, "text") && dice_below(d, 3) == 0)
        kind = others[1 + dice_below(d, 2)];
    else if (dice_below(d, 3))
        kind = comparisons[dice_below(d, COUNT(comparisons))];
    else
        kind = memberships[dice_below(d, 2)];
    return leaf_of(d, kind, name, sort);
}

json_t *filter_tree(dice *d, const json_t *used, unsigned int depth)
{
    json_t *tree;
    size_t members;

    if (depth == 0 || dice_below(d, 4) == 0)
        return leaf(d, used);
    if (dice_below(d, 4) == 0)
        return json_pack("[s, o]", "not", filter_tree(d, used, depth - 1));
    tree = json_pack("[s]", dice_below(d, 2) ? "and" : "or");
    for (members = 2 + dice_below(d, 3); members; members--)
        json_array_append_new(tree, filter_tree(d, used, depth - 1));
    return tree;
}

json_t *filter_leaves(dice *d, const json_t *used)
{
    static const char *const kinds[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not in", "like",
                                        "not like", "exists", "array_contains",
                                        "array_contains_any", "array_contains_all"};
    json_t *leaves = json_array(), *name, *one;
    size_t i;

    json_array_foreach(used, i, name)
        for (size_t k = 0; k < COUNT(kinds); k++)
            for (int again = 0; again < 2; again++) {
                const filter_field *field = field_named(json_string_value(name));
                one = leaf_of(d, kinds[k], field->name, again ? sort_for(d, field) : field->sort);
                json_array_append_new(leaves, json_pack("[s, O]", "not", one));
                json_array_append_new(leaves, one);
            }
    return leaves;
}

/* ---- as text --------------------------------------------------------------------------------- */

static int is_group(const json_t *tree)
{
    const char *kind = json_string_value(json_array_get(tree, 0));

    return kind && (!strcmp(kind, "and") || !strcmp(kind, "or"));
}

/* The language writes values as JSON does. */
static void value_write(FILE *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

    fputs(text ? text : "?", out);
    free(text);
}

static void tree_write(FILE *out, const json_t *tree)
{
    const char *kind = json_string_value(json_array_get(tree, 0));
    const char *name = json_string_value(json_array_get(tree, 1));

    if (json_is_boolean(tree)) {
        fputs(json_is_true(tree) ? "true" : "false", out);
    } else if (is_group(tree)) {
        for (size_t i = 1; i < json_array_size(tree); i++) {
            const json_t *member = json_array_get(tree, i);
            if (i > 1)
                fprintf(out, " %s ", kind);
            fputs(is_group(member) ? "(" : "", out);
            tree_write(out, member);
            fputs(is_group(member) ? ")" : "", out);
        }
    } else if (!strcmp(kind, "not")) {
        fputs("not (", out);
        tree_write(out, json_array_get(tree, 1));
        putc(')', out);
    } else if (!strcmp(kind, "exists")) {
        fprintf(out, "exists %s", name);
    } else if (!strncmp(kind, "array", 5)) {
        fprintf(out, "%s(%s, ", kind, name);
        value_write(out, json_array_get(tree, 2));
        putc(')', out);
    } else {
        fprintf(out, "%s %s ", name, kind);
        value_write(out, json_array_get(tree, 2));
    }
}

char *filter_text(const json_t *tree)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    tree_write(out, tree);
    if (fclose(out) != 0)
        abort();
    return text;
}

/* ---- simpler --------------------------------------------------------------------------------- */

json_t *filter_simpler(const json_t *tree)
{
    json_t *all = json_array(), *below, *one, *changed;
    size_t size = json_array_size(tree), j;
    int is_not = !strcmp(size ? json_string_value(json_array_get(tree, 0)) : "", "not");

    if (!is_group(tree) && !is_not)
        return all;
    for (size_t i = 1; i < size; i++)
        json_array_append(all, json_array_get(tree, i));
    for (size_t i = 1; is_group(tree) && size > 3 && i < size; i++) {
        changed = json_copy((json_t *)(uintptr_t)tree);
        json_array_remove(changed, i);
        json_array_append_new(all, changed);
    }
    for (size_t i = 1; i < size; i++) {
        below = filter_simpler(json_array_get(tree, i));
        json_array_foreach(below, j, one) {
            changed = json_copy((json_t *)(uintptr_t)tree);
            json_array_set(changed, i, one);
            json_array_append_new(all, changed);
        }
        json_decref(below);
    }
    return all;
}
