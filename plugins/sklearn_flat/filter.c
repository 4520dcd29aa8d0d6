/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter becomes a mask: column by column, block by block, looking at the fields it
 * names and at no others. The masks of the last few filters are kept, as programs tend to
 * ask again with the same one, and a scan does so by its nature.
 */
#include "config.h"

#include "filter.h"

#include "instance.h"
#include "mask.h"

/* Longer filters are worked out anew each time. */
#define MAX_CACHED_BYTES (UINT64_C(1) << 20)

/* The bytes of the value of a key, as they stand in the body; size 0: there is none. */
static sp_text value_bytes(const simplugin_value *body, const char *key)
{
    simplugin_iter iter = simplugin_iterate(body);
    simplugin_value name, value;
    sp_text bytes = {NULL, 0};

    while (simplugin_next(&iter, &name)) {
        const uint8_t *begin = iter.at;

        if (!simplugin_next(&iter, &value))
            break;
        if (simplugin_value_is(&name, key) && value.type != SIMPLUGIN_NIL) {
            bytes.data = (const char *)begin;
            bytes.size = (size_t)(iter.at - begin);
            break;
        }
    }
    return bytes;
}

/* ---- what was worked out before ------------------------------------------------------- */

static int is_cached(const flat_cached_mask *cached, sp_text filter)
{
    return cached->mask && cached->filter_size == filter.size &&
           memcmp(cached->filter, filter.data, filter.size) == 0;
}

static flat_mask_ref *cache_get(flat_call *call, sp_text filter, uint64_t version)
{
    simplugin_instance *instance = call->instance;
    flat_mask_ref *mask = NULL;

    pthread_mutex_lock(&instance->base.lock);
    for (int i = 0; i < FLAT_MAX_MASKS && !mask; i++) {
        flat_cached_mask *cached = &call->collection->masks[i];

        if (is_cached(cached, filter) && cached->mask->version == version) {
            cached->used = ++instance->clock;
            mask = flat_mask_hold(cached->mask);
        }
    }
    pthread_mutex_unlock(&instance->base.lock);
    return mask;
}

/* Puts the mask where that of the same filter was, or that of the one longest unused. */
static void cache_put(flat_call *call, sp_text filter, flat_mask_ref *mask)
{
    simplugin_instance *instance = call->instance;
    flat_mask_ref *old_mask;
    uint8_t *bytes, *old_bytes;
    int place = 0;

    if (filter.size > MAX_CACHED_BYTES)
        return;
    bytes = malloc(filter.size);
    if (!bytes)
        return;
    memcpy(bytes, filter.data, filter.size);
    pthread_mutex_lock(&instance->base.lock);
    for (int i = 0; i < FLAT_MAX_MASKS; i++) {
        if (is_cached(&call->collection->masks[i], filter)) {
            place = i;
            break;
        }
        if (call->collection->masks[i].used < call->collection->masks[place].used)
            place = i;
    }
    old_mask = call->collection->masks[place].mask;
    old_bytes = call->collection->masks[place].filter;
    call->collection->masks[place] = (flat_cached_mask){
        .filter = bytes,
        .filter_size = filter.size,
        .used = ++instance->clock,
        .mask = flat_mask_hold(mask),
    };
    pthread_mutex_unlock(&instance->base.lock);
    flat_mask_release(old_mask);
    free(old_bytes);
}

/* ---- working it out --------------------------------------------------------------------- */

typedef struct filter_fields {
    flat_call *call;
    flat_snapshot *snapshot;
    const char **names; /* zero-terminated; NULL: no row can have it */
    sp_column *columns; /* of the block at hand */
    uint64_t block;
    int32_t code;
} filter_fields;

static const sp_column *column_find(void *context, uint32_t index, sp_text name)
{
    filter_fields *fields = context;
    int present = 0;

    (void)name;
    if (fields->code || !fields->names[index])
        return NULL;
    fields->code = flat_snapshot_column(fields->snapshot, fields->block, fields->names[index],
                                        &fields->columns[index], &present, fields->call->base.error);
    return !fields->code && present ? &fields->columns[index] : NULL;
}

static int32_t fields_init(filter_fields *fields, flat_call *call, flat_snapshot *snapshot,
                           const sp_filter *filter)
{
    fields->call = call;
    fields->snapshot = snapshot;
    fields->code = SIMPLUGIN_OK;
    fields->names = plug_scratch(&call->base, filter->field_count + 1, sizeof *fields->names);
    fields->columns = plug_scratch(&call->base, filter->field_count + 1, sizeof *fields->columns);
    if (!fields->names || !fields->columns)
        return plug_no_memory(&call->base);
    for (uint32_t i = 0; i < filter->field_count; i++) {
        sp_text name = filter->fields[i];

        if (memchr(name.data, 0, name.size))
            continue;
        fields->names[i] = sp_arena_text(&call->base.scratch, name.data, name.size);
        if (!fields->names[i])
            return plug_no_memory(&call->base);
    }
    return SIMPLUGIN_OK;
}

static int32_t mask_evaluate(flat_call *call, flat_snapshot *snapshot, const sp_filter *filter,
                             const sp_filter_bound *bound, flat_mask_ref *mask)
{
    uint64_t block_count, tail_count;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    filter_fields fields;
    int32_t code = fields_init(&fields, call, snapshot, filter);

    flat_snapshot_tail(snapshot, &tail_count);
    for (uint64_t i = 0; !code && i < block_count; i++) {
        fields.block = i;
        sp_filter_eval_columns(bound, column_find, &fields, 0, blocks[i].rows, mask->bitmaps[i]);
        code = fields.code ? fields.code : plug_check(&call->base);
    }
    if (!code && tail_count) {
        fields.block = UINT64_MAX;
        sp_filter_eval_columns(bound, column_find, &fields, 0, tail_count, mask->tail);
        code = fields.code;
    }
    flat_mask_finish(mask, snapshot);
    return code;
}

static int32_t mask_make(flat_call *call, flat_snapshot *snapshot, const simplugin_value *value,
                         flat_mask_ref **mask)
{
    sp_filter *filter = NULL;
    sp_filter_bound *bound = NULL;
    flat_mask_ref *made = NULL;
    sp_filter_error wrong;
    int32_t code = sp_filter_decode(value, &filter, &wrong);

    if (code == SIMPLUGIN_OUT_OF_MEMORY) {
        code = plug_no_memory(&call->base);
        goto out;
    }
    if (code) {
        code = plug_fail_argument(&call->base, "filter", "%s", wrong.message);
        goto out;
    }
    made = flat_mask_new(snapshot);
    if (!made || sp_filter_bind(filter, &bound)) {
        code = plug_no_memory(&call->base);
        goto out;
    }
    code = mask_evaluate(call, snapshot, filter, bound, made);
    if (!code) {
        *mask = made;
        made = NULL;
    }
out:
    flat_mask_release(made);
    sp_filter_bound_free(bound);
    sp_filter_free(filter);
    return code;
}

int32_t flat_filter_mask(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask)
{
    sp_text bytes = value_bytes(&call->base.body, "filter");
    simplugin_value value;
    int32_t code;

    *mask = NULL;
    if (!bytes.size)
        return SIMPLUGIN_OK;
    *mask = cache_get(call, bytes, flat_snapshot_version(snapshot));
    if (*mask)
        return SIMPLUGIN_OK;
    simplugin_find(&call->base.body, "filter", &value);
    code = mask_make(call, snapshot, &value, mask);
    if (!code)
        cache_put(call, bytes, *mask);
    return code;
}
