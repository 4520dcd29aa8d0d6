/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection is opened with, read once and never changed. */
#ifndef QDRANT_SETTINGS_H
#define QDRANT_SETTINGS_H

#include <stdint.h>

#include "address.h"
#include "plug_call.h"

/* Servers take 32 MiB at most, unless they are told otherwise. */
#define QDRANT_BATCH_MAX (INT64_C(30) << 20)

typedef struct qdrant_settings {
    qdrant_address address;
    char *api_key;       /* NULL: none is sent */
    char *proxy;         /* NULL: what the environment says */
    /* PEM, as read from the files; NULL: none */
    char *ca;
    char *certificate;
    char *key;
    char *server_name;   /* the name certificates are checked against, instead of the host */
    int verify;          /* 0: any certificate will do */
    int64_t max_receive_bytes;
    int64_t retry_ms;    /* how long a server that went away is waited for */
    int64_t batch_bytes; /* of a request's body with points */
    int64_t batches_in_flight;
    char *consistency;   /* of reads: a number, majority, quorum or all; NULL: the server's */
    char *ordering;      /* of writes: weak, medium or strong; NULL: the server's */
} qdrant_settings;

/* From the parameters of open (the call's body). To be cleared whatever it returns. */
int32_t qdrant_settings_read(qdrant_settings *settings, plug_call *call);
void qdrant_settings_clear(qdrant_settings *settings);

/* "consistency" of a map of parameters: in memory of the call, NULL where it is not there. */
int32_t qdrant_consistency_read(plug_call *call, const simplugin_value *map, const char **text);

#endif
