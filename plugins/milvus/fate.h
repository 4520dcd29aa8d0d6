/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the rows of a write that failed, told in the details of its error. */
#ifndef MILVUS_FATE_H
#define MILVUS_FATE_H

#include "buffer.h"
#include "plug_call.h"
#include "status.h"

/* Rows that went into one request, by their places among those to be written. */
typedef struct milvus_stretch {
    uint64_t first, count;
    int is_written; /* 0: they may be, or not */
} milvus_stretch;

/* Takes note of one; without memory nothing is told in the end. */
void milvus_stretch_add(sp_buffer *stretches, uint64_t first, uint64_t count, int is_written);
/* Whether what the server says leaves it open if the rows were written. */
int milvus_fate_is_open(const milvus_status *status);
/*
 * Adds to the call's error: "written" (a number of rows), "written_rows" and "unknown_rows"
 * ("0-99,200-299"), and "keys" of the rows that are written, where the server made them
 * (NULL: it did not). Each has at most some kilobytes, and ends in ",..." where it has more.
 */
void milvus_fate_tell(plug_call *call, sp_buffer *stretches, const sp_text *keys);

#endif
