/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "view.h"

#include "instance.h"
#include "text_sort.h"

/* Ids that are looked up, or compared, between looks at the clock. */
#define BATCH 1024
/* Walking through all ids in order is quicker than looking up every so many-th. */
#define WALK_FACTOR 8

struct flat_view {
    flat_view *next;
    int64_t number;
    uint64_t users;        /* the list's and those of calls; under the instance's lock */
    sp_text collection;
    uint64_t count;
    sp_text *ids;          /* in bytewise order, each once */
    uint64_t mask_number;  /* the opening of the collection that mask is of */
    flat_mask_ref *mask;   /* under the instance's lock */
    char *bytes;           /* all texts */
};

static void view_free(flat_view *view)
{
    if (!view)
        return;
    flat_mask_release(view->mask);
    free(view->bytes);
    free(view->ids);
    free(view);
}

static void view_release(simplugin_instance *instance, flat_view *view)
{
    uint64_t users;

    if (!view)
        return;
    pthread_mutex_lock(&instance->base.lock);
    users = --view->users;
    pthread_mutex_unlock(&instance->base.lock);
    if (!users)
        view_free(view);
}

/* ---- making and dropping ---------------------------------------------------------------- */

static int32_t call_check(void *context) { return plug_check(context); }

static int32_t ids_keep(flat_call *call, const sp_column *ids, flat_view *view)
{
    uint64_t bytes = ids->count ? (uint64_t)ids->offsets[ids->count] : 0;
    int32_t code;

    view->bytes = malloc((size_t)bytes + call->base.name.size + 1);
    view->ids = calloc((size_t)ids->count + 1, sizeof *view->ids);
    if (!view->bytes || !view->ids)
        return plug_no_memory(&call->base);
    if (bytes)
        memcpy(view->bytes, ids->values, (size_t)bytes);
    memcpy(view->bytes + bytes, call->base.name.data, call->base.name.size);
    view->collection = (sp_text){view->bytes + bytes, call->base.name.size};
    for (uint64_t i = 0; i < ids->count; i++) {
        view->ids[i].data = view->bytes + ids->offsets[i];
        view->ids[i].size = (size_t)(ids->offsets[i + 1] - ids->offsets[i]);
    }
    code = flat_text_sort(view->ids, ids->count, sizeof *view->ids, call_check, &call->base);
    for (uint64_t i = 0; !code && i < ids->count; i++)
        if (!view->count || flat_text_compare(view->ids[view->count - 1], view->ids[i]) != 0)
            view->ids[view->count++] = view->ids[i];
    return code;
}

static int32_t view_new(flat_call *call, const sp_column *ids, flat_view **view)
{
    flat_view *made = calloc(1, sizeof *made);
    int32_t code = made ? ids_keep(call, ids, made) : plug_no_memory(&call->base);

    if (code) {
        view_free(made);
        return code;
    }
    made->users = 1;
    *view = made;
    return SIMPLUGIN_OK;
}

/* Takes those out of the list that are of a collection, or has the number, or all. */
static void views_drop(simplugin_instance *instance, const sp_text *collection, int64_t number,
                       uint64_t *dropped)
{
    flat_view *out = NULL, *view;
    flat_view **at = &instance->views;

    *dropped = 0;
    pthread_mutex_lock(&instance->base.lock);
    while (*at) {
        view = *at;
        if ((collection && flat_text_compare(view->collection, *collection) != 0) ||
            (number && view->number != number)) {
            at = &view->next;
            continue;
        }
        *at = view->next;
        view->next = out;
        out = view;
        ++*dropped;
    }
    pthread_mutex_unlock(&instance->base.lock);
    while (out) {
        view = out;
        out = view->next;
        view_release(instance, view);
    }
}

void flat_views_forget(simplugin_instance *instance, sp_text name)
{
    uint64_t dropped;

    views_drop(instance, &name, 0, &dropped);
}

void flat_views_free(simplugin_instance *instance)
{
    uint64_t dropped;

    views_drop(instance, NULL, 0, &dropped);
}

int32_t flat_serve_view_drop(flat_call *call)
{
    int64_t number = 0;
    uint64_t dropped;
    int32_t code = plug_arg_int(&call->base, "view", 1, INT64_MAX, &number);

    if (code)
        return code;
    if (!number)
        return plug_fail_argument(&call->base, "view", "view is needed");
    views_drop(call->instance, &call->base.name, number, &dropped);
    if (!dropped)
        code = plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is no view %lld of it",
                         (long long)number);
    return code;
}

/* ---- finding its rows ------------------------------------------------------------------- */

static void bit_set(flat_mask_ref *mask, flat_gather *gather, uint64_t row)
{
    uint64_t block, slot;
    uint8_t *bitmap;

    flat_gather_place(gather, row, &block, &slot);
    bitmap = block < mask->block_count ? mask->bitmaps[block] : mask->tail;
    bitmap[slot / 8] |= (uint8_t)(1 << slot % 8);
}

/* Few ids: each is looked up. */
static int32_t rows_look_up(flat_call *call, flat_snapshot *snapshot, const flat_view *view,
                            flat_gather *gather, flat_mask_ref *mask)
{
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < view->count; i++) {
        uint64_t row;
        int found = flat_snapshot_find(snapshot, view->ids[i], &row);

        if (found < 0)
            code = plug_fail(&call->base, -found, "looking up an id failed");
        else if (found)
            bit_set(mask, gather, row);
        if (!code && i % BATCH == 0)
            code = plug_check(&call->base);
    }
    return code;
}

/* Many ids: both lists are walked through side by side. */
static int32_t rows_walk(flat_call *call, flat_snapshot *snapshot, const flat_view *view,
                         flat_gather *gather, flat_mask_ref *mask)
{
    uint64_t rows[BATCH];
    sp_text last = {NULL, 0};
    uint64_t at = 0;
    int64_t found = BATCH;
    int32_t code = SIMPLUGIN_OK;

    while (!code && found == BATCH && at < view->count) {
        found = flat_snapshot_rows_by_id(snapshot, last, rows, BATCH);
        if (found < 0)
            return plug_fail(&call->base, (int32_t)-found, "walking through the ids failed");
        for (int64_t i = 0; i < found && at < view->count; i++) {
            int order = -1;

            last = flat_snapshot_id(snapshot, rows[i]);
            while (at < view->count && (order = flat_text_compare(view->ids[at], last)) < 0)
                at++;
            if (at < view->count && order == 0)
                bit_set(mask, gather, rows[i]);
        }
        code = plug_check(&call->base);
    }
    return code;
}

/* ---- from one snapshot to the next ------------------------------------------------------ */

static int view_has(const flat_view *view, sp_text id)
{
    uint64_t low = 0, high = view->count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = flat_text_compare(view->ids[middle], id);

        if (order == 0)
            return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Position of the block of that key in a mask, or its block_count; *from only moves on. */
static uint64_t block_find(const flat_mask_ref *mask, uint64_t block_key, uint64_t *from)
{
    while (*from < mask->block_count && mask->keys[*from] < block_key)
        ++*from;
    return *from < mask->block_count && mask->keys[*from] == block_key ? *from
                                                                       : mask->block_count;
}

/* How many rows are in blocks that the old mask does not know, and in the tail. */
static uint64_t rows_unknown(const flat_snapshot *snapshot, const flat_mask_ref *old)
{
    uint64_t block_count, count, from = 0;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);

    flat_snapshot_tail(snapshot, &count);
    for (uint64_t i = 0; i < block_count; i++)
        if (block_find(old, flat_snapshot_block_key(snapshot, i), &from) == old->block_count)
            count += blocks[i].rows;
    return count;
}

/* Ids stay in their slots, so what an old mask says of a block holds but for those that died. */
static int32_t rows_carry(flat_call *call, flat_snapshot *snapshot, const flat_view *view,
                          const flat_mask_ref *old, flat_mask_ref *mask)
{
    uint64_t block_count, tail_count, from = 0;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    const flat_tail_row *tail = flat_snapshot_tail(snapshot, &tail_count);
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < block_count; i++) {
        uint64_t known = block_find(old, mask->keys[i], &from);

        if (known < old->block_count) {
            if (old->bitmaps[known])
                memcpy(mask->bitmaps[i], old->bitmaps[known], (blocks[i].rows + 7) / 8);
            continue;
        }
        for (uint64_t j = 0; j < blocks[i].rows; j++)
            if (view_has(view, flat_snapshot_id(snapshot, blocks[i].first_row + j)))
                mask->bitmaps[i][j / 8] |= (uint8_t)(1 << j % 8);
        code = plug_check(&call->base);
    }
    for (uint64_t j = 0; j < tail_count; j++)
        if (view_has(view, tail[j].id))
            mask->tail[j / 8] |= (uint8_t)(1 << j % 8);
    return code;
}

static int32_t mask_make(flat_call *call, flat_snapshot *snapshot, const flat_view *view,
                         const flat_mask_ref *old, flat_mask_ref **mask)
{
    flat_mask_ref *made = flat_mask_new(snapshot);
    uint64_t live = flat_snapshot_count(snapshot);
    plug_names none = {0};
    flat_gather gather;
    int32_t code = made ? SIMPLUGIN_OK : plug_no_memory(&call->base);

    if (!code)
        code = flat_gather_init(&gather, call, snapshot, &none);
    if (code)
        goto out;
    if (old && rows_unknown(snapshot, old) < (view->count < live ? view->count : live))
        code = rows_carry(call, snapshot, view, old, made);
    else if (view->count > live / WALK_FACTOR)
        code = rows_walk(call, snapshot, view, &gather, made);
    else
        code = rows_look_up(call, snapshot, view, &gather, made);
    if (code)
        goto out;
    flat_mask_finish(made, snapshot);
    *mask = made;
    made = NULL;
out:
    flat_mask_release(made);
    return code;
}

/* The view's mask for the snapshot, kept for the calls that come after. */
static int32_t mask_get(flat_call *call, flat_snapshot *snapshot, flat_view *view,
                        flat_mask_ref **mask)
{
    simplugin_instance *instance = call->instance;
    uint64_t version = flat_snapshot_version(snapshot);
    flat_mask_ref *old = NULL, *spare = NULL;
    int32_t code;

    *mask = NULL;
    pthread_mutex_lock(&instance->base.lock);
    if (view->mask_number == call->collection->number)
        old = flat_mask_hold(view->mask);
    pthread_mutex_unlock(&instance->base.lock);
    if (old && old->version == version) {
        *mask = old;
        return SIMPLUGIN_OK;
    }
    /* rows that died since would be missing from what a newer one knows */
    code = mask_make(call, snapshot, view, old && old->version < version ? old : NULL, mask);
    flat_mask_release(old);
    if (code)
        return code;
    pthread_mutex_lock(&instance->base.lock);
    if (!view->mask || view->mask_number != call->collection->number ||
        view->mask->version < version) {
        spare = view->mask;
        view->mask = flat_mask_hold(*mask);
        view->mask_number = call->collection->number;
    }
    pthread_mutex_unlock(&instance->base.lock);
    flat_mask_release(spare);
    return SIMPLUGIN_OK;
}

int32_t flat_view_mask(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask)
{
    simplugin_instance *instance = call->instance;
    flat_view *view;
    int64_t number = 0;
    int32_t code = plug_arg_int(&call->base, "view", 1, INT64_MAX, &number);

    *mask = NULL;
    if (code || !number)
        return code;
    pthread_mutex_lock(&instance->base.lock);
    view = instance->views;
    while (view && (view->number != number || flat_text_compare(view->collection, call->base.name) != 0))
        view = view->next;
    if (view)
        view->users++;
    pthread_mutex_unlock(&instance->base.lock);
    if (!view)
        return plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is no view %lld of it",
                         (long long)number);
    code = mask_get(call, snapshot, view, mask);
    view_release(instance, view);
    return code;
}

int32_t flat_serve_view_create(flat_call *call)
{
    simplugin_instance *instance = call->instance;
    flat_snapshot *snapshot = NULL;
    flat_mask_ref *mask = NULL;
    flat_view *view = NULL;
    int64_t number = 0;
    uint64_t known = 0;
    sp_column ids;
    int present;
    int32_t code = plug_arg_ids(&call->base, &ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    if (code)
        return code;
    code = view_new(call, &ids, &view);
    if (code)
        goto out;
    code = flat_snapshot_new(call->store, &snapshot, call->base.error);
    if (!code)
        code = mask_get(call, snapshot, view, &mask);
    if (code)
        goto out;
    known = mask->count;
    pthread_mutex_lock(&instance->base.lock);
    number = view->number = ++instance->view_number;
    view->next = instance->views;
    instance->views = view;
    pthread_mutex_unlock(&instance->base.lock);
    view = NULL;
out:
    view_free(view);
    flat_mask_release(mask);
    flat_snapshot_free(snapshot);
    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "view");
    simplugin_write_int(&call->base.out, number);
    simplugin_write_string(&call->base.out, "known");
    simplugin_write_uint(&call->base.out, known);
    return code;
}
