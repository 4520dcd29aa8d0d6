/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "zeros.h"

#include <stdlib.h>

#include "expr.h"
#include "instance.h"

int milvus_zeros_are_marked(const milvus_call *call)
{
    return call->schema->metric && strcmp(call->schema->metric, "cosine") == 0 &&
           call->schema->has_dynamic && !call->instance->is_lite;
}

int milvus_zeros_mark(const milvus_call *call, const float *vector)
{
    if (!milvus_zeros_are_marked(call))
        return 0;
    for (uint64_t i = 0; i < call->schema->vector->dimension; i++)
        if (vector[i] != 0)
            return 0;
    return 1;
}

/* Whether one at distance 1 would come before the last hit, or there is room behind it. */
static int has_room(const milvus_search *s, const plug_list *list)
{
    plug_hit zero = {.distance = 1};

    return list->count < s->k || plug_hit_before(s->reverse, &zero, &list->hits[list->count - 1]);
}

static int32_t list_add(milvus_search *s, const milvus_page *page, plug_list *list)
{
    plug_hit *hits = plug_scratch(&s->call->base, list->count + page->count + 1, sizeof *hits);
    plug_hit zero = {.distance = 1};
    uint64_t at = 0, count = 0;

    if (!hits)
        return plug_no_memory(&s->call->base);
    while (at < list->count && !plug_hit_before(s->reverse, &zero, &list->hits[at]))
        hits[count++] = list->hits[at++];
    for (uint64_t i = 0; i < page->count; i++) {
        if (s->view && !plug_view_has(s->view, page->ids[i]))
            continue;
        zero.id = page->ids[i];
        zero.page = page;
        zero.row = i;
        hits[count++] = zero;
    }
    while (at < list->count)
        hits[count++] = list->hits[at++];
    list->hits = hits;
    list->count = count;
    return SIMPLUGIN_OK;
}

int32_t milvus_zeros_add(milvus_search *search, plug_list *lists)
{
    milvus_query query = {.limit = MILVUS_LIMIT_MAX, .level = search->level};
    milvus_answer *answer;
    int wanted = 0;
    int32_t code;

    for (uint64_t q = 0; q < search->vectors.rows; q++)
        wanted |= has_room(search, &lists[q]);
    if (!wanted || !milvus_zeros_are_marked(search->call))
        return SIMPLUGIN_OK;
    answer = calloc(1, sizeof *answer);
    if (!answer)
        return plug_no_memory(&search->call->base);
    answer->next = search->answers;
    search->answers = answer;
    query.vectors = search->with_vectors;
    query.fields = search->names.all || search->names.count;
    query.partitions = search->partitions;
    milvus_rpc_init(&answer->rpc, "Query");
    code = milvus_expr_and(search->call, MILVUS_ZERO_MARK " == true", search->expr, &query.expr);
    if (!code)
        code = milvus_query_run(search->call, &query, &answer->rpc, &answer->hits.page);
    for (uint64_t q = 0; !code && answer->hits.page.ids && q < search->vectors.rows; q++)
        if (has_room(search, &lists[q]))
            code = list_add(search, &answer->hits.page, &lists[q]);
    return code;
}
