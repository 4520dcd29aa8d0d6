/* SPDX-License-Identifier: Apache-2.0 */
/* The exact pass: every point is looked at once, in constant memory beside the hits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "search.h"

#define BLOCK_ROWS 256
#define CHECK_QUERIES 64 /* deadline and token are looked at after so many queries of a block */

/* The best so far, as a heap with the worst on top; ids are malloc'd. */
typedef struct kept {
    char *id;
    uint32_t id_size;
    double distance;
} kept;

typedef struct heap {
    kept *items;
    uint64_t count;
    uint64_t capacity;
} heap;

typedef struct pass {
    sp_index *index;
    const sp_context *context;
    const sp_query *query;
    heap *heaps;
    uint64_t heap_count;
    double distances[BLOCK_ROWS]; /* of one query to a block */
    double folded[BLOCK_ROWS];    /* of all queries so far, with an aggregation */
} pass;

/* Whether a comes behind b in the list. Ties go by id, so that pages may come in any order. */
static int is_worse(const pass *p, const kept *a, const kept *b)
{
    size_t shorter = a->id_size < b->id_size ? a->id_size : b->id_size;
    int order;

    if (a->distance < b->distance || a->distance > b->distance)
        return (a->distance > b->distance) != p->query->reverse;
    order = memcmp(a->id, b->id, shorter);
    return order ? order > 0 : a->id_size > b->id_size;
}

static void heap_sink(const pass *p, heap *h, uint64_t at)
{
    for (;;) {
        uint64_t child = 2 * at + 1;
        kept swap;

        if (child >= h->count)
            return;
        if (child + 1 < h->count && is_worse(p, &h->items[child + 1], &h->items[child]))
            child++;
        if (!is_worse(p, &h->items[child], &h->items[at]))
            return;
        swap = h->items[at];
        h->items[at] = h->items[child];
        h->items[child] = swap;
        at = child;
    }
}

static void heap_rise(const pass *p, heap *h, uint64_t at)
{
    while (at && is_worse(p, &h->items[at], &h->items[(at - 1) / 2])) {
        kept swap = h->items[at];

        h->items[at] = h->items[(at - 1) / 2];
        h->items[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

/* 0 when memory is short. */
static int heap_offer(const pass *p, heap *h, sp_text id, double distance)
{
    kept fresh = {(char *)(uintptr_t)id.data, (uint32_t)id.size, distance};

    if (distance > p->query->max_distance)
        return 1;
    if (h->count == p->query->k && !is_worse(p, &h->items[0], &fresh))
        return 1;
    fresh.id = malloc(id.size + 1);
    if (!fresh.id)
        return 0;
    memcpy(fresh.id, id.data, id.size);
    if (h->count == p->query->k) {
        free(h->items[0].id);
        h->items[0] = fresh;
        heap_sink(p, h, 0);
        return 1;
    }
    if (h->count == h->capacity) {
        uint64_t capacity = h->capacity ? h->capacity * 2 : 16;
        kept *items = realloc(h->items, capacity * sizeof *items);

        if (!items) {
            free(fresh.id);
            return 0;
        }
        h->items = items;
        h->capacity = capacity;
    }
    h->items[h->count++] = fresh;
    heap_rise(p, h, h->count - 1);
    return 1;
}

/* Takes the distances of one more query into those of the aggregation. */
static void block_fold(pass *p, uint64_t q, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        double before = p->folded[i], other = p->distances[i];

        if (!q)
            p->folded[i] = other;
        else if (p->query->aggregation == SP_AGGREGATE_POST_MEAN)
            p->folded[i] = before + other;
        else if (p->query->aggregation == SP_AGGREGATE_POST_MIN)
            p->folded[i] = other < before ? other : before;
        else
            p->folded[i] = other > before ? other : before;
    }
}

/* 0 when memory is short. */
static int list_offer(pass *p, const sp_walk *walk, uint64_t first, uint64_t count, uint64_t list,
                      const double *distances)
{
    for (uint64_t i = 0; i < count; i++) {
        sp_text id = sp_column_text(&walk->page.ids, walk->rows[first + i]);

        if (!sp_query_is_self(p->query, list, id) &&
            !heap_offer(p, &p->heaps[list], id, distances[i]))
            return 0;
    }
    return 1;
}

/* One block of neighbouring rows of a page. */
static int32_t block_offer(pass *p, const sp_walk *walk, uint64_t first, uint64_t count,
                           simplugin_error **error)
{
    const sp_points *page = &walk->page;
    uint64_t stride = simplugin_tensor_stride(page->vectors) / sizeof(float);
    uint64_t rows = p->query->vectors.rows;
    int post = p->query->aggregation >= SP_AGGREGATE_POST_MEAN;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t q = 0; !code && q < rows; q++) {
        if (q % CHECK_QUERIES == 0)
            code = sp_context_check(p->context, "search", error);
        if (code)
            return code;
        sp_distances(p->index->metric_id, sp_query_vector(p->query, q),
                     sp_points_vector(page, walk->rows[first]), stride, count, page->vectors->cols,
                     p->distances);
        if (post)
            block_fold(p, q, count);
        else if (!list_offer(p, walk, first, count, q, p->distances))
            code = sp_error_no_memory(error);
    }
    if (code || !post)
        return code;
    for (uint64_t i = 0; p->query->aggregation == SP_AGGREGATE_POST_MEAN && i < count; i++)
        p->folded[i] /= (double)rows;
    return list_offer(p, walk, first, count, 0, p->folded) ? code : sp_error_no_memory(error);
}

static int32_t page_offer(pass *p, const sp_walk *walk, simplugin_error **error)
{
    uint64_t first = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && first < walk->row_count) {
        uint64_t count = 1;

        while (count < BLOCK_ROWS && first + count < walk->row_count &&
               walk->rows[first + count] == walk->rows[first] + count)
            count++;
        code = block_offer(p, walk, first, count, error);
        first += count;
    }
    return code;
}

/* Empties a heap from the worst to the best, and turns the order round. */
static int heap_list(pass *p, heap *h, sp_hits *hits, uint64_t list)
{
    uint64_t count = h->count;
    int metric = p->index->metric_id;

    while (h->count) {
        kept worst = h->items[0];

        h->items[0] = h->items[h->count - 1];
        h->items[--h->count] = worst;
        heap_sink(p, h, 0);
    }
    h->count = count;
    for (uint64_t i = 0; i < count; i++) {
        sp_text id = {h->items[i].id, h->items[i].id_size};

        if (!sp_hits_add(hits, list, id, h->items[i].distance,
                         sp_distance_score(metric, h->items[i].distance)))
            return 0;
    }
    return 1;
}

int32_t sp_search_exact(sp_index *index, const sp_context *context, const sp_query *query,
                        sp_hits *hits, simplugin_error **error)
{
    sp_walk_spec spec = {.want = {.vectors = 1}, .filter = query->filter, .view = query->view};
    pass p = {.index = index, .context = context, .query = query,
              .heap_count = sp_query_lists(query)};
    sp_walk walk;
    int more = 1;
    int32_t code;

    if (index->metric_id == SP_METRIC_UNKNOWN && atomic_load(&index->dimension))
        return sp_error_set(error, SIMPLUGIN_UNIMPLEMENTED, index->backend,
                            "%s cannot do this itself, and the core does not know its metric %s",
                            index->backend, index->metric);
    code = sp_walk_init(&walk, index, &spec, error);
    p.heaps = calloc(p.heap_count + 1, sizeof *p.heaps);
    if (!code && !p.heaps)
        code = sp_error_no_memory(error);
    /* the collection may have been made anew since the queries were read */
    if (!code && walk.dimension && query->vectors.rows && query->vectors.cols != walk.dimension)
        code = sp_dimension_mismatch(query->vectors.cols, walk.dimension, error);
    while (!code && more) {
        code = sp_walk_next(&walk, context, &more, error);
        if (!code && walk.row_count && query->k && query->vectors.rows)
            code = page_offer(&p, &walk, error);
    }
    for (uint64_t i = 0; !code && i < p.heap_count; i++)
        if (!heap_list(&p, &p.heaps[i], hits, i))
            code = sp_error_no_memory(error);
    for (uint64_t i = 0; p.heaps && i < p.heap_count; i++) {
        for (uint64_t j = 0; j < p.heaps[i].count; j++)
            free(p.heaps[i].items[j].id);
        free(p.heaps[i].items);
    }
    free(p.heaps);
    sp_walk_clear(&walk);
    return code;
}
