/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fresh reads are. With "Session", the default, an instance reads what it wrote, and
 * once it has looked at a collection for the first time, everything written before that.
 */
#ifndef MILVUS_CONSISTENCY_H
#define MILVUS_CONSISTENCY_H

#include "call.h"

#define MILVUS_LEVELS 4
extern const char *const milvus_level_names[MILVUS_LEVELS]; /* by number */

/* What a read asks for. */
typedef struct milvus_freshness {
    int32_t level;       /* MILVUS_STRONG ... */
    uint64_t timestamp;  /* of the server's clock: what was written by then is seen */
    uint64_t generation; /* of writes without a timestamp, when this was made */
} milvus_freshness;

/* The number of a level, -1 if there is none of that name. */
int milvus_level_of(const char *name, size_t size);
/* "consistency_level" of a map, if it is there. */
int32_t milvus_level_read(plug_call *call, const simplugin_value *map, int *level);
/* For a read of the call's collection; level -1: the collection's own, but Session at
   least. */
milvus_freshness milvus_freshness_of(milvus_call *call, int level);
/* A write to the call's collection ended at that time of the server's; 0: it did not tell,
   as for deletions, so that the next read is a strong one. */
void milvus_written_at(milvus_call *call, uint64_t timestamp);
/* How many writes of this instance to the call's collection have ended. */
uint64_t milvus_writes(milvus_call *call);
/* A read at level Strong has seen everything: the next ones need not be. */
void milvus_read_done(milvus_call *call, const milvus_freshness *freshness);
void milvus_written_free(simplugin_instance *instance);

#endif
