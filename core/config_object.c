/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration object: a program's options, checked and copied. */
#include "config.h"

#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

static int32_t check_options(const sp_config_options *options, simplugin_error **error)
{
    json_t *dirs = NULL;
    int32_t code = SIMPLUGIN_OK;
    const char *name;
    json_t *value;

    if (options->environment && !json_is_object(options->environment))
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "an environment is a map from the names of variables to text");
    json_object_foreach((json_t *)options->environment, name, value)
    {
        if (!json_is_string(value) ||
            strlen(json_string_value(value)) != json_string_length(value))
            return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                                "the value of '%s' in an environment must be text without U+0000",
                                name);
    }
    if (options->data_dir && options->data_dir[0] != '/')
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "the directory for local stores, '%s', is not absolute: begin it with "
                            "a '/'",
                            options->data_dir);
    if (options->plugin_path) {
        dirs = json_array();
        code = dirs ? sp_config_append_dirs(dirs, options->plugin_path, SP_KEY_PLUGINS, error)
                    : sp_error_no_memory(error);
        json_decref(dirs);
    }
    return code;
}

int32_t sp_config_new(const sp_config_options *options, sp_config **config,
                      simplugin_error **error)
{
    static const sp_config_options none = {.environment = NULL};
    sp_config *made = NULL;
    int32_t code;

    *config = NULL;
    if (!options)
        options = &none;
    code = check_options(options, error);
    if (code != SIMPLUGIN_OK)
        return code;
    made = calloc(1, sizeof *made);
    if (!made)
        return sp_error_no_memory(error);
    pthread_mutex_init(&made->lock, NULL);
    made->is_backend = options->is_backend;
    made->warn = options->warn;
    made->context = options->context;
    made->told = json_object();
    made->environment = options->environment ? json_deep_copy(options->environment) : NULL;
    made->plugin_path = options->plugin_path ? json_deep_copy(options->plugin_path) : NULL;
    made->config_path = options->config_path ? strdup(options->config_path) : NULL;
    made->data_dir = options->data_dir ? strdup(options->data_dir) : NULL;
    if (!made->told || (options->environment && !made->environment) ||
        (options->plugin_path && !made->plugin_path) ||
        (options->config_path && !made->config_path) || (options->data_dir && !made->data_dir)) {
        sp_config_free(made);
        return sp_error_no_memory(error);
    }
    *config = made;
    return SIMPLUGIN_OK;
}

void sp_config_free(sp_config *config)
{
    if (!config)
        return;
    pthread_mutex_destroy(&config->lock);
    json_decref(config->told);
    json_decref(config->environment);
    json_decref(config->plugin_path);
    free(config->config_path);
    free(config->data_dir);
    free(config);
}
