/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches, whole or inside a view. Milvus knows no views, so there are two ways: to ask
 * for more and leave out what is not in the view, or to name the view's keys in the
 * expression, some thousands at a time. The first costs little where the view is a good
 * part of the collection, the second where it is small.
 */
#include "config.h"

#include <stdlib.h>

#include "complete.h"
#include "expr.h"
#include "instance.h"
#include "search.h"

/* Hits that one request may bring, over all of its queries. */
#define HITS_PER_REQUEST (UINT64_C(1) << 20)
#define QUERIES_PER_REQUEST UINT64_C(4096)
/* Keys that are named in one expression. */
#define KEYS_PER_SEARCH UINT64_C(8192)
/* Views up to that size are named at once. */
#define KEYS_NAMED UINT64_C(512)
/* What a hit costs, in keys named: measured with Milvus 2.3, 23 and 10 microseconds. */
#define KEYS_PER_HIT UINT64_C(2)

milvus_answer *milvus_answer_new(milvus_search *search)
{
    milvus_answer *answer = calloc(1, sizeof *answer);

    if (answer) {
        answer->next = search->answers;
        search->answers = answer;
    }
    return answer;
}

void milvus_answers_clear(milvus_search *search)
{
    while (search->answers) {
        milvus_answer *next = search->answers->next;

        milvus_answer_clear(search->answers);
        free(search->answers);
        search->answers = next;
    }
}

/* ---- without a view ------------------------------------------------------------------------ */

static uint64_t queries_per_request(uint64_t fetch)
{
    uint64_t count = HITS_PER_REQUEST / fetch;

    return count < 1 ? 1 : count > QUERIES_PER_REQUEST ? QUERIES_PER_REQUEST : count;
}

typedef int32_t list_taker(milvus_search *s, const plug_list *from, plug_list *to);

/* What is asked of the server: `fetch` hits of each query. */
typedef struct wish {
    const char *expr;
    uint64_t fetch;
    uint64_t bound;   /* the expression accepts no more points than that; UINT64_MAX: unknown */
    list_taker *take; /* what is done with the list of one query */
} wish;

static int32_t list_take(milvus_search *s, const plug_list *from, plug_list *to)
{
    (void)s;
    *to = *from;
    return SIMPLUGIN_OK;
}

static int32_t list_filter(milvus_search *s, const plug_list *from, plug_list *to)
{
    plug_list_filter(s->view, s->k, from, to);
    return SIMPLUGIN_OK;
}

static int32_t list_merge(milvus_search *s, const plug_list *from, plug_list *to)
{
    return plug_list_merge(&s->call->base, s->reverse, from, to, s->k);
}

/* Whether a list has less than it should, so that query would have fewer than k hits. */
static int is_short(const milvus_search *s, const wish *w, const plug_list *from,
                    const plug_list *to)
{
    uint64_t count = w->take == list_merge ? to->count : 0;

    if (from->sent >= w->fetch || from->sent >= w->bound)
        return 0;
    for (uint64_t i = 0; i < from->count && count < s->k; i++)
        count += w->take != list_filter || plug_view_has(s->view, from->hits[i].id);
    return count < s->k;
}

/* An index that is approximate finds less than there is: such lists are completed. */
static int32_t short_complete(milvus_search *s, const wish *w, const uint64_t *queries,
                              uint64_t count, plug_list *got, const plug_list *lists)
{
    uint64_t *numbers, kept = 0;
    plug_list **which;

    if (!milvus_is_approximate(s))
        return SIMPLUGIN_OK;
    numbers = plug_scratch(&s->call->base, count + 1, sizeof *numbers);
    which = plug_scratch(&s->call->base, count + 1, sizeof *which);
    if (!numbers || !which)
        return plug_no_memory(&s->call->base);
    for (uint64_t i = 0; i < count; i++)
        if (is_short(s, w, &got[i], &lists[queries[i]])) {
            numbers[kept] = queries[i];
            which[kept++] = &got[i];
        }
    return kept ? milvus_complete(s, numbers, kept, w->expr, w->fetch, which) : SIMPLUGIN_OK;
}

/* The queries of those numbers, in as many requests as that takes. */
static int32_t requests_run(milvus_search *s, const uint64_t *queries, uint64_t count,
                            const wish *w, plug_list *lists)
{
    uint64_t most = queries_per_request(w->fetch), part;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t first = 0; !code && first < count; first += part) {
        milvus_answer *answer = milvus_answer_new(s);

        part = most < count - first ? most : count - first;
        code = answer ? milvus_search_send(s, queries + first, part, w->expr, w->fetch, answer)
                      : plug_no_memory(&s->call->base);
        if (!code && answer->is_too_large) {
            /* one query with fields brings too much: these are asked for later */
            if (part == 1)
                s->is_bare = 1;
            most = part > 1 ? part / 2 : 1;
            part = 0;
            continue;
        }
        if (!code)
            code = short_complete(s, w, queries + first, part, answer->hits.lists, lists);
        for (uint64_t i = 0; !code && i < part; i++)
            code = w->take(s, &answer->hits.lists[i], &lists[queries[first + i]]);
    }
    return code;
}

/* ---- naming keys ------------------------------------------------------------------------------- */

/* The expression that names the next keys of the view, which the filter accepts too, and how
   many these are. */
static int32_t keys_expr(milvus_search *s, uint64_t *next, const char **expr, uint64_t *named)
{
    const milvus_schema *schema = s->call->schema;
    const sp_column *ids = &s->view->ids;
    uint64_t count = 0;
    const char *keys = NULL;
    sp_buffer out;

    sp_buffer_init(&out);
    sp_buffer_printf(&out, "%s in [", schema->key->name);
    for (; *next < ids->count && count < KEYS_PER_SEARCH; ++*next) {
        sp_text id = sp_column_text(ids, *next);

        if (!plug_view_is_first(s->view, *next) || !milvus_key_fits(schema, id))
            continue;
        if (count++)
            sp_buffer_append(&out, ",", 1);
        milvus_expr_key(s->call, &out, id);
    }
    sp_buffer_append(&out, "]", 1);
    if (!out.failed)
        keys = sp_arena_text(&s->call->base.scratch, (const char *)out.data, out.size);
    sp_buffer_clear(&out);
    *expr = NULL;
    *named = count;
    if (!keys)
        return plug_no_memory(&s->call->base);
    return count ? milvus_expr_and(s->call, keys, s->expr, expr) : SIMPLUGIN_OK;
}

static int32_t by_keys(milvus_search *s, const uint64_t *queries, uint64_t count,
                       plug_list *lists)
{
    uint64_t next = 0;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; i < count; i++)
        lists[queries[i]].count = 0;
    while (!code && next < s->view->ids.count) {
        wish w = {.fetch = s->k, .take = list_merge};

        code = keys_expr(s, &next, &w.expr, &w.bound);
        if (!code && w.expr)
            code = requests_run(s, queries, count, &w, lists);
    }
    return code;
}

/* ---- which way ----------------------------------------------------------------------------------- */

static int32_t in_view(milvus_search *s, uint64_t *queries, uint64_t count, plug_list *lists)
{
    wish w = {s->expr, plug_view_fetch(s->view, s->k, MILVUS_LIMIT_MAX), UINT64_MAX, list_filter};
    int32_t code = SIMPLUGIN_OK;

    if (!s->view->ids.count)
        return SIMPLUGIN_OK;
    if (s->view->ids.count <= KEYS_NAMED || w.fetch > MILVUS_LIMIT_MAX ||
        (s->view->ids.count <= KEYS_PER_SEARCH && s->view->ids.count <= w.fetch * KEYS_PER_HIT))
        return by_keys(s, queries, count, lists);
    while (!code && count) {
        code = requests_run(s, queries, count, &w, lists);
        if (!code)
            count = plug_lists_short(lists, s->k, w.fetch, queries, count);
        /* it lies away from these queries: one list of its keys costs less than more hits */
        if (w.fetch == MILVUS_LIMIT_MAX || s->view->ids.count <= KEYS_PER_SEARCH)
            break;
        w.fetch = w.fetch > MILVUS_LIMIT_MAX / 4 ? MILVUS_LIMIT_MAX : w.fetch * 4;
    }
    /* the view lies away from the queries: more than Milvus answers would be needed */
    return code || !count ? code : by_keys(s, queries, count, lists);
}

int32_t milvus_restrict_run(milvus_search *search, plug_list *lists)
{
    uint64_t count = search->vectors.rows;
    uint64_t *queries = plug_scratch(&search->call->base, count + 1, sizeof *queries);
    wish w = {search->expr, search->k, UINT64_MAX, list_take};

    if (!queries)
        return plug_no_memory(&search->call->base);
    for (uint64_t i = 0; i < count; i++)
        queries[i] = i;
    return search->view ? in_view(search, queries, count, lists)
                        : requests_run(search, queries, count, &w, lists);
}
