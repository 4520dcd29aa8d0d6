/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy.h"

#include "consistency.h"
#include "distance.h"
#include "instance.h"
#include "lookup.h"
#include "plug_copy.h"

static int32_t copy_fill(milvus_call *call, const plug_view *view, plug_copy *copy)
{
    milvus_lookup lookup = {.vectors = 1};
    int32_t code = milvus_lookup_run(call, &view->ids, &lookup);

    for (uint64_t i = 0; !code && i < lookup.count; i++) {
        const milvus_row *row = &lookup.rows[i];
        uint64_t at = (uint64_t)lookup.positions[i];

        /* an id that stands in the view twice is one point */
        if (plug_view_is_first(view, at))
            code = plug_copy_add(&call->base, copy, sp_column_text(&view->ids, at),
                                 row->page->vectors + row->row * row->page->vector_bytes);
    }
    milvus_lookup_clear(&lookup);
    return code;
}

/* The view's copy, held: it may have to be made. NULL with OK: that is not worth it. */
static int32_t copy_acquire(milvus_call *call, plug_view *view, plug_copy **copy)
{
    uint64_t writes = milvus_writes(call);
    int is_worth;
    int32_t code;

    *copy = plug_copy_find(&call->instance->base, view, writes, &is_worth);
    if (*copy || !is_worth)
        return SIMPLUGIN_OK;
    code = plug_copy_new(&call->base, writes, call->schema->vector->dimension, view->ids.count,
                         copy);
    if (!code)
        code = copy_fill(call, view, *copy);
    if (!code)
        plug_copy_keep(&call->instance->base, view, *copy);
    return code;
}

/* Whether a copy can tell all that is asked for. */
static int can_serve(const milvus_search *s)
{
    const milvus_schema *schema = s->call->schema;
    int level = s->level < 0 ? schema->consistency : s->level;

    return s->view && schema->vector->type == MILVUS_FLOAT_VECTOR && !*s->expr &&
           !s->partitions.count && !s->with_vectors && !s->names.all && !s->names.count &&
           level != MILVUS_STRONG &&
           s->view->ids.count * schema->vector->dimension * sizeof(float) <= PLUG_COPY_BYTES;
}

int32_t milvus_copy_search(milvus_search *search, plug_list *lists, int *done)
{
    int metric = sp_metric_named(search->call->schema->metric);
    int32_t code = SIMPLUGIN_OK;

    *done = can_serve(search);
    if (!*done)
        return SIMPLUGIN_OK;
    code = copy_acquire(search->call, search->view, &search->copy);
    *done = search->copy != NULL;
    for (uint64_t q = 0; !code && *done && q < search->vectors.rows; q++)
        code = plug_copy_score(&search->call->base, search->copy, metric,
                               search->vectors.data + q * search->vectors.stride, search->reverse,
                               search->k, &lists[q]);
    return code;
}
