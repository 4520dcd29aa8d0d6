/* SPDX-License-Identifier: Apache-2.0 */
/* Finding points by their ids: as many requests as that takes, several at a time. */
#ifndef MILVUS_LOOKUP_H
#define MILVUS_LOOKUP_H

#include "query.h"

typedef struct milvus_lookup_part milvus_lookup_part;

typedef struct milvus_lookup {
    int vectors;         /* what is asked for beside the keys */
    int fields;
    const char *filter;  /* an expression that must hold too; NULL: none */
    /* what was found: in the order of the ids */
    uint64_t count;
    int64_t *positions;  /* places among the ids */
    milvus_row *rows;
    /* what holds it */
    milvus_lookup_part *parts;
} milvus_lookup;

/* An id that comes more than once is found more than once. To be cleared in any case. */
int32_t milvus_lookup_run(milvus_call *call, const sp_column *ids, milvus_lookup *lookup);
void milvus_lookup_clear(milvus_lookup *lookup);

/* Writes the key "vectors" with those of the rows: float32, or bits as uint8. */
int32_t milvus_vectors_write(milvus_call *call, const milvus_row *rows, uint64_t count);
/* Whether they are those of the portable methods; UNIMPLEMENTED. */
int32_t milvus_vectors_portable(milvus_call *call);

#endif
