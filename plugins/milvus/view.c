/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "view.h"

#include "lookup.h"
#include "query.h"
#include "walk.h"

/* Above that part of a collection, going through all of its keys is quicker than asking. */
#define MANY_PART 8

typedef struct membership {
    const plug_view *view;
    uint64_t count;
} membership;

static int32_t row_count(void *context, const milvus_page *page)
{
    membership *m = context;

    for (uint64_t i = 0; i < page->count; i++)
        m->count += (uint64_t)plug_view_has(m->view, page->ids[i]);
    return SIMPLUGIN_OK;
}

/* How many of the view's ids are there and pass. */
static int32_t members_count(milvus_call *call, const plug_view *view, const char *expr,
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
        seen += (uint64_t)plug_view_is_first(view, (uint64_t)lookup.positions[i]);
    *count = seen;
    milvus_lookup_clear(&lookup);
    return code;
}

int32_t milvus_serve_view_create(milvus_call *call)
{
    plug_view *view;
    int32_t code = plug_view_new(&call->base, call->collection, &view);

    if (!code)
        code = milvus_count(call, "", &view->total);
    if (!code && view->ids.count)
        code = members_count(call, view, "", &view->known);
    if (!code)
        return plug_view_keep(&call->base, &call->instance->base, &call->instance->views, view);
    plug_view_release(view);
    return code;
}

int32_t milvus_view_acquire(milvus_call *call, plug_view **view)
{
    return plug_view_acquire(&call->base, &call->instance->base, &call->instance->views,
                             call->collection, view);
}

int32_t milvus_serve_view_drop(milvus_call *call)
{
    return plug_view_drop(&call->base, &call->instance->base, &call->instance->views,
                          call->collection);
}

int32_t milvus_count_in_view(milvus_call *call, const char *expr, uint64_t *count)
{
    plug_view *view;
    int32_t code = milvus_view_acquire(call, &view);

    if (!code)
        code = view ? members_count(call, view, expr, count) : milvus_count(call, expr, count);
    plug_view_release(view);
    return code;
}
