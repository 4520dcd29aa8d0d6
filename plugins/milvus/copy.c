/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy.h"

#include <stdlib.h>

#include "clock.h"
#include "consistency.h"
#include "distance.h"
#include "instance.h"
#include "lookup.h"

#define COPY_AGE (INT64_C(2) * 1000000000)
#define ROWS_PER_CHECK 4096

struct milvus_copy {
    atomic_uint users;
    sp_arena *memory;
    uint64_t writes;  /* of this instance to the collection, when it was made */
    int64_t made_at;
    uint64_t count;
    sp_text *ids;
    float *vectors;
};

void milvus_copy_release(milvus_copy *copy)
{
    if (!copy || atomic_fetch_sub(&copy->users, 1) != 1)
        return;
    sp_arena_free(&copy->memory);
    free(copy);
}

/* ---- making one ------------------------------------------------------------------------- */

static int32_t copy_fill(milvus_call *call, const milvus_view *view, const milvus_lookup *lookup,
                         milvus_copy *copy)
{
    uint64_t dimension = call->schema->vector->dimension;

    copy->ids = sp_arena_array(&copy->memory, lookup->count + 1, sizeof *copy->ids);
    copy->vectors =
        sp_arena_array(&copy->memory, lookup->count + 1, dimension * sizeof *copy->vectors);
    if (!copy->ids || !copy->vectors)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < lookup->count; i++) {
        const milvus_row *row = &lookup->rows[i];
        uint64_t at = (uint64_t)lookup->positions[i];
        sp_text id = sp_column_text(&view->ids, at);

        /* an id that stands in the view twice is one point */
        if (sp_idmap_find(&view->map, id) != at)
            continue;
        copy->ids[copy->count].data = sp_arena_text(&copy->memory, id.data, id.size);
        copy->ids[copy->count].size = id.size;
        if (!copy->ids[copy->count].data)
            return plug_no_memory(&call->base);
        memcpy(copy->vectors + copy->count * dimension,
               row->page->vectors + row->row * row->page->vector_bytes,
               (size_t)row->page->vector_bytes);
        copy->count++;
    }
    return SIMPLUGIN_OK;
}

static int32_t copy_make(milvus_call *call, const milvus_view *view, milvus_copy **copy)
{
    milvus_lookup lookup = {.vectors = 1};
    milvus_copy *made = calloc(1, sizeof *made);
    int32_t code;

    *copy = NULL;
    if (!made)
        return plug_no_memory(&call->base);
    atomic_store(&made->users, 1);
    made->writes = milvus_writes(call);
    made->made_at = sp_clock_now();
    code = milvus_lookup_run(call, &view->ids, &lookup);
    if (!code)
        code = copy_fill(call, view, &lookup, made);
    milvus_lookup_clear(&lookup);
    if (code)
        milvus_copy_release(made);
    else
        *copy = made;
    return code;
}

/* The view's copy, held, if it is fresh enough; NULL: it is to be made. */
static milvus_copy *copy_find(milvus_call *call, const milvus_view *view)
{
    uint64_t writes = milvus_writes(call);
    milvus_copy *copy;

    pthread_mutex_lock(&call->instance->base.lock);
    copy = view->copy;
    if (copy && copy->writes == writes && sp_clock_now() - copy->made_at < COPY_AGE)
        atomic_fetch_add(&copy->users, 1);
    else
        copy = NULL;
    pthread_mutex_unlock(&call->instance->base.lock);
    return copy;
}

static void copy_keep(milvus_call *call, milvus_view *view, milvus_copy *copy)
{
    milvus_copy *old;

    atomic_fetch_add(&copy->users, 1);
    pthread_mutex_lock(&call->instance->base.lock);
    old = view->copy;
    view->copy = copy;
    pthread_mutex_unlock(&call->instance->base.lock);
    milvus_copy_release(old);
}

/* ---- scoring ------------------------------------------------------------------------------- */

typedef struct scored {
    double distance;
    uint64_t row;
} scored;

/* Nearest first; of those that tie, in the order of the view. */
static int compare(const void *a, const void *b)
{
    const scored *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int32_t query_score(milvus_search *s, const milvus_copy *copy, int metric,
                           const float *query, double *distances, scored *all, milvus_list *list)
{
    uint64_t dimension = s->call->schema->vector->dimension;

    for (uint64_t first = 0; first < copy->count; first += ROWS_PER_CHECK) {
        uint64_t count = copy->count - first < ROWS_PER_CHECK ? copy->count - first
                                                              : ROWS_PER_CHECK;
        int32_t code = plug_check(&s->call->base);

        if (code)
            return code;
        sp_distances(metric, query, copy->vectors + first * dimension, dimension, count, dimension,
                     distances + first);
    }
    for (uint64_t i = 0; i < copy->count; i++) {
        all[i].distance = s->reverse ? -distances[i] : distances[i];
        all[i].row = i;
    }
    qsort(all, copy->count, sizeof *all, compare);
    list->count = copy->count < s->k ? copy->count : s->k;
    list->hits = plug_scratch(&s->call->base, list->count + 1, sizeof *list->hits);
    if (!list->hits)
        return plug_no_memory(&s->call->base);
    for (uint64_t i = 0; i < list->count; i++) {
        double distance = distances[all[i].row];

        list->hits[i] = (milvus_hit){.id = copy->ids[all[i].row],
                                     .distance = (float)distance,
                                     .score = (float)sp_distance_score(metric, distance)};
    }
    return SIMPLUGIN_OK;
}

static int32_t copy_score(milvus_search *s, const milvus_copy *copy, milvus_list *lists)
{
    int metric = sp_metric_named(s->call->schema->metric);
    double *distances = plug_scratch(&s->call->base, copy->count + 1, sizeof *distances);
    scored *all = plug_scratch(&s->call->base, copy->count + 1, sizeof *all);
    int32_t code = distances && all ? SIMPLUGIN_OK : plug_no_memory(&s->call->base);

    for (uint64_t q = 0; !code && q < s->vectors.rows; q++)
        code = query_score(s, copy, metric, s->vectors.data + q * s->vectors.stride, distances,
                           all, &lists[q]);
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
           s->view->ids.count * schema->vector->dimension * sizeof(float) <= MILVUS_COPY_BYTES;
}

int32_t milvus_copy_search(milvus_search *search, milvus_list *lists, int *done)
{
    int32_t code = SIMPLUGIN_OK;

    *done = can_serve(search);
    if (!*done)
        return SIMPLUGIN_OK;
    search->copy = copy_find(search->call, search->view);
    if (!search->copy) {
        code = copy_make(search->call, search->view, &search->copy);
        if (!code)
            copy_keep(search->call, search->view, search->copy);
    }
    return code ? code : copy_score(search, search->copy, lists);
}
