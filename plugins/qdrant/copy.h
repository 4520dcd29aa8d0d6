/* SPDX-License-Identifier: Apache-2.0 */
/* Searches of small views in copies of their vectors, as plug_copy.h has them. */
#ifndef QDRANT_COPY_H
#define QDRANT_COPY_H

#include "search.h"

/* *done: the lists are filled. Else the server is to be asked. */
int32_t qdrant_copy_search(qdrant_search *search, plug_list *lists, int *done);

#endif
