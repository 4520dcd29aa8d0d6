/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches, whole or inside a view. There are two ways into a view: to ask for more and leave
 * out what is not in it, or to name its ids in the filter, some thousands at a time. The first
 * costs little where the view is a good part of the collection, the second where it is small.
 */
#include "config.h"

#include <math.h>

#include "ids.h"
#include "search.h"
#include "view.h"
#include "walk.h"

/* Ids that are named in one request. */
#define KEYS_PER_SEARCH UINT64_C(8192)
/* Hits that are asked for at most, before ids are named instead. */
#define FETCH_MAX UINT64_C(16384)
#define KEY_BYTES (QDRANT_KEY_MAX + 3)
/* Bytes of vectors that a server goes through while it reads one more id of a filter. */
#define SCANNED_PER_KEY UINT64_C(8192)

typedef int32_t list_taker(qdrant_search *s, const plug_list *from, plug_list *to);

static int32_t list_take(qdrant_search *s, const plug_list *from, plug_list *to)
{
    (void)s;
    *to = *from;
    return SIMPLUGIN_OK;
}

static int32_t list_filter(qdrant_search *s, const plug_list *from, plug_list *to)
{
    plug_list_filter(s->view, s->k, from, to);
    return SIMPLUGIN_OK;
}

static int32_t list_merge(qdrant_search *s, const plug_list *from, plug_list *to)
{
    return plug_list_merge(&s->call->base, s->reverse, from, to, s->k);
}

/* ---- short lists ------------------------------------------------------------------------------- */

/* Whether a search may find less than there is: by the graph, and not by what was asked for. */
static int is_approximate(const qdrant_search *s)
{
    return s->options.exact != 1 && s->options.indexed_only != 1 &&
           (s->reverse || !isfinite(s->max_distance));
}

/* Whether a list has less than was asked for, so that its query would have fewer than k hits. */
static int is_short(const qdrant_search *s, list_taker *each, uint64_t fetch,
                    const plug_list *from, const plug_list *to)
{
    uint64_t count = each == list_merge ? to->count : 0;

    if (from->sent >= fetch)
        return 0;
    for (uint64_t i = 0; i < from->count && count < s->k; i++)
        count += each != list_filter || plug_view_has(s->view, from->hits[i].id);
    return count < s->k;
}

/* Lists of one request that are shorter than what the filter and the ids accept are asked for
   once more, exactly. */
static int32_t short_complete(qdrant_search *s, const uint64_t *queries, uint64_t count,
                              const qdrant_id_set *ids, uint64_t fetch, plug_list *got,
                              const plug_list *lists, list_taker *each)
{
    uint64_t *numbers, *places, kept = 0, wanted = 0, left;
    qdrant_id_set set = ids ? *ids : (qdrant_id_set){0};
    plug_list *again;
    int exact = s->options.exact;
    int32_t code;

    if (!is_approximate(s))
        return SIMPLUGIN_OK;
    numbers = plug_scratch(&s->call->base, count + 1, sizeof *numbers);
    places = plug_scratch(&s->call->base, count + 1, sizeof *places);
    again = plug_scratch(&s->call->base, count + 1, sizeof *again);
    if (!numbers || !places || !again)
        return plug_no_memory(&s->call->base);
    for (uint64_t i = 0; i < count; i++)
        if (is_short(s, each, fetch, &got[i], &lists[queries[i]]))
            places[kept++] = i;
    if (!kept)
        return SIMPLUGIN_OK;
    code = qdrant_count(s->call, s->condition, ids ? &set : NULL, &wanted);
    wanted = wanted < fetch ? wanted : fetch;
    left = kept;
    kept = 0;
    for (uint64_t i = 0; !code && i < left; i++)
        if (got[places[i]].sent < wanted) {
            numbers[kept] = queries[places[i]];
            places[kept++] = places[i];
        }
    if (code || !kept)
        return code;
    set = ids ? *ids : set;
    s->options.exact = 1;
    code = qdrant_search_send(s, numbers, kept, ids ? &set : NULL, fetch, again);
    s->options.exact = exact;
    for (uint64_t i = 0; !code && i < kept; i++)
        got[places[i]] = again[i];
    return code;
}

/* The queries of those numbers, in as many requests as that takes; each: what is done with
   the list of one query. */
static int32_t requests_run(qdrant_search *s, const uint64_t *queries, uint64_t count,
                            const qdrant_id_set *ids, uint64_t fetch, plug_list *lists,
                            list_taker *each)
{
    uint64_t part = qdrant_search_queries(s, fetch, ids ? ids->limit * KEY_BYTES : 0);
    plug_list *got = plug_scratch(&s->call->base, part + 1, sizeof *got);
    int32_t code = got ? SIMPLUGIN_OK : plug_no_memory(&s->call->base);

    for (uint64_t first = 0; !code && first < count; first += part) {
        qdrant_id_set set = ids ? *ids : (qdrant_id_set){0};

        if (part > count - first)
            part = count - first;
        code = qdrant_search_send(s, queries + first, part, ids ? &set : NULL, fetch, got);
        if (!code)
            code = short_complete(s, queries + first, part, ids, fetch, got, lists, each);
        for (uint64_t i = 0; !code && i < part; i++)
            code = each(s, &got[i], &lists[queries[first + i]]);
    }
    return code;
}

/* ---- naming ids ---------------------------------------------------------------------------------- */

static int32_t by_keys(qdrant_search *s, const uint64_t *queries, uint64_t count,
                       plug_list *lists)
{
    qdrant_id_set set = qdrant_view_ids(s->view, KEYS_PER_SEARCH);
    int32_t code = SIMPLUGIN_OK;

    if (s->view->ids.count < set.limit)
        set.limit = s->view->ids.count;
    for (uint64_t i = 0; i < count; i++)
        lists[queries[i]].count = 0;
    while (!code && set.next < s->view->ids.count) {
        uint64_t seen = 0;

        code = requests_run(s, queries, count, &set, s->k, lists, list_merge);
        /* on to the next ones: those that the requests named */
        for (; set.next < s->view->ids.count && seen < set.limit; set.next++) {
            qdrant_key key;

            seen += plug_view_is_first(s->view, set.next) &&
                    qdrant_key_of(s->call->schema->is_mapped,
                                  sp_column_text(&s->view->ids, set.next), &key);
        }
    }
    return code;
}

/* ---- which way ----------------------------------------------------------------------------------- */

/* Whether the server, were the ids named, would compare them all, as nothing else is asked of it. */
static int is_gone_through(const qdrant_search *s)
{
    return s->options.exact < 0 && !s->options.hnsw_ef && s->options.indexed_only != 1 &&
           s->view->ids.count * s->call->schema->dimension * sizeof(float) <=
               s->call->schema->full_scan_bytes;
}

/* Whether comparing all there is costs more than that. */
static int is_scan_longer(const qdrant_search *s)
{
    return s->view->total * s->call->schema->dimension * sizeof(float) / SCANNED_PER_KEY >
           s->view->ids.count;
}

static int32_t by_more(qdrant_search *s, uint64_t fetch, uint64_t *queries, uint64_t *count,
                       plug_list *lists)
{
    int32_t code;

    for (;;) {
        code = requests_run(s, queries, *count, NULL, fetch, lists, list_filter);
        if (!code)
            *count = plug_lists_short(lists, s->k, fetch, queries, *count);
        if (code || !*count || fetch == FETCH_MAX)
            return code;
        fetch = fetch > FETCH_MAX / 4 ? FETCH_MAX : fetch * 4;
    }
}

static int32_t in_view(qdrant_search *s, uint64_t *queries, uint64_t count, plug_list *lists)
{
    uint64_t fetch = plug_view_fetch(s->view, s->k, FETCH_MAX);
    int is_exact = is_gone_through(s), asked = s->options.exact;
    int32_t code;

    if (!s->view->ids.count)
        return SIMPLUGIN_OK;
    if (s->view->ids.count <= KEYS_PER_SEARCH || fetch > FETCH_MAX || (is_exact && is_scan_longer(s)))
        return by_keys(s, queries, count, lists);
    if (is_exact)
        s->options.exact = 1;
    code = by_more(s, fetch, queries, &count, lists);
    s->options.exact = asked;
    /* the view lies away from the queries */
    return code || !count ? code : by_keys(s, queries, count, lists);
}

int32_t qdrant_restrict_run(qdrant_search *search, plug_list *lists)
{
    uint64_t count = search->vectors.rows;
    uint64_t *queries = plug_scratch(&search->call->base, count + 1, sizeof *queries);

    if (!queries)
        return plug_no_memory(&search->call->base);
    for (uint64_t i = 0; i < count; i++)
        queries[i] = i;
    return search->view ? in_view(search, queries, count, lists)
                        : requests_run(search, queries, count, NULL, search->k, lists, list_take);
}
