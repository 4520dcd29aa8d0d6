/* SPDX-License-Identifier: Apache-2.0 */
/* Searches of small views in copies of their vectors, as plug_copy.h has them. */
#ifndef MILVUS_COPY_H
#define MILVUS_COPY_H

#include "search.h"

/* Views whose vectors take up no more bytes than that are copied. */
#define MILVUS_COPY_BYTES (UINT64_C(8) << 20)

/* *done: the lists are filled. Else the server is to be asked. */
int32_t milvus_copy_search(milvus_search *search, milvus_list *lists, int *done);

#endif
