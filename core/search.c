/* SPDX-License-Identifier: Apache-2.0 */
/* Searches through the backend, asking for more where some of what it finds does not count. */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"

#define OVERFETCH 4
#define FETCH_MAX ((uint64_t)INT64_MAX) /* k is an int of the protocol */

/* One request to the backend, and what is still to be looked at in its answer. */
typedef struct attempt {
    const sp_query *query;
    const sp_filter *pushed;
    const sp_filter_bound *rest;
    const sp_names *fields; /* what the rest needs */
    uint64_t fetch;
    simplugin_reply reply;
    /* the answer */
    const int64_t *offsets;
    const float *distances;
    const float *scores;
    sp_points points; /* ids and fields of all hits; borrows reply */
} attempt;

static int32_t attempt_send(sp_index *index, const sp_context *context, attempt *a,
                            simplugin_error **error)
{
    const sp_query *q = a->query;
    int remote = q->view && q->view->remote;
    int radius = !isinf(q->max_distance) && !q->reverse &&
                 sp_connection_describe(index->connection)->radius;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3 + (uint64_t)(a->pushed != NULL) + (uint64_t)remote +
                                     (uint64_t)(q->reverse != 0) + (uint64_t)radius +
                                     (uint64_t)(a->fields->count != 0) +
                                     (uint64_t)(q->parameters != NULL));
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &q->vectors);
    simplugin_write_string(&writer, "k");
    simplugin_write_uint(&writer, a->fetch);
    if (a->pushed) {
        simplugin_write_string(&writer, "filter");
        sp_filter_encode(a->pushed, &writer);
    }
    if (remote) {
        simplugin_write_string(&writer, "view");
        simplugin_write_uint(&writer, q->view->remote_view);
    }
    if (q->reverse) {
        simplugin_write_string(&writer, "reverse");
        simplugin_write_bool(&writer, 1);
    }
    if (radius) {
        simplugin_write_string(&writer, "max_distance");
        simplugin_write_double(&writer, q->max_distance);
    }
    if (a->fields->count) {
        simplugin_write_string(&writer, "fields");
        sp_write_names(&writer, a->fields);
    }
    if (q->parameters) {
        simplugin_write_string(&writer, "parameters");
        sp_json_write(&writer, q->parameters);
    }
    code = sp_connection_send(index->connection, context, "search", &writer, &a->reply, error);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t attempt_decode(sp_index *index, attempt *a, simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(a->reply.body, a->reply.body_size);
    const simplugin_tensor *offsets = sp_reply_array(&map, &a->reply, "offsets", SIMPLUGIN_INT64);
    const simplugin_tensor *distances =
        sp_reply_array(&map, &a->reply, "distances", SIMPLUGIN_FLOAT32);
    const simplugin_tensor *scores = sp_reply_array(&map, &a->reply, "scores", SIMPLUGIN_FLOAT32);
    simplugin_value ids;

    memset(&a->points, 0, sizeof a->points);
    if (!offsets || offsets->rows != a->query->vectors.rows + 1)
        return sp_reply_error(index, "search", "no offsets, one more than queries", error);
    a->offsets = offsets->data;
    if (!simplugin_find(&map, "ids", &ids) ||
        simplugin_column_read(&ids, a->reply.tensors, a->reply.tensor_count, &a->points.ids) ||
        a->points.ids.type != SP_TEXT)
        return sp_reply_error(index, "search", "no column of ids", error);
    a->points.count = a->points.ids.count;
    if (!simplugin_offsets_check(a->offsets, a->query->vectors.rows, a->points.count) ||
        (uint64_t)a->offsets[a->query->vectors.rows] != a->points.count || !distances ||
        distances->rows != a->points.count || !scores || scores->rows != a->points.count)
        return sp_reply_error(index, "search", "lists of different lengths", error);
    a->distances = distances->data;
    a->scores = scores->data;
    if (a->fields->count &&
        (!simplugin_find(&map, "fields", &a->points.fields) ||
         a->points.fields.type != SIMPLUGIN_MAP))
        return sp_reply_error(index, "search", "no fields", error);
    a->points.reply = a->reply;
    return SIMPLUGIN_OK;
}

int sp_query_is_self(const sp_query *query, uint64_t list, sp_text id)
{
    sp_text self;

    if (!query->self)
        return 0;
    if (query->self_shared)
        return sp_idmap_find(query->self_shared, id) != SP_IDMAP_NONE;
    self = sp_column_text(query->self, list);
    return self.size == id.size && memcmp(self.data, id.data, id.size) == 0;
}

/* Takes over what counts of one list; *more: another try may find what is missing. */
static int32_t list_take(const attempt *a, uint64_t q, const uint8_t *bitmap, sp_hits *hits,
                         int *more, simplugin_error **error)
{
    const sp_query *query = a->query;
    uint64_t end = (uint64_t)a->offsets[q + 1];
    uint64_t begin = (uint64_t)a->offsets[q];

    hits->lists[q].count = 0;
    for (uint64_t i = begin; i < end && hits->lists[q].count < query->k; i++) {
        sp_text id = sp_column_text(&a->points.ids, i);
        double distance = (double)a->distances[i];

        if ((bitmap && !(bitmap[i / 8] >> (i % 8) & 1)) || distance > query->max_distance ||
            sp_query_is_self(query, q, id) ||
            (query->view && !query->view->remote &&
             sp_idmap_find(&query->view->map, id) == SP_IDMAP_NONE))
            continue;
        if (!sp_hits_add(hits, q, id, distance, (double)a->scores[i]))
            return sp_error_no_memory(error);
    }
    if (hits->lists[q].count < query->k && end - begin >= a->fetch &&
        !(end > begin && !query->reverse && (double)a->distances[end - 1] > query->max_distance))
        *more = 1;
    return SIMPLUGIN_OK;
}

static int32_t attempt_take(sp_index *index, const attempt *a, sp_hits *hits, int *more,
                            simplugin_error **error)
{
    uint8_t *bitmap = NULL;
    int32_t code = SIMPLUGIN_OK;

    *more = 0;
    if (a->rest && a->points.count) {
        bitmap = malloc(a->points.count / 8 + 1);
        code = bitmap ? sp_filter_rows(index, a->rest, &a->points, bitmap, error)
                      : sp_error_no_memory(error);
    }
    for (uint64_t q = 0; !code && q < a->query->vectors.rows; q++)
        code = list_take(a, q, bitmap, hits, more, error);
    free(bitmap);
    return code;
}

/* The names of a filter's fields, in memory of the arena. */
static int32_t filter_names(const sp_filter *filter, sp_arena **arena, sp_names *names,
                            simplugin_error **error)
{
    names->names = sp_arena_array(arena, filter->field_count + 1, sizeof *names->names);
    if (!names->names)
        return sp_error_no_memory(error);
    for (uint32_t i = 0; i < filter->field_count; i++) {
        sp_text field = filter->fields[i];
        char *name = sp_arena_text(arena, field.data, field.size);

        if (!name)
            return sp_error_no_memory(error);
        if (strlen(name) == field.size)
            names->names[names->count++] = name;
    }
    return SIMPLUGIN_OK;
}

/* Whether only the exact pass can answer. */
static int needs_exact(sp_index *index, const sp_query *query)
{
    const sp_describe *describe = sp_connection_describe(index->connection);

    return query->aggregation >= SP_AGGREGATE_POST_MEAN || query->k == UINT64_MAX ||
           query->k > describe->max_k ||
           (query->reverse && !sp_describe_lists(describe, "reverse", index->metric));
}

int32_t sp_search(sp_index *index, const sp_context *context, const sp_query *query, sp_hits *hits,
                  simplugin_error **error)
{
    const sp_describe *describe = sp_connection_describe(index->connection);
    sp_filter *pushed = NULL;
    sp_filter_bound *rest = NULL;
    sp_names fields = {0};
    sp_arena *arena = NULL;
    attempt a = {.query = query, .reply = SP_REPLY_INIT};
    uint64_t size = UINT64_MAX;
    int more = 1;
    int32_t code = SIMPLUGIN_OK;

    if (!atomic_load(&index->dimension) || !query->vectors.rows ||
        sp_filter_is_false(query->filter))
        return SIMPLUGIN_OK;
    if (needs_exact(index, query))
        return sp_search_exact(index, context, query, hits, error);
    if (query->filter)
        code = sp_filter_split(index, query->filter, &pushed, &rest, error);
    if (!code && rest)
        code = filter_names(query->filter, &arena, &fields, error);
    a.pushed = pushed;
    a.rest = rest;
    a.fields = &fields;
    a.fetch = query->k;
    if (query->self)
        a.fetch += query->self_shared ? query->self->count : 1;
    if (rest || (query->view && !query->view->remote))
        a.fetch = a.fetch > FETCH_MAX / OVERFETCH ? FETCH_MAX : a.fetch * OVERFETCH;
    if (a.fetch > FETCH_MAX)
        a.fetch = FETCH_MAX;
    while (!code && more) {
        /* past the backend's limit the exact pass is the only way */
        if (a.fetch > describe->max_k || a.fetch > size) {
            for (uint64_t q = 0; q < hits->query_count; q++)
                hits->lists[q].count = 0;
            code = sp_search_exact(index, context, query, hits, error);
            break;
        }
        simplugin_reply_clear(&a.reply);
        code = attempt_send(index, context, &a, error);
        if (!code)
            code = attempt_decode(index, &a, error);
        if (!code)
            code = attempt_take(index, &a, hits, &more, error);
        if (!code && more && size == UINT64_MAX) {
            code = sp_index_count(index, context, &size, error);
            size *= 2;
        }
        a.fetch *= OVERFETCH;
    }
    simplugin_reply_clear(&a.reply);
    sp_filter_free(pushed);
    sp_filter_bound_free(rest);
    sp_arena_free(&arena);
    return code;
}
