/* SPDX-License-Identifier: Apache-2.0 */
/* Searches of small views in copies of their vectors, as plug_copy.h has them. */
#ifndef MILVUS_COPY_H
#define MILVUS_COPY_H

#include "search.h"

/* lists[q] gets the nearest of query q: a copy's, which search->copy is then, or the server's. */
int32_t milvus_find(milvus_search *search, plug_list *lists);

#endif
