/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "config_layers.h"

#include <stdlib.h>
#include <string.h>

static char upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* What follows <BACKEND>_ in the rest of a variable's name; NULL if that does not begin it. */
static const char *after_backend(const char *rest, const char *backend)
{
    while (*backend && *rest == upper(*backend)) {
        rest++;
        backend++;
    }
    return !*backend && *rest == '_' ? rest + 1 : NULL;
}

/* Which of the two names the variable is for: the longer one that fits. */
static int match_backend(const sp_layers *from, const char *rest, const char **parameter)
{
    int match = -1;

    for (int i = 0; i < 2 && from->names[i]; i++) {
        const char *after = after_backend(rest, from->names[i]);

        if (after && (match < 0 || after > *parameter)) {
            match = i;
            *parameter = after;
        }
    }
    return match;
}

static int32_t take_variable(void *context, const char *name, const char *value)
{
    sp_layers *from = context;
    const char *parameter = NULL;
    char *key = NULL;
    const json_t *earlier;
    json_t *entry = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rank;

    if (strncmp(name, SP_ENV_PREFIX, sizeof(SP_ENV_PREFIX) - 1) != 0)
        return SIMPLUGIN_OK;
    rank = match_backend(from, name + sizeof(SP_ENV_PREFIX) - 1, &parameter);
    if (rank < 0)
        return SIMPLUGIN_OK;
    key = strdup(parameter);
    if (!key)
        return SIMPLUGIN_OUT_OF_MEMORY;
    for (char *c = key; *c; c++)
        *c = lower(*c);
    earlier = json_object_get(from->variables, key);
    /*
     * Of names that differ in case the later one counts, as in FiftyOne; of one name given
     * twice the first, as everywhere; and the backend's own name before its twin's.
     */
    if (earlier &&
        (strcmp(json_string_value(json_object_get(earlier, "variable")), name) == 0 ||
         rank > json_integer_value(json_object_get(earlier, "rank"))))
        goto out;
    entry = json_object();
    if (json_object_set_new(entry, "variable", json_string_nocheck(name)) != 0 ||
        json_object_set_new(entry, "text", json_string_nocheck(value)) != 0 ||
        json_object_set_new(entry, "rank", json_integer(rank)) != 0 ||
        json_object_set_nocheck(from->variables, key, entry) != 0)
        code = SIMPLUGIN_OUT_OF_MEMORY;
out:
    json_decref(entry);
    free(key);
    return code;
}

int32_t sp_layers_init(sp_layers *from, const sp_config *config, const char *backend,
                           const json_t *arguments, simplugin_error **error)
{
    int32_t code;

    memset(from, 0, sizeof *from);
    from->backend = backend;
    from->names[0] = backend;
    from->names[1] = sp_config_twin(backend);
    from->arguments = arguments;
    if (arguments && !json_is_object(arguments) && !json_is_null(arguments)) {
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, SP_CONFIG_DOMAIN,
                            "the parameters of backend '%s' must be a map", backend);
        sp_error_add_detail(error, "argument", "parameters");
        return code;
    }
    from->variables = json_object();
    if (!from->variables)
        return sp_error_no_memory(error);
    code = sp_env_each(config, take_variable, from);
    if (code != SIMPLUGIN_OK)
        return sp_error_no_memory(error);
    return sp_config_file_read(config, &from->file, error);
}

void sp_layers_clear(sp_layers *from)
{
    json_decref(from->variables);
    sp_config_file_clear(&from->file);
}

const json_t *sp_layers_section(const sp_layers *from, int i)
{
    if (!from->names[i])
        return NULL;
    return json_object_get(json_object_get(from->file.root, SP_KEY_BACKENDS), from->names[i]);
}

int sp_layers_names(int source, const char *said, const char *name)
{
    if (source != SP_FROM_ENVIRONMENT)
        return strcmp(said, name) == 0;
    while (*said && *said == lower(*name)) {
        said++;
        name++;
    }
    return !*said && !*name;
}

/* What is known of the variable for the parameter; NULL if there is none. */
static const json_t *variable_of(const sp_layers *from, const char *name)
{
    const char *said;
    json_t *variable;

    json_object_foreach(from->variables, said, variable)
        if (sp_layers_names(SP_FROM_ENVIRONMENT, said, name))
            return variable;
    return NULL;
}

int sp_layers_find(const sp_layers *from, int source, const char *name, sp_setting *found)
{
    const json_t *value = NULL;

    switch (source) {
    case SP_FROM_ARGUMENTS:
        value = json_object_get(from->arguments, name);
        break;
    case SP_FROM_ENVIRONMENT:
        value = variable_of(from, name);
        break;
    default:
        for (int i = 0; i < 2 && !value; i++)
            value = json_object_get(sp_layers_section(from, i), name);
        break;
    }
    if (value) {
        found->source = source;
        found->name = name;
        found->value = source == SP_FROM_ENVIRONMENT ? NULL : value;
        found->text = source == SP_FROM_ENVIRONMENT
                          ? json_string_value(json_object_get(value, "text"))
                          : NULL;
    }
    return value != NULL;
}

char *sp_layers_place(const sp_layers *from, int source, const char *name)
{
    if (source == SP_FROM_ENVIRONMENT)
        return strdup(json_string_value(json_object_get(variable_of(from, name), "variable")));
    if (source == SP_FROM_FILE) {
        int i = json_object_get(sp_layers_section(from, 0), name) ? 0 : 1;
        const char *keys[] = {SP_KEY_BACKENDS, from->names[i], name};

        return sp_config_file_place(&from->file, keys, 3);
    }
    return strdup(name);
}
