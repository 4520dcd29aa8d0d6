/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: where libcurl is set up, started, and kept from what a fork would do to it. A lane
 * is one thread's from take to give.
 */
#ifndef QDRANT_LANE_H
#define QDRANT_LANE_H

#include <curl/curl.h>

#include "transport.h"

/* How many lanes of a link are kept while nobody uses them. */
#define QDRANT_LANES_KEPT 16

/* One easy handle, and the request it is sent for. */
typedef struct qdrant_sent {
    struct qdrant_sent *next; /* of those that are free */
    qdrant_lane *lane;
    CURL *easy;
    qdrant_http *http;
    int is_too_large;  /* the reply */
    int has_no_memory; /* for it */
    char words[CURL_ERROR_SIZE];
} qdrant_sent;

/* An idle lane of this process, or a new one; NULL: no memory. Sets the call's trace id. */
qdrant_lane *qdrant_lane_take(qdrant_link *link, plug_call *call);
/* Gives it back, with nothing in flight. NULL is harmless. */
void qdrant_lane_give(qdrant_link *link, qdrant_lane *lane);
CURLM *qdrant_lane_multi(const qdrant_lane *lane);

/* A handle that is set up for the request, not added yet; NULL: no memory. */
qdrant_sent *qdrant_sent_new(qdrant_lane *lane, qdrant_http *http, long connect_ms);
/* Keeps it for the next request. */
void qdrant_sent_end(qdrant_sent *sent);

/* ---- SIGPIPE ------------------------------------------------------------------------------ */

/* From begin to end the thread gets no SIGPIPE of a connection that went away. */
void qdrant_quiet_begin(int *is_quiet, int *was_pending);
void qdrant_quiet_end(int is_quiet, int was_pending);

#endif
