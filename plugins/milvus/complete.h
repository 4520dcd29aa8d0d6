/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that came too short. An index that is approximate may find fewer points than there
 * are: those of an IVF index only where it looks, and HNSW loses its way where a filter lets
 * little pass. So where a list is short, it is counted what there is, and if that is more,
 * the search is made again as thoroughly as the index allows, and at last the points that the
 * expression accepts are read and scored here.
 */
#ifndef MILVUS_COMPLETE_H
#define MILVUS_COMPLETE_H

#include "search.h"

/* Whether the collection's index may leave out what it should find. */
int milvus_is_approximate(const milvus_search *search);

/*
 * The lists of count queries, given by their numbers, all of which are shorter than `fetch`:
 * they get what the expression accepts.
 */
int32_t milvus_complete(milvus_search *search, const uint64_t *queries, uint64_t count,
                        const char *expr, uint64_t fetch, plug_list **lists);

/* Asks for the vectors and fields of hits that came without them. */
int32_t milvus_outputs_add(milvus_search *search, plug_list *lists);

#endif
