/* SPDX-License-Identifier: Apache-2.0 */
/* When a view's vectors are copied, and how long a copy serves. */
#include "config.h"

#include "milvus_rig.h"
#include "plug_copy.h"

#include <pthread.h>

#define MILLISECOND INT64_C(1000000)
#define WITHOUT (20 * MILLISECOND) /* a search by the server */

typedef struct copy_rig {
    milvus_rig rig;
    plug_views views;
    plug_view view;
    int32_t fails;      /* with that code, or 0 */
    int64_t takes;      /* milliseconds to fill one */
    int filled;         /* how often that was asked for */
    int64_t time_given; /* the last time, nanoseconds */
} copy_rig;

static copy_rig *current;

static int32_t fill(plug_call *call, const plug_view *view, plug_copy *copy)
{
    static const float vector[] = {1, 2};

    (void)view;
    current->filled++;
    current->time_given = call->info->deadline - copy->made_at;
    copy->made_at -= current->takes * MILLISECOND;
    if (current->fails)
        return plug_fail(call, current->fails, "it fails");
    return plug_copy_add(call, copy, (sp_text){"a", 1}, vector);
}

static void begin(copy_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    current = rig;
    rig_init(&rig->rig);
    rig->view.ids.count = 1;
    rig->views.first = &rig->view;
}

static void end(copy_rig *rig)
{
    plug_copy_release(rig->view.copy);
    rig_clear(&rig->rig);
}

/* A search so long after the one before; the server is asked where there is no copy. */
static int is_copied(copy_rig *rig, uint64_t writes, int64_t ago)
{
    plug_copy *copy;

    if (rig->view.searched_at)
        rig->view.searched_at -= ago;
    copy = plug_copy_acquire(&rig->rig.call.base, &rig->rig.instance.base, &rig->views, &rig->view,
                             writes, 2, fill);
    if (!copy)
        plug_copy_without(&rig->rig.instance.base, &rig->view, WITHOUT);
    plug_copy_release(copy);
    return copy != NULL;
}

static void made(void)
{
    copy_rig rig;

    begin(&rig);
    CU_ASSERT(!is_copied(&rig, 1, 0));
    CU_ASSERT(!is_copied(&rig, 1, 2200 * MILLISECOND));
    CU_ASSERT(!is_copied(&rig, 1, 1000 * MILLISECOND));
    CU_ASSERT_EQUAL(rig.filled, 0);
    CU_ASSERT(is_copied(&rig, 1, 10 * MILLISECOND));
    CU_ASSERT_EQUAL(rig.filled, 1);
    /* one would be old at once, where each search follows a write */
    CU_ASSERT(!is_copied(&rig, 2, 10 * MILLISECOND));
    CU_ASSERT(is_copied(&rig, 2, 10 * MILLISECOND));
    CU_ASSERT_EQUAL(rig.filled, 2);
    end(&rig);
}

static void kept(void)
{
    copy_rig rig;

    begin(&rig);
    CU_ASSERT(!is_copied(&rig, 7, 0));
    for (int i = 0; i < 3; i++)
        CU_ASSERT(is_copied(&rig, 7, 0));
    CU_ASSERT_EQUAL(rig.filled, 1);
    rig.view.copy->made_at -= 2100 * MILLISECOND;
    CU_ASSERT(is_copied(&rig, 7, 0));
    CU_ASSERT_EQUAL(rig.filled, 2);
    /* of a view that nobody searches any more, it goes with the next search of another */
    rig.view.copy->made_at -= 2100 * MILLISECOND;
    CU_ASSERT(!is_copied(&rig, 7, 2100 * MILLISECOND));
    CU_ASSERT_PTR_NULL(rig.view.copy);
    end(&rig);
}

static void failed(void)
{
    copy_rig rig;

    begin(&rig);
    CU_ASSERT(!is_copied(&rig, 1, 0));
    rig.fails = SIMPLUGIN_DEADLINE_EXCEEDED;
    CU_ASSERT(!is_copied(&rig, 1, 0));
    CU_ASSERT_EQUAL(rig.filled, 1);
    CU_ASSERT_PTR_NULL(rig.rig.error);
    /* eight searches, and a quarter of what is left */
    CU_ASSERT(rig.time_given > 8 * WITHOUT - 5 * MILLISECOND && rig.time_given <= 8 * WITHOUT);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(!is_copied(&rig, 1, 0));
    CU_ASSERT_EQUAL(rig.filled, 1);
    rig.view.not_before = 0;
    rig.fails = 0;
    CU_ASSERT(is_copied(&rig, 1, 0));
    end(&rig);
}

static void too_dear(void)
{
    copy_rig rig;

    begin(&rig);
    CU_ASSERT(!is_copied(&rig, 1, 0));
    rig.takes = 150;
    CU_ASSERT(is_copied(&rig, 1, 100 * MILLISECOND));
    rig.takes = 0;
    CU_ASSERT(!is_copied(&rig, 2, 0));
    /* 20 searches in 2 s would take 400 ms: more than twice what copying took; 10 would not */
    CU_ASSERT(is_copied(&rig, 2, 100 * MILLISECOND));
    rig.view.copying = 150 * MILLISECOND;
    CU_ASSERT(!is_copied(&rig, 3, 0));
    CU_ASSERT(!is_copied(&rig, 3, 200 * MILLISECOND));
    CU_ASSERT_EQUAL(rig.filled, 2);
    end(&rig);
}

static void *search_meanwhile(void *context)
{
    copy_rig *rig = context;

    return is_copied(rig, 1, 0) ? rig : NULL;
}

static int32_t fill_slowly(plug_call *call, const plug_view *view, plug_copy *copy)
{
    pthread_t other;
    void *found = current;

    CU_ASSERT_FATAL(pthread_create(&other, NULL, search_meanwhile, current) == 0);
    pthread_join(other, &found);
    CU_ASSERT_PTR_NULL(found);
    return fill(call, view, copy);
}

/* While one makes a copy, the others ask the server. */
static void made_once(void)
{
    copy_rig rig;
    plug_copy *copy;

    begin(&rig);
    CU_ASSERT(!is_copied(&rig, 1, 0));
    copy = plug_copy_acquire(&rig.rig.call.base, &rig.rig.instance.base, &rig.views, &rig.view, 1, 2,
                             fill_slowly);
    CU_ASSERT_PTR_NOT_NULL(copy);
    CU_ASSERT_EQUAL(rig.filled, 1);
    plug_copy_release(copy);
    end(&rig);
}

static void bounded(void)
{
    enum { VIEWS = 12 };
    static plug_view views[VIEWS];
    uint64_t rows = (PLUG_COPY_BYTES) / 8, kept_ones = 0;
    copy_rig rig;

    begin(&rig);
    memset(views, 0, sizeof views);
    for (int i = 0; i < VIEWS; i++) {
        plug_view *view = &views[i];

        view->ids.count = rows;
        view->next = rig.views.first;
        rig.views.first = view;
        for (int j = 0; j < 2; j++) {
            plug_copy_release(plug_copy_acquire(&rig.rig.call.base, &rig.rig.instance.base,
                                                &rig.views, view, 1, 2, fill));
            plug_copy_without(&rig.rig.instance.base, view, WITHOUT);
        }
        CU_ASSERT_PTR_NOT_NULL(view->copy);
    }
    for (int i = 0; i < VIEWS; i++) {
        kept_ones += views[i].copy != NULL;
        plug_copy_release(views[i].copy);
    }
    CU_ASSERT_EQUAL(kept_ones, PLUG_COPIES_BYTES / PLUG_COPY_BYTES);
    end(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(made, "R270 a view is copied where its searches come quickly"),
    UNIT_CASE(kept, "R270 a copy serves until it is old or something was written"),
    UNIT_CASE(failed, "R274 a copy that cannot be made is no error, and is not tried again at once"),
    UNIT_CASE(too_dear, "R270 no copy is made that costs more than the searches it spares"),
    UNIT_CASE(made_once, "R270 one of several threads makes the copy"),
    UNIT_CASE(bounded, "R275 the copies of an instance are bounded together"),
};

UNIT_MAIN("milvus copies", cases)
