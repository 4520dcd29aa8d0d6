/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers, switches and lists say how to connect, not where to; a port may be either. */
static int is_place(const sp_parameter *p)
{
    return p->connection && !p->secret &&
           (p->type == SP_PARAMETER_TEXT || p->type == SP_PARAMETER_ANY);
}

/*
 * The real path of as much of it as is there, and the rest as it is: the same before and
 * after what it leads to was made. NULL: no memory.
 */
static char *path_real(const char *path)
{
    size_t size = strlen(path);
    char *begin = NULL, *real = NULL, *whole = NULL;

    errno = 0;
    begin = strdup(path);
    while (begin && size) {
        real = realpath(size > 1 ? begin : "/", NULL);
        if (real || errno == ENOMEM)
            break;
        while (size && path[size - 1] != '/')
            size--;
        while (size > 1 && path[size - 1] == '/')
            size--;
        begin[size] = '\0';
        if (size <= 1)
            break;
    }
    if (real && asprintf(&whole, "%s%s", real, path + size) < 0)
        whole = NULL;
    else if (!real && begin && errno != ENOMEM)
        whole = strdup(path);
    free(begin);
    free(real);
    return whole;
}

/* *place NULL: it says nothing. 0: no memory. */
static int place_of(const json_t *value, json_t **place)
{
    const char *text = json_string_value(value);
    char *real = NULL;

    *place = NULL;
    if (json_is_integer(value)) {
        *place = json_sprintf("%lld", (long long)json_integer_value(value));
        return *place != NULL;
    }
    if (!text || !*text)
        return 1;
    if (*text == '/' && !(real = path_real(text)))
        return 0;
    /* a path need not be UTF-8 */
    *place = real ? json_string(real) : NULL;
    if (!*place)
        *place = json_string(text);
    free(real);
    return *place != NULL;
}

char *sp_endpoint_text(const sp_resolved *resolved)
{
    json_t *shown = sp_config_masked(resolved->values, &resolved->parameters);
    json_t *places = json_object();
    const char *name = json_string_value(json_object_get(resolved->describe->json, "name"));
    json_t *all = NULL, *place;
    char *text = NULL;
    int ok = shown && places;

    for (size_t i = 0; ok && i < resolved->parameters.count; i++) {
        const sp_parameter *p = &resolved->parameters.items[i];

        if (!is_place(p))
            continue;
        ok = place_of(json_object_get(shown, p->name), &place);
        if (ok && place)
            ok = !json_object_set_new(places, p->name, place);
    }
    if (ok)
        all = json_pack("[s, O]", name ? name : resolved->backend, places);
    if (all)
        text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(all);
    json_decref(places);
    json_decref(shown);
    return text;
}
