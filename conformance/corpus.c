/* SPDX-License-Identifier: Apache-2.0 */
/* Each case of the corpus, in each form, as a check. */
#include "config.h"

#include "contract.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "tables.h"

/* What a check of ours is about. */
typedef struct corpus_case {
    conf_check check; /* whose subject is this */
    const json_t *one;
    int as_columns;
    struct corpus_case *next;
} corpus_case;

static corpus_case *all_cases;

/* ---- reading --------------------------------------------------------------------------------- */

static int is_case_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 5 && !strcmp(entry->d_name + size - 5, ".json");
}

/* Puts each case's setup before its steps; NULL, or the name of one that is not there. */
static const char *setups_join(json_t *file)
{
    const json_t *setups = json_object_get(file, "setups");
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(file, "cases"), i, one) {
        const char *name = json_string_value(json_object_get(one, "setup"));
        json_t *steps;
        if (!name)
            continue;
        if (!json_is_array(json_object_get(setups, name)))
            return name;
        steps = json_copy(json_object_get(setups, name));
        json_array_extend(steps, json_object_get(one, "steps"));
        json_object_set_new(one, "steps", steps);
    }
    return NULL;
}

static json_t *file_read(const char *path, const char *name, int is_table, char *problem,
                         size_t size)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    const char *missing;

    if (!file) {
        snprintf(problem, size, "%.500s, line %d, column %d: %s", path, error.line, error.column,
                 error.text);
        return NULL;
    }
    if (is_table) {
        json_t *table = file;
        file = filter_cases_convert(table, name);
        json_decref(table);
    }
    missing = setups_join(file);
    if (!json_is_array(json_object_get(file, "cases")) || missing) {
        snprintf(problem, size, "%.500s: %s%s", path,
                 missing ? "there is no setup " : "it has no cases", missing ? missing : "");
        json_decref(file);
        return NULL;
    }
    json_object_set_new(file, "file", json_stringn(name, strlen(name) - strlen(".json")));
    return file;
}

/* Appends the files of a directory, sorted; is_table: they are truth tables of filters. */
static int directory_read(json_t *corpus, const char *directory, int is_table, char *problem,
                          size_t size)
{
    struct dirent **names = NULL;
    char path[PATH_MAX];
    int count = scandir(directory, &names, is_case_file, alphasort), ok = count > 0;

    for (int i = 0; i < count; i++) {
        json_t *file = NULL;
        snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
        if (ok && !(file = file_read(path, names[i]->d_name, is_table, problem, size)))
            ok = 0;
        if (file)
            json_array_append_new(corpus, file);
        free(names[i]);
    }
    free(names);
    if (count <= 0)
        snprintf(problem, size, "there are no cases in %.500s", directory);
    return ok;
}

static json_t *methods_read(const char *path)
{
    json_t *rows = doc_table_load(path, "application"), *methods = json_object(), *row;
    size_t i;

    json_array_foreach(rows, i, row)
        json_object_set_new(methods, json_string_value(json_array_get(row, 0)),
                            json_pack("[O,O]", json_array_get(row, 2), json_array_get(row, 3)));
    json_decref(rows);
    return methods;
}

int conf_corpus_load(conf_world *world, char *problem, size_t size)
{
    char *data = conf_data_directory(), path[PATH_MAX];
    int ok = 1;

    if (!data) {
        snprintf(problem, size, "the program's own data are missing (simplugin/conformance in the "
                 "directory for data): install it anew");
        return 0;
    }
    world->corpus = json_array();
    if (world->options->corpus) {
        ok = directory_read(world->corpus, world->options->corpus, 0, problem, size);
    } else {
        snprintf(path, sizeof path, "%s/corpus", data);
        ok = directory_read(world->corpus, path, 0, problem, size);
        snprintf(path, sizeof path, "%s/filter", data);
        ok = ok && directory_read(world->corpus, path, 1, problem, size);
    }
    snprintf(path, sizeof path, "%s/protocol.md", data);
    world->methods = methods_read(path);
    free(data);
    return ok;
}

/* ---- running --------------------------------------------------------------------------------- */

static void asks(void *context, const char *method, const json_t *body)
{
    conf_asks(context, method, body);
}

/* Whether the case is to run on sklearn_flat as well, to be compared. */
static int wants_flat(const conf_world *world, const contract_config *config, const json_t *one)
{
    contract_config flat = *config;
    /* cases of one's own may ask for what only one backend has */
    int wanted = world->compare_with_flat >= 0 ? world->compare_with_flat
                                               : !config->approximate && !world->options->corpus;

    flat.backend = "sklearn_flat";
    flat.describe = world->flat_describe;
    return wanted && world->flat_describe && strcmp(config->backend, flat.backend) != 0 &&
           !case_lacks(&flat, one);
}

static void case_check(conf_run *run)
{
    const corpus_case *subject = conf_run_subject(run);
    const conf_world *world = &conf_the_world;
    const conf_target *target = conf_run_target(run);
    contract_config config = {.backend = target->name, .plugin_path = world->plugin_path,
                              .parameters = target->parameters, .approximate = target->approximate,
                              .recall = target->recall, .verbose = world->options->verbose,
                              .as_columns = subject->as_columns, .describe = target->describe,
                              .flat_describe = world->flat_describe, .methods = world->methods,
                              .asks = asks, .asks_context = run};
    const char *lack = case_lacks(&config, subject->one);
    contract_why why = {""};

    if (lack || (target->entry && json_is_true(json_object_get(subject->one, "from_file")))) {
        conf_skip(run, "it has no %s", lack ? lack : "file, but is linked into the program");
        return;
    }
    conf_core_begin(world);
    config.flat = wants_flat(world, &config, subject->one);
    if (world->options->replies && !(config.replies = fopen(world->options->replies, "ae")))
        conf_fail(run, "cannot write %s", world->options->replies);
    if (!case_run(&config, subject->one, &why))
        conf_fail(run, "%s", why.text);
    if (config.replies)
        fclose(config.replies);
}

/* ---- as checks ------------------------------------------------------------------------------- */

/* "R62 R66" */
static json_t *requirements(const json_t *one)
{
    json_t *all = json_string(""), *number;
    size_t i;

    json_array_foreach(json_object_get(one, "requirement"), i, number) {
        json_t *more = json_sprintf("%s%s%s", json_string_value(all), i ? " " : "",
                                    json_string_value(number));
        json_decref(all);
        all = more;
    }
    return all;
}

static void case_add(conf_plan *plan, const char *file, const json_t *one, int as_columns)
{
    corpus_case *added = calloc(1, sizeof *added);
    const char *name = json_string_value(json_object_get(one, "name"));
    json_t *says = requirements(one);
    char *full = NULL, *words = NULL;

    if (!added ||
        asprintf(&full, "corpus/%s/%s%s", file, name ? name : "?", as_columns ? " (columns)" : "") <
            0 ||
        asprintf(&words, "it answers as the case says%s%s", json_string_length(says) ? ", " : "",
                 json_string_value(says)) < 0)
        abort();
    added->one = one;
    added->as_columns = as_columns;
    added->check = (conf_check){.name = full, .says = words, .run = case_check, .seconds = 300,
                                .subject = added};
    added->next = all_cases;
    all_cases = added;
    conf_plan_add(plan, &added->check, 1);
    json_decref(says);
}

void conf_corpus_add(conf_plan *plan, conf_world *world)
{
    const unsigned int forms = world->options->forms;
    json_t *file, *one;
    size_t i, j;

    json_array_foreach(world->corpus, i, file)
        json_array_foreach(json_object_get(file, "cases"), j, one) {
            const char *name = json_string_value(json_object_get(file, "file"));
            const char *form = json_string_value(json_object_get(one, "form"));
            if ((forms & CONF_FORM_PLAIN) && (!form || !strcmp(form, "plain")))
                case_add(plan, name, one, 0);
            if ((forms & CONF_FORM_COLUMNS) && (!form || !strcmp(form, "columns")))
                case_add(plan, name, one, 1);
        }
}

void conf_corpus_clear(conf_world *world)
{
    while (all_cases) {
        corpus_case *next = all_cases->next;
        free((void *)(uintptr_t)all_cases->check.name);
        free((void *)(uintptr_t)all_cases->check.says);
        free(all_cases);
        all_cases = next;
    }
    json_decref(world->corpus);
    json_decref(world->methods);
}
