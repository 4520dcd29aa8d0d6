/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "complete.h"

#include <stdlib.h>

#include "distance.h"
#include "expr.h"
#include "instance.h"
#include "lookup.h"
#include "plug_copy.h"
#include "walk.h"
#include "zeros.h"

/* Vectors that are read at a time. */
#define PAGE_BYTES (UINT64_C(8) << 20)
#define ROW_BYTES 64

int milvus_is_approximate(const milvus_search *search)
{
    /* native.search has its own parameters, and means them */
    return !search->json && !search->bits && strcmp(search->call->schema->index_type, "FLAT") != 0;
}

/* ---- how many there are ------------------------------------------------------------------- */

static int32_t count_one(milvus_search *s, const char *expr, uint64_t *count)
{
    milvus_query query = {.expr = expr, .is_count = 1, .level = s->level,
                          .partitions = s->partitions};
    milvus_page page;
    milvus_rpc rpc;
    int32_t code = milvus_query_run(s->call, &query, &rpc, &page);

    if (!code && page.total < 0)
        code = plug_fail(&s->call->base, SIMPLUGIN_PROTOCOL, "the server did not count");
    *count = code ? 0 : (uint64_t)page.total;
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

/* Without the vectors of zeros, which no search finds and which are added later. */
static int32_t points_count(milvus_search *s, const char *expr, uint64_t *count)
{
    const char *zeros = NULL;
    uint64_t left_out = 0;
    int32_t code = count_one(s, expr, count);

    if (!code && milvus_zeros_are_marked(s->call))
        code = milvus_expr_and(s->call, MILVUS_ZERO_MARK " == true", expr, &zeros);
    if (!code && zeros)
        code = count_one(s, zeros, &left_out);
    *count -= left_out < *count ? left_out : *count;
    return code;
}

/* Keeps the queries whose lists are shorter than they should be. */
static uint64_t short_ones(uint64_t *queries, plug_list **lists, uint64_t count, uint64_t wanted)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < count; i++)
        if (lists[i]->count < wanted) {
            queries[kept] = queries[i];
            lists[kept++] = lists[i];
        }
    return kept;
}

/* ---- the index once more ------------------------------------------------------------------ */

static int32_t search_again(milvus_search *s, const uint64_t *queries, uint64_t count,
                            const char *expr, uint64_t fetch, plug_list **lists)
{
    milvus_answer *answer = milvus_answer_new(s);
    int32_t code;

    if (!answer)
        return plug_no_memory(&s->call->base);
    s->is_thorough = 1;
    code = milvus_search_send(s, queries, count, expr, fetch, answer);
    s->is_thorough = 0;
    for (uint64_t i = 0; !code && !answer->is_too_large && i < count; i++)
        if (answer->hits.lists[i].count > lists[i]->count)
            *lists[i] = answer->hits.lists[i];
    return code;
}

/* ---- without it --------------------------------------------------------------------------- */

/* One more page of points goes into the lists. */
static int32_t page_score(milvus_search *s, const plug_copy *copy, const uint64_t *queries,
                          uint64_t count, uint64_t fetch, plug_list **lists)
{
    int metric = sp_metric_named(s->call->schema->metric);
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t q = 0; !code && q < count; q++) {
        plug_list page = {0};

        code = plug_copy_score(&s->call->base, copy, metric,
                               s->vectors.data + queries[q] * s->vectors.stride, s->reverse, fetch,
                               &page);
        if (!code)
            code = plug_list_merge(&s->call->base, s->reverse, &page, lists[q], fetch);
        /* their ids lie in the copy, which ends */
        for (uint64_t i = 0; !code && i < lists[q]->count; i++) {
            plug_hit *hit = &lists[q]->hits[i];

            if (hit->is_kept)
                continue;
            hit->id.data = sp_arena_text(&s->call->base.scratch, hit->id.data, hit->id.size);
            hit->is_kept = 1;
            if (!hit->id.data)
                return plug_no_memory(&s->call->base);
        }
        lists[q]->sent = lists[q]->count;
    }
    return code;
}

/* The points of a page, but those of the same key as one before, and vectors of zeros that are
   added later. */
static int32_t page_copy(milvus_search *s, const milvus_page *page, sp_text after, plug_copy *copy)
{
    uint64_t dimension = s->call->schema->vector->dimension;
    float *vector = plug_scratch(&s->call->base, dimension, sizeof *vector);
    int32_t code = vector ? SIMPLUGIN_OK : plug_no_memory(&s->call->base);

    for (uint64_t i = 0; !code && i < page->count; i++) {
        const uint8_t *bytes = page->vectors + i * page->vector_bytes;
        int is_first = !after.data || after.size != page->ids[i].size ||
                       memcmp(after.data, page->ids[i].data, after.size) != 0;

        memcpy(vector, bytes, (size_t)dimension * sizeof *vector);
        if (is_first &&
            !milvus_zeros_mark(s->call, vector))
            code = plug_copy_add(&s->call->base, copy, page->ids[i], bytes);
        after = page->ids[i];
    }
    return code;
}

static int32_t page_check(milvus_search *s, const milvus_page *page)
{
    uint64_t bytes = s->call->schema->vector->dimension * sizeof(float);

    if (!page->count || (page->ids && page->vectors && page->id_count >= page->count &&
                         page->vector_rows >= page->count && page->vector_bytes == bytes))
        return SIMPLUGIN_OK;
    return plug_fail(&s->call->base, SIMPLUGIN_PROTOCOL,
                     "the server sent rows without keys or vectors");
}

static int32_t points_score(milvus_search *s, const uint64_t *queries, uint64_t count,
                            const char *expr, uint64_t fetch, plug_list **lists)
{
    uint64_t dimension = s->call->schema->vector->dimension;
    milvus_query query = {.vectors = 1, .level = s->level, .partitions = s->partitions};
    sp_text after = {NULL, 0};
    int32_t code = SIMPLUGIN_OK;
    int more = 1;

    query.limit = PAGE_BYTES / (dimension * sizeof(float) + ROW_BYTES) + 1;
    if (query.limit > MILVUS_LIMIT_MAX)
        query.limit = MILVUS_LIMIT_MAX;
    for (uint64_t q = 0; q < count; q++)
        lists[q]->count = lists[q]->sent = 0;
    while (!code && more) {
        milvus_page page = {0};
        plug_copy *copy = NULL;
        milvus_rpc rpc;

        milvus_rpc_init(&rpc, "Query");
        code = milvus_walk_expr(s->call, expr, after, &query.expr);
        if (!code)
            code = milvus_query_fit(s->call, &query, &rpc, &page);
        if (!code)
            code = page_check(s, &page);
        if (!code)
            code = plug_copy_new(&s->call->base, 0, dimension, page.count, &copy);
        if (!code)
            code = page_copy(s, &page, after, copy);
        if (!code)
            code = page_score(s, copy, queries, count, fetch, lists);
        more = page.count && page.count >= query.limit;
        if (!code && more) {
            after = page.ids[page.count - 1];
            after.data = sp_arena_text(&s->call->base.scratch, after.data, after.size);
            if (!after.data)
                code = plug_no_memory(&s->call->base);
        }
        plug_copy_release(copy);
        milvus_page_clear(&page);
        milvus_rpc_clear(&rpc);
    }
    s->is_bare = 1;
    return code;
}

int32_t milvus_complete(milvus_search *search, const uint64_t *queries, uint64_t count,
                        const char *expr, uint64_t fetch, plug_list **lists)
{
    uint64_t *left = plug_scratch(&search->call->base, count + 1, sizeof *left), wanted;
    int32_t code;

    if (!left)
        return plug_no_memory(&search->call->base);
    memcpy(left, queries, (size_t)count * sizeof *left);
    code = points_count(search, expr, &wanted);
    if (code)
        return code;
    if (wanted > fetch)
        wanted = fetch;
    count = short_ones(left, lists, count, wanted);
    if (count)
        code = search_again(search, left, count, expr, fetch, lists);
    if (!code)
        count = short_ones(left, lists, count, wanted);
    return code || !count ? code : points_score(search, left, count, expr, fetch, lists);
}

/* ---- vectors and fields ------------------------------------------------------------------- */

/* The ids of the hits that came without, as a column. */
static int32_t bare_ids(milvus_search *s, const plug_list *lists, sp_column *ids)
{
    uint64_t count = 0, size = 0, at = 0;
    int64_t *offsets;
    char *values;

    for (uint64_t q = 0; q < s->vectors.rows; q++)
        for (uint64_t i = 0; i < lists[q].count; i++)
            if (!lists[q].hits[i].page) {
                size += lists[q].hits[i].id.size;
                count++;
            }
    offsets = plug_scratch(&s->call->base, count + 1, sizeof *offsets);
    values = plug_scratch(&s->call->base, size + 1, 1);
    if (!offsets || !values)
        return plug_no_memory(&s->call->base);
    size = 0;
    for (uint64_t q = 0; q < s->vectors.rows; q++)
        for (uint64_t i = 0; i < lists[q].count; i++) {
            sp_text id = lists[q].hits[i].id;

            if (lists[q].hits[i].page)
                continue;
            if (id.size)
                memcpy(values + size, id.data, id.size);
            size += id.size;
            offsets[++at] = (int64_t)size;
        }
    *ids = (sp_column){.type = SP_TEXT, .count = count, .offsets = offsets, .values = values};
    return SIMPLUGIN_OK;
}

int32_t milvus_outputs_add(milvus_search *search, plug_list *lists)
{
    milvus_lookup *lookup = &search->outputs;
    uint64_t at = 0, found = 0;
    sp_column ids;
    int32_t code;

    lookup->vectors = search->with_vectors;
    lookup->fields = search->names.all || search->names.count;
    if (!search->is_bare || (!lookup->vectors && !lookup->fields))
        return SIMPLUGIN_OK;
    code = bare_ids(search, lists, &ids);
    if (!code)
        code = milvus_lookup_run(search->call, &ids, lookup);
    for (uint64_t q = 0; !code && q < search->vectors.rows; q++) {
        uint64_t kept = 0;

        for (uint64_t i = 0; i < lists[q].count; i++) {
            plug_hit hit = lists[q].hits[i];

            if (!hit.page) {
                /* what is gone by now is no hit */
                if (found == lookup->count || (uint64_t)lookup->positions[found] != at++)
                    continue;
                hit.page = lookup->rows[found].page;
                hit.row = lookup->rows[found++].row;
            }
            lists[q].hits[kept++] = hit;
        }
        lists[q].count = kept;
    }
    return code;
}
