/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the server and its answer, for messages that protobuf-c packs. */
#ifndef MILVUS_ASK_H
#define MILVUS_ASK_H

#include <protobuf-c/protobuf-c.h>

#include "call.h"
#include "plugins/milvus/milvus.pb-c.h"

/* Packs the message into the rpc; 0: no memory. */
int milvus_pack(milvus_rpc *rpc, const ProtobufCMessage *message);
/* What the rpc's reply holds, to be freed by protobuf_c_message_free_unpacked; NULL with an
   error set where it is not that. */
void *milvus_unpack(milvus_call *call, const milvus_rpc *rpc,
                    const ProtobufCMessageDescriptor *descriptor);

/*
 * Asks and waits. descriptor NULL: the reply is a Status. *reply is to be freed by
 * milvus_reply_free.
 */
int32_t milvus_ask(milvus_call *call, const char *method, const ProtobufCMessage *message,
                   const ProtobufCMessageDescriptor *descriptor, void **reply);
/* The same for what answers with a Status; not sent again unless idempotent. */
int32_t milvus_tell(milvus_call *call, const char *method, const ProtobufCMessage *message,
                    int idempotent);
/* The same for a message with a password, of which no copy of ours stays in memory. */
int32_t milvus_tell_secret(milvus_call *call, const char *method, const ProtobufCMessage *message);
/* The same, leaving what the server said against it in *status. */
int32_t milvus_tell_try(milvus_call *call, const char *method, const ProtobufCMessage *message,
                        int idempotent, milvus_status *status);
/*
 * Between these two, calls have some seconds of their own, no cancel token, and no error:
 * what is put right after a failure, which alone is reported.
 */
typedef struct milvus_aside {
    simplugin_call_info info;
    const simplugin_call_info *own_info;
    simplugin_error **own_error;
} milvus_aside;

void milvus_aside_begin(milvus_call *call, milvus_aside *aside);
void milvus_aside_end(milvus_call *call, const milvus_aside *aside);

/* NULL is harmless. */
void milvus_reply_free(void *reply);

/* protobuf-c wants char * where it never writes. */
static inline char *milvus_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

#endif
