/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "known.h"

#include <stdlib.h>

#include "instance.h"
#include "query.h"

#define SAMPLE_ROWS 64
#define KNOWN_MAX 4096 /* fields of one collection that are remembered */

struct milvus_known {
    milvus_known *next;
    char *collection;
    int64_t collection_id;
    int is_sampled;
    sp_arena *memory;
    uint64_t count, capacity;
    const char **names;
    uint32_t *types;
};

static milvus_known *known_find_locked(milvus_call *call)
{
    milvus_known *at = call->instance->known;

    while (at && (at->collection_id != call->schema->collection_id ||
                  strcmp(at->collection, call->collection) != 0))
        at = at->next;
    if (at)
        return at;
    at = calloc(1, sizeof *at);
    if (at && !(at->collection = strdup(call->collection))) {
        free(at);
        at = NULL;
    }
    if (at) {
        at->collection_id = call->schema->collection_id;
        at->next = call->instance->known;
        call->instance->known = at;
    }
    return at;
}

static uint32_t type_find(const milvus_known *known, const char *name)
{
    for (uint64_t i = 0; i < known->count; i++)
        if (strcmp(known->names[i], name) == 0)
            return known->types[i];
    return 0;
}

/* What does not fit is not remembered: then the server's rows decide. */
static void type_add(milvus_known *known, const char *name, uint32_t type)
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

int32_t milvus_known_learn(milvus_call *call)
{
    milvus_query query = {.expr = "", .limit = SAMPLE_ROWS, .fields = 1, .level = -1};
    simplugin_instance *instance = call->instance;
    milvus_known *known;
    milvus_page page;
    milvus_rpc rpc;
    milvus_seen seen;
    int is_sampled;
    int32_t code;

    if (!call->schema->has_dynamic)
        return SIMPLUGIN_OK;
    pthread_mutex_lock(&instance->base.lock);
    known = known_find_locked(call);
    is_sampled = known && known->is_sampled;
    pthread_mutex_unlock(&instance->base.lock);
    if (!known)
        return plug_no_memory(&call->base);
    if (is_sampled)
        return SIMPLUGIN_OK;
    code = milvus_query_run(call, &query, &rpc, &page);
    if (!code)
        code = milvus_fields_see(call, &page, &seen);
    if (!code) {
        pthread_mutex_lock(&instance->base.lock);
        known = known_find_locked(call);
        for (uint64_t i = 0; known && i < seen.count; i++)
            type_add(known, seen.names[i], seen.types[i]);
        if (known)
            known->is_sampled = 1;
        pthread_mutex_unlock(&instance->base.lock);
    }
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

static int has_values(const sp_column *column, const int64_t *select, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (sp_column_is_valid(column, select ? (uint64_t)select[i] : i))
            return 1;
    return 0;
}

int32_t milvus_known_check(milvus_call *call, const plug_columns *fields, const int64_t *select,
                           uint64_t count)
{
    int32_t code = SIMPLUGIN_OK;
    milvus_known *known;

    if (fields->count)
        code = milvus_known_learn(call);
    if (code)
        return code;
    for (uint64_t i = 0; i < fields->count; i++) {
        const char *name = fields->names[i];
        uint32_t type = milvus_declared_type(call->schema, name);

        if (milvus_schema_field(call->schema, name) ||
            !has_values(&fields->columns[i], select, count))
            continue;
        if (!type) {
            pthread_mutex_lock(&call->instance->base.lock);
            known = known_find_locked(call);
            type = known ? type_find(known, name) : 0;
            pthread_mutex_unlock(&call->instance->base.lock);
        }
        if (type && type != fields->columns[i].type)
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%s\" is %s in the collection, not %s", name,
                                      sp_column_type_name(type),
                                      sp_column_type_name(fields->columns[i].type));
    }
    return SIMPLUGIN_OK;
}

void milvus_known_add(milvus_call *call, const plug_columns *fields, const int64_t *select,
                      uint64_t count)
{
    milvus_known *known;

    pthread_mutex_lock(&call->instance->base.lock);
    known = known_find_locked(call);
    for (uint64_t i = 0; known && i < fields->count; i++)
        if (!milvus_schema_field(call->schema, fields->names[i]) &&
            has_values(&fields->columns[i], select, count))
            type_add(known, fields->names[i], fields->columns[i].type);
    pthread_mutex_unlock(&call->instance->base.lock);
}

int32_t milvus_known_list(milvus_call *call, milvus_seen *seen)
{
    milvus_known *known;
    int32_t code = milvus_known_learn(call);

    memset(seen, 0, sizeof *seen);
    if (code)
        return code;
    pthread_mutex_lock(&call->instance->base.lock);
    known = known_find_locked(call);
    if (known) {
        seen->names = plug_scratch(&call->base, known->count + 1, sizeof *seen->names);
        seen->types = plug_scratch(&call->base, known->count + 1, sizeof *seen->types);
    }
    if (!known || !seen->names || !seen->types)
        code = plug_no_memory(&call->base);
    for (uint64_t i = 0; !code && i < known->count; i++) {
        seen->names[i] =
            sp_arena_text(&call->base.scratch, known->names[i], strlen(known->names[i]));
        seen->types[i] = known->types[i];
        seen->count++;
        if (!seen->names[i])
            code = plug_no_memory(&call->base);
    }
    pthread_mutex_unlock(&call->instance->base.lock);
    return code;
}

static void known_free(milvus_known *known)
{
    sp_arena_free(&known->memory);
    free(known->collection);
    free(known->names);
    free(known->types);
    free(known);
}

void milvus_known_forget(simplugin_instance *instance, const char *collection)
{
    milvus_known **at;

    pthread_mutex_lock(&instance->base.lock);
    at = &instance->known;
    while (*at) {
        milvus_known *known = *at;

        if (collection && strcmp(known->collection, collection) != 0) {
            at = &known->next;
            continue;
        }
        *at = known->next;
        known_free(known);
    }
    pthread_mutex_unlock(&instance->base.lock);
}
