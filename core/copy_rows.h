/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on their way from one backend to another: columns and tensors as they came. */
#ifndef SP_COPY_ROWS_H
#define SP_COPY_ROWS_H

#include <pthread.h>

#include "copy_types.h"

/* A page of the source's scan. */
typedef struct sp_copy_block {
    sp_points page;
    sp_arena *arena;    /* of what is behind the columns */
    sp_columns columns; /* of them those that the target stores */
    uint8_t *cursor;    /* where the scan goes on behind it; NULL: nowhere */
    uint64_t cursor_size;
    uint64_t bytes;
    uint64_t written;   /* rows that the target has acknowledged */
    int is_taken;       /* the page is there, */
    int is_read;        /* and all the rest */
} sp_copy_block;

void sp_copy_block_init(sp_copy_block *block);
void sp_copy_block_clear(sp_copy_block *block);

/*
 * The walk's next page, with what the backend described by target stores of it, of the types
 * that fields have in the copy. After a failure the same call goes on: no page is left out.
 */
int32_t sp_copy_block_read(sp_copy_block *block, sp_walk *walk, sp_copy_types *types,
                           const sp_describe *target, const sp_context *context,
                           simplugin_error **error);
/*
 * Writes the rows that are not written yet, in one request or, where the backend wants that,
 * in several. After a failure the same call goes on.
 */
int32_t sp_copy_block_write(sp_copy_block *block, sp_index *target, const sp_context *context,
                            simplugin_error **error);

/* A page read by another thread while the one before it is written. */
typedef struct sp_copy_reader {
    sp_copy_block *block;
    sp_walk *walk;
    sp_copy_types *types;
    const sp_describe *target;
    sp_context context;
    simplugin_error *error;
    int32_t code;
    int is_running;
    pthread_t thread;
} sp_copy_reader;

/* Where no thread can be had nothing is read: the page is read when it is wanted. */
void sp_copy_reader_start(sp_copy_reader *reader, sp_copy_block *block, sp_walk *walk,
                          sp_copy_types *types, const sp_describe *target,
                          const sp_context *context);
/* Waits for it, and answers as sp_copy_block_read does. */
int32_t sp_copy_reader_join(sp_copy_reader *reader, simplugin_error **error);

#endif
