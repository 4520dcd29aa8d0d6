/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes up to the first zero as a configuration file, and from there on as the value of
 * variables. What is taken must resolve or be refused, be found where provenance says, and
 * show no secret once it is masked.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "config_internal.h"
#include "simplugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static char *copy_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    require(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Every value of the file has a place, and the place is in the file. */
static void check_places(const sp_config_file *file)
{
    const json_t *sections = json_object_get(file->root, SP_KEY_BACKENDS);
    const char *keys[3] = {SP_KEY_BACKENDS, NULL, NULL};
    const char *section;
    const char *name;
    json_t *values;
    json_t *value;

    json_object_foreach((json_t *)sections, section, values)
    {
        json_object_foreach(values, name, value)
        {
            char *place;

            keys[1] = section;
            keys[2] = name;
            place = sp_config_file_place(file, keys, 3);
            require(place && strncmp(place, "fuzz:", 5) == 0);
            free(place);
        }
    }
}

static void check_file(const uint8_t *data, size_t size)
{
    sp_config_file file;
    simplugin_error *error = NULL;
    int32_t code;

    memset(&file, 0, sizeof file);
    code = sp_config_file_take(&file, "fuzz", copy_text(data, size), size, &error);
    require(code == SIMPLUGIN_OK || code == SIMPLUGIN_CONFIG);
    require(simplugin_error_code(error) == code);
    if (code == SIMPLUGIN_OK)
        check_places(&file);
    else
        require(strncmp(simplugin_error_message(error, NULL), "fuzz", 4) == 0);
    simplugin_error_free(&error);
    sp_config_file_clear(&file);
}

/* The parameters of every type, each said by a variable of its own. */
static json_t *make_environment(const char *text)
{
    static const char *const names[] = {"ANY", "TEXT", "INT", "FLOAT", "BOOL", "MAP", "LIST"};
    json_t *environment = json_object();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];

        strcpy(stpcpy(name, SP_ENV_PREFIX "MINE_"), names[i]);
        json_object_set_new(environment, name, json_string_nocheck(text));
    }
    json_object_set_new(environment, SP_ENV_FILE, json_string(""));
    json_object_set_new(environment, "HOME", json_string("/nonexistent"));
    return environment;
}

static void check_variables(const char *text)
{
    json_t *environment = make_environment(text);
    sp_config_options options = {.environment = environment};
    sp_config *config = NULL;

    require(sp_config_new(&options, &config, NULL) == SIMPLUGIN_OK);
    for (int type = SP_PARAMETER_ANY; type <= SP_PARAMETER_LIST; type++) {
        sp_parameter item = {.name = sp_parameter_type_name(type), .type = type, .secret = 1};
        sp_parameters all = {.owner = NULL};
        json_t *declared = json_array();
        json_t *values = NULL;
        json_t *masked;
        int32_t code;

        for (int i = SP_PARAMETER_ANY; i <= SP_PARAMETER_LIST; i++)
            json_array_append_new(declared,
                                  json_pack("{s:s, s:s}", "name", sp_parameter_type_name(i), "type",
                                            i == type ? item.name : "text"));
        require(sp_parameters_init(&all, "mine", declared, NULL) == SIMPLUGIN_OK);
        code = sp_config_resolve(config, "mine", &all, NULL, &values, NULL, NULL);
        require(code == SIMPLUGIN_OK || code == SIMPLUGIN_CONFIG);
        if (values) {
            masked = sp_config_masked(values, &all);
            require(masked != NULL);
            json_decref(masked);
        }
        json_decref(values);
        json_decref(declared);
        sp_parameters_clear(&all);
    }
    sp_config_free(config);
    json_decref(environment);
}

/* Masked once is masked. */
static void check_mask(const char *text)
{
    char *once = sp_config_mask_text(text);
    char *twice = once ? sp_config_mask_text(once) : NULL;

    require(once && twice && strcmp(once, twice) == 0);
    free(once);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t first = zero ? (size_t)(zero - data) : size;
    char *text;

    check_file(data, first);
    text = zero ? copy_text(zero + 1, size - first - 1) : copy_text(data, size);
    check_variables(text);
    check_mask(text);
    free(text);
    return 0;
}
