/* SPDX-License-Identifier: Apache-2.0 */
/* What a search is made of, between its parts: requests, views. */
#ifndef QDRANT_SEARCH_H
#define QDRANT_SEARCH_H

#include "condition.h"
#include "describe.h"
#include "fields.h"
#include "instance.h"
#include "plug_copy.h"

/* A reply that the lists point into. */
typedef struct qdrant_answer {
    struct qdrant_answer *next;
    qdrant_page page;
} qdrant_answer;

typedef struct qdrant_search {
    qdrant_call *call;
    plug_matrix vectors; /* as they are sent: of norm 1, turned around where it is reversed */
    uint64_t k;
    int reverse;
    double max_distance;
    const char *condition; /* of the filter; "": none */
    plug_view *view;       /* held; NULL: none */
    plug_names names;
    int with_vectors;
    qdrant_searching options;
    const char *path_one, *path_many; /* of requests with one query, and with several */
    qdrant_answer *answers; /* that the lists point into, */
    plug_copy *copy;        /* or this, held; NULL: none */
} qdrant_search;

/*
 * One request: the nearest `fetch` of count queries, given by their numbers, among what the
 * condition accepts and the ids (NULL: any). The answer lasts as long as the search.
 */
int32_t qdrant_search_send(qdrant_search *search, const uint64_t *queries, uint64_t count,
                           qdrant_id_set *ids, uint64_t fetch, plug_list *lists);
/* How many queries one request takes, with so many bytes of a filter each. */
uint64_t qdrant_search_queries(const qdrant_search *search, uint64_t fetch, uint64_t filter_bytes);

/* restrict.c: lists[q] gets the nearest of query q, in the view if there is one. */
int32_t qdrant_restrict_run(qdrant_search *search, plug_list *lists);

#endif
