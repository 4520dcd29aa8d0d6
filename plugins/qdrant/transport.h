/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a server over libcurl: any number in flight from any number of threads, each
 * with the deadline and the cancel token of the protocol's call it belongs to. Knows no
 * operation.
 *
 *     qdrant_http http;
 *
 *     qdrant_http_init(&http, "POST", qdrant_path(call, "/collections/%s/points/count", name));
 *     http.idempotent = 1;
 *     qdrant_http_take(&http, body, size);
 *     code = qdrant_run(link, call, &http);
 *     ... http.reply, http.reply_size ...
 *     qdrant_http_clear(&http);
 */
#ifndef QDRANT_TRANSPORT_H
#define QDRANT_TRANSPORT_H

#include <stdatomic.h>

#include "plug_call.h"
#include "settings.h"
#include "status.h"

/* ---- the way to a server ------------------------------------------------------------- */

typedef struct qdrant_lane qdrant_lane;

/*
 * A pool of lanes: each is a multi handle of libcurl's with the connections it has kept,
 * used by one call of the protocol at a time and given back.
 */
typedef struct qdrant_link {
    const qdrant_settings *settings;
    qdrant_lane *idle; /* the one used last is first; lane.c guards it */
    uint32_t idle_count;
    int64_t pid;     /* of the process the idle lanes belong to */
    atomic_int seen; /* a server has answered: from then on a lost one is waited for */
} qdrant_link;

/* Connects nowhere. */
void qdrant_link_init(qdrant_link *link, const qdrant_settings *settings);
/* In a forked child the parent's connections are left alone. */
void qdrant_link_clear(qdrant_link *link);

/* ---- paths ----------------------------------------------------------------------------- */

/*
 * A path in memory of the call: each %s of the format, which holds no other conversion, is
 * percent-encoded as one segment, so that a name with / or % is safe. NULL: no memory.
 */
const char *qdrant_path(plug_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The path with key=value, percent-encoded, in its query; value NULL: the path as it is. */
const char *qdrant_path_with(plug_call *call, const char *path, const char *key,
                             const char *value);
/* The same with what is left until the call's deadline as "timeout", in whole seconds. */
const char *qdrant_path_timed(plug_call *call, const char *path);

/* ---- one request ------------------------------------------------------------------------ */

typedef struct qdrant_http {
    const char *method; /* "POST" */
    const char *path;   /* percent-encoded, with its query; lasts as long as the request */
    int idempotent;     /* may be sent again when it is not known whether it arrived; from the
                           start 0 for POST and PATCH alone */
    int is_text;        /* the reply need not be JSON: /metrics */
    char *body;         /* malloc'd, owned; NULL: none */
    size_t body_size;
    void *context;      /* the caller's */
    /* how it ended */
    qdrant_status status;
    char *reply; /* zero-terminated, owned; also of errors; NULL: none came */
    size_t reply_size;
    /* the transport's */
    size_t reply_capacity;
    struct qdrant_http *next;
    struct qdrant_sent *sent; /* while it is in flight */
    uint32_t attempts;
    int64_t first_failure; /* when it first failed to get through; 0: never */
    int64_t retry_at;
} qdrant_http;

/* path NULL: the request fails for lack of memory when it is started. */
void qdrant_http_init(qdrant_http *http, const char *method, const char *path);
/* Takes the bytes (malloc'd) as the body; sent from where they are. */
void qdrant_http_take(qdrant_http *http, void *body, size_t size);
/* The reply, malloc'd and zero-terminated, the caller's from now on. */
char *qdrant_http_steal(qdrant_http *http, size_t *size);
void qdrant_http_clear(qdrant_http *http);

/* ---- requests in flight ------------------------------------------------------------------- */

/* The requests of one call of the protocol. Used by one thread, which gets no SIGPIPE. */
typedef struct qdrant_flight {
    qdrant_link *link;
    plug_call *call;
    qdrant_lane *lane;
    qdrant_http *active;  /* sent and not answered */
    qdrant_http *ended;   /* and not handed out yet */
    qdrant_http *resting; /* to be sent again later */
    uint64_t watch;
    atomic_int cancelled;
    int is_quiet; /* SIGPIPE is blocked until the end: */
    int was_pending;
} qdrant_flight;

/* OUT_OF_MEMORY. To be cleared whatever it returns. */
int32_t qdrant_flight_init(qdrant_flight *flight, qdrant_link *link, plug_call *call);
/* Ends what is in flight, without waiting for answers. */
void qdrant_flight_clear(qdrant_flight *flight);
/* Sends; http stays where it is until it comes back from next. */
int32_t qdrant_flight_start(qdrant_flight *flight, qdrant_http *http);
/* Moves what can be moved without waiting: between blocks of other work. */
void qdrant_flight_push(qdrant_flight *flight);
/*
 * Waits for the next request to end, well or badly: *http, with its status; NULL when there
 * is none. Those that did not get through are sent again, with pauses, where that is
 * harmless. An error (CANCELLED, DEADLINE_EXCEEDED) is one of the protocol's call; then
 * *http is NULL.
 */
int32_t qdrant_flight_next(qdrant_flight *flight, qdrant_http **http);

/* One request alone; its failure becomes the error of the protocol's call. */
int32_t qdrant_run(qdrant_link *link, plug_call *call, qdrant_http *http);
/* The same, leaving what the server said in http->status: only what kept it from answering
   is an error. */
int32_t qdrant_try(qdrant_link *link, plug_call *call, qdrant_http *http);
/* Sets the call's error from the request's status, which is not OK; returns its code. */
int32_t qdrant_http_fail(qdrant_link *link, plug_call *call, const qdrant_http *http);

#endif
