/* SPDX-License-Identifier: Apache-2.0 */
/* When a view's vectors are copied, and how long a copy serves. */
#include "config.h"

#include "milvus_rig.h"
#include "plug_copy.h"

#define MILLISECOND INT64_C(1000000)

/* Whether a copy is to be made, where the search before was so long ago. */
static int is_worth(milvus_rig *rig, plug_view *view, uint64_t writes, int64_t ago)
{
    int worth = -1;

    if (view->searched_at)
        view->searched_at -= ago;
    CU_ASSERT_PTR_NULL(plug_copy_find(&rig->instance.base, view, writes, &worth));
    return worth;
}

static void made(void)
{
    plug_view view = {0};
    milvus_rig rig;

    rig_init(&rig);
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 1, 0), 0);
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 1, 2200 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 1, 1000 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 1, 10 * MILLISECOND), 1);
    /* one would be old at once, where each search follows a write */
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 2, 10 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(is_worth(&rig, &view, 2, 10 * MILLISECOND), 1);
    rig_clear(&rig);
}

static void kept(void)
{
    static const float vector[] = {1, 2};
    plug_copy *copy = NULL, *found;
    plug_view view = {0};
    milvus_rig rig;
    int worth;

    rig_init(&rig);
    CU_ASSERT_EQUAL_FATAL(plug_copy_new(&rig.call.base, 7, 2, 1, &copy), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(plug_copy_add(&rig.call.base, copy, (sp_text){"a", 1}, vector), SIMPLUGIN_OK);
    plug_copy_keep(&rig.instance.base, &view, copy);
    found = plug_copy_find(&rig.instance.base, &view, 7, &worth);
    CU_ASSERT_PTR_EQUAL(found, copy);
    plug_copy_release(found);
    CU_ASSERT_PTR_NULL(plug_copy_find(&rig.instance.base, &view, 8, &worth));
    copy->made_at -= 2100 * MILLISECOND;
    CU_ASSERT_PTR_NULL(plug_copy_find(&rig.instance.base, &view, 7, &worth));
    plug_copy_release(view.copy);
    plug_copy_release(copy);
    rig_clear(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(made, "R270 a view is copied where its searches come quickly"),
    UNIT_CASE(kept, "R270 a copy serves until it is old or something was written"),
};

UNIT_MAIN("milvus copies", cases)
