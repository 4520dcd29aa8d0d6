/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_copy.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "distance.h"

#define SECOND INT64_C(1000000000)
#define COPY_AGE (2 * SECOND)
/* A copy is made where that many searches may come while it lasts, */
#define COPY_SEARCHES 4
/* in the time of that many, and a part of what the call has left. */
#define COPY_COST 8
#define COPY_SHARE 4
/* After one that failed. */
#define COPY_PAUSE (10 * SECOND)
#define ROWS_PER_CHECK 4096

void plug_copy_release(plug_copy *copy)
{
    if (!copy || atomic_fetch_sub(&copy->users, 1) != 1)
        return;
    sp_arena_free(&copy->memory);
    free(copy);
}

/* ---- whether to make one -------------------------------------------------------------------- */

/* What all of these lists hold is freed once the lock is given back. */
static void copies_release(plug_copy *gone)
{
    while (gone) {
        plug_copy *next = gone->next;

        plug_copy_release(gone);
        gone = next;
    }
}

static void view_let_go(plug_view *view, plug_copy **gone)
{
    view->copy->next = *gone;
    *gone = view->copy;
    view->copy = NULL;
}

static uint64_t bytes_of(const plug_copy *copy)
{
    return copy->capacity * copy->dimension * sizeof(float);
}

/* With the lock held: copies that are too old go, and the oldest where there is no room for more. */
static void copies_sweep(plug_views *views, uint64_t more, plug_copy **gone)
{
    int64_t now = sp_clock_now();

    for (;;) {
        plug_view *oldest = NULL;
        uint64_t bytes = more;

        for (plug_view *at = views->first; at; at = at->next) {
            if (!at->copy)
                continue;
            if (now - at->copy->made_at >= COPY_AGE) {
                view_let_go(at, gone);
                continue;
            }
            bytes += bytes_of(at->copy);
            if (!oldest || at->copy->made_at < oldest->copy->made_at)
                oldest = at;
        }
        if (bytes <= PLUG_COPIES_BYTES || !oldest)
            return;
        view_let_go(oldest, gone);
    }
}

/* How long making one may take; 0: it is not worth it. */
static int64_t budget_of(const plug_view *view, uint64_t writes, int64_t now)
{
    int64_t interval = now - view->searched_at;

    if (!view->searched_at || view->writes != writes || view->is_copied || !view->without ||
        now < view->not_before || interval >= COPY_AGE / COPY_SEARCHES)
        return 0;
    if (interval < SECOND / 1000)
        interval = SECOND / 1000;
    /* making it, against what the server would do meanwhile */
    if (view->copying >= view->without * (COPY_AGE / interval) / 2)
        return 0;
    return view->without * COPY_COST;
}

static plug_copy *copy_find(plug_instance *instance, plug_views *views, plug_view *view,
                            uint64_t writes, int64_t *budget)
{
    int64_t now = sp_clock_now();
    plug_copy *copy, *gone = NULL;

    pthread_mutex_lock(&instance->lock);
    copies_sweep(views, 0, &gone);
    copy = view->copy;
    if (copy && copy->writes == writes && now - copy->made_at < COPY_AGE)
        atomic_fetch_add(&copy->users, 1);
    else
        copy = NULL;
    *budget = copy ? 0 : budget_of(view, writes, now);
    if (*budget)
        view->is_copied = 1;
    view->searched_at = now;
    view->writes = writes;
    pthread_mutex_unlock(&instance->lock);
    copies_release(gone);
    return copy;
}

void plug_copy_without(plug_instance *instance, plug_view *view, int64_t nanoseconds)
{
    pthread_mutex_lock(&instance->lock);
    view->without = nanoseconds;
    pthread_mutex_unlock(&instance->lock);
}

/* ---- making one ------------------------------------------------------------------------- */

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

/* The view's from now on, and the caller's still. */
static void copy_keep(plug_instance *instance, plug_views *views, plug_view *view, plug_copy *copy)
{
    plug_copy *gone = NULL;

    atomic_fetch_add(&copy->users, 1);
    pthread_mutex_lock(&instance->lock);
    if (view->copy)
        view_let_go(view, &gone);
    copies_sweep(views, bytes_of(copy), &gone);
    view->copy = copy;
    view->copying = sp_clock_now() - copy->made_at;
    view->is_copied = 0;
    pthread_mutex_unlock(&instance->lock);
    copies_release(gone);
}

static void copy_give_up(plug_instance *instance, plug_view *view)
{
    pthread_mutex_lock(&instance->lock);
    view->is_copied = 0;
    view->not_before = sp_clock_now() + COPY_PAUSE;
    pthread_mutex_unlock(&instance->lock);
}

/* A copy, made in less time than the call has, and with nobody to tell what went wrong. */
static plug_copy *copy_make(plug_call *call, const plug_view *view, uint64_t writes,
                            uint64_t dimension, int64_t budget, plug_copy_filler *fill)
{
    const simplugin_call_info *info = call->info;
    simplugin_error **error = call->error;
    simplugin_call_info hurried = {.size = sizeof hurried};
    int64_t now = sp_clock_now();
    int64_t left = info->deadline == INT64_MAX ? INT64_MAX : info->deadline - now;
    plug_copy *copy = NULL;

    memcpy(&hurried, info, (size_t)(info->size < sizeof hurried ? info->size : sizeof hurried));
    hurried.deadline = now + (budget < left / COPY_SHARE ? budget : left / COPY_SHARE);
    call->info = &hurried;
    call->error = NULL;
    if (plug_copy_new(call, writes, dimension, view->ids.count, &copy) ||
        fill(call, view, copy)) {
        plug_copy_release(copy);
        copy = NULL;
    }
    call->info = info;
    call->error = error;
    return copy;
}

plug_copy *plug_copy_acquire(plug_call *call, plug_instance *instance, plug_views *views,
                             plug_view *view, uint64_t writes, uint64_t dimension,
                             plug_copy_filler *fill)
{
    int64_t budget;
    plug_copy *copy = copy_find(instance, views, view, writes, &budget);

    if (copy || !budget)
        return copy;
    copy = copy_make(call, view, writes, dimension, budget, fill);
    if (copy)
        copy_keep(instance, views, view, copy);
    else
        copy_give_up(instance, view);
    return copy;
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
