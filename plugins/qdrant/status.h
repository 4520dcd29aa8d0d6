/* SPDX-License-Identifier: Apache-2.0 */
/* What a server, or libcurl instead of one, says of a request, as a code of ours. */
#ifndef QDRANT_STATUS_H
#define QDRANT_STATUS_H

#include <curl/curl.h>

#include "plug_call.h"
#include "settings.h"

#define QDRANT_REASON_MAX 512

typedef struct qdrant_status {
    int32_t code;      /* ours; SIMPLUGIN_OK: it went well */
    int32_t http;      /* HTTP's; 0: nothing was answered */
    int retryable;     /* the same request may succeed later */
    int arrived;       /* the server answered, be it with an error */
    int too_large;     /* 413: what was sent is to be halved */
    int reply_too_large;    /* above max_receive_bytes: less is to be asked for */
    int64_t retry_after_ms; /* the server's wish; 0: none */
    char reason[QDRANT_REASON_MAX]; /* the server's words, without secrets */
} qdrant_status;

/*
 * From an answer: 2xx is OK. 404 is NOT_FOUND where Qdrant itself says so, and
 * UNIMPLEMENTED where the server has no such route: it is older, or something else.
 */
void qdrant_status_read(qdrant_status *status, int32_t http, const char *body, size_t size);
/* From libcurl's error; words: of its error buffer, os: errno or 0. */
void qdrant_status_of_curl(qdrant_status *status, CURLcode code, const char *words, long os);
/* Sets the reason: one line of UTF-8. */
void qdrant_status_say(qdrant_status *status, const char *words, size_t size);
/* Takes the connection's secrets out of the reason. */
void qdrant_status_mask(qdrant_status *status, const qdrant_settings *settings);
/* Sets the call's error from a status that is not OK; returns its code. */
int32_t qdrant_status_fail(plug_call *call, const char *what, const qdrant_settings *settings,
                           const qdrant_status *status);

#endif
