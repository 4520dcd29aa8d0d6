/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of points. Qdrant takes UUIDs and unsigned integers; ours are any text. In a mapped
 * collection 24 hex digits are followed by eight zeros, as FiftyOne does it, and any other
 * text becomes a UUID made of its SHA-1 (RFC 9562, version 5) and stands in the payload. In
 * a native one, of somebody else's, ids are the server's own, as text.
 */
#ifndef QDRANT_IDS_H
#define QDRANT_IDS_H

#include "buffer.h"
#include "column.h"
#include "plug_call.h"

/* Keys of payloads that are not shown as fields. */
#define QDRANT_ID "__id"       /* the id that its UUID was made of */
#define QDRANT_NORM "__norm"   /* of a vector under cosine, which is stored with the norm 1 */
#define QDRANT_EMPTY "__empty" /* names of fields that hold an empty list, which is none to Qdrant */

#define QDRANT_KEY_MAX 36

/* The server's id of a point. */
typedef struct qdrant_key {
    char text[QDRANT_KEY_MAX + 1]; /* a UUID, lower-case with hyphens, or digits */
    uint8_t size;
    uint8_t is_number;
    uint8_t is_made; /* of the id, which is not in it */
} qdrant_key;

/* 0: no point of the collection can have that id. */
int qdrant_key_of(int is_mapped, sp_text id, qdrant_key *key);
/* As JSON. */
void qdrant_key_put(sp_buffer *out, const qdrant_key *key);
/* INVALID_ARGUMENT for one that has no key. */
int32_t qdrant_id_refuse(plug_call *call, sp_text id);

/*
 * The id of a key as the server shows it; original: what the payload says, size 0: nothing.
 * Into memory of the arena where it is not a part of the key. 0: no memory.
 */
int qdrant_id_of(int is_mapped, sp_text key, sp_text original, sp_arena **arena, sp_text *id);
/* Whether a key of the server's is one that mapped collections have. */
int qdrant_key_is_mapped(sp_text key, int is_number, sp_text original);

#endif
