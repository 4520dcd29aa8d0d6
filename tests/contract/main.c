/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: contract PLUGIN [--config FILE] [--only TEXT] [--corpus DIR] [--protocol FILE]\n"
    "                [--filters DIR] [--form plain|columns|both] [--verbose] [--list]\n"
    "                [--part I/N] [--replies FILE]\n"
    "\n"
    "Runs the cases of the corpus on a plugin: the name of one that the configuration's\n"
    "plugin_path finds, or the path of its file.\n"
    "\n"
    "--config FILE    JSON: plugin_path (array of absolute directories), parameters (object: how\n"
    "                 to reach the backend), approximate (bool), recall (0..1, with approximate),\n"
    "                 compare_with_flat (bool: the same calls on sklearn_flat must agree)\n"
    "--only TEXT      only cases whose name or requirement numbers contain TEXT\n"
    "--corpus DIR     instead of the one the program was built with, and without filters\n"
    "--filters DIR    truth tables of the filter language\n"
    "--protocol FILE  docs/protocol.md, instead of the one the program was built with\n"
    "--form FORM      arrays sent as they are (plain), as tensors and columns, or both (default)\n"
    "--part I/N       only every Nth case, from the Ith (from 1) on: for several runs beside each other\n"
    "--replies FILE   writes the replies of each case to FILE, an array on a line\n"
    "--verbose        prints every call\n"
    "--list           prints the cases and runs none\n"
    "\n"
    "Exit status: 0 all passed, 1 something failed, 2 it could not begin.\n";

#define CASES_MAX 4096

static contract_config config;

/* A case as CUnit knows it. */
static struct entry {
    CU_pTest test;
    const json_t *one;
    int as_columns;
} entries[CASES_MAX];
static size_t entry_count;

/* Of the cases that apply, those are run whose number leaves this remainder. */
static struct {
    size_t first, step, next;
} part = {0, 1, 0};

static void run_current(void)
{
    contract_why why;
    CU_pTest test = CU_get_current_test();

    for (size_t i = 0; i < entry_count; i++) {
        int ok;
        if (entries[i].test != test)
            continue;
        config.as_columns = entries[i].as_columns;
        ok = case_run(&config, entries[i].one, &why);
        /* CUnit copies the text */
        CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, (unsigned int)i + 1,
                                ok ? "passed" : why.text, "corpus", "", CU_FALSE);
        return;
    }
    CU_FAIL("no such case");
}

/* "R62 R66 name" */
static void case_name(const json_t *one, char *name, size_t size)
{
    json_t *number;
    size_t i, at = 0;

    name[0] = 0;
    json_array_foreach(json_object_get(one, "requirement"), i, number)
        if (at < size)
            at += (size_t)snprintf(name + at, size - at, "%s ", json_string_value(number));
    if (at < size)
        snprintf(name + at, size - at, "%s", json_string_value(json_object_get(one, "name")));
}

static int is_corpus_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 5 && !strcmp(entry->d_name + size - 5, ".json");
}

/* Puts each case's setup before its steps. */
static int setups_join(json_t *file)
{
    const json_t *setups = json_object_get(file, "setups");
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(file, "cases"), i, one) {
        const char *name = json_string_value(json_object_get(one, "setup"));
        json_t *steps;
        if (!name)
            continue;
        steps = json_copy(json_object_get(setups, name));
        if (!json_is_array(steps)) {
            fprintf(stderr, "contract: no setup \"%s\"\n", name);
            json_decref(steps);
            return 0;
        }
        json_array_extend(steps, json_object_get(one, "steps"));
        json_object_set_new(one, "steps", steps);
    }
    return 1;
}

/* Appends {"file", "cases"} for each file, sorted; 0 with a message on stderr. */
static int corpus_load(json_t *corpus, const char *directory, int filters)
{
    struct dirent **names = NULL;
    json_t *file;
    json_error_t error;
    char path[PATH_MAX];
    int count = scandir(directory, &names, is_corpus_file, alphasort), ok = count > 0;

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
        file = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (file && filters) {
            json_t *table = file;
            file = filter_cases_convert(table, names[i]->d_name);
            json_decref(table);
        }
        if (!file || !json_is_array(json_object_get(file, "cases")) || !setups_join(file)) {
            fprintf(stderr, "contract: %s:%d:%d: %s\n", path, error.line, error.column,
                    file ? "no cases, or a setup is missing" : error.text);
            ok = 0;
        } else {
            json_object_set_new(file, "file", json_string(names[i]->d_name));
            json_array_append(corpus, file);
        }
        json_decref(file);
        free(names[i]);
    }
    free(names);
    if (count <= 0)
        fprintf(stderr, "contract: no corpus in %s\n", directory);
    return ok;
}

/* Registers the cases of one file in one form; prints those that do not apply. */
static int suite_add(const json_t *file, const char *only, int as_columns, int list,
                     size_t *not_applicable)
{
    char title[300], name[400];
    CU_pSuite suite = NULL;
    json_t *one;
    size_t i;

    snprintf(title, sizeof title, "%s%s", json_string_value(json_object_get(file, "file")),
             as_columns ? ", as columns" : "");
    json_array_foreach(json_object_get(file, "cases"), i, one) {
        const char *lack = case_lacks(&config, one);
        const char *form = json_string_value(json_object_get(one, "form"));

        case_name(one, name, sizeof name);
        if ((only && !strstr(name, only)) || (form && (!strcmp(form, "plain") ? as_columns : !as_columns)))
            continue;
        if (lack) {
            if (!as_columns)
                printf("not for %s, which has no %s: %s\n", config.backend, lack, name);
            *not_applicable += !as_columns;
            continue;
        }
        if (list) {
            printf("%s: %s\n", title, name);
            continue;
        }
        if (part.next++ % part.step != part.first)
            continue;
        if (entry_count == CASES_MAX)
            return 0;
        if (!suite)
            suite = CU_add_suite(title, NULL, NULL);
        entries[entry_count].one = one;
        entries[entry_count].as_columns = as_columns;
        entries[entry_count].test = suite ? CU_add_test(suite, name, run_current) : NULL;
        if (!entries[entry_count++].test) {
            fprintf(stderr, "contract: cannot register \"%s\" (is the name taken?)\n", name);
            return 0;
        }
    }
    return 1;
}

static int part_read(const char *text)
{
    char behind;

    if (sscanf(text, "%zu/%zu%c", &part.first, &part.step, &behind) != 2 || part.first < 1 ||
        part.first > part.step)
        return 0;
    part.first--;
    return 1;
}

/* PLUGIN is a name, or the path of simplugin_NAME.so. */
static int plugin_choose(const char *plugin)
{
    static char name[NAME_MAX + 1];
    char *path, *slash;
    size_t size;

    config.backend = plugin;
    if (!strchr(plugin, '/'))
        return 1;
    path = realpath(plugin, NULL);
    if (!path) {
        fprintf(stderr, "contract: no file %s\n", plugin);
        return 0;
    }
    slash = strrchr(path, '/');
    *slash = 0;
    json_array_insert_new(config.plugin_path, 0, json_string(path));
    snprintf(name, sizeof name, "%s", slash + 1);
    free(path);
    size = strlen(name);
    if (strncmp(name, "simplugin_", 10) || size < 14 || strcmp(name + size - 3, ".so")) {
        fprintf(stderr, "contract: %s is not called simplugin_NAME.so\n", plugin);
        return 0;
    }
    name[size - 3] = 0;
    config.backend = name + 10;
    return 1;
}

static int config_load(const char *path)
{
    json_error_t error;
    json_t *file = path ? json_load_file(path, JSON_REJECT_DUPLICATES, &error) : json_object();

    if (!json_is_object(file)) {
        fprintf(stderr, "contract: %s:%d:%d: %s\n", path, error.line, error.column, error.text);
        return 0;
    }
    config.plugin_path = json_is_array(json_object_get(file, "plugin_path"))
                             ? json_incref(json_object_get(file, "plugin_path")) : json_array();
    config.parameters = json_is_object(json_object_get(file, "parameters"))
                            ? json_incref(json_object_get(file, "parameters")) : json_object();
    config.approximate = json_is_true(json_object_get(file, "approximate"));
    config.recall = json_object_get(file, "recall") ? number_of(json_object_get(file, "recall")) : 0.9;
    config.flat = json_is_true(json_object_get(file, "compare_with_flat"));
    json_decref(file);
    return 1;
}

/* What the process's environment says must not decide what a case does. */
static char *environment_prepare(void)
{
    extern char **environ;
    const char *base = getenv("TMPDIR");
    char *home = NULL;
    char name[256];

    for (char **one = environ; *one;) {
        if (!strncmp(*one, "FIFTYONE_", 9) || !strncmp(*one, "SIMPLUGIN_", 10)) {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*one, "="), *one);
            unsetenv(name);
            one = environ;
        } else {
            one++;
        }
    }
    if (asprintf(&home, "%s/simplugin-contract-XXXXXX", base && *base ? base : "/tmp") < 0 ||
        !mkdtemp(home))
        abort();
    setenv("HOME", home, 1);
    setenv("XDG_DATA_HOME", home, 1);
    return home;
}

static json_t *methods_load(const char *protocol)
{
    json_t *rows = doc_table_load(protocol, "application"), *methods = json_object(), *row;
    size_t i;

    json_array_foreach(rows, i, row)
        json_object_set_new(methods, json_string_value(json_array_get(row, 0)),
                            json_pack("[O,O]", json_array_get(row, 2), json_array_get(row, 3)));
    json_decref(rows);
    return methods;
}

static int register_all(const json_t *corpus, const char *only, const char *form, int list,
                        size_t *not_applicable)
{
    json_t *file;
    size_t i;
    int ok = 1;

    json_array_foreach(corpus, i, file) {
        if (strcmp(form, "columns"))
            ok = ok && suite_add(file, only, 0, list, not_applicable);
        if (strcmp(form, "plain"))
            ok = ok && suite_add(file, only, 1, list, not_applicable);
    }
    return ok;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"only", required_argument, NULL, 'o'},
        {"corpus", required_argument, NULL, 'd'}, {"protocol", required_argument, NULL, 'p'},
        {"filters", required_argument, NULL, 'F'},
        {"form", required_argument, NULL, 'f'},   {"verbose", no_argument, NULL, 'v'},
        {"replies", required_argument, NULL, 'r'}, {"part", required_argument, NULL, 'P'},
        {"list", no_argument, NULL, 'l'},         {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *config_path = NULL, *only = NULL, *form = "both", *replies = NULL;
    const char *directory = TEST_TOP_SRCDIR "/tests/corpus";
    const char *filters = TEST_TOP_SRCDIR "/tests/cases/filter";
    const char *protocol = TEST_TOP_SRCDIR "/docs/protocol.md";
    contract_why why = {{0}};
    json_t *corpus = json_array();
    char *home = NULL;
    size_t not_applicable = 0;
    int list = 0, option, status = 2;

    while ((option = getopt_long(argc, argv, "c:o:d:p:f:vlh", options, NULL)) != -1)
        switch (option) {
        case 'c': config_path = optarg; break;
        case 'o': only = optarg; break;
        case 'd':
            directory = optarg;
            filters = NULL;
            break;
        case 'F': filters = optarg; break;
        case 'p': protocol = optarg; break;
        case 'f': form = optarg; break;
        case 'v': config.verbose = 1; break;
        case 'r': replies = optarg; break;
        case 'P':
            if (part_read(optarg))
                break;
            fputs(usage, stderr);
            return 2;
        case 'l': list = 1; break;
        case 'h': fputs(usage, stdout); return 0;
        default: fputs(usage, stderr); return 2;
        }
    if (optind + 1 != argc || CU_initialize_registry() != CUE_SUCCESS) {
        fputs(usage, stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    home = environment_prepare();
    if (!config_load(config_path) || !plugin_choose(argv[optind]) ||
        !corpus_load(corpus, directory, 0) || (filters && !corpus_load(corpus, filters, 1)))
        goto out;
    if (replies && !(config.replies = fopen(replies, "w"))) {
        fprintf(stderr, "contract: cannot write %s\n", replies);
        goto out;
    }
    config.methods = methods_load(protocol);
    if (!config_describe(&config, &why)) {
        fprintf(stderr, "contract: %s\n", why.text);
        goto out;
    }
    if (!register_all(corpus, only, form, list, &not_applicable))
        goto out;
    status = 0;
    if (!list) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        CU_basic_run_tests();
        status = CU_get_number_of_failures() || CU_get_number_of_tests_run() == 0;
        printf("%s: %zu cases in all, %zu not applicable\n", config.backend,
               entry_count, not_applicable);
    }

out:
    CU_cleanup_registry();
    json_decref(corpus);
    json_decref(config.plugin_path);
    json_decref(config.parameters);
    json_decref(config.describe);
    json_decref(config.flat_describe);
    json_decref(config.methods);
    if (config.replies)
        fclose(config.replies);
    if (home)
        rmdir(home);
    free(home);
    return status;
}
