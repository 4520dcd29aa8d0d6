/* SPDX-License-Identifier: Apache-2.0 */
/* Finding points by their ids: as many requests as that takes, several at a time. */
#ifndef QDRANT_LOOKUP_H
#define QDRANT_LOOKUP_H

#include "fields.h"

typedef struct qdrant_lookup_part qdrant_lookup_part;

typedef struct qdrant_lookup {
    int vectors;             /* what is asked for beside the ids */
    const plug_names *names; /* NULL: no fields */
    /* what was found: in the order of the ids */
    uint64_t count;
    int64_t *positions;      /* places among the ids */
    qdrant_row *rows;
    /* what holds it */
    qdrant_lookup_part *parts;
} qdrant_lookup;

/* An id that comes more than once is found more than once. To be cleared in any case. */
int32_t qdrant_lookup_run(qdrant_call *call, const sp_column *ids, qdrant_lookup *lookup);
void qdrant_lookup_clear(qdrant_lookup *lookup);

#endif
