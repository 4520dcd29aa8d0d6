/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "mask.h"

#include "instance.h"
#include "view.h"

static uint64_t bitmap_bytes(uint64_t rows)
{
    return (rows + 63) / 64 * 8;
}

/* Everything in one piece of memory; bitmaps begin at multiples of 8 bytes. */
flat_mask_ref *flat_mask_new(const flat_snapshot *snapshot)
{
    uint64_t block_count, tail_count;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    uint64_t bytes = sizeof(flat_mask_ref);
    flat_mask_ref *mask;
    uint8_t *at;

    flat_snapshot_tail(snapshot, &tail_count);
    bytes += block_count * (sizeof(uint64_t) + sizeof(uint8_t *)) + bitmap_bytes(tail_count);
    for (uint64_t i = 0; i < block_count; i++)
        bytes += bitmap_bytes(blocks[i].rows);
    mask = calloc(1, (size_t)bytes);
    if (!mask)
        return NULL;
    atomic_init(&mask->users, 1);
    mask->version = flat_snapshot_version(snapshot);
    mask->block_count = block_count;
    mask->tail_count = tail_count;
    mask->keys = (uint64_t *)(void *)(mask + 1);
    mask->bitmaps = (uint8_t **)(void *)(mask->keys + block_count);
    at = (uint8_t *)(mask->bitmaps + block_count);
    for (uint64_t i = 0; i < block_count; i++) {
        mask->keys[i] = flat_snapshot_block_key(snapshot, i);
        mask->bitmaps[i] = at;
        at += bitmap_bytes(blocks[i].rows);
    }
    mask->tail = at;
    return mask;
}

static uint64_t bits_count(const uint8_t *bitmap, uint64_t bytes)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t word;

        memcpy(&word, bitmap + i, sizeof word);
        count += (uint64_t)__builtin_popcountll(word);
    }
    return count;
}

void flat_mask_finish(flat_mask_ref *mask, const flat_snapshot *snapshot)
{
    uint64_t block_count, rows;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);

    mask->count = 0;
    for (uint64_t i = 0; i < block_count; i++) {
        uint8_t *bitmap = mask->bitmaps[i];

        if (!bitmap)
            continue;
        for (uint64_t j = 0; blocks[i].dead && j < (blocks[i].rows + 7) / 8; j++)
            bitmap[j] &= (uint8_t)~blocks[i].dead[j];
        rows = bits_count(bitmap, bitmap_bytes(blocks[i].rows));
        if (!rows)
            mask->bitmaps[i] = NULL;
        mask->count += rows;
    }
    mask->count += bits_count(mask->tail, bitmap_bytes(mask->tail_count));
    mask->mask.blocks = (const uint8_t *const *)mask->bitmaps;
    mask->mask.tail = mask->tail;
}

flat_mask_ref *flat_mask_hold(flat_mask_ref *mask)
{
    if (mask)
        atomic_fetch_add_explicit(&mask->users, 1, memory_order_relaxed);
    return mask;
}

void flat_mask_release(flat_mask_ref *mask)
{
    if (mask && atomic_fetch_sub_explicit(&mask->users, 1, memory_order_acq_rel) == 1)
        free(mask);
}

/* What is in both. */
static int32_t masks_join(flat_call *call, const flat_snapshot *snapshot, const flat_mask_ref *a,
                          const flat_mask_ref *b, flat_mask_ref **joined)
{
    uint64_t block_count;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    flat_mask_ref *mask = flat_mask_new(snapshot);

    *joined = mask;
    if (!mask)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < block_count; i++) {
        if (!a->bitmaps[i] || !b->bitmaps[i]) {
            mask->bitmaps[i] = NULL;
            continue;
        }
        for (uint64_t j = 0; j < bitmap_bytes(blocks[i].rows); j++)
            mask->bitmaps[i][j] = a->bitmaps[i][j] & b->bitmaps[i][j];
    }
    for (uint64_t j = 0; j < bitmap_bytes(mask->tail_count); j++)
        mask->tail[j] = a->tail[j] & b->tail[j];
    flat_mask_finish(mask, snapshot);
    return SIMPLUGIN_OK;
}

int32_t flat_mask_for(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask)
{
    flat_mask_ref *filter = NULL, *view = NULL;
    int32_t code = flat_filter_mask(call, snapshot, &filter);

    *mask = NULL;
    if (!code)
        code = flat_view_mask(call, snapshot, &view);
    if (!code && filter && view)
        code = masks_join(call, snapshot, filter, view, mask);
    else if (!code)
        *mask = flat_mask_hold(filter ? filter : view);
    flat_mask_release(filter);
    flat_mask_release(view);
    return code;
}

static int bit_get(const uint8_t *bitmap, uint64_t i)
{
    return bitmap[i / 8] >> (i % 8) & 1;
}

int flat_mask_has(const flat_mask_ref *mask, flat_gather *gather, uint64_t row)
{
    uint64_t block, slot;
    const uint8_t *bitmap;

    flat_gather_place(gather, row, &block, &slot);
    bitmap = block < mask->block_count ? mask->bitmaps[block] : mask->tail;
    return bitmap && bit_get(bitmap, slot);
}

int32_t flat_mask_rows(flat_call *call, const flat_snapshot *snapshot, const flat_mask_ref *mask,
                       uint64_t **rows, uint64_t *count)
{
    uint64_t block_count, tail_count;
    const flat_block *blocks = flat_snapshot_blocks(snapshot, &block_count);
    const flat_tail_row *tail = flat_snapshot_tail(snapshot, &tail_count);
    uint64_t *out = calloc((size_t)mask->count + 1, sizeof *out);

    *rows = out;
    *count = mask->count;
    if (!out)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < block_count; i++)
        for (uint64_t j = 0; mask->bitmaps[i] && j < blocks[i].rows; j++)
            if (bit_get(mask->bitmaps[i], j))
                *out++ = blocks[i].first_row + j;
    for (uint64_t j = 0; j < tail_count; j++)
        if (bit_get(mask->tail, j))
            *out++ = tail[j].row;
    return SIMPLUGIN_OK;
}
