/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(contract_why *why, const char *format, ...)
{
    va_list args;

    if (why->text[0])
        return 0;
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return 0;
}

const char *notation(const json_t *value, json_t **argument)
{
    void *iter;

    if (!json_is_object(value) || json_object_size(value) != 1)
        return NULL;
    iter = json_object_iter((json_t *)(uintptr_t)value);
    if (json_object_iter_key(iter)[0] != '$')
        return NULL;
    *argument = json_object_iter_value(iter);
    return json_object_iter_key(iter);
}

double contract_random(uint64_t seed, uint64_t i)
{
    /* splitmix64, whose state after i steps is seed + (i + 1) * gamma */
    uint64_t z = seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 40) / 8388608.0 - 1.0;
}

static json_int_t number_key(const json_t *object, const char *key, json_int_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static json_t *id_range(const json_t *argument)
{
    const char *prefix = json_string_value(json_object_get(argument, "prefix"));
    json_int_t first = number_key(argument, "first", 0);
    json_int_t count = number_key(argument, "count", 0);
    int width = (int)number_key(argument, "width", 1);
    json_t *ids = json_array();
    char id[300];

    for (json_int_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%s%0*lld", prefix ? prefix : "", width, (long long)(first + i));
        json_array_append_new(ids, json_string(id));
    }
    return ids;
}

static json_t *random_rows(const json_t *argument)
{
    uint64_t seed = (uint64_t)number_key(argument, "seed", 0);
    json_int_t rows = number_key(argument, "rows", 1);
    json_int_t cols = number_key(argument, "cols", 1);
    json_int_t first = number_key(argument, "first", 0);
    json_t *matrix = json_array();

    for (json_int_t r = first; r < first + rows; r++) {
        json_t *row = json_array();
        for (json_int_t c = 0; c < cols; c++)
            json_array_append_new(row,
                                  json_real(contract_random(seed, (uint64_t)(r * cols + c))));
        json_array_append_new(matrix, row);
    }
    return matrix;
}

static json_t *repeat(const json_t *argument)
{
    json_t *value = json_object_get(argument, "value");
    json_int_t count = number_key(argument, "count", 0);
    const char *text = json_string_value(json_object_get(argument, "text"));
    json_t *result;

    if (text) {
        size_t size = strlen(text) * (size_t)count;
        char *all = malloc(size + 1);

        if (!all)
            return NULL;
        for (json_int_t i = 0; i < count; i++)
            memcpy(all + (size_t)i * strlen(text), text, strlen(text));
        result = json_stringn(all, size);
        free(all);
        return result;
    }
    result = json_array();
    for (json_int_t i = 0; i < count; i++)
        json_array_append(result, value);
    return result;
}

static json_t *join(const json_t *arrays)
{
    json_t *all = json_array();
    size_t i;
    json_t *part;

    json_array_foreach(arrays, i, part)
        json_array_extend(all, part);
    return all;
}

static json_t *joined_text(const char *a, const char *between, const char *b)
{
    return json_sprintf("%s%s%s", a, between, b);
}

/* The plain value of a notation whose argument is expanded; NULL if it is not one of ours. */
static json_t *resolve(const contract_scope *scope, const char *name, json_t *argument, int lists,
                       contract_why *why)
{
    const char *text = json_string_value(argument);

    if (!strcmp(name, "$var")) {
        json_t *value = text ? json_object_get(scope->variables, text) : NULL;
        if (!value)
            why_set(why, "the case binds no variable \"%s\"", text ? text : "?");
        return json_incref(value);
    }
    if (!strcmp(name, "$ids"))
        return id_range(argument);
    if (!strcmp(name, "$repeat"))
        return repeat(argument);
    if (!strcmp(name, "$join"))
        return join(argument);
    if (!strcmp(name, "$path") && text)
        return joined_text(scope->directory, "/", text);
    if (!strcmp(name, "$unique") && text)
        return joined_text(text, "_", scope->unique);
    if (!strcmp(name, "$backend"))
        return json_string(scope->backend);
    if (!strcmp(name, "$plugin_path"))
        return json_deep_copy(scope->plugin_path);
    if (lists && !strcmp(name, "$random"))
        return random_rows(argument);
    if (lists && !strcmp(name, "$tensor"))
        return json_incref(json_object_get(argument, "data"));
    return NULL;
}

json_t *scope_expand(const contract_scope *scope, const json_t *value, int lists,
                     contract_why *why)
{
    json_t *argument = NULL;
    const char *name = notation(value, &argument);
    json_t *copy, *part, *expanded;
    const char *key;
    size_t i;

    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach(value, i, part) {
            expanded = scope_expand(scope, part, lists, why);
            if (!expanded)
                goto fail;
            json_array_append_new(copy, expanded);
        }
        return copy;
    }
    if (!json_is_object(value))
        return json_deep_copy(value);
    copy = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, key, part) {
        expanded = scope_expand(scope, part, lists, why);
        if (!expanded)
            goto fail;
        json_object_set_new(copy, key, expanded);
    }
    if (name) {
        expanded = resolve(scope, name, json_object_get(copy, name), lists, why);
        if (expanded || why->text[0]) {
            json_decref(copy);
            return expanded;
        }
    }
    return copy;

fail:
    json_decref(copy);
    return NULL;
}
