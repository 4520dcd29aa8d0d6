/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of zeros under cosine: Milvus stores them and finds none of them, where their
 * distance to everything is 1. So they are marked when they are written, and added to the
 * hits where they belong there.
 */
#ifndef MILVUS_ZEROS_H
#define MILVUS_ZEROS_H

#include "rows.h"
#include "search.h"

/* The dynamic field that marks them; it is not shown. */
#define MILVUS_ZERO_MARK "__zero"

/* Whether the collection's are. */
int milvus_zeros_are_marked(const milvus_call *call);
/* Whether a row is to be marked. */
int milvus_zeros_mark(const milvus_call *call, const float *vector);
/* Adds those that belong into the lists, which are in order. */
int32_t milvus_zeros_add(milvus_search *search, plug_list *lists);

#endif
