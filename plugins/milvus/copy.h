/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small views are searched here: a copy of their vectors is scored, exactly, in less time
 * than a server takes to read the list of their keys. The copy is as fresh as Session asks
 * for: it knows all that this instance wrote, and what others wrote up to COPY_AGE ago.
 */
#ifndef MILVUS_COPY_H
#define MILVUS_COPY_H

#include "search.h"

/* Views whose vectors take up no more bytes than that are copied. */
#define MILVUS_COPY_BYTES (UINT64_C(8) << 20)

/* *done: the lists are filled. Else the server is to be asked. */
int32_t milvus_copy_search(milvus_search *search, milvus_list *lists, int *done);
/* NULL is harmless. */
void milvus_copy_release(milvus_copy *copy);

#endif
