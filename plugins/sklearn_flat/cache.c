/* SPDX-License-Identifier: Apache-2.0 */
/* The open collections of an instance. */
#include "config.h"

#include "instance.h"

static int is_named(const flat_collection *collection, sp_text name)
{
    return collection->name_size == name.size &&
           memcmp(collection->name, name.data, name.size) == 0;
}

static void collection_free(flat_collection *collection)
{
    if (!collection)
        return;
    for (int i = 0; i < FLAT_MAX_MASKS; i++) {
        free(collection->masks[i].filter);
        flat_mask_release(collection->masks[i].mask);
    }
    flat_store_close(collection->store);
    free(collection->name);
    free(collection);
}

static flat_collection *find_locked(simplugin_instance *instance, sp_text name)
{
    flat_collection *at = instance->collections;

    while (at && !is_named(at, name))
        at = at->next;
    return at;
}

static void unlink_locked(simplugin_instance *instance, flat_collection *collection)
{
    flat_collection **at = &instance->collections;

    while (*at != collection)
        at = &(*at)->next;
    *at = collection->next;
    collection->next = NULL;
}

/* Takes out the idle collection that was used least lately, if there are too many. */
static flat_collection *evict_locked(simplugin_instance *instance)
{
    flat_collection *oldest = NULL;
    uint64_t idle = 0;

    for (flat_collection *at = instance->collections; at; at = at->next) {
        if (at->users)
            continue;
        idle++;
        if (!oldest || at->used < oldest->used)
            oldest = at;
    }
    if (idle <= FLAT_MAX_IDLE)
        return NULL;
    unlink_locked(instance, oldest);
    return oldest;
}

static flat_collection *collection_new(flat_call *call, int32_t *code)
{
    flat_collection *collection = calloc(1, sizeof *collection);

    if (collection) {
        collection->name = malloc(call->base.name.size + 1);
        collection->name_size = call->base.name.size;
    }
    if (!collection || !collection->name) {
        collection_free(collection);
        *code = plug_no_memory(&call->base);
        return NULL;
    }
    memcpy(collection->name, call->base.name.data, call->base.name.size);
    collection->name[call->base.name.size] = '\0';
    *code = flat_store_open(call->instance->root, call->base.name, &collection->store, call->base.error);
    if (*code) {
        collection_free(collection);
        return NULL;
    }
    return collection;
}

int32_t flat_collection_acquire(flat_call *call, int *was_open)
{
    simplugin_instance *instance = call->instance;
    flat_collection *opened = NULL;
    flat_collection *found;
    int32_t code = SIMPLUGIN_OK;

    pthread_mutex_lock(&instance->base.lock);
    found = find_locked(instance, call->base.name);
    *was_open = found != NULL;
    if (!found) {
        pthread_mutex_unlock(&instance->base.lock);
        opened = collection_new(call, &code);
        if (!opened)
            return code;
        pthread_mutex_lock(&instance->base.lock);
        /* another call may have been quicker */
        found = find_locked(instance, call->base.name);
        if (!found) {
            found = opened;
            opened = NULL;
            found->number = ++instance->collection_number;
            found->next = instance->collections;
            instance->collections = found;
        }
    }
    found->users++;
    found->used = ++instance->clock;
    pthread_mutex_unlock(&instance->base.lock);
    collection_free(opened);
    call->collection = found;
    call->store = found->store;
    return SIMPLUGIN_OK;
}

void flat_collection_release(simplugin_instance *instance, flat_collection *collection)
{
    flat_collection *unused = NULL;

    if (!collection)
        return;
    pthread_mutex_lock(&instance->base.lock);
    if (--collection->users == 0)
        unused = collection->forgotten ? collection : evict_locked(instance);
    pthread_mutex_unlock(&instance->base.lock);
    collection_free(unused);
}

void flat_collection_forget(simplugin_instance *instance, flat_collection *collection)
{
    flat_collection *unused = NULL;

    pthread_mutex_lock(&instance->base.lock);
    if (!collection->forgotten) {
        unlink_locked(instance, collection);
        collection->forgotten = 1;
        if (!collection->users)
            unused = collection;
    }
    pthread_mutex_unlock(&instance->base.lock);
    collection_free(unused);
}

void flat_collection_forget_name(simplugin_instance *instance, sp_text name)
{
    flat_collection *found;

    /* held for a moment, so that it cannot go away in between */
    pthread_mutex_lock(&instance->base.lock);
    found = find_locked(instance, name);
    if (found)
        found->users++;
    pthread_mutex_unlock(&instance->base.lock);
    if (!found)
        return;
    flat_collection_forget(instance, found);
    flat_collection_release(instance, found);
}
