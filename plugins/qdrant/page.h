/* SPDX-License-Identifier: Apache-2.0 */
/* Points that a server sent: their ids, scores and vectors as arrays, payloads as JSON. */
#ifndef QDRANT_PAGE_H
#define QDRANT_PAGE_H

#include "call.h"
#include "json_read.h"
#include "schema.h"

typedef struct qdrant_point {
    sp_text key;     /* the server's id */
    sp_text id;      /* ours */
    sp_text payload; /* a JSON object; size 0: none */
    float score;
    int is_number;   /* the key */
    int has_vector;
    int has_original; /* the id came from the payload */
} qdrant_point;

typedef struct qdrant_page {
    sp_arena *memory;
    qdrant_http http; /* whose reply the texts lie in */
    uint64_t count, capacity;
    qdrant_point *points;
    float *vectors;   /* a row for each point, as they were added; NULL: none came */
    uint64_t list_count;
    uint64_t *lists;  /* where the list of each query ends among the points */
    int has_next;     /* of a scroll: there are more, */
    sp_text next;     /* from this key on, as JSON */
} qdrant_page;

#define QDRANT_SHAPE_POINTS 0 /* result is an array of points */
#define QDRANT_SHAPE_SCROLL 1 /* result has points and next_page_offset */
#define QDRANT_SHAPE_LISTS 2  /* result is an array of lists, or of objects with points */

/*
 * Decodes the page's reply. lists: how many are expected of LISTS. PROTOCOL where the reply is
 * not one. The page is to be cleared in any case, which clears http too.
 */
int32_t qdrant_page_read(qdrant_call *call, int shape, uint64_t lists, qdrant_page *page);
void qdrant_page_clear(qdrant_page *page);

#endif
