/* SPDX-License-Identifier: Apache-2.0 */
/* Qdrant's filters: what docs/filters.md says, and ids, as its conditions in JSON. */
#ifndef QDRANT_CONDITION_H
#define QDRANT_CONDITION_H

#include "buffer.h"
#include "call.h"

/* The path of a top-level field as a JSON text, with what is behind it. */
void qdrant_path_put(sp_buffer *out, sp_text name, const char *behind);

/*
 * The filter of the request's key "filter" as one condition ("": there is none), in memory of
 * the call.
 */
int32_t qdrant_condition_read(qdrant_call *call, const char **condition);

/*
 * "filter": {...} with a comma behind it where there is anything: the condition, and that the
 * id is among some, which are the ones from *next on: at most limit, as JSON, each once. ids
 * NULL: no such condition.
 */
typedef struct qdrant_id_set {
    const sp_column *ids;
    uint64_t next;  /* where to go on */
    uint64_t limit; /* of one request */
    uint64_t count; /* that were written */
    int (*is_wanted)(const void *context, uint64_t at); /* NULL: all are */
    const void *context;
} qdrant_id_set;

void qdrant_filter_put(const qdrant_call *call, sp_buffer *out, const char *condition,
                       qdrant_id_set *ids);

#endif
