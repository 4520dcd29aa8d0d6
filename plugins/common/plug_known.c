/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_known.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 4096 /* fields of one collection that are remembered */

struct plug_known {
    plug_known *next;
    char *collection;
    int64_t collection_id;
    int is_sampled;
    sp_arena *memory;
    uint64_t count, capacity;
    const char **names;
    uint32_t *types;
};

static plug_known *known_find_locked(const plug_known_of *of)
{
    plug_known *at = *of->known;

    while (at &&
           (at->collection_id != of->collection_id || strcmp(at->collection, of->collection) != 0))
        at = at->next;
    if (at)
        return at;
    at = calloc(1, sizeof *at);
    if (at && !(at->collection = strdup(of->collection))) {
        free(at);
        at = NULL;
    }
    if (at) {
        at->collection_id = of->collection_id;
        at->next = *of->known;
        *of->known = at;
    }
    return at;
}

static uint32_t type_find(const plug_known *known, const char *name)
{
    for (uint64_t i = 0; i < known->count; i++)
        if (strcmp(known->names[i], name) == 0)
            return known->types[i];
    return 0;
}

static void type_drop(plug_known *known, const char *name)
{
    for (uint64_t i = 0; i < known->count; i++)
        if (strcmp(known->names[i], name) == 0) {
            known->count--;
            known->names[i] = known->names[known->count];
            known->types[i] = known->types[known->count];
            return;
        }
}

/* What does not fit is not remembered: then the server's rows decide. */
static void type_add(plug_known *known, const char *name, uint32_t type)
{
    char *copy;

    if (type_find(known, name) || known->count >= KNOWN_MAX)
        return;
    if (known->count == known->capacity) {
        uint64_t capacity = known->capacity ? known->capacity * 2 : 16;
        const char **names = realloc(known->names, (size_t)capacity * sizeof *names);
        uint32_t *types;

        if (!names)
            return;
        known->names = names;
        types = realloc(known->types, (size_t)capacity * sizeof *types);
        if (!types)
            return;
        known->types = types;
        known->capacity = capacity;
    }
    copy = sp_arena_text(&known->memory, name, strlen(name));
    if (!copy)
        return;
    known->names[known->count] = copy;
    known->types[known->count++] = type;
}

/*
 * What some rows show goes into what is known, unless it was forgotten meanwhile. changed: the
 * name of a field that has another type now, of somebody else's; NULL: only what is new.
 */
static int32_t sample_take(const plug_known_of *of, uint64_t forgotten, const char *changed)
{
    plug_known *known;
    plug_seen seen;
    int32_t code = of->sample(of->context, &seen);

    if (code)
        return code == PLUG_UNSEEN ? SIMPLUGIN_OK : code;
    pthread_mutex_lock(&of->instance->lock);
    known = of->instance->forgotten == forgotten ? known_find_locked(of) : NULL;
    if (known && changed && !seen.count)
        known->count = 0;
    for (uint64_t i = 0; known && i < seen.count; i++) {
        if (of->is_schema && of->is_schema(of->context, seen.names[i]))
            continue;
        if (changed && strcmp(changed, seen.names[i]) == 0)
            type_drop(known, changed);
        type_add(known, seen.names[i], seen.types[i]);
    }
    if (known)
        known->is_sampled = 1;
    pthread_mutex_unlock(&of->instance->lock);
    return SIMPLUGIN_OK;
}

int32_t plug_known_learn(const plug_known_of *of)
{
    plug_known *known;
    uint64_t forgotten;
    int is_sampled;

    if (!of->sample)
        return SIMPLUGIN_OK;
    pthread_mutex_lock(&of->instance->lock);
    known = known_find_locked(of);
    is_sampled = known && known->is_sampled;
    forgotten = of->instance->forgotten;
    pthread_mutex_unlock(&of->instance->lock);
    if (!known)
        return plug_no_memory(of->call);
    return is_sampled ? SIMPLUGIN_OK : sample_take(of, forgotten, NULL);
}

static int has_values(const sp_column *column, const int64_t *select, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (sp_column_is_valid(column, select ? (uint64_t)select[i] : i))
            return 1;
    return 0;
}

static uint32_t type_known(const plug_known_of *of, const char *name, uint64_t *forgotten)
{
    plug_known *known;
    uint32_t type;

    pthread_mutex_lock(&of->instance->lock);
    known = known_find_locked(of);
    type = known ? type_find(known, name) : 0;
    *forgotten = of->instance->forgotten;
    pthread_mutex_unlock(&of->instance->lock);
    return type;
}

/*
 * The type that a field's values are to have; 0: any. Where it is only remembered and is not
 * what is wanted, some rows are looked at once more: others may have made the collection anew.
 */
static int32_t type_wanted(const plug_known_of *of, const char *name, uint32_t given,
                           uint32_t *type)
{
    uint32_t items = of->items ? of->items(of->context, name) : 0;
    int32_t code = SIMPLUGIN_OK;
    uint64_t forgotten;

    *type = of->declared ? of->declared(of->context, name) : 0;
    if (!*type) {
        *type = type_known(of, name, &forgotten);
        if (*type && *type != given && of->sample) {
            code = sample_take(of, forgotten, name);
            *type = type_known(of, name, &forgotten);
        }
    }
    if (items && (*type & ~SP_LIST) != items)
        /* not known yet, or of rows that somebody wrote past what is to be there */
        *type = items | (given & SP_LIST);
    return code;
}

int32_t plug_known_check(const plug_known_of *of, const plug_columns *fields, const int64_t *select,
                         uint64_t count)
{
    int32_t code = fields->count ? plug_known_learn(of) : SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < fields->count; i++) {
        const char *name = fields->names[i];
        uint32_t given = fields->columns[i].type, type;

        if ((of->is_schema && of->is_schema(of->context, name)) ||
            !has_values(&fields->columns[i], select, count))
            continue;
        code = type_wanted(of, name, given, &type);
        if (!code && type && type != given)
            code = plug_fail_argument(of->call, "fields",
                                      "fields: \"%s\" is %s in the collection, not %s", name,
                                      sp_column_type_name(type), sp_column_type_name(given));
    }
    return code;
}

void plug_known_add(const plug_known_of *of, const plug_columns *fields, const int64_t *select,
                    uint64_t count)
{
    plug_known *known;

    pthread_mutex_lock(&of->instance->lock);
    known = known_find_locked(of);
    for (uint64_t i = 0; known && i < fields->count; i++)
        if (!(of->is_schema && of->is_schema(of->context, fields->names[i])) &&
            has_values(&fields->columns[i], select, count))
            type_add(known, fields->names[i], fields->columns[i].type);
    pthread_mutex_unlock(&of->instance->lock);
}

int32_t plug_known_list(const plug_known_of *of, plug_seen *seen)
{
    int32_t code = plug_known_learn(of);
    plug_known *known;

    memset(seen, 0, sizeof *seen);
    if (code)
        return code;
    pthread_mutex_lock(&of->instance->lock);
    known = known_find_locked(of);
    if (known) {
        seen->names = plug_scratch(of->call, known->count + 1, sizeof *seen->names);
        seen->types = plug_scratch(of->call, known->count + 1, sizeof *seen->types);
    }
    if (!known || !seen->names || !seen->types)
        code = plug_no_memory(of->call);
    for (uint64_t i = 0; !code && i < known->count; i++) {
        seen->names[i] =
            sp_arena_text(&of->call->scratch, known->names[i], strlen(known->names[i]));
        seen->types[i] = known->types[i];
        seen->count++;
        if (!seen->names[i])
            code = plug_no_memory(of->call);
    }
    pthread_mutex_unlock(&of->instance->lock);
    return code;
}

static void known_free(plug_known *known)
{
    sp_arena_free(&known->memory);
    free(known->collection);
    free(known->names);
    free(known->types);
    free(known);
}

void plug_known_forget(plug_instance *instance, plug_known **list, const char *collection)
{
    plug_known **at = list;

    pthread_mutex_lock(&instance->lock);
    instance->forgotten++;
    while (*at) {
        plug_known *known = *at;

        if (collection && strcmp(known->collection, collection) != 0) {
            at = &known->next;
            continue;
        }
        *at = known->next;
        known_free(known);
    }
    pthread_mutex_unlock(&instance->lock);
}
