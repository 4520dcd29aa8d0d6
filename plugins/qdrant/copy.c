/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy.h"

#include "clock.h"
#include "distance.h"
#include "lookup.h"
#include "plug_copy.h"

static int32_t copy_fill(plug_call *base, const plug_view *view, plug_copy *copy)
{
    qdrant_call *call = (qdrant_call *)base; /* its first member */
    uint64_t dimension = call->schema->dimension;
    qdrant_lookup lookup = {.vectors = 1};
    int32_t code = qdrant_lookup_run(call, &view->ids, &lookup);

    for (uint64_t i = 0; !code && i < lookup.count; i++) {
        const qdrant_row *row = &lookup.rows[i];
        uint64_t at = (uint64_t)lookup.positions[i];

        /* an id that stands in the view twice is one point; one may have lost its vector */
        if (plug_view_is_first(view, at) && row->page->points[row->row].has_vector)
            code = plug_copy_add(&call->base, copy, sp_column_text(&view->ids, at),
                                 row->page->vectors + row->row * dimension);
    }
    qdrant_lookup_clear(&lookup);
    return code;
}

static int32_t query_score(qdrant_search *s, int metric, const float *sent, plug_list *list)
{
    uint64_t dimension = s->call->schema->dimension;
    float *query = plug_scratch(&s->call->base, dimension, sizeof *query);

    if (!query)
        return plug_no_memory(&s->call->base);
    /* what is sent is turned around where the search is */
    for (uint64_t i = 0; i < dimension; i++)
        query[i] = s->reverse ? -sent[i] : sent[i];
    return plug_copy_score(&s->call->base, s->copy, metric, query, s->reverse, s->k, list);
}

/* Whether a copy can tell all that is asked for. */
static int can_serve(const qdrant_search *s)
{
    return s->view && !*s->condition && !s->with_vectors && !s->names.all && !s->names.count &&
           !s->options.consistency && !s->call->instance->settings.consistency &&
           s->options.indexed_only != 1 &&
           s->view->ids.count * s->call->schema->dimension * sizeof(float) <= PLUG_COPY_BYTES;
}

static int32_t ask(qdrant_search *search, plug_list *lists)
{
    int64_t begin = sp_clock_now();
    int32_t code = qdrant_restrict_run(search, lists);

    if (!code)
        plug_copy_without(&search->call->instance->base, search->view, sp_clock_now() - begin);
    return code;
}

int32_t qdrant_find(qdrant_search *search, plug_list *lists)
{
    qdrant_call *call = search->call;
    simplugin_instance *instance = call->instance;
    int metric = sp_metric_named(call->schema->metric);
    int32_t code = SIMPLUGIN_OK;

    if (!can_serve(search))
        return qdrant_restrict_run(search, lists);
    search->copy = plug_copy_acquire(&call->base, &instance->base, &instance->views, search->view,
                                     atomic_load(&instance->writes), call->schema->dimension, copy_fill);
    if (!search->copy)
        return ask(search, lists);
    for (uint64_t q = 0; !code && q < search->vectors.rows; q++)
        code = query_score(search, metric, search->vectors.data + q * search->vectors.stride,
                           &lists[q]);
    return code;
}
