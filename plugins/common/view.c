/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_view.h"

#include <stdlib.h>
#include <string.h>

#include "plug_args.h"
#include "plug_copy.h"

#define ROWS_PER_CHECK 4096

static void view_free(plug_view *view)
{
    if (!view)
        return;
    plug_copy_release(view->copy);
    sp_arena_free(&view->memory);
    free(view->collection);
    free(view);
}

void plug_view_release(plug_view *view)
{
    if (view && atomic_fetch_sub(&view->users, 1) == 1)
        view_free(view);
}

/* ---- making ----------------------------------------------------------------------------- */

/* Copies the ids into the view's own memory. */
static int32_t ids_copy(plug_call *call, const sp_column *from, plug_view *view)
{
    uint64_t bytes = from->count ? (uint64_t)from->offsets[from->count] : 0;
    int64_t *offsets = sp_arena_array(&view->memory, from->count + 1, sizeof *offsets);
    char *values = sp_arena_array(&view->memory, bytes + 1, 1);
    sp_column *ids = &view->ids;

    if (!offsets || !values)
        return plug_no_memory(call);
    if (bytes)
        memcpy(values, from->values, (size_t)bytes);
    if (from->count)
        memcpy(offsets, from->offsets, (size_t)(from->count + 1) * sizeof *offsets);
    ids->type = SP_TEXT;
    ids->count = from->count;
    ids->offsets = offsets;
    ids->values = values;
    if (!sp_idmap_init(&view->map, ids, &view->memory))
        return plug_no_memory(call);
    for (uint64_t i = 0; i < ids->count; i++) {
        int32_t code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(call);

        if (code)
            return code;
        sp_idmap_add(&view->map, i);
    }
    return SIMPLUGIN_OK;
}

int32_t plug_view_new(plug_call *call, const char *collection, plug_view **view)
{
    plug_view *made = NULL;
    sp_column ids;
    int present;
    int32_t code = plug_arg_ids(call, &ids, &present);

    *view = NULL;
    if (!code && !present)
        code = plug_fail_argument(call, "ids", "ids are needed");
    if (code)
        return code;
    made = calloc(1, sizeof *made);
    if (!made || !(made->collection = strdup(collection)))
        code = plug_no_memory(call);
    if (!code)
        code = ids_copy(call, &ids, made);
    if (code) {
        view_free(made);
        return code;
    }
    atomic_store(&made->users, 1);
    *view = made;
    return SIMPLUGIN_OK;
}

int32_t plug_view_keep(plug_call *call, plug_instance *instance, plug_views *views, plug_view *view)
{
    pthread_mutex_lock(&instance->lock);
    view->number = ++views->last_number;
    view->next = views->first;
    views->first = view;
    pthread_mutex_unlock(&instance->lock);
    simplugin_write_map(&call->out, 2);
    simplugin_write_string(&call->out, "view");
    simplugin_write_int(&call->out, view->number);
    simplugin_write_string(&call->out, "known");
    simplugin_write_uint(&call->out, view->known);
    return SIMPLUGIN_OK;
}

/* ---- finding and dropping ---------------------------------------------------------------- */

static int32_t number_read(plug_call *call, int64_t *number)
{
    *number = 0;
    return plug_arg_int(call, "view", 1, INT64_MAX, number);
}

static int32_t unknown(plug_call *call, int64_t number)
{
    return plug_fail(call, SIMPLUGIN_NOT_FOUND, "there is no view %lld of it", (long long)number);
}

int32_t plug_view_acquire(plug_call *call, plug_instance *instance, const plug_views *views,
                          const char *collection, plug_view **view)
{
    int64_t number;
    int32_t code = number_read(call, &number);

    *view = NULL;
    if (code || !number)
        return code;
    pthread_mutex_lock(&instance->lock);
    for (plug_view *at = views->first; at; at = at->next)
        if (at->number == number && strcmp(at->collection, collection) == 0) {
            atomic_fetch_add(&at->users, 1);
            *view = at;
        }
    pthread_mutex_unlock(&instance->lock);
    return *view ? SIMPLUGIN_OK : unknown(call, number);
}

/* Takes out of the list what the number (0: any) and the collection (NULL: any) say. */
static uint64_t views_drop(plug_instance *instance, plug_views *views, int64_t number,
                           const char *collection)
{
    plug_view **at;
    plug_view *gone = NULL;
    uint64_t count = 0;

    pthread_mutex_lock(&instance->lock);
    at = &views->first;
    while (*at) {
        plug_view *view = *at;

        if ((number && view->number != number) ||
            (collection && strcmp(view->collection, collection) != 0)) {
            at = &view->next;
            continue;
        }
        *at = view->next;
        view->next = gone;
        gone = view;
    }
    pthread_mutex_unlock(&instance->lock);
    for (; gone; count++) {
        plug_view *next = gone->next;

        plug_view_release(gone);
        gone = next;
    }
    return count;
}

int32_t plug_view_drop(plug_call *call, plug_instance *instance, plug_views *views,
                       const char *collection)
{
    int64_t number;
    int32_t code = number_read(call, &number);

    if (!code && !number)
        code = plug_fail_argument(call, "view", "view is a number, and needed");
    if (!code && !views_drop(instance, views, number, collection))
        code = unknown(call, number);
    simplugin_write_map(&call->out, 0);
    return code;
}

void plug_views_forget(plug_instance *instance, plug_views *views, const char *collection)
{
    views_drop(instance, views, 0, collection);
}
