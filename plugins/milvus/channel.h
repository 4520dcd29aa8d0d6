/* SPDX-License-Identifier: Apache-2.0 */
/* The channel behind a link: when gRPC starts, what forks do to it, what every call sends. */
#ifndef MILVUS_CHANNEL_H
#define MILVUS_CHANNEL_H

#include "transport.h"

#define MILVUS_METADATA_MAX 3

/*
 * The link's channel, made by the first call. FORKED in a child of the process that
 * started gRPC, unless GRPC_ENABLE_FORK_SUPPORT was set and no call was being served: then
 * parent and child begin anew, each with a channel of its own.
 */
int32_t milvus_channel_get(milvus_link *link, plug_call *call, grpc_channel **channel);

/* Around every call that is served: gRPC is not stopped between them. */
void milvus_channel_call_begin(void);
void milvus_channel_call_end(void);
/* A call never came back: gRPC is not stopped any more. */
void milvus_channel_stuck(void);

/* Who calls, which database, which trace: what is filled is to be cleared. */
size_t milvus_metadata_fill(const milvus_settings *settings, const plug_call *call,
                            grpc_metadata *metadata);
void milvus_metadata_clear(grpc_metadata *metadata, size_t count);

#endif
