/* SPDX-License-Identifier: Apache-2.0 */
/* search.neighbors: every point is a query, in batches, and is left out of its own hits. */
#include "config.h"

#include "gather.h"
#include "instance.h"
#include "mask.h"
#include "search_op.h"

#define BATCH 1024

/* What all batches found, one after the other. */
typedef struct neighbor_lists {
    flat_call *call;
    uint64_t *points; /* all rows that are queries, malloc'd */
    uint64_t point_count;
    int64_t *offsets; /* memory of the reply */
    uint64_t count;
    uint64_t capacity;
    uint64_t *rows;   /* malloc'd, as the others */
    float *distances;
    float *scores;
} neighbor_lists;

/* The live rows of the mask, or all, in the order of their numbers. */
static int32_t points_list(neighbor_lists *lists, const flat_snapshot *snapshot,
                           const flat_mask_ref *mask)
{
    uint64_t block_count, tail_count;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    const flat_tail_row *tail = flat_snapshot_tail(snapshot, &tail_count);
    uint64_t *out;

    if (mask)
        return flat_mask_rows(lists->call, snapshot, mask, &lists->points, &lists->point_count);
    out = calloc((size_t)flat_snapshot_count(snapshot) + 1, sizeof *out);
    lists->points = out;
    if (!out)
        return plug_no_memory(&lists->call->base);
    for (uint64_t i = 0; i < block_count; i++)
        for (uint64_t j = 0; j < blocks[i].rows; j++)
            if (!blocks[i].dead || !(blocks[i].dead[j / 8] >> (j % 8) & 1))
                *out++ = blocks[i].first_row + j;
    for (uint64_t i = 0; i < tail_count; i++)
        *out++ = tail[i].row;
    lists->point_count = (uint64_t)(out - lists->points);
    return SIMPLUGIN_OK;
}

static int array_grow(void *array, uint64_t capacity, size_t size)
{
    void *grown;
    void *old;

    memcpy(&old, array, sizeof old);
    grown = realloc(old, (size_t)capacity * size);
    if (grown)
        memcpy(array, &grown, sizeof grown);
    return grown != NULL;
}

static int32_t lists_append(neighbor_lists *lists, uint64_t first, const flat_search_result *result)
{
    uint64_t more = (uint64_t)result->offsets[result->query_count];
    uint64_t capacity = lists->capacity ? lists->capacity : BATCH;

    while (capacity < lists->count + more)
        capacity *= 2;
    if (capacity != lists->capacity) {
        if (!array_grow(&lists->rows, capacity, sizeof *lists->rows) ||
            !array_grow(&lists->distances, capacity, sizeof *lists->distances) ||
            !array_grow(&lists->scores, capacity, sizeof *lists->scores))
            return plug_no_memory(&lists->call->base);
        lists->capacity = capacity;
    }
    for (uint64_t i = 0; i < result->query_count; i++)
        lists->offsets[first + i + 1] = (int64_t)lists->count + result->offsets[i + 1];
    if (more) {
        memcpy(lists->rows + lists->count, result->rows, (size_t)more * sizeof *result->rows);
        memcpy(lists->distances + lists->count, result->distances,
               (size_t)more * sizeof *result->distances);
        memcpy(lists->scores + lists->count, result->scores,
               (size_t)more * sizeof *result->scores);
    }
    lists->count += more;
    return SIMPLUGIN_OK;
}

static int32_t batches_run(neighbor_lists *lists, const flat_snapshot *snapshot,
                           flat_search_request *request)
{
    flat_call *call = lists->call;
    uint64_t dimension = request->dimension;
    float *vectors = plug_scratch(&call->base, BATCH, dimension * sizeof *vectors);
    int32_t code = vectors ? SIMPLUGIN_OK : plug_no_memory(&call->base);

    request->queries = vectors;
    request->query_stride = dimension;
    for (uint64_t first = 0; !code && first < lists->point_count; first += BATCH) {
        flat_search_result result = {0};
        uint64_t count = lists->point_count - first;

        if (count > BATCH)
            count = BATCH;
        for (uint64_t i = 0; i < count; i++)
            memcpy(vectors + i * dimension,
                   flat_snapshot_vector(snapshot, lists->points[first + i]),
                   (size_t)dimension * sizeof *vectors);
        request->query_count = count;
        request->exclude = lists->points + first;
        code = flat_search_run(call, snapshot, request, &result);
        if (!code)
            code = lists_append(lists, first, &result);
        flat_search_result_clear(&result);
        flat_progress(call, first + count, lists->point_count);
    }
    return code;
}

static int32_t lists_write(neighbor_lists *lists, flat_snapshot *snapshot)
{
    flat_call *call = lists->call;
    plug_names none = {0};
    flat_gather gather;
    int32_t code = flat_gather_init(&gather, call, snapshot, &none);

    if (code)
        return code;
    simplugin_write_map(&call->base.out, 5);
    plug_write_array(&call->base, "offsets", SIMPLUGIN_INT64, lists->offsets, lists->point_count + 1);
    code = flat_gather_ids(&gather, "ids", lists->points, lists->point_count);
    if (!code)
        code = flat_gather_ids(&gather, "neighbors", lists->rows, lists->count);
    if (!code)
        code = flat_write_copy(call, "distances", SIMPLUGIN_FLOAT32, lists->distances,
                               lists->count);
    if (!code)
        code = flat_write_copy(call, "scores", SIMPLUGIN_FLOAT32, lists->scores, lists->count);
    return code;
}

int32_t flat_serve_search_neighbors(flat_call *call)
{
    neighbor_lists lists = {.call = call};
    flat_search_request request;
    flat_snapshot *snapshot = NULL;
    flat_mask_ref *mask = NULL;
    int64_t k = 0;
    double radius = 0;
    int has_radius = 0;
    int32_t code = flat_search_prepare(call, &request);

    if (!code)
        code = plug_arg_int(&call->base, "k", 1, INT64_MAX, &k);
    if (!code)
        code = plug_arg_double(&call->base, "radius", &radius, &has_radius);
    if (!code && (k != 0) + (has_radius != 0) != 1)
        code = plug_fail_argument(&call->base, "k", "exactly one of k and radius is needed");
    if (!code)
        code = flat_snapshot_new(call->store, &snapshot, call->base.error);
    if (!code)
        code = flat_mask_for(call, snapshot, &mask);
    if (code)
        goto out;
    if (k)
        request.k = (uint64_t)k;
    if (has_radius)
        request.max_distance = radius;
    request.mask = mask ? &mask->mask : NULL;
    code = points_list(&lists, snapshot, mask);
    if (code)
        goto out;
    lists.offsets = plug_reply_array(&call->base, lists.point_count + 1, sizeof *lists.offsets);
    code = lists.offsets ? batches_run(&lists, snapshot, &request) : plug_no_memory(&call->base);
    if (!code)
        code = lists_write(&lists, snapshot);
out:
    free(lists.points);
    free(lists.rows);
    free(lists.distances);
    free(lists.scores);
    flat_mask_release(mask);
    flat_snapshot_free(snapshot);
    return code;
}
