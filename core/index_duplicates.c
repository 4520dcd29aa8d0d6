/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.duplicates and index.unique: the points in the order of their ids, which is the same
 * on every backend, each of which drops those behind it that are nearer than a threshold.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "gather.h"
#include "search.h"

#define BATCH_MIN 8
#define BATCH_MAX 256
#define BATCH_HITS 200000 /* hits of one batch that are worth keeping in memory */
#define BISECTIONS 48
#define BLOCK_ROWS 256
#define NARROW_ROWS 2048 /* below so many rows a search is quick anyway */
#define NARROW_PART 4    /* a quarter less is worth a new view */

/*
 * All points in order, and what a threshold makes of them. A backend that searches a radius, in
 * a view of its own where there is one, is asked batch by batch, and the vectors stay there.
 */
typedef struct field {
    sp_index *index;
    const sp_context *context;
    const sp_view *view;
    sp_arena *arena;
    sp_column ids;
    sp_idmap map;
    int asks;             /* whether the backend is asked; else: */
    const float *vectors; /* of all points */
    uint64_t dimension;
    int measures;         /* whether the next is wanted: */
    double farthest;      /* of the distances to the first one read, or of x.x for inner products */
    int narrowed;         /* whether the backend has a view, of what was left when it was made */
    uint64_t narrow_view;
    uint64_t narrow_rows;
    uint64_t *kept_by; /* the point that dropped each one; SP_ROW_NONE: it is kept */
    double *distances; /* to that one */
    uint64_t kept;
} field;

static int place_compare(const void *a, const void *b, void *context)
{
    const sp_text *texts = context;
    sp_text x = texts[*(const uint64_t *)a], y = texts[*(const uint64_t *)b];
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);

    return order ? order : x.size < y.size ? -1 : x.size > y.size;
}

/* Puts ids, and vectors where they are here, in the order of the ids, where the backend's is another. */
static int32_t field_sort(field *f, sp_text *texts, float *vectors, uint64_t count,
                          simplugin_error **error)
{
    uint64_t row = f->asks ? 0 : f->dimension * sizeof(float);
    uint64_t *from = sp_arena_array(&f->arena, count + 1, sizeof *from);
    float *held = sp_arena_array(&f->arena, f->dimension, sizeof *held);

    if (!from || !held)
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < count; i++)
        from[i] = i;
    qsort_r(from, count, sizeof *from, place_compare, texts);
    /* cycle by cycle, with one row held */
    for (uint64_t i = 0; i < count; i++) {
        sp_text text = texts[i];
        uint64_t to = i;

        if (from[i] == i)
            continue;
        if (row)
            memcpy(held, vectors + i * f->dimension, row);
        while (from[to] != i) {
            uint64_t next = from[to];

            texts[to] = texts[next];
            if (row)
                memcpy(vectors + to * f->dimension, vectors + next * f->dimension, row);
            from[to] = to;
            to = next;
        }
        texts[to] = text;
        if (row)
            memcpy(vectors + to * f->dimension, held, row);
        from[to] = to;
    }
    return SIMPLUGIN_OK;
}

/* Takes a point into what no distance exceeds. */
static void field_measure(field *f, const float *first, const float *vector)
{
    double distance;

    if (!f->measures || f->index->metric_id == SP_METRIC_UNKNOWN)
        return;
    sp_distances(f->index->metric_id, f->index->metric_id == SP_METRIC_DOTPRODUCT ? vector : first,
                 vector, f->dimension, 1, f->dimension, &distance);
    distance = fabs(distance);
    if (isfinite(distance) && distance > f->farthest)
        f->farthest = distance;
}

/* Reads the ids of the index or view, and the vectors where the backend is not asked later. */
static int32_t field_load(field *f, simplugin_error **error)
{
    int asks = (!f->view || f->view->remote) &&
               sp_connection_serves(f->index->connection, "search.radius");
    sp_walk_spec spec = {.want = {.vectors = !asks || f->measures}, .view = f->view};
    sp_buffer texts, floats;
    sp_walk walk;
    int more = 1;
    int32_t code = sp_walk_init(&walk, f->index, &spec, error);
    float *first = sp_arena_array(&f->arena, walk.dimension + 1, sizeof *first);

    if (!code && !first)
        code = sp_error_no_memory(error);
    sp_buffer_init(&texts);
    sp_buffer_init(&floats);
    f->dimension = walk.dimension;
    f->asks = asks;
    while (!code && more) {
        code = sp_walk_next(&walk, f->context, &more, error);
        for (uint64_t i = 0; !code && i < walk.row_count; i++) {
            sp_text id = sp_column_text(&walk.page.ids, walk.rows[i]);
            sp_text copy = {sp_arena_text(&f->arena, id.data, id.size), id.size};
            const float *vector =
                spec.want.vectors ? sp_points_vector(&walk.page, walk.rows[i]) : NULL;

            if (!copy.data)
                texts.failed = 1;
            if (!texts.size && vector)
                memcpy(first, vector, f->dimension * sizeof *first);
            sp_buffer_append(&texts, &copy, sizeof copy);
            if (!f->asks)
                sp_buffer_append(&floats, vector, f->dimension * sizeof *vector);
            field_measure(f, first, vector);
        }
        if (!code && (texts.failed || floats.failed))
            code = sp_error_no_memory(error);
    }
    if (!code) {
        uint64_t count = texts.size / sizeof(sp_text);

        code = field_sort(f, (sp_text *)(void *)texts.data, (float *)(void *)floats.data, count,
                          error);
        f->kept_by = sp_arena_array(&f->arena, count + 1, sizeof *f->kept_by);
        f->distances = sp_arena_array(&f->arena, count + 1, sizeof *f->distances);
        if (!code && (!f->kept_by || !f->distances ||
                      !sp_column_of_texts((const sp_text *)(const void *)texts.data, count,
                                          &f->arena, &f->ids) ||
                      !sp_idmap_init(&f->map, &f->ids, &f->arena)))
            code = sp_error_no_memory(error);
        for (uint64_t i = 0; !code && i < count; i++)
            sp_idmap_add(&f->map, i);
        f->vectors = (const float *)(const void *)floats.data;
        floats.data = NULL;
    }
    sp_walk_clear(&walk);
    sp_buffer_clear(&texts);
    sp_buffer_clear(&floats);
    return code;
}

static int32_t metric_check(const sp_index *index, simplugin_error **error)
{
    if (index->metric_id != SP_METRIC_UNKNOWN)
        return SIMPLUGIN_OK;
    return sp_error_set(error, SIMPLUGIN_UNIMPLEMENTED, index->backend,
                        "the core does not know the metric %s of %s", index->metric,
                        index->backend);
}

/* What lies within threshold behind each of count points, from the vectors that are here. */
static int32_t batch_compute(const field *f, const uint64_t *points, uint64_t count,
                             double threshold, sp_hits *hits, simplugin_error **error)
{
    double distances[BLOCK_ROWS];
    int32_t code = metric_check(f->index, error);

    for (uint64_t q = 0; !code && q < count; q++)
        for (uint64_t first = points[q] + 1; !code && first < f->ids.count; first += BLOCK_ROWS) {
            uint64_t rows = f->ids.count - first < BLOCK_ROWS ? f->ids.count - first : BLOCK_ROWS;

            code = sp_context_check(f->context, "index.duplicates", error);
            if (code)
                break;
            sp_distances(f->index->metric_id, f->vectors + points[q] * f->dimension,
                         f->vectors + first * f->dimension, f->dimension, rows, f->dimension,
                         distances);
            for (uint64_t i = 0; !code && i < rows; i++)
                if (distances[i] <= threshold &&
                    !sp_hits_add(hits, q, sp_column_text(&f->ids, first + i), distances[i], 0))
                    code = sp_error_no_memory(error);
        }
    return code;
}

static void field_widen(field *f)
{
    if (f->narrowed)
        sp_view_forget(f->index, f->narrow_view);
    f->narrowed = 0;
}

/* Has the backend keep the ids of what is left behind `next`, where that is much less than it searches now. */
static int32_t field_narrow(field *f, uint64_t next, simplugin_error **error)
{
    uint64_t searched = f->narrowed ? f->narrow_rows : f->ids.count, left = 0;
    sp_arena *arena = NULL;
    uint64_t *rows;
    sp_column ids;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = next; i < f->ids.count; i++)
        left += f->kept_by[i] == SP_ROW_NONE;
    if (!f->asks || left > searched - searched / NARROW_PART || searched < NARROW_ROWS ||
        !sp_connection_serves(f->index->connection, "view.create"))
        return code;
    rows = sp_arena_array(&arena, left + 1, sizeof *rows);
    left = 0;
    for (uint64_t i = next; rows && i < f->ids.count; i++)
        if (f->kept_by[i] == SP_ROW_NONE)
            rows[left++] = i;
    if (!rows || !sp_column_gather(&f->ids, rows, left, &arena, &ids))
        code = sp_error_no_memory(error);
    field_widen(f);
    if (!code)
        code = sp_view_keep(f->index, f->context, &ids, &f->narrow_view, &f->narrow_rows, error);
    f->narrowed = !code;
    f->narrow_rows = left;
    sp_arena_free(&arena);
    return code;
}

/* What lies within threshold of count points, as lists of hits. A point that is gone by now has none. */
static int32_t batch_find(const field *f, const uint64_t *points, uint64_t count, double threshold,
                          sp_hits *hits, simplugin_error **error)
{
    sp_index *index = f->index;
    sp_want want = {.vectors = 1};
    sp_points found = {.reply = SP_REPLY_INIT};
    sp_arena *arena = NULL;
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map, value;
    const simplugin_tensor *offsets, *distances;
    sp_column ids;
    int32_t code = SIMPLUGIN_OK;

    if (!f->asks)
        return batch_compute(f, points, count, threshold, hits, error);
    simplugin_writer_init(&writer);
    if (!sp_column_gather(&f->ids, points, count, &arena, &ids))
        code = sp_error_no_memory(error);
    if (!code)
        code = sp_points_get(index, f->context, &ids, &want, &found, error);
    if (code || !found.count)
        goto out;
    simplugin_write_map(&writer, 3 + (uint64_t)(f->view || f->narrowed));
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, found.vectors);
    simplugin_write_string(&writer, "radius");
    simplugin_write_double(&writer, threshold);
    if (f->view || f->narrowed) {
        simplugin_write_string(&writer, "view");
        simplugin_write_uint(&writer, f->narrowed ? f->narrow_view : f->view->remote_view);
    }
    code = sp_connection_send(index->connection, f->context, "search.radius", &writer, &reply,
                              error);
    map = simplugin_body_value(reply.body, reply.body_size);
    offsets = sp_reply_array(&map, &reply, "offsets", SIMPLUGIN_INT64);
    distances = sp_reply_array(&map, &reply, "distances", SIMPLUGIN_FLOAT32);
    if (!code && (!offsets || offsets->rows != found.count + 1 || !distances ||
                  !simplugin_find(&map, "ids", &value) ||
                  simplugin_column_read(&value, reply.tensors, reply.tensor_count, &ids) ||
                  ids.type != SP_TEXT || ids.count != distances->rows ||
                  !simplugin_offsets_check(offsets->data, found.count, ids.count)))
        code = sp_reply_error(index, "search.radius", "lists that do not fit", error);
    for (uint64_t q = 0; !code && q < found.count; q++)
        for (int64_t i = ((const int64_t *)offsets->data)[q];
             !code && i < ((const int64_t *)offsets->data)[q + 1]; i++)
            if (!sp_hits_add(hits, (uint64_t)found.positions[q], sp_column_text(&ids, (uint64_t)i),
                             (double)((const float *)distances->data)[i], 0))
                code = sp_error_no_memory(error);
out:
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    sp_points_clear(&found);
    sp_arena_free(&arena);
    return code;
}

/*
 * One pass with a threshold. Stops early once more than `enough` are kept: then the pass
 * only says that there are too many.
 */
static int32_t field_thin(field *f, double threshold, uint64_t enough, simplugin_error **error)
{
    uint64_t batch = BATCH_MIN, next = 0, count;
    uint64_t points[BATCH_MAX];
    int32_t code = SIMPLUGIN_OK;

    f->kept = 0;
    field_widen(f);
    for (uint64_t i = 0; i < f->ids.count; i++)
        f->kept_by[i] = SP_ROW_NONE;
    while (!code && next < f->ids.count && f->kept <= enough) {
        sp_hits hits;
        uint64_t found = 0;

        code = sp_context_check(f->context, "index.duplicates", error);
        if (code)
            break;
        for (count = 0; count < batch && next < f->ids.count; next++)
            if (f->kept_by[next] == SP_ROW_NONE)
                points[count++] = next;
        if (!count)
            break;
        code = field_narrow(f, points[0], error);
        if (code)
            break;
        code = sp_hits_init(&hits, count)
                   ? batch_find(f, points, count, threshold, &hits, error)
                   : sp_error_no_memory(error);
        for (uint64_t q = 0; !code && q < count; q++) {
            sp_hit_list *list = &hits.lists[q];

            found += list->count;
            /* one dropped by another of the same batch drops nothing */
            if (f->kept_by[points[q]] != SP_ROW_NONE)
                continue;
            f->kept++;
            for (uint64_t i = 0; i < list->count; i++) {
                uint64_t other = sp_idmap_find(&f->map, list->hits[i].id);

                if (other == SP_IDMAP_NONE || other <= points[q] ||
                    f->kept_by[other] != SP_ROW_NONE)
                    continue;
                f->kept_by[other] = points[q];
                f->distances[other] = list->hits[i].distance;
            }
        }
        sp_hits_clear(&hits);
        if (found < BATCH_HITS && batch < BATCH_MAX)
            batch *= 2;
        else if (found > BATCH_HITS && batch > BATCH_MIN)
            batch /= 2;
        sp_context_progress(f->context, next, f->ids.count);
    }
    return code;
}

/* A distance that no two points exceed; for inner products, whose negative none falls below. */
static int32_t threshold_limit(const field *f, double *limit, simplugin_error **error)
{
    /* |x.y| is at most the largest x.x; otherwise the farthest from one point tells, by the
       triangle inequality or, where that does not hold, near enough */
    *limit = (f->index->metric_id == SP_METRIC_DOTPRODUCT ? 1.000001 : 4) * f->farthest + 1e-6;
    return metric_check(f->index, error);
}

/* The threshold at which `target` points stay, as nearly as there is one. */
static int32_t field_bisect(field *f, uint64_t target, double *threshold, simplugin_error **error)
{
    double low = 0, high = 0;
    int32_t code;

    *threshold = 0;
    if (target >= f->ids.count) {
        for (uint64_t i = 0; i < f->ids.count; i++)
            f->kept_by[i] = SP_ROW_NONE;
        return SIMPLUGIN_OK;
    }
    code = threshold_limit(f, &high, error);
    if (!code && f->index->metric_id == SP_METRIC_DOTPRODUCT)
        low = -high; /* inner products have no zero */
    for (int i = 0; !code && i < BISECTIONS; i++) {
        *threshold = low + (high - low) / 2;
        code = field_thin(f, *threshold, target, error);
        if (code || f->kept == target)
            return code;
        if (f->kept > target)
            low = *threshold;
        else
            high = *threshold;
    }
    /* no threshold gives just that many (points that are the same): the next fewer */
    *threshold = high;
    return code ? code : field_thin(f, high, UINT64_MAX, error);
}

static int32_t field_reply(const field *f, sp_request *request, double threshold, int neighbors,
                           simplugin_error **error)
{
    sp_arena **arena = sp_reply_arena(request->reply);
    uint64_t count = f->ids.count, unique = 0, dropped = 0;
    uint64_t *rows = sp_arena_array(&request->arena, count + 1, sizeof *rows);
    uint64_t *by = sp_arena_array(&request->arena, count + 1, sizeof *by);
    float *distances = sp_arena_array(arena, count + 1, sizeof *distances);
    sp_column unique_ids, duplicate_ids, neighbor_ids;
    simplugin_writer writer;
    int32_t code;

    if (!rows || !by || !distances)
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < count; i++)
        if (f->kept_by[i] == SP_ROW_NONE)
            rows[unique++] = i;
    if (!sp_column_gather(&f->ids, rows, unique, arena, &unique_ids))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < count; i++)
        if (f->kept_by[i] != SP_ROW_NONE) {
            by[dropped] = f->kept_by[i];
            distances[dropped] = (float)f->distances[i];
            rows[dropped++] = i;
        }
    if (!sp_column_gather(&f->ids, rows, dropped, arena, &duplicate_ids) ||
        !sp_column_gather(&f->ids, by, dropped, arena, &neighbor_ids))
        return sp_error_no_memory(error);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, neighbors ? 5 : 3);
    simplugin_write_string(&writer, "unique_ids");
    simplugin_write_column(&writer, &unique_ids);
    simplugin_write_string(&writer, "duplicate_ids");
    simplugin_write_column(&writer, &duplicate_ids);
    if (neighbors) {
        simplugin_write_string(&writer, "neighbor_ids");
        simplugin_write_column(&writer, &neighbor_ids);
        simplugin_write_string(&writer, "distances");
        sp_write_array(&writer, SIMPLUGIN_FLOAT32, distances, dropped);
    }
    simplugin_write_string(&writer, "threshold");
    simplugin_write_double(&writer, threshold);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

static void field_clear(field *f, sp_view *view)
{
    field_widen(f);
    free((void *)(uintptr_t)f->vectors);
    sp_arena_free(&f->arena);
    if (view)
        sp_object_release(&view->object);
}

int32_t sp_index_duplicates(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    field f = {.index = index, .context = request->context};
    double threshold = NAN, fraction = NAN;
    sp_view *view = NULL;
    int32_t code = sp_arg_double(args, "threshold", &threshold, error);

    f.ids.type = SP_TEXT;
    if (!code)
        code = sp_arg_double(args, "fraction", &fraction, error);
    f.measures = !isnan(fraction);
    if (!code && isnan(threshold) == isnan(fraction))
        code = sp_arg_error(args, error, "threshold", "give exactly one of threshold and fraction");
    if (!code && !isnan(fraction) && (fraction < 0 || fraction > 1))
        code = sp_arg_error(args, error, "fraction", "is not between 0 and 1");
    if (!code)
        code = sp_arg_view(args, index, &view, error);
    f.view = view;
    if (!code)
        code = field_load(&f, error);
    if (!code && f.ids.count && !isnan(fraction)) {
        uint64_t target = (uint64_t)nearbyint((double)f.ids.count * (1 - fraction));

        code = field_bisect(&f, target ? target : 1, &threshold, error);
    } else if (!code && f.ids.count) {
        code = field_thin(&f, threshold, UINT64_MAX, error);
    }
    if (!code)
        code = field_reply(&f, request, isnan(threshold) ? 0 : threshold, 1, error);
    field_clear(&f, view);
    return code;
}

int32_t sp_index_unique(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    field f = {.index = index, .context = request->context, .measures = 1};
    double threshold = 0;
    int64_t count = 0;
    sp_view *view = NULL;
    int32_t code = sp_arg_int(args, "count", 1, INT64_MAX, &count, error);

    f.ids.type = SP_TEXT;
    if (!code && !count)
        code = sp_arg_error(args, error, "count", "is missing");
    if (!code)
        code = sp_arg_view(args, index, &view, error);
    f.view = view;
    if (!code)
        code = field_load(&f, error);
    if (!code && (uint64_t)count > f.ids.count)
        code = sp_arg_error(args, error, "count", "%lld is more than the %llu points there are",
                            (long long)count, (unsigned long long)f.ids.count);
    if (!code)
        code = field_bisect(&f, (uint64_t)count, &threshold, error);
    if (!code)
        code = field_reply(&f, request, threshold, 0, error);
    field_clear(&f, view);
    return code;
}
