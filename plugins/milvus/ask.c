/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "instance.h"

#define ASIDE_MS 5000

int milvus_pack(milvus_rpc *rpc, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = malloc(size + 1);

    if (!data)
        return 0;
    protobuf_c_message_pack(message, data);
    milvus_rpc_take(rpc, data, size);
    return 1;
}

void *milvus_unpack(milvus_call *call, const milvus_rpc *rpc,
                    const ProtobufCMessageDescriptor *descriptor)
{
    void *reply = protobuf_c_message_unpack(descriptor, NULL, rpc->reply_size, rpc->reply);

    if (!reply)
        plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "%s: the reply is not what Milvus sends",
                  rpc->method);
    return reply;
}

int32_t milvus_ask(milvus_call *call, const char *method, const ProtobufCMessage *message,
                   const ProtobufCMessageDescriptor *descriptor, void **reply)
{
    milvus_rpc rpc;
    int32_t code;

    *reply = NULL;
    milvus_rpc_init(&rpc, method);
    code = milvus_pack(&rpc, message) ? milvus_rpc_run(&call->instance->link, &call->base, &rpc)
                                      : plug_no_memory(&call->base);
    if (!code) {
        *reply = milvus_unpack(call, &rpc, descriptor);
        code = *reply ? SIMPLUGIN_OK : SIMPLUGIN_PROTOCOL;
    }
    milvus_rpc_clear(&rpc);
    return code;
}

int32_t milvus_tell_try(milvus_call *call, const char *method, const ProtobufCMessage *message,
                        int idempotent, milvus_status *status)
{
    milvus_rpc rpc;
    int32_t code;

    milvus_rpc_init(&rpc, method);
    rpc.idempotent = idempotent;
    rpc.is_status = 1;
    code = milvus_pack(&rpc, message) ? milvus_rpc_try(&call->instance->link, &call->base, &rpc)
                                      : plug_no_memory(&call->base);
    *status = rpc.status;
    milvus_rpc_clear(&rpc);
    return code;
}

int32_t milvus_tell(milvus_call *call, const char *method, const ProtobufCMessage *message,
                    int idempotent)
{
    milvus_status status;
    int32_t code = milvus_tell_try(call, method, message, idempotent, &status);

    return code || !status.code
               ? code
               : milvus_status_fail(&call->base, method,
                                    call->instance->settings.address.target, &status);
}

int32_t milvus_tell_secret(milvus_call *call, const char *method, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = malloc(size + 1);
    milvus_rpc rpc;
    int32_t code;

    if (!data)
        return plug_no_memory(&call->base);
    protobuf_c_message_pack(message, data);
    milvus_rpc_init(&rpc, method);
    rpc.idempotent = 0;
    rpc.is_status = 1;
    milvus_rpc_take_secret(&rpc, data, size);
    code = milvus_rpc_run(&call->instance->link, &call->base, &rpc);
    milvus_rpc_clear(&rpc);
    return code;
}

void milvus_aside_begin(milvus_call *call, milvus_aside *aside)
{
    aside->own_info = call->base.info;
    aside->own_error = call->base.error;
    aside->info = *aside->own_info;
    aside->info.deadline = sp_clock_deadline(ASIDE_MS);
    aside->info.cancel = 0;
    call->base.info = &aside->info;
    call->base.error = NULL;
}

void milvus_aside_end(milvus_call *call, const milvus_aside *aside)
{
    call->base.info = aside->own_info;
    call->base.error = aside->own_error;
}

void milvus_reply_free(void *reply)
{
    if (reply)
        protobuf_c_message_free_unpacked(reply, NULL);
}
