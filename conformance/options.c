/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

const char conf_usage[] =
    "usage: simplugin-conformance PLUGIN [OPTION]...\n"
    "\n"
    "Checks that a backend does what docs/protocol.md says. PLUGIN is the file of one, or the name\n"
    "of one that the library finds. The result is TAP, version 14.\n"
    "\n"
    "  --config FILE    JSON: parameters (map: how to reach the backend), approximate (bool: its\n"
    "                   searches need not be exact), recall (0..1, with approximate: the least share\n"
    "                   of true neighbors, 0.9), plugin_path (array of directories where NAME is\n"
    "                   looked for), compare_with_flat (bool: the corpus runs on sklearn_flat too)\n"
    "  --only TEXT      the checks whose name or description holds TEXT, or the one that is called\n"
    "                   TEXT; may be repeated\n"
    "  --except TEXT    not those; may be repeated\n"
    "  --seed N         of everything random; without it another one each time\n"
    "  --part I/N       every Nth check from the Ith on: for several runs beside each other\n"
    "  --corpus DIR     a directory of cases instead of those that are installed\n"
    "  --form FORM      how the corpus sends arrays: plain, columns (with tensors), or both (default)\n"
    "  -j, --jobs N     checks beside each other (default: the number of processors)\n"
    "  --seconds N      ends each check after N seconds, instead of after its own time\n"
    "  --junit FILE     writes the result as JUnit's XML too\n"
    "  --json           prints the result as a JSON document instead of TAP\n"
    "  --replies FILE   writes the replies of each case of the corpus to FILE, an array on a line\n"
    "  --list           prints the checks and runs none\n"
    "  --verbose        shows what checks print that pass\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 all passed, 1 something failed, 2 it could not begin.\n";

enum { ONLY = 256, EXCEPT, CONFIG, SEED, SECONDS, PART, CORPUS, FORM, JUNIT, JSON, REPLIES, LIST,
       VERBOSE, HELP, VERSION_OPTION };

static int number_read(const char *text, uint64_t most, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *number <= most;
}

static int part_read(conf_options *options, const char *text)
{
    char behind;

    if (sscanf(text, "%zu/%zu%c", &options->part, &options->parts, &behind) != 2 ||
        options->part < 1 || options->part > options->parts)
        return 0;
    options->part--;
    return 1;
}

static int form_read(conf_options *options, const char *text)
{
    options->forms = !strcmp(text, "plain")     ? CONF_FORM_PLAIN
                     : !strcmp(text, "columns") ? CONF_FORM_COLUMNS
                     : !strcmp(text, "both")    ? CONF_FORM_PLAIN | CONF_FORM_COLUMNS
                                                : 0;
    return options->forms != 0;
}

static void text_add(const char *const **texts, size_t *count, const char *text)
{
    const char **more = realloc((void *)(uintptr_t)*texts, (*count + 1) * sizeof *more);

    if (!more)
        abort();
    more[(*count)++] = text;
    *texts = more;
}

/* One that fits into any JSON reader's numbers. */
static uint64_t seed_make(void)
{
    uint32_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint32_t)getpid();
    return seed;
}

static unsigned int processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > 64 ? 64 : (unsigned int)count;
}

/* NULL, or what is wrong with the value. */
static const char *option_take(conf_options *options, int option, const char *value)
{
    uint64_t number;

    switch (option) {
    case CONFIG: options->config = value; return NULL;
    case CORPUS: options->corpus = value; return NULL;
    case JUNIT: options->junit = value; return NULL;
    case REPLIES: options->replies = value; return NULL;
    case ONLY: text_add(&options->only, &options->only_count, value); return NULL;
    case EXCEPT: text_add(&options->except, &options->except_count, value); return NULL;
    case SEED:
        return number_read(value, INT64_MAX, &options->seed) ? NULL
                                                             : "--seed wants a number from 0 on";
    case PART: return part_read(options, value) ? NULL : "--part wants I/N, such as 1/4";
    case FORM:
        return form_read(options, value) ? NULL : "--form wants plain, columns or both";
    case 'j':
        if (!number_read(value, 1024, &number) || number == 0)
            return "--jobs wants a number from 1 to 1024";
        options->jobs = (unsigned int)number;
        return NULL;
    case SECONDS:
        if (!number_read(value, 86400, &number) || number == 0)
            return "--seconds wants a number from 1 to 86400";
        options->seconds = (unsigned int)number;
        return NULL;
    case JSON: options->json = 1; return NULL;
    case LIST: options->list = 1; return NULL;
    case VERBOSE: options->verbose = 1; return NULL;
    case HELP: options->wants_help = 1; return NULL;
    default: options->wants_version = 1; return NULL;
    }
}

/*
 * The wrapper by which libtool runs a program that is not installed yet calls it by another path:
 * one that does not find its libraries when it is called again.
 */
static const char *program_called(const char *path)
{
    static char wrapper[PATH_MAX];
    const char *libs = strstr(path, "/.libs/"), *name;

    if (!libs)
        return path;
    name = libs + strlen("/.libs/");
    if (!strncmp(name, "lt-", 3))
        name += 3;
    snprintf(wrapper, sizeof wrapper, "%.*s/%s", (int)(libs - path), path, name);
    return wrapper;
}

int conf_options_read(conf_options *options, int argc, char **argv, char *problem, size_t size)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, CONFIG},   {"only", required_argument, NULL, ONLY},
        {"except", required_argument, NULL, EXCEPT},   {"seed", required_argument, NULL, SEED},
        {"part", required_argument, NULL, PART},       {"corpus", required_argument, NULL, CORPUS},
        {"form", required_argument, NULL, FORM},       {"jobs", required_argument, NULL, 'j'},
        {"junit", required_argument, NULL, JUNIT},     {"json", no_argument, NULL, JSON},
        {"seconds", required_argument, NULL, SECONDS},
        {"replies", required_argument, NULL, REPLIES}, {"list", no_argument, NULL, LIST},
        {"verbose", no_argument, NULL, VERBOSE},       {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION_OPTION}, {NULL, 0, NULL, 0}};
    const char *wrong = NULL;
    int option;

    memset(options, 0, sizeof *options);
    options->program = program_called(argv[0]);
    options->seed = seed_make();
    options->parts = 1;
    options->jobs = processors();
    options->forms = CONF_FORM_PLAIN | CONF_FORM_COLUMNS;
    opterr = 0;
    while (!wrong && (option = getopt_long(argc, argv, ":j:", known, NULL)) != -1) {
        const char *word = optind > 1 ? argv[optind - 1] : "";
        if (option == '?') {
            snprintf(problem, size, "no option %.100s: see --help", word);
            return 0;
        }
        if (option == ':') {
            snprintf(problem, size, "%.100s wants a value: see --help", word);
            return 0;
        }
        wrong = option_take(options, option, optarg);
    }
    if (!wrong && !options->wants_help && !options->wants_version && optind + 1 != argc)
        wrong = optind == argc ? "name the plugin: its file, or a backend's name; see --help"
                               : "only one plugin at a time; see --help";
    if (wrong) {
        snprintf(problem, size, "%s", wrong);
        return 0;
    }
    options->plugin = argv[optind];
    return 1;
}

void conf_options_clear(conf_options *options)
{
    free((void *)(uintptr_t)options->only);
    free((void *)(uintptr_t)options->except);
    memset(options, 0, sizeof *options);
}
