/* SPDX-License-Identifier: Apache-2.0 */
/* What a search is made of, between its parts: requests, views, vectors of zeros. */
#ifndef MILVUS_SEARCH_H
#define MILVUS_SEARCH_H

#include "hits.h"
#include "lookup.h"
#include "query.h"
#include "view.h"

/* A reply and what was read of it. */
typedef struct milvus_answer {
    struct milvus_answer *next;
    milvus_rpc rpc;
    milvus_hits hits;
    int is_too_large; /* there is none: less is to be asked for */
} milvus_answer;

typedef struct milvus_search {
    milvus_call *call;
    plug_matrix vectors;
    const simplugin_tensor *bits; /* binary queries instead, of native.search */
    const char *json;             /* parameters of native.search, instead of ours */
    uint64_t k;
    int reverse;
    double max_distance;
    const char *expr;    /* of the filter; "": none */
    plug_view *view;    /* held; NULL: none */
    plug_names names;
    int with_vectors;
    simplugin_value parameters;
    milvus_partitions partitions;
    int level;
    int is_thorough;       /* requests look as far as the index can */
    int is_bare;           /* requests leave out vectors and fields, which are asked for later */
    milvus_lookup outputs; /* these */
    milvus_answer *answers; /* that the lists point into, */
    plug_copy *copy;       /* or this, held; NULL: none */
} milvus_search;

/*
 * One request: the nearest `fetch` of count queries, given by their numbers, among what the
 * expression accepts. answer is to be cleared whatever is returned. Where it has too many
 * bytes to be sent, it is marked and has no lists.
 */
int32_t milvus_search_send(const milvus_search *search, const uint64_t *queries, uint64_t count,
                           const char *expr, uint64_t fetch, milvus_answer *answer);
void milvus_answer_clear(milvus_answer *answer);
/* Whether requests ask for vectors or fields. */
int milvus_search_has_outputs(const milvus_search *search);

/* Reads everything of the call's request but the queries, the filter and "parameters". */
int32_t milvus_search_read(milvus_search *search);
/* Runs it, and writes the reply. */
int32_t milvus_search_run(milvus_search *search);
/* Ends it, in any case. */
void milvus_search_clear(milvus_search *search);

/* An answer that lasts as long as the search; NULL: no memory. */
milvus_answer *milvus_answer_new(milvus_search *search);
/* restrict.c: lists[q] gets the nearest of query q, in the view if there is one. */
int32_t milvus_restrict_run(milvus_search *search, plug_list *lists);
void milvus_answers_clear(milvus_search *search);

#endif
