/* SPDX-License-Identifier: Apache-2.0 */
/* index.search and index.radius: reading the query, what comes after the search, the reply. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "gather.h"
#include "search.h"
#include "search_parameters.h"

#define K_DEFAULT 10
#define MMR_FETCH 4

/* Everything that a search or radius search says. */
typedef struct search_args {
    sp_query query;
    sp_column self; /* ids of the queries, where they are ids */
    sp_idmap self_map;
    int by_id;
    sp_hits_want want;
    sp_filter *filter;
    sp_view *view;
    json_t *parameters;
    double min_score; /* NAN: none */
    double mmr_lambda; /* NAN: no maximal marginal relevance */
    int64_t mmr_fetch;
} search_args;

static void search_args_clear(search_args *s)
{
    sp_filter_free(s->filter);
    if (s->view)
        sp_object_release(&s->view->object);
    json_decref(s->parameters);
}

/* The vectors of points, in the order of ids, all of which must be there. */
static int32_t vectors_of_ids(sp_index *index, sp_request *request, const sp_column *ids,
                              simplugin_tensor *vectors, simplugin_error **error)
{
    uint64_t cols = atomic_load(&index->dimension);
    sp_want want = {.vectors = 1};
    sp_points points = {.reply = SP_REPLY_INIT};
    uint64_t at = 0;
    float *data = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (cols && ids->count)
        code = sp_points_get(index, request->context, ids, &want, &points, error);
    if (!code && points.count < ids->count) {
        uint64_t *missing = sp_arena_array(&request->arena, ids->count, sizeof *missing);
        uint64_t count = 0;

        for (uint64_t i = 0; missing && i < ids->count; i++) {
            if (at < points.count && points.positions[at] == (int64_t)i)
                at++;
            else
                missing[count++] = i;
        }
        code = missing ? sp_error_ids(error, SIMPLUGIN_NOT_FOUND, request->args.method,
                                      "not in the index", ids, missing, count)
                       : sp_error_no_memory(error);
    }
    if (!code && points.vectors)
        cols = points.vectors->cols;
    if (!code && !(data = sp_arena_array(&request->arena, ids->count, cols * sizeof *data)))
        code = sp_error_no_memory(error);
    for (uint64_t i = 0; !code && i < points.count; i++)
        memcpy(data + i * cols, sp_points_vector(&points, i), cols * sizeof *data);
    sp_points_clear(&points);
    *vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, ids->count, cols);
    return code;
}

int32_t sp_arg_queries(sp_index *index, sp_request *request, simplugin_tensor *vectors,
                       sp_column *self, int *by_id, simplugin_error **error)
{
    const sp_args *args = &request->args;
    int has_vectors, text;
    int32_t code;

    code = sp_arg_matrix(args, "vectors", atomic_load(&index->dimension), vectors, &has_vectors,
                         error);
    if (!code)
        code = sp_arg_ids(args, "ids", SP_IDS_REPEATED, self, by_id, error);
    text = sp_arg_present(args, "text");
    if (!code && has_vectors + *by_id + text != 1)
        code = sp_arg_error(args, error, "vectors", "give exactly one of vectors, ids%s",
                            strcmp(args->method, "index.search") ? "" : " and text");
    if (!code && text) {
        code = sp_error_set(error, SIMPLUGIN_PROMPT_UNSUPPORTED, "core",
                            "%s: text: %s%s%s: embed the text and search by its vector",
                            args->method,
                            index->model ? "the library embeds no text; the index was made with "
                                           "the model \""
                                         : "the library embeds no text, and the index records no "
                                           "model",
                            index->model ? index->model : "", index->model ? "\"" : "");
        if (index->model)
            sp_error_add_detail(error, "model", index->model);
    }
    return code || !*by_id ? code : vectors_of_ids(index, request, self, vectors, error);
}

static int32_t mmr_read(search_args *s, const sp_args *args, simplugin_error **error)
{
    sp_args inner = *args;
    int32_t code;

    s->mmr_lambda = NAN;
    if (!simplugin_find(&args->map, "mmr", &inner.map))
        return SIMPLUGIN_OK;
    if (inner.map.type != SIMPLUGIN_MAP)
        return sp_arg_error(args, error, "mmr", "is not a map of lambda and fetch_k");
    s->mmr_lambda = 0.5;
    s->mmr_fetch = (int64_t)s->query.k > INT64_MAX / MMR_FETCH ? (int64_t)s->query.k
                                                               : (int64_t)s->query.k * MMR_FETCH;
    code = sp_args_check_keys(&inner, "lambda fetch_k", error);
    if (!code)
        code = sp_arg_double(&inner, "lambda", &s->mmr_lambda, error);
    if (!code && !(s->mmr_lambda >= 0 && s->mmr_lambda <= 1))
        code = sp_arg_error(args, error, "mmr", "lambda is not between 0 and 1");
    if (!code)
        code = sp_arg_int(&inner, "fetch_k", 1, INT64_MAX, &s->mmr_fetch, error);
    if (!code && s->mmr_fetch < (int64_t)s->query.k)
        s->mmr_fetch = (int64_t)s->query.k;
    return code;
}

static int32_t aggregation_read(search_args *s, const sp_args *args, simplugin_error **error)
{
    static const char *const names[] = {"", "mean", "post-mean", "post-min", "post-max"};
    const char *name;
    int32_t code = sp_arg_string(args, "aggregation", &name, error);

    for (int i = 1; !code && name && i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            s->query.aggregation = i;
            return code;
        }
    return code || !name ? code
                         : sp_arg_error(args, error, "aggregation",
                                        "\"%s\" is none of mean, post-mean, post-min, post-max",
                                        name);
}

/* Replaces the queries by their mean. */
static int32_t queries_average(sp_request *request, sp_query *query, simplugin_error **error)
{
    uint64_t cols = query->vectors.cols, rows = query->vectors.rows;
    double *sum = sp_arena_array(&request->arena, cols, sizeof *sum);
    float *mean = sp_arena_array(&request->arena, cols, sizeof *mean);

    if (!sum || !mean)
        return sp_error_no_memory(error);
    for (uint64_t q = 0; q < rows; q++)
        for (uint64_t i = 0; i < cols; i++)
            sum[i] += (double)sp_query_vector(query, q)[i];
    for (uint64_t i = 0; i < cols; i++)
        mean[i] = (float)(sum[i] / (double)rows);
    query->vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, mean, 1, cols);
    return SIMPLUGIN_OK;
}

/* With an aggregation the ids of all queries are left out of the one list. */
static int32_t self_share(sp_request *request, search_args *s, simplugin_error **error)
{
    if (!sp_idmap_init(&s->self_map, &s->self, &request->arena))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < s->self.count; i++)
        sp_idmap_add(&s->self_map, i);
    s->query.self_shared = &s->self_map;
    return SIMPLUGIN_OK;
}

/* What search and radius search have in common. */
static int32_t search_args_read(sp_index *index, sp_request *request, search_args *s,
                                simplugin_error **error)
{
    const sp_args *args = &request->args;
    int exclude_self = 0;
    int32_t code;

    memset(s, 0, sizeof *s);
    s->min_score = s->mmr_lambda = NAN;
    s->query.max_distance = INFINITY;
    s->query.k = K_DEFAULT;
    code = sp_arg_queries(index, request, &s->query.vectors, &s->self, &s->by_id, error);
    if (!code)
        code = sp_arg_filter(args, &s->filter, error);
    if (!code)
        code = sp_arg_view(args, index, &s->view, error);
    if (!code)
        code = sp_arg_bool(args, "exclude_self", &exclude_self, error);
    if (!code)
        code = sp_arg_names(args, "fields", &s->want.fields, error);
    if (!code)
        code = sp_arg_bool(args, "with_vectors", &s->want.vectors, error);
    if (!code)
        code = sp_arg_search_parameters(args, index, &s->parameters, error);
    if (!code && exclude_self && !s->by_id)
        code = sp_arg_error(args, error, "exclude_self", "needs a query by ids");
    s->query.self = exclude_self ? &s->self : NULL;
    s->query.filter = s->filter;
    s->query.view = s->view;
    s->query.parameters = s->parameters;
    return code;
}

/* ---- straight through ----------------------------------------------------------------- */

/* Whether the backend's answer can be the reply as it is. */
static int can_pass(const sp_index *index, const search_args *s, const sp_filter_bound *rest)
{
    const sp_describe *describe = sp_connection_describe(index->connection);

    return !rest && !sp_filter_is_false(s->filter) && !s->query.self && !index->patches &&
           isnan(s->min_score) && isnan(s->mmr_lambda) && isinf(s->query.max_distance) &&
           s->query.aggregation < SP_AGGREGATE_POST_MEAN && s->query.k <= describe->max_k &&
           (!s->view || s->view->remote) && atomic_load(&index->dimension) &&
           s->query.vectors.rows &&
           (!s->query.reverse || sp_describe_lists(describe, "reverse", index->metric));
}

/* search, or search.radius where there is a largest distance, with the reply as ours. */
static int32_t query_pass(sp_index *index, sp_request *request, const search_args *s,
                          const sp_filter *pushed, simplugin_error **error)
{
    int radius = !isinf(s->query.max_distance);
    int fields = s->want.fields.all || s->want.fields.count;
    simplugin_writer writer;
    uint64_t position, keys = 3;
    int32_t code;

    simplugin_writer_init(&writer);
    position = simplugin_write_map_begin(&writer);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &s->query.vectors);
    if (radius) {
        simplugin_write_string(&writer, "radius");
        simplugin_write_double(&writer, s->query.max_distance);
        if (s->query.k != UINT64_MAX) {
            simplugin_write_string(&writer, "limit");
            simplugin_write_uint(&writer, s->query.k);
            keys++;
        }
    } else {
        simplugin_write_string(&writer, "k");
        simplugin_write_uint(&writer, s->query.k);
    }
    if (s->query.reverse) {
        simplugin_write_string(&writer, "reverse");
        simplugin_write_bool(&writer, 1);
        keys++;
    }
    if (pushed) {
        simplugin_write_string(&writer, "filter");
        sp_filter_encode(pushed, &writer);
        keys++;
    }
    if (s->view) {
        simplugin_write_string(&writer, "view");
        simplugin_write_uint(&writer, s->view->remote_view);
        keys++;
    }
    if (fields) {
        simplugin_write_string(&writer, "fields");
        sp_write_names(&writer, &s->want.fields);
        keys++;
    }
    if (s->want.vectors) {
        simplugin_write_string(&writer, "with_vectors");
        simplugin_write_bool(&writer, 1);
        keys++;
    }
    if (s->parameters) {
        simplugin_write_string(&writer, "parameters");
        sp_json_write(&writer, s->parameters);
        keys++;
    }
    simplugin_write_end(&writer, position, keys);
    code = sp_connection_send(index->connection, request->context,
                              radius ? "search.radius" : "search", &writer, request->reply, error);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- what comes after ----------------------------------------------------------------- */

/* For similarities at least, for scores that are distances at most. */
static void score_cut(const sp_index *index, sp_hits *hits, double min_score)
{
    int similarity = index->metric_id == SP_METRIC_COSINE ||
                     index->metric_id == SP_METRIC_DOTPRODUCT;

    for (uint64_t q = 0; q < hits->query_count; q++) {
        sp_hit_list *list = &hits->lists[q];
        uint64_t kept = 0;

        for (uint64_t i = 0; i < list->count; i++)
            if (similarity ? list->hits[i].score >= min_score : list->hits[i].score <= min_score)
                list->hits[kept++] = list->hits[i];
        list->count = kept;
    }
}

/* cos to the query of a list, or what the aggregation makes of that to all queries. */
static double relevance_of(const sp_query *query, uint64_t list, const float *vector)
{
    uint64_t dimension = query->vectors.cols, rows = query->vectors.rows;
    double value = sp_cosine(sp_query_vector(query, list), vector, dimension);

    for (uint64_t q = 1; query->aggregation >= SP_AGGREGATE_POST_MEAN && q < rows; q++) {
        double other = sp_cosine(sp_query_vector(query, q), vector, dimension);

        /* the least distance is the largest cos */
        if (query->aggregation == SP_AGGREGATE_POST_MEAN)
            value += other;
        else if (query->aggregation == SP_AGGREGATE_POST_MIN ? other > value : other < value)
            value = other;
    }
    return query->aggregation == SP_AGGREGATE_POST_MEAN ? value / (double)rows : value;
}

/*
 * Maximal marginal relevance: of the candidates of one query, one after the other the one
 * with the largest lambda * cos(query) - (1 - lambda) * (largest cos with one chosen before).
 */
static int32_t mmr_choose(sp_index *index, sp_request *request, const search_args *s, uint64_t q,
                          sp_hit_list *list, simplugin_error **error)
{
    uint64_t count = list->count, chosen = 0, dimension = s->query.vectors.cols;
    sp_want want = {.vectors = 1};
    sp_points points = {.reply = SP_REPLY_INIT};
    sp_column ids;
    sp_text *texts = sp_arena_array(&request->arena, count + 1, sizeof *texts);
    double *relevance = sp_arena_array(&request->arena, count + 1, sizeof *relevance);
    double *closest = sp_arena_array(&request->arena, count + 1, sizeof *closest);
    const float **vectors = sp_arena_array(&request->arena, count + 1, sizeof *vectors);
    int32_t code;

    if (!texts || !relevance || !closest || !vectors)
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < count; i++)
        texts[i] = list->hits[i].id;
    if (!sp_column_of_texts(texts, count, &request->arena, &ids))
        return sp_error_no_memory(error);
    code = count ? sp_points_get(index, request->context, &ids, &want, &points, error)
                 : SIMPLUGIN_OK;
    if (!code && points.count && points.vectors->cols != dimension)
        code = sp_dimension_mismatch(dimension, points.vectors->cols, error);
    if (code)
        goto out;
    /* points that are gone meanwhile are no candidates */
    for (uint64_t i = 0; i < points.count; i++) {
        list->hits[i] = list->hits[points.positions[i]];
        vectors[i] = sp_points_vector(&points, i);
        relevance[i] = relevance_of(&s->query, q, vectors[i]);
        closest[i] = -INFINITY;
    }
    for (count = points.count; chosen < s->query.k && chosen < count; chosen++) {
        uint64_t best = chosen;
        double best_value = -INFINITY;
        sp_hit hit;

        code = sp_context_check(request->context, "index.search", error);
        if (code)
            goto out;
        for (uint64_t i = chosen; i < count; i++) {
            double value = s->mmr_lambda * relevance[i] -
                           (chosen ? (1 - s->mmr_lambda) * closest[i] : 0);

            if (value > best_value) {
                best = i;
                best_value = value;
            }
        }
        /* moved to the front, the others keeping their order */
        hit = list->hits[best];
        {
            const float *vector = vectors[best];

            for (uint64_t i = best; i > chosen; i--) {
                list->hits[i] = list->hits[i - 1];
                vectors[i] = vectors[i - 1];
                relevance[i] = relevance[i - 1];
                closest[i] = closest[i - 1];
            }
            list->hits[chosen] = hit;
            vectors[chosen] = vector;
            for (uint64_t i = chosen + 1; i < count; i++) {
                double similarity = sp_cosine(vector, vectors[i], dimension);

                closest[i] = similarity > closest[i] ? similarity : closest[i];
            }
        }
    }
    list->count = chosen;
out:
    sp_points_clear(&points);
    return code;
}

int32_t sp_index_search(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_filter *pushed = NULL;
    sp_filter_bound *rest = NULL;
    sp_hits hits = {0};
    search_args s;
    int64_t k = K_DEFAULT;
    int pass;
    int32_t code = search_args_read(index, request, &s, error);

    if (!code)
        code = sp_arg_int(args, "k", 1, INT64_MAX, &k, error);
    s.query.k = (uint64_t)k;
    if (!code)
        code = sp_arg_bool(args, "reverse", &s.query.reverse, error);
    if (!code)
        code = aggregation_read(&s, args, error);
    if (!code)
        code = sp_arg_double(args, "max_distance", &s.query.max_distance, error);
    if (!code)
        code = sp_arg_double(args, "min_score", &s.min_score, error);
    if (!code)
        code = mmr_read(&s, args, error);
    if (!code && !isnan(s.mmr_lambda) && s.query.reverse)
        code = sp_arg_error(args, error, "mmr", "does not go with reverse");
    if (!code && s.query.aggregation == SP_AGGREGATE_MEAN && s.query.vectors.rows)
        code = queries_average(request, &s.query, error);
    if (!code && s.query.self && s.query.aggregation != SP_AGGREGATE_NONE)
        code = self_share(request, &s, error);
    if (!code && s.filter)
        code = sp_filter_split(index, s.filter, &pushed, &rest, error);
    if (code)
        goto out;
    pass = can_pass(index, &s, rest);
    if (pass) {
        code = query_pass(index, request, &s, pushed, error);
        goto out;
    }
    if (!isnan(s.mmr_lambda))
        s.query.k = (uint64_t)s.mmr_fetch;
    if (!sp_hits_init(&hits, sp_query_lists(&s.query)))
        code = sp_error_no_memory(error);
    else
        code = sp_search(index, request->context, &s.query, &hits, error);
    s.query.k = (uint64_t)k;
    if (!code && !isnan(s.min_score))
        score_cut(index, &hits, s.min_score);
    for (uint64_t q = 0; !code && !isnan(s.mmr_lambda) && q < hits.query_count; q++)
        code = mmr_choose(index, request, &s, q, &hits.lists[q], error);
    if (!code)
        code = sp_hits_reply(index, request, &hits, &s.want, error);
out:
    sp_hits_clear(&hits);
    sp_filter_free(pushed);
    sp_filter_bound_free(rest);
    search_args_clear(&s);
    return code;
}

/* ---- radius --------------------------------------------------------------------------- */

int32_t sp_index_radius(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_filter *pushed = NULL;
    sp_filter_bound *rest = NULL;
    sp_hits hits = {0};
    double radius = NAN;
    int64_t limit = 0;
    search_args s;
    int32_t code = search_args_read(index, request, &s, error);

    if (!code)
        code = sp_arg_double(args, "radius", &radius, error);
    if (!code && isnan(radius))
        code = sp_arg_error(args, error, "radius", "is missing");
    if (!code)
        code = sp_arg_int(args, "limit", 1, INT64_MAX, &limit, error);
    if (!code && s.filter)
        code = sp_filter_split(index, s.filter, &pushed, &rest, error);
    if (code)
        goto out;
    s.query.max_distance = radius;
    s.query.k = limit ? (uint64_t)limit : UINT64_MAX;
    if (!rest && !sp_filter_is_false(s.filter) && !s.query.self && !index->patches &&
        (!s.view || s.view->remote) && atomic_load(&index->dimension) && s.query.vectors.rows &&
        sp_connection_serves(index->connection, "search.radius")) {
        code = query_pass(index, request, &s, pushed, error);
        goto out;
    }
    if (!sp_hits_init(&hits, s.query.vectors.rows))
        code = sp_error_no_memory(error);
    else
        code = atomic_load(&index->dimension)
                   ? sp_search_exact(index, request->context, &s.query, &hits, error)
                   : SIMPLUGIN_OK;
    if (!code)
        code = sp_hits_reply(index, request, &hits, &s.want, error);
out:
    sp_hits_clear(&hits);
    sp_filter_free(pushed);
    sp_filter_bound_free(rest);
    search_args_clear(&s);
    return code;
}
