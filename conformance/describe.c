/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend says of itself: that it is whole and well formed. describe_truth.c: that it is
 * true. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "describe_truth.h"
#include "rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WHERE "docs/protocol.md, describe"

typedef struct described {
    const char *key;
    const char *type; /* as in the table */
    int needed;       /* nothing is said of its absence */
} described;

/* The table of docs/protocol.md. consistency_levels may be empty, and so it may be absent. */
static const described keys[] = {
    {"name", "text", 1},
    {"version", "text", 1},
    {"metrics", "array of text", 1},
    {"metric_aliases", "map", 0},
    {"max_k", "int", 0},
    {"max_dimension", "int", 0},
    {"exact", "bool", 1},
    {"methods", "array of text", 1},
    {"filters", "array of text", 1},
    {"field_types", "array of text", 1},
    {"reverse", "array of text", 1},
    {"radius", "bool", 1},
    {"vectors", "text", 1},
    {"counts_replaced", "bool", 0},
    {"nonfinite", "bool", 0},
    {"rounds_floats", "bool", 0},
    {"consistency_levels", "array of text", 0},
    {"parameters", "array of maps", 1},
    {"search_parameters", "array of maps", 1},
    {"batch_bytes", "int", 0},
    {"conditional_upsert", "bool", 0},
};

static int all_are(const json_t *array, json_type type)
{
    size_t i;
    json_t *one;

    json_array_foreach(array, i, one)
        if (json_typeof(one) != type)
            return 0;
    return json_is_array(array);
}

static int is_of(const json_t *value, const char *type)
{
    return !strcmp(type, "text")            ? json_is_string(value)
           : !strcmp(type, "int")           ? json_is_integer(value)
           : !strcmp(type, "bool")          ? json_is_boolean(value)
           : !strcmp(type, "map")           ? json_is_object(value)
           : !strcmp(type, "array of text") ? all_are(value, JSON_STRING)
                                            : all_are(value, JSON_OBJECT);
}

/* The rig with a reply to describe of its own; NULL after failing. */
static json_t *ask(conf_rig *rig, conf_run *run)
{
    return conf_rig_load(rig, run) ? conf_rig_describe(rig) : NULL;
}

static void whole(conf_run *run)
{
    conf_rig rig;
    json_t *said = ask(&rig, run);

    for (size_t i = 0; said && i < COUNT(keys); i++)
        if (keys[i].needed && !json_object_get(said, keys[i].key))
            conf_fail(run, "describe lacks the key \"%s\", %s (" WHERE ")", keys[i].key,
                      keys[i].type);
    json_decref(said);
    conf_rig_close(&rig);
}

static void types(conf_run *run)
{
    conf_rig rig;
    json_t *said = ask(&rig, run), *value;
    const char *key;

    json_object_foreach(said, key, value) {
        size_t i = 0;

        while (i < COUNT(keys) && strcmp(keys[i].key, key))
            i++;
        if (i == COUNT(keys))
            conf_fail(run,
                      "describe has a key \"%s\", which is none of those listed (" WHERE
                      "): the host ignores it; is another meant?",
                      key);
        else if (!is_of(value, keys[i].type))
            conf_fail(run, "describe: \"%s\" is of another type than %s (" WHERE ")", key,
                      keys[i].type);
    }
    json_decref(said);
    conf_rig_close(&rig);
}

/* ---- words ---------------------------------------------------------------------------------- */

static int is_name(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static int has(const json_t *array, const json_t *value)
{
    size_t i;
    json_t *one;

    json_array_foreach(array, i, one)
        if (json_equal(one, value))
            return 1;
    return 0;
}

/* An array of texts that are all different; key is what it is called. */
static void all_different(conf_run *run, const json_t *array, const char *key)
{
    size_t count = json_array_size(array);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(array, i), json_array_get(array, j)))
                conf_fail(run, "describe: \"%s\" names %s twice", key,
                          json_string_value(json_array_get(array, i)));
}

static void name_and_metrics(conf_run *run)
{
    conf_rig rig;
    json_t *said = ask(&rig, run), *metrics = json_object_get(said, "metrics"), *value;
    const char *name = json_string_value(json_object_get(said, "name")), *alias;
    size_t i;

    if (name && !is_name(name))
        conf_fail(run, "describe: the name \"%s\" is not [a-z0-9_]+, as a backend's name is", name);
    if (said && !json_array_size(metrics))
        conf_fail(run, "describe: \"metrics\" is empty; its first is the default (" WHERE ")");
    json_array_foreach(metrics, i, value)
        if (json_is_string(value) && !json_string_length(value))
            conf_fail(run, "describe: \"metrics\" has an empty name");
    all_different(run, metrics, "metrics");
    json_object_foreach(json_object_get(said, "metric_aliases"), alias, value)
        if (!has(metrics, value))
            conf_fail(run, "describe: metric_aliases: \"%s\" stands for none of \"metrics\"",
                      alias);
    json_decref(said);
    conf_rig_close(&rig);
}

/* Whether the list under key holds none but these words, in any of the forms that fits accepts. */
static void words(conf_run *run, const char *key, int (*fits)(const char *word), const char *known)
{
    conf_rig rig;
    json_t *said = ask(&rig, run), *word, *list = json_object_get(said, key);
    size_t i;

    json_array_foreach(list, i, word)
        if (json_is_string(word) && !fits(json_string_value(word)))
            conf_fail(run,
                      "describe: \"%s\" holds \"%s\", which is none of %s (of a later version? "
                      "then use its simplugin-conformance)",
                      key, json_string_value(word), known);
    all_different(run, list, key);
    json_decref(said);
    conf_rig_close(&rig);
}

static int one_of(const char *word, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(known[i], word))
            return 1;
    return 0;
}

static int is_method(const char *word)
{
    return one_of(word, conf_optional_methods, conf_optional_method_count) ||
           (!strncmp(word, "native.", 7) && word[7]);
}

static int is_field_type(const char *word)
{
    static const char *const known[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};

    return one_of(word, known, COUNT(known));
}

static int is_filter(const char *word)
{
    static const char *const plain[] = {"and",
                                        "or",
                                        "not",
                                        "==",
                                        "!=",
                                        "<",
                                        "<=",
                                        ">",
                                        ">=",
                                        "in",
                                        "not in",
                                        "like",
                                        "exists",
                                        "array_contains",
                                        "array_contains_any",
                                        "array_contains_all",
                                        "not <",
                                        "not <=",
                                        "not >",
                                        "not >=",
                                        "not like",
                                        "not exists",
                                        "not array_contains",
                                        "not array_contains_any",
                                        "not array_contains_all"};
    static const char *const shapes[] = {"text", "int64", "float64", "bool", "prefix"};
    const char *colon = strchr(word, ':');
    char node[40];

    snprintf(node, sizeof node, "%.*s", colon ? (int)(colon - word) : (int)strlen(word), word);
    return one_of(node, plain, COUNT(plain)) &&
           (!colon || (one_of(colon + 1, shapes, COUNT(shapes)) &&
                       (strcmp(colon, ":prefix") != 0) == !strstr(node, "like")));
}

static void methods(conf_run *run)
{
    words(run, "methods", is_method,
          "the optional methods of docs/protocol.md, or native.SOMETHING");
}

static void field_type_words(conf_run *run)
{
    words(run, "field_types", is_field_type, "the column types of docs/protocol.md");
}

static void filters(conf_run *run)
{
    words(run, "filters", is_filter, "the nodes of docs/filters.md, What a backend can take");
}

static void vectors_word(conf_run *run)
{
    static const char *const known[] = {"exact", "rounded", "normalised"};
    conf_rig rig;
    json_t *said = ask(&rig, run), *metric;
    const char *word = json_string_value(json_object_get(said, "vectors"));
    size_t i;

    if (word && !one_of(word, known, COUNT(known)))
        conf_fail(run, "describe: \"vectors\" is \"%s\", none of exact, rounded, normalised", word);
    json_array_foreach(json_object_get(said, "reverse"), i, metric)
        if (json_is_string(metric) && !has(json_object_get(said, "metrics"), metric))
            conf_fail(run, "describe: \"reverse\" holds \"%s\", which is none of \"metrics\"",
                      json_string_value(metric));
    json_decref(said);
    conf_rig_close(&rig);
}

/* ---- parameters ------------------------------------------------------------------------------ */

typedef struct parameter_key {
    const char *key, *type;
    int needed;
} parameter_key;

static const parameter_key parameter_keys[] = {
    {"name", "text", 1},
    {"type", "text", 1},
    {"secret", "bool", 0},
    {"connection", "bool", 0},
    {"aliases", "array of text", 0},
    {"excludes", "array of text", 0},
    {"doc", "text", 0},
};

static int has_type(const json_t *value, const char *type)
{
    return !strcmp(type, "text")    ? json_is_string(value)
           : !strcmp(type, "int")   ? json_is_integer(value)
           : !strcmp(type, "float") ? json_is_number(value)
           : !strcmp(type, "bool")  ? json_is_boolean(value)
           : !strcmp(type, "map")   ? json_is_object(value)
           : !strcmp(type, "list")  ? json_is_array(value)
                                    : 1;
}

/*
 * The default as text of the type: as values come from the environment, so defaults may be
 * written.
 */
static int is_written_as(const char *text, const char *type)
{
    json_t *value;
    int fits;

    if (!strcmp(type, "text") || !strcmp(type, "any"))
        return 1;
    value = json_loads(text, JSON_DECODE_ANY, NULL);
    fits = value && has_type(value, type);
    json_decref(value);
    return fits;
}

static const json_t *parameter_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one) {
        const char *other = json_string_value(json_object_get(one, "name"));

        if (other && !strcmp(other, name))
            return one;
    }
    return NULL;
}

static void parameter(conf_run *run, const json_t *list, const json_t *one, const char *key)
{
    static const char *const known[] = {"text", "int", "float", "bool", "map", "list", "any"};
    const char *name = json_string_value(json_object_get(one, "name"));
    const char *type = json_string_value(json_object_get(one, "type"));
    const json_t *standard = json_object_get(one, "default");
    json_t *other;
    size_t i;

    for (i = 0; i < COUNT(parameter_keys); i++) {
        const json_t *value = json_object_get(one, parameter_keys[i].key);

        if (value ? !is_of(value, parameter_keys[i].type) : parameter_keys[i].needed)
            conf_fail(run, "describe: %s: %s: \"%s\" is %s, but has to be %s", key,
                      name ? name : "one without a name", parameter_keys[i].key,
                      value ? "of another type" : "absent", parameter_keys[i].type);
    }
    if (!name || !type)
        return;
    if (!*name || !one_of(type, known, COUNT(known)))
        conf_fail(run,
                  "describe: %s: \"%s\" has the type \"%s\", none of text, int, float, bool, map, "
                  "list, any",
                  key, name, type);
    else if (standard && !has_type(standard, type) &&
             !(json_is_string(standard) && is_written_as(json_string_value(standard), type)))
        conf_fail(run, "describe: %s: the default of \"%s\" is not of its type, %s", key, name,
                  type);
    json_array_foreach(json_object_get(one, "excludes"), i, other)
        if (json_is_string(other) && !parameter_named(list, json_string_value(other)))
            conf_fail(run, "describe: %s: \"%s\" excludes \"%s\", which is no parameter", key, name,
                      json_string_value(other));
}

static void parameters_of(conf_run *run, const json_t *list, const char *key)
{
    json_t *names = json_object(), *one, *alias;
    size_t i, j;

    json_array_foreach(list, i, one) {
        const char *name = json_string_value(json_object_get(one, "name"));

        parameter(run, list, one, key);
        if (name && json_object_get(names, name))
            conf_fail(run, "describe: %s: there are two of the name \"%s\"", key, name);
        if (name)
            json_object_set_new(names, name, json_true());
        json_array_foreach(json_object_get(one, "aliases"), j, alias) {
            if (json_is_string(alias) && json_object_get(names, json_string_value(alias)))
                conf_fail(run, "describe: %s: there are two of the name \"%s\"", key,
                          json_string_value(alias));
            if (json_is_string(alias))
                json_object_set_new(names, json_string_value(alias), json_true());
        }
    }
    json_decref(names);
}

static void parameters(conf_run *run)
{
    conf_rig rig;
    json_t *said = ask(&rig, run);

    parameters_of(run, json_object_get(said, "parameters"), "parameters");
    parameters_of(run, json_object_get(said, "search_parameters"), "search_parameters");
    json_decref(said);
    conf_rig_close(&rig);
}

/* ---- when it is asked --------------------------------------------------------------------------
 */

static void constant(conf_run *run)
{
    conf_rig rig;
    json_t *first = ask(&rig, run), *other;

    for (int i = 0; first && i < 3; i++) {
        /* once more right away, with an instance open, and after it was used */
        if (i == 1)
            rig.instance = conf_instance(&rig);
        if (i == 2 && rig.instance)
            conf_use(&rig);
        other = conf_rig_describe(&rig);
        if (other && !json_equal(first, other))
            conf_fail(run, "describe says something else %s: what it says is read once and kept",
                      i == 0 ? "when it is asked again" : "after open");
        json_decref(other);
    }
    json_decref(first);
    conf_rig_close(&rig);
}

/* The open descriptors and what they are, as one text; the caller's. */
static json_t *descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    json_t *found = json_object();
    const struct dirent *entry;
    char link[300];

    while (directory && (entry = readdir(directory)) != NULL) {
        ssize_t size = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);

        if (size < 0 || atoi(entry->d_name) == dirfd(directory))
            continue;
        link[size] = 0;
        json_object_set_new(found, entry->d_name, json_string(link));
    }
    if (directory)
        closedir(directory);
    return found;
}

static void connects_nowhere(conf_run *run)
{
    conf_rig rig;
    json_t *said, *before, *after, *value;
    const char *number;
    int64_t began;

    if (!conf_rig_load(&rig, run))
        return;
    before = descriptors();
    began = conf_clock();
    said = conf_rig_describe(&rig);
    if (conf_clock() - began > INT64_C(1000000000))
        conf_fail(run,
                  "describe takes longer than a second: it blocks on nothing (plugin.h, describe)");
    after = descriptors();
    json_object_foreach(after, number, value)
        if (!json_object_get(before, number))
            conf_fail(run,
                      "describe opens %s: it connects nowhere and reads no file (plugin.h, "
                      "describe)",
                      json_string_value(value));
    json_decref(before);
    json_decref(after);
    json_decref(said);
    conf_rig_close(&rig);
}

const conf_check conf_describe[] = {
    {"describe/whole", "no key is missing", whole, 0, 0, NULL},
    {"describe/types", "all keys are known and of their types", types, 0, 0, NULL},
    {"describe/name-and-metrics",
     "the name can be one, metrics and their aliases are what they say", name_and_metrics, 0, 0,
     NULL},
    {"describe/methods", "the methods it names are optional ones or native", methods, 0, 0, NULL},
    {"describe/field-type-words", "the field types it names exist", field_type_words, 0, 0, NULL},
    {"describe/filter-words", "the filter nodes it names exist", filters, 0, 0, NULL},
    {"describe/vectors-and-reverse-words", "vectors and reverse hold words that they may",
     vectors_word, 0, 0, NULL},
    {"describe/parameters", "parameters are well formed, with one of each name", parameters, 0, 0,
     NULL},
    {"describe/constant", "the answer is the same each time", constant, 0, 0, NULL},
    {"describe/connects-nowhere", "it opens no file and no socket, and is quick", connects_nowhere,
     0, 0, NULL},
    {"describe/max-k", "a search for max_k hits is served", conf_true_max_k, 0, 0, NULL},
    {"describe/max-dimension", "vectors of max_dimension are stored", conf_true_max_dimension, 0, 0,
     NULL},
    {"describe/vectors", "vectors come back as it says", conf_true_vectors, 0, 0, NULL},
    {"describe/field-types", "values of each type come back", conf_true_field_types, 0, 0, NULL},
    {"describe/nonfinite", "with nonfinite, NaN and infinities come back", conf_true_nonfinite, 0,
     0, NULL},
    {"describe/reverse", "with reverse, the least similar come first", conf_true_reverse, 0, 0,
     NULL},
    {"describe/radius", "with radius, max_distance bounds a search", conf_true_radius, 0, 0, NULL},
    {"describe/exact", "searches find the nearest, or the share of them that is claimed",
     conf_true_exact, 0, 0, NULL},
    {"describe/counts-replaced", "with counts_replaced, upserts tell how many were there",
     conf_true_counts_replaced, 0, 0, NULL},
    {"describe/conditional-upsert",
     "with conditional_upsert, existing points are skipped or refused",
     conf_true_conditional_upsert, 0, 0, NULL},
    {"describe/metrics", "each metric makes a collection, which says so", conf_true_metrics, 0, 0,
     NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
