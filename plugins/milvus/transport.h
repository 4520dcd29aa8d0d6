/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to a server over the gRPC C core: one channel, any number of calls in flight from
 * any number of threads, each with the deadline and the cancel token of the protocol's
 * call it belongs to. Knows no operation.
 */
#ifndef MILVUS_TRANSPORT_H
#define MILVUS_TRANSPORT_H

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <pthread.h>
#include <stdatomic.h>

#include "plug_call.h"
#include "settings.h"
#include "status.h"

/* ---- the channel -------------------------------------------------------------------- */

typedef struct milvus_link {
    struct milvus_link *next; /* of all, for forks */
    const milvus_settings *settings;
    grpc_channel *channel; /* NULL until the first call; channel.c guards it */
    int64_t pid;           /* of the process the channel belongs to */
    atomic_int seen;       /* a server has answered: from then on a lost one is waited for */
} milvus_link;

/* Connects nowhere and starts nothing. */
void milvus_link_init(milvus_link *link, const milvus_settings *settings);
/* In a forked child the channel is left alone. */
void milvus_link_clear(milvus_link *link);

/* ---- one call ------------------------------------------------------------------------ */

typedef struct milvus_rpc {
    const char *method;   /* "Search" */
    int idempotent;       /* may be sent again when it is not known whether it arrived */
    int is_status;        /* the reply is a Status, instead of a message with one */
    grpc_slice parts[2];  /* the request, one part after the other; owned */
    size_t part_count;
    void *context;        /* the caller's */
    /* how it ended */
    milvus_status status;
    grpc_slice reply_slice;
    const uint8_t *reply;
    size_t reply_size;
    /* the transport's */
    struct milvus_rpc *next;
    struct milvus_sent *sent; /* while it is in flight */
    uint32_t attempts;
    int64_t first_failure; /* when it first failed to get through; 0: never */
    int wait_is_over;      /* it waited as long as it may for the server to come back: */
    int is_given_up;       /* in vain */
    int64_t retry_at;
} milvus_rpc;

void milvus_rpc_init(milvus_rpc *rpc, const char *method);
/* Takes the bytes (malloc'd) as the next part of the request. */
void milvus_rpc_take(milvus_rpc *rpc, void *data, size_t size);
/* The same for bytes that are wiped when they are no longer needed. */
void milvus_rpc_take_secret(milvus_rpc *rpc, void *data, size_t size);
void milvus_rpc_clear(milvus_rpc *rpc);

/* ---- calls in flight ------------------------------------------------------------------ */

/* The calls of one call of the protocol. Used by one thread. */
typedef struct milvus_flight {
    milvus_link *link;
    plug_call *call;
    grpc_channel *channel;
    grpc_completion_queue *queue;
    pthread_mutex_t lock; /* guards active and cancelled */
    pthread_cond_t woken; /* by the cancel token */
    milvus_rpc *active;   /* sent and not answered */
    milvus_rpc *resting;  /* to be sent again later */
    uint64_t watch;
    int cancelled;
    int lost; /* a call never came back: what gRPC may still touch is left alone */
} milvus_flight;

/* FORKED, CONFIG. To be cleared whatever it returns. */
int32_t milvus_flight_init(milvus_flight *flight, milvus_link *link, plug_call *call);
/* Ends what is in flight, without waiting for answers. */
void milvus_flight_clear(milvus_flight *flight);
/* Sends; rpc stays where it is until it comes back from next. */
int32_t milvus_flight_start(milvus_flight *flight, milvus_rpc *rpc);
/*
 * Waits for the next call to end, well or badly: *rpc, with its status. Those that did not
 * get through are sent again, with pauses, where that is harmless. An error (CANCELLED,
 * DEADLINE_EXCEEDED) is one of the protocol's call; then *rpc is NULL.
 */
int32_t milvus_flight_next(milvus_flight *flight, milvus_rpc **rpc);

/* One call alone; its failure becomes the error of the protocol's call. */
int32_t milvus_rpc_run(milvus_link *link, plug_call *call, milvus_rpc *rpc);
/* The same, leaving all that went wrong in rpc->status: an error is only what ended the
   protocol's call. */
int32_t milvus_rpc_send(milvus_link *link, plug_call *call, milvus_rpc *rpc);
/* The same, leaving what the server said in rpc->status: only what kept it from answering
   is an error. */
int32_t milvus_rpc_try(milvus_link *link, plug_call *call, milvus_rpc *rpc);

#endif
