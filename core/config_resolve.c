/* SPDX-License-Identifier: Apache-2.0 */
/* The effective parameters of a backend: arguments over environment over file over defaults. */
#include "config.h"

#include "buffer.h"
#include "config_layers.h"
#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FiftyOne's key for the Python class of a backend; here the plugin's file is that. */
#define CLASS_KEY "config_cls"

static const char *const source_names[] = {"argument", "environment", "file"};

/* ---- names -------------------------------------------------------------------------- */

/* The parameter of that name or alias. */
static const sp_parameter *find_parameter(const sp_parameters *declared, int source,
                                          const char *name)
{
    for (size_t i = 0; i < declared->count; i++) {
        const sp_parameter *parameter = &declared->items[i];

        if (sp_layers_names(source, name, parameter->name))
            return parameter;
        for (size_t j = 0; j < json_array_size(parameter->aliases); j++)
            if (sp_layers_names(source, name,
                                json_string_value(json_array_get(parameter->aliases, j))))
                return parameter;
    }
    return NULL;
}

/* FIFTYONE_BRAIN_SIMILARITY_A_B_C is no c_less parameter of A where there is a backend a_b. */
static int belongs_to_another(const sp_config *config, const sp_layers *from, const char *name)
{
    const char *listed = sp_env_get(config, SP_ENV_BACKENDS);
    const json_t *sections = json_object_get(from->file.root, SP_KEY_BACKENDS);
    char other[256];

    for (const char *end = strchr(name, '_'); end; end = strchr(end + 1, '_')) {
        int size = snprintf(other, sizeof other, "%s_%.*s", from->backend, (int)(end - name), name);

        if (size < 0 || (size_t)size >= sizeof other)
            break;
        if (json_object_get(sections, other) ||
            (config->is_backend && config->is_backend(config->context, other)))
            return 1;
        for (const char *at = listed; at;) {
            size_t length = strcspn(at, ",");

            if (length == (size_t)size && memcmp(at, other, length) == 0)
                return 1;
            at = at[length] ? at + length + 1 : NULL;
        }
    }
    return 0;
}

static int32_t set_unknown(const sp_layers *from, const sp_parameters *declared, int source,
                           const char *name, simplugin_error **error)
{
    const char **known = calloc(declared->count + 1, sizeof *known);
    char *where = sp_layers_place(from, source, name);
    const char *nearest;
    sp_buffer list;
    int32_t code;

    sp_buffer_init(&list);
    if (!known || !where) {
        code = sp_error_no_memory(error);
        goto out;
    }
    for (size_t i = 0; i < declared->count; i++)
        known[i] = declared->items[i].name;
    nearest = sp_suggest_nearest(name, known, declared->count);
    sp_suggest_append_list(&list, known, declared->count);
    sp_buffer_append(&list, "", 1);
    code = sp_error_set(error, SIMPLUGIN_UNKNOWN_PARAMETER, SP_CONFIG_DOMAIN,
                        "%s%sbackend '%s' has no parameter '%.80s'%s%s%s; it has: %s",
                        source == SP_FROM_ARGUMENTS ? "" : where,
                        source == SP_FROM_ARGUMENTS ? "" : ": ", from->backend, name,
                        nearest ? ", did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'" : "", list.failed ? "" : (const char *)list.data);
    sp_error_add_detail(error, source == SP_FROM_ARGUMENTS ? "argument" : "parameter", name);
    sp_error_add_detail(error, "source", where);
    if (nearest)
        sp_error_add_detail(error, "nearest", nearest);
out:
    sp_buffer_clear(&list);
    free(where);
    free(known);
    return code;
}

static int32_t check_names(const sp_config *config, const sp_layers *from,
                           const sp_parameters *declared, simplugin_error **error)
{
    const json_t *objects[] = {from->arguments, from->variables, sp_layers_section(from, 0),
                               sp_layers_section(from, 1)};
    static const int sources[] = {SP_FROM_ARGUMENTS, SP_FROM_ENVIRONMENT, SP_FROM_FILE, SP_FROM_FILE};
    int32_t code = SIMPLUGIN_OK;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        json_object_foreach((json_t *)objects[i], name, value)
        {
            if (code != SIMPLUGIN_OK || find_parameter(declared, sources[i], name) ||
                strcmp(name, CLASS_KEY) == 0)
                continue;
            if (sources[i] == SP_FROM_ENVIRONMENT && belongs_to_another(config, from, name))
                continue;
            code = set_unknown(from, declared, sources[i], name, error);
        }
    }
    return code;
}

/* Stands in for a declaration: everything that is set, of any type. */
static int32_t declare_what_is_set(const sp_layers *from, sp_parameters *declared,
                                   simplugin_error **error)
{
    const json_t *objects[] = {sp_layers_section(from, 1), sp_layers_section(from, 0), from->variables,
                               from->arguments};
    json_t *names = json_object();
    const char *name;
    json_t *value;
    size_t i;

    memset(declared, 0, sizeof *declared);
    for (i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        json_object_foreach((json_t *)objects[i], name, value)
        {
            if (strcmp(name, CLASS_KEY) != 0 &&
                json_object_set_new_nocheck(names, name, json_null()) != 0)
                goto fail;
        }
    }
    declared->items = names ? calloc(json_object_size(names) + 1, sizeof *declared->items) : NULL;
    if (!declared->items)
        goto fail;
    /* The names live in this object's keys. */
    declared->owner = names;
    json_object_foreach(names, name, value)
    {
        declared->items[declared->count].name = name;
        declared->items[declared->count].secret = sp_config_is_secret_name(name);
        declared->count++;
    }
    return SIMPLUGIN_OK;
fail:
    json_decref(names);
    return sp_error_no_memory(error);
}

/* ---- values ------------------------------------------------------------------------- */

/* What people call the type of a value. */
static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "an int";
    case JSON_REAL:
        return "a float";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a bool";
    case JSON_OBJECT:
        return "a map";
    case JSON_ARRAY:
        return "a list";
    default:
        return "null";
    }
}

/* value as the type, a new reference; NULL if it is of another type. */
static json_t *convert(const json_t *value, int type)
{
    int fits = 0;

    switch (type) {
    case SP_PARAMETER_TEXT:
        fits = json_is_string(value) &&
               strlen(json_string_value(value)) == json_string_length(value);
        break;
    case SP_PARAMETER_INT:
        fits = json_is_integer(value);
        break;
    case SP_PARAMETER_FLOAT:
        if (json_is_integer(value))
            return json_real((double)json_integer_value(value));
        fits = json_is_real(value);
        break;
    case SP_PARAMETER_BOOL:
        fits = json_is_boolean(value);
        break;
    case SP_PARAMETER_MAP:
        fits = json_is_object(value);
        break;
    case SP_PARAMETER_LIST:
        fits = json_is_array(value);
        break;
    default:
        fits = 1;
        break;
    }
    return fits ? json_incref((json_t *)value) : NULL;
}

/*
 * A variable's value. FiftyOne's rules do not know what a parameter is, so that three
 * declarations add to them: text stays as it is, maps and lists may be written as JSON
 * (a map cannot be written otherwise), and 1 and 0 are bools too.
 */
static json_t *read_variable(const char *text, int type, int *problem)
{
    size_t space = strspn(text, " \t\r\n");
    json_t *value;

    if (type == SP_PARAMETER_TEXT && *text)
        return sp_value_text(text, problem);
    if ((type == SP_PARAMETER_MAP && text[space] == '{') ||
        (type == SP_PARAMETER_LIST && text[space] == '[')) {
        value = sp_value_text(text, problem);
        json_decref(value);
        if (*problem != SP_VALUE_OK)
            return NULL;
        value = json_loads(text, 0, NULL);
        *problem = value ? SP_VALUE_OK : SP_VALUE_NOT_JSON;
        return value;
    }
    value = sp_value_parse(text, problem);
    if (type == SP_PARAMETER_BOOL && json_is_integer(value) &&
        (json_integer_value(value) == 0 || json_integer_value(value) == 1)) {
        json_t *truth = json_boolean(json_integer_value(value));

        json_decref(value);
        value = truth;
    }
    return value;
}

static int32_t set_wrong_type(const sp_layers *from, const sp_parameter *parameter,
                              const sp_setting *said, const char *what, simplugin_error **error)
{
    static const char *const hints[] = {
        "",          ": write it in quotes", ": write it without quotes or a decimal point",
        "",          ": write true or false", ": write an object such as {\"m\": 16}",
        ": write an array such as [1, 2]"};
    int own = said->source == SP_FROM_ARGUMENTS;
    int32_t code = sp_error_set(
        error, own ? SIMPLUGIN_INVALID_ARGUMENT : SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
        "%s%sthe parameter '%s' of backend '%s' must be of type %s%s%s%s", own ? "" : said->where,
        own ? "" : ": ", said->name, from->backend, sp_parameter_type_name(parameter->type),
        *what ? ", and " : "", what,
        said->source == SP_FROM_FILE || parameter->type > SP_PARAMETER_FLOAT ? hints[parameter->type]
                                                                         : "");

    sp_error_add_detail(error, own ? "argument" : "parameter", said->name);
    sp_error_add_detail(error, "source", said->where);
    sp_error_add_detail(error, "expected", sp_parameter_type_name(parameter->type));
    return code;
}

static int32_t read_setting(const sp_layers *from, const sp_parameter *parameter,
                            const sp_setting *said, json_t **value, simplugin_error **error)
{
    json_t *raw = NULL;
    int problem = SP_VALUE_OK;
    int32_t code = SIMPLUGIN_OK;
    char what[64];

    *value = NULL;
    raw = said->text ? read_variable(said->text, parameter->type, &problem)
                     : json_incref((json_t *)said->value);
    if (!raw && problem == SP_VALUE_NO_MEMORY) {
        code = sp_error_no_memory(error);
    } else if (!raw) {
        code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s: the value of parameter '%s' of backend '%s' %s", said->where,
                            said->name, from->backend, sp_value_problem(problem));
        sp_error_add_detail(error, "parameter", said->name);
        sp_error_add_detail(error, "source", said->where);
    } else if (json_is_null(raw)) {
        *value = json_incref(raw);
    } else if (!(*value = convert(raw, parameter->type))) {
        if (json_is_string(raw) && parameter->type == SP_PARAMETER_TEXT)
            snprintf(what, sizeof what, "may not contain U+0000");
        else
            snprintf(what, sizeof what, "is %s", type_of(raw));
        code = set_wrong_type(from, parameter, said, what, error);
    }
    json_decref(raw);
    return code;
}

/* ---- one parameter ------------------------------------------------------------------ */

static int32_t set_twice(const sp_layers *from, const char *one, const char *other, int source,
                         simplugin_error **error)
{
    char *where = sp_layers_place(from, source, other);
    int32_t code;

    if (!where)
        return sp_error_no_memory(error);
    code = sp_error_set(
        error, source == SP_FROM_ARGUMENTS ? SIMPLUGIN_INVALID_ARGUMENT : SIMPLUGIN_CONFIG,
        SP_CONFIG_DOMAIN, "%s: '%s' and '%s' are one parameter of backend '%s': give only one",
        where, one, other, from->backend);
    sp_error_add_detail(error, source == SP_FROM_ARGUMENTS ? "argument" : "parameter", other);
    free(where);
    return code;
}

/* The setting that counts for the parameter; said->name stays NULL if there is none. */
static int32_t find_setting(const sp_layers *from, const sp_parameter *parameter, sp_setting *said,
                            simplugin_error **error)
{
    memset(said, 0, sizeof *said);
    for (int source = 0; source < SP_SOURCES && !said->name; source++) {
        sp_layers_find(from, source, parameter->name, said);
        for (size_t i = 0; i < json_array_size(parameter->aliases); i++) {
            const char *alias = json_string_value(json_array_get(parameter->aliases, i));
            sp_setting other;

            if (!sp_layers_find(from, source, alias, &other))
                continue;
            if (said->name)
                return set_twice(from, said->name, alias, source, error);
            *said = other;
        }
    }
    said->where = said->name ? sp_layers_place(from, said->source, said->name) : NULL;
    return said->name && !said->where ? sp_error_no_memory(error) : SIMPLUGIN_OK;
}

static void tell_deprecated(sp_config *config, const char *backend, const char *alias,
                            const char *name)
{
    char key[256];
    char message[512];
    int told;

    if (!config->warn)
        return;
    snprintf(key, sizeof key, "%s/%s", backend, alias);
    pthread_mutex_lock(&config->lock);
    told = json_object_get(config->told, key) != NULL;
    if (!told)
        json_object_set_new(config->told, key, json_true());
    pthread_mutex_unlock(&config->lock);
    if (told)
        return;
    snprintf(message, sizeof message, "backend '%s': the parameter '%s' is deprecated, use '%s'",
             backend, alias, name);
    config->warn(config->context, message);
}

static int32_t add_value(json_t *values, json_t *provenance, const sp_parameter *parameter,
                         json_t *value, const char *source, const char *where,
                         simplugin_error **error)
{
    json_t *entry;

    if (json_object_set_new_nocheck(values, parameter->name, value) != 0)
        return sp_error_no_memory(error);
    if (!provenance)
        return SIMPLUGIN_OK;
    entry = json_object();
    if (json_object_set_new(entry, "name", json_string_nocheck(parameter->name)) != 0 ||
        json_object_set_new(entry, "source", json_string(source)) != 0 ||
        json_object_set_new(entry, "where", json_string_nocheck(where)) != 0 ||
        json_object_set_new(entry, "secret",
                            json_boolean(parameter->secret ||
                                         sp_config_is_secret_name(parameter->name))) != 0 ||
        json_array_append(provenance, entry) != 0) {
        json_decref(entry);
        return sp_error_no_memory(error);
    }
    json_decref(entry);
    return SIMPLUGIN_OK;
}

static int32_t add_default(const sp_layers *from, const sp_parameter *parameter, const char *null_in,
                           json_t *values, json_t *provenance, simplugin_error **error)
{
    json_t *value = json_is_null(parameter->fallback)
                        ? json_null()
                        : convert(parameter->fallback, parameter->type);
    char where[512] = "";

    if (!value)
        return sp_error_set(error, SIMPLUGIN_PROTOCOL, SP_CONFIG_DOMAIN,
                            "backend '%s' declares a default for '%s' that is %s, not of type %s",
                            from->backend, parameter->name, type_of(parameter->fallback),
                            sp_parameter_type_name(parameter->type));
    if (null_in)
        snprintf(where, sizeof where, "null in %s", null_in);
    return add_value(values, provenance, parameter, value, "default", where, error);
}

/* ---- parameters that exclude each other ------------------------------------------------ */

static int names_other(const sp_parameter *parameter, const sp_parameter *other)
{
    for (size_t i = 0; i < json_array_size(parameter->excludes); i++)
        if (strcmp(json_string_value(json_array_get(parameter->excludes, i)), other->name) == 0)
            return 1;
    return 0;
}

/* Whether a stronger source says something, other than null, that excludes the setting. */
static int32_t check_displaced(const sp_layers *from, const sp_parameters *declared,
                               const sp_parameter *parameter, const sp_setting *said,
                               int *displaced, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    *displaced = 0;
    for (size_t i = 0; i < declared->count && code == SIMPLUGIN_OK && !*displaced; i++) {
        const sp_parameter *other = &declared->items[i];
        json_t *value = NULL;
        sp_setting beside;

        if (!names_other(parameter, other) && !names_other(other, parameter))
            continue;
        code = find_setting(from, other, &beside, error);
        if (code == SIMPLUGIN_OK && beside.name && beside.source < said->source) {
            code = read_setting(from, other, &beside, &value, error);
            *displaced = code == SIMPLUGIN_OK && !json_is_null(value);
        }
        json_decref(value);
        free(beside.where);
    }
    return code;
}

static int32_t resolve_parameter(sp_config *config, const sp_layers *from,
                                 const sp_parameters *declared, const sp_parameter *parameter,
                                 json_t *values, json_t *provenance, simplugin_error **error)
{
    int displaced = 0;
    json_t *value = NULL;
    sp_setting said;
    int32_t code;

    code = find_setting(from, parameter, &said, error);
    if (code == SIMPLUGIN_OK && said.name)
        code = check_displaced(from, declared, parameter, &said, &displaced, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (!said.name || displaced) {
        if (parameter->fallback)
            code = add_default(from, parameter, NULL, values, provenance, error);
        goto out;
    }
    if (strcmp(said.name, parameter->name) != 0)
        tell_deprecated(config, from->backend, said.name, parameter->name);
    code = read_setting(from, parameter, &said, &value, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (json_is_null(value) && parameter->fallback)
        code = add_default(from, parameter, said.where, values, provenance, error);
    else
        code = add_value(values, provenance, parameter, json_incref(value),
                         source_names[said.source], said.where, error);
out:
    json_decref(value);
    free(said.where);
    return code;
}

int32_t sp_config_resolve(sp_config *config, const char *backend, const sp_parameters *declared,
                          const json_t *arguments, json_t **values, json_t **provenance,
                          simplugin_error **error)
{
    sp_parameters own = {.owner = NULL};
    json_t *found = json_object();
    json_t *origins = json_array();
    sp_layers from = {.backend = backend};
    int32_t code;

    *values = NULL;
    if (provenance)
        *provenance = NULL;
    code = found && origins ? sp_config_check_backend(config, backend, error)
                            : sp_error_no_memory(error);
    if (code == SIMPLUGIN_OK)
        code = sp_layers_init(&from, config, backend, arguments, error);
    if (code == SIMPLUGIN_OK)
        code = declared ? check_names(config, &from, declared, error)
                        : declare_what_is_set(&from, &own, error);
    if (!declared)
        declared = &own;
    for (size_t i = 0; i < declared->count && code == SIMPLUGIN_OK; i++)
        code = resolve_parameter(config, &from, declared, &declared->items[i], found,
                                 provenance ? origins : NULL, error);
    if (code == SIMPLUGIN_OK) {
        *values = found;
        found = NULL;
        if (provenance) {
            *provenance = origins;
            origins = NULL;
        }
    }
    sp_layers_clear(&from);
    sp_parameters_clear(&own);
    json_decref(found);
    json_decref(origins);
    return code;
}
