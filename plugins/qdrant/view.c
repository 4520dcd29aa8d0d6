/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "view.h"

#include "walk.h"

#define KEYS_PER_COUNT 16384
/* Above that part of a collection, going through all of its keys is quicker than asking. */
#define MANY_PART 4

typedef struct membership {
    const plug_view *view;
    uint64_t count;
} membership;

static int32_t row_count(void *context, const qdrant_page *page)
{
    membership *m = context;

    for (uint64_t i = 0; i < page->count; i++)
        m->count += (uint64_t)plug_view_has(m->view, page->points[i].id);
    return SIMPLUGIN_OK;
}

static int is_first(const void *context, uint64_t at)
{
    return plug_view_is_first(context, at);
}

qdrant_id_set qdrant_view_ids(const plug_view *view, uint64_t limit)
{
    qdrant_id_set set = {
        .ids = &view->ids, .limit = limit, .is_wanted = is_first, .context = view};

    return set;
}

/* How many of the view's ids are there and pass. */
static int32_t members_count(qdrant_call *call, const plug_view *view, const char *condition,
                             uint64_t *count)
{
    qdrant_id_set set = qdrant_view_ids(view, KEYS_PER_COUNT);
    membership m = {.view = view};
    int32_t code = SIMPLUGIN_OK;

    *count = 0;
    if (view->ids.count > KEYS_PER_COUNT && view->ids.count > view->total / MANY_PART) {
        code = qdrant_walk(call, condition, row_count, &m);
        *count = m.count;
        return code;
    }
    while (!code && set.next < view->ids.count) {
        uint64_t part;

        code = qdrant_count(call, condition, &set, &part);
        *count += part;
    }
    return code;
}

int32_t qdrant_serve_view_create(qdrant_call *call)
{
    plug_view *view;
    int32_t code = plug_view_new(&call->base, call->collection, &view);

    if (!code)
        code = qdrant_count(call, "", NULL, &view->total);
    if (!code && view->ids.count)
        code = members_count(call, view, "", &view->known);
    if (!code)
        return plug_view_keep(&call->base, &call->instance->base, &call->instance->views, view);
    plug_view_release(view);
    return code;
}

int32_t qdrant_view_acquire(qdrant_call *call, plug_view **view)
{
    return plug_view_acquire(&call->base, &call->instance->base, &call->instance->views,
                             call->collection, view);
}

int32_t qdrant_serve_view_drop(qdrant_call *call)
{
    return plug_view_drop(&call->base, &call->instance->base, &call->instance->views,
                          call->collection);
}

int32_t qdrant_count_in_view(qdrant_call *call, const char *condition, uint64_t *count)
{
    plug_view *view;
    int32_t code = qdrant_view_acquire(call, &view);

    if (!code)
        code = view ? members_count(call, view, condition, count)
                    : qdrant_count(call, condition, NULL, count);
    plug_view_release(view);
    return code;
}
