/* SPDX-License-Identifier: Apache-2.0 */
/* The method search: requests, what views make of them, and the reply. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "complete.h"
#include "copy.h"
#include "describe.h"
#include "expr.h"
#include "hits.h"
#include "index_spec.h"
#include "instance.h"
#include "load.h"
#include "lookup.h"
#include "metric.h"
#include "numbers.h"
#include "pb.h"
#include "plug_copy.h"
#include "query.h"
#include "search.h"
#include "upsert.h"
#include "view.h"
#include "zeros.h"

#define FLOAT_VECTOR_PLACEHOLDER 101
#define BINARY_VECTOR_PLACEHOLDER 100
#define EXPRESSION_DSL 1 /* anything else, and Milvus 2.3 ends itself */

/* ---- one request ------------------------------------------------------------------------- */

static void pair_put(sp_buffer *out, const char *key, const char *value)
{
    size_t begin = pb_begin(out, SEARCH_PARAMS);

    pb_text(out, PAIR_KEY, key);
    pb_text(out, PAIR_VALUE, value);
    pb_end(out, begin);
}

/* The queries, turned around where the least similar are wanted. */
static void placeholders_put(const milvus_search *s, const uint64_t *queries, uint64_t count,
                             sp_buffer *out)
{
    uint64_t dimension = s->call->schema->vector->dimension;
    size_t group = pb_begin(out, SEARCH_PLACEHOLDERS);
    size_t placeholder = pb_begin(out, GROUP_PLACEHOLDER);

    pb_text(out, PLACEHOLDER_TAG, "$0");
    pb_uint(out, PLACEHOLDER_TYPE, s->bits ? BINARY_VECTOR_PLACEHOLDER : FLOAT_VECTOR_PLACEHOLDER);
    for (uint64_t i = 0; s->bits && i < count; i++)
        pb_bytes(out, PLACEHOLDER_VALUES,
                 (const uint8_t *)s->bits->data + queries[i] * simplugin_tensor_stride(s->bits),
                 (size_t)s->bits->cols);
    for (uint64_t i = 0; !s->bits && i < count; i++) {
        const float *query = s->vectors.data + queries[i] * s->vectors.stride;
        float *at;

        pb_head(out, PLACEHOLDER_VALUES, (size_t)dimension * sizeof(float));
        at = sp_buffer_extend(out, (size_t)dimension * sizeof(float));
        for (uint64_t j = 0; at && j < dimension; j++) {
            float value = s->reverse ? -query[j] : query[j];

            memcpy((uint8_t *)at + j * sizeof value, &value, sizeof value);
        }
    }
    pb_end(out, placeholder);
    pb_end(out, group);
}

int milvus_search_has_outputs(const milvus_search *search)
{
    return !search->is_bare && (search->with_vectors || search->names.all || search->names.count);
}

static void output_put(const milvus_search *s, sp_buffer *out)
{
    const milvus_schema *schema = s->call->schema;

    /* Milvus Lite sends all fields where none is named */
    if (s->is_bare || s->call->instance->is_lite)
        pb_text(out, SEARCH_OUTPUT, schema->key->name);
    if (s->is_bare)
        return;
    if (s->with_vectors)
        pb_text(out, SEARCH_OUTPUT, schema->vector->name);
    if (!s->names.all && !s->names.count)
        return;
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (milvus_field_is_shown(schema, schema->fields[i].name))
            pb_text(out, SEARCH_OUTPUT, schema->fields[i].name);
    if (schema->has_dynamic)
        pb_text(out, SEARCH_OUTPUT, MILVUS_DYNAMIC);
}

static int32_t request_encode(const milvus_search *s, const uint64_t *queries, uint64_t count,
                              const char *expr, uint64_t fetch, const milvus_freshness *fresh,
                              milvus_rpc *rpc)
{
    milvus_call *call = s->call;
    milvus_search_params params;
    char number[24];
    sp_buffer out;
    int32_t code = milvus_search_params_read(&call->base, &s->parameters, call->schema->index_type,
                                             fetch, &params);

    if (code)
        return code;
    if (s->is_thorough)
        milvus_search_params_thorough(call->schema->index_type, &params);
    sp_buffer_init(&out);
    snprintf(number, sizeof number, "%" PRIu64, fetch);
    pb_text(&out, SEARCH_DB, call->instance->settings.db_name);
    pb_text(&out, SEARCH_COLLECTION, call->collection);
    for (uint64_t i = 0; i < s->partitions.count; i++)
        pb_text(&out, SEARCH_PARTITIONS, s->partitions.names[i]);
    pb_text(&out, SEARCH_EXPR, expr);
    placeholders_put(s, queries, count, &out);
    pb_uint(&out, SEARCH_DSL_TYPE, EXPRESSION_DSL);
    output_put(s, &out);
    pair_put(&out, "anns_field", call->schema->vector->name);
    pair_put(&out, "topk", number);
    pair_put(&out, "metric_type", milvus_metric_theirs(call->schema->metric));
    pair_put(&out, "params", s->json ? s->json : params.json);
    pair_put(&out, "round_decimal", "-1");
    pb_uint(&out, SEARCH_TIMESTAMP, fresh->timestamp);
    pb_uint(&out, SEARCH_NQ, count);
    pb_uint(&out, SEARCH_CONSISTENCY, (uint64_t)fresh->level);
    if (out.failed) {
        sp_buffer_clear(&out);
        return plug_no_memory(&call->base);
    }
    milvus_rpc_take(rpc, out.data, out.size);
    return SIMPLUGIN_OK;
}

int32_t milvus_search_send(const milvus_search *s, const uint64_t *queries, uint64_t count,
                           const char *expr, uint64_t fetch, milvus_answer *answer)
{
    milvus_freshness fresh =
        milvus_freshness_of(s->call, s->level < 0 ? s->call->schema->consistency : s->level);
    int32_t code;

    memset(answer, 0, sizeof *answer);
    milvus_rpc_init(&answer->rpc, "Search");
    code = request_encode(s, queries, count, expr, fetch, &fresh, &answer->rpc);
    if (!code)
        code = milvus_read_try(s->call, &answer->rpc);
    if (code)
        return code;
    answer->is_too_large = milvus_is_reply_too_large(&answer->rpc.status) &&
                           (count > 1 || s->is_thorough || milvus_search_has_outputs(s));
    if (answer->is_too_large)
        return SIMPLUGIN_OK;
    if (answer->rpc.status.code)
        return milvus_status_fail(&s->call->base, answer->rpc.method,
                                  s->call->instance->settings.address.target,
                                  &answer->rpc.status);
    milvus_read_done(s->call, &fresh);
    code = milvus_hits_read(s->call, answer->rpc.reply, answer->rpc.reply_size, count,
                            &answer->hits);
    for (uint64_t q = 0; !code && s->is_bare && q < count; q++)
        for (uint64_t i = 0; i < answer->hits.lists[q].count; i++)
            answer->hits.lists[q].hits[i].page = NULL;
    for (uint64_t q = 0; !code && s->reverse && q < count; q++)
        for (uint64_t i = 0; i < answer->hits.lists[q].count; i++) {
            plug_hit *hit = &answer->hits.lists[q].hits[i];

            hit->score = -hit->score;
            milvus_metric_convert(s->call->schema->metric, &hit->score, &hit->distance);
        }
    return code;
}

void milvus_answer_clear(milvus_answer *answer)
{
    milvus_hits_clear(&answer->hits);
    milvus_rpc_clear(&answer->rpc);
}

/* ---- the call ------------------------------------------------------------------------------ */

int32_t milvus_search_read(milvus_search *s)
{
    plug_call *call = &s->call->base;
    int64_t k = 0;
    int present;
    int32_t code = plug_arg_int(call, "k", 1, MILVUS_LIMIT_MAX, &k);

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
        code = milvus_view_acquire(s->call, &s->view);
    if (!code && !s->call->schema->metric && *s->call->schema->index_type)
        code = plug_fail(call, SIMPLUGIN_UNIMPLEMENTED,
                         "its index has the metric \"%s\", which is none that can be searched by "
                         "here: index.create makes another one",
                         s->call->schema->server_metric);
    else if (!code && !s->call->schema->metric)
        code = plug_fail(call, SIMPLUGIN_INVALID_ARGUMENT,
                         "it has no index of its vectors: index.create makes one");
    return code;
}

/* The queries, which are floats. */
static int32_t vectors_read(milvus_search *s)
{
    const milvus_schema *schema = s->call->schema;
    plug_call *call = &s->call->base;
    int32_t code;

    if (schema->vector->type != MILVUS_FLOAT_VECTOR)
        return plug_fail(call, SIMPLUGIN_UNIMPLEMENTED,
                         "its vectors are of type %s: native.search searches those",
                         milvus_type_name(schema->vector->type));
    code = plug_arg_vectors(call, schema->vector->dimension, &s->vectors);
    if (!code)
        code = plug_check_finite(call, &s->vectors, schema->vector->dimension, NULL,
                                 s->vectors.rows);
    if (!code && s->reverse && strcmp(schema->metric, "euclidean") == 0)
        code = plug_fail_argument(call, "reverse",
                                  "Milvus cannot list the least similar by euclidean distance");
    return code;
}

static int32_t reply_write(const milvus_search *s, const plug_list *lists)
{
    plug_call *call = &s->call->base;
    int with_fields = s->names.all || s->names.count;
    milvus_row *rows;
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
        rows[i] = (milvus_row){hits[i].page, hits[i].row};
    if (s->with_vectors)
        code = milvus_vectors_write(s->call, rows, count);
    if (!code && with_fields)
        code = milvus_fields_write(s->call, rows, count, &s->names);
    return code;
}

int32_t milvus_search_run(milvus_search *search)
{
    plug_list *lists =
        plug_scratch(&search->call->base, search->vectors.rows + 1, sizeof *lists);
    int32_t code = lists ? milvus_find(search, lists) : plug_no_memory(&search->call->base);

    if (!code && !search->copy)
        code = milvus_zeros_add(search, lists);
    if (code)
        return code;
    plug_lists_cut(lists, search->vectors.rows, search->k, search->reverse, search->max_distance);
    code = milvus_outputs_add(search, lists);
    return code ? code : reply_write(search, lists);
}

void milvus_search_clear(milvus_search *search)
{
    milvus_answers_clear(search);
    milvus_lookup_clear(&search->outputs);
    plug_copy_release(search->copy);
    plug_view_release(search->view);
}

int32_t milvus_serve_search(milvus_call *call)
{
    milvus_search s = {.call = call, .level = -1};
    int32_t code = plug_arg_parameters(&call->base, milvus_search_names, milvus_search_count,
                                       &s.parameters);

    if (!code)
        code = milvus_level_read(&call->base, &s.parameters, &s.level);
    if (!code)
        code = milvus_partitions_read(&call->base, &s.parameters, &s.partitions);
    if (!code)
        code = milvus_search_read(&s);
    if (!code)
        code = vectors_read(&s);
    if (!code)
        code = milvus_expr_filter(call, &s.expr);
    if (!code)
        code = milvus_search_run(&s);
    milvus_search_clear(&s);
    return code;
}
