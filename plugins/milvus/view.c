/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "view.h"

#include <stdlib.h>

#include "copy.h"
#include "lookup.h"
#include "query.h"
#include "walk.h"

#define ROWS_PER_CHECK 4096
/* Above that part of a collection, going through all of its keys is quicker than asking. */
#define MANY_PART 8

static void view_free(milvus_view *view)
{
    if (!view)
        return;
    milvus_copy_release(view->copy);
    sp_arena_free(&view->memory);
    free(view->collection);
    free(view);
}

void milvus_view_release(milvus_view *view)
{
    if (view && atomic_fetch_sub(&view->users, 1) == 1)
        view_free(view);
}

/* ---- making --------------------------------------------------------------------------- */

/* Copies each id once into the view's own memory. */
static int32_t ids_copy(milvus_call *call, const sp_column *from, milvus_view *view)
{
    uint64_t bytes = from->count ? (uint64_t)from->offsets[from->count] : 0;
    int64_t *offsets = sp_arena_array(&view->memory, from->count + 1, sizeof *offsets);
    char *values = sp_arena_array(&view->memory, bytes + 1, 1);
    sp_column *ids = &view->ids;

    if (!offsets || !values)
        return plug_no_memory(&call->base);
    if (bytes)
        memcpy(values, from->values, (size_t)bytes);
    memcpy(offsets, from->offsets, (size_t)(from->count + 1) * sizeof *offsets);
    ids->type = SP_TEXT;
    ids->count = from->count;
    ids->offsets = offsets;
    ids->values = values;
    if (!sp_idmap_init(&view->map, ids, &view->memory))
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < ids->count; i++) {
        int32_t code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);

        if (code)
            return code;
        sp_idmap_add(&view->map, i);
    }
    return SIMPLUGIN_OK;
}

typedef struct membership {
    const milvus_view *view;
    uint64_t count;
} membership;

static int32_t row_count(void *context, const milvus_page *page)
{
    membership *m = context;

    for (uint64_t i = 0; i < page->count; i++)
        m->count += (uint64_t)milvus_view_has(m->view, page->ids[i]);
    return SIMPLUGIN_OK;
}

/* How many of the view's ids are there and pass. */
static int32_t members_count(milvus_call *call, const milvus_view *view, const char *expr,
                             uint64_t *count)
{
    milvus_lookup lookup = {.filter = expr};
    membership m = {.view = view};
    uint64_t seen = 0;
    int32_t code;

    if (view->ids.count > view->total / MANY_PART) {
        code = milvus_walk(call, expr, row_count, &m);
        *count = m.count;
        return code;
    }
    code = milvus_lookup_run(call, &view->ids, &lookup);
    /* an id that stands in the view twice counts once */
    for (uint64_t i = 0; i < lookup.count; i++)
        seen += sp_idmap_find(&view->map, sp_column_text(&view->ids, (uint64_t)lookup.positions[i])) ==
                (uint64_t)lookup.positions[i];
    *count = seen;
    milvus_lookup_clear(&lookup);
    return code;
}

int32_t milvus_serve_view_create(milvus_call *call)
{
    simplugin_instance *instance = call->instance;
    milvus_view *view = calloc(1, sizeof *view);
    sp_column ids;
    int present;
    int32_t code = plug_arg_ids(&call->base, &ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    if (!code && (!view || !(view->collection = strdup(call->collection))))
        code = plug_no_memory(&call->base);
    if (!code)
        code = ids_copy(call, &ids, view);
    if (!code)
        code = milvus_count(call, "", &view->total);
    if (!code && ids.count)
        code = members_count(call, view, "", &view->known);
    if (code) {
        view_free(view);
        return code;
    }
    atomic_store(&view->users, 1);
    pthread_mutex_lock(&instance->base.lock);
    view->number = ++instance->view_number;
    view->next = instance->views;
    instance->views = view;
    pthread_mutex_unlock(&instance->base.lock);
    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "view");
    simplugin_write_int(&call->base.out, view->number);
    simplugin_write_string(&call->base.out, "known");
    simplugin_write_uint(&call->base.out, view->known);
    return SIMPLUGIN_OK;
}

/* ---- finding and dropping ---------------------------------------------------------------- */

static int32_t number_read(milvus_call *call, int64_t *number)
{
    *number = 0;
    return plug_arg_int(&call->base, "view", 1, INT64_MAX, number);
}

static int32_t unknown(milvus_call *call, int64_t number)
{
    return plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is no view %lld of it",
                     (long long)number);
}

int32_t milvus_view_acquire(milvus_call *call, milvus_view **view)
{
    int64_t number;
    int32_t code = number_read(call, &number);

    *view = NULL;
    if (code || !number)
        return code;
    pthread_mutex_lock(&call->instance->base.lock);
    for (milvus_view *at = call->instance->views; at; at = at->next)
        if (at->number == number && strcmp(at->collection, call->collection) == 0) {
            atomic_fetch_add(&at->users, 1);
            *view = at;
        }
    pthread_mutex_unlock(&call->instance->base.lock);
    return *view ? SIMPLUGIN_OK : unknown(call, number);
}

/* Takes out of the list what the number (0: any) and the collection (NULL: any) say. */
static uint64_t views_drop(simplugin_instance *instance, int64_t number, const char *collection)
{
    milvus_view **at;
    milvus_view *gone = NULL;
    uint64_t count = 0;

    pthread_mutex_lock(&instance->base.lock);
    at = &instance->views;
    while (*at) {
        milvus_view *view = *at;

        if ((number && view->number != number) ||
            (collection && strcmp(view->collection, collection) != 0)) {
            at = &view->next;
            continue;
        }
        *at = view->next;
        view->next = gone;
        gone = view;
    }
    pthread_mutex_unlock(&instance->base.lock);
    for (; gone; count++) {
        milvus_view *next = gone->next;

        milvus_view_release(gone);
        gone = next;
    }
    return count;
}

int32_t milvus_serve_view_drop(milvus_call *call)
{
    int64_t number;
    int32_t code = number_read(call, &number);

    if (!code && !number)
        code = plug_fail_argument(&call->base, "view", "view is a number, and needed");
    if (!code && !views_drop(call->instance, number, call->collection))
        code = unknown(call, number);
    simplugin_write_map(&call->base.out, 0);
    return code;
}

void milvus_views_forget(simplugin_instance *instance, const char *collection)
{
    views_drop(instance, 0, collection);
}

void milvus_views_free(simplugin_instance *instance)
{
    views_drop(instance, 0, NULL);
}

int32_t milvus_count_in_view(milvus_call *call, const char *expr, uint64_t *count)
{
    milvus_view *view;
    int32_t code = milvus_view_acquire(call, &view);

    if (!code)
        code = view ? members_count(call, view, expr, count) : milvus_count(call, expr, count);
    milvus_view_release(view);
    return code;
}
