/* SPDX-License-Identifier: Apache-2.0 */
/* The file of --config. */
#include "config.h"

#include "world.h"

#include <stdio.h>
#include <string.h>

#define RECALL_DEFAULT 0.9

typedef struct setting {
    const char *name;
    const char *wants;
} setting;

static const setting known[] = {
    {"parameters", "a map"},
    {"approximate", "true or false"},
    {"recall", "a number from 0 to 1"},
    {"plugin_path", "an array of absolute directories"},
    {"compare_with_flat", "true or false"},
};

static int is_path_list(const json_t *value)
{
    json_t *one;
    size_t i;

    json_array_foreach(value, i, one)
        if (!json_is_string(one) || json_string_value(one)[0] != '/')
            return 0;
    return json_is_array(value);
}

/* Whether the value is as the setting wants it; then it is taken. */
static int setting_take(conf_world *world, const char *name, json_t *value)
{
    if (!strcmp(name, "parameters")) {
        if (!json_is_object(value))
            return 0;
        json_decref(world->target.parameters);
        world->target.parameters = json_incref(value);
        return 1;
    }
    if (!strcmp(name, "plugin_path")) {
        if (!is_path_list(value))
            return 0;
        json_array_extend(world->plugin_path, value);
        return 1;
    }
    if (!strcmp(name, "recall")) {
        world->target.recall = json_number_value(value);
        return json_is_number(value) && world->target.recall >= 0 && world->target.recall <= 1;
    }
    if (!strcmp(name, "approximate"))
        world->target.approximate = json_is_true(value);
    else
        world->compare_with_flat = json_is_true(value);
    return json_is_boolean(value);
}

int conf_settings_read(conf_world *world, const char *path, char *problem, size_t size)
{
    json_error_t error;
    json_t *file, *value;
    const char *name;
    int ok = 1;

    world->plugin_path = json_array();
    world->target.parameters = json_object();
    world->target.recall = RECALL_DEFAULT;
    world->compare_with_flat = -1;
    if (!path)
        return 1;
    file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!file) {
        if (error.line > 0)
            snprintf(problem, size, "--config %s, line %d, column %d: %s", path, error.line,
                     error.column, error.text);
        else
            snprintf(problem, size, "--config: %s", error.text);
        return 0;
    }
    if (!json_is_object(file)) {
        snprintf(problem, size, "--config %s: it must hold a JSON object", path);
        ok = 0;
    }
    json_object_foreach(file, name, value) {
        size_t i = 0;

        while (i < sizeof known / sizeof known[0] && strcmp(known[i].name, name) != 0)
            i++;
        if (!ok)
            break;
        if (i == sizeof known / sizeof known[0]) {
            snprintf(problem, size, "--config %s: no setting \"%.100s\": there are parameters, "
                     "approximate, recall, plugin_path and compare_with_flat", path, name);
            ok = 0;
        } else if (!setting_take(world, name, value)) {
            snprintf(problem, size, "--config %s: \"%s\" wants %s", path, name, known[i].wants);
            ok = 0;
        }
    }
    json_decref(file);
    return ok;
}
