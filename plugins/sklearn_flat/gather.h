/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From row numbers of a snapshot to the arrays of a reply: ids, vectors and fields of any
 * rows in any order, each straight from where it is stored into memory of the reply.
 */
#ifndef FLAT_GATHER_H
#define FLAT_GATHER_H

#include "plug_args.h"
#include "call.h"

/* A field's columns, one for each block that was looked into so far. */
typedef struct flat_source {
    const char *name;
    uint32_t type;
    sp_column *columns;  /* one a block, and one for the tail */
    uint8_t *states;     /* 0: not looked into, 1: no row has the field, 2: a column */
} flat_source;

typedef struct flat_gather {
    flat_call *call;
    flat_snapshot *snapshot;
    const flat_block *blocks;
    uint64_t block_count;
    const flat_tail_row *tail;
    uint64_t tail_count;
    uint64_t source_count;
    flat_source *sources; /* the fields that were asked for and that exist */
    uint64_t last_block;  /* where the row before was found: the next is often there too */
} flat_gather;

/* Everything is scratch of the call; nothing to free. */
int32_t flat_gather_init(flat_gather *gather, flat_call *call, flat_snapshot *snapshot,
                         const plug_names *fields);
/* Where a row is: a block and its slot, or block_count and the position in the tail. */
void flat_gather_place(flat_gather *gather, uint64_t row, uint64_t *block, uint64_t *slot);
/* *bytes: what the row's fields take up in a reply. */
int32_t flat_gather_field_bytes(flat_gather *gather, uint64_t row, uint64_t *bytes);

/* Each writes one key and its value. */
int32_t flat_gather_ids(flat_gather *gather, const char *key, const uint64_t *rows,
                        uint64_t count);
int32_t flat_gather_vectors(flat_gather *gather, const uint64_t *rows, uint64_t count);
int32_t flat_gather_fields(flat_gather *gather, const uint64_t *rows, uint64_t count);

#endif
