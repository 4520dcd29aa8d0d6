/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "status.h"

#include <stdio.h>
#include <strings.h>

#include "pb.h"

#define CODE_RATE_LIMIT 8
#define CODE_NOT_LOADED 101
#define CODE_PARTITION_NOT_LOADED 201
#define ERROR_RATE_LIMIT 49

/* ---- Milvus ------------------------------------------------------------------------- */

/* Codes of Milvus 2.3 and later, each range up to the next one. */
static const struct {
    int32_t from, to;
    int32_t code;
} by_code[] = {
    {2, 2, SIMPLUGIN_UNAVAILABLE},          {3, 3, SIMPLUGIN_RESOURCE_EXHAUSTED},
    {4, 4, SIMPLUGIN_RESOURCE_EXHAUSTED},   {7, 7, SIMPLUGIN_NO_SPACE},
    {8, 9, SIMPLUGIN_RESOURCE_EXHAUSTED},   {100, 100, SIMPLUGIN_NOT_FOUND},
    {101, 101, SIMPLUGIN_UNAVAILABLE},      {102, 102, SIMPLUGIN_RESOURCE_EXHAUSTED},
    {103, 103, SIMPLUGIN_UNAVAILABLE},      {104, 104, SIMPLUGIN_UNAVAILABLE},
    {105, 105, SIMPLUGIN_INVALID_ARGUMENT}, {200, 200, SIMPLUGIN_NOT_FOUND},
    {201, 202, SIMPLUGIN_UNAVAILABLE},      {400, 599, SIMPLUGIN_UNAVAILABLE},
    {700, 700, SIMPLUGIN_NOT_FOUND},        {701, 701, SIMPLUGIN_INVALID_ARGUMENT},
    {702, 702, SIMPLUGIN_ALREADY_EXISTS},   {800, 800, SIMPLUGIN_NOT_FOUND},
    {801, 801, SIMPLUGIN_RESOURCE_EXHAUSTED}, {802, 802, SIMPLUGIN_INVALID_ARGUMENT},
    {901, 999, SIMPLUGIN_UNAVAILABLE},      {1000, 1099, SIMPLUGIN_IO},
    {1100, 1199, SIMPLUGIN_INVALID_ARGUMENT}, {1400, 1400, SIMPLUGIN_UNAUTHENTICATED},
    {1401, 1401, SIMPLUGIN_PERMISSION_DENIED}, {1600, 1600, SIMPLUGIN_NOT_FOUND},
    {1601, 1602, SIMPLUGIN_ALREADY_EXISTS}, {1700, 1700, SIMPLUGIN_NOT_FOUND},
    {1701, 1799, SIMPLUGIN_INVALID_ARGUMENT}, {1800, 1800, SIMPLUGIN_UNAUTHENTICATED},
    {1801, 1899, SIMPLUGIN_INVALID_ARGUMENT},
};

/* error_code of 2.2 and of what 2.3 did not move to the codes above. */
static const struct {
    int32_t error_code;
    int32_t code;
} by_error_code[] = {
    {2, SIMPLUGIN_UNAVAILABLE},       {3, SIMPLUGIN_PERMISSION_DENIED},
    {4, SIMPLUGIN_NOT_FOUND},         {5, SIMPLUGIN_INVALID_ARGUMENT},
    {6, SIMPLUGIN_INVALID_ARGUMENT}, /* Milvus Lite */
    {7, SIMPLUGIN_DIMENSION_MISMATCH}, {8, SIMPLUGIN_INVALID_ARGUMENT},
    {9, SIMPLUGIN_INVALID_ARGUMENT},  {10, SIMPLUGIN_INVALID_ARGUMENT},
    {11, SIMPLUGIN_INVALID_ARGUMENT}, {12, SIMPLUGIN_INVALID_ARGUMENT},
    {22, SIMPLUGIN_INVALID_ARGUMENT}, {23, SIMPLUGIN_INVALID_ARGUMENT},
    {24, SIMPLUGIN_RESOURCE_EXHAUSTED}, {25, SIMPLUGIN_NOT_FOUND},
    {28, SIMPLUGIN_NOT_FOUND},        {45, SIMPLUGIN_UNAVAILABLE},
    {46, SIMPLUGIN_UNAVAILABLE},      {48, SIMPLUGIN_RESOURCE_EXHAUSTED},
    {49, SIMPLUGIN_RESOURCE_EXHAUSTED}, {51, SIMPLUGIN_INVALID_ARGUMENT},
    {52, SIMPLUGIN_RESOURCE_EXHAUSTED}, {53, SIMPLUGIN_RESOURCE_EXHAUSTED},
    {54, SIMPLUGIN_NO_SPACE},         {55, SIMPLUGIN_UNAVAILABLE},
    {56, SIMPLUGIN_UNAVAILABLE},      {57, SIMPLUGIN_UNAVAILABLE},
    {100, SIMPLUGIN_UNAVAILABLE},     {1000, SIMPLUGIN_BUSY},
};

/* Words of servers that give no better code than "unexpected error". */
static const struct {
    const char *words;
    int32_t code;
} by_words[] = {
    {"already exist", SIMPLUGIN_ALREADY_EXISTS},
    {"duplicated", SIMPLUGIN_ALREADY_EXISTS},
    {"file exists", SIMPLUGIN_ALREADY_EXISTS}, /* Milvus Lite, of a collection */
    {"create duplicate", SIMPLUGIN_ALREADY_EXISTS},
    {"at most one distinct index", SIMPLUGIN_ALREADY_EXISTS},
    {"invalid partition name", SIMPLUGIN_INVALID_ARGUMENT},
    {"partition name", SIMPLUGIN_NOT_FOUND},
    {"collection not found", SIMPLUGIN_NOT_FOUND},
    {"can't find collection", SIMPLUGIN_NOT_FOUND},
    {"partition not found", SIMPLUGIN_NOT_FOUND},
    {"index not found", SIMPLUGIN_NOT_FOUND},
    {"index doesn't exist", SIMPLUGIN_NOT_FOUND},
    {"database not found", SIMPLUGIN_NOT_FOUND},
    {"database:", SIMPLUGIN_NOT_FOUND}, /* database:NAME not found */
    {"does not exist", SIMPLUGIN_NOT_FOUND},
    {"not exist", SIMPLUGIN_NOT_FOUND},
    {"auth check failure", SIMPLUGIN_UNAUTHENTICATED},
    {"permission deny", SIMPLUGIN_PERMISSION_DENIED},
    {"not loaded", SIMPLUGIN_UNAVAILABLE},
    {"not ready", SIMPLUGIN_UNAVAILABLE},
    {"rate limit", SIMPLUGIN_RESOURCE_EXHAUSTED},
    {"deny to write", SIMPLUGIN_RESOURCE_EXHAUSTED},
    {"exceed the limit size", SIMPLUGIN_RESOURCE_EXHAUSTED},
    {"deadline exceeded", SIMPLUGIN_UNAVAILABLE},
    {"timestamp lag too large", SIMPLUGIN_UNAVAILABLE},
    {"dimension", SIMPLUGIN_INVALID_ARGUMENT},
    {"invalid", SIMPLUGIN_INVALID_ARGUMENT},
    {"should be in range", SIMPLUGIN_INVALID_ARGUMENT},
    {"out of range", SIMPLUGIN_INVALID_ARGUMENT},
    {"cannot parse", SIMPLUGIN_INVALID_ARGUMENT},
    {"parse expression", SIMPLUGIN_INVALID_ARGUMENT},
    {"unsupported", SIMPLUGIN_INVALID_ARGUMENT},
    {"not supported", SIMPLUGIN_INVALID_ARGUMENT},
    {"is not a number", SIMPLUGIN_INVALID_ARGUMENT},
    {"must be ", SIMPLUGIN_INVALID_ARGUMENT},
    {"must not be ", SIMPLUGIN_INVALID_ARGUMENT},
    {"too long", SIMPLUGIN_INVALID_ARGUMENT},
    {"please release", SIMPLUGIN_INVALID_ARGUMENT},
};

static int has_words(const char *text, const char *words)
{
    size_t size = strlen(words);

    for (; *text; text++)
        if (strncasecmp(text, words, size) == 0)
            return 1;
    return 0;
}

/* Rows, then queries, of another dimension than the collection's: Milvus, and Milvus Lite. */
static int is_dimension(const char *reason)
{
    return has_words(reason, "should divide the dim") || has_words(reason, "expected dim") ||
           has_words(reason, "field_meta.get_sizeof()") ||
           has_words(reason, "mismatch in its core dimension");
}

static int32_t code_of_milvus(int32_t code, int32_t error_code, const char *reason)
{
    if (is_dimension(reason))
        return SIMPLUGIN_DIMENSION_MISMATCH;
    if (has_words(reason, "cannot unmarshal")) /* of JSON: "IO failed" */
        return SIMPLUGIN_INVALID_ARGUMENT;
    for (size_t i = 0; i < sizeof by_code / sizeof by_code[0]; i++)
        if (code >= by_code[i].from && code <= by_code[i].to)
            return by_code[i].code;
    for (size_t i = 0; i < sizeof by_error_code / sizeof by_error_code[0]; i++)
        if (error_code == by_error_code[i].error_code)
            return by_error_code[i].code;
    for (size_t i = 0; i < sizeof by_words / sizeof by_words[0]; i++)
        if (has_words(reason, by_words[i].words))
            return by_words[i].code;
    return SIMPLUGIN_INTERNAL;
}

/* One line of UTF-8, as messages are. */
static void reason_copy(milvus_status *status, const void *words, size_t size)
{
    if (size >= sizeof status->reason)
        size = sizeof status->reason - 1;
    if (size)
        memcpy(status->reason, words, size);
    while (size && !simplugin_utf8_check((const uint8_t *)status->reason, size))
        size--;
    status->reason[size] = 0;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)status->reason[i] < ' ' || status->reason[i] == 127)
            status->reason[i] = ' ';
}

static void not_understood(milvus_status *status)
{
    status->code = SIMPLUGIN_PROTOCOL;
    snprintf(status->reason, sizeof status->reason, "the reply is not what Milvus sends");
}

/* What is not loaded is to be loaded first: waiting does not help. */
static int may_do_later(const milvus_status *status, int32_t code, int32_t error_code)
{
    if (status->code == SIMPLUGIN_UNAVAILABLE)
        return code != CODE_NOT_LOADED && code != CODE_PARTITION_NOT_LOADED &&
               !has_words(status->reason, "not loaded");
    return code == CODE_RATE_LIMIT || error_code == ERROR_RATE_LIMIT;
}

void milvus_status_read(milvus_status *status, const uint8_t *reply, size_t size, int is_status)
{
    pb_reader reader = pb_reader_of(reply, size);
    pb_field field;
    int32_t code = 0, error_code = 0;

    memset(status, 0, sizeof *status);
    status->arrived = 1;
    if (!is_status) {
        /* the first field, and a good one is empty or missing */
        if (!pb_next(&reader, &field)) {
            if (reader.failed)
                not_understood(status);
            return;
        }
        if (field.number != 1)
            return;
        if (field.wire != PB_BYTES) {
            not_understood(status);
            return;
        }
        reader = pb_reader_of(field.data, field.size);
    }
    while (pb_next(&reader, &field)) {
        if (field.number == 1 && field.wire == PB_VARINT)
            error_code = (int32_t)field.value;
        else if (field.number == 2 && field.wire == PB_BYTES)
            reason_copy(status, field.data, field.size);
        else if (field.number == 3 && field.wire == PB_VARINT)
            code = (int32_t)field.value;
        else if (field.number == 4 && field.wire == PB_VARINT)
            status->retryable = field.value != 0;
    }
    if (reader.failed) {
        not_understood(status);
        return;
    }
    if (!code && !error_code)
        return;
    status->server_code = code ? code : error_code;
    status->code = code_of_milvus(code, error_code, status->reason);
    if (may_do_later(status, code, error_code))
        status->retryable = 1;
}

/* ---- gRPC --------------------------------------------------------------------------- */

/* The server's certificate, or the name in it, was not accepted. */
static int is_certificate(const char *reason)
{
    return has_words(reason, "certificate") || has_words(reason, "hostname verification");
}

/* As servers do whose clients talk in the clear, or have no certificate. */
static int is_closed(const char *reason)
{
    return has_words(reason, "failed to connect") &&
           (has_words(reason, "socket closed") || has_words(reason, "endpoint read failed"));
}

static int is_handshake(const char *reason)
{
    return has_words(reason, "handshake failed") || has_words(reason, "wrong version number") ||
           has_words(reason, "wrong_version_number");
}

static int32_t code_of_grpc(grpc_status_code code)
{
    switch (code) {
    case GRPC_STATUS_OK: return SIMPLUGIN_OK;
    case GRPC_STATUS_CANCELLED: return SIMPLUGIN_CANCELLED;
    case GRPC_STATUS_DEADLINE_EXCEEDED: return SIMPLUGIN_DEADLINE_EXCEEDED;
    case GRPC_STATUS_NOT_FOUND: return SIMPLUGIN_NOT_FOUND;
    case GRPC_STATUS_ALREADY_EXISTS: return SIMPLUGIN_ALREADY_EXISTS;
    case GRPC_STATUS_PERMISSION_DENIED: return SIMPLUGIN_PERMISSION_DENIED;
    case GRPC_STATUS_UNAUTHENTICATED: return SIMPLUGIN_UNAUTHENTICATED;
    case GRPC_STATUS_RESOURCE_EXHAUSTED: return SIMPLUGIN_RESOURCE_EXHAUSTED;
    case GRPC_STATUS_INVALID_ARGUMENT:
    case GRPC_STATUS_FAILED_PRECONDITION:
    case GRPC_STATUS_OUT_OF_RANGE: return SIMPLUGIN_INVALID_ARGUMENT;
    case GRPC_STATUS_UNIMPLEMENTED: return SIMPLUGIN_UNIMPLEMENTED;
    case GRPC_STATUS_UNAVAILABLE:
    case GRPC_STATUS_ABORTED: return SIMPLUGIN_UNAVAILABLE;
    default: return SIMPLUGIN_PROTOCOL;
    }
}

void milvus_status_of_grpc(milvus_status *status, grpc_status_code code, const char *details,
                           size_t size)
{
    memset(status, 0, sizeof *status);
    status->server_code = (int64_t)code;
    status->code = code_of_grpc(code);
    reason_copy(status, details, size);
    /* what a lost connection may also look like */
    if (status->code == SIMPLUGIN_PROTOCOL && (has_words(status->reason, "socket closed") ||
                                               has_words(status->reason, "connection reset")))
        status->code = SIMPLUGIN_UNAVAILABLE;
    if (status->code == SIMPLUGIN_INVALID_ARGUMENT || status->code == SIMPLUGIN_PROTOCOL) {
        int32_t better = code_of_milvus(0, 0, status->reason);

        if (better != SIMPLUGIN_INTERNAL)
            status->code = better;
    }
    /* no channel could be made for any of them: gRPC does not say why */
    if (status->code == SIMPLUGIN_UNAVAILABLE && has_words(status->reason, "empty address list"))
        status->code = SIMPLUGIN_CONFIG;
    status->retryable = status->code == SIMPLUGIN_UNAVAILABLE;
    /* certificates do not get better by trying again */
    if (status->retryable && (is_certificate(status->reason) || is_handshake(status->reason)))
        status->retryable = 0;
}

void milvus_status_sizes(milvus_status *status, uint64_t request_bytes, int64_t receive_limit)
{
    static const char words[] = "larger than max (";
    const char *at = strstr(status->reason, words);
    unsigned long long size, limit;

    status->too_large = 0;
    if (status->code != SIMPLUGIN_RESOURCE_EXHAUSTED || status->arrived || !at ||
        sscanf(at + sizeof words - 1, "%20llu vs. %20llu)", &size, &limit) != 2)
        return;
    /* should both fit, the one that may not be sent again */
    if (receive_limit > 0 && limit == (unsigned long long)receive_limit)
        status->too_large = MILVUS_REPLY_TOO_LARGE;
    else if (size == request_bytes)
        status->too_large = MILVUS_REQUEST_TOO_LARGE;
}

/* ---- the error ------------------------------------------------------------------------ */

/* What to do about it, where the server's words do not say. */
static const char *advice(const milvus_status *status)
{
    const char *reason = status->reason;

    switch (status->code) {
    case SIMPLUGIN_UNAVAILABLE:
        if (is_certificate(reason))
            return "; the certificate was not accepted: has it expired, does tls_ca name its "
                   "authority, tls_server_name the name it was made for?";
        if (is_handshake(reason))
            return "; no TLS handshake: is https right for this server, does it ask for a client "
                   "certificate (tls_cert, tls_key)?";
        if (status->arrived)
            return "";
        if (is_closed(reason))
            return "; the server closed the connection: does it want TLS (an https:// uri), or a "
                   "client certificate (tls_cert, tls_key)?";
        return "; is the server running there, and is this its gRPC port (19530 by default)?";
    case SIMPLUGIN_UNAUTHENTICATED: return "; check user and password, or token";
    case SIMPLUGIN_PERMISSION_DENIED: return "; the user lacks this privilege";
    case SIMPLUGIN_RESOURCE_EXHAUSTED:
        if (status->too_large == MILVUS_REQUEST_TOO_LARGE)
            return "; the server takes no request that large";
        return has_words(reason, "received message larger than max")
                   ? "; ask for less, or raise max_receive_bytes"
                   : "";
    case SIMPLUGIN_CONFIG:
        return "; no connection can be made: are tls_cert and tls_key a certificate and its key?";
    case SIMPLUGIN_PROTOCOL:
        return status->arrived ? "" : "; does a Milvus server answer there?";
    default: return "";
    }
}

int32_t milvus_status_fail(plug_call *call, const char *method, const char *target,
                           const milvus_status *status)
{
    plug_fail(call, status->code, "%s at %s: %s%s", method, target,
              *status->reason ? status->reason : "failed", advice(status));
    plug_host->error_set_backend(call->error, status->server_code, status->reason,
                                 strlen(status->reason));
    plug_host->error_set_retryable(call->error, status->retryable);
    return status->code;
}
