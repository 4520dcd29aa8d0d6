/* SPDX-License-Identifier: Apache-2.0 */
/* Milvus' expressions, written with everything in them escaped. */
#ifndef MILVUS_EXPR_H
#define MILVUS_EXPR_H

#include "call.h"
#include "filter.h"

/* A text literal. */
void milvus_expr_text(sp_buffer *out, sp_text text);
/* A key as the number it is; INVALID_ARGUMENT where the collection's keys are numbers and
   this is none. */
int32_t milvus_key_number(plug_call *call, sp_text id, int64_t *key);
/* Whether an id can be a key of the collection at all. */
int milvus_key_fits(const milvus_schema *schema, sp_text id);
/* The literal of a key that fits. */
void milvus_expr_key(const milvus_call *call, sp_buffer *out, sp_text id);
/* The filter of a request's key "filter", as an expression ("": there is none), in memory of
   the call. */
int32_t milvus_expr_filter(milvus_call *call, const char **expr);
/* a and b, either of which may be "". */
int32_t milvus_expr_and(milvus_call *call, const char *a, const char *b, const char **expr);

#endif
