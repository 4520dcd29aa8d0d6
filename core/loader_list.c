/* SPDX-License-Identifier: Apache-2.0 */
/* Which backends there are, found without loading any. */
#include "config.h"

#include "loader_list.h"

#include "buffer.h"
#include "config_resolve.h"
#include "loader_file.h"
#include "suggest.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 4096

/* "milvus" for "simplugin_milvus.so", to be freed; NULL for other files, or without memory. */
static char *name_of(const char *file)
{
    size_t prefix = sizeof(SP_LOADER_PREFIX) - 1;
    size_t suffix = sizeof(SP_LOADER_SUFFIX) - 1;
    size_t size = strlen(file);
    char *name;

    if (size <= prefix + suffix || strncmp(file, SP_LOADER_PREFIX, prefix) != 0 ||
        strcmp(file + size - suffix, SP_LOADER_SUFFIX) != 0)
        return NULL;
    name = strndup(file + prefix, size - prefix - suffix);
    if (name && !sp_config_is_backend_name(name)) {
        free(name);
        name = NULL;
    }
    return name;
}

static json_t *make_entry(const char *name, const char *file, const char *origin)
{
    return json_pack("{s:s, s:s?, s:s}", "name", name, "file", file, "origin", origin);
}

/* names: an object, from name to entry, so that the first one counts. */
static int32_t add_registered(void *context, const char *name)
{
    return json_object_set_new(context, name, make_entry(name, NULL, "static")) == 0
               ? SIMPLUGIN_OK
               : SIMPLUGIN_OUT_OF_MEMORY;
}

static int32_t add_directory(json_t *names, const char *path, const char *origin)
{
    DIR *directory = opendir(path);
    int32_t code = SIMPLUGIN_OK;
    const struct dirent *entry;

    /* readdir of a directory that this function alone has open is safe in glibc. */
    while (directory && code == SIMPLUGIN_OK && json_object_size(names) < MAX_LISTED &&
           (entry = readdir(directory))) {
        char *name = name_of(entry->d_name);
        char *file = NULL;

        if (name && !json_object_get(names, name)) {
            file = sp_loader_path(path, name);
            /* A path that is not UTF-8 cannot be told of, only used. */
            if (!file)
                code = SIMPLUGIN_OUT_OF_MEMORY;
            else
                json_object_set_new(names, name, make_entry(name, file, origin));
        }
        free(file);
        free(name);
    }
    if (directory)
        closedir(directory);
    return code;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, sorted; the array to be freed, the keys borrowed. */
static const char **sorted_keys(json_t *names)
{
    const char **keys = calloc(json_object_size(names) + 1, sizeof *keys);
    const char *key;
    size_t count = 0;
    json_t *value;

    if (!keys)
        return NULL;
    json_object_foreach(names, key, value)
        keys[count++] = key;
    qsort(keys, count, sizeof *keys, compare);
    return keys;
}

static int32_t collect(const json_t *dirs, json_t **names, simplugin_error **error)
{
    int32_t code;

    *names = json_object();
    code = *names ? sp_loader_each_registered(add_registered, *names) : SIMPLUGIN_OUT_OF_MEMORY;
    for (size_t i = 0; i < json_array_size(dirs) && code == SIMPLUGIN_OK; i++) {
        const json_t *entry = json_array_get(dirs, i);

        code = add_directory(*names, json_string_value(json_object_get(entry, "path")),
                             json_string_value(json_object_get(entry, "origin")));
    }
    if (code == SIMPLUGIN_OK)
        return code;
    json_decref(*names);
    *names = NULL;
    return sp_error_no_memory(error);
}

int32_t sp_loader_list(const json_t *dirs, json_t **list, simplugin_error **error)
{
    json_t *names = NULL;
    json_t *sorted = json_array();
    const char **keys = NULL;
    int32_t code;

    *list = NULL;
    code = sorted ? collect(dirs, &names, error) : sp_error_no_memory(error);
    if (code == SIMPLUGIN_OK && !(keys = sorted_keys(names)))
        code = sp_error_no_memory(error);
    for (size_t i = 0; code == SIMPLUGIN_OK && keys[i]; i++)
        if (json_array_append(sorted, json_object_get(names, keys[i])) != 0)
            code = sp_error_no_memory(error);
    if (code == SIMPLUGIN_OK) {
        *list = sorted;
        sorted = NULL;
    }
    free(keys);
    json_decref(names);
    json_decref(sorted);
    return code;
}

/* What was looked for where, what there is, and what to do. */
static int32_t set_unknown(const json_t *dirs, const char *name, simplugin_error **error)
{
    const json_t *last = json_array_get(dirs, json_array_size(dirs) - 1);
    const char *home = json_string_value(json_object_get(last, "path"));
    json_t *names = NULL;
    const char **keys = NULL;
    const char *nearest = NULL;
    sp_buffer known;
    sp_buffer places;
    size_t count;
    int32_t code;

    sp_buffer_init(&known);
    sp_buffer_init(&places);
    code = collect(dirs, &names, error);
    if (code == SIMPLUGIN_OK && !(keys = sorted_keys(names)))
        code = sp_error_no_memory(error);
    if (code != SIMPLUGIN_OK)
        goto out;
    count = json_object_size(names);
    nearest = sp_suggest_nearest(name, keys, count);
    sp_suggest_append_list(&known, keys, count);
    sp_buffer_append(&known, "", 1);
    for (size_t i = 0; i < json_array_size(dirs); i++)
        sp_buffer_printf(&places, "%s%s", i ? ", " : "",
                         json_string_value(json_object_get(json_array_get(dirs, i), "path")));
    sp_buffer_append(&places, "", 1);
    if (known.failed || places.failed) {
        code = sp_error_no_memory(error);
        goto out;
    }
    code = sp_error_set(
        error, SIMPLUGIN_BACKEND_UNKNOWN, SP_LOADER_DOMAIN,
        "there is no backend '%s'%s%s%s; known: %s; looked for " SP_LOADER_PREFIX
        "%s" SP_LOADER_SUFFIX " in: %s; install the plugin '%s' into %s, or set SIMPLUGIN_PATH "
        "to the directory that has it",
        name, nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "",
        (const char *)known.data, name, *places.data ? (const char *)places.data : "no directory",
        name, home ? home : "a plugin directory");
    sp_error_add_detail(error, "backend", name);
    if (nearest)
        sp_error_add_detail(error, "nearest", nearest);
out:
    sp_buffer_clear(&known);
    sp_buffer_clear(&places);
    free(keys);
    json_decref(names);
    return code;
}

int32_t sp_loader_locate(const json_t *dirs, const char *name, char **path, const char **origin,
                         char **real, struct stat *status, simplugin_error **error)
{
    int32_t code;

    *real = NULL;
    code = sp_loader_search(dirs, name, path, origin, error);
    if (code == SIMPLUGIN_OK && !*path)
        return set_unknown(dirs, name, error);
    if (code == SIMPLUGIN_OK)
        code = sp_loader_check_file(*path, real, status, error);
    if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY) {
        sp_error_prefix(error, "backend '%s'", name);
        sp_error_add_detail(error, "backend", name);
    }
    return code;
}

int32_t sp_loader_find(const json_t *dirs, const char *name, json_t **found,
                       simplugin_error **error)
{
    const char *origin = "static";
    struct stat status;
    char *path = NULL;
    char *real = NULL;
    int32_t code;

    *found = NULL;
    code = sp_loader_check_name(name, error);
    if (code != SIMPLUGIN_OK)
        return code;
    if (!sp_loader_is_registered(name))
        code = sp_loader_locate(dirs, name, &path, &origin, &real, &status, error);
    if (code == SIMPLUGIN_OK && !(*found = make_entry(name, path, origin)))
        code = sp_error_no_memory(error);
    free(path);
    free(real);
    return code;
}

int sp_loader_knows(const json_t *dirs, const char *name)
{
    const char *origin;
    char *path = NULL;
    int known;

    if (!sp_config_is_backend_name(name))
        return 0;
    known = sp_loader_is_registered(name) ||
            (sp_loader_search(dirs, name, &path, &origin, NULL) == SIMPLUGIN_OK && path);
    free(path);
    return known;
}
