/* SPDX-License-Identifier: Apache-2.0 */
/* What a server, or gRPC instead of one, says of a call, as a code of ours. */
#ifndef MILVUS_STATUS_H
#define MILVUS_STATUS_H

#include <grpc/status.h>

#include "plug_call.h"

#define MILVUS_REASON_MAX 512

typedef struct milvus_status {
    int32_t code;        /* ours; SIMPLUGIN_OK: it went well */
    int64_t server_code; /* of Milvus, or of gRPC */
    int retryable;       /* the same call may succeed later */
    int arrived;         /* the server answered, be it with an error */
    char reason[MILVUS_REASON_MAX]; /* the server's words */
} milvus_status;

/* From a reply: the Status it is, or the one in its first field. */
void milvus_status_read(milvus_status *status, const uint8_t *reply, size_t size, int is_status);
/* From gRPC's own status. */
void milvus_status_of_grpc(milvus_status *status, grpc_status_code code, const char *details,
                           size_t size);
/* Sets the call's error from a status that is not OK; returns its code. */
int32_t milvus_status_fail(plug_call *call, const char *method, const char *target,
                           const milvus_status *status);

#endif
