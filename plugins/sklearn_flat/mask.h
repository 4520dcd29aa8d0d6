/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks: which rows of a snapshot a filter and a view let through. A mask holds live rows
 * only, is never changed once made, and is shared between calls by counting its users.
 */
#ifndef FLAT_MASK_H
#define FLAT_MASK_H

#include <stdatomic.h>

#include "call.h"
#include "gather.h"
#include "search.h"

typedef struct flat_mask_ref {
    flat_mask mask;
    atomic_uint users;
    uint64_t version;     /* of the snapshot it is for */
    uint64_t count;       /* rows in it */
    uint64_t block_count;
    uint64_t tail_count;
    uint64_t *keys;       /* of the blocks */
    uint8_t **bitmaps;    /* mask.blocks, while it is made */
    uint8_t *tail;
} flat_mask_ref;

/* One without rows, all its bitmaps in place; NULL: no memory. */
flat_mask_ref *flat_mask_new(const flat_snapshot *snapshot);
/* Takes out dead rows, counts, and drops bitmaps without rows. */
void flat_mask_finish(flat_mask_ref *mask, const flat_snapshot *snapshot);
flat_mask_ref *flat_mask_hold(flat_mask_ref *mask);
/* NULL is harmless. */
void flat_mask_release(flat_mask_ref *mask);

/*
 * The mask that the request's "filter" and "view" make together, the caller's to release;
 * NULL where it has neither.
 */
int32_t flat_mask_for(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask);
/* Its rows, ascending, malloc'd. */
int32_t flat_mask_rows(flat_call *call, const flat_snapshot *snapshot, const flat_mask_ref *mask,
                       uint64_t **rows, uint64_t *count);
int flat_mask_has(const flat_mask_ref *mask, flat_gather *gather, uint64_t row);

/* ---- filter.c ------------------------------------------------------------------------- */

/* The mask of the request's "filter", of this call or an earlier one. */
int32_t flat_filter_mask(flat_call *call, flat_snapshot *snapshot, flat_mask_ref **mask);

#endif
