/* SPDX-License-Identifier: Apache-2.0 */
#include "search_parameters.h"

#include <stdlib.h>
#include <string.h>

#include "suggest.h"

#define NAMES_MAX 64

static int type_fits(int type, const json_t *value)
{
    switch (type) {
    case SP_PARAMETER_TEXT: return json_is_string(value);
    case SP_PARAMETER_INT: return json_is_integer(value);
    case SP_PARAMETER_FLOAT: return json_is_number(value);
    case SP_PARAMETER_BOOL: return json_is_boolean(value);
    case SP_PARAMETER_MAP: return json_is_object(value);
    case SP_PARAMETER_LIST: return json_is_array(value);
    default: return 1;
    }
}

static int32_t parameter_unknown(const sp_args *args, const sp_index *index,
                                 const sp_parameters *declared, const char *name,
                                 simplugin_error **error)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const char *near;
    sp_buffer list;
    char *text;

    for (; count < declared->count && count < NAMES_MAX; count++)
        names[count] = declared->items[count].name;
    near = sp_suggest_nearest(name, names, count);
    sp_buffer_init(&list);
    sp_suggest_append_list(&list, names, count);
    text = sp_buffer_steal(&list, NULL);
    sp_error_set(error, SIMPLUGIN_UNKNOWN_PARAMETER, "core",
                 "%s: parameters: \"%s\" is no search parameter of %s%s%s%s; known: %s",
                 args->method, name, index->backend, near ? ", did you mean \"" : "",
                 near ? near : "", near ? "\"?" : "", text ? text : "?");
    sp_error_add_detail(error, "argument", name);
    free(text);
    return SIMPLUGIN_UNKNOWN_PARAMETER;
}

int32_t sp_arg_search_parameters(const sp_args *args, const sp_index *index, json_t **parameters,
                                 simplugin_error **error)
{
    const sp_describe *describe = sp_connection_describe(index->connection);
    json_t *list = json_object_get(describe->json, "search_parameters");
    sp_parameters declared = {0};
    const char *name;
    json_t *value;
    int32_t code = sp_arg_json(args, "parameters", parameters, error);

    if (code || !*parameters)
        return code;
    if (list)
        code = sp_parameters_init(&declared, index->backend, list, error);
    json_object_foreach(*parameters, name, value) {
        const sp_parameter *found = NULL;

        for (size_t i = 0; i < declared.count && !found; i++)
            if (strcmp(declared.items[i].name, name) == 0)
                found = &declared.items[i];
        if (!code && !found)
            code = parameter_unknown(args, index, &declared, name, error);
        if (!code && !json_is_null(value) && !type_fits(found->type, value))
            code = sp_arg_error(args, error, "parameters", "\"%s\" is not of type %s", name,
                                sp_parameter_type_name(found->type));
    }
    sp_parameters_clear(&declared);
    return code;
}
