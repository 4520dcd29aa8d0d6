/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "simplugin/conformance.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "report.h"
#include "simplugin.h"
#include "tables.h"
#include "tree.h"
#include "world.h"

#define STATUS_FAILED 1
#define STATUS_NOT_BEGUN 2

conf_world conf_the_world;

/* What the environment says must not decide what a check does. */
static void environment_clear(const conf_world *world)
{
    extern char **environ;
    char home[PATH_MAX], name[256];

    for (char **one = environ; one && *one;) {
        if (!strncmp(*one, "FIFTYONE_", 9) || !strncmp(*one, "SIMPLUGIN_", 10)) {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*one, "="), *one);
            unsetenv(name);
            one = environ;
        } else {
            one++;
        }
    }
    snprintf(home, sizeof home, "%s/home", world->directory);
    mkdir(home, 0700);
    setenv("HOME", home, 1);
    setenv("XDG_DATA_HOME", home, 1);
}

static int directory_make(conf_world *world, char *problem, size_t size)
{
    const char *base = getenv("TMPDIR");

    if (!base || !*base)
        base = "/tmp";
    if (asprintf(&world->directory, "%s/simplugin-conformance-XXXXXX", base) < 0)
        abort();
    /* what a core that is told of it does not take: it wants absolute ones */
    if (base[0] == '/' && mkdtemp(world->directory))
        return 1;
    snprintf(problem, size,
             "cannot make a directory in %s: %s; set TMPDIR to an absolute one that you may write",
             base, base[0] == '/' ? strerror(errno) : "it is not absolute");
    free(world->directory);
    world->directory = NULL;
    return 0;
}

static void done(const conf_plan *plan, size_t i)
{
    if (!plan->options->json)
        conf_tap_check(stdout, plan, i);
}

static void list(const conf_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        printf("%s: %s\n", plan->items[i].check->name, plan->items[i].check->says);
}

/* Written at the end, opened at the beginning, so that one notices early where it cannot be. */
static int file_open(FILE **file, const char *path, char *problem, size_t size)
{
    if (!path || (*file = fopen(path, "we")))
        return 1;
    snprintf(problem, size, "cannot write %.500s: %s", path, strerror(errno));
    return 0;
}

/* Fills the plan; 0 with problem if there is nothing to run or it cannot be. */
static int prepare(conf_world *world, conf_plan *plan, const conf_static *statics, char *problem,
                   size_t size)
{
    if (!conf_settings_read(world, world->options->config, problem, size) ||
        !conf_corpus_load(world, problem, size) || !directory_make(world, problem, size) ||
        !conf_target_find(world, statics, problem, size))
        return 0;
    world->target.seed = world->options->seed;
    plan->options = world->options;
    plan->target = &world->target;
    plan->directory = world->directory;
    plan->without_describe = world->without_describe;
    environment_clear(world);
    if (!world->options->corpus)
        conf_tables_add(plan);
    conf_corpus_add(plan, world);
    conf_plan_choose(plan);
    if (plan->count == 0)
        snprintf(problem, size,
                 "no check is left by --only, --except and --part: --list shows them");
    return plan->count != 0;
}

static int run(conf_plan *plan, FILE *junit)
{
    if (!plan->options->json)
        conf_tap_begin(stdout, plan);
    conf_plan_run(plan, done);
    if (plan->options->json)
        conf_json_write(stdout, plan);
    else
        conf_tap_end(stdout, plan);
    if (junit)
        conf_junit_write(junit, plan);
    return conf_plan_totals(plan).failed || plan->interrupted ? STATUS_FAILED : 0;
}

static void world_clear(conf_world *world)
{
    if (world->directory)
        tree_remove(world->directory);
    conf_corpus_clear(world);
    json_decref(world->target.parameters);
    json_decref(world->target.describe);
    json_decref(world->plugin_path);
    json_decref(world->flat_describe);
    free(world->without_flat);
    free(world->without_describe);
    free(world->directory);
    free(world->name);
    free(world->file);
    memset(world, 0, sizeof *world);
}

int simplugin_conformance_main(int argc, char **argv,
                               const simplugin_conformance_backend *backends)
{
    conf_world *world = &conf_the_world;
    conf_options options;
    conf_plan plan = {0};
    char problem[2048] = "";
    FILE *junit = NULL, *replies = NULL;
    int status = STATUS_NOT_BEGUN, interrupted;

    if (!conf_options_read(&options, argc, argv, problem, sizeof problem)) {
        fprintf(stderr, "simplugin-conformance: %s\n", problem);
        conf_options_clear(&options);
        return status;
    }
    if (options.wants_help || options.wants_version) {
        if (options.wants_help)
            fputs(conf_usage, stdout);
        else
            printf("simplugin-conformance %s\n", simplugin_version());
        conf_options_clear(&options);
        return 0;
    }
    conf_signals_block();
    /* what reads the report may go away: the children and directories are still to be removed */
    signal(SIGPIPE, SIG_IGN);
    world->options = &options;
    if (!prepare(world, &plan, backends, problem, sizeof problem) ||
        !file_open(&junit, options.list ? NULL : options.junit, problem, sizeof problem) ||
        !file_open(&replies, options.replies, problem, sizeof problem)) {
        if (!conf_interrupted())
            fprintf(stderr, "simplugin-conformance: %s\n", problem);
    } else if (options.list) {
        list(&plan);
        status = 0;
    } else {
        status = run(&plan, junit);
    }
    if ((junit && fclose(junit) != 0) || fflush(stdout) != 0) {
        fprintf(stderr, "simplugin-conformance: cannot write the result: %s\n", strerror(errno));
        status = status ? status : STATUS_FAILED;
    }
    if (replies)
        fclose(replies);
    interrupted = plan.interrupted ? plan.interrupted : conf_interrupted();
    conf_plan_clear(&plan);
    world_clear(world);
    conf_options_clear(&options);
    if (interrupted) {
        /* ends as anything that is interrupted does, now that all is cleaned up */
        sigset_t one;
        signal(interrupted, SIG_DFL);
        raise(interrupted);
        sigemptyset(&one);
        sigaddset(&one, interrupted);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
    }
    return status;
}
