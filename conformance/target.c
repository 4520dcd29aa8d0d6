/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "world.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "core.h"
#include "run.h"

#define FLAT "sklearn_flat"

/* ---- in a child: finding and describing ------------------------------------------------------ */

static void found_say(conf_run *run, json_t *found)
{
    char *text = json_dumps(found, JSON_COMPACT);

    if (text && strlen(text) < CONF_RECORD_MAX)
        conf_run_say(run, CONF_SAYS_FOUND, text, strlen(text));
    else
        conf_fail(run, "what it tells is too long");
    free(text);
    json_decref(found);
}

/* Says {key: reply} or {problem: message}. */
static void describe_say(conf_run *run, uint64_t session, const char *backend, const char *key,
                         const char *problem)
{
    json_t *body = json_pack("{s:s}", "backend", backend);
    core_answer answer = {0};

    core_call(session, "backends.describe", body, 0, &answer);
    if (answer.code == SIMPLUGIN_OK) {
        found_say(run, json_pack("{s:O}", key, answer.reply));
    } else {
        json_t *text = json_sprintf("%s: %s", simplugin_code_name(answer.code), answer.message);
        found_say(run, json_pack("{s:o}", problem, text ? text : json_string("not UTF-8")));
    }
    core_answer_clear(&answer);
    json_decref(body);
}

/*
 * Which file is loaded for the name, then flat, which is of ours, then the target: each is told
 * before anything of a plugin runs that might end this process.
 */
static void look(conf_run *run)
{
    const conf_world *world = conf_run_subject(run);
    json_t *body = json_pack("{s:O}", "plugin_path", world->plugin_path);
    json_t *explain = json_pack("{s:s, s:b}", "backend", world->target.name, "load", 0);
    core_answer answer = {0};
    const json_t *plugin;
    uint64_t session;

    conf_core_begin(world);
    core_call(0, "session.open", body, 0, &answer);
    session = (uint64_t)json_integer_value(json_object_get(answer.reply, "session"));
    if (answer.code == SIMPLUGIN_OK)
        core_call(session, "config.explain", explain, 0, &answer);
    plugin = json_object_get(answer.reply, "plugin");
    if (answer.code != SIMPLUGIN_OK || !json_is_object(plugin)) {
        const char *why = json_string_value(json_object_get(answer.reply, "plugin_error"));
        found_say(run, json_pack("{s:s}", "missing", why ? why : answer.message));
    } else {
        found_say(run, json_pack("{s:O*}", "file", json_object_get(plugin, "file")));
        describe_say(run, session, FLAT, "flat", "without_flat");
        describe_say(run, session, world->target.name, "describe", "without_describe");
    }
    core_answer_clear(&answer);
    json_decref(body);
    json_decref(explain);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/* "build/simplugin_My-Backend.so" to "my_backend". */
static char *name_guess(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path), *at;

    if (!name)
        abort();
    if ((at = strstr(name, ".so")))
        *at = 0;
    at = !strncmp(name, "simplugin_", 10) ? name + 10 : !strncmp(name, "lib", 3) ? name + 3 : name;
    memmove(name, at, strlen(at) + 1);
    for (at = name; *at; at++)
        *at = isalnum((unsigned char)*at) && (unsigned char)*at < 0x80
                  ? (char)tolower((unsigned char)*at) : '_';
    if (!*name) {
        free(name);
        name = strdup("plugin");
    }
    return name;
}

static int is_name(const char *text)
{
    return text && *text && strlen(text) <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static int link_put(const conf_world *world, const char *name, const char *file)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/plugins/simplugin_%s.so", world->directory, name);
    return symlink(file, path) == 0 || errno == EEXIST;
}

/* In the build tree flat is beside this library; installed, libsimplugin finds its own. */
static void flat_link(const conf_world *world)
{
    char *directory = conf_own_directory(), path[PATH_MAX];
    struct stat status;

    snprintf(path, sizeof path, "%s/simplugin_" FLAT ".so", directory ? directory : "");
    if (directory && stat(path, &status) == 0) {
        link_put(world, FLAT, path);
        link_put(world, "sklearn", path);
    }
    free(directory);
}

static simplugin_backend_entry_fn entry_of(const conf_static *statics, const char *name)
{
    for (; statics && statics->name; statics++)
        if (!strcmp(statics->name, name))
            return statics->entry;
    return NULL;
}

static int is_file(const char *plugin)
{
    size_t size = strlen(plugin);

    return strchr(plugin, '/') || (size > 3 && !strcmp(plugin + size - 3, ".so"));
}

/* From the words of the command line to a name, a file or an entry. */
static int words_read(conf_world *world, const conf_static *statics, char *problem, size_t size)
{
    const char *plugin = world->options->plugin;
    struct stat status;

    if (is_file(plugin)) {
        world->file = realpath(plugin, NULL);
        if (!world->file || stat(world->file, &status) != 0 || !S_ISREG(status.st_mode)) {
            snprintf(problem, size,
                     "%.500s %s: build the plugin, or name a backend that the library finds",
                     plugin, world->file ? "is no file" : "is not there");
            return 0;
        }
        world->name = name_guess(world->file);
        return 1;
    }
    if (!is_name(plugin)) {
        snprintf(problem, size,
                 "\"%.100s\" is no backend's name (a-z, 0-9 and _); a file has a slash "
                 "in it or ends with .so",
                 plugin);
        return 0;
    }
    world->name = strdup(plugin);
    world->target.entry = entry_of(statics, plugin);
    return 1;
}

/* Takes what the child has told. 0 with problem where there is no plugin. */
static int told_take(conf_world *world, json_t *told, const conf_outcome *outcome, char *problem,
                     size_t size)
{
    const char *missing = json_string_value(json_object_get(told, "missing"));
    const char *file = json_string_value(json_object_get(told, "file"));
    const char *why = json_string_value(json_object_get(told, "without_describe"));
    const char *without_flat = json_string_value(json_object_get(told, "without_flat"));
    const char *own;

    /* of a file this is what the loader says of it: the checks that need the core are told */
    if (missing && !world->file) {
        snprintf(problem, size, "%s", missing);
        return 0;
    }
    if (!world->file && file)
        world->file = realpath(file, NULL);
    world->target.describe = json_incref(json_object_get(told, "describe"));
    json_object_del(world->target.describe, "file");
    world->flat_describe = json_incref(json_object_get(told, "flat"));
    json_object_del(world->flat_describe, "file");
    if (!world->flat_describe)
        world->without_flat = strdup(without_flat ? without_flat : "it could not be asked");
    if (!world->target.describe)
        world->without_describe = strdup(missing   ? missing
                                         : why     ? why
                                         : outcome->state == CONF_FAILED ? outcome->reason
                                                                         : "it says nothing");
    own = json_string_value(json_object_get(world->target.describe, "name"));
    if (is_name(own) && !world->target.entry) {
        free(world->name);
        world->name = strdup(own);
    }
    if (world->file)
        link_put(world, world->name, world->file);
    world->target.name = world->name;
    world->target.file = world->file;
    return 1;
}

int conf_target_find(conf_world *world, const conf_static *statics, char *problem, size_t size)
{
    conf_check check = {.name = "look", .says = "", .run = look, .seconds = 30, .subject = world};
    json_t *directory = json_sprintf("%s/plugins", world->directory), *told = NULL;
    conf_outcome outcome;
    int ok;

    memset(&outcome, 0, sizeof outcome);
    if (mkdir(json_string_value(directory), 0700) != 0 ||
        !words_read(world, statics, problem, size)) {
        json_decref(directory);
        return 0;
    }
    json_array_insert_new(world->plugin_path, 0, directory);
    if (world->file)
        link_put(world, world->name, world->file);
    world->target.name = world->name;
    flat_link(world);
    conf_child_once(&world->target, &check, world->directory, &outcome, &told);
    if (!told)
        told = json_object();
    ok = told_take(world, told, &outcome, problem, size);
    if (!ok && outcome.output)
        fputs(outcome.output, stderr);
    conf_outcome_clear(&outcome);
    json_decref(told);
    return ok;
}
