/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include <pthread.h>
#include <stdlib.h>

#include "error.h"

/* A handle is generation << 32 | slot + 1; the low half is never 0, and it fits an int64. */
#define SLOTS_MAX UINT32_C(0x100000)
#define GENERATION_MAX ((uint32_t)INT32_MAX)

typedef struct slot {
    sp_object *object;
    uint32_t generation;
    uint32_t next_free; /* slot + 1; 0 ends the list */
} slot;

static struct {
    pthread_mutex_t mutex;
    slot *slots;
    uint32_t count;
    uint32_t capacity;
    uint32_t free; /* first of the list of free slots, + 1 */
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void table_lock(void) { pthread_mutex_lock(&table.mutex); }
static void table_unlock(void) { pthread_mutex_unlock(&table.mutex); }
static void fork_prepare(void)
{
    pthread_atfork(table_lock, table_unlock, table_unlock);
}

const char *sp_kind_name(uint32_t kinds)
{
    switch (kinds) {
    case SP_SESSION: return "a session";
    case SP_CONNECTION: return "a connection";
    case SP_INDEX: return "an index";
    case SP_VIEW: return "a view";
    case SP_SCAN: return "a scan";
    case SP_COPY: return "a copy";
    case SP_CONNECTION | SP_INDEX: return "a connection or an index";
    default: return "a handle";
    }
}

void sp_object_init(sp_object *object, uint32_t kind, uint64_t parent,
                    void (*destroy)(sp_object *object))
{
    object->kind = kind;
    object->references = 1;
    object->handle = 0;
    object->parent = parent;
    object->destroy = destroy;
}

void sp_object_hold(sp_object *object)
{
    table_lock();
    object->references++;
    table_unlock();
}

void sp_object_release(sp_object *object)
{
    uint32_t left;

    if (!object)
        return;
    table_lock();
    left = --object->references;
    table_unlock();
    if (!left)
        object->destroy(object);
}

static slot *handle_slot_locked(uint64_t handle)
{
    uint32_t index = (uint32_t)handle - 1;
    slot *s = index < table.count ? &table.slots[index] : NULL;

    return s && s->object && s->generation == (uint32_t)(handle >> 32) ? s : NULL;
}

int32_t sp_handle_open(sp_object *object, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    uint32_t index;

    pthread_once(&fork_once, fork_prepare);
    table_lock();
    /* what is made for a parent that was closed meanwhile would never be closed with it */
    if (object->parent && !handle_slot_locked(object->parent))
        code = SIMPLUGIN_STALE_HANDLE;
    if (!code && !table.free && table.count == table.capacity) {
        uint32_t capacity = table.capacity ? table.capacity * 2 : 64;
        slot *slots = NULL;

        if (capacity > SLOTS_MAX)
            code = SIMPLUGIN_RESOURCE_EXHAUSTED;
        else if (!(slots = realloc(table.slots, capacity * sizeof *slots)))
            code = SIMPLUGIN_OUT_OF_MEMORY;
        else
            table.slots = slots;
        if (slots)
            table.capacity = capacity;
    }
    if (!code) {
        if (table.free) {
            index = table.free - 1;
            table.free = table.slots[index].next_free;
        } else {
            index = table.count++;
            table.slots[index].generation = 0;
        }
        table.slots[index].object = object;
        table.slots[index].generation++;
        object->handle = (uint64_t)table.slots[index].generation << 32 | (index + 1);
        object->references++;
    }
    table_unlock();
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return sp_error_no_memory(error);
    if (code == SIMPLUGIN_STALE_HANDLE)
        return sp_error_set(error, code, "core", "handle %#llx was closed during the call",
                            (unsigned long long)object->parent);
    if (code)
        return sp_error_set(error, code, "core", "%u handles are open: close those no longer needed",
                            SLOTS_MAX);
    return code;
}

static int32_t handle_stale(uint64_t handle, uint32_t kinds, uint32_t found,
                            simplugin_error **error)
{
    if (found)
        return sp_error_set(error, SIMPLUGIN_STALE_HANDLE, "core",
                            "handle %#llx is %s where %s is needed", (unsigned long long)handle,
                            sp_kind_name(found), sp_kind_name(kinds));
    return sp_error_set(error, SIMPLUGIN_STALE_HANDLE, "core",
                        "handle %#llx is not open: it was closed, or is none of this process",
                        (unsigned long long)handle);
}

int32_t sp_handle_acquire(uint64_t handle, uint32_t kinds, sp_object **object,
                          simplugin_error **error)
{
    uint32_t found = 0;
    slot *s;

    *object = NULL;
    table_lock();
    s = handle_slot_locked(handle);
    if (s) {
        found = s->object->kind;
        if (found & kinds) {
            *object = s->object;
            s->object->references++;
        }
    }
    table_unlock();
    return *object ? SIMPLUGIN_OK : handle_stale(handle, kinds, found, error);
}

/* Empties the slot; a generation that is used up retires it. */
static sp_object *slot_take_locked(slot *s)
{
    sp_object *object = s->object;

    s->object = NULL;
    if (s->generation != GENERATION_MAX) {
        s->next_free = table.free;
        table.free = (uint32_t)(s - table.slots) + 1;
    }
    return object;
}

/* The handle of some child that is still open, 0 if there is none. */
static uint64_t child_find(uint64_t parent)
{
    uint64_t handle = 0;

    table_lock();
    for (uint32_t i = 0; i < table.count && !handle; i++)
        if (table.slots[i].object && table.slots[i].object->parent == parent)
            handle = table.slots[i].object->handle;
    table_unlock();
    return handle;
}

int32_t sp_handle_close(uint64_t handle, uint32_t kinds, simplugin_error **error)
{
    uint32_t found = 0;
    sp_object *object = NULL;
    uint64_t child;
    slot *s;

    table_lock();
    s = handle_slot_locked(handle);
    if (s) {
        found = s->object->kind;
        if (found & kinds)
            object = slot_take_locked(s);
    }
    table_unlock();
    if (!object)
        return handle_stale(handle, kinds, found, error);
    while ((child = child_find(handle)))
        sp_handle_close(child, UINT32_MAX, NULL);
    sp_object_release(object);
    return SIMPLUGIN_OK;
}
