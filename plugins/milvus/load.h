/* SPDX-License-Identifier: Apache-2.0 */
/* Loading collections, which Milvus wants before it reads them. */
#ifndef MILVUS_LOAD_H
#define MILVUS_LOAD_H

#include "call.h"

/* Waits, but no longer than the call may. CANCELLED, DEADLINE_EXCEEDED. */
int32_t milvus_pause(plug_call *call, int64_t milliseconds);

/*
 * Loads the call's collection, or those partitions (count 0: all of it), and waits until
 * it is there, telling whoever listens how far it is.
 */
int32_t milvus_load(milvus_call *call, const char *const *partitions, uint64_t count,
                    int64_t replicas);

/* Has all of it loaded, without waiting for that. */
int32_t milvus_load_start(milvus_call *call);

/*
 * A read (Query, Search) of the call's collection: what is not loaded is loaded first.
 */
int32_t milvus_read_run(milvus_call *call, milvus_rpc *rpc);
/* The same without loading anything: *is_loaded is 0, and that no error, where it would
   have to be, has no index, or may not be read. */
int32_t milvus_read_loaded(milvus_call *call, milvus_rpc *rpc, int *is_loaded);
/* The same, leaving what the server said against it in rpc->status. */
int32_t milvus_read_try(milvus_call *call, milvus_rpc *rpc);
/* Whether that is what a server's answer says. */
int milvus_is_not_loaded(const milvus_status *status);
/* Whether a read brings more than the server sends, or than we take: less is to be asked for. */
int milvus_is_reply_too_large(const milvus_status *status);

#endif
