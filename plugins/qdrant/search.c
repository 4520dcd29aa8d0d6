/* SPDX-License-Identifier: Apache-2.0 */
/* The method search: requests, what views make of them, and the reply. */
#include "config.h"

#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "copy.h"
#include "json_write.h"
#include "metric.h"
#include "view.h"

/* Of one request: hits over all of its queries, bytes of its body, queries. */
#define HITS_PER_REQUEST (UINT64_C(1) << 18)
#define BODY_BYTES (UINT64_C(16) << 20)
#define QUERIES_PER_REQUEST UINT64_C(256)
#define NUMBER_BYTES 12

/* ---- one request ------------------------------------------------------------------------- */

uint64_t qdrant_search_queries(const qdrant_search *s, uint64_t fetch, uint64_t filter_bytes)
{
    uint64_t bytes = s->call->schema->dimension * NUMBER_BYTES + strlen(s->condition) +
                     filter_bytes + 256;
    uint64_t most = (uint64_t)s->call->instance->settings.batch_bytes;
    uint64_t by_hits = HITS_PER_REQUEST / fetch;
    uint64_t by_bytes = (most < BODY_BYTES ? most : BODY_BYTES) / bytes;
    uint64_t count = by_hits < by_bytes ? by_hits : by_bytes;

    count = count < QUERIES_PER_REQUEST ? count : QUERIES_PER_REQUEST;
    return count ? count : 1;
}

/*
 * is_named: among some thousands of ids. These are compared one by one: on its way through the graph a
 * server passes points that the filter accepts only, which need not be connected, and finds few or none.
 */
static void params_put(const qdrant_search *s, sp_buffer *out, uint64_t fetch, int is_named)
{
    const qdrant_searching *options = &s->options;
    int exact = is_named ? 1 : options->exact;
    int is_first = 1;

    if (!options->hnsw_ef && exact < 0 && options->indexed_only < 0)
        return;
    sp_buffer_append_text(out, ",\"params\":{");
    if (options->hnsw_ef) {
        plug_json_key(out, &is_first, "hnsw_ef");
        plug_json_uint64(out, (uint64_t)options->hnsw_ef > fetch ? (uint64_t)options->hnsw_ef : fetch);
    }
    if (exact >= 0) {
        plug_json_key(out, &is_first, "exact");
        plug_json_bool(out, exact);
    }
    if (options->indexed_only >= 0) {
        plug_json_key(out, &is_first, "indexed_only");
        plug_json_bool(out, options->indexed_only);
    }
    sp_buffer_append(out, "}", 1);
}

/* A little less is asked for than is kept: the server rounds. */
static void threshold_put(const qdrant_search *s, sp_buffer *out)
{
    const char *metric = s->call->schema->metric;
    double score = qdrant_metric_score(metric, s->max_distance);
    double slack = 1e-4 * (1 + fabs(score));

    if (s->reverse || !isfinite(score))
        return;
    sp_buffer_append_text(out, ",\"score_threshold\":");
    plug_json_double(out, qdrant_metric_is_similarity(metric) ? score - slack : score + slack);
}

static int is_query_route(const qdrant_call *call)
{
    return atomic_load(&call->instance->version) >= QDRANT_VERSION_QUERY;
}

static void query_put(const qdrant_search *s, sp_buffer *out, const float *vector, uint64_t fetch,
                      int is_named)
{
    const qdrant_schema *schema = s->call->schema;

    if (is_query_route(s->call)) {
        sp_buffer_append_text(out, "\"query\":");
        plug_json_floats(out, vector, schema->dimension);
        if (*schema->vector) {
            sp_buffer_append_text(out, ",\"using\":");
            plug_json_string(out, schema->vector);
        }
    } else {
        sp_buffer_append_text(out, "\"vector\":");
        if (*schema->vector) {
            sp_buffer_append_text(out, "{\"name\":");
            plug_json_string(out, schema->vector);
            sp_buffer_append_text(out, ",\"vector\":");
        }
        plug_json_floats(out, vector, schema->dimension);
        if (*schema->vector)
            sp_buffer_append(out, "}", 1);
    }
    sp_buffer_append_text(out, ",\"limit\":");
    plug_json_uint64(out, fetch);
    params_put(s, out, fetch, is_named);
    threshold_put(s, out);
    sp_buffer_append_text(out, ",\"with_vector\":");
    plug_json_bool(out, s->with_vectors);
    sp_buffer_append(out, ",", 1);
    qdrant_payload_put(s->call, out, &s->names, s->with_vectors);
    sp_buffer_append(out, "}", 1);
}

static void request_put(const qdrant_search *s, sp_buffer *out, const uint64_t *queries,
                        uint64_t count, qdrant_id_set *ids, uint64_t fetch)
{
    uint64_t first = ids ? ids->next : 0;

    if (count > 1)
        sp_buffer_append_text(out, "{\"searches\":[");
    for (uint64_t i = 0; i < count; i++) {
        if (i)
            sp_buffer_append(out, ",", 1);
        sp_buffer_append(out, "{", 1);
        if (ids)
            ids->next = first;
        qdrant_filter_put(s->call, out, s->condition, ids);
        query_put(s, out, s->vectors.data + queries[i] * s->vectors.stride, fetch, ids != NULL);
    }
    if (count > 1)
        sp_buffer_append_text(out, "]}");
}

/* The points of a reply, one list for each query. */
static int32_t lists_fill(qdrant_search *s, const qdrant_page *page, uint64_t count,
                          plug_list *lists)
{
    const char *metric = s->call->schema->metric;
    plug_hit *hits = plug_scratch(&s->call->base, page->count + 1, sizeof *hits);
    uint64_t begin = 0;

    if (!hits)
        return plug_no_memory(&s->call->base);
    for (uint64_t i = 0; i < page->count; i++) {
        const qdrant_point *point = &page->points[i];
        float score = s->reverse ? -point->score : point->score;

        hits[i] = (plug_hit){.id = point->id,
                               .score = score,
                               .distance = qdrant_metric_distance(metric, score),
                               .page = page,
                               .row = i};
    }
    for (uint64_t q = 0; q < count; q++) {
        uint64_t end = count > 1 ? page->lists[q] : page->count;

        lists[q].hits = hits + begin;
        lists[q].count = lists[q].sent = end - begin;
        begin = end;
    }
    return SIMPLUGIN_OK;
}

/* In two requests what was too large for one, or its reply was. */
static int32_t halves_send(qdrant_search *s, const uint64_t *queries, uint64_t count,
                           qdrant_id_set *ids, uint64_t first_id, uint64_t fetch, plug_list *lists)
{
    uint64_t half = count / 2;
    int32_t code;

    if (ids)
        ids->next = first_id;
    code = qdrant_search_send(s, queries, half, ids, fetch, lists);
    if (ids)
        ids->next = first_id;
    return code ? code
                : qdrant_search_send(s, queries + half, count - half, ids, fetch, lists + half);
}

int32_t qdrant_search_send(qdrant_search *s, const uint64_t *queries, uint64_t count,
                           qdrant_id_set *ids, uint64_t fetch, plug_list *lists)
{
    qdrant_call *call = s->call;
    qdrant_answer *answer = calloc(1, sizeof *answer);
    int shape = count > 1               ? QDRANT_SHAPE_LISTS
                : is_query_route(call) ? QDRANT_SHAPE_SCROLL
                                        : QDRANT_SHAPE_POINTS;
    uint64_t first_id = ids ? ids->next : 0;
    const qdrant_status *status;
    sp_buffer body;
    int32_t code;

    if (!answer)
        return plug_no_memory(&call->base);
    answer->next = s->answers;
    s->answers = answer;
    status = &answer->page.http.status;
    sp_buffer_init(&body);
    request_put(s, &body, queries, count, ids, fetch);
    code = qdrant_prepare(call, "POST", count > 1 ? s->path_many : s->path_one, &body, 1,
                          &answer->page.http);
    if (!code)
        code = qdrant_try(&call->instance->link, &call->base, &answer->page.http);
    if (!code && count > 1 && (status->too_large || status->reply_too_large))
        return halves_send(s, queries, count, ids, first_id, fetch, lists);
    if (!code && status->code)
        code = qdrant_http_fail(&call->instance->link, &call->base, &answer->page.http);
    if (!code)
        code = qdrant_page_read(call, shape, count, &answer->page);
    return code ? code : lists_fill(s, &answer->page, count, lists);
}

/* ---- the call ------------------------------------------------------------------------------ */

static int32_t search_read(qdrant_search *s)
{
    plug_call *call = &s->call->base;
    int64_t k = 0;
    int present;
    int32_t code = plug_arg_int(call, "k", 1, QDRANT_MAX_K, &k);

    s->max_distance = INFINITY;
    s->k = (uint64_t)k;
    if (!code && !k)
        code = plug_fail_argument(call, "k", "k is needed");
    if (!code)
        code = plug_arg_bool(call, "reverse", &s->reverse);
    if (!code)
        code = plug_arg_double(call, "max_distance", &s->max_distance, &present);
    if (!code)
        code = plug_arg_names(call, &s->names);
    if (!code)
        code = plug_arg_bool(call, "with_vectors", &s->with_vectors);
    if (!code)
        code = qdrant_searching_read(call, &s->options);
    if (!code)
        code = qdrant_condition_read(s->call, &s->condition);
    if (!code)
        code = qdrant_view_acquire(s->call, &s->view);
    if (!code && s->reverse && !qdrant_metric_is_similarity(s->call->schema->metric))
        code = plug_fail_argument(call, "reverse",
                                  "Qdrant cannot list the least similar by %s distance",
                                  s->call->schema->metric);
    return code;
}

/* As they are sent: cosine makes the norm 1, which Qdrant does not do for very short ones. */
static int32_t vectors_read(qdrant_search *s)
{
    const qdrant_schema *schema = s->call->schema;
    plug_call *call = &s->call->base;
    plug_matrix given;
    float *sent;
    int32_t code = plug_arg_vectors(call, schema->dimension, &given);

    if (!code)
        code = plug_check_finite(call, &given, schema->dimension, NULL, given.rows);
    if (code)
        return code;
    sent = plug_scratch(call, given.rows + 1, schema->dimension * sizeof *sent);
    if (!sent)
        return plug_no_memory(call);
    for (uint64_t i = 0; i < given.rows; i++) {
        const float *from = given.data + i * given.stride;
        float *to = sent + i * schema->dimension;
        double sum = 0, factor;

        for (uint64_t j = 0; j < schema->dimension; j++)
            sum += (double)from[j] * from[j];
        factor = qdrant_is_normalised(schema) && sum > 0 ? 1 / sqrt(sum) : 1;
        if (s->reverse)
            factor = -factor;
        for (uint64_t j = 0; j < schema->dimension; j++)
            to[j] = (float)(from[j] * factor);
    }
    s->vectors = (plug_matrix){sent, given.rows, schema->dimension};
    return SIMPLUGIN_OK;
}

static int32_t paths_make(qdrant_search *s)
{
    int is_query = is_query_route(s->call);

    s->path_one = qdrant_read_path(s->call, is_query ? "/points/query" : "/points/search",
                                   s->options.consistency);
    s->path_many = qdrant_read_path(
        s->call, is_query ? "/points/query/batch" : "/points/search/batch", s->options.consistency);
    return s->path_one && s->path_many ? SIMPLUGIN_OK : plug_no_memory(&s->call->base);
}

static int32_t reply_write(const qdrant_search *s, const plug_list *lists)
{
    plug_call *call = &s->call->base;
    int with_fields = s->names.all || s->names.count;
    qdrant_row *rows;
    plug_hit *hits;
    uint64_t count;
    int32_t code = plug_lists_write(call, lists, s->vectors.rows,
                                    (s->with_vectors != 0) + (with_fields != 0), &hits, &count);

    if (code)
        return code;
    rows = plug_scratch(call, count + 1, sizeof *rows);
    if (!rows)
        return plug_no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = (qdrant_row){hits[i].page, hits[i].row};
    if (s->with_vectors)
        code = qdrant_vectors_write(s->call, rows, count);
    if (!code && with_fields)
        code = qdrant_fields_write(s->call, rows, count, &s->names);
    return code;
}

static void search_clear(qdrant_search *s)
{
    while (s->answers) {
        qdrant_answer *next = s->answers->next;

        qdrant_page_clear(&s->answers->page);
        free(s->answers);
        s->answers = next;
    }
    plug_copy_release(s->copy);
    plug_view_release(s->view);
}

int32_t qdrant_serve_search(qdrant_call *call)
{
    qdrant_search s = {.call = call};
    plug_list *lists;
    int32_t code = search_read(&s);

    if (!code)
        code = vectors_read(&s);
    if (!code)
        code = paths_make(&s);
    lists = plug_scratch(&call->base, s.vectors.rows + 1, sizeof *lists);
    if (!code && !lists)
        code = plug_no_memory(&call->base);
    if (!code)
        code = qdrant_find(&s, lists);
    if (!code) {
        plug_lists_cut(lists, s.vectors.rows, s.k, s.reverse, s.max_distance);
        code = reply_write(&s, lists);
    }
    search_clear(&s);
    return code;
}
