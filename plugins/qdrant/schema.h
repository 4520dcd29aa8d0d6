/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collection is: its vectors, how its ids are to be read, what was declared when it
 * was made. Kept by the instance for moments, as others may
 * replace what the name stands for; immutable, shared between calls by
 * counting its users.
 */
#ifndef QDRANT_SCHEMA_H
#define QDRANT_SCHEMA_H

#include <stdatomic.h>

#include "plug_call.h"

#define QDRANT_SAMPLE_ID "sample_id" /* of FiftyOne's labels, and ours */
#define QDRANT_METADATA "simplugin"  /* the key under a collection's metadata */

typedef struct qdrant_declared {
    const char *name;
    uint32_t type; /* SP_TEXT, ... */
    int is_index;  /* a payload index says so, which is the same for lists of such values */
} qdrant_declared;

typedef struct qdrant_schema {
    atomic_uint users;
    struct qdrant_schema *next; /* the instance's */
    sp_arena *memory;
    int64_t made_at;            /* of our clock: it is asked for again when it is old */
    const char *name;           /* as it was asked for, possibly an alias */
    uint64_t dimension;
    const char *metric;         /* ours: "cosine", ... */
    uint64_t full_scan_bytes;   /* filters that accept vectors of less are gone through, not the graph */
    const char *vector;         /* its name; "": it has none */
    int is_mapped;              /* ids as ids.h maps them; 0: the server's own */
    int is_patches;             /* points have sample ids that say something */
    int is_empty;               /* nobody's points yet, which may still be of either kind */
    uint64_t declared_count;    /* fields with payload indexes, or declared when it was made */
    qdrant_declared *declared;
} qdrant_schema;

/* The type a field was declared with; 0: it was not. */
uint32_t qdrant_declared_type(const qdrant_schema *schema, sp_text name);
/* The same; NULL: it was not declared, and has no payload index. */
const qdrant_declared *qdrant_declared_find(const qdrant_schema *schema, sp_text name);
/* Whether points show a payload's key as a field. */
int qdrant_field_is_shown(const qdrant_schema *schema, sp_text name);
/* Whether vectors are stored with the norm 1, beside what it was. */
int qdrant_is_normalised(const qdrant_schema *schema);

#endif
