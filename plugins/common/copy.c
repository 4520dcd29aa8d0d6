/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_copy.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "distance.h"

#define COPY_AGE (INT64_C(2) * 1000000000)
/* A copy is made where that many searches may come while it lasts. */
#define COPY_SEARCHES 4
#define ROWS_PER_CHECK 4096

void plug_copy_release(plug_copy *copy)
{
    if (!copy || atomic_fetch_sub(&copy->users, 1) != 1)
        return;
    sp_arena_free(&copy->memory);
    free(copy);
}

/* ---- making one ------------------------------------------------------------------------- */

plug_copy *plug_copy_find(plug_instance *instance, plug_view *view, uint64_t writes,
                          int *is_worth)
{
    int64_t now = sp_clock_now();
    plug_copy *copy;

    pthread_mutex_lock(&instance->lock);
    copy = view->copy;
    if (copy && copy->writes == writes && now - copy->made_at < COPY_AGE)
        atomic_fetch_add(&copy->users, 1);
    else
        copy = NULL;
    *is_worth = view->searched_at && view->writes == writes &&
                now - view->searched_at < COPY_AGE / COPY_SEARCHES;
    view->searched_at = now;
    view->writes = writes;
    pthread_mutex_unlock(&instance->lock);
    return copy;
}

int32_t plug_copy_new(plug_call *call, uint64_t writes, uint64_t dimension, uint64_t capacity,
                      plug_copy **copy)
{
    plug_copy *made = calloc(1, sizeof *made);

    *copy = NULL;
    if (!made)
        return plug_no_memory(call);
    atomic_store(&made->users, 1);
    made->writes = writes;
    made->made_at = sp_clock_now();
    made->dimension = dimension;
    made->capacity = capacity;
    made->ids = sp_arena_array(&made->memory, capacity + 1, sizeof *made->ids);
    made->vectors = sp_arena_array(&made->memory, capacity + 1, dimension * sizeof *made->vectors);
    if (!made->ids || !made->vectors) {
        plug_copy_release(made);
        return plug_no_memory(call);
    }
    *copy = made;
    return SIMPLUGIN_OK;
}

int32_t plug_copy_add(plug_call *call, plug_copy *copy, sp_text id, const void *vector)
{
    const char *text = sp_arena_text(&copy->memory, id.data, id.size);

    if (!text)
        return plug_no_memory(call);
    if (copy->count == copy->capacity)
        return plug_fail(call, SIMPLUGIN_PROTOCOL, "the server sent more points than were asked for");
    copy->ids[copy->count] = (sp_text){text, id.size};
    memcpy(copy->vectors + copy->count * copy->dimension, vector,
           (size_t)copy->dimension * sizeof *copy->vectors);
    copy->count++;
    return SIMPLUGIN_OK;
}

void plug_copy_keep(plug_instance *instance, plug_view *view, plug_copy *copy)
{
    plug_copy *old;

    atomic_fetch_add(&copy->users, 1);
    pthread_mutex_lock(&instance->lock);
    old = view->copy;
    view->copy = copy;
    pthread_mutex_unlock(&instance->lock);
    plug_copy_release(old);
}

/* ---- scoring ------------------------------------------------------------------------------- */

typedef struct scored {
    double order;
    uint64_t row;
} scored;

static int is_before(const scored *a, const scored *b)
{
    return a->order != b->order ? a->order < b->order : a->row < b->row;
}

static int compare(const void *a, const void *b)
{
    return is_before(a, b) ? -1 : is_before(b, a);
}

/* Puts one into a heap whose top is the last of the k best. */
static void heap_take(scored *heap, uint64_t *count, uint64_t k, scored one)
{
    uint64_t at = 0;

    if (*count < k) {
        at = (*count)++;
        while (at && is_before(&heap[(at - 1) / 2], &one)) {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = one;
        return;
    }
    if (!is_before(&one, &heap[0]))
        return;
    for (uint64_t child = 1; child < *count; child = 2 * at + 1) {
        child += child + 1 < *count && is_before(&heap[child], &heap[child + 1]);
        if (!is_before(&one, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = one;
}

int32_t plug_copy_score(plug_call *call, const plug_copy *copy, int metric, const float *query,
                        int reverse, uint64_t k, plug_list *list)
{
    double distances[ROWS_PER_CHECK];
    uint64_t best = 0, want = k < copy->count ? k : copy->count;
    scored *heap = plug_scratch(call, want + 1, sizeof *heap);

    list->count = 0;
    list->hits = plug_scratch(call, want + 1, sizeof *list->hits);
    if (!heap || !list->hits)
        return plug_no_memory(call);
    for (uint64_t first = 0; first < copy->count; first += ROWS_PER_CHECK) {
        uint64_t rows = copy->count - first < ROWS_PER_CHECK ? copy->count - first : ROWS_PER_CHECK;
        int32_t code = plug_check(call);

        if (code)
            return code;
        sp_distances(metric, query, copy->vectors + first * copy->dimension, copy->dimension, rows,
                     copy->dimension, distances);
        for (uint64_t i = 0; i < rows; i++)
            heap_take(heap, &best, want,
                      (scored){reverse ? -distances[i] : distances[i], first + i});
    }
    qsort(heap, best, sizeof *heap, compare);
    for (uint64_t i = 0; i < best; i++) {
        double distance = reverse ? -heap[i].order : heap[i].order;

        list->hits[i] = (plug_hit){.id = copy->ids[heap[i].row],
                                   .distance = (float)distance,
                                   .score = (float)sp_distance_score(metric, distance)};
    }
    list->count = best;
    return SIMPLUGIN_OK;
}
