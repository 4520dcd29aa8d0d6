/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a copy is one: counts, and a sample or all of the points, read again from both sides. */
#ifndef SP_COPY_VERIFY_H
#define SP_COPY_VERIFY_H

#include "copy_types.h"

#define SP_VERIFY_NONE 0 /* but whether there are as many as were written */
#define SP_VERIFY_SAMPLE 1
#define SP_VERIFY_ALL 2

/* So many ids of points that differ are named. */
#define SP_VERIFY_NAMED 100

typedef struct sp_copy_check {
    sp_index *source;
    sp_index *target;
    const sp_copy_types *types;
    int mode;           /* SP_VERIFY_... */
    uint64_t sample;    /* how many points of a sample */
    int vectors;        /* what of them both sides keep: SP_VECTORS_... */
    int merge;          /* the target holds more */
    uint64_t copied;    /* points that were written */
    /* how far it is */
    int stage;
    sp_walk walk;
    uint64_t stride;    /* one of so many points is in the sample */
    uint64_t until;     /* so many more points come before the next one of it */
    uint64_t random;
    uint64_t walked;    /* points of the source that were seen */
    int is_picked;      /* those of the page at hand are among ids */
    uint64_t looked;    /* points of the page at hand, a target's, that are done */
    sp_buffer ids;      /* of the sample, until they are looked at: their bytes, */
    sp_buffer ends;     /* and where each ends */
    uint64_t source_count;
    uint64_t target_count;
    uint64_t verified;  /* points that were compared */
    uint64_t absent;    /* of these, those that the target does not have */
    uint64_t different; /* of these, and those that only the target has */
    sp_buffer named;    /* ids of the first of them, zero-terminated */
    uint64_t named_count;
    char first[160];    /* what is different about the first */
} sp_copy_check;

void sp_copy_check_init(sp_copy_check *check);
void sp_copy_check_clear(sp_copy_check *check);
/* Begins, also once more. */
int32_t sp_copy_check_begin(sp_copy_check *check, const sp_context *context,
                            simplugin_error **error);
/* Looks at some more points; *more is 0 after the last. */
int32_t sp_copy_check_next(sp_copy_check *check, const sp_context *context, int *more,
                           simplugin_error **error);
/* How many points are to be compared. */
uint64_t sp_copy_check_total(const sp_copy_check *check);

#endif
