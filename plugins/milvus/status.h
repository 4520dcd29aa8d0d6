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
    int too_large;       /* MILVUS_..._TOO_LARGE: what gRPC refused, 0: that is not it */
    char reason[MILVUS_REASON_MAX]; /* the server's words */
} milvus_status;

#define MILVUS_REQUEST_TOO_LARGE 1 /* the server did not read it: nothing was done */
#define MILVUS_REPLY_TOO_LARGE 2   /* we did not read it: what was asked for was done */

/* From a reply: the Status it is, or the one in its first field. */
void milvus_status_read(milvus_status *status, const uint8_t *reply, size_t size, int is_status);
/* From gRPC's own status. */
void milvus_status_of_grpc(milvus_status *status, grpc_status_code code, const char *details,
                           size_t size);
/*
 * Which of the two is too large: gRPC says so in nearly the same words on both sides, but
 * with the message's size and the limit of whoever refused it. What fits neither is none.
 */
void milvus_status_sizes(milvus_status *status, uint64_t request_bytes, int64_t receive_limit);
/* Sets the call's error from a status that is not OK; returns its code. */
int32_t milvus_status_fail(plug_call *call, const char *method, const char *target,
                           const milvus_status *status);

#endif
