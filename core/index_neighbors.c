/* SPDX-License-Identifier: Apache-2.0 */
/* index.neighbors: the nearest of every point, by the backend or by batches of queries. */
#include <math.h>
#include <string.h>

#include "gather.h"
#include "search.h"
#include "search_parameters.h"

#define BATCH_ROWS 256

typedef struct neighbors_args {
    uint64_t k;
    double radius;
    int has_radius;
    sp_view *view;
    json_t *parameters;
} neighbors_args;

static int32_t neighbors_pass(sp_index *index, sp_request *request, const neighbors_args *n,
                              simplugin_error **error)
{
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2 + (uint64_t)(n->view != NULL) +
                                     (uint64_t)(n->parameters != NULL));
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, n->has_radius ? "radius" : "k");
    if (n->has_radius)
        simplugin_write_double(&writer, n->radius);
    else
        simplugin_write_uint(&writer, n->k);
    if (n->view) {
        simplugin_write_string(&writer, "view");
        simplugin_write_uint(&writer, n->view->remote_view);
    }
    if (n->parameters) {
        simplugin_write_string(&writer, "parameters");
        sp_json_write(&writer, n->parameters);
    }
    code = sp_connection_send(index->connection, request->context, "search.neighbors", &writer,
                              request->reply, error);
    simplugin_writer_clear(&writer);
    return code;
}

/* Hits of many batches, one after the other. */
typedef struct gathered {
    sp_arena *arena;
    sp_buffer ids, offsets, neighbors, distances, scores; /* sp_text, int64, sp_text, float, float */
    int64_t total;
} gathered;

static int gathered_add(gathered *g, sp_text id, const sp_hit_list *list)
{
    sp_text copy = {sp_arena_text(&g->arena, id.data, id.size), id.size};

    sp_buffer_append(&g->ids, &copy, sizeof copy);
    for (uint64_t i = 0; i < list->count; i++) {
        const sp_hit *hit = &list->hits[i];
        sp_text other = {sp_arena_text(&g->arena, hit->id.data, hit->id.size), hit->id.size};
        float distance = (float)hit->distance, score = (float)hit->score;

        if (!other.data)
            return 0;
        sp_buffer_append(&g->neighbors, &other, sizeof other);
        sp_buffer_append(&g->distances, &distance, sizeof distance);
        sp_buffer_append(&g->scores, &score, sizeof score);
    }
    g->total += (int64_t)list->count;
    sp_buffer_append(&g->offsets, &g->total, sizeof g->total);
    return copy.data != NULL;
}

/* The rows of one page that pass, as queries. */
static int32_t batch_search(sp_index *index, const sp_context *context, const neighbors_args *n,
                            const sp_walk *walk, uint64_t first, uint64_t count, gathered *g,
                            simplugin_error **error)
{
    uint64_t cols = walk->dimension;
    sp_query query = {.max_distance = n->has_radius ? n->radius : INFINITY,
                      .k = n->has_radius ? UINT64_MAX : n->k,
                      .view = n->view,
                      .parameters = n->parameters};
    sp_arena *arena = NULL;
    sp_hits hits = {0};
    sp_column self;
    float *data = sp_arena_array(&arena, count, cols * sizeof *data);
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;

    if (!data || !sp_hits_init(&hits, count) ||
        !sp_column_gather(&walk->page.ids, walk->rows + first, count, &arena, &self))
        goto out;
    for (uint64_t i = 0; i < count; i++)
        memcpy(data + i * cols, sp_points_vector(&walk->page, walk->rows[first + i]),
               cols * sizeof *data);
    query.vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, cols);
    query.self = &self;
    code = sp_search(index, context, &query, &hits, error);
    for (uint64_t i = 0; !code && i < count; i++)
        if (!gathered_add(g, sp_column_text(&self, i), &hits.lists[i]))
            code = SIMPLUGIN_OUT_OF_MEMORY;
out:
    sp_hits_clear(&hits);
    sp_arena_free(&arena);
    return code == SIMPLUGIN_OUT_OF_MEMORY ? sp_error_no_memory(error) : code;
}

static const void *buffer_copy(sp_arena **arena, const sp_buffer *buffer)
{
    void *copy = sp_arena_alloc(arena, buffer->size + 1);

    if (copy && buffer->size)
        memcpy(copy, buffer->data, buffer->size);
    return copy;
}

static int32_t gathered_reply(const gathered *g, sp_request *request, simplugin_error **error)
{
    sp_arena **arena = sp_reply_arena(request->reply);
    uint64_t points = g->ids.size / sizeof(sp_text), count = (uint64_t)g->total;
    const void *offsets = buffer_copy(arena, &g->offsets);
    const void *distances = buffer_copy(arena, &g->distances);
    const void *scores = buffer_copy(arena, &g->scores);
    simplugin_writer writer;
    sp_column ids, neighbors;
    int32_t code;

    if (g->ids.failed || g->offsets.failed || g->neighbors.failed || g->distances.failed ||
        g->scores.failed || !offsets || !distances || !scores ||
        !sp_column_of_texts((const sp_text *)(const void *)g->ids.data, points, arena, &ids) ||
        !sp_column_of_texts((const sp_text *)(const void *)g->neighbors.data, count, arena,
                            &neighbors))
        return sp_error_no_memory(error);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 5);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "offsets");
    sp_write_array(&writer, SIMPLUGIN_INT64, offsets, points + 1);
    simplugin_write_string(&writer, "neighbors");
    simplugin_write_column(&writer, &neighbors);
    simplugin_write_string(&writer, "distances");
    sp_write_array(&writer, SIMPLUGIN_FLOAT32, distances, count);
    simplugin_write_string(&writer, "scores");
    sp_write_array(&writer, SIMPLUGIN_FLOAT32, scores, count);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t neighbors_batches(sp_index *index, sp_request *request, const neighbors_args *n,
                                 simplugin_error **error)
{
    sp_walk_spec spec = {.want = {.vectors = 1}, .view = n->view, .max_rows = BATCH_ROWS};
    gathered g = {.total = 0};
    uint64_t done = 0, size = 0;
    sp_walk walk;
    int more = 1;
    int32_t code = sp_walk_init(&walk, index, &spec, error);

    sp_buffer_append(&g.offsets, &g.total, sizeof g.total);
    if (!code)
        code = sp_index_count(index, request->context, &size, error);
    while (!code && more) {
        code = sp_walk_next(&walk, request->context, &more, error);
        for (uint64_t at = 0; !code && at < walk.row_count; at += BATCH_ROWS)
            code = batch_search(index, request->context, n, &walk, at,
                                walk.row_count - at < BATCH_ROWS ? walk.row_count - at : BATCH_ROWS,
                                &g, error);
        done += walk.page.count;
        sp_context_progress(request->context, done, size);
    }
    if (!code)
        code = gathered_reply(&g, request, error);
    sp_walk_clear(&walk);
    sp_buffer_clear(&g.ids);
    sp_buffer_clear(&g.offsets);
    sp_buffer_clear(&g.neighbors);
    sp_buffer_clear(&g.distances);
    sp_buffer_clear(&g.scores);
    sp_arena_free(&g.arena);
    return code;
}

int32_t sp_index_neighbors(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    neighbors_args n = {.k = 0, .radius = NAN};
    int64_t k = 0;
    int32_t code = sp_arg_int(args, "k", 1, INT64_MAX, &k, error);

    if (!code)
        code = sp_arg_double(args, "radius", &n.radius, error);
    n.k = (uint64_t)k;
    n.has_radius = !isnan(n.radius);
    if (!code && n.has_radius == (k > 0))
        code = sp_arg_error(args, error, "k", "give exactly one of k and radius");
    if (!code)
        code = sp_arg_view(args, index, &n.view, error);
    if (!code)
        code = sp_arg_search_parameters(args, index, &n.parameters, error);
    if (!code)
        code = atomic_load(&index->dimension) && (!n.view || n.view->remote) &&
                       n.k <= sp_connection_describe(index->connection)->max_k &&
                       sp_connection_serves(index->connection, "search.neighbors")
                   ? neighbors_pass(index, request, &n, error)
                   : neighbors_batches(index, request, &n, error);
    if (n.view)
        sp_object_release(&n.view->object);
    json_decref(n.parameters);
    return code;
}
