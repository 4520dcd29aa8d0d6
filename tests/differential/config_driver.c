/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves configurations for tests/differential/config.py: one JSON object a line in, one
 * a line out. In: "environment", "process" (true: set it as this process's), "backend"
 * (null: the default), "installed" (names), "declared" (array or null), "arguments".
 * Out: "backend", "values", "provenance", or "error" and "message".
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_resolve.h"
#include "simplugin.h"

static int is_installed(void *context, const char *name)
{
    const json_t *installed = context;

    for (size_t i = 0; i < json_array_size(installed); i++)
        if (strcmp(json_string_value(json_array_get(installed, i)), name) == 0)
            return 1;
    return 0;
}

static void set_environment(const json_t *environment)
{
    const char *name;
    json_t *value;

    clearenv();
    json_object_foreach((json_t *)environment, name, value)
        setenv(name, json_string_value(value), 1);
}

static int32_t run(const json_t *test, json_t *answer, simplugin_error **error)
{
    const json_t *environment = json_object_get(test, "environment");
    const json_t *declared = json_object_get(test, "declared");
    const char *backend = json_string_value(json_object_get(test, "backend"));
    int process = json_is_true(json_object_get(test, "process"));
    sp_config_options options = {
        .environment = process ? NULL : environment,
        .is_backend = is_installed,
        .context = json_object_get(test, "installed"),
    };
    sp_parameters parameters = {.owner = NULL};
    sp_config *config = NULL;
    char *name = NULL;
    json_t *dirs = NULL;
    json_t *values = NULL;
    json_t *provenance = NULL;
    int32_t code;

    if (process)
        set_environment(environment);
    code = sp_config_new(&options, &config, error);
    if (code == SIMPLUGIN_OK && !backend) {
        code = sp_config_default_backend(config, &name, NULL, error);
        backend = name;
    }
    if (code == SIMPLUGIN_OK)
        json_object_set_new(answer, "backend", json_string(backend));
    /* In the order of opening a connection: the plugin is found, then asked what it takes. */
    if (code == SIMPLUGIN_OK)
        code = sp_config_check_backend(config, backend, error);
    if (code == SIMPLUGIN_OK)
        code = sp_config_plugin_dirs(config, &dirs, error);
    if (code == SIMPLUGIN_OK && !is_installed(options.context, backend))
        code = sp_error_set(error, SIMPLUGIN_BACKEND_UNKNOWN, "loader", "not installed");
    if (code == SIMPLUGIN_OK && json_is_array(declared))
        code = sp_parameters_init(&parameters, backend, (json_t *)declared, error);
    if (code == SIMPLUGIN_OK)
        code = sp_config_resolve(config, backend, json_is_array(declared) ? &parameters : NULL,
                                 json_object_get(test, "arguments"), &values, &provenance, error);
    if (code == SIMPLUGIN_OK) {
        json_object_set(answer, "values", values);
        json_object_set(answer, "provenance", provenance);
    }
    json_decref(dirs);
    json_decref(values);
    json_decref(provenance);
    sp_parameters_clear(&parameters);
    free(name);
    sp_config_free(config);
    return code;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    int failed = 0;

    while (!failed && getline(&line, &capacity, stdin) > 0) {
        json_t *test = json_loads(line, 0, NULL);
        json_t *answer = json_object();
        simplugin_error *error = NULL;
        char *text = NULL;

        if (run(test, answer, &error) != SIMPLUGIN_OK) {
            json_object_set_new(answer, "error",
                                json_string(simplugin_code_name(simplugin_error_code(error))));
            json_object_set_new(answer, "message",
                                json_string(simplugin_error_message(error, NULL)));
        }
        text = test ? json_dumps(answer, JSON_COMPACT) : NULL;
        failed = !text || puts(text) < 0 || fflush(stdout) != 0;
        free(text);
        simplugin_error_free(&error);
        json_decref(answer);
        json_decref(test);
    }
    free(line);
    return failed;
}
