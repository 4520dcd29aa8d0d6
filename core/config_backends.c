/* SPDX-License-Identifier: Apache-2.0 */
/* Which backends the configuration lets a program use, and which of them is the default. */
#include "config.h"

#include "buffer.h"
#include "config_internal.h"
#include "simplugin/envelope.h"
#include "suggest.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_BACKEND "sklearn" /* FiftyOne's name of what runs without a server */
#define MAX_NAME 64

int sp_config_is_backend_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return size > 0 && size <= MAX_NAME && name[size] == '\0';
}

const char *sp_config_twin(const char *backend)
{
    if (strcmp(backend, "sklearn") == 0)
        return "sklearn_flat";
    if (strcmp(backend, "sklearn_flat") == 0)
        return "sklearn";
    return NULL;
}

static int has_name(const json_t *names, const char *name)
{
    for (size_t i = 0; name && i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return 1;
    return 0;
}

/* FIFTYONE_BRAIN_SIMILARITY_BACKENDS: names between commas, kept as they are, and '*'. */
static int32_t split_names(const char *listed, json_t *names, int *only, simplugin_error **error)
{
    *only = 1;
    for (const char *at = listed; at;) {
        size_t size = strcspn(at, ",");
        json_t *name = json_stringn(at, size);

        if (!name && simplugin_utf8_check((const uint8_t *)at, size))
            return sp_error_no_memory(error);
        if (!name)
            return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                                SP_ENV_BACKENDS " is not UTF-8 text");
        if (size == 1 && *at == '*')
            *only = 0;
        if ((size == 1 && *at == '*') || has_name(names, json_string_value(name)))
            json_decref(name);
        else if (json_array_append_new(names, name) != 0)
            return sp_error_no_memory(error);
        at = at[size] ? at + size + 1 : NULL;
    }
    return SIMPLUGIN_OK;
}

static int32_t list_backends(const sp_config *config, const sp_config_file *file, json_t **names,
                             int *only, simplugin_error **error)
{
    const char *listed = sp_env_get(config, SP_ENV_BACKENDS);
    json_t *found = json_array();
    int32_t code = SIMPLUGIN_OK;
    const char *section;
    json_t *value;

    *names = NULL;
    *only = 0;
    if (!found)
        return sp_error_no_memory(error);
    if (listed) {
        code = split_names(listed, found, only, error);
    } else {
        json_object_foreach(json_object_get(file->root, SP_KEY_BACKENDS), section, value)
        {
            if (json_array_append_new(found, json_string(section)) != 0)
                code = sp_error_no_memory(error);
        }
    }
    if (code == SIMPLUGIN_OK) {
        *names = found;
        found = NULL;
    }
    json_decref(found);
    return code;
}

int32_t sp_config_backends(const sp_config *config, json_t **names, int *only,
                           simplugin_error **error)
{
    sp_config_file file;
    int32_t code = sp_config_file_read(config, &file, error);

    *names = NULL;
    *only = 0;
    if (code == SIMPLUGIN_OK)
        code = list_backends(config, &file, names, only, error);
    sp_config_file_clear(&file);
    return code;
}

/* "from" is where the name is said, NULL for a program's own argument. */
static int32_t set_left_out(const char *name, const char *from, const json_t *names,
                            simplugin_error **error)
{
    size_t count = json_array_size(names);
    const char **known = calloc(count + 1, sizeof *known);
    const char *nearest;
    sp_buffer list;
    int32_t code;

    sp_buffer_init(&list);
    if (!known)
        return sp_error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        known[i] = json_string_value(json_array_get(names, i));
    nearest = sp_suggest_nearest(name, known, count);
    sp_suggest_append_list(&list, known, count);
    sp_buffer_append(&list, "", 1);
    code = sp_error_set(error, SIMPLUGIN_BACKEND_UNKNOWN, SP_CONFIG_DOMAIN,
                        "%s%sbackend '%s' is not among those that " SP_ENV_BACKENDS
                        " lets in: %s%s%s%s; add it there, or '*' for all",
                        from ? from : "", from ? ": " : "", name,
                        list.failed ? "" : (const char *)list.data,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : "");
    sp_error_add_detail(error, "backend", name);
    if (nearest)
        sp_error_add_detail(error, "nearest", nearest);
    sp_buffer_clear(&list);
    free(known);
    return code;
}

static int32_t check_name(const char *name, const char *from, const json_t *names, int only,
                          simplugin_error **error)
{
    if (!sp_config_is_backend_name(name)) {
        int32_t code = sp_error_set(error, SIMPLUGIN_BACKEND_NAME, SP_CONFIG_DOMAIN,
                                    "%s%s'%.80s' is no name of a backend: those are of a-z, 0-9 "
                                    "and _, and at most %d letters long",
                                    from ? from : "", from ? ": " : "", name, MAX_NAME);

        sp_error_add_detail(error, "backend", name);
        return code;
    }
    if (only && !has_name(names, name) && !has_name(names, sp_config_twin(name)))
        return set_left_out(name, from, names, error);
    return SIMPLUGIN_OK;
}

int32_t sp_config_check_backend(const sp_config *config, const char *name, simplugin_error **error)
{
    const char *listed = sp_env_get(config, SP_ENV_BACKENDS);
    json_t *names = json_array();
    int32_t code = SIMPLUGIN_OK;
    int only = 0;

    if (!names)
        return sp_error_no_memory(error);
    if (listed)
        code = split_names(listed, names, &only, error);
    if (code == SIMPLUGIN_OK)
        code = check_name(name, NULL, names, only, error);
    json_decref(names);
    return code;
}

int32_t sp_config_default_backend(const sp_config *config, char **name, json_t **provenance,
                                  simplugin_error **error)
{
    static const char *const key = SP_KEY_DEFAULT;
    const char *chosen = sp_env_get(config, SP_ENV_DEFAULT);
    const char *source = "environment";
    sp_config_file file;
    json_t *names = NULL;
    char *place = NULL;
    int32_t code;
    int only;

    *name = NULL;
    if (provenance)
        *provenance = NULL;
    code = sp_config_file_read(config, &file, error);
    if (code == SIMPLUGIN_OK)
        code = list_backends(config, &file, &names, &only, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (chosen && *chosen) {
        place = strdup(SP_ENV_DEFAULT);
    } else {
        source = "file";
        /* sp_config_file_read has seen to its being text. */
        chosen = json_string_value(json_object_get(file.root, key));
        place = chosen ? sp_config_file_place(&file, &key, 1) : strdup("");
        if (!chosen) {
            chosen = DEFAULT_BACKEND;
            source = "default";
        }
    }
    if (!place) {
        code = sp_error_no_memory(error);
        goto out;
    }
    code = check_name(chosen, *place ? place : NULL, names, only, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    *name = strdup(chosen);
    if (provenance)
        *provenance = json_pack("{s:s, s:s}", "source", source, "where", place);
    if (!*name || (provenance && !*provenance))
        code = sp_error_no_memory(error);
out:
    if (code != SIMPLUGIN_OK) {
        free(*name);
        *name = NULL;
        if (provenance) {
            json_decref(*provenance);
            *provenance = NULL;
        }
    }
    json_decref(names);
    free(place);
    sp_config_file_clear(&file);
    return code;
}
