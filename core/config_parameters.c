/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that a backend declares, from the reply of its describe. */
#include "config.h"

#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PARAMETERS 1024

static const char *const type_names[] = {"any", "text", "int", "float", "bool", "map", "list"};

const char *sp_parameter_type_name(int type)
{
    return type >= 0 && type <= SP_PARAMETER_LIST ? type_names[type] : "any";
}

static int find_type(const json_t *name)
{
    for (int type = 0; json_is_string(name) && type <= SP_PARAMETER_LIST; type++)
        if (strcmp(json_string_value(name), type_names[type]) == 0)
            return type;
    return -1;
}

static int is_name(const json_t *name)
{
    return json_is_string(name) && json_string_length(name) > 0 &&
           json_string_length(name) == strlen(json_string_value(name));
}

static int are_names(const json_t *names)
{
    size_t good = 0;

    while (good < json_array_size(names) && is_name(json_array_get(names, good)))
        good++;
    return json_is_array(names) && good == json_array_size(names);
}

/* What is wrong with the entry, NULL if nothing; fills parameter from it. */
static const char *read_parameter(sp_parameter *parameter, json_t *entry)
{
    const json_t *name = json_object_get(entry, "name");
    const json_t *secret = json_object_get(entry, "secret");
    const json_t *connection = json_object_get(entry, "connection");
    const json_t *aliases = json_object_get(entry, "aliases");
    const json_t *excludes = json_object_get(entry, "excludes");

    if (!is_name(name))
        return "has no name";
    parameter->name = json_string_value(name);
    parameter->type = find_type(json_object_get(entry, "type"));
    if (parameter->type < 0)
        return "has no type of text, int, float, bool, map, list or any";
    if (secret && !json_is_boolean(secret) && !json_is_null(secret))
        return "has a secret that is neither true nor false";
    parameter->secret = json_is_true(secret);
    if (connection && !json_is_boolean(connection) && !json_is_null(connection))
        return "has a connection that is neither true nor false";
    parameter->connection = json_is_true(connection);
    if (aliases && !json_is_null(aliases) && !are_names(aliases))
        return "has aliases that are no array of names";
    parameter->aliases = json_is_array(aliases) ? aliases : NULL;
    if (excludes && !json_is_null(excludes) && !are_names(excludes))
        return "has excludes that are no array of names";
    parameter->excludes = json_is_array(excludes) ? excludes : NULL;
    parameter->fallback = json_object_get(entry, "default");
    return NULL;
}

static int is_declared_before(const sp_parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->items[i].name, name) == 0)
            return 1;
        for (size_t j = 0; j < json_array_size(parameters->items[i].aliases); j++)
            if (strcmp(json_string_value(json_array_get(parameters->items[i].aliases, j)), name) ==
                0)
                return 1;
    }
    return 0;
}

int32_t sp_parameters_init(sp_parameters *parameters, const char *backend, json_t *declared,
                           simplugin_error **error)
{
    size_t count = json_array_size(declared);
    int32_t code = SIMPLUGIN_OK;

    memset(parameters, 0, sizeof *parameters);
    if (declared && !json_is_array(declared))
        return sp_error_set(error, SIMPLUGIN_PROTOCOL, SP_CONFIG_DOMAIN,
                            "backend '%s' declares its parameters as something other than an array",
                            backend);
    if (count > MAX_PARAMETERS)
        return sp_error_set(error, SIMPLUGIN_PROTOCOL, SP_CONFIG_DOMAIN,
                            "backend '%s' declares more than %d parameters", backend,
                            MAX_PARAMETERS);
    parameters->owner = json_incref(declared);
    parameters->items = calloc(count + 1, sizeof *parameters->items);
    if (!parameters->items)
        code = sp_error_no_memory(error);
    for (size_t i = 0; i < count && code == SIMPLUGIN_OK; i++) {
        sp_parameter *parameter = &parameters->items[i];
        const char *problem = read_parameter(parameter, json_array_get(declared, i));

        if (!problem && is_declared_before(parameters, parameter->name))
            problem = "has a name that is declared twice";
        if (problem)
            code = sp_error_set(error, SIMPLUGIN_PROTOCOL, SP_CONFIG_DOMAIN,
                                "parameter %zu%s%s that backend '%s' declares %s", i + 1,
                                parameter->name ? ", " : "",
                                parameter->name ? parameter->name : "", backend, problem);
        else
            parameters->count++;
    }
    if (code != SIMPLUGIN_OK)
        sp_parameters_clear(parameters);
    return code;
}

void sp_parameters_clear(sp_parameters *parameters)
{
    free(parameters->items);
    json_decref(parameters->owner);
    memset(parameters, 0, sizeof *parameters);
}
