/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy.h"

#include "distance.h"
#include "lookup.h"
#include "plug_copy.h"

static int32_t copy_fill(qdrant_call *call, const plug_view *view, plug_copy *copy)
{
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

/* The view's copy, held: it may have to be made. NULL with OK: that is not worth it. */
static int32_t copy_acquire(qdrant_call *call, plug_view *view, plug_copy **copy)
{
    uint64_t writes = atomic_load(&call->instance->writes);
    int is_worth;
    int32_t code;

    *copy = plug_copy_find(&call->instance->base, view, writes, &is_worth);
    if (*copy || !is_worth)
        return SIMPLUGIN_OK;
    code = plug_copy_new(&call->base, writes, call->schema->dimension, view->ids.count, copy);
    if (!code)
        code = copy_fill(call, view, *copy);
    if (!code)
        plug_copy_keep(&call->instance->base, view, *copy);
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
           !s->options.consistency && s->options.indexed_only != 1 &&
           s->view->ids.count * s->call->schema->dimension * sizeof(float) <= PLUG_COPY_BYTES;
}

int32_t qdrant_copy_search(qdrant_search *search, plug_list *lists, int *done)
{
    int metric = sp_metric_named(search->call->schema->metric);
    int32_t code = SIMPLUGIN_OK;

    *done = can_serve(search);
    if (!*done)
        return SIMPLUGIN_OK;
    code = copy_acquire(search->call, search->view, &search->copy);
    *done = search->copy != NULL;
    for (uint64_t q = 0; !code && *done && q < search->vectors.rows; q++)
        code = query_score(search, metric, search->vectors.data + q * search->vectors.stride,
                           &lists[q]);
    return code;
}
