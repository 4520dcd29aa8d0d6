/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection is opened with, read once and never changed. */
#ifndef MILVUS_SETTINGS_H
#define MILVUS_SETTINGS_H

#include <stdint.h>

#include "address.h"
#include "plug_call.h"

typedef struct milvus_settings {
    milvus_address address;
    char *db_name;       /* "" : the server's default */
    char *authorization; /* the header's value, base64; NULL: none is sent */
    /* PEM, as read from the files; NULL: none */
    char *ca;
    char *certificate;
    char *key;
    char *server_name;   /* the name certificates are checked against, instead of the host */
    int verify;          /* 0: any certificate will do */
    int32_t max_receive_bytes;
    int32_t keepalive_ms; /* 0: none */
    int64_t retry_ms;     /* how long a server that went away is waited for */
    int64_t batch_bytes;  /* of rows in one request */
    int64_t batches_in_flight;
} milvus_settings;

/* From the parameters of open (the call's body). To be cleared whatever it returns. */
int32_t milvus_settings_read(milvus_settings *settings, plug_call *call);
void milvus_settings_clear(milvus_settings *settings);

#endif
