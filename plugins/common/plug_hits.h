/* SPDX-License-Identifier: Apache-2.0 */
/* What a search finds: a list of hits for each query, nearest first, or farthest if reversed. */
#ifndef PLUG_HITS_H
#define PLUG_HITS_H

#include "plug_args.h"
#include "plug_view.h"

typedef struct plug_hit {
    sp_text id;
    float score;      /* as it is shown */
    float distance;
    const void *page; /* the plugin's, with the row's vector and fields; NULL: not asked for */
    uint64_t row;
    int is_kept;      /* the id is in memory of the call */
} plug_hit;

typedef struct plug_list {
    plug_hit *hits;
    uint64_t count;
    uint64_t sent; /* how many the server sent for this query */
} plug_list;

int plug_hit_before(int reverse, const plug_hit *a, const plug_hit *b);
/* Two lists in order become one, of `most` hits at most, in memory of the call. */
int32_t plug_list_merge(plug_call *call, int reverse, const plug_list *from, plug_list *to,
                        uint64_t most);
/* The first k hits that are in the view, in from's memory. */
void plug_list_filter(const plug_view *view, uint64_t k, const plug_list *from, plug_list *to);
/* Cuts lists to k, and to what is near enough. */
void plug_lists_cut(plug_list *lists, uint64_t count, uint64_t k, int reverse, double max_distance);
/*
 * Of count queries by their numbers, keeps those that have less than k hits although the
 * server sent all of the `fetch` that were asked for; returns how many these are.
 */
uint64_t plug_lists_short(const plug_list *lists, uint64_t k, uint64_t fetch, uint64_t *queries,
                          uint64_t count);

/*
 * How many hits of the whole collection hold k of the view, if it is a random part of it;
 * UINT64_MAX: more than `most`.
 */
uint64_t plug_view_fetch(const plug_view *view, uint64_t k, uint64_t most);

/*
 * Begins the reply, a map with so many keys to come behind offsets, distances, scores and
 * ids. *hits are those of all lists, one behind the other, in memory of the call; *total how
 * many.
 */
int32_t plug_lists_write(plug_call *call, const plug_list *lists, uint64_t count, int further_keys,
                         plug_hit **hits, uint64_t *total);

#endif
