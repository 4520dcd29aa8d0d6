/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_hits.h"

#include <math.h>
#include <string.h>

int plug_hit_before(int reverse, const plug_hit *a, const plug_hit *b)
{
    return reverse ? a->distance > b->distance : a->distance < b->distance;
}

int32_t plug_list_merge(plug_call *call, int reverse, const plug_list *from, plug_list *to,
                        uint64_t most)
{
    plug_hit *hits = plug_scratch(call, to->count + from->count + 1, sizeof *hits);
    uint64_t a = 0, b = 0, count = 0;

    if (!hits)
        return plug_no_memory(call);
    while (count < most && (a < to->count || b < from->count)) {
        int take_old = b >= from->count || (a < to->count && !plug_hit_before(reverse, &from->hits[b],
                                                                              &to->hits[a]));

        hits[count++] = take_old ? to->hits[a++] : from->hits[b++];
    }
    to->hits = hits;
    to->count = count;
    return SIMPLUGIN_OK;
}

void plug_list_filter(const plug_view *view, uint64_t k, const plug_list *from, plug_list *to)
{
    *to = *from;
    to->count = 0;
    for (uint64_t i = 0; i < from->count && to->count < k; i++)
        if (plug_view_has(view, from->hits[i].id))
            to->hits[to->count++] = from->hits[i];
}

void plug_lists_cut(plug_list *lists, uint64_t count, uint64_t k, int reverse, double max_distance)
{
    for (uint64_t q = 0; q < count; q++) {
        uint64_t kept = 0;

        while (kept < lists[q].count && kept < k &&
               (reverse || (double)lists[q].hits[kept].distance <= max_distance))
            kept++;
        lists[q].count = kept;
    }
}

uint64_t plug_lists_short(const plug_list *lists, uint64_t k, uint64_t fetch, uint64_t *queries,
                          uint64_t count)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < count; i++)
        if (lists[queries[i]].count < k && lists[queries[i]].sent >= fetch)
            queries[kept++] = queries[i];
    return kept;
}

uint64_t plug_view_fetch(const plug_view *view, uint64_t k, uint64_t most)
{
    double part = (double)view->total / (double)(view->known ? view->known : 1);
    double fetch = (double)k * part;

    /* three standard deviations more */
    fetch += 3 * part * sqrt((double)k) + 8;
    return fetch > (double)most ? UINT64_MAX : (uint64_t)fetch;
}

int32_t plug_lists_write(plug_call *call, const plug_list *lists, uint64_t count, int further_keys,
                         plug_hit **hits, uint64_t *total)
{
    int64_t *offsets = plug_reply_array(call, count + 1, sizeof *offsets);
    float *distances, *scores;
    uint64_t sum = 0, at = 0;
    sp_text *ids;

    if (!offsets)
        return plug_no_memory(call);
    for (uint64_t q = 0; q < count; q++) {
        sum += lists[q].count;
        offsets[q + 1] = (int64_t)sum;
    }
    distances = plug_reply_array(call, sum + 1, sizeof *distances);
    scores = plug_reply_array(call, sum + 1, sizeof *scores);
    ids = plug_scratch(call, sum + 1, sizeof *ids);
    *hits = plug_scratch(call, sum + 1, sizeof **hits);
    if (!distances || !scores || !ids || !*hits)
        return plug_no_memory(call);
    for (uint64_t q = 0; q < count; q++)
        for (uint64_t i = 0; i < lists[q].count; i++, at++) {
            const plug_hit *hit = &lists[q].hits[i];

            ids[at] = hit->id;
            distances[at] = hit->distance;
            scores[at] = hit->score;
            (*hits)[at] = *hit;
        }
    *total = sum;
    simplugin_write_map(&call->out, 4 + (uint64_t)further_keys);
    plug_write_array(call, "offsets", SIMPLUGIN_INT64, offsets, count + 1);
    plug_write_array(call, "distances", SIMPLUGIN_FLOAT32, distances, sum);
    plug_write_array(call, "scores", SIMPLUGIN_FLOAT32, scores, sum);
    return plug_write_ids(call, ids, sum);
}
