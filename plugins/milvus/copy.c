/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy.h"

#include "consistency.h"
#include "clock.h"
#include "distance.h"
#include "instance.h"
#include "lookup.h"
#include "plug_copy.h"

static int32_t copy_fill(plug_call *base, const plug_view *view, plug_copy *copy)
{
    milvus_call *call = (milvus_call *)base; /* its first member */
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

static int32_t ask(milvus_search *search, plug_list *lists)
{
    int64_t begin = sp_clock_now();
    int32_t code = milvus_restrict_run(search, lists);

    if (!code)
        plug_copy_without(&search->call->instance->base, search->view, sp_clock_now() - begin);
    return code;
}

int32_t milvus_find(milvus_search *search, plug_list *lists)
{
    milvus_call *call = search->call;
    simplugin_instance *instance = call->instance;
    int metric = sp_metric_named(call->schema->metric);
    int32_t code = SIMPLUGIN_OK;

    if (!can_serve(search))
        return milvus_restrict_run(search, lists);
    search->copy = plug_copy_acquire(&call->base, &instance->base, &instance->views, search->view,
                                     milvus_writes(call), call->schema->vector->dimension, copy_fill);
    if (!search->copy)
        return ask(search, lists);
    for (uint64_t q = 0; !code && q < search->vectors.rows; q++)
        code = plug_copy_score(&call->base, search->copy, metric,
                               search->vectors.data + q * search->vectors.stride, search->reverse,
                               search->k, &lists[q]);
    return code;
}
