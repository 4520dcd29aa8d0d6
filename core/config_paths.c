/* SPDX-License-Identifier: Apache-2.0 */
/* Where the configuration file, the plugins and the local stores are. */
#include "config.h"

#include "buffer.h"
#include "config_internal.h"
#include "simplugin/envelope.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SP_PLUGIN_DIR
#error "SP_PLUGIN_DIR names the installed directory of plugins"
#endif

static char *home_of_user(void)
{
    struct passwd entry;
    struct passwd *found = NULL;
    size_t size = 1024;
    char *space = NULL;
    char *home = NULL;
    int problem = ERANGE;

    while (problem == ERANGE && size <= 1 << 20) {
        char *more = realloc(space, size);

        if (!more)
            break;
        space = more;
        problem = getpwuid_r(getuid(), &entry, space, size, &found);
        size *= 2;
    }
    if (!problem && found)
        home = strdup(entry.pw_dir);
    free(space);
    return home;
}

char *sp_config_home(const sp_config *config)
{
    const char *home = sp_env_get(config, "HOME");
    char *copy = home ? strdup(home) : home_of_user();
    size_t size = copy ? strlen(copy) : 0;

    while (size && copy[size - 1] == '/')
        copy[--size] = '\0';
    return copy;
}

int32_t sp_config_file_path(const sp_config *config, char **path, int *exists,
                            simplugin_error **error)
{
    const char *named =
        config->config_path ? config->config_path : sp_env_get(config, SP_ENV_FILE);
    struct stat status;
    sp_buffer buffer;
    char *home = NULL;

    *exists = 0;
    sp_buffer_init(&buffer);
    if (named) {
        sp_buffer_append_text(&buffer, named);
    } else {
        home = sp_config_home(config);
        if (!home && sp_env_get(config, "HOME"))
            return sp_error_no_memory(error);
        sp_buffer_append_text(&buffer, home ? home : "~");
        sp_buffer_append_text(&buffer, "/.fiftyone/brain_config.json");
    }
    *path = sp_buffer_steal(&buffer, NULL);
    /* As os.path.isfile: what cannot be looked at, a directory or a device is no file. */
    if (*path)
        *exists = stat(*path, &status) == 0 && S_ISREG(status.st_mode);
    free(home);
    return *path ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

/* Takes one directory, size bytes, into dirs; where tells who named it. */
static int32_t add_dir(json_t *dirs, const char *path, size_t size, const char *origin,
                       const char *where, simplugin_error **error)
{
    if (size == 0)
        return SIMPLUGIN_OK;
    if (path[0] != '/') {
        int32_t code = sp_error_set(error, SIMPLUGIN_PLUGIN_PATH, SP_CONFIG_DOMAIN,
                                    "%s: the plugin directory '%.*s' is not absolute: begin it "
                                    "with a '/'",
                                    where, (int)(size > 4096 ? 4096 : size), path);

        sp_error_add_detail(error, "source", where);
        return code;
    }
    if (!simplugin_utf8_check((const uint8_t *)path, size))
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s: a plugin directory is not UTF-8 text", where);
    if (json_array_append_new(dirs, json_pack("{s:s%, s:s}", "path", path, size, "origin",
                                              origin)) != 0)
        return sp_error_no_memory(error);
    return SIMPLUGIN_OK;
}

int32_t sp_config_append_dirs(json_t *dirs, const json_t *paths, const char *where,
                              simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    if (!json_is_array(paths))
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s: " SP_KEY_PLUGINS " must be an array of absolute directories",
                            where);
    for (size_t i = 0; i < json_array_size(paths) && code == SIMPLUGIN_OK; i++) {
        const json_t *path = json_array_get(paths, i);

        if (json_is_string(path) && json_string_length(path) &&
            strlen(json_string_value(path)) == json_string_length(path))
            code = add_dir(dirs, json_string_value(path), json_string_length(path), "plugin_path",
                           where, error);
        else
            code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                                "%s: entry %zu of " SP_KEY_PLUGINS
                                " must be text, an absolute directory",
                                where, i + 1);
    }
    return code;
}

int32_t sp_config_plugin_dirs(const sp_config *config, json_t **dirs, simplugin_error **error)
{
    static const char *const key = SP_KEY_PLUGINS;
    const char *listed = sp_env_get(config, SP_ENV_PLUGINS);
    json_t *found = json_array();
    sp_config_file file = {.text = NULL};
    char *place = NULL;
    char *beside = NULL;
    const json_t *in_file;
    int32_t code;

    *dirs = NULL;
    if (!found) {
        code = sp_error_no_memory(error);
        goto out;
    }
    code = config->plugin_path ? sp_config_append_dirs(found, config->plugin_path, "session", error)
                               : SIMPLUGIN_OK;
    for (const char *at = listed; at && code == SIMPLUGIN_OK;) {
        size_t size = strcspn(at, ":");

        code = add_dir(found, at, size, "environment", SP_ENV_PLUGINS, error);
        at = at[size] ? at + size + 1 : NULL;
    }
    if (code == SIMPLUGIN_OK)
        code = sp_config_file_read(config, &file, error);
    in_file = json_object_get(file.root, key);
    if (code == SIMPLUGIN_OK && in_file) {
        place = sp_config_file_place(&file, &key, 1);
        code = place ? sp_config_append_dirs(found, in_file, place, error) : sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK)
        code = sp_config_beside_library(SP_PLUGIN_DIR, &beside, error);
    if (code == SIMPLUGIN_OK && beside)
        code = add_dir(found, beside, strlen(beside), "installed", "the library's directory", error);
    if (code == SIMPLUGIN_OK)
        code = add_dir(found, SP_PLUGIN_DIR, strlen(SP_PLUGIN_DIR), "installed",
                       "the installed directory", error);
    if (code == SIMPLUGIN_OK) {
        *dirs = found;
        found = NULL;
    }
out:
    free(place);
    free(beside);
    sp_config_file_clear(&file);
    json_decref(found);
    return code;
}

int32_t sp_config_data_dir(const sp_config *config, char **path, simplugin_error **error)
{
    const char *named = config->data_dir ? config->data_dir : sp_env_get(config, SP_ENV_DATA);
    const char *base = sp_env_get(config, "XDG_DATA_HOME");
    int32_t code = SIMPLUGIN_OK;
    sp_buffer buffer;
    char *home = NULL;

    sp_buffer_init(&buffer);
    *path = NULL;
    if (named && *named) {
        sp_buffer_append_text(&buffer, named);
    } else if (base && base[0] == '/') {
        /* The specification has relative ones ignored. */
        sp_buffer_printf(&buffer, "%s/simplugin", base);
    } else if ((home = sp_config_home(config))) {
        sp_buffer_printf(&buffer, "%s/.local/share/simplugin", home);
    } else {
        code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "there is no home directory for local stores: set " SP_ENV_DATA
                            " to an absolute directory");
        goto out;
    }
    *path = sp_buffer_steal(&buffer, NULL);
    if (!*path) {
        code = sp_error_no_memory(error);
    } else if (**path != '/') {
        code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "the directory for local stores, '%s', is not absolute: begin %s with "
                            "a '/'",
                            *path, named && *named ? (config->data_dir ? "it" : SP_ENV_DATA)
                                                   : "HOME");
        free(*path);
        *path = NULL;
    }
out:
    sp_buffer_clear(&buffer);
    free(home);
    return code;
}
