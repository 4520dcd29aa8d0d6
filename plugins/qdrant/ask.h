/* SPDX-License-Identifier: Apache-2.0 */
/* One request with its JSON, and its reply. */
#ifndef QDRANT_ASK_H
#define QDRANT_ASK_H

#include <jansson.h>

#include "buffer.h"
#include "call.h"
#include "json_read.h"

/*
 * "/collections/NAME" and what is behind it, with wait=true where it is a write whose end is
 * waited for, and what the connection says of consistency or ordering. In memory of the call;
 * NULL: no memory.
 */
const char *qdrant_read_path(qdrant_call *call, const char *behind, const char *consistency);
const char *qdrant_write_path(qdrant_call *call, const char *behind);
const char *qdrant_own_path(qdrant_call *call, const char *behind);

/*
 * Sends the body, which it takes (size 0: none), and waits. idempotent: the same request may
 * be sent again. http is to be cleared whatever is returned.
 */
int32_t qdrant_send(qdrant_call *call, const char *method, const char *path, sp_buffer *body,
                    int idempotent, qdrant_http *http);
/* Fills http for a flight in the same way. */
int32_t qdrant_prepare(qdrant_call *call, const char *method, const char *path, sp_buffer *body,
                       int idempotent, qdrant_http *http);

/* The same with trees of JSON, for what is small: takes json (NULL: no body), which may be
   missing for lack of memory if it is said to be there; *result is the reply's "result". */
int32_t qdrant_ask(qdrant_call *call, const char *method, const char *path, json_t *json,
                   int idempotent, json_t **result);

/* PROTOCOL or OUT_OF_MEMORY: a reply that is not what it is to be. */
int32_t qdrant_reply_fail(qdrant_call *call, const plug_json *json);

#endif
